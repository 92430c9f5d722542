"""Who has an account, in memory: what the XMPP host asks about users without waiting for the database.

Filled at start, and taught by every account that a sign-in finds later, so that accounts imported into a running server
exist from their first sign-in on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from poise.server.storage.records import Account, Role
from poise.server.storage.store import Store


class People:
    """Users by the local part of their JID. Stands between `Accounts` and the `Store`."""

    def __init__(self, store: Store, domain: str) -> None:
        self._store = store
        self._domain = domain
        self._known: set[str] = set()
        self._administrators: set[str] = set()
        self.on_demotion: Callable[[str], None] = lambda user: None
        """Told the local part of who is no administrator any more."""

    async def load(self) -> None:
        """Read every account, at the start; what changes later is noticed from here on. Raises StoreError."""
        self.learn(await self._store.accounts_if_changed() or ())

    def learn(self, accounts: Iterable[Account]) -> None:
        """Remember accounts as they are now."""
        for account in accounts:
            user = account.login_id.lower()
            self._known.add(user)
            jid = f"{user}@{self._domain}"
            if Role.ADMINISTRATOR in account.roles:
                self._administrators.add(jid)
            elif jid in self._administrators:
                self._administrators.remove(jid)
                self.on_demotion(user)

    def exists(self, user: str) -> bool:
        """Whether there is a user of this local part."""
        return user in self._known

    @property
    def administrators(self) -> set[str]:
        """Bare JIDs of administrators; the same set for the life of the server."""
        return self._administrators

    def is_administrator(self, user: str) -> bool:
        """Whether the user (local part) is one."""
        return f"{user}@{self._domain}" in self._administrators

    # ---- accounts.AccountSource

    async def find_account(self, name: str) -> Account | None:
        """By login id, else by login name, in any case. Raises StoreError."""
        account = await self._store.find_account(name.lower())  # ids are in lower case, login names compared so
        if account is not None:
            self.learn((account,))
        return account

    async def set_password_hash(self, login_id: str, password_hash: str) -> bool:
        """Change one password; False without such an account. Raises StoreError."""
        return await self._store.set_password_hash(login_id, password_hash)
