"""What accounts keep for SCRAM, beside their password hashes and only where the operator wants it.

Theory. A verifier can be made only where a password is seen: at the first good sign-in with PLAIN or by REST. It names
the password hash it belongs to, so that any change of the password, from any process, makes it void. Its salt is that
which the name would be told if it had no verifier, or no account at all: a challenge tells nothing about who exists.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from poise.protocols.xmpp.scram import Verifier, derive, nobody
from poise.server.storage.records import Account
from poise.server.storage.store import Store
from poise.server.storage.tables import scram_verifiers as table
from poise.server.storage.tables import server_secrets

DIGESTS = ("sha256", "sha1")
"""Hashes of the mechanisms that are offered, as hashlib names them."""
_SECRET = "scram-salt"  # noqa: S105 - the name of a row


@dataclass(frozen=True, slots=True)
class _Made:
    made_for: str
    verifier: Verifier


class Verifiers:
    """Reads and writes verifiers. `open` it once."""

    def __init__(self, store: Store, secret: bytes) -> None:
        self._store = store
        self._secret = secret

    @classmethod
    async def open(cls, store: Store) -> Verifiers:
        """With the secret of this database, made on first use. Raises StoreError."""
        return cls(store, await store.run(_secret))

    async def find(self, name: str, account: Account | None, digest: str) -> Verifier:
        """The verifier of an account, or one that no password fits; `name` is what the client said. Raises StoreError.

        Both cost the same.
        """
        key = account.login_id if account is not None else name.casefold()
        made = await self._store.run(lambda connection: _find(connection, key, digest))
        if account is None or made is None or made.made_for != _mark(account):
            return nobody(key, digest, self._secret)
        return made.verifier

    async def learn(self, account: Account, password: str) -> None:
        """Keep verifiers of a password that was just found good, unless they are there. Raises StoreError.

        A password that SCRAM does not allow gets none.
        """
        mark = _mark(account)
        known = await self._store.run(lambda connection: _find(connection, account.login_id, DIGESTS[0]))
        if known is not None and known.made_for == mark:
            return
        try:
            rows = await asyncio.to_thread(self._rows, account.login_id, password, mark)
        except ValueError:
            return
        await self._store.run(lambda connection: _replace(connection, account.login_id, rows))

    def _rows(self, login_id: str, password: str, mark: str) -> list[dict[str, Any]]:
        rows = []
        for digest in DIGESTS:
            verifier = derive(password, digest, nobody(login_id, digest, self._secret).salt)
            rows.append(
                {
                    "login_id": login_id,
                    "digest": digest,
                    "made_for": mark,
                    "salt": verifier.salt,
                    "iterations": verifier.iterations,
                    "stored_key": verifier.stored_key,
                    "server_key": verifier.server_key,
                }
            )
        return rows


def _mark(account: Account) -> str:
    return hashlib.sha256(account.password_hash.encode()).hexdigest()


def _secret(connection: sa.Connection) -> bytes:
    query = sa.select(server_secrets.c.value).where(server_secrets.c.name == _SECRET)
    value = connection.execute(query).scalar()
    if value is None:
        value = secrets.token_bytes(32)
        connection.execute(sa.insert(server_secrets).values(name=_SECRET, value=value))
    return bytes(value)


def _find(connection: sa.Connection, login_id: str, digest: str) -> _Made | None:
    query = sa.select(table).where(table.c.login_id == login_id, table.c.digest == digest)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return _Made(row.made_for, Verifier(row.salt, row.iterations, row.stored_key, row.server_key))


def _replace(connection: sa.Connection, login_id: str, rows: list[dict[str, Any]]) -> None:
    connection.execute(sa.delete(table).where(table.c.login_id == login_id))
    connection.execute(sa.insert(table), rows)
