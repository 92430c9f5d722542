"""The model of all agents: what the CTI server says goes in, changes come out; wishes go in, CTI requests come out.

Theory. The CTI server is the truth, this model its latest report. Every message is applied as a statement about the
present ("agent 1001 is READY since 3 s"), never as a step from an expected state, so lost, repeated and reordered
messages leave the model right as soon as one later statement about the agent arrives. Statements about agents that the
configuration does not name yet are kept, bounded, until it does. Only what differs from the picture held becomes a
change; one change of an agent is reported by the CTI server once for each skill group.

Must not know: sockets, clocks, XML, REST. `now_wall` (seconds since the epoch) only stamps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from poise.contact.correlation import Correlation, Reported
from poise.contact.reasons import code_received, code_sent
from poise.contact.requests import EXTENSION_MAX, CtiRequest, Kept, Refusal, RefusalCode, StateWish, set_agent_state
from poise.contact.snapshots import (
    Agent,
    AgentAdded,
    AgentChanged,
    AgentFailed,
    AgentRemoved,
    Change,
    MobileAgent,
    Queue,
    Team,
    TeamName,
)
from poise.contact.states import KEEPS_PENDING, TO_CTI, Actor, AgentState, Deployment, from_cti, verdict
from poise.protocols.cti.config import AgentConfig, ConfigReceived
from poise.protocols.cti.constants import NULL16, NULL32, VOICE_MRD
from poise.protocols.cti.messages import FloatValue, Message, agent_floats
from poise.protocols.cti.outputs import RequestEnded

EARLY_MAX = 2_000
"""Statements kept about agents whom the configuration does not name yet; the oldest is dropped first."""

_LONGEST_DURATION_S = 366 * 86_400.0
_VOICE_MRDS = frozenset((VOICE_MRD, 0))  # 0 in a captured session where voice was the only domain


class AgentModel:
    """All agents of one contact centre. Mappings handed out are read-only views and always current."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._agents: dict[str, Agent] = {}
        self._teams: dict[int, Team] = {}
        self._queues: dict[int, Queue] = {}
        self.agents: Mapping[str, Agent] = MappingProxyType(self._agents)
        self.teams: Mapping[int, Team] = MappingProxyType(self._teams)
        self.queues: Mapping[int, Queue] = MappingProxyType(self._queues)
        self._correlation = Correlation()
        self._signing_in: dict[str, str] = {}  # agent id -> extension of a LOGIN report whose NOT_READY is to come
        self._mobile: dict[str, MobileAgent] = {}  # agent id -> what was asked for at sign-in here
        self._early: dict[str, tuple[Message, float]] = {}
        self._handlers: dict[str, Callable[[Message, float], list[Change]]] = {
            "AGENT_STATE_EVENT": self._state_event,
            "QUERY_AGENT_STATE_CONF": self._state_answer,
            "AGENT_TEAM_CONFIG_EVENT": self._team_states,
        }

    # ---- configuration

    def configure(self, config: ConfigReceived) -> list[Change]:
        """The whole configuration, replacing the one before: agents added, removed and changed by it."""
        self._teams.clear()
        self._teams.update(
            (team.team_id, Team(team.team_id, team.name, team.members, team.supervisors)) for team in config.teams
        )
        self._queues.clear()
        for group in config.skill_groups:
            routed = frozenset(agent.agent_id for agent in config.agents if group.number in agent.skill_groups)
            self._queues[group.number] = Queue(group.number, group.name, routed)
        changes: list[Change] = []
        named = {agent.agent_id for agent in config.agents}
        for agent_id in [a for a in self._agents if a not in named]:
            changes.append(AgentRemoved(self._agents.pop(agent_id)))
            self._correlation.forget_agent(agent_id)
            self._signing_in.pop(agent_id, None)
            self._mobile.pop(agent_id, None)
        places = _Places(self._teams.values())
        for entry in config.agents:
            before = self._agents.get(entry.agent_id)
            after = places.agent(entry, before or Agent(entry.agent_id))
            self._agents[entry.agent_id] = after
            if before is None:
                changes.append(AgentAdded(after))
                early = self._early.pop(entry.agent_id, None)
                if early is not None:
                    changes += self.apply(*early)
            elif before != after:
                changes.append(AgentChanged(before, after))
        return changes

    # ---- what the CTI server says

    def apply(self, message: Message, now_wall: float) -> list[Change]:
        """Take one message of the CTI server; those that say nothing about agents change nothing."""
        handler = self._handlers.get(message.name)
        return handler(message, now_wall) if handler is not None else []

    def _state_event(self, message: Message, now_wall: float) -> list[Change]:
        fields = message.fields
        agent_id = message.agent_id
        if agent_id is None or fields.get("MRDID", VOICE_MRD) not in _VOICE_MRDS:
            return []
        state = from_cti(fields.get("AgentState", NULL16), message.number("DIRECTION"))
        if state is None:
            return []
        if agent_id not in self._agents:
            self._keep_early(agent_id, message, now_wall)
            return []
        extension = _extension(message)
        if state is AgentState.LOGIN:  # transient: the state that follows is the news (cti.md 3.2)
            if extension:
                self._signing_in[agent_id] = extension
            return []
        pending = message.number("NEXT_AGENT_STATE")
        return self._report(
            agent_id,
            state,
            extension=extension,
            reason=code_received(state, fields.get("EventReasonCode", 0)),
            pending=from_cti(pending) if pending is not None else None,
            since=now_wall - _duration(fields.get("StateDuration"), message.number("DURATION")),
        )

    def _state_answer(self, message: Message, now_wall: float) -> list[Change]:
        """QUERY_AGENT_STATE_CONF: a state without a reason or duration."""
        agent_id = message.agent_id
        if agent_id is None or message.fields.get("MRDID", VOICE_MRD) not in _VOICE_MRDS:
            return []
        state = message.fields.get("AgentState", NULL16)
        return self._bare_state(agent_id, state, now_wall, None, _extension(message))

    def _team_states(self, message: Message, now_wall: float) -> list[Change]:
        """AGENT_TEAM_CONFIG_EVENT: each member's state and for how long; membership itself comes with `configure`."""
        members: list[dict[str, FloatValue]] = []
        for tag, value in message.floats:
            if tag == "ATC_AGENT_ID":
                members.append({})
            if members:
                members[-1][tag] = value
        changes: list[Change] = []
        for member in members:
            agent_id, state, lasts = (
                member.get(f"ATC_{name}") for name in ("AGENT_ID", "AGENT_STATE", "STATE_DURATION")
            )
            if isinstance(agent_id, str) and isinstance(state, int):
                since = now_wall - _duration(lasts, None) if isinstance(lasts, int) and lasts != NULL32 else None
                changes += self._bare_state(agent_id, state, now_wall, since)
        return changes

    def _bare_state(
        self, agent_id: str, number: int, now_wall: float, since: float | None, extension: str = ""
    ) -> list[Change]:
        """A state without a reason: where it is the one we know, the reason and time we know stay.

        `since`: when it began, if the message said so. A signed-in state of unknown age counts from now, because
        clients run a timer on it; for a signed-out agent the time stays unknown.
        """
        state = from_cti(number)
        if state is None or state is AgentState.LOGIN:
            return []
        agent = self._agents.get(agent_id)
        if agent is None:
            early = Message("QUERY_AGENT_STATE_CONF", {"AgentState": number}, agent_floats(agent_id))
            self._keep_early(agent_id, early, now_wall)
            return []
        same = state is agent.state or (state is AgentState.RESERVED and agent.state.value.startswith("RESERVED"))
        if since is None:
            since = agent.state_changed_at if same else None if state is AgentState.LOGOUT else now_wall
        return self._report(
            agent_id,
            agent.state if same else state,
            extension=extension,
            reason=agent.reason_code if same else None,
            pending=None,
            since=since,
        )

    def _report(
        self,
        agent_id: str,
        state: AgentState,
        *,
        extension: str,
        reason: int | None,
        pending: AgentState | None,
        since: float | None,
    ) -> list[Change]:
        """The one place where an agent's state changes."""
        before = self._agents[agent_id]
        extension = extension or self._signing_in.get(agent_id, "") or before.extension
        if state is AgentState.LOGOUT:
            extension, pending = "", None
            if before.state is not AgentState.LOGOUT:
                self._mobile.pop(agent_id, None)
        elif state is not AgentState.UNKNOWN:
            self._signing_in.pop(agent_id, None)
        if pending in (state, AgentState.UNKNOWN, AgentState.LOGIN) or state not in KEEPS_PENDING:
            pending = None
        elif pending is None:
            pending = before.pending_state  # not every event repeats it; it goes when the call ends
        anew = state is not before.state or reason != before.reason_code
        after = replace(
            before,
            state=state,
            extension=extension,
            reason_code=reason,
            pending_state=pending,
            state_changed_at=since if anew or before.state_changed_at is None else before.state_changed_at,
            mobile=self._mobile.get(agent_id),
        )
        answered = self._correlation.event(agent_id, Reported(state, pending, reason, state is not before.state))
        if after == before and answered is None:
            return []
        self._agents[agent_id] = after
        return [AgentChanged(before, after, answered.request_id if answered is not None else "")]

    def _keep_early(self, agent_id: str, message: Message, now_wall: float) -> None:
        self._early.pop(agent_id, None)
        while len(self._early) >= EARLY_MAX:
            del self._early[next(iter(self._early))]
        self._early[agent_id] = (message, now_wall)

    # ---- what people want

    def request(self, agent_id: str, wanted: StateWish, request_id: str = "") -> CtiRequest | Kept | Refusal:
        """Put a wish to the CTI server, or refuse it.

        While requests of the agent are unanswered the wish is judged by the state the last of them will lead to: the
        CTI server works in order, and a person clicks faster than it answers.
        """
        agent = self._agents.get(agent_id)
        if agent is None:
            return Refusal(RefusalCode.UNKNOWN_AGENT, agent_id)
        if wanted.state not in TO_CTI:
            return Refusal(RefusalCode.NOT_A_WISH, wanted.state.value)
        if wanted.actor is Actor.SUPERVISOR and wanted.reason_code is not None:
            return Refusal(RefusalCode.REASON_NOT_ALLOWED, "reasonCodeId")
        expected = self._correlation.wanted_last(agent_id) or agent.state
        if expected is AgentState.LOGIN:
            expected = AgentState.NOT_READY
        if all(verdict(self.deployment, wanted.actor, s, wanted.state) is None for s in (agent.state, expected)):
            return Refusal(RefusalCode.WRONG_STATE, wanted.state.value)
        if wanted.state is AgentState.LOGIN:
            refused = _extension_fault(wanted.extension, self.deployment)
            if refused is not None:
                return refused
            if agent.signed_in and expected is agent.state and agent.extension == wanted.extension:
                return Kept(AgentChanged(agent, agent, request_id))
        code = code_sent(self.deployment, wanted.actor, wanted.state, wanted.reason_code)
        message = set_agent_state(self.deployment, agent, wanted)
        return CtiRequest(message, agent_id, wanted, request_id, code_received(wanted.state, code))

    def sent(self, request: CtiRequest) -> None:
        """The request is handed to the link, which will tell how it ended."""
        if request.wish.state is AgentState.LOGIN:
            if request.wish.mobile is not None:
                self._mobile[request.agent_id] = request.wish.mobile
            else:
                self._mobile.pop(request.agent_id, None)
        self._correlation.sent(request)

    def ended(self, ended: RequestEnded) -> list[Change]:
        """The link tells how a request ended; its context is the CtiRequest; other contexts change nothing."""
        request = ended.context
        if not isinstance(request, CtiRequest):
            return []
        failure = ended.failure_code
        agent = self._agents.get(request.agent_id)
        if failure is None:
            if agent is None:
                return []
            present = Reported(agent.state, agent.pending_state, agent.reason_code, moved=False)
            needless = self._correlation.confirmed(request, present) and request.wish.actor is not Actor.SYSTEM
            return [AgentChanged(agent, agent, request.request_id)] if needless else []
        self._correlation.failed(request)
        if request.wish.state is AgentState.LOGIN and agent is not None and not agent.signed_in:
            self._mobile.pop(request.agent_id, None)
        return [
            AgentFailed(
                request.agent_id,
                failure,
                request.request_id,
                request.wish.state,
                peripheral_code=ended.peripheral_error,
                forced=request.wish.actor is Actor.SYSTEM,
            )
        ]


