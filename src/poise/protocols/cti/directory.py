"""Configuration messages of a CTI server put together to one picture of agents, teams and skill groups.

A download is bracketed by CONFIG_BEGIN_EVENT and CONFIG_END_EVENT. A solicited one replaces what was known; an
unsolicited one changes it. Nothing is visible before its end, so nobody sees half a configuration. Teams come by
AGENT_TEAM_CONFIG_EVENT, one message a team, at any time.
"""

from __future__ import annotations

from collections.abc import Iterator

from poise.protocols.cti.config import AgentConfig, ConfigReceived, SkillGroupConfig, TeamConfig
from poise.protocols.cti.constants import (
    NULL32,
    AgentFlag,
    AgentType,
    ConfigEndStatus,
    ConfigOperation,
    ConfigType,
    RecordType,
)
from poise.protocols.cti.messages import FloatValue, Message

_SUPERVISOR = AgentFlag.SUPERVISOR | AgentFlag.PRIMARY_SUPERVISOR
KEY_TAGS = ("SKILL_GROUP_CONFIG_KEY", "AGENT_CONFIG_KEY")
"""Keys of CONFIG_KEY_EVENT for what is downloaded here."""

RECORD_MESSAGES = frozenset({"CONFIG_AGENT_EVENT", "CONFIG_SKILL_GROUP_EVENT"})

_USABLE = frozenset({ConfigEndStatus.SUCCESS, ConfigEndStatus.EMPTY, ConfigEndStatus.PARTIAL})


class _Record:
    """One configuration record: the floating fields from one RECORD_TYPE to the next."""

    __slots__ = ("floats", "kind")

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.floats: list[tuple[str, FloatValue]] = []

    def text(self, tag: str) -> str:
        return next((value for name, value in self.floats if name == tag and isinstance(value, str)), "")

    def number(self, tag: str) -> int | None:
        return next((value for name, value in self.floats if name == tag and isinstance(value, int)), None)

    def numbers(self, tag: str) -> tuple[int, ...]:
        return tuple(value for name, value in self.floats if name == tag and isinstance(value, int))


def _records(message: Message) -> Iterator[_Record]:
    record: _Record | None = None
    for name, value in message.floats:
        if name == "RECORD_TYPE":
            if record is not None:
                yield record
            record = _Record(value if isinstance(value, int) else RecordType.ADD)
        elif record is not None:
            record.floats.append((name, value))
    if record is not None:
        yield record


def _agent(record: _Record, agent_id: str) -> AgentConfig:
    return AgentConfig(
        agent_id=agent_id,
        login_name=record.text("LOGIN_NAME") or agent_id,
        first_name=record.text("FIRST_NAME"),
        last_name=record.text("LAST_NAME"),
        extension=record.text("EXTENSION") or None,
        is_supervisor=record.number("AGENT_TYPE") == AgentType.SUPERVISOR,
        skill_groups=tuple(number for number in record.numbers("SKILL_GROUP_NUMBER") if number != NULL32),
        skill_target_id=record.number("AGENT_SKILL_TARGET_ID"),
    )


class _Team:
    __slots__ = ("members", "name", "session")

    def __init__(self, name: str, session: int) -> None:
        self.name = name
        self.session = session
        self.members: dict[str, bool] = {}  # agent id -> is a supervisor


