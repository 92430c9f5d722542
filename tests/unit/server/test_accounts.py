"""Sign-in: one argon2id check, cached, throttled, locked after five failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import argon2
import pytest

from poise.server import accounts as room
from poise.server import lockout
from poise.server.accounts import Accounts, Outcome, Verdict
from poise.server.clock import ManualClock
from poise.server.hashing import PASSWORD_MAX, HashQueue, password_hasher
from poise.server.lockout import LOCK_S
from poise.server.notification import hub
from poise.server.storage.records import Account, Role
from poise.server.storage.store import StoreError

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
AGENT = Account("1001", "agent1", CHEAP.hash("1001"), frozenset({Role.AGENT}))
ADMIN = Account("admin", "Administrator", CHEAP.hash("admin"), frozenset({Role.ADMINISTRATOR}))


class Memory:
    """Accounts in a dict."""

    def __init__(self) -> None:
        self.accounts = {account.login_id: account for account in (AGENT, ADMIN)}
        self.lookups = 0
        self.broken = False
        self.read: list[Callable[[], None]] = []

    async def find_account(self, name: str) -> Account | None:
        self.lookups += 1
        for call in self.read:
            asyncio.get_running_loop().call_soon(call)
        if self.broken:
            raise StoreError("gone")
        by_name = {account.login_name.casefold(): account for account in self.accounts.values()}
        return self.accounts.get(name) or by_name.get(name.casefold())

    async def set_password_hash(self, login_id: str, password_hash: str) -> bool:
        if login_id not in self.accounts:
            return False
        old = self.accounts[login_id]
        self.accounts[login_id] = Account(old.login_id, old.login_name, password_hash, old.roles)
        return True


class Stage:
    """Accounts on a clock moved by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.source = Memory()
        self.locked: list[str] = []
        self.accounts = Accounts(self.source, self.clock, on_lock=self.locked.append)

    async def fail(self, times: int, user: str = "1001") -> list[Outcome]:
        return [(await self.accounts.check(user, f"wrong{n}", "10.0.0.1")).outcome for n in range(times)]

    async def good(self, user: str = "1001", password: str = "1001", address: str = "10.0.0.1") -> Outcome:
        return (await self.accounts.check(user, password, address)).outcome


