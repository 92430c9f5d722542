"""Who may sign in: one check of user and password for REST and XMPP alike.

A password costs one argon2id hash, on one thread, never on the event loop. Before hashing, attempts are throttled
per address and per user; the hash queue serves addresses in turn, so that a guesser waits for himself. A good check is
kept for 30 minutes as a keyed hash, because REST sends Basic with every request. Five consecutive failures lock a name
for five minutes; the client is not told.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from poise.protocols.xmpp.scram import Verifier
from poise.server.clock import Clock
from poise.server.hashing import HashQueue
from poise.server.lockout import Buckets, Lockout, bound
from poise.server.storage.records import Account, Role
from poise.server.storage.store import StoreError
from poise.server.storage.verifiers import Verifiers

CACHE_S = 30 * 60
"""How long a good check is kept. Finesse guide: CCE caches good credentials for 30 minutes."""
PENDING_MAX = 4096
"""Checks waiting for the hash thread, over all addresses: about 100 s of work. Above it the answer is "try again"."""
PENDING_PER_ADDRESS = 2048
"""Of these from one address: a contact centre may share one, and all its agents come back at once after a restart."""
ADDRESS_BURST = 300
"""Failures one address may have before it is slowed; good sign-ins cost nothing."""
ADDRESS_PER_S = 2.0
"""How many failures of an address are forgotten each second."""
USER_BURST = 10
"""Attempts one name may have under way or failed before it is slowed; twice the lockout: only guessers meet it."""
USER_PER_S = 0.1
"""How many of a name's spent attempts come back each second."""


class Outcome(Enum):
    """How a check ended."""

    GOOD = "good"
    BAD = "bad"
    LOCKED = "locked"
    """Locked by failures; the client must not be able to tell it from BAD."""
    THROTTLED = "throttled"
    """Not checked at all: too many attempts under way or failed from this address or for this name."""
    UNAVAILABLE = "unavailable"
    """Not checked: the accounts cannot be read."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one sign-in."""

    outcome: Outcome
    """How the check ended."""
    account: Account | None = None
    """Whose password it was; only when GOOD."""

    @property
    def ok(self) -> bool:
        """Whether the user may come in."""
        return self.outcome is Outcome.GOOD

    @property
    def temporary(self) -> bool:
        """Whether nothing was said about the password: try again later (XMPP temporary-auth-failure, REST 503)."""
        return self.outcome in (Outcome.THROTTLED, Outcome.UNAVAILABLE)


class AccountSource(Protocol):
    """Where accounts are kept."""

    async def find_account(self, name: str) -> Account | None:
        """By login id, else by login name."""

    async def set_password_hash(self, login_id: str, password_hash: str) -> bool:
        """Change one password; False without such an account."""


@dataclass(slots=True)
class _Good:
    expires: float
    digest: bytes
    verdict: Verdict


