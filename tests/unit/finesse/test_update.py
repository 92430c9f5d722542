"""The notification's payload is the seed's, byte for byte, and never carries a character that XML forbids."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from poise.contact.snapshots import AgentFailed
from poise.contact.states import AgentState
from poise.finesse.failures import failure_update
from poise.finesse.update import Event, api_errors_update, update
from poise.finesse.users import user_update
from poise.protocols.xmpp.xml import parse
from tests.unit.finesse.people import ADA, CONTEXT, ISAAC

GOLDEN = Path(__file__).parent / "golden" / "update_ready.xml"
REQUEST = "07f14a42-6b3c-4855-a4c9-af50ab5e7cc6"


def test_the_seeds_notification_is_reproduced_byte_for_byte() -> None:
    payload = update(user_update(ISAAC, CONTEXT), Event.PUT, REQUEST, "/finesse/api/User/47483648")
    assert payload == GOLDEN.read_bytes()


def test_the_payload_is_one_text_node_in_the_pubsub_namespace() -> None:
    notification = parse(update(user_update(ISAAC, CONTEXT), Event.PUT, "", "/finesse/api/User/47483648"))
    assert (notification.name, notification.ns) == ("notification", "http://jabber.org/protocol/pubsub")
    assert len(notification.children) == 1
    document = parse(notification.text.encode())
    assert [child.name for child in document.elements()] == ["data", "event", "requestId", "source"]


def test_a_client_that_undoes_only_the_two_angle_brackets_can_still_parse_it() -> None:
    payload = update(user_update(replace(ISAAC, first_name="A&B <i>"), CONTEXT), Event.PUT, "", "x").decode()
    inner = payload[payload.index(">") + 1 : payload.rindex("<")]
    inner = inner.replace("&lt;", "<").replace("&gt;", ">")
    name = parse(inner.encode())
    assert name.name == "Update"


def test_a_not_ready_event_says_which_reason_and_signed_out_says_none() -> None:
    xml = user_update(replace(ADA, reason_code=10), CONTEXT)
    user = parse(xml.encode())
    names = [child.name for child in user.elements()]
    assert names[names.index("pendingState") :][:4] == ["pendingState", "reasonCode", "reasonCodeId", "roles"]
    assert "<label>Lunch &amp; Tea</label>" in xml
    assert "<reasonCodeId>16</reasonCodeId>" in xml
    out = user_update(replace(ADA, state=AgentState.LOGOUT, extension=""), CONTEXT)
    assert "<reasonCodeId>-1</reasonCodeId>" in out
    assert "<extension></extension>" in out
    assert "<stateChangeTime></stateChangeTime>" in out


def test_a_system_code_is_named_though_it_has_no_id() -> None:
    xml = user_update(replace(ADA, reason_code=50_002), CONTEXT)
    assert "<label>Connection Failure</label>" in xml
    assert "<systemCode>true</systemCode>" in xml
    assert "<reasonCodeId>-1</reasonCodeId>" in xml


def test_a_pending_state_is_shown() -> None:
    agent = replace(ADA, state=AgentState.TALKING, pending_state=AgentState.NOT_READY)
    assert "<pendingState>NOT_READY</pendingState>" in user_update(agent, CONTEXT)


def test_an_asynchronous_error_is_lower_case_and_carries_number_name_and_kind() -> None:
    xml = failure_update(AgentFailed("1001", 257, "r1", AgentState.READY))
    assert xml == (
        "<apiErrors>\n<apiError>\n<errorData>257</errorData>\n"
        "<errorMessage>CF_INVALID_PASSWORD_SPECIFIED</errorMessage>\n<errorType>Invalid State</errorType>\n"
        "</apiError>\n</apiErrors>"
    )


def test_an_error_of_a_media_channel_or_peripheral_says_so() -> None:
    xml = api_errors_update("Generic Error", "E", "1", peripheral_code=10_112, media="5000")
    assert "<errorMedia>5000</errorMedia>" in xml
    assert "<peripheralErrorCode>10112</peripheralErrorCode>" in xml


@given(st.text(), st.text(), st.text())
def test_whatever_a_name_or_request_id_holds_the_payload_is_xml_and_says_it_back(
    first: str, team: str, request_id: str
) -> None:
    assert ISAAC.team is not None
    agent = replace(ISAAC, first_name=first, last_name="\x00\x1b\ufffe", team=replace(ISAAC.team, name=team))
    payload = update(user_update(agent, CONTEXT), Event.PUT, request_id, "/finesse/api/User/1001")
    document = parse(parse(payload).text.encode())
    data = document.child("data")
    assert data is not None
    user = data.child("user")
    assert user is not None
    last = user.child("lastName")
    assert last is not None
    assert last.text == "\ufffd\ufffd\ufffd"
    for name, value in (("firstName", first), ("teamName", team)):
        child = user.child(name)
        assert child is not None
        if value.isprintable():
            assert child.text == value