def play(story: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        stage = Stage()
        try:
            await story(stage)
        finally:
            await stage.accounts.close()

    asyncio.run(run())


def test_login_id_and_login_name_both_open_the_same_account() -> None:
    async def story(stage: Stage) -> None:
        by_id = await stage.accounts.check("1001", "1001", "10.0.0.1")
        by_name = await stage.accounts.check("Agent1", "1001", "10.0.0.1")
        assert by_id == by_name == Verdict(Outcome.GOOD, AGENT)
        assert by_id.ok

    play(story)


def test_wrong_password_and_unknown_user_get_the_same_answer() -> None:
    async def story(stage: Stage) -> None:
        assert await stage.fail(1) == [Outcome.BAD]
        assert await stage.fail(1, "nobody") == [Outcome.BAD]

    play(story)


def test_unknown_users_cost_the_same_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def spy(self: HashQueue, phc: str, password: str) -> bool:
        checked.append(phc)
        return False

    monkeypatch.setattr(HashQueue, "_matches", spy)

    async def story(stage: Stage) -> None:
        await stage.fail(1, "nobody")
        await stage.fail(5)
        await stage.fail(1)

    play(story)
    nobody = argon2.extract_parameters(checked[0])
    assert nobody == argon2.extract_parameters(password_hasher().hash("x"))
    assert checked[1:6] == [AGENT.password_hash] * 5
    assert checked[6] == checked[0]  # locked: hashed all the same


def test_a_good_check_is_kept_for_thirty_minutes_and_not_longer() -> None:
    async def story(stage: Stage) -> None:
        assert stage.accounts.check_cached("1001", "1001") is None
        await stage.good()
        stage.clock.advance(room.CACHE_S - 1)
        assert stage.accounts.check_cached("1001", "1001") == Verdict(Outcome.GOOD, AGENT)
        assert stage.accounts.check_cached("1001", "1002") is None
        assert stage.source.lookups == 1
        await stage.good()
        assert stage.source.lookups == 1
        stage.clock.advance(2)
        assert stage.accounts.check_cached("1001", "1001") is None

    play(story)


def test_a_changed_password_drops_the_good_checks_of_the_old_one_under_every_name() -> None:
    async def story(stage: Stage) -> None:
        await stage.good()
        await stage.good("agent1")
        await stage.good("admin", "admin")
        assert await stage.accounts.set_password("1001", "new")
        assert stage.accounts.check_cached("1001", "1001") is None
        assert stage.accounts.check_cached("agent1", "1001") is None
        assert stage.accounts.check_cached("admin", "admin") is not None
        assert await stage.good() is Outcome.BAD
        assert await stage.good(password="new") is Outcome.GOOD
        assert not await stage.accounts.set_password("nobody", "new")

    play(story)


def test_a_password_changed_while_the_old_one_is_being_checked_is_not_kept() -> None:
    async def story(stage: Stage) -> None:
        check = asyncio.ensure_future(stage.good())
        await asyncio.gather(check, stage.accounts.set_password("1001", "new"))
        assert stage.accounts.check_cached("1001", "1001") is None

    play(story)


def test_five_failures_in_a_row_lock_for_five_minutes_and_the_right_password_is_refused_too() -> None:
    async def story(stage: Stage) -> None:
        assert await stage.fail(4) == [Outcome.BAD] * 4
        assert stage.accounts.locked_out() == []
        assert await stage.fail(1) == [Outcome.BAD]
        assert stage.locked == stage.accounts.locked_out() == ["1001"]
        assert await stage.good() is Outcome.LOCKED
        assert not Verdict(Outcome.LOCKED).ok
        assert not Verdict(Outcome.LOCKED).temporary
        stage.clock.advance(LOCK_S + 1)
        assert stage.accounts.locked_out() == []
        assert await stage.good() is Outcome.GOOD

    play(story)


def test_any_attempt_while_locked_starts_the_five_minutes_anew_for_an_agent() -> None:
    async def story(stage: Stage) -> None:
        await stage.fail(5)
        stage.clock.advance(LOCK_S - 1)
        assert await stage.good() is Outcome.LOCKED
        stage.clock.advance(LOCK_S - 1)
        assert await stage.good("agent1") is Outcome.LOCKED
        stage.clock.advance(LOCK_S + 1)
        assert await stage.good() is Outcome.GOOD

    play(story)


def test_an_administrators_lock_is_not_prolonged_by_attempts() -> None:
    async def story(stage: Stage) -> None:
        await stage.fail(5, "admin")
        stage.clock.advance(LOCK_S - 1)
        assert await stage.good("admin", "admin") is Outcome.LOCKED
        stage.clock.advance(2)
        assert await stage.good("admin", "admin") is Outcome.GOOD

    play(story)


def test_locking_drops_the_cache() -> None:
    async def story(stage: Stage) -> None:
        await stage.good()
        await stage.fail(5)
        assert stage.accounts.check_cached("1001", "1001") is None
        assert await stage.good() is Outcome.LOCKED

    play(story)


def test_a_success_even_a_cached_one_ends_the_row_of_failures() -> None:
    async def story(stage: Stage) -> None:
        await stage.fail(4)
        assert await stage.good() is Outcome.GOOD
        await stage.fail(4)
        assert stage.accounts.check_cached("1001", "1001") is not None
        stage.clock.advance(100)  # the throttle of the name gives attempts back
        await stage.fail(4)
        assert stage.accounts.locked_out() == []

    play(story)


def test_failures_are_forgotten_after_five_minutes() -> None:
    async def story(stage: Stage) -> None:
        await stage.fail(4)
        stage.clock.advance(LOCK_S)
        await stage.fail(4)
        assert stage.accounts.locked_out() == []

    play(story)


def test_guesses_made_at_once_cannot_outrun_the_lock() -> None:
    async def story(stage: Stage) -> None:
        guesses = [f"wrong{n}" for n in range(8)] + ["1001"]
        verdicts = await asyncio.gather(*(stage.accounts.check("1001", guess, "10.0.0.1") for guess in guesses))
        assert [verdict.outcome for verdict in verdicts] == [Outcome.BAD] * 5 + [Outcome.LOCKED] * 4

    play(story)


def test_the_same_password_asked_twice_at_once_is_hashed_once() -> None:
    async def story(stage: Stage) -> None:
        assert await asyncio.gather(*(stage.good() for _ in range(50))) == [Outcome.GOOD] * 50
        assert stage.source.lookups == 1

    play(story)


def test_a_name_tried_too_often_is_slowed_before_hashing() -> None:
    async def story(stage: Stage) -> None:
        guesses = [f"wrong{n}" for n in range(room.USER_BURST + 2)]
        verdicts = await asyncio.gather(*(stage.accounts.check("nobody", guess, "10.0.0.1") for guess in guesses))
        assert [verdict.outcome for verdict in verdicts][-2:] == [Outcome.THROTTLED] * 2
        assert verdicts[-1].temporary

    play(story)


def test_an_address_that_fails_too_often_is_slowed_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ADDRESS_BURST", 3)

    async def story(stage: Stage) -> None:
        for n in range(3):
            assert await stage.fail(1, f"nobody{n}") == [Outcome.BAD]
        assert await stage.good() is Outcome.THROTTLED
        assert await stage.good(address="10.0.0.2") is Outcome.GOOD
        assert await stage.good() is Outcome.GOOD  # cached: costs nothing, so nobody is slowed
        stage.clock.advance(0.5)
        assert await stage.good("admin", "admin") is Outcome.GOOD

    play(story)


def test_good_sign_ins_do_not_use_up_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "ADDRESS_BURST", 1)

    async def story(stage: Stage) -> None:
        for user, password in (("1001", "1001"), ("agent1", "1001"), ("admin", "admin")):
            assert await stage.good(user, password) is Outcome.GOOD

    play(story)


