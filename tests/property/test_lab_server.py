"""Whatever clients send, the simulated CTI server lives, drops only the offender, and what it says can be read."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.lab.rules import Deployment
from poise.lab.server import Drop, LabServer, LabSettings, Send, Session
from poise.protocols.cti.codec import Framer, Malformed, encode
from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.messages import FloatValue, Message

AGENTS = ["1001", "1002", "1101", "9999", ""]
EXTENSIONS = ["1001", "1002", "777", "x", "1" * 40, "1001;4085551234"]
OPEN = Message(
    "OPEN_REQ",
    {
        "VersionNumber": 20,
        "IdleTimeout": 20,
        "PeripheralID": 5000,
        "ServicesRequested": 0x180096,
        "AgentStateMask": 0x3FFF,
    },
    (("CLIENT_ID", "Poise"), ("CLIENT_SIGNATURE", "Finesse")),
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    name = draw(
        st.sampled_from(
            ["SET_AGENT_STATE_REQ"] * 5
            + ["QUERY_AGENT_STATE_REQ", "CONFIG_REQUEST_EVENT", "CONFIG_REQUEST_KEY_EVENT", "HEARTBEAT_REQ"]
            + ["CLOSE_REQ", "MAKE_CALL_REQ", "AGENT_STATE_EVENT"]
        )
    )
    fields: dict[str, int] = {}
    if name == "SET_AGENT_STATE_REQ":
        fields = {
            "AgentState": draw(st.integers(0, 12)),
            "EventReasonCode": draw(st.sampled_from([0, 22, 33, 255, 999])),
            "ForcedFlag": draw(st.integers(0, 2)),
        }
    if name in ("SET_AGENT_STATE_REQ", "QUERY_AGENT_STATE_REQ"):
        fields |= {"InvokeID": draw(st.integers(0, NULL32)), "PeripheralID": draw(st.sampled_from([5000, 5000, 1]))}
    if name == "CONFIG_REQUEST_EVENT":
        fields = {"ConfigInformation": draw(st.integers(0, 15)), "PeripheralID": 5000}
    floats: tuple[tuple[str, FloatValue], ...] = (
        ("AGENT_ID", draw(st.sampled_from(AGENTS))),
        ("AGENT_INSTRUMENT", draw(st.sampled_from(EXTENSIONS))),
    )
    return encode(Message(name, fields, floats), 20)


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(requests()))
    data[draw(st.integers(0, len(data) - 1))] ^= draw(st.integers(1, 255))
    return bytes(data[: draw(st.integers(1, len(data)))])


STEPS = st.one_of(
    requests(), requests(), requests(), bent(), st.binary(max_size=50), st.sampled_from(["call", "hold", "end", "wait"])
)


@given(st.lists(STEPS, max_size=50), st.sampled_from(list(Deployment)), st.integers(0, 1))
@settings(max_examples=300, deadline=None)
def test_the_server_lives_and_a_quiet_client_understands_everything(
    steps: list[bytes | str], deployment: Deployment, load: int
) -> None:
    server = LabServer(LabSettings(deployment=deployment, load=load))
    now = 0.0
    quiet = server.connected(now)
    reader = Framer(20)
    server.feed(quiet, encode(OPEN, 20), now)
    noisy: Session | None = None
    for step in steps:
        now += 0.1
        outputs = []
        if isinstance(step, bytes):
            if noisy is None or noisy.closed:
                noisy = server.connected(now)
                outputs += server.feed(noisy, encode(OPEN, 20), now)
            outputs += server.feed(noisy, step, now)
        elif step == "wait":
            now += 19
            outputs += server.feed(quiet, encode(Message("HEARTBEAT_REQ"), 20), now)
        elif step == "call":
            outputs += server.publish(server.acd.start_call("1001", now), now)
        elif step == "hold":
            outputs += server.publish(server.acd.hold("1001", now), now)
        elif step == "end":
            outputs += server.publish(server.acd.end_call("1001", now, wrap_up=True), now)
        outputs += server.due(now)
        for output in outputs:
            if output.session is quiet:
                assert isinstance(output, Send), f"the quiet client was dropped: {output}"
                assert not any(isinstance(item, Malformed) for item in reader.feed(output.data))
            else:
                assert isinstance(output, Send | Drop)
        used = [agent.extension for agent in map(server.acd.agent, AGENTS) if agent is not None and agent.extension]
        assert len(used) == len(set(used)), "two agents sit at one telephone"
