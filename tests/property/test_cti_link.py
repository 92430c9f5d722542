"""Whatever a CTI server sends, the link neither breaks nor sleeps for ever, and every request ends exactly once."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.protocols.cti import timing
from poise.protocols.cti.codec import CtiError, encode
from poise.protocols.cti.layout import layout
from poise.protocols.cti.link import Link
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import Connect, LinkDown, LinkUp, Output, RequestEnded, SendBytes, Side
from poise.protocols.cti.settings import LinkSettings
from poise.protocols.cti.states import CONNECTED_STATES, LinkState

SIDES = (Side("A", "a.example", 1), Side("B", "b.example", 2))
SMALL = st.integers(0, 16)
INTERESTING = [
    "OPEN_CONF",
    "FAILURE_CONF",
    "FAILURE_EVENT",
    "HEARTBEAT_CONF",
    "CLOSE_CONF",
    "SYSTEM_EVENT",
    "CONFIG_KEY_EVENT",
    "CONFIG_BEGIN_EVENT",
    "CONFIG_AGENT_EVENT",
    "CONFIG_SKILL_GROUP_EVENT",
    "CONFIG_END_EVENT",
    "AGENT_TEAM_CONFIG_EVENT",
    "AGENT_STATE_EVENT",
    "QUERY_AGENT_STATE_CONF",
    "SET_AGENT_STATE_CONF",
    "CONTROL_FAILURE_CONF",
    "SNAPSHOT_DEVICE_CONF",
    "SNAPSHOT_CALL_CONF",
    "QUERY_SKILL_GROUP_STATISTICS_CONF",
]
TOLD = {"InvokeID"}
"""Of messages with more fields than an example can hold: the ones that matter."""
TAGS = ["LOGIN_ID", "ATC_AGENT_ID", "AGENT_TEAM_NAME", "AGENT_ID", "AGENT_EXTENSION", "CALL_CONN_DEVID"]


@st.composite
def server_messages(draw: st.DrawFn) -> Message:
    name = draw(st.sampled_from(INTERESTING))
    names = [field.name for field in layout().message_by_name[name].fixed if field.since <= 20]
    fields = {field: draw(SMALL) for field in names if field in TOLD or len(names) < 30}
    if "SystemEventArg1" in fields:
        fields["SystemEventArg1"] = 5000
    floats = draw(
        st.lists(
            st.tuples(st.sampled_from(TAGS), st.sampled_from(["1001", "1002", "", "x" * 11]))
            | st.tuples(st.sampled_from(["RECORD_TYPE", "CALL_CONN_CALLID", "PERIPHERAL_NUMBER"]), st.integers(0, 3))
            | st.tuples(st.just("AGENT_CONFIG_KEY"), st.just(b"12345678")),
            max_size=6,
        )
    )
    return Message(name, fields, tuple(floats))


STEPS = st.one_of(
    server_messages(),
    server_messages(),
    st.binary(max_size=40),
    st.sampled_from(["connected", "disconnected", "wait", "short", "request", "stop", "start"]),
)


class Follower:
    """Keeps account of what a link said."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.asked: set[int] = set()
        self.ended: list[int] = []
        self.up = False

    def hear(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, LinkUp):
                assert not self.up
                self.up = True
            elif isinstance(output, LinkDown):
                assert self.up
                self.up = False
            elif isinstance(output, RequestEnded):
                self.ended.append(output.invoke_id)
            elif isinstance(output, Connect):
                assert self.link.state is LinkState.CONNECTING


def step(link: Link, what: object, now: float, follower: Follower) -> None:
    if isinstance(what, Message):
        try:
            data = encode(what, link.version)
        except CtiError:
            return
        follower.hear(link.feed(data, now))
    elif isinstance(what, bytes):
        follower.hear(link.feed(what, now))
    elif what == "connected":
        follower.hear(link.connected(now))
    elif what == "disconnected":
        follower.hear(link.disconnected(now, "cut"))
    elif what == "stop":
        follower.hear(link.stop(now))
    elif what == "start":
        follower.hear(link.start(now))
    elif what == "request":
        invoke_id, outputs = link.request(Message("SET_AGENT_STATE_REQ"), now)
        follower.asked.add(invoke_id)
        follower.hear(outputs)
    follower.hear(link.due(now))
    assert follower.up == (link.state is LinkState.UP)


