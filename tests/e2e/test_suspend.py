"""A server process that is stopped and goes on: nobody pays for the time it stood still. In real time, short settings.

Every limit lies inside the stall: the grace of those who have gone, the monitor's ticks, the idle limit of who has no
poll held.
"""

from __future__ import annotations

import signal
from pathlib import Path

from tests.e2e.process import demo
from tests.e2e.stage import copy_of, in_order, read_log, seconds_between

GRACE_S = 4.0
IDLE_S = 2
STALL_S = 7.0
SHORT = {
    "bosh.idle_limit_s": IDLE_S,
    "bosh.reaper_interval_s": 0.2,
    "presence.grace_s": GRACE_S,
    "presence.monitor_s": 0.1,  # so that a tick of the grace, not the wheel's beat, is the first thing due after it
}


def test_after_a_suspend_nobody_is_signed_out_wrongly_and_who_is_gone_is_after_the_grace_without_it(
    prepared: Path, tmp_path: Path
) -> None:
    copy_of(prepared, tmp_path / "data")
    with demo(tmp_path, settings=SHORT) as server:
        supervisor = server.rest("1101")
        returns, stays_away, quiet = (server.desk(user, wait=1).come() for user in ("1001", "1002", "1003"))
        for desk in (returns, stays_away, quiet):
            desk.log_in()
            desk.go("READY")
        quiet.keep_up()
        assert not quiet.wire.silent(5), "his poll is answered, and he has not sent the next one"
        returns.leave()
        stays_away.leave()
        server.until(lambda: read_log(server.data, "webservices").count("UNSUBSCRIBED") == 2)

        server.signal(signal.SIGSTOP)
        assert server.place.connect("xmpp").silent(STALL_S), "the server stands still"
        server.signal(signal.SIGCONT)
        quiet.keep_up()
        back = server.desk("1001", wait=1).come()

        def states() -> list[str]:
            for desk in (quiet, back):
                desk.keep_up()
            return [supervisor.state_of(user) for user in ("1001", "1002", "1003")]

        assert states() == ["READY", "READY", "READY"]
        server.until(lambda: states() == ["READY", "NOT_READY", "READY"])
        assert [desk.ended for desk in (quiet, back)] == ["", ""]
        server.written()
        assert "The server did not run for" in read_log(server.data, "warn.log")
        web = read_log(server.data, "webservices")
    assert web.count("PRESENCE DRIVEN LOGOUT") == 1
    gone, out = in_order(web, "UNSUBSCRIBED: .*agent_id=1002", "PRESENCE DRIVEN LOGOUT: .*agent_id=1002")
    assert GRACE_S + STALL_S - 0.5 <= seconds_between(gone, out) <= GRACE_S + STALL_S + 3
