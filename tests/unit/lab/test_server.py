"""The simulated CTI server as its clients see it, byte by byte and without sockets."""

from __future__ import annotations

import pytest

from poise.lab.server import MAX_MALFORMED, OPEN_WITHIN_S, Drop, LabOutput, LabServer, LabSettings, Send, Session
from poise.protocols.cti.codec import Framer, encode
from poise.protocols.cti.constants import NULL32, AgentState, Service
from poise.protocols.cti.messages import FloatValue, Message

EVERYTHING = Service.ALL_EVENTS | Service.CLIENT_CONTROL
OPEN = {
    "InvokeID": 1,
    "VersionNumber": 20,
    "IdleTimeout": 20,
    "PeripheralID": 5000,
    "ServicesRequested": int(EVERYTHING),
    "CallMsgMask": 0x0FFFFFFF,
    "AgentStateMask": 0x3FFF,
    "ConfigMsgMask": 6,
}
WHO: tuple[tuple[str, FloatValue], ...] = (
    ("CLIENT_ID", "Poise"),
    ("CLIENT_PASSWORD", b""),
    ("CLIENT_SIGNATURE", "Finesse"),
)


class Client:
    """One client of a simulated CTI server."""

    def __init__(self, server: LabServer, now: float = 100.0, version: int = 20) -> None:
        self.server = server
        self.version = version
        self.session = server.connected(now)
        self.framer = Framer(version)
        self.dropped = ""

    def says(self, name: str, fields: dict[str, int], floats: tuple[tuple[str, FloatValue], ...] = ()) -> list[Message]:
        return self.says_bytes(encode(Message(name, fields, floats), self.version))

    def says_bytes(self, data: bytes, now: float = 100.0) -> list[Message]:
        return self.hears(self.server.feed(self.session, data, now))

    def hears(self, outputs: list[LabOutput]) -> list[Message]:
        found: list[Message] = []
        for output in outputs:
            if output.session is not self.session:
                continue
            if isinstance(output, Drop):
                self.dropped = output.reason
            else:
                assert not self.dropped, "nothing may follow a drop"
                found += [item for item in self.framer.feed(output.data) if isinstance(item, Message)]
        return found

    def opens(self, **changes: int) -> list[Message]:
        return self.says("OPEN_REQ", {**OPEN, "VersionNumber": self.version, **changes}, WHO)

    def sets(self, state: AgentState, reason: int = 0, agent: str = "1001", forced: int = 0) -> list[Message]:
        fields = {"InvokeID": 7, "PeripheralID": 5000, "AgentState": int(state), "EventReasonCode": reason}
        floats: tuple[tuple[str, FloatValue], ...] = (("AGENT_INSTRUMENT", agent), ("AGENT_ID", agent))
        return self.says("SET_AGENT_STATE_REQ", {**fields, "ForcedFlag": forced}, floats)


def names(messages: list[Message]) -> list[str]:
    return [message.name for message in messages]


def opened(server: LabServer | None = None, version: int = 20) -> Client:
    client = Client(server or LabServer(), version=version)
    client.opens()
    return client


def test_open_is_confirmed_and_followed_by_the_peripheral_and_the_teams() -> None:
    client = Client(LabServer(epoch_s=1_700_000_000.0 - 100.0))
    confirmation, online, sales, support = client.opens()
    assert confirmation.name == "OPEN_CONF"
    assert confirmation.fields["PeripheralOnline"] == 1
    assert confirmation.fields["PeripheralType"] == 17
    assert confirmation.fields["ServicesGranted"] == int(EVERYTHING)
    assert confirmation.fields["ICMCentralControllerTime"] == 1_700_000_000
    assert online.fields["SystemEventID"] == 3
    assert sales.text("AGENT_TEAM_NAME") == "Sales"
    assert list(sales.all("ATC_AGENT_ID")) == ["1001", "1002", "1003", "1101"]
    assert list(sales.all("AGENT_FLAGS")) == [0, 0, 0, 1]
    assert list(support.all("ATC_AGENT_STATE")) == [AgentState.LOGOUT] * 4