class Directory:
    """What the configuration says, and whether it changed since it was last asked for."""

    def __init__(self) -> None:
        self._agents: dict[str, AgentConfig] = {}
        self._groups: dict[int, SkillGroupConfig] = {}
        self._teams: dict[int, _Team] = {}
        self._draft: tuple[dict[str, AgentConfig], dict[int, SkillGroupConfig]] | None = None
        self._session = 0
        self._keys: tuple[bytes, ...] | None = None
        self._offered_keys: tuple[bytes, ...] | None = None
        self.changed = False
        """True from a change until the next `snapshot`."""

    def new_session(self) -> None:
        """A new session begins: half a download is forgotten; teams must be named again (see `prune_teams`)."""
        self._session += 1
        self._draft = None

    def is_current(self, message: Message) -> bool:
        """Whether a CONFIG_KEY_EVENT says that what is known is still valid."""
        keys = tuple(value for tag in KEY_TAGS for value in message.all(tag) if isinstance(value, bytes))
        self._offered_keys = keys if len(keys) == len(KEY_TAGS) and any(any(key) for key in keys) else None
        return self._offered_keys is not None and self._offered_keys == self._keys

    def begin(self, message: Message) -> None:
        """CONFIG_BEGIN_EVENT."""
        if message.fields.get("ConfigType") == ConfigType.SOLICITED:
            self._draft = ({}, {})
        elif self._draft is None:
            self._keys = self._offered_keys = None  # the keys we were offered were for what was before this change
            self._draft = (dict(self._agents), dict(self._groups))

    def records(self, message: Message) -> None:
        """CONFIG_AGENT_EVENT or CONFIG_SKILL_GROUP_EVENT; ignored outside a download."""
        if self._draft is None:
            return
        agents, groups = self._draft
        for record in _records(message):
            if message.name == "CONFIG_AGENT_EVENT":
                agent_id = record.text("LOGIN_ID") or record.text("AGENT_ID_LONG")
                if not agent_id:
                    continue
                if record.kind == RecordType.DELETE:
                    agents.pop(agent_id, None)
                else:
                    agents[agent_id] = _agent(record, agent_id)
            else:
                number = record.number("PERIPHERAL_NUMBER")
                if number is None:
                    continue
                if record.kind == RecordType.DELETE:
                    groups.pop(number, None)
                else:
                    groups[number] = SkillGroupConfig(number, record.text("PERIPHERAL_NAME") or str(number))

    def end(self, message: Message) -> ConfigEndStatus | int:
        """CONFIG_END_EVENT: the download becomes visible if it is usable. Gives its status."""
        status = message.fields.get("ConfigEndStatus", 0)
        if self._draft is not None and status in _USABLE:
            self.changed = self.changed or self._draft != (self._agents, self._groups)
            self._agents, self._groups = self._draft
            self._keys = self._offered_keys if status == ConfigEndStatus.SUCCESS else None
        self._draft = None
        self._offered_keys = None
        return status

    def team(self, message: Message) -> None:
        """AGENT_TEAM_CONFIG_EVENT."""
        team_id = message.fields.get("TeamID", NULL32)
        team = self._teams.get(team_id)
        fresh = (
            team is None
            or team.session != self._session
            or (message.fields.get("ConfigOperation") == ConfigOperation.RESTORE)
        )
        name = message.text("AGENT_TEAM_NAME") or (str(team_id) if team is None else team.name)
        if team is None or fresh:
            team = self._teams[team_id] = _Team(name, self._session)
        team.name = name
        member: str | None = None
        for tag, value in message.floats:
            if tag == "ATC_AGENT_ID" and isinstance(value, str):
                member = value
                if message.fields.get("ConfigOperation") == ConfigOperation.REMOVE:
                    team.members.pop(member, None)
                else:
                    team.members[member] = False
            elif tag == "AGENT_FLAGS" and member in team.members and isinstance(value, int):
                team.members[member] = bool(value & _SUPERVISOR)
        self.changed = True

    def prune_teams(self) -> None:
        """The session's teams have all been named: those of an earlier session that were not named are gone."""
        gone = [team_id for team_id, team in self._teams.items() if team.session != self._session]
        for team_id in gone:
            del self._teams[team_id]
            self.changed = True

    @property
    def agent_ids(self) -> tuple[str, ...]:
        """Every known agent, whether from the agents' records or from a team."""
        members = (member for team in self._teams.values() for member in team.members)
        return tuple(dict.fromkeys((*self._agents, *members)))

    @property
    def group_numbers(self) -> tuple[int, ...]:
        """Every known skill group."""
        return tuple(self._groups)

    def snapshot(self) -> ConfigReceived:
        """Everything that is known, and nothing is new any more."""
        self.changed = False
        teams = tuple(
            TeamConfig(
                team_id,
                team.name,
                tuple(member for member, leads in team.members.items() if not leads),
                tuple(member for member, leads in team.members.items() if leads),
            )
            for team_id, team in self._teams.items()
        )
        return ConfigReceived(tuple(self._agents.values()), teams, tuple(self._groups.values()))
