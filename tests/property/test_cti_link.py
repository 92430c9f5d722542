"""Whatever a CTI server sends, the link neither breaks nor sleeps for ever, and every request ends exactly once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.protocols.cti import timing
from poise.protocols.cti.codec import CtiError, encode
from poise.protocols.cti.layout import layout
from poise.protocols.cti.link import Link
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import Connect, LinkDown, LinkUp, Output, RequestEnded, Side
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
]
TAGS = ["LOGIN_ID", "ATC_AGENT_ID", "AGENT_TEAM_NAME", "AGENT_ID"]


@st.composite
def server_messages(draw: st.DrawFn) -> Message:
    name = draw(st.sampled_from(INTERESTING))
    names = [field.name for field in layout().message_by_name[name].fixed if field.since <= 20]
    fields = {field: draw(SMALL) for field in names}
    if "SystemEventArg1" in fields:
        fields["SystemEventArg1"] = 5000
    floats = draw(
        st.lists(
            st.tuples(st.sampled_from(TAGS), st.sampled_from(["1001", "1002", "", "x" * 11]))
            | st.tuples(st.just("RECORD_TYPE"), st.integers(0, 3))
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
    link = Link(LinkSettings(SIDES))
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
