"""`poise sessions` and the administrator's view behind it, beside a demo with a client on each binding."""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from poise.cli.main import app
from poise.registry import ENDINGS
from poise.server.webservices.problems import PROBLEMS
from tests.unit.cli.consoles import Console
from tests.unit.cli.demo_server import Demo

PATH = "/poise/api/sessions"
BINDINGS = {"bosh": ("1001", "https"), "tcp": ("1002", "xmpps"), "websocket": ("1003", "wss")}


def run(demo: Demo, *words: str, password: str = "admin", stdin: str = "") -> tuple[int, str, str]:
    where = ["--url", f"https://localhost:{demo.facts['ports']['https']}", "--data", str(demo.data)]
    given = ["--password", password] if not stdin else []
    result = CliRunner().invoke(app, ["sessions", *words, *where, *given], input=stdin)
    return result.exit_code, result.stdout, result.stderr


def ask(
    demo: Demo, method: str = "GET", target: str = PATH, user: str | None = "admin", password: str = ""
) -> tuple[int, dict[str, Any]]:
    """Status and body of an answer."""
    tls = ssl.create_default_context(cafile=demo.facts["ca"])
    connection = http.client.HTTPSConnection("localhost", demo.facts["ports"]["https"], timeout=30, context=tls)
    headers = {}
    if user is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password or user}".encode()).decode()
    try:
        connection.request(method, target, headers=headers)
        answer = connection.getresponse()
        problem = answer.getheader("content-type") == "application/problem+json"
        assert problem == (answer.status >= 400)
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture
def present(running: Demo) -> Iterator[dict[str, Console]]:
    """A console on each binding."""
    with ExitStack() as stack:
        consoles = {
            binding: stack.enter_context(Console(running, user, way)) for binding, (user, way) in BINDINGS.items()
        }
        for console in consoles.values():
            console.event("signed-in")
            console.enter("ping")
            assert console.event("answered")["error"] == ""
        yield consoles


def moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00"))


def test_sessions_are_seen_with_all_that_is_known_of_them(running: Demo, present: dict[str, Console]) -> None:
    status, body = ask(running)
    assert status == 200
    sessions = {session["binding"]: session for session in body["sessions"] if session["jid"].endswith("/console")}
    assert set(sessions) == set(BINDINGS)
    for binding, (user, _) in BINDINGS.items():
        session = sessions[binding]
        assert (session["user"], session["jid"]) == (user, f"{user}@localhost/console")
        assert (session["node"], session["address"], session["presence"]) == ("localhost", "127.0.0.1", "available")
        assert len(session["id"]) == 5
        heard = session["last_heard"]
        assert moment(session["since"]) <= moment(heard["since"]) <= moment(heard["until"]) <= moment(body["now"])
        assert session["stanzas_received"] == 2  # presence, ping
        assert session["stanzas_sent"] >= 2
        assert session["queue"] == {"stanzas": 0, "bytes": 0}
    assert sessions["tcp"]["held_requests"] == sessions["websocket"]["held_requests"] == 0


def test_the_list_is_ordered_bounded_and_can_be_filtered(running: Demo, present: dict[str, Console]) -> None:
    _, everything = ask(running)
    jids = [session["jid"] for session in everything["sessions"]]
    assert jids == sorted(jids)
    assert everything["total"] == len(jids) >= 3
    _, page = ask(running, target=f"{PATH}?offset=1&limit=1")
    assert [session["jid"] for session in page["sessions"]] == jids[1:2]
    assert (page["total"], page["offset"], page["limit"]) == (len(jids), 1, 1)
    for name in ("1002", "1002@localhost"):
        _, one = ask(running, target=f"{PATH}?user={name}")
        assert [session["jid"] for session in one["sessions"]] == ["1002@localhost/console"]
    assert ask(running, target=f"{PATH}?user=100")[1]["sessions"] == []


@pytest.mark.parametrize("binding", BINDINGS)
def test_an_administrator_ends_a_session_and_the_logs_say_who(
    running: Demo, present: dict[str, Console], binding: str
) -> None:
    jid = f"{BINDINGS[binding][0]}@localhost/console"
    mark = running.mark()
    ended = counted(running, "killed", binding)
    code, output, _ = run(running, "kill", jid, "--json")
    assert (code, json.loads(output)) == (0, {"jid": jid, "ending": "killed", "by": "admin"})
    assert present[binding].event("over")["code"] == "stream-error"
    [testimony] = running.trace("session_ended", 1, mark, jid=jid)
    assert (testimony["code"], testimony["evidence"], testimony["transport"]) == ("killed", "by admin", binding)
    [audit] = running.trace("session_killed", 1, mark, jid=jid)
    assert (audit["user"], audit["address"]) == ("admin", "127.0.0.1")
    assert counted(running, "killed", binding) == ended + 1
    code, _, error = run(running, "kill", jid)
    assert code == 1
    assert "session-unknown" in error


def counted(demo: Demo, code: str, binding: str) -> int:
    """The metric of an ending on a binding."""
    tls = ssl.create_default_context(cafile=demo.facts["ca"])
    connection = http.client.HTTPSConnection("localhost", demo.facts["ports"]["https"], timeout=30, context=tls)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    found = re.findall(r'^poise_sessions_ended_total\{code="([^"]+)",transport="([^"]+)"\} (\d+)$', text, re.MULTILINE)
    series = {(name, transport): int(value) for name, transport, value in found}
    assert set(series) == {(name, transport) for name in ENDINGS for transport in BINDINGS}
    return series[code, binding]


