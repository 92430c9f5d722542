"""The tables as the queries see them. Migrations create them; a test holds both against each other."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table, UniqueConstraint

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

accounts = Table(
    "accounts",
    metadata,
    Column("login_id", String(64), primary_key=True),
    Column("login_name", String(64), nullable=False),
    # the case-folded login name: one index serves look-up and uniqueness on both engines
    Column("login_key", String(128), nullable=False, unique=True),
    Column("password_hash", String(256), nullable=False),
    Column("roles", String(64), nullable=False),
)

reason_codes = Table(
    "reason_codes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("category", String(16), nullable=False),
    Column("code", Integer, nullable=False),
    Column("label", String(40), nullable=False),
    Column("for_all", Boolean, nullable=False),
    UniqueConstraint("category", "code"),
)

last_presence = Table(
    "last_presence",
    metadata,
    Column("user", String(64), primary_key=True),
    Column("available", Boolean, nullable=False),
    Column("at", Float(53), nullable=False),
)
