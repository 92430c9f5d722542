"""Any request of the table with any content: one answer at most, no fault, and the others are served."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.lab.acd.settings import AcdSettings
from poise.protocols.cti.codec import CtiError, encode
from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.layout import layout
from poise.protocols.cti.messages import FloatValue, Message, NamedArrayElement, NamedVariable
from tests.unit.lab.acd.floor import FIRST, Client, Floor

REQUESTS = sorted(name for name in layout().message_by_name if name.endswith("_REQ") and name != "OPEN_REQ")
TAGS = [
    "AGENT_ID", "AGENT_INSTRUMENT", "AGENT_EXTENSION", "CONNECTION_DEVID", "ACTIVE_CONN_DEVID", "HELD_CONN_DEVID",
    "OTHER_CONN_DEVID", "DIALED_NUMBER", "CALLED_DEVID", "MONITORED_DEVID", "SUPERVISOR_INSTRUMENT", "DTMF_STRING",
    "AGENT_CONNECTION_DEVID", "REQUESTING_DEVICE_ID", "CALL_VAR_1", "CALL_WRAPUP_DATA", "ANI", "CED", "TEXT",
]  # fmt: skip
NUMBERS = st.one_of(st.sampled_from([0, 1, 3, 5000, 10, FIRST + 1, FIRST + 2, NULL32]), st.integers(0, NULL32))
ROOM = {"UCHAR": 0xFF, "USHORT": 0xFFFF, "BOOL": 1, "UINT": NULL32, "TIME": NULL32}
TEXTS = st.one_of(
    st.sampled_from(["1001", "1002", "1101", "8010", "5551234", "12#", "\xe9" * 16]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
)


@st.composite
def floats(draw: st.DrawFn) -> tuple[tuple[str, FloatValue], ...]:
    found: list[tuple[str, FloatValue]] = [
        (draw(st.sampled_from(TAGS)), draw(TEXTS)) for _ in range(draw(st.integers(0, 5)))
    ]
    if draw(st.booleans()):
        found.append(("NAMED_VARIABLE", NamedVariable(draw(TEXTS), draw(TEXTS))))
        found.append(("NAMED_ARRAY", NamedArrayElement(draw(st.integers(0, 255)), draw(TEXTS), draw(TEXTS))))
        found.append(("UUI", draw(st.binary(max_size=131))))
        found.append(("CALL_VAR_2", draw(st.binary(max_size=41))))
    return tuple(found)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    name = draw(st.sampled_from(REQUESTS))
    fixed = layout().message_by_name[name].fixed
    fields = {field.name: draw(NUMBERS) & ROOM.get(field.type, 0x7FFFFFFF) for field in fixed}
    fields = {key: 5000 if key == "PeripheralID" and value % 8 else value for key, value in fields.items()}
    return Message(name, fields, draw(floats()))


@given(st.lists(messages(), min_size=1, max_size=20), st.sampled_from([15, 20, 24]))
@settings(max_examples=150, deadline=None)
def test_whatever_is_asked_the_server_lives_and_answers_once(asked: list[Message], version: int) -> None:
    floor = Floor(version=version, acd=AcdSettings(ring_s=5))
    floor.signs_in("1001", "1002", "1101", ready=True)
    floor.calls_in("8010")
    floor.calls_in("8010")
    other = Client(floor.server, 18, floor.now)
    floor.others.append(other)
    for message in asked:
        try:
            wire = encode(message, version)
        except CtiError:  # what cannot be written cannot be asked
            continue
        if floor.client.session.closed:
            floor.client = Client(floor.server, version, floor.now)
        floor.client.heard.clear()
        outputs = floor.server.feed(floor.client.session, wire, floor.now)
        mine = [output for output in outputs if output.session is floor.client.session]
        if not floor.client.session.closed:
            floor.client.hears(mine)
            answers = [each for each in floor.client.heard if each.name.endswith("_CONF")]
            assert len(answers) <= 1, [each.name for each in answers]
        other.hears(outputs)
        floor.now += 1
        for output in floor.server.due(floor.now):
            if output.session is other.session:
                other.hears([output])
    assert not other.session.closed