@given(st.lists(STEPS, max_size=60))
@settings(max_examples=400, deadline=None)
def test_a_link_survives_any_server(steps: list[object]) -> None:
    link = Link(LinkSettings(SIDES, statistics_s=10.0))
    follower = Follower(link)
    now = 0.0
    follower.hear(link.start(now))
    for what in steps:
        now += {"wait": 30.0, "short": 5.0}.get(what, 0.1) if isinstance(what, str) else 0.01
        step(link, what, now, follower)
        if link.state is not LinkState.STOPPED:
            assert link.deadline < float("inf"), f"nothing will ever happen again in {link.state}"
    if link.state in CONNECTED_STATES:
        follower.hear(link.disconnected(now, "end"))
    follower.hear(link.due(now + timing.REQUEST_TIMEOUT_S + 1))
    assert sorted(follower.ended) == sorted(follower.asked)
    assert not follower.up


def to_up(link: Link, now: float, agents: int, calls: int) -> list[str]:
    """An honest server brings the link up; the names of everything the link asked for."""
    asked: list[str] = []
    outputs = link.start(now) if link.state is LinkState.STOPPED else link.due(link.deadline)
    outputs += link.connected(now)
    while link.state is not LinkState.UP:
        sent = [output.message for output in outputs if isinstance(output, SendBytes)]
        assert sent, f"nothing is asked any more in {link.state}"
        outputs = []
        for message in sent:
            asked.append(message.name)
            for answer in honest(message, agents, calls):
                outputs += link.feed(encode(answer, link.version), now)
    return asked


def honest(message: Message, agents: int, calls: int) -> list[Message]:
    """What an honest server says."""
    invoke = {"InvokeID": message.fields.get("InvokeID", 0)}
    if message.name == "OPEN_REQ":
        return [Message("OPEN_CONF", {**invoke, "PeripheralOnline": 1})]
    if message.name == "CONFIG_REQUEST_KEY_EVENT":
        return [Message("CONFIG_KEY_EVENT")]
    if message.name == "CONFIG_REQUEST_EVENT":
        records = [(("RECORD_TYPE", 0), ("LOGIN_ID", str(1001 + at))) for at in range(agents)]
        return [
            Message("CONFIG_BEGIN_EVENT", {"ConfigType": 1}),
            *(Message("CONFIG_AGENT_EVENT", {"NumRecords": 1}, record) for record in records),
            Message("CONFIG_END_EVENT"),
        ]
    if message.name == "QUERY_AGENT_STATE_REQ":
        where = (("AGENT_EXTENSION", message.agent_id or ""),)
        return [Message("QUERY_AGENT_STATE_CONF", {**invoke, "AgentState": 4}, where)]
    if message.name == "SNAPSHOT_DEVICE_REQ":
        rows = tuple(("CALL_CONN_CALLID", 900 + at) for at in range(calls))
        return [Message("SNAPSHOT_DEVICE_CONF", {**invoke, "NumCalls": calls}, rows)]
    assert message.name == "SNAPSHOT_CALL_REQ"
    return [Message("SNAPSHOT_CALL_CONF", invoke)]


@given(st.integers(0, 120), st.integers(0, 5), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_every_session_asks_for_every_agent_every_telephone_and_every_call_once(
    agents: int, calls: int, sessions: int
) -> None:
    link = Link(LinkSettings(SIDES))
    now = 0.0
    for _ in range(sessions):
        asked = to_up(link, now, agents, calls)
        assert asked.count("QUERY_AGENT_STATE_REQ") == agents
        assert asked.count("SNAPSHOT_DEVICE_REQ") == agents
        assert asked.count("SNAPSHOT_CALL_REQ") == (calls if agents else 0)
        link.disconnected(now, "cut")
        now = link.deadline


def test_a_resync_of_two_thousand_agents_costs_far_less_than_five_seconds() -> None:
    link = Link(LinkSettings(SIDES))
    to_up(link, 0.0, 2000, 2)
    link.disconnected(0.0, "cut")
    began = time.process_time()
    asked = to_up(link, link.deadline, 2000, 2)
    assert time.process_time() - began < 5.0
    assert len(asked) > 4000
