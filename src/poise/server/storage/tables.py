"""The tables as the queries see them. Migrations create them; a test holds both against each other."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

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

# Configuration: `poise.finesse.configuration.table` says what the documents hold. Numbers are the ids of the API.

config_objects = Table(
    "config_objects",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # the object it belongs to; 0: none
    Column("parent", Integer, nullable=False),
    # objects of a bucket are counted together
    Column("bucket", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("previous", Text, nullable=True),
    Index("ix_config_objects_parent", "kind", "parent"),
)

config_keys = Table(
    "config_keys",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Index("ix_config_keys_number", "kind", "number"),
)

# numbers are never given twice; whoever changes objects of a kind holds its row until the transaction ends
config_counters = Table(
    "config_counters",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("last", Integer, nullable=False),
)

team_assignments = Table(
    "team_assignments",
    metadata,
    Column("team", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
)

last_presence = Table(
    "last_presence",
    metadata,
    Column("user", String(64), primary_key=True),
    Column("available", Boolean, nullable=False),
    Column("at", Float(53), nullable=False),
)

# The notification service's own: `poise.protocols.xmpp.records` says what the columns mean. Keys are texts of up to
# 1,024 bytes, together under the 2,704 that a key of PostgreSQL's index may have: a node name and an account's JID.

pubsub_nodes = Table(
    "pubsub_nodes",
    metadata,
    Column("node", Text, primary_key=True),
    Column("creator", Text, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("config", Text, nullable=False),
)

pubsub_affiliations = Table(
    "pubsub_affiliations",
    metadata,
    Column("node", Text, primary_key=True),
    Column("jid", Text, primary_key=True),
    Column("affiliation", String(16), nullable=False),
)

pubsub_subscriptions = Table(
    "pubsub_subscriptions",
    metadata,
    Column("node", Text, primary_key=True),
    Column("jid", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("options", Text, nullable=False),
)

pubsub_items = Table(
    "pubsub_items",
    metadata,
    Column("node", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("publisher", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("payload", LargeBinary, nullable=False),
)

offline_messages = Table(
    "offline_messages",
    metadata,
    Column("user", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("stamped", Boolean, nullable=False),
    Column("stanza", LargeBinary, nullable=False),
)

user_documents = Table(
    "user_documents",
    metadata,
    Column("user", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("xml", LargeBinary, nullable=False),
)

scram_verifiers = Table(
    "scram_verifiers",
    metadata,
    Column("login_id", String(64), primary_key=True),
    Column("digest", String(16), primary_key=True),
    # SHA-256 of the account's password hash at that time: whoever changes the password makes the verifier void
    Column("made_for", String(64), nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("iterations", Integer, nullable=False),
    Column("stored_key", LargeBinary, nullable=False),
    Column("server_key", LargeBinary, nullable=False),
)

server_secrets = Table(
    "server_secrets",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
