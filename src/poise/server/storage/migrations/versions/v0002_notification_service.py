"""What the notification service must not forget: nodes, affiliations, subscriptions, items, messages, documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the notification service."""
    op.create_table(
        "pubsub_nodes",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("creator", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float(53), nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_pubsub_nodes"),
    )
    op.create_table(
        "pubsub_affiliations",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("jid", sa.Text, nullable=False),
        sa.Column("affiliation", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("node", "jid", name="pk_pubsub_affiliations"),
    )
    op.create_table(
        "pubsub_subscriptions",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("jid", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("node", "jid", name="pk_pubsub_subscriptions"),
    )
    op.create_table(
        "pubsub_items",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("publisher", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("node", "item_id", name="pk_pubsub_items"),
    )
    op.create_table(
        "offline_messages",
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("stamped", sa.Boolean, nullable=False),
        sa.Column("stanza", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("user", "number", name="pk_offline_messages"),
    )
    op.create_table(
        "user_documents",
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("xml", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("user", "name", name="pk_user_documents"),
    )


def downgrade() -> None:
    """Drop them again."""
    for table in (
        "user_documents",
        "offline_messages",
        "pubsub_items",
        "pubsub_subscriptions",
        "pubsub_affiliations",
        "pubsub_nodes",
    ):
        op.drop_table(table)
