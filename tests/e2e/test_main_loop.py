"""The main job: a state change asked for by REST goes to the CTI server and comes back over BOSH as an event."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from tests.conformance.wire import http_request
from tests.e2e.conftest import OpenStage
from tests.e2e.desk import DOMAIN, MESSAGE_ID, PUBSUB, basic, user_body
from tests.e2e.stage import Stage

USER = "/finesse/api/User/1001"
DISCO_ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'/>"

NOT_READY = """<Update>
<data>
<user>
<dialogs>/finesse/api/User/1001/Dialogs</dialogs>
<extension>1001</extension>
<firstName>Agent</firstName>
<lastName>One</lastName>
<loginId>1001</loginId>
<loginName>agent1</loginName>
<mediaType>1</mediaType>
<pendingState></pendingState>
<reasonCodeId>-1</reasonCodeId>
<roles>
<role>Agent</role>
</roles>
<settings>
<wrapUpOnIncoming>OPTIONAL</wrapUpOnIncoming>
</settings>
<state>NOT_READY</state>
<stateChangeTime>{changed}</stateChangeTime>
<teamId>1</teamId>
<teamName>Sales</teamName>
<uri>/finesse/api/User/1001</uri>
</user>
</data>
<event>PUT</event>
<requestId>{request_id}</requestId>
<source>/finesse/api/User/1001</source>
</Update>"""


@pytest.mark.parametrize("listener", ["notification", "https"])
def test_a_sign_in_comes_back_on_the_held_poll_in_exactly_the_form_of_the_seed(stage: Stage, listener: str) -> None:
    desk = stage.desk("1001", listener=listener).come()
    assert stage.holds(desk)

    answer = desk.rest.put("LOGIN", "07f14a42-6b3c-4855-a4c9-af50ab5e7cc6", extension="1001")
    assert (answer.status_line, answer.body) == ("HTTP/1.1 202 Accepted", b"")
    assert answer.header("requestId") == "07f14a42-6b3c-4855-a4c9-af50ab5e7cc6"

    update = desk.user_update("NOT_READY")
    message_id = MESSAGE_ID.fullmatch(update.message_id)
    assert message_id is not None, update.message_id
    assert (message_id["node"], message_id["jid"]) == (USER, f"1001@{DOMAIN}")
    assert update.to == f"1001@{DOMAIN}"
    changed = update.value("stateChangeTime")
    assert re.fullmatch(r"2017-06-16T18:\d\d:\d\d\.\d{3}Z", changed)
    wanted = NOT_READY.format(changed=changed, request_id="07f14a42-6b3c-4855-a4c9-af50ab5e7cc6")
    assert update.text == wanted

    body = next(reply.body.decode() for reply in reversed(desk.replies) if update.message_id.encode() in reply.body)
    escaped = wanted.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f'<notification xmlns="{PUBSUB}">{escaped}</notification></item></items></event></message>' in body
    start = (
        f'<message xmlns="jabber:client" from="pubsub.{DOMAIN}" to="1001@{DOMAIN}" id="{update.message_id}">'
        f'<event xmlns="{PUBSUB}#event"><items node="{USER}"><item id="{update.item_id}">'
    )
    assert start in body
    assert body.startswith("<body xmlns='http://jabber.org/protocol/httpbind'")


def test_a_day_of_an_agent(stage: Stage) -> None:
    desk = stage.agent("1001", "NOT_READY")
    assert desk.go("READY", "go-1").value("requestId") == "go-1"
    reason = desk.rest.get("User/1001/ReasonCodes?category=NOT_READY").root.find("ReasonCode")
    assert reason is not None
    assert reason.findtext("label") == "Lunch"
    reason_id = (reason.findtext("uri") or "").rpartition("/")[2]
    lunch = desk.go("NOT_READY", "lunch", reasonCodeId=reason_id)
    assert (lunch.value("requestId"), lunch.value("label"), lunch.value("reasonCodeId")) == ("lunch", "Lunch", "1")
    assert desk.go("LOGOUT", "home").value("requestId") == "home"
    assert desk.rest.state_of("1001") == "LOGOUT"
    assert stage.state_at_the_cti_server("1001")[0] == "LOGOUT"


def test_ready_without_sign_in_is_accepted_and_refused_by_an_event(stage: Stage) -> None:
    desk = stage.desk("1001").come()
    answer = desk.rest.put("READY", "too-early")
    assert (answer.status, answer.body) == (202, b"")
    error = desk.update(USER, requestId="too-early")
    assert error.value("errorData") == "257"
    assert error.value("errorType") == "Invalid State"
    assert error.value("errorMessage") == "CF_INVALID_PASSWORD_SPECIFIED"
    assert error.value("source") == USER
    assert ET.fromstring(error.text).find("data/apiErrors/apiError") is not None
    assert desk.rest.state_of("1001") == "LOGOUT"


def test_the_same_on_uccx(open_stage: OpenStage) -> None:
    stage = open_stage({"contact.deployment": "UCCX"})
    desk = stage.desk("1001").come()
    assert desk.rest.put("READY", "too-early").status == 202
    assert desk.update(USER, requestId="too-early").value("errorType") != ""
    desk.log_in()
    desk.go("READY")
    assert desk.go("LOGOUT").state == "LOGOUT"  # UCCX lets a READY agent sign out


def test_one_connection_carries_rest_and_bosh_pipelined_behind_a_held_poll(stage: Stage) -> None:
    """8445 serves everything on one keep-alive connection; answers leave in the order of the requests."""
    desk = stage.desk("1001", listener="https").come()
    assert stage.holds(desk)

    headers = {**basic("1001"), "Content-Type": "application/xml", "requestId": "piped"}
    login = http_request("PUT", USER, user_body("LOGIN", extension="1001"), headers.items())
    info = http_request("GET", "/finesse/api/SystemInfo?timestamponly", b"", ())
    desk.wire.write(login + info)

    # served while the poll in front of them is held: the event that REST caused answers the poll
    poll = desk.wire.reply()
    assert b"pubsub#event" in poll.body
    assert (desk.wire.reply().status_line) == "HTTP/1.1 202 Accepted"
    stamp = desk.wire.reply()
    zone = stamp.root.findtext("timezoneOffset") or ""
    assert (stamp.status, len(stamp.body)) == (200, 166 - len("330") + len(zone))  # the seed's zone is India's


def test_a_supervisor_sees_the_team_and_both_names_of_a_queues_node_exist(stage: Stage) -> None:
    supervisor = stage.watcher("1101", team=1)
    desk = stage.agent("1001")
    states = [supervisor.update("/finesse/api/Team/1/Users", loginId="1001").state]
    while states[-1] != "READY":
        states.append(supervisor.update("/finesse/api/Team/1/Users", loginId="1001").state)
    assert states[-2:] == ["NOT_READY", "READY"]

    items = desk.ask(DISCO_ITEMS)
    nodes = {item.get("node") for item in items.iter() if item.get("node")}
    assert {
        USER,
        f"{USER}/Dialogs",
        f"{USER}/ClientLog",
        f"{USER}/Media",
        f"{USER}/Queue/10",
        "/finesse/api/Queue/10",
        "/finesse/api/Team/1/Users",
        "/finesse/api/SystemInfo",
    } <= nodes
    for node in (f"{USER}/Queue/10", "/finesse/api/Queue/10"):
        assert desk.subscribe(node).get("type") == "result", node
    assert desk.subscribe("/finesse/api/Team/2/Users").get("type") == "error", "not his team"


def test_a_supervisor_changes_an_agents_state(stage: Stage) -> None:
    supervisor = stage.watcher()
    supervisor.log_in()
    desk = stage.agent("1001")
    assert supervisor.rest.put("NOT_READY", "from-above", user="1001").status == 202
    assert desk.user_update("NOT_READY").value("loginId") == "1001"
    assert supervisor.rest.put("LOGOUT", user="1001").status == 202
    assert desk.user_update("LOGOUT").value("loginId") == "1001"
    assert stage.state_at_the_cti_server("1001") == ("LOGOUT", 999)


def test_two_agents_hear_only_their_own(stage: Stage) -> None:
    one, two = stage.agent("1001"), stage.agent("1002")
    one.heard()
    two.heard()
    one.go("NOT_READY", "mine")
    two.go("NOT_READY", "yours")
    stage.settle()
    for desk in (one, two):
        assert {update.to for update in desk.updates()} <= {f"{desk.user}@{DOMAIN}"}


def test_events_and_a_fresh_get_agree(stage: Stage) -> None:
    desk = stage.agent("1001")
    update = desk.go("NOT_READY", reasonCodeId="1")
    fresh = desk.rest.get("User/1001").root
    for name in ("state", "stateChangeTime", "extension", "reasonCodeId", "teamName", "pendingState", "loginName"):
        assert update.value(name) == (fresh.findtext(name) or ""), name


def test_an_idle_poll_is_answered_after_thirty_seconds_with_57_bytes(stage: Stage) -> None:
    desk = stage.desk("1001").come()
    desk.heard()
    desk.hold()
    stage.pass_time(31)
    empty = desk.replies[-1]
    assert len(empty.body) == 57
    assert empty.body == b"<body xmlns='http://jabber.org/protocol/httpbind'></body>"