class _Places:
    """Where each agent belongs, turned round once for a whole configuration."""

    def __init__(self, teams: Iterable[Team]) -> None:
        self._team: dict[str, TeamName] = {}
        self._supervised: dict[str, list[TeamName]] = {}
        for team in sorted(teams, key=lambda t: t.team_id):
            name = TeamName(team.team_id, team.name)
            for agent_id in team.members:
                self._team.setdefault(agent_id, name)
            for agent_id in team.supervisors:
                self._supervised.setdefault(agent_id, []).append(name)

    def agent(self, entry: AgentConfig, known: Agent) -> Agent:
        """The picture of an agent with what the configuration says."""
        supervised = tuple(self._supervised.get(entry.agent_id, ()))
        team = self._team.get(entry.agent_id)
        return replace(
            known,
            login_name=entry.login_name,
            first_name=entry.first_name,
            last_name=entry.last_name,
            is_supervisor=entry.is_supervisor or bool(supervised),
            team=team if team is not None else (supervised[0] if supervised else None),
            supervised=supervised,
            queues=entry.skill_groups,
            skill_target_id=entry.skill_target_id,
        )


def _extension(message: Message) -> str:
    """The telephone without a mobile agent's number."""
    text = message.text("AGENT_EXTENSION") or message.text("AGENT_INSTRUMENT") or ""
    return text.partition(";")[0]


def _duration(state_duration: int | None, duration: int | None) -> float:
    """Seconds since the state began; 0 where the CTI server does not say or says nonsense."""
    for value in (state_duration, duration):
        if value is not None and value != NULL32 and 0 < value <= _LONGEST_DURATION_S:
            return float(value)
    return 0.0


def _extension_fault(extension: str, deployment: Deployment) -> Refusal | None:
    """Digits, for UCCX also one leading plus sign (E.164, finesse-api.md 2.2)."""
    if not extension:
        return Refusal(RefusalCode.EXTENSION_MISSING, "extension")
    digits = extension.removeprefix("+") if deployment is Deployment.UCCX else extension
    if not (digits.isascii() and digits.isdigit()) or len(extension) > EXTENSION_MAX:
        return Refusal(RefusalCode.EXTENSION_INVALID, "extension")
    return None