@pytest.mark.parametrize("version", range(13, 26))
def test_every_protocol_version_from_13_to_25_is_served(version: int) -> None:
    client = opened(version=version)
    configuration = client.says("CONFIG_REQUEST_EVENT", {"ConfigInformation": 6, "PeripheralID": 5000})
    assert names(configuration)[0] == "CONFIG_BEGIN_EVENT"
    assert names(configuration)[-1] == "CONFIG_END_EVENT"
    assert names(client.sets(AgentState.LOGIN)) == [
        "SET_AGENT_STATE_CONF",
        "AGENT_STATE_EVENT",
        "AGENT_STATE_EVENT",
    ]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"VersionNumber": 12}, 1), ({"VersionNumber": 26}, 1), ({"IdleTimeout": 19}, 18), ({"PeripheralID": 4}, 7)],
)
def test_an_open_that_cannot_be_served_is_refused_and_the_connection_closed(
    changes: dict[str, int], status: int
) -> None:
    client = Client(LabServer())
    answer = client.says_bytes(
        encode(Message("OPEN_REQ", {**OPEN, **changes}, WHO), 15 if changes.get("VersionNumber") == 12 else 20)
    )
    if changes.get("VersionNumber") != 12:
        assert [message.fields for message in answer] == [{"InvokeID": 1, "Status": status}]
    assert client.dropped.startswith("OPEN_REQ refused")


def test_open_without_a_client_id_and_a_second_open_are_refused() -> None:
    client = Client(LabServer())
    assert client.says("OPEN_REQ", OPEN)[0].fields["Status"] == 6
    assert client.dropped
    assert opened().opens()[0].fields["Status"] == 5


def test_a_request_before_open_closes_the_connection() -> None:
    client = Client(LabServer())
    assert client.says("HEARTBEAT_REQ", {"InvokeID": 3})[0].fields == {"InvokeID": 3, "Status": 4}
    assert client.dropped
    assert client.says_bytes(b"anything") == []


def test_heartbeats_are_answered_and_can_be_withheld() -> None:
    client = opened()
    assert client.says("HEARTBEAT_REQ", {"InvokeID": 3})[0].fields == {"InvokeID": 3}
    client.server.answers_heartbeats = False
    assert client.says("HEARTBEAT_REQ", {"InvokeID": 4}) == []


def test_requests_can_be_left_unanswered() -> None:
    client = opened()
    client.server.answers_requests = False
    assert client.sets(AgentState.LOGIN) == []
    assert client.says("QUERY_AGENT_STATE_REQ", {"PeripheralID": 5000}, (("AGENT_ID", "1001"),)) == []
    assert client.says("CONFIG_REQUEST_KEY_EVENT", {"PeripheralID": 5000}) == []
    assert client.says("CONFIG_REQUEST_EVENT", {"ConfigInformation": 6, "PeripheralID": 5000}) == []


def test_a_silent_client_is_told_and_dropped_after_its_own_time_out() -> None:
    client = opened()
    assert client.server.deadline == 120.0
    assert client.server.due(119.9) == []
    assert client.hears(client.server.due(120.0))[0].fields == {"Status": 16}
    assert client.dropped == "nothing was heard"
    assert client.server.deadline == float("inf")


def test_a_stranger_who_never_opens_is_dropped() -> None:
    client = Client(LabServer())
    assert client.hears(client.server.due(100.0 + OPEN_WITHIN_S)) == []
    assert client.dropped


def test_an_idle_time_out_of_never_means_never() -> None:
    client = Client(LabServer())
    client.opens(IdleTimeout=NULL32)
    assert client.server.deadline == float("inf")


def test_close_is_confirmed() -> None:
    client = opened()
    assert names(client.says("CLOSE_REQ", {"InvokeID": 2})) == ["CLOSE_CONF"]
    assert client.dropped == "closed by the client"
    assert client.server.sessions == []


def test_the_configuration_holds_everybody_in_messages_of_ten_records() -> None:
    client = opened()
    (keys,) = client.says("CONFIG_REQUEST_KEY_EVENT", {"PeripheralID": 5000})
    assert len(list(keys.all("AGENT_CONFIG_KEY"))) == 1
    begin, groups, agents, end = client.says("CONFIG_REQUEST_EVENT", {"ConfigInformation": 6, "PeripheralID": 5000})
    assert (begin.fields["ConfigType"], end.fields["ConfigEndStatus"]) == (1, 0)
    assert list(groups.all("PERIPHERAL_NUMBER")) == [10, 11, 12]
    assert list(agents.all("LOGIN_ID")) == [*(str(1000 + n) for n in range(1, 7)), "1101", "1102"]
    only_groups = client.says("CONFIG_REQUEST_EVENT", {"ConfigInformation": 2, "PeripheralID": 5000})
    assert names(only_groups) == ["CONFIG_BEGIN_EVENT", "CONFIG_SKILL_GROUP_EVENT", "CONFIG_END_EVENT"]


