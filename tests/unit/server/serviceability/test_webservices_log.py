"""Desktop-webservices: the grammar of real logs, and the seed's sequence of a presence-driven logout."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poise.protocols.cti.messages import Message
from poise.server.ctilink.log import CtiLog
from poise.server.serviceability.webservices_log import AgentLog, WebservicesLog, _balanced
from poise.server.webservices.services import RestLog
from tests.unit.server.serviceability.conftest import Logs

RECORD = re.compile(
    r"(?:(?P<seq>\d{10}): (?P<host>\S*): )?"
    r"(?P<stamp>[A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d\.\d{3}) (?P<zone>[+-]\d{4}): "
    r"%CCBU_(?P<thread>.+)-(?P<severity>[0-7])-(?P<mnemonic>[^:]+): "
    r"(?P<rest>.*)"
)
FILES = "desktop/webservices/Desktop-webservices.*.log"


def fields(rest: str) -> tuple[dict[str, str], str]:
    """The bracketed values and the text, by counting brackets as readers of these logs have to."""
    if not rest.startswith("%["):
        return {}, rest
    found: dict[str, str] = {}
    position = 1
    while rest[position : position + 1] == "[":
        depth, start = 0, position + 1
        while True:
            depth += (rest[position] == "[") - (rest[position] == "]")
            position += 1
            if depth == 0:
                break
        name, _, value = rest[start : position - 1].partition("=")
        found[name] = value
    assert rest[position : position + 2] == ": "
    return found, rest[position + 2 :]


def records(logs: Logs) -> list[dict[str, str]]:
    matches = [RECORD.fullmatch(line) for line in logs.text(FILES).splitlines()]
    assert all(matches)
    return [match.groupdict() for match in matches if match]


def forced_logout() -> Message:
    return Message(
        "SET_AGENT_STATE_REQ",
        {"InvokeID": 7, "AgentState": 1, "EventReasonCode": 255, "ForcedFlag": 1, "AgentServiceReq": 1},
        (("AGENT_INSTRUMENT", "1001003"), ("AGENT_ID", "1001003")),
    )


def logged_out() -> Message:
    values = {"AgentState": 1, "EventReasonCode": 255, "SkillGroupNumber": 0xFFFFFFFF}
    return Message("AGENT_STATE_EVENT", values, (("CLIENT_SIGNATURE", "Finesse"), ("AGENT_ID", "1001003")))


def test_a_presence_driven_logout_reads_as_in_the_seed(logs: Logs) -> None:
    log = logs.webservices
    log.presence("1001003", "desktop", False)
    log.agent_presence("1001003", False, 60.0)
    logs.clock.advance(30)
    log.presence_monitor("1001003")
    logs.clock.advance(30)
    log.presence_driven_logout("1001003")
    log.message_to_cti_server(forced_logout())
    log.decoded_message_from_cti_server(logged_out(), 1497638824640, 1497638824641)
    found = records(logs)
    assert [(record["thread"], record["severity"], record["mnemonic"]) for record in found] == [
        ("Smack Listener Processor (1)", "6", "PRESENCE_NOTIFICATION_RECIEVED"),
        ("Smack Listener Processor (1)", "6", "UNSUBSCRIBED"),
        ("Smack Listener Processor (1)", "6", "AGENT_PRESENCE"),
        ("pool-8-thread-1", "6", "AGENT_PRESENCE_MONITOR"),
        ("CoreImpl-worker12", "6", "PRESENCE DRIVEN LOGOUT"),
        ("CoreImpl-worker12", "6", "MESSAGE_TO_CTI_SERVER"),
        ("CTIMessageEventExecutor-0", "6", "DECODED_MESSAGE_FROM_CTI_SERVER"),
    ]
    assert [record["stamp"] for record in found][::3] == [
        "Jun 17 2017 00:16:04.630",
        "Jun 17 2017 00:16:34.630",
        "Jun 17 2017 00:17:04.630",
    ]
    assert [record["seq"] for record in found] == [f"{n:010d}" for n in range(1, 8)]
    assert {(record["host"], record["zone"]) for record in found} == {("10.1.2.3", "+0530")}
    assert fields(found[2]["rest"])[0] == {"agent_id": "1001003", "presence": "UNAVAILABLE"}
    assert (
        "1, workmode : 0, reason code: 255, forceflag :1, agentcapacity: 1, agenttext: 1001003, agentid: 1001003,"
        in (found[5]["rest"])
    )


def test_a_decoded_message_nests_brackets_that_a_reader_can_count(logs: Logs) -> None:
    logs.webservices.decoded_message_from_cti_server(logged_out(), 1497638824640, 1497638824642)
    values, text = fields(records(logs)[0]["rest"])
    assert text == "Decoded Message to Finesse from backend cti server"
    assert values["cti_response_time"] == "2"
    assert values["cti_message"].startswith("CTIAgentStateEvent [")
    assert "agentState=1 (LOGOUT), eventReasonCode=255" in values["cti_message"]
    assert '"CTI_MSG_RECEIVED":1497638824640,"CTI_MSG_DISPATCH":1497638824642' in values["cti_message"]
    assert values["cti_message"].endswith("deploymentType=CCE]")


def test_an_express_deployment_says_ccx(logs: Logs) -> None:
    express = WebservicesLog(
        logs.writer, logs.activelog, logs.clock, logs.trace, type(logs.metrics)(), host="h", deployment="UCCX"
    )
    express.decoded_message_from_cti_server(logged_out(), 1, 2)
    assert "deploymentType=CCX]" in logs.text(FILES)


def test_the_file_is_named_after_the_moment_it_was_begun(logs: Logs) -> None:
    logs.webservices.service_state(True, "")
    logs.writer.flush()
    (path,) = logs.activelog.webservices.iterdir()
    assert path.name == "Desktop-webservices.2017-06-17T00-16-04.630.log"


def test_a_publication_shows_its_node_and_payload(logs: Logs) -> None:
    logs.webservices.published("/finesse/api/User/1001", "<Update><data/></Update>")
    record = records(logs)[0]
    assert record["mnemonic"] == "XMPP_PUBLISH_ASYNCHRONOUS"
    assert fields(record["rest"])[0] == {"NodeId": "/finesse/api/User/1001", "Payload": "<Update><data/></Update>"}


def test_every_other_event_has_its_own_line(logs: Logs) -> None:
    log = logs.webservices
    log.presence("1001", "desktop", True)
    log.agent_presence("1001", True, 0)
    log.presence_logout_cancelled("1001", "the agent is back")
    log.presence_logout_waiting("1001", "the agent is on a call")
    log.publish_failed("/finesse/api/User/9", "no such node")
    log.service_state(False, "the CTI link is down")
    log.cti_link_up("A", "127.0.0.1:42027")
    log.cti_link_down("A", "127.0.0.1:42027", "connection refused")
    log.cti_link_trouble("unknown message")
    log.account_locked("1001")
    log.rest_fault(method="PUT", path="/finesse/api/User/1001", error=ValueError("x"))
    assert [record["mnemonic"] for record in records(logs)] == [
        "PRESENCE_NOTIFICATION_RECIEVED",
        "AGENT_PRESENCE",
        "AGENT_PRESENCE",
        "AGENT_PRESENCE_MONITOR",
        "XMPP_PUBLISH_FAILED",
        "SYSTEM_STATUS",
        "CTI_CONNECTION_ESTABLISHED",
        "CTI_CONNECTION_LOST",
        "CTI_MESSAGE_TROUBLE",
        "ACCOUNT_LOCKED",
        "API_ERROR_DETAIL",
    ]
    assert len(logs.events()) == 11


def rest(log: WebservicesLog, method: str, status: int) -> None:
    log.rest_request(
        method=method, path="/p", user="1001", address="a", status=status, elapsed_ms=1.5, request_id="r-1"
    )


def test_rest_requests_are_counted_and_changes_and_failures_are_told(logs: Logs) -> None:
    for method, status in (("GET", 200), ("PUT", 202), ("GET", 401), ("PUT", 503), ("BREW", 405)):
        rest(logs.webservices, method, status)
    told = [(record["severity"], fields(record["rest"])[0]["status"]) for record in records(logs)]
    assert told == [("6", "202"), ("4", "401"), ("3", "503"), ("4", "405")]
    assert 'poise_rest_requests_total{method="GET",status="200"} 1\n' in logs.metrics.text()
    assert 'method="other",status="405"' in logs.metrics.text()


@pytest.mark.parametrize("value", ["a]", "[", "]a[", "x]: %[forged=1"])
def test_a_value_cannot_leave_its_field(logs: Logs, value: str) -> None:
    logs.webservices.presence("1001", value, False)
    found, _ = fields(records(logs)[0]["rest"])
    assert list(found) == ["agent_id", "resource", "presence_type"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(user=st.text(), resource=st.text())
def test_whatever_a_client_calls_itself_the_grammar_holds(logs: Logs, user: str, resource: str) -> None:
    line = logs.webservices._record(
        "Jun 17 2017 00:16:04.630 +0530", 1, "t", 6, "M", "text", (("user", user), ("resource", resource)), ""
    )
    match = RECORD.fullmatch(line[:-1])
    assert match is not None
    assert line.count("\n") == 1


def test_balanced_brackets_stay() -> None:
    assert _balanced("a[b[c]]d[]") == "a[b[c]]d[]"
    assert _balanced("a]b[") == "a)b("


def test_missing_lines_are_told_in_the_files_own_grammar(logs: Logs) -> None:
    assert RECORD.fullmatch(logs.webservices._missing(3).rstrip("\n"))


def test_it_is_three_logs_at_once(logs: Logs) -> None:
    rest_log: RestLog = logs.webservices
    rest_log.rest_fault(method="GET", path="/p", error=ValueError("x"))
    agent_log: AgentLog = logs.webservices
    cti_log: CtiLog = logs.webservices
    agent_log.presence_monitor("1001")
    cti_log.cti_link_trouble("odd")
    assert len(records(logs)) == 3
