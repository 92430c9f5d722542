"""argon2id on a thread of its own: the price of a sign-in, and who waits for whom."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import argon2

MEMORY_KIB = 19 * 1024
"""argon2id memory. OWASP's choice (19 MiB, t=2, p=1): about 25 ms a check; the library's defaults cost 200 ms."""
PASSES = 2
"""argon2id time cost; see MEMORY_KIB."""
LANES = 1
"""argon2id parallelism; see MEMORY_KIB."""
PASSWORD_MAX = 1024
"""Longest password in characters; longer ones fail at the price of a normal hash. Bounds the work of one attempt."""


def password_hasher() -> argon2.PasswordHasher:
    """The hasher with Poise's parameters."""
    return argon2.PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


@dataclass(slots=True)
class _Job:
    done: asyncio.Future[bool]
    phc: str
    password: str


class HashQueue:
    """One thread that hashes, given one job at a time, the addresses in turn."""

    def __init__(self) -> None:
        self._hasher = password_hasher()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="poise-argon2")
        self._waiting: dict[str, deque[_Job]] = {}
        self._busy = False
        # a hash of a password that nobody knows: what unknown and locked users are checked against
        self._nobody = _unknown_hash()

    async def verify(self, address: str, phc: str | None, password: str) -> bool:
        """Whether the password is the one behind `phc`; as much work when there is none (None: unknown or locked)."""
        if len(password) > PASSWORD_MAX:
            phc, password = None, ""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(_Job(done, phc or self._nobody, password))
        self._next()
        return await done and phc is not None

    async def hash(self, password: str) -> str:
        """The PHC string of a password."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._hasher.hash, password)

    def close(self) -> None:
        """Forget what waits and end the thread."""
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