def test_one_address_cannot_fill_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PENDING_PER_ADDRESS", 2)

    async def story(stage: Stage) -> None:
        flood = [stage.accounts.check(f"nobody{n}", "x", "10.6.6.6") for n in range(3)]
        outcomes = [
            verdict.outcome for verdict in await asyncio.gather(*flood, stage.accounts.check("1001", "1001", "a"))
        ]
        assert outcomes == [Outcome.BAD, Outcome.BAD, Outcome.THROTTLED, Outcome.GOOD]
        assert await stage.good(address="10.6.6.6") is Outcome.GOOD

    play(story)


def test_a_whole_contact_centre_behind_one_address_signs_in_at_once() -> None:
    async def story(stage: Stage) -> None:
        for n in range(500):
            stage.source.accounts[str(n)] = Account(str(n), f"name{n}", CHEAP.hash(str(n)), frozenset({Role.AGENT}))
        outcomes = await asyncio.gather(*(stage.good(str(n), str(n)) for n in range(500)))
        assert outcomes == [Outcome.GOOD] * 500

    play(story)


def test_addresses_are_hashed_in_turn_so_that_a_flood_waits_for_itself() -> None:
    async def story(stage: Stage) -> None:
        order: list[str] = []

        async def attempt(user: str, address: str) -> None:
            await stage.accounts.check(user, "wrong", address)
            order.append(address)

        flood = [attempt(f"nobody{n}", "10.6.6.6") for n in range(6)]
        await asyncio.gather(*flood, attempt("1001", "10.0.0.1"))
        assert order.index("10.0.0.1") <= 2

    play(story)


