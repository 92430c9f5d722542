"""What a simulated CTI server says: its messages, made from its data. No I/O, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from poise.lab.acd.agents import Acd, AgentNow
from poise.lab.acd.events import group_id
from poise.lab.data import LabData, Person, SkillGroup, as_json
from poise.lab.rules import Deployment, Refuse
from poise.protocols.cti.constants import (
    NULL32,
    VOICE_MRD,
    AgentFlag,
    AgentState,
    AgentType,
    ConfigKind,
    ConfigOperation,
    ConfigType,
    PeripheralType,
    RecordType,
    Status,
    SystemEventId,
)
from poise.protocols.cti.messages import FloatValue, Message, agent_floats

RECORDS_PER_MESSAGE = 10
"""Configuration records in one message (GED-188)."""
MEMBERS_PER_MESSAGE = 100
"""Team members in one AGENT_TEAM_CONFIG_EVENT; keeps it far below the limit of a message."""

Floats = tuple[tuple[str, FloatValue], ...]
T = TypeVar("T")
PERIPHERAL_TYPES = {
    Deployment.UCCE: PeripheralType.ENTERPRISE_AGENT,
    Deployment.UCCX: PeripheralType.ACMI_CRS,
}


def failure(invoke_id: int, status: Status) -> Message:
    """FAILURE_CONF."""
    return Message("FAILURE_CONF", {"InvokeID": invoke_id, "Status": int(status)})


def control_failure(invoke_id: int, refusal: Refuse) -> Message:
    """CONTROL_FAILURE_CONF."""
    fields = {
        "InvokeID": invoke_id,
        "FailureCode": int(refusal.code),
        "PeripheralErrorCode": int(refusal.peripheral_error),
    }
    return Message("CONTROL_FAILURE_CONF", fields)


def with_id(answer: Message | Refuse | int, invoke_id: int) -> Message:
    """What a request about calls was answered with, as the message to its InvokeID."""
    if isinstance(answer, Refuse):
        return control_failure(invoke_id, answer)
    if isinstance(answer, int):
        return Message("FAILURE_CONF", {"InvokeID": invoke_id, "Status": answer})
    return Message(answer.name, {**answer.fields, "InvokeID": invoke_id}, answer.floats)


def system_event(event: SystemEventId, pg_status: int, time: int, argument: int = 0) -> Message:
    """SYSTEM_EVENT."""
    fields = {
        "PGStatus": pg_status,
        "ICMCentralControllerTime": time,
        "SystemEventID": int(event),
        "SystemEventArg1": argument,
        "EventDeviceType": 0xFFFF,
    }
    return Message("SYSTEM_EVENT", fields)


def peripheral_event(peripheral_id: int, online: bool, time: int) -> Message:
    """SYSTEM_EVENT: the peripheral came or went."""
    event = SystemEventId.PERIPHERAL_ONLINE if online else SystemEventId.PERIPHERAL_OFFLINE
    return system_event(event, 0 if online else 4, time, peripheral_id)


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]


def _flags(person: Person, team_id: int) -> int:
    return int(AgentFlag.PRIMARY_SUPERVISOR) if team_id in person.supervises else 0


def team_events(acd: Acd, peripheral_id: int, now: float) -> Iterator[Message]:
    """AGENT_TEAM_CONFIG_EVENTs: every team with each member's state and for how long."""
    for team in acd.data.teams:
        members = [p for p in acd.data.people if p.team == team.team_id or team.team_id in p.supervises]
        for some in _batches(members, MEMBERS_PER_MESSAGE):
            floats: list[tuple[str, FloatValue]] = [("AGENT_TEAM_NAME", team.name)]
            for person in some:
                agent = acd.agent(person.agent_id)
                assert agent is not None
                floats += [
                    ("ATC_AGENT_ID", person.agent_id),
                    ("AGENT_FLAGS", _flags(person, team.team_id)),
                    ("ATC_AGENT_STATE", int(agent.state)),
                    ("ATC_STATE_DURATION", _duration(agent, now)),
                ]
            fields = {
                "PeripheralID": peripheral_id,
                "TeamID": team.team_id,
                "NumberOfAgents": len(some),
                "ConfigOperation": int(ConfigOperation.ADD),
            }
            yield Message("AGENT_TEAM_CONFIG_EVENT", fields, tuple(floats))


def config_keys(data: LabData) -> Message:
    """CONFIG_KEY_EVENT: the keys change whenever the data do."""
    digest = hashlib.blake2b(as_json(data).encode(), digest_size=8).digest()
    names = ("SERVICE", "SKILL_GROUP", "AGENT", "DEVICE", "CALL_TYPE")
    tags = [f"{name}_CONFIG_KEY" if name != "CALL_TYPE" else "CALL_TYPE_KEY_CONFIG" for name in names]
    return Message("CONFIG_KEY_EVENT", {"ConfigKeyStatus": 0}, tuple((tag, digest) for tag in tags))


