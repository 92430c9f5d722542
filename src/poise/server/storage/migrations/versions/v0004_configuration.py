"""Configuration objects, who has them, and the reason codes among them."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KINDS = (
    "ReasonCode",
    "WrapUpReason",
    "PhoneBook",
    "Contact",
    "MediaPropertiesLayout",
    "Workflow",
    "WorkflowAction",
    "LayoutConfig",
    "TeamLayoutConfig",
    "ECCVariableConfig",
    "ChatConfig",
    "DesktopConfig",
    "SystemConfig",
    "ClusterConfig",
    "EnterpriseDatabaseConfig",
)
_SHOWN = ("callVariable1", "callVariable2", "callVariable3", "callVariable4", "callVariable5")
_DEFAULT_LAYOUT = {
    "name": "Default Layout",
    "description": "Shown to teams without a layout of their own",
    "type": "DEFAULT",
    "header": {"entry": {"displayName": "Customer", "mediaProperty": "callVariable1"}},
    "column": [
        {"entry": [{"displayName": f"Variable {n}", "mediaProperty": name} for n, name in enumerate(_SHOWN, 1)]},
        {"entry": [{"displayName": "Queue", "mediaProperty": "queueName"}]},
    ],
}


def upgrade() -> None:
    """Create the tables, move the reason codes, and make the layout that every system has."""
    objects = op.create_table(
        "config_objects",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("parent", sa.Integer, nullable=False),
        sa.Column("bucket", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("kind", "number", name="pk_config_objects"),
    )
    op.create_index("ix_config_objects_parent", "config_objects", ["kind", "parent"])
    keys = op.create_table(
        "config_keys",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_config_keys"),
    )
    op.create_index("ix_config_keys_number", "config_keys", ["kind", "number"])
    counters = op.create_table(
        "config_counters",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_config_counters"),
    )
    op.create_table(
        "team_assignments",
        sa.Column("team", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("team", "kind", "number", name="pk_team_assignments"),
    )
    last = dict.fromkeys(KINDS, 0)
    rows = [_row("MediaPropertiesLayout", 1, "", _DEFAULT_LAYOUT)]
    last["MediaPropertiesLayout"] = 1
    names = {("MediaPropertiesLayout", "name=default layout"): 1}
    old = op.get_bind().execute(sa.text("SELECT id, category, code, label, for_all FROM reason_codes ORDER BY id"))
    for number, category, code, label, for_all in old.all():
        shared = bool(for_all)
        document = {"category": category, "code": code, "label": label, "forAll": shared}
        rows.append(_row("ReasonCode", number, f"{category}/{str(shared).lower()}", document))
        names[("ReasonCode", f"category={category.casefold()},code={code}")] = number
        # labels could be given twice before; the first has the name from now on
        names.setdefault(("ReasonCode", f"category={category.casefold()},label={label.casefold()}"), number)
        last["ReasonCode"] = max(last["ReasonCode"], number)
    op.bulk_insert(objects, rows)
    op.bulk_insert(keys, [{"kind": kind, "name": name, "number": n} for (kind, name), n in names.items()])
    op.bulk_insert(counters, [{"kind": kind, "last": number} for kind, number in last.items()])
    op.drop_table("reason_codes")


def _row(kind: str, number: int, bucket: str, document: object) -> dict[str, object]:
    return {
        "kind": kind,
        "number": number,
        "parent": 0,
        "bucket": bucket,
        "version": 1,
        "document": json.dumps(document),
        "previous": None,
    }


def downgrade() -> None:
    """Back to a table of reason codes; everything else that was configured is lost."""
    codes = op.create_table(
        "reason_codes",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("category", sa.String(16), nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("label", sa.String(40), nullable=False),
        sa.Column("for_all", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reason_codes"),
        sa.UniqueConstraint("category", "code", name="uq_reason_codes_category"),
    )
    query = sa.text("SELECT number, document FROM config_objects WHERE kind = 'ReasonCode'")
    rows = [(number, json.loads(document)) for number, document in op.get_bind().execute(query).all()]
    op.bulk_insert(
        codes,
        [
            {"id": n, "category": d["category"], "code": d["code"], "label": d["label"], "for_all": d["forAll"]}
            for n, d in rows
        ],
    )
    for table in ("team_assignments", "config_counters", "config_keys", "config_objects"):
        op.drop_table(table)