@pytest.mark.parametrize("binding", BINDINGS)
def test_an_orderly_end_is_counted_by_its_binding(running: Demo, binding: str) -> None:
    user, way = BINDINGS[binding]
    before = counted(running, "client-left", binding)
    mark = running.mark()
    with Console(running, user, way) as console:
        console.event("signed-in")
        console.enter("quit")
        assert console.end() == 0
    running.trace("session_ended", 1, mark, code="client-left", transport=binding)
    assert counted(running, "client-left", binding) == before + 1


def test_only_administrators_see_and_end_sessions(running: Demo) -> None:
    mark = running.mark()
    assert ask(running, user=None)[0] == 401
    assert ask(running, user="admin", password="wrong")[1]["code"] == "credentials-needed"
    for user in ("1001", "1101"):
        assert ask(running, user=user) == (
            403,
            {"title": PROBLEMS["administrators-only"].title, "status": 403, "code": "administrators-only"},
        )
        assert ask(running, "DELETE", f"{PATH}/1002%40localhost%2Fconsole", user)[0] == 403
    refused = running.trace("rest_request_answered", 6, mark)
    assert [(event["user"], event["status"]) for event in refused] == [
        ("", 401), ("admin", 401), ("1001", 403), ("1001", 403), ("1101", 403), ("1101", 403)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("DELETE", "/1009%40localhost%2Fdesktop", 404, "session-unknown"),
        ("DELETE", "/1009@localhost/desktop", 404, "session-unknown"),
        ("DELETE", "/1009%40localhost", 409, "session-ambiguous"),
        ("DELETE", "/%40localhost%2Fx", 400, "jid-malformed"),
        ("DELETE", "/1009@localhost/%01", 400, "jid-malformed"),
        ("GET", "/1009@localhost/x", 405, "method-not-allowed"),
        ("PUT", "", 405, "method-not-allowed"),
        ("GET", "?limit=501", 400, "query-malformed"),
        ("GET", "?offset=-1", 400, "query-malformed"),
        ("GET", "?limit=%D9%A1", 400, "query-malformed"),
        ("GET", "?user=a%20b", 400, "query-malformed"),
    ],
)
def test_bad_input_gets_a_code_that_explain_knows(
    running: Demo, method: str, target: str, status: int, code: str
) -> None:
    got, body = ask(running, method, PATH + target)
    assert (got, body["code"], body["status"]) == (status, code, status)
    explained = CliRunner().invoke(app, ["explain", code])
    assert explained.exit_code == 0
    assert body["title"] in explained.stdout


def test_people_see_a_table(running: Demo, present: dict[str, Console]) -> None:
    code, output, _ = run(running, "list")
    assert code == 0
    heading, *rows, last = output.splitlines()
    assert heading.split()[:3] == ["JID", "binding", "address"]
    assert re.fullmatch(r"\d+ sessions?", last)
    [row] = [row for row in rows if row.startswith("1002@localhost/console ")]
    assert re.search(
        r"  tcp        127\.0\.0\.1  \d{4}-\d\d-\d\dT[\d:]{8}Z  [\d:.]{10}\.\.[\d:.]{10}  0 +0 B +available$", row
    )
    code, output, _ = run(running, "list", "--of", "1003", "--json")
    assert [session["jid"] for session in json.loads(output)["sessions"]] == ["1003@localhost/console"]


def test_the_password_may_come_from_standard_input(running: Demo) -> None:
    assert run(running, "list", "--password-stdin", stdin="admin\n")[0] == 0
    code, _, error = run(running, "list", "--password-stdin", stdin="wrong\n")
    assert code == 1
    assert "credentials-needed" in error
    assert CliRunner().invoke(app, ["sessions", "list"], input="").exit_code == 2


def test_a_server_that_cannot_be_asked_is_told(running: Demo, tmp_path: Any) -> None:
    def listed(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["sessions", "list", "--password", "admin", *words])
        return result.exit_code, result.stdout + result.stderr

    ports = running.facts["ports"]
    code, told = listed("--url", f"https://localhost:{ports['https']}", "--ca", str(running.data / "poise.pid"))
    assert code == 1
    code, told = listed("--url", f"https://localhost:{ports['https']}")
    assert code == 1
    assert "--ca FILE" in told
    assert listed("--url", f"https://localhost:{ports['https']}", "--insecure")[0] == 0
    code, told = listed("--url", f"https://localhost:{ports['xmpp']}", "--insecure")
    assert (code, "No TLS" in told) == (1, True)
    code, told = listed("--url", f"http://localhost:{ports['insecure_bosh']}", "--json")
    assert (code, "404" in json.loads(told)["error"]) == (1, True)
    assert "no host of that name" in listed("--url", "https://nobody.invalid")[1]
    assert "no address of a server" in listed("--url", "localhost:8445")[1]
    code, told = listed("--data", str(tmp_path))
    assert (code, "ca.pem" in told) == (2, True)