def _group_record(group: SkillGroup, peripheral_id: int) -> Floats:
    return (
        ("RECORD_TYPE", int(RecordType.ADD)),
        ("PERIPHERAL_ID", peripheral_id),
        ("PERIPHERAL_NUMBER", group.number),
        ("SKILL_GROUP_PRIORITY", 0),
        ("SKILL_GROUP_SKILL_TARGET_ID", group_id(group.number)),
        ("AUTO_WORK", 0),
        ("PERIPHERAL_NAME", group.name),
        ("MR_DOMAIN_ID", VOICE_MRD),
    )


def _agent_record(data: LabData, person: Person, peripheral_id: int, target: int) -> Floats:
    groups = data.groups_of(person)
    skills: Floats = tuple(
        entry for group in groups for entry in (("SKILL_GROUP_NUMBER", group.number), ("SKILL_GROUP_PRIORITY", 1))
    )
    return (
        ("RECORD_TYPE", int(RecordType.ADD)),
        ("PERIPHERAL_ID", peripheral_id),
        ("AGENT_TYPE", int(AgentType.SUPERVISOR if person.supervises else AgentType.AGENT)),
        ("LOGIN_ID", person.agent_id),
        ("LOGIN_NAME", person.login_name),
        ("LAST_NAME", person.last_name),
        ("FIRST_NAME", person.first_name),
        ("EXTENSION", person.extension),
        ("AGENT_SKILL_TARGET_ID", target),
        ("SSO_ENABLED", 0),
        ("NUM_SKILLS", len(groups)),
        *skills,
    )


def configuration(data: LabData, peripheral_id: int, wanted: int) -> Iterator[Message]:
    """The whole answer to CONFIG_REQUEST_EVENT."""
    kinds: list[tuple[ConfigKind, str, Callable[[], list[Floats]]]] = [
        (
            ConfigKind.SKILL_GROUP,
            "CONFIG_SKILL_GROUP_EVENT",
            lambda: [_group_record(group, peripheral_id) for group in data.skill_groups],
        ),
        (
            ConfigKind.AGENT,
            "CONFIG_AGENT_EVENT",
            lambda: [_agent_record(data, p, peripheral_id, 6000 + at) for at, p in enumerate(data.people, 1)],
        ),
    ]
    yield Message("CONFIG_BEGIN_EVENT", {"ConfigType": int(ConfigType.SOLICITED), "ConfigInformation": wanted})
    for kind, name, records in kinds:
        if wanted & kind:
            for some in _batches(records(), RECORDS_PER_MESSAGE):
                floats = tuple(entry for record in some for entry in record)
                yield Message(name, {"NumRecords": len(some)}, floats)
    yield Message("CONFIG_END_EVENT", {"ConfigEndStatus": 0})


def _duration(agent: AgentNow, now: float) -> int:
    return max(0, int(now - agent.since))


def _where(agent: AgentNow) -> Floats:
    if not agent.extension:
        return ()
    return (("AGENT_EXTENSION", agent.extension), ("AGENT_INSTRUMENT", agent.extension))


def state_confirmation(data: LabData, agent: AgentNow, invoke_id: int) -> Message:
    """QUERY_AGENT_STATE_CONF."""
    groups = data.groups_of(agent.person)
    lists: Floats = tuple(
        entry
        for group in groups
        for entry in (
            ("SKILL_GROUP_NUMBER", group.number),
            ("SKILL_GROUP_ID", group_id(group.number)),
            ("SKILL_GROUP_PRIORITY", 0),
            ("SKILL_GROUP_STATE", int(agent.state)),
        )
    )
    fields = {
        "InvokeID": invoke_id,
        "AgentState": int(agent.state),
        "NumSkillGroups": len(groups),
        "MRDID": VOICE_MRD,
        "AgentMode": 1,
        "MaxTaskLimit": 1,
        "ICMAgentID": -1,
        "AgentAvailabilityStatus": _availability(agent.state),
    }
    return Message("QUERY_AGENT_STATE_CONF", fields, (*agent_floats(agent.person.agent_id), *_where(agent), *lists))


def _availability(state: AgentState) -> int:
    return 1 if state is AgentState.AVAILABLE else 0


def state_event(agent: AgentNow, peripheral_id: int, kind: PeripheralType, signature: str, now: float) -> Message:
    """AGENT_STATE_EVENT for the agent as a whole: skill group number -1."""
    fields = {
        "PeripheralID": peripheral_id,
        "PeripheralType": int(kind),
        "SkillGroupState": int(agent.state),
        "StateDuration": _duration(agent, now),
        "SkillGroupNumber": NULL32,
        "SkillGroupID": NULL32,
        "AgentState": int(agent.state),
        "EventReasonCode": agent.reason,
        "MRDID": VOICE_MRD,
        "AgentMode": 1,
        "MaxTaskLimit": 1,
        "ICMAgentID": -1,
        "AgentAvailabilityStatus": _availability(agent.state),
    }
    floats: list[tuple[str, FloatValue]] = []
    if signature:
        floats.append(("CLIENT_SIGNATURE", signature))
    floats += [*agent_floats(agent.person.agent_id), *_where(agent)]
    if agent.direction:
        floats.append(("DIRECTION", int(agent.direction)))
    if agent.pending is not None:
        floats.append(("NEXT_AGENT_STATE", int(agent.pending)))
    return Message("AGENT_STATE_EVENT", fields, tuple(floats))
