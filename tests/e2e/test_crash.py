"""A server that dies: what is not forgotten, who is signed out, who is not. In real time, with short settings."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

from poise.server.storage.store import DATABASE
from tests.e2e.process import Lab, serve_beside
from tests.e2e.stage import copy_of, in_order, read_log

SHORT = {
    "bosh.idle_limit_s": 2,
    "bosh.reaper_interval_s": 0.2,
    "presence.grace_s": 1.5,
    "presence.monitor_s": 0.5,
}
TEAM = "/finesse/api/Team/1/Users"


def remembered(data: Path) -> dict[str, bool]:
    """Last presence by user, as it stands in the database."""
    connection = sqlite3.connect(f"file:{data / DATABASE}?mode=ro", uri=True)
    try:
        return {
            user: bool(available) for user, available in connection.execute("SELECT user, available FROM last_presence")
        }
    finally:
        connection.close()


def test_after_kill_9_the_absent_are_signed_out_and_those_who_come_back_are_left_alone(
    prepared: Path, tmp_path: Path
) -> None:
    data = copy_of(prepared, tmp_path / "data")
    with Lab(tmp_path) as lab:
        with serve_beside(lab, tmp_path, SHORT) as first:
            for user in ("1001", "1002"):
                desk = first.desk(user).come()
                desk.log_in()
                desk.go("READY")
            never = first.rest("1003")
            assert never.put("LOGIN", extension="1003").status == 202
            first.until(lambda: remembered(data) == {"1001": True, "1002": True})
            first.signal(signal.SIGKILL)
            assert first.ended() == -signal.SIGKILL

        with serve_beside(lab, tmp_path, SHORT) as second:
            back = second.desk("1002").come()
            watcher = second.desk("1101", resource="watcher").come()
            watcher.subscribe(TEAM)
            assert second.rest("1101").state_of("1001") == "READY", "nobody is signed out by a crash as such"
            assert watcher.update(TEAM, loginId="1001").state == "NOT_READY"
            assert second.rest("1101").state_of("1002") == "READY"
            assert second.rest("1101").state_of("1003") == "NOT_READY", "he never had a session"
            back.hold()
            second.until(lambda: not remembered(data)["1001"])
            assert remembered(data)["1002"]
            second.signal(signal.SIGTERM)
            assert second.ended() == 0
    web = read_log(data, "webservices")
    assert web.count("PRESENCE DRIVEN LOGOUT") == 1
    in_order(web, "AGENT_PRESENCE_MONITOR: .*1001", "PRESENCE DRIVEN LOGOUT: .*1001", "forceflag :1.*agentid: 1001")


def test_the_cti_server_crashes_and_returns(prepared: Path, tmp_path: Path) -> None:
    """The other side of it: out of service at once, back in service by itself, every state told anew."""
    copy_of(prepared, tmp_path / "data")
    with Lab(tmp_path) as lab, serve_beside(lab, tmp_path, {}) as server:
        desk = server.desk("1001").come()
        desk.log_in()
        lab.signal(signal.SIGKILL)
        assert desk.update("/finesse/api/SystemInfo").value("status") == "OUT_OF_SERVICE"
        assert desk.rest.put("READY").status == 503
        ready = server.rest("admin").call("GET", "/readyz")
        assert ready.status == 503
        assert b"CTI link is down" in ready.body
        with Lab(tmp_path, "--port", str(lab.port)):
            assert desk.update("/finesse/api/SystemInfo").value("status") == "IN_SERVICE"
            assert desk.user_update("LOGOUT").value("requestId") == "", "the new CTI server knows no sign-in"
