"""Statistics of the simulated CTI server as its clients read them, in every state an agent can be made to have."""

from __future__ import annotations

import pytest

from poise.lab.server import LabServer, Send, Session
from poise.protocols.cti.codec import Framer, encode
from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.messages import FloatValue, Message
from poise.protocols.cti.outputs import Side
from poise.protocols.cti.settings import LinkSettings, open_request

WHERE: tuple[tuple[str, FloatValue], ...] = (("AGENT_INSTRUMENT", "1001"), ("AGENT_ID", "1001"))


def ask(server: LabServer, session: Session, message: Message, now: float) -> list[Message]:
    """What the server says to a request."""
    wire = b"".join(out.data for out in server.feed(session, encode(message, 20), now) if isinstance(out, Send))
    return [item for item in Framer(20).feed(wire) if isinstance(item, Message)]


def state(state: AgentState) -> Message:
    return Message("SET_AGENT_STATE_REQ", {"InvokeID": 5, "PeripheralID": 5000, "AgentState": int(state)}, WHERE)


@pytest.mark.parametrize(
    "last", [None, AgentState.LOGIN, AgentState.AVAILABLE, AgentState.NOT_READY, AgentState.LOGOUT]
)
def test_the_counters_of_queue_and_agent_can_be_read_whatever_the_agent_does(last: AgentState | None) -> None:
    server = LabServer()
    session = server.connected(0.0)
    ask(server, session, open_request(LinkSettings((Side("A", "a.example", 1),)), 20, 1), 0.0)
    if last is not None:
        ask(server, session, state(AgentState.LOGIN), 1.0)
        ask(server, session, state(AgentState.AVAILABLE), 10.0)
        ask(server, session, state(AgentState.NOT_READY), 20.0)
        ask(server, session, state(last), 30.0)
    group = {"InvokeID": 7, "PeripheralID": 5000, "SkillGroupNumber": 10, "SkillGroupID": 0xFFFFFFFF}
    (queue,) = ask(server, session, Message("QUERY_SKILL_GROUP_STATISTICS_REQ", group), 45.0)
    assert queue.name == "QUERY_SKILL_GROUP_STATISTICS_CONF"
    signed_in = last not in (None, AgentState.LOGOUT)
    assert queue.fields["AgentsLoggedOn"] == int(signed_in)
    assert queue.fields["AgentsReady"] == int(last is AgentState.AVAILABLE)
    assert (queue.fields["AvailTimeToday"] > 0) is (last is not None)
    if signed_in:
        own = Message("QUERY_AGENT_STATISTICS_REQ", {"InvokeID": 8, "PeripheralID": 5000}, WHERE)
        (agent,) = ask(server, session, own, 45.0)
        assert agent.name == "QUERY_AGENT_STATISTICS_CONF"
        assert agent.fields["LoggedOnTimeSession"] == 44
