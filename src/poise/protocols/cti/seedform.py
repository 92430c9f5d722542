"""CTI messages as text, in the form the desktop server's web services log has always had.

An event reads `CTIAgentStateEvent [agentState=8 (RESERVED), duration=null, ...]CTIMessageBean [invokeID=null, ...]`:
class name from the message name, lower-camel labels, enumerations as `n (NAME)`, absent floating fields `null`, absent
lists `[]`, null numbers -1. Values of call variables are masked, as in Finesse since 12.5. What a message may carry is
the layout table's; `FORMS` holds the messages of which real logs show an order of their own. Passwords never appear.
Line breaks and control characters in foreign texts are the log writer's to escape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from poise.protocols.cti.constants import NULL16, NULL32
from poise.protocols.cti.enumerations import ENUMERATIONS, symbol
from poise.protocols.cti.layout import layout
from poise.protocols.cti.messages import FloatValue, Message, NamedArrayElement, NamedVariable

SECRET_TAGS = frozenset({"CLIENT_PASSWORD", "AGENT_PASSWORD", "AUTHORIZATION_CODE", "ACCOUNT_CODE", "CED"})
PRIVATE_TAGS = "CALL_VAR"
"""Begin of the tags whose values are the callers' own data."""
MASK = "****"
_WORDS = {"ID": "ID", "ANI": "ANI", "UUI": "UUI", "DEVID": "DeviceID", "CALLID": "CallID"}


class _Slot(NamedTuple):
    """One `label=value` of an event with an order of its own."""

    label: str
    source: str
    kind: str
    """"field", "float" or "list"."""


_AGENT_STATE_EVENT = (
    _Slot("skillGroupState", "SkillGroupState", "field"),
    _Slot("stateDuration", "StateDuration", "field"),
    _Slot("skillGroupNumber", "SkillGroupNumber", "field"),
    _Slot("skillGroupPriority", "SkillGroupPriority", "field"),
    _Slot("agentState", "AgentState", "field"),
    _Slot("eventReasonCode", "EventReasonCode", "field"),
    _Slot("numFltSkillGroups", "NumFltSkillGroups", "field"),
    _Slot("CTIClientSignature", "CLIENT_SIGNATURE", "float"),
    _Slot("agentID", "AGENT_ID", "float"),
    _Slot("agentExtension", "AGENT_EXTENSION", "float"),
    _Slot("agentInstrument", "AGENT_INSTRUMENT", "float"),
    _Slot("agentID_Long", "AGENT_ID_LONG", "float"),
    _Slot("duration", "DURATION", "float"),
    _Slot("nextAgentState", "NEXT_AGENT_STATE", "float"),
    _Slot("fltSkillGroupNumberList", "SKILL_GROUP_NUMBER", "list"),
    _Slot("fltSkillGroupIDList", "SKILL_GROUP_ID", "list"),
    _Slot("fltSkillGroupPriorityList", "SKILL_GROUP_PRIORITY", "list"),
    _Slot("fltSkillGroupStateList", "SKILL_GROUP_STATE", "list"),
    _Slot("MRDId", "MRDID", "field"),
    _Slot("agentMode", "AgentMode", "field"),
)


_STATISTICS = tuple(
    _Slot(name[0].lower() + name[1:], name, "field")
    for name in (
        "PeripheralID",
        "SkillGroupNumber",
        "RouterCallsQNow",
        "LongestRouterCallQNow",
        "AgentsNotReady",
        "AgentsReady",
        "AgentsTalkingIn",
        "AgentsTalkingOut",
        "AgentsTalkingOther",
        "AgentsWorkNotReady",
        "AgentsWorkReady",
    )
)


class _Form(NamedTuple):
    """How one message is told where real logs show it in a form of its own."""

    slots: tuple[_Slot, ...]
    gap: str
    """Between the class name and its bracket."""
    numbered: bool
    """Has a cti_sequence_id."""
    times: tuple[str, str]
    """Names in timeTracker of the later and the earlier moment, in the order in which they are printed."""


FORMS = {
    "AGENT_STATE_EVENT": _Form(_AGENT_STATE_EVENT, " ", True, ("CTI_MSG_RECEIVED", "CTI_MSG_DISPATCH")),
    "QUERY_SKILL_GROUP_STATISTICS_CONF": _Form(_STATISTICS, "", False, ("CTI_MSG_NOTIFIED", "CTI_MSG_RECEIVED")),
}
_USUAL = _Form((), " ", True, ("CTI_MSG_RECEIVED", "CTI_MSG_DISPATCH"))


@cache
def event_name(message_name: str) -> str:
    """AGENT_STATE_EVENT -> AgentStateEvent."""
    return "".join(word.capitalize() for word in message_name.split("_"))