def test_the_bits_real_clients_ask_for_are_granted_even_where_no_guide_names_them() -> None:
    client = Client(LabServer())
    assert client.opens(ServicesRequested=0x041C0296)[0].fields["ServicesGranted"] == 0x001C0296


def test_events_and_answers_tell_how_long_a_state_has_lasted_and_who_can_take_calls() -> None:
    client = opened()
    client.sets(AgentState.LOGIN)
    client.sets(AgentState.AVAILABLE)
    agent = client.server.acd.agent("1001")
    assert agent is not None
    (event,) = client.hears(client.server.publish([agent], 130.5))
    assert (event.fields["StateDuration"], event.fields["AgentAvailabilityStatus"]) == (30, 1)
    team = Client(client.server, now=142.0)
    wire = encode(Message("OPEN_REQ", OPEN, WHO), 20)
    sales = next(m for m in team.says_bytes(wire, now=142.0) if m.fields.get("TeamID") == 1)
    assert next(sales.all("ATC_STATE_DURATION")) == 42
    assert next(sales.all("ATC_AGENT_STATE")) == AgentState.AVAILABLE


def test_every_client_hears_of_every_change_with_the_signature_of_who_made_it() -> None:
    server = LabServer()
    one, two = opened(server), opened(server, version=15)
    outputs = server.feed(
        one.session,
        encode(
            Message(
                "SET_AGENT_STATE_REQ",
                {"InvokeID": 7, "PeripheralID": 5000, "AgentState": 0},
                (("AGENT_INSTRUMENT", "1001"), ("AGENT_ID", "1001")),
            ),
            20,
        ),
        100.0,
    )
    mine, others = one.hears(outputs), two.hears(outputs)
    assert names(mine) == ["SET_AGENT_STATE_CONF", "AGENT_STATE_EVENT", "AGENT_STATE_EVENT"]
    assert names(others) == ["AGENT_STATE_EVENT", "AGENT_STATE_EVENT"]
    last = others[-1]
    assert last.fields["AgentState"] == AgentState.NOT_READY
    assert last.fields["SkillGroupNumber"] == NULL32
    assert (last.text("CLIENT_SIGNATURE"), last.agent_id, last.text("AGENT_EXTENSION")) == ("Finesse", "1001", "1001")


def test_clients_hear_only_the_states_and_services_they_asked_for() -> None:
    server = LabServer()
    deaf, blind, one = Client(server), Client(server), opened(server)
    deaf.opens(ServicesRequested=int(Service.CLIENT_CONTROL))
    blind.opens(AgentStateMask=1 << AgentState.LOGIN)
    outputs = server.publish(server.acd.start_call("1001", 1.0), 1.0)
    assert outputs == []
    one.sets(AgentState.LOGIN)
    outputs = server.publish(server.acd.start_call("1001", 101.0), 101.0)
    assert [output.session for output in outputs if isinstance(output, Send)] == [one.session]
    blind.sets(AgentState.LOGIN, agent="1002")
    outputs = server.publish(server.acd.hold("1001", 102.0), 102.0)
    assert names(one.hears(outputs)) == ["AGENT_STATE_EVENT"]
    assert blind.hears(outputs) == []


def test_refusals_carry_the_failure_code_and_name_the_request() -> None:
    client = opened()
    (refusal,) = client.sets(AgentState.AVAILABLE)
    assert refusal.name == "CONTROL_FAILURE_CONF"
    assert refusal.fields == {"InvokeID": 7, "FailureCode": 257, "PeripheralErrorCode": 10108}


@pytest.mark.parametrize(
    ("fields", "floats", "status"),
    [
        ({"PeripheralID": 4, "AgentState": 3}, (("AGENT_ID", "1001"),), 7),
        ({"PeripheralID": 5000, "AgentState": 3}, (), 6),
        ({"PeripheralID": 5000, "AgentState": 0}, (("AGENT_ID", "1001"),), 6),
        ({"PeripheralID": 5000, "AgentState": 4}, (("AGENT_ID", "1001"),), 8),
        ({"PeripheralID": 5000, "AgentState": 999}, (("AGENT_ID", "1001"),), 8),
    ],
)
def test_a_request_that_makes_no_sense_gets_a_failure_conf(
    fields: dict[str, int], floats: tuple[tuple[str, FloatValue], ...], status: int
) -> None:
    (failure,) = opened().says("SET_AGENT_STATE_REQ", {"InvokeID": 9, **fields}, floats)
    assert failure.fields == {"InvokeID": 9, "Status": status}


def test_a_client_without_the_control_service_may_only_look() -> None:
    client = Client(LabServer())
    client.opens(ServicesRequested=int(Service.ALL_EVENTS))
    assert client.sets(AgentState.LOGIN)[0].fields["Status"] == 12