class Accounts:
    """Checks passwords; the only owner of locks, throttles and the cache. Lives on the event loop's thread."""

    def __init__(
        self,
        source: AccountSource,
        clock: Clock,
        *,
        on_lock: Callable[[str], None] = lambda _: None,
        verifiers: Verifiers | None = None,
    ) -> None:
        """`on_lock` gets the name of everyone who becomes locked: the client is not told, the operator should be.
        `verifiers`: where what SCRAM needs is kept, if it is."""
        self._source = source
        self._verifiers = verifiers
        self._clock = clock
        self._now = clock.now
        self._on_lock = on_lock
        self._key = secrets.token_bytes(32)
        self._good: dict[str, _Good] = {}
        self._names: dict[str, set[str]] = {}
        self._forgotten = 0
        self._lockout = Lockout()
        self._addresses = Buckets(ADDRESS_BURST, ADDRESS_PER_S)
        self._users = Buckets(USER_BURST, USER_PER_S)
        self._hashes = HashQueue()
        self._running: dict[tuple[str, bytes], asyncio.Task[Verdict]] = {}
        self._pending: Counter[str] = Counter()

    def check_cached(self, user: str, password: str) -> Verdict | None:
        """A good check of the last half hour repeated, in microseconds; None means: ask `check`."""
        good = self._good.get(user)
        if (
            good is None
            or good.expires <= self._now()
            or not hmac.compare_digest(good.digest, self._digest(user, password))
        ):
            return None
        if self._lockout.failures and good.verdict.account is not None:
            self._lockout.cleared(good.verdict.account.login_id)
        return good.verdict

    async def check(self, user: str, password: str, address: str) -> Verdict:
        """Check a password from an IP address. Takes one hash whether or not the user exists or is locked."""
        cached = self.check_cached(user, password)
        if cached is not None:
            return cached
        key = (user, self._digest(user, password))
        task = self._running.get(key)
        if task is None:
            if self._too_busy(address) or not self._addresses.allows(address, self._now()):
                return Verdict(Outcome.THROTTLED)
            task = asyncio.get_running_loop().create_task(self._verify(user, password, address))
            self._running[key] = task
            self._pending[address] += 1
            task.add_done_callback(lambda _: self._done(key, address))
        # a caller who goes away must not undo the counting of his attempt
        return await asyncio.shield(task)

    async def scram_verifier(self, user: str, digest: str, address: str) -> Verifier | None:
        """What SCRAM needs, for names without an account too; None: too many failures from there, or no database."""
        if self._verifiers is None or not self._addresses.allows(address, self._now()):
            return None
        try:
            return await self._verifiers.find(user, await self._source.find_account(user), digest)
        except StoreError:
            return None

    async def check_proof(self, user: str, proven: bool, address: str) -> Verdict:
        """The verdict on a SCRAM proof that was right or wrong, counted and locked like a password."""
        try:
            account = await self._source.find_account(user)
        except StoreError:
            return Verdict(Outcome.UNAVAILABLE)
        who, locked = self._attempted(user, account)
        if not self._users.take(who, self._now()):
            return Verdict(Outcome.LOCKED if locked else Outcome.THROTTLED)
        return self._conclude(who, account, proven, locked, address)

    async def set_password(self, login_id: str, password: str) -> bool:
        """Change a password and forget good checks of the old one; False without such an account. Raises StoreError."""
        phc = await self._hashes.hash(password)
        changed = await self._source.set_password_hash(login_id, phc)
        self.forget(login_id)
        return changed

    def forget(self, login_id: str) -> None:
        """Drop the good checks of one account."""
        self._forgotten += 1
        for name in self._names.pop(login_id, ()):
            self._good.pop(name, None)

    def review(self, accounts: Iterable[Account]) -> None:
        """The accounts as they are now, all of them: good checks of those that have changed are dropped."""
        self._forgotten += 1  # a check under way may have read the account as it was
        present = {account.login_id: account for account in accounts}
        for login_id, names in list(self._names.items()):
            good = [self._good[name].verdict.account for name in names if name in self._good]
            if any(account != present.get(login_id) for account in good):
                self.forget(login_id)

    def unlock(self, name: str) -> bool:
        """Let a locked name try again at once; False when it was not locked."""
        name = name.casefold()
        locked = self._lockout.locked(name, self._now())
        self._lockout.unlock(name)
        return locked

    def locked_for(self, name: str) -> float:
        """Seconds until a lock ends by itself."""
        return max(0.0, self._lockout.until.get(name, 0.0) - self._now())

    def locked_out(self) -> list[str]:
        """Names locked now, in order of locking."""
        now = self._now()
        return [name for name in self._lockout.until if self._lockout.locked(name, now)]

    async def close(self) -> None:
        """Give up what is under way and end the hash thread."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._hashes.close()

    def _too_busy(self, address: str) -> bool:
        return len(self._running) >= PENDING_MAX or self._pending[address] >= PENDING_PER_ADDRESS

    def _done(self, key: tuple[str, bytes], address: str) -> None:
        del self._running[key]
        self._pending[address] -= 1
        if not self._pending[address]:
            del self._pending[address]

    def _digest(self, user: str, password: str) -> bytes:
        # keyed with a key of this process: of no use outside it, and a fast hash is enough
        text = f"{user}\0{password}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()

    async def _verify(self, user: str, password: str, address: str) -> Verdict:
        forgotten = self._forgotten
        try:
            account = await self._source.find_account(user)
        except StoreError:
            return Verdict(Outcome.UNAVAILABLE)
        who, locked = self._attempted(user, account)
        if not self._users.take(who, self._now()):
            return Verdict(Outcome.LOCKED if locked else Outcome.THROTTLED)
        good = await self._hashes.verify(
            address, None if locked or account is None else account.password_hash, password
        )
        verdict = self._conclude(who, account, good, locked, address)
        if verdict.account is not None and forgotten == self._forgotten:  # else a password changed, perhaps this one
            self._remember(user, password, verdict.account, verdict)
            await self._learn(verdict.account, password)
        return verdict

    def _attempted(self, user: str, account: Account | None) -> tuple[str, bool]:
        """Under which name an attempt counts, and whether that is locked."""
        who = account.login_id if account is not None else user.casefold()
        administrator = account is not None and Role.ADMINISTRATOR in account.roles
        return who, self._lockout.attempted(who, self._now(), restart=not administrator)

    def _conclude(self, who: str, account: Account | None, good: bool, locked: bool, address: str) -> Verdict:
        # parallel guesses may have locked the name while this one waited for the hash thread
        if locked or self._lockout.locked(who, self._now()):
            return Verdict(Outcome.LOCKED)
        if account is None or not good:
            self._addresses.charge(address, self._now())
            if self._lockout.failed(who, self._now()):
                self.forget(who)
                self._on_lock(who)
            return Verdict(Outcome.BAD)
        self._lockout.cleared(who)
        self._users.give_back(who)
        return Verdict(Outcome.GOOD, account)

    async def _learn(self, account: Account, password: str) -> None:
        if self._verifiers is None:
            return
        try:
            await self._verifiers.learn(account, password)
        except StoreError:
            pass  # the next good sign-in tries again

    def _remember(self, user: str, password: str, account: Account, verdict: Verdict) -> None:
        bound(self._good)
        bound(self._names)
        self._good[user] = _Good(self._now() + CACHE_S, self._digest(user, password), verdict)
        self._names.setdefault(account.login_id, set()).add(user)