@cache
def _field_label(name: str) -> str:
    """AgentState -> agentState; a leading acronym stays (ICMAgentID, MRDID)."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


@cache
def _tag_label(name: str) -> str:
    """AGENT_ID -> agentID, LOGIN_NAME -> loginName, CONNECTION_DEVID -> connectionDeviceID."""
    first, *rest = name.split("_")
    return first.lower() + "".join(_WORDS.get(word, word.capitalize()) for word in rest)


def _number(name: str, value: int) -> str:
    if name in ENUMERATIONS:
        known = symbol(name, value)
        if known:
            return f"{value} ({known})"
        return "-1" if value in (NULL16, NULL32) else str(value)
    return "-1" if value == NULL32 else str(value)


def _value(name: str, value: FloatValue) -> str:
    if name in SECRET_TAGS or (value and name.startswith(PRIVATE_TAGS)):
        return MASK
    if isinstance(value, int):
        return _number(name, value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, NamedVariable):
        return f"{value.name}:{MASK if value.value else ''}"
    if isinstance(value, NamedArrayElement):
        return f"{value.name}[{value.position}]:{MASK if value.value else ''}"
    return value


def _first(message: Message, tag: str) -> str:
    found = next(message.all(tag), None)
    return "null" if found is None else _value(tag, found)


def _list(message: Message, tag: str) -> str:
    return "[" + ", ".join(_value(tag, value) for value in message.all(tag)) + "]"


def _ordered(message: Message, slots: tuple[_Slot, ...]) -> str:
    show: dict[str, Callable[[str], str]] = {
        "field": lambda source: _number(source, message.fields.get(source, 0)),
        "float": lambda source: _first(message, source),
        "list": lambda source: _list(message, source),
    }
    return ", ".join(f"{slot.label}={show[slot.kind](slot.source)}" for slot in slots)


def _generic(message: Message, *, absent: bool) -> str:
    """Fixed part and floating fields by the layout table; `absent`: name what the message might carry and does not."""
    parts = [
        f"{_field_label(name)}={_number(name, value)}" for name, value in message.fields.items() if name != "InvokeID"
    ]
    known = layout().message_by_name.get(message.name)
    lists: tuple[str, ...] = () if known is None else known.lists
    said: dict[str, list[str]] = {}
    if known is not None and absent:
        said = {tag: [] for tag in (*known.floats, *lists)}
    for tag, value in message.floats:
        said.setdefault(tag, []).append(_value(tag, value))
    for tag, values in said.items():
        if len(values) > 1 or tag in lists:
            parts.append(f"{_tag_label(tag)}List=[{', '.join(values)}]")
        else:
            parts.append(f"{_tag_label(tag)}={values[0] if values else 'null'}")
    if message.raw:
        parts.append(f"raw={message.raw.hex()}")
    return ", ".join(parts)


def _number_of(message: Message) -> str:
    known = layout().message_by_name.get(message.name)
    return message.name.partition("_")[2] if known is None else str(known.number)


def decoded_text(
    message: Message, *, sequence_id: int, received_ms: int, dispatch_ms: int, deployment: str = "CCE"
) -> str:
    """An event or confirmation, for DECODED_MESSAGE_FROM_CTI_SERVER. Times are milliseconds since the epoch."""
    name = event_name(message.name)
    form = FORMS.get(message.name, _USUAL)
    body = _ordered(message, form.slots) if form.slots else _generic(message, absent=True)
    invoke_id = message.fields.get("InvokeID")
    moments = {"CTI_MSG_RECEIVED": received_ms, "CTI_MSG_DISPATCH": dispatch_ms, "CTI_MSG_NOTIFIED": dispatch_ms}
    times = ",".join(f'"{moment}":{moments[moment]}' for moment in form.times)
    sequence = f"cti_sequence_id={sequence_id}, " if form.numbered else ""
    return (
        f"CTI{name}{form.gap}[{body}]CTIMessageBean [invokeID={'null' if invoke_id is None else invoke_id}, "
        f'{sequence}msgID={_number_of(message)}, timeTracker={{"id":"{name}",{times}}}, msgName={name}, '
        f"deploymentType={deployment}]"
    )


def request_text(message: Message) -> str:
    """A request, for MESSAGE_TO_CTI_SERVER. SET_AGENT_STATE_REQ keeps the odd spacing of real logs."""
    if message.name != "SET_AGENT_STATE_REQ":
        said = _generic(message, absent=False)
        return f"{event_name(message.name)} : invokeid : {message.fields.get('InvokeID', 0)}, [{said}]"
    fields = message.fields
    agent = message.agent_id or ""
    return (
        f"SetAgentStateReq : invokeid : {fields.get('InvokeID', 0)}, agentstate : {fields.get('AgentState', 0)}, "
        f"workmode : {fields.get('AgentWorkMode', 0)}, reason code: {fields.get('EventReasonCode', 0)}, "
        f"forceflag :{fields.get('ForcedFlag', 0)}, agentcapacity: {fields.get('AgentServiceReq', 0)}, "
        f"agenttext: {message.text('AGENT_INSTRUMENT') or agent}, agentid: {agent},"
    )