def test_an_agents_state_can_be_asked_by_id_and_by_extension() -> None:
    client = opened()
    client.sets(AgentState.LOGIN)
    for floats in ((("AGENT_ID", "1001"),), (("AGENT_EXTENSION", "1001"),)):
        (answer,) = client.says("QUERY_AGENT_STATE_REQ", {"InvokeID": 5, "PeripheralID": 5000}, floats)
        assert (answer.agent_id, answer.fields["AgentState"]) == ("1001", AgentState.NOT_READY)
        assert list(answer.all("SKILL_GROUP_NUMBER")) == [10, 12]
    (answer,) = client.says("QUERY_AGENT_STATE_REQ", {"PeripheralID": 5000}, (("AGENT_ID", "1002"),))
    assert answer.fields["AgentState"] == AgentState.LOGOUT
    (answer,) = client.says("QUERY_AGENT_STATE_REQ", {"PeripheralID": 5000}, (("AGENT_ID", "9999"),))
    assert answer.fields["FailureCode"] == 256
    (answer,) = client.says("QUERY_AGENT_STATE_REQ", {"PeripheralID": 1}, (("AGENT_ID", "1001"),))
    assert answer.fields["Status"] == 7


def test_the_pending_state_is_in_the_event() -> None:
    client = opened()
    client.sets(AgentState.LOGIN)
    client.server.acd.start_call("1001", 100.0)
    event = client.sets(AgentState.AVAILABLE)[-1]
    assert event.fields["AgentState"] == AgentState.TALKING
    assert event.number("NEXT_AGENT_STATE") == AgentState.AVAILABLE


def test_an_unknown_request_is_refused_and_the_session_lives() -> None:
    client = opened()
    assert client.says("MAKE_PREDICTIVE_CALL_REQ", {"InvokeID": 11})[0].fields == {"InvokeID": 11, "Status": 12}
    assert client.says_bytes(bytes.fromhex("00000000000003e7"))[0].fields == {"InvokeID": 0, "Status": 12}
    assert names(client.says("HEARTBEAT_REQ", {"InvokeID": 3})) == ["HEARTBEAT_CONF"]


def test_a_malformed_request_is_answered_and_a_stubborn_client_dropped() -> None:
    client = opened()
    half = bytes.fromhex("0000000500000005000000ffff")
    assert client.says_bytes(half)[0].fields == {"InvokeID": 255, "Status": 23}
    for _ in range(MAX_MALFORMED):
        client.says_bytes(half)
    assert client.dropped.startswith("malformed message")


def test_garbage_ends_the_session_of_its_sender_alone() -> None:
    server = LabServer()
    bad, good = opened(server), opened(server)
    outputs = server.feed(bad.session, b"GET / HTTP/1.1\r\n\r\n", 100.0)
    assert bad.hears(outputs)[0].fields == {"Status": 2}
    assert "not GED-188" in bad.dropped
    assert names(good.sets(AgentState.LOGIN))[0] == "SET_AGENT_STATE_CONF"


def test_the_peripheral_can_go_and_come() -> None:
    client = opened()
    (gone,) = client.hears(client.server.set_online(False, 100.0))
    assert (gone.fields["SystemEventID"], gone.fields["PGStatus"]) == (4, 4)
    late = Client(client.server)
    assert late.opens()[0].fields["PeripheralOnline"] == 0
    (back,) = late.hears(client.server.set_online(True, 100.0))
    assert back.fields["SystemEventID"] == 3


def test_a_server_that_goes_offline_says_so() -> None:
    client = opened()
    assert client.hears(client.server.go_offline())[0].fields == {"Status": 15}
    assert client.dropped


def test_a_signature_longer_than_events_can_carry_is_shortened() -> None:
    client = Client(LabServer(LabSettings()))
    raw = ("é" * 40).encode()
    body = encode(Message("OPEN_REQ", OPEN, (("CLIENT_ID", "x"),)), 20)[8:] + b"\0\3\0\x50" + raw
    client.says_bytes(len(body).to_bytes(4, "big") + b"\0\0\0\3" + body)
    assert client.sets(AgentState.LOGIN)[-1].text("CLIENT_SIGNATURE") == "é" * 31


def test_a_session_is_forgotten_when_its_connection_goes() -> None:
    server = LabServer()
    client = opened(server)
    server.disconnected(client.session)
    server.disconnected(client.session)
    assert server.feed(client.session, b"", 100.0) == []
    assert isinstance(client.session, Session)
    assert server.sessions == []