def test_an_attempt_whose_caller_went_away_still_counts() -> None:
    async def story(stage: Stage) -> None:
        for n in range(5):
            check = asyncio.ensure_future(stage.accounts.check("1001", f"wrong{n}", "10.0.0.1"))
            await asyncio.wait({asyncio.ensure_future(stage.source.find_account("1001"))})
            check.cancel()
        await stage.good()
        assert stage.accounts.locked_out() == ["1001"]

    play(story)


def test_closing_gives_up_what_is_under_way() -> None:
    async def story(stage: Stage) -> None:
        checks = [asyncio.ensure_future(stage.good(f"nobody{n}")) for n in range(50)]
        await asyncio.wait(checks, return_when=asyncio.FIRST_COMPLETED)
        await stage.accounts.close()
        outcomes = await asyncio.gather(*checks, return_exceptions=True)
        assert any(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
        assert set(map(type, outcomes)) == {Outcome, asyncio.CancelledError}

    play(story)


def test_the_notification_service_can_use_it() -> None:
    async def story(stage: Stage) -> None:
        theirs: hub.Accounts = stage.accounts
        verdict = await theirs.check("agent1", "1001", "10.0.0.1")
        assert verdict.account is not None
        assert verdict.account.login_id == "1001"

    play(story)


def test_without_a_database_nobody_is_told_that_the_password_is_wrong() -> None:
    async def story(stage: Stage) -> None:
        stage.source.broken = True
        verdict = await stage.accounts.check("1001", "1001", "10.0.0.1")
        assert verdict.outcome is Outcome.UNAVAILABLE
        assert verdict.temporary

    play(story)


@pytest.mark.parametrize("password", ["", "x" * (PASSWORD_MAX + 1), "\ud800", "a\0b", "\N{SNOWMAN}" * 1000])
def test_odd_passwords_are_only_wrong(password: str) -> None:
    async def story(stage: Stage) -> None:
        assert await stage.good(password=password) is Outcome.BAD

    play(story)


def test_a_damaged_hash_in_the_database_lets_nobody_in() -> None:
    async def story(stage: Stage) -> None:
        await stage.source.set_password_hash("1001", "plain")
        assert await stage.good(password="plain") is Outcome.BAD

    play(story)


def test_tables_stay_within_their_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockout, "TABLE_MAX", 3)

    async def story(stage: Stage) -> None:
        for n in range(6):
            await stage.fail(1, f"nobody{n}")
        accounts = stage.accounts
        sizes = (len(accounts._lockout.failures), len(accounts._users._levels), len(accounts._good))
        assert sizes == (3, 3, 0)

    play(story)


def test_an_accounts_repr_does_not_show_its_hash() -> None:
    assert AGENT.password_hash not in repr(Verdict(Outcome.GOOD, AGENT))


def test_an_import_beside_the_running_server_ends_the_old_password_of_who_changed_and_of_nobody_else() -> None:
    async def story(stage: Stage) -> None:
        await stage.good()
        await stage.good("admin", "admin")
        changed = Account("1001", "agent1", CHEAP.hash("new"), AGENT.roles)
        stage.source.accounts["1001"] = changed
        stage.accounts.review([changed, ADMIN])
        assert stage.accounts.check_cached("1001", "1001") is None
        assert stage.accounts.check_cached("admin", "admin") is not None
        assert await stage.good() is Outcome.BAD
        assert await stage.good(password="new") is Outcome.GOOD

    play(story)


def test_a_check_that_was_under_way_during_an_import_is_not_kept() -> None:
    async def story(stage: Stage) -> None:
        stage.source.read.append(lambda: stage.accounts.review([AGENT, ADMIN]))
        assert await stage.good() is Outcome.GOOD
        assert stage.accounts.check_cached("1001", "1001") is None

    play(story)
