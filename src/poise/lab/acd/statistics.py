"""The counters of QUERY_SKILL_GROUP_STATISTICS and QUERY_AGENT_STATISTICS. No I/O, no clock.

Everything is counted when it is over: a connection when its device has left, a state when the agent has left it; what
still lasts is added when the counters are read. Sums over five minutes are kept in steps of ten seconds.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping

from poise.lab.acd.agents import Acd, AgentNow
from poise.lab.acd.codes import CallType, LineType
from poise.lab.acd.model import Leg
from poise.lab.acd.queues import Queues
from poise.lab.acd.switch import Switch
from poise.lab.data import LabData, SkillGroup
from poise.protocols.cti.constants import AgentState, Direction

FIVE_MINUTES_S = 300.0
HALF_HOUR_S = 1800.0
_STEP_S = 10.0
_RESERVATIONS = frozenset(
    {CallType.RESERVATION_PREVIEW, CallType.RESERVATION_PREVIEW_DIRECT, CallType.RESERVATION_PREDICTIVE}
)
_PREVIEWS = frozenset({CallType.CUSTOMER_PREVIEW, CallType.CUSTOMER_PREVIEW_DIRECT})
_S, _D = AgentState, Direction
_AGENTS_ONLY = frozenset({"ICMAvailableTime", "RoutableTime", "InternalCalls", "InternalCallsTime"})
"""Counters that the message about a skill group does not have."""


class Sums:
    """Counters over the day (or the agent's session), the half hour, and the last five minutes."""

    def __init__(self) -> None:
        self.today: Counter[str] = Counter()
        self.session: Counter[str] = Counter()
        self.half: Counter[str] = Counter()
        self._half = 0
        self._steps: deque[tuple[int, Counter[str]]] = deque()

    def add(self, amounts: Mapping[str, float], now: float) -> None:
        """Count something that has just ended."""
        self._forget(now)
        step = int(now // _STEP_S)
        if not self._steps or self._steps[-1][0] != step:
            self._steps.append((step, Counter()))
        for counter in (self.today, self.session, self.half, self._steps[-1][1]):
            for name, amount in amounts.items():
                counter[name] += amount  # type: ignore[assignment]

    def five(self, now: float) -> Counter[str]:
        """The last five minutes."""
        self._forget(now)
        total: Counter[str] = Counter()
        for _, counter in self._steps:
            total.update(counter)
        return total

    def _forget(self, now: float) -> None:
        half = int(now // HALF_HOUR_S)
        if half != self._half:
            self._half, self.half = half, Counter()
        while self._steps and self._steps[0][0] <= (now - FIVE_MINUTES_S) // _STEP_S:
            self._steps.popleft()


def _calls(prefix: str, leg: Leg) -> dict[str, float]:
    held = "IncomingCallsHeld" if prefix == "HandledCalls" else f"{prefix}Held"
    amounts = {prefix: 1.0, f"{prefix}TalkTime": leg.talked_s, f"{prefix}Time": leg.talked_s + leg.held_s}
    if leg.holds:
        amounts |= {held: 1.0, f"{held}Time": leg.held_s}
    return amounts


def amounts_of(leg: Leg) -> dict[str, float]:
    """What a connection that is over adds to the counters."""
    if leg.line is LineType.SILENT_MONITOR:
        return {"MonitorCalls": 1.0}
    if leg.call_type in _RESERVATIONS:
        return _calls("ReservationCalls", leg)
    if leg.line is LineType.OUTBOUND and leg.acd:
        return _calls("PreviewCalls" if leg.call_type in _PREVIEWS else "AutoOutCalls", leg)
    if leg.line is LineType.INBOUND_ACD:
        return _calls("HandledCalls", leg) if leg.answered else {}
    if leg.direction is _D.OTHER_IN:
        received = {"InternalCallsRcvd": 1.0, "InternalCallsRcvdTime": leg.talked_s + leg.held_s}
        return received if leg.answered else {}
    if leg.line is LineType.OUTBOUND:
        return _calls("AgentOutCalls", leg)
    amounts = {"InternalCalls": 1.0, "InternalCallsTime": leg.talked_s + leg.held_s}
    return amounts | ({"InternalCallsHeld": 1.0, "InternalCallsHeldTime": leg.held_s} if leg.holds else {})


_IN_STATE: dict[AgentState, tuple[str, ...]] = {
    _S.AVAILABLE: ("AvailTime", "ICMAvailableTime", "RoutableTime"),
    _S.NOT_READY: ("NotReadyTime",),
    _S.WORK_READY: ("HandledCallsAfterCallTime",),
    _S.WORK_NOT_READY: ("HandledCallsAfterCallTime",),
}
_NOW: dict[str, Callable[[AgentNow], bool]] = {
    "AgentsLoggedOn": lambda agent: agent.state is not _S.LOGOUT,
    "AgentsAvail": lambda agent: agent.state is _S.AVAILABLE,
    "AgentsNotReady": lambda agent: agent.state is _S.NOT_READY,
    "AgentsReady": lambda agent: agent.state not in (_S.LOGOUT, _S.NOT_READY, _S.WORK_NOT_READY),
    "AgentsTalkingIn": lambda agent: agent.state is _S.TALKING and agent.direction is _D.IN,
    "AgentsTalkingOut": lambda agent: agent.state is _S.TALKING and agent.direction is _D.OUT,
    "AgentsTalkingOther": lambda agent: agent.state is _S.TALKING and agent.direction in (_D.OTHER_IN, _D.OTHER_OUT),
    "AgentsWorkNotReady": lambda agent: agent.state is _S.WORK_NOT_READY,
    "AgentsWorkReady": lambda agent: agent.state is _S.WORK_READY,
    "AgentsReserved": lambda agent: agent.state is _S.RESERVED,
    "AgentsHold": lambda agent: agent.state is _S.HOLD,
    "AgentsICMAvailable": lambda agent: agent.state is _S.AVAILABLE,
    "AgentsTalkingAutoOut": lambda agent: agent.state is _S.TALKING and agent.direction is _D.OUTBOUND_PREDICTIVE,
    "AgentsTalkingPreview": lambda agent: agent.state is _S.TALKING and agent.direction is _D.OUTBOUND_PREVIEW,
}


class Statistics:
    """Counts what the switch does."""

    def __init__(self, data: LabData, acd: Acd, switch: Switch, queues: Queues) -> None:
        self._data = data
        self._acd = acd
        self._queues = queues
        self._agents = {person.agent_id: Sums() for person in data.people}
        self._groups = {group.number: Sums() for group in data.skill_groups}
        switch.on_gone.append(self._gone)
        switch.on_answer.append(self._answered)
        switch.on_move(self._moved)

    def _gone(self, leg: Leg, now: float) -> None:
        if not leg.monitored:
            return
        amounts = amounts_of(leg)
        sums = self._agents.get(leg.agent)
        if sums is not None:
            sums.add(amounts, now)
        if leg.call.queue is not None and leg.line is LineType.INBOUND_ACD:
            self._groups[leg.call.queue.number].add(_for_group(amounts), now)

    def _answered(self, leg: Leg, now: float) -> None:
        queue = leg.call.queue
        if queue is not None and leg.line is LineType.INBOUND_ACD:
            waited = now - leg.call.queued_since
            self._groups[queue.number].add({"CallsQ": 1.0, "CallsQTime": waited}, now)

    def _moved(self, before: AgentNow, after: AgentNow, now: float) -> None:
        sums = self._agents[before.person.agent_id]
        if after.state is _S.LOGIN:
            sums.session.clear()
        amounts = self._time_in(before, now)
        if amounts:
            sums.add(amounts, now)
            for group in self._data.groups_of(before.person):
                self._groups[group.number].add(_for_group(amounts), now)

    @staticmethod
    def _time_in(agent: AgentNow, now: float) -> dict[str, float]:
        if agent.state is _S.LOGOUT:
            return {}
        lasted = now - agent.since
        return {"LoggedOnTime": lasted, **dict.fromkeys(_IN_STATE.get(agent.state, ()), lasted)}

    def agent(self, agent: AgentNow, now: float) -> dict[str, int]:
        """The counters of QUERY_AGENT_STATISTICS_CONF by their names there."""
        sums = self._agents[agent.person.agent_id]
        running = self._time_in(agent, now)
        return _suffixed({"Session": sums.session, "Today": sums.today}, [running])

    def group(self, group: SkillGroup, now: float) -> dict[str, int]:
        """The counters of QUERY_SKILL_GROUP_STATISTICS_CONF by their names there."""
        members = [agent for agent in self._acd.everybody() if agent.person.team in group.teams]
        fields = {name: sum(map(test, members)) for name, test in _NOW.items()}
        waits = [now - call.queued_since for call in self._queues.waiting(group)]
        longest = int(max(waits, default=0))
        fields |= {"RouterCallsQNow": len(waits), "CallsQNow": len(waits), "CallsQTimeNow": int(sum(waits))}
        fields |= {"LongestRouterCallQNow": longest, "LongestCallQNow": longest}
        sums = self._groups[group.number]
        columns = {"To5": sums.five(now), "ToHalf": sums.half, "Today": sums.today}
        return fields | _suffixed(columns, [_for_group(self._time_in(agent, now)) for agent in members])


def _for_group(amounts: Mapping[str, float]) -> dict[str, float]:
    return {name: amount for name, amount in amounts.items() if name not in _AGENTS_ONLY}


def _suffixed(columns: Mapping[str, Counter[str]], running: Iterable[Mapping[str, float]]) -> dict[str, int]:
    fields: dict[str, int] = {}
    for suffix, counter in columns.items():
        total = Counter(counter)
        for amounts in running:
            total.update(amounts)
        fields |= {f"{name}{suffix}": round(amount) for name, amount in total.items()}
    return fields
