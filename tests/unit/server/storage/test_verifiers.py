"""What accounts keep for SCRAM: made at a good sign-in, void with the password, no help to those who guess names."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path

import argon2
import sqlalchemy as sa

from poise.protocols.xmpp.scram import ITERATIONS, ScramExchange, Verifier, derive
from poise.server.accounts import Accounts, Outcome
from poise.server.clock import ManualClock
from poise.server.lockout import LOCK_S
from poise.server.storage.records import Account, Role
from poise.server.storage.store import Store, sqlite_url
from poise.server.storage.verifiers import DIGESTS, Verifiers

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
AGENT = Account("1001", "Agent1", CHEAP.hash("secret"), frozenset({Role.AGENT}))
HERE = "10.0.0.1"


class Stage:
    """A real database, accounts on a clock moved by hand."""

    def __init__(self, store: Store, verifiers: Verifiers) -> None:
        self.store = store
        self.verifiers = verifiers
        self.clock = ManualClock()
        self.locked: list[str] = []
        self.accounts = Accounts(store, self.clock, on_lock=self.locked.append, verifiers=verifiers)

    async def verifier(self, name: str = "1001", digest: str = "sha256") -> Verifier:
        found = await self.accounts.scram_verifier(name, digest, HERE)
        assert found is not None
        return found

    async def scram(self, password: str, name: str = "1001", digest: str = "sha256") -> Outcome:
        """A whole sign-in."""
        exchange = ScramExchange(f"n,,n={name},r=abc".encode(), digest)
        verifier = await self.verifier(name, digest)
        challenge = exchange.challenge(verifier, "xyz").decode()
        salted = hashlib.pbkdf2_hmac(digest, password.encode(), verifier.salt, verifier.iterations)
        key = hmac.digest(salted, b"Client Key", digest)
        spoken = f"n={name},r=abc,{challenge},c=biws,r=abcxyz".encode()
        signature = hmac.digest(hashlib.new(digest, key).digest(), spoken, digest)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True)))
        proven = exchange.prove(b"c=biws,r=abcxyz,p=" + proof)
        return (await self.accounts.check_proof(name, proven, HERE)).outcome


def play(folder: Path, story: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        store = await Store.open(sqlite_url(folder / "poise.db"))
        await store.put_accounts([AGENT])
        stage = Stage(store, await Verifiers.open(store))
        try:
            await story(stage)
        finally:
            await stage.accounts.close()
            await store.close()

    asyncio.run(run())


def test_after_one_good_sign_in_by_password_scram_works_by_id_and_by_name(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        assert await stage.scram("secret") is Outcome.BAD
        assert (await stage.accounts.check("agent1", "secret", HERE)).ok
        for digest in DIGESTS:
            assert await stage.scram("secret", digest=digest) is Outcome.GOOD
            assert await stage.scram("secret", "aGENT1", digest) is Outcome.GOOD
            assert await stage.scram("wrong", digest=digest) is Outcome.BAD

    play(tmp_path, story)


def test_a_wrong_password_teaches_nothing(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        assert not (await stage.accounts.check("1001", "wrong", HERE)).ok
        assert await stage.scram("wrong") is Outcome.BAD

    play(tmp_path, story)


def test_a_changed_password_voids_what_was_kept_whoever_changed_it(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.accounts.check("1001", "secret", HERE)
        assert await stage.scram("secret") is Outcome.GOOD
        await stage.store.put_accounts([Account("1001", "Agent1", CHEAP.hash("new"), AGENT.roles)])  # an import
        assert await stage.scram("secret") is Outcome.BAD
        assert await stage.scram("new") is Outcome.BAD
        stage.accounts.forget("1001")
        assert (await stage.accounts.check("1001", "new", HERE)).ok
        assert await stage.scram("new") is Outcome.GOOD
        assert await stage.scram("secret") is Outcome.BAD

    play(tmp_path, story)


def test_the_challenge_of_a_name_is_the_same_before_and_after_and_after_a_restart(tmp_path: Path) -> None:
    seen: dict[str, tuple[bytes, int]] = {}

    async def story(stage: Stage) -> None:
        for name in ("1001", "ghost", "GHOST"):
            verifier = await stage.verifier(name)
            assert seen.setdefault(name, (verifier.salt, verifier.iterations)) == (verifier.salt, ITERATIONS)
        assert (await stage.accounts.check("1001", "secret", HERE)).ok
        after = await stage.verifier("1001")
        assert (after.salt, after.iterations) == seen["1001"]

    play(tmp_path, story)
    play(tmp_path, story)
    assert seen["ghost"] == seen["GHOST"]
    assert seen["ghost"][0] != seen["1001"][0]


def test_wrong_proofs_lock_the_name_for_passwords_too_and_the_lock_betrays_nothing(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.accounts.check("1001", "secret", HERE)
        for _ in range(2):
            await stage.accounts.check("1001", "wrong", HERE)
        for _ in range(3):
            assert await stage.scram("wrong") is Outcome.BAD
        assert stage.locked == ["1001"]
        assert await stage.scram("secret") is Outcome.LOCKED
        assert (await stage.accounts.check("1001", "secret", HERE)).outcome is Outcome.LOCKED
        assert [await stage.scram("x", "ghost") for _ in range(6)][-1] is Outcome.LOCKED
        stage.clock.advance(LOCK_S + 1)
        assert await stage.scram("secret") is Outcome.GOOD

    play(tmp_path, story)


def test_a_guesser_of_many_names_is_slowed_and_told_to_try_later(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        verdict = Outcome.BAD
        for n in range(400):
            if await stage.accounts.scram_verifier(f"ghost{n}", "sha1", HERE) is None:
                break
            verdict = (await stage.accounts.check_proof(f"ghost{n}", False, HERE)).outcome
        else:
            raise AssertionError("never slowed")
        assert verdict is Outcome.BAD
        assert await stage.accounts.scram_verifier("1001", "sha1", "10.0.0.2") is not None

    play(tmp_path, story)


def test_an_account_tried_too_often_at_once_is_throttled(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        outcomes = []
        for n in range(12):
            stage.clock.advance(LOCK_S if n % 4 == 3 else 0)
            outcomes.append((await stage.accounts.check_proof("1001", False, f"10.0.1.{n}")).outcome)
        assert Outcome.LOCKED not in outcomes
        await asyncio.gather(*(stage.accounts.check_proof("1001", False, HERE) for _ in range(10)))
        assert (await stage.accounts.check_proof("1001", True, HERE)).outcome is Outcome.LOCKED

    play(tmp_path, story)


def test_a_password_that_scram_does_not_allow_signs_in_all_the_same_and_keeps_nothing(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        odd = "pass\u0007word"
        await stage.store.put_accounts([Account("1001", "Agent1", CHEAP.hash(odd), AGENT.roles)])
        assert (await stage.accounts.check("1001", odd, HERE)).ok
        assert await stage.scram(odd) is Outcome.BAD

    play(tmp_path, story)


def test_verifiers_are_the_rfcs_own_and_no_password_is_stored(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.accounts.check("1001", "secret", HERE)
        for digest in DIGESTS:
            kept = await stage.verifier("1001", digest)
            assert kept == derive("secret", digest, kept.salt)

    play(tmp_path, story)
    assert b"secret" not in (tmp_path / "poise.db").read_bytes().replace(b"server_secrets", b"")


def test_without_the_option_nothing_is_kept_and_nothing_is_known(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        plain = Accounts(stage.store, stage.clock)
        assert (await plain.check("1001", "secret", HERE)).ok
        assert await plain.scram_verifier("1001", "sha256", HERE) is None
        await plain.close()
        assert await stage.scram("secret") is Outcome.BAD

    play(tmp_path, story)


def test_a_database_that_cannot_be_read_is_no_verdict_and_a_sign_in_by_password_needs_only_the_account(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.store.run(lambda connection: connection.execute(sa.text("DROP TABLE scram_verifiers")))
        assert await stage.accounts.scram_verifier("1001", "sha256", HERE) is None
        assert (await stage.accounts.check("1001", "secret", HERE)).ok
        await stage.store.run(lambda connection: connection.execute(sa.text("DROP TABLE accounts")))
        verdict = await stage.accounts.check_proof("1001", True, HERE)
        assert (verdict.outcome, verdict.temporary) == (Outcome.UNAVAILABLE, True)

    play(tmp_path, story)
