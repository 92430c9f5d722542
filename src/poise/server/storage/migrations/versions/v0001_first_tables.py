"""Accounts, reason codes and last presence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first three tables."""
    op.create_table(
        "accounts",
        sa.Column("login_id", sa.String(64), nullable=False),
        sa.Column("login_name", sa.String(64), nullable=False),
        sa.Column("login_key", sa.String(128), nullable=False),
        sa.Column("password_hash", sa.String(256), nullable=False),
        sa.Column("roles", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("login_id", name="pk_accounts"),
        sa.UniqueConstraint("login_key", name="uq_accounts_login_key"),
    )
    op.create_table(
        "reason_codes",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("category", sa.String(16), nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("label", sa.String(40), nullable=False),
        sa.Column("for_all", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reason_codes"),
        sa.UniqueConstraint("category", "code", name="uq_reason_codes_category"),
    )
    op.create_table(
        "last_presence",
        sa.Column("user", sa.String(64), nullable=False),
        sa.Column("available", sa.Boolean, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("user", name="pk_last_presence"),
    )


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("last_presence")
    op.drop_table("reason_codes")
    op.drop_table("accounts")
