"""Who may sign in: one check of user and password for REST and XMPP alike.

A password costs one argon2id hash, on one thread, never on the event loop. Before hashing, attempts are throttled
per address and per user; the hash queue serves addresses in turn, so that a guesser waits for himself. A good check is
kept for 30 minutes as a keyed hash, because REST sends Basic with every request. Five consecutive failures lock a name
for five minutes; the client is not told.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import argon2

from poise.protocols.xmpp.scram import Verifier
from poise.server.clock import Clock
from poise.server.storage.records import Account, Role
from poise.server.storage.store import StoreError
from poise.server.storage.verifiers import Verifiers

MEMORY_KIB = 19 * 1024
"""argon2id memory. OWASP's choice (19 MiB, t=2, p=1): about 25 ms a check; the library's defaults cost 200 ms."""
PASSES = 2
"""argon2id time cost; see MEMORY_KIB."""
LANES = 1
"""argon2id parallelism; see MEMORY_KIB."""
CACHE_S = 30 * 60
"""How long a good check is kept. Finesse guide: CCE caches good credentials for 30 minutes."""
LOCK_AFTER = 5
"""Consecutive failures that lock a name. Finesse guide, account lockout."""
LOCK_S = 5 * 60
"""How long a name stays locked, and how long a failure is remembered. Finesse guide, account lockout."""
PASSWORD_MAX = 1024
"""Longest password in characters; longer ones fail at the price of a normal hash. Bounds the work of one attempt."""
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
TABLE_MAX = 50_000
"""Entries of each table below; the oldest goes first."""


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


def password_hasher() -> argon2.PasswordHasher:
    """The hasher with Poise's parameters."""
    return argon2.PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


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
        self._lockout = _Lockout()
        self._addresses = _Buckets(ADDRESS_BURST, ADDRESS_PER_S)
        self._users = _Buckets(USER_BURST, USER_PER_S)
        self._hashes = _HashQueue()
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
        _bound(self._good)
        _bound(self._names)
        self._good[user] = _Good(self._now() + CACHE_S, self._digest(user, password), verdict)
        self._names.setdefault(account.login_id, set()).add(user)


class _Lockout:
    """Failures and locks by name; a name without an account is counted alike, so that a lock betrays nothing."""

    def __init__(self) -> None:
        self.failures: dict[str, tuple[int, float]] = {}
        self.until: dict[str, float] = {}

    def locked(self, who: str, now: float) -> bool:
        return self.until.get(who, 0.0) > now

    def attempted(self, who: str, now: float, *, restart: bool) -> bool:
        """Whether `who` is locked; an attempt while locked starts the lock anew, except for administrators."""
        if not self.locked(who, now):
            self.until.pop(who, None)
            return False
        if restart:
            self.until[who] = now + LOCK_S
        return True

    def failed(self, who: str, now: float) -> bool:
        """Count one failure; True when it locked the name."""
        count, last = self.failures.pop(who, (0, now))
        count = 1 if now - last >= LOCK_S else count + 1
        if count < LOCK_AFTER:
            _bound(self.failures)
            self.failures[who] = (count, now)
            return False
        _bound(self.until)
        self.until[who] = now + LOCK_S
        return True

    def cleared(self, who: str) -> None:
        self.failures.pop(who, None)


class _Buckets:
    """Token buckets by name: `burst` attempts at once, `per_s` of them coming back each second."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst = float(burst)
        self._per_s = per_s
        self._levels: dict[str, tuple[float, float]] = {}

    def allows(self, who: str, now: float) -> bool:
        return self._level(who, now) >= 1.0

    def charge(self, who: str, now: float) -> None:
        level = self._level(who, now)
        self._levels.pop(who, None)
        _bound(self._levels)
        self._levels[who] = (max(0.0, level - 1.0), now)

    def take(self, who: str, now: float) -> bool:
        allowed = self.allows(who, now)
        if allowed:
            self.charge(who, now)
        return allowed

    def _level(self, who: str, now: float) -> float:
        level, at = self._levels.get(who, (self._burst, now))
        return min(self._burst, level + (now - at) * self._per_s)

    def give_back(self, who: str) -> None:
        level, at = self._levels.get(who, (self._burst, 0.0))
        if level + 1.0 >= self._burst:
            self._levels.pop(who, None)
        else:
            self._levels[who] = (level + 1.0, at)


@dataclass(slots=True)
class _Job:
    done: asyncio.Future[bool]
    phc: str
    password: str


class _HashQueue:
    """One thread that hashes, given one job at a time, the addresses in turn."""

    def __init__(self) -> None:
        self._hasher = password_hasher()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="poise-argon2")
        self._waiting: dict[str, deque[_Job]] = {}
        self._busy = False
        # a hash of a password that nobody knows: what unknown and locked users are checked against
        self._nobody = _unknown_hash()

    async def verify(self, address: str, phc: str | None, password: str) -> bool:
        if len(password) > PASSWORD_MAX:
            phc, password = None, ""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(_Job(done, phc or self._nobody, password))
        self._next()
        return await done and phc is not None

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._hasher.hash, password)

    def close(self) -> None:
        self._waiting.clear()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _next(self) -> None:
        while self._waiting and not self._busy:
            address = next(iter(self._waiting))
            jobs = self._waiting.pop(address)
            job = jobs.popleft()
            if jobs:
                self._waiting[address] = jobs
            if job.done.cancelled():
                continue
            self._busy = True
            running = asyncio.get_running_loop().run_in_executor(self._thread, self._matches, job.phc, job.password)
            running.add_done_callback(lambda result, job=job: self._finished(result, job))  # type: ignore[misc]

    def _finished(self, result: asyncio.Future[bool], job: _Job) -> None:
        self._busy = False
        if not job.done.done():
            job.done.set_result(not result.cancelled() and result.exception() is None and result.result())
        self._next()

    def _matches(self, phc: str, password: str) -> bool:
        try:
            return self._hasher.verify(phc, password.encode("utf-8", "surrogatepass"))
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def _unknown_hash() -> str:
    """A well-formed PHC string with Poise's parameters and a random digest, without the price of making one."""
    salt, digest = (base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}"


def _bound(table: dict[str, Any]) -> None:
    if len(table) >= TABLE_MAX:
        del table[next(iter(table))]
