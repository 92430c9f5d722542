"""Queues: calls wait for the agent who has been available longest; calls that are not answered go on. No I/O, no clock.

Theory. Calls of all queues wait in one order: first those that an agent did not answer, then by the time they came.
Whenever an agent becomes free or a call comes, the order is gone through once; a call goes to the agent of its queue's
teams who has been AVAILABLE longest and whose telephone is idle.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

from poise.lab.acd.agents import AgentNow
from poise.lab.acd.codes import CallType, Cause, Device, Lcs, LineType
from poise.lab.acd.events import queue_number
from poise.lab.acd.model import Call, Leg
from poise.lab.acd.switch import Switch
from poise.lab.data import SkillGroup
from poise.lab.rules import Deployment
from poise.protocols.cti.constants import AgentState, Direction


class Queues:
    """All queues of the centre."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._waiting: list[Call] = []
        self._ring_s: float | None = None
        self.open = True
        """Whether calls are brought to agents; not while telephony is lost."""
        self.offered: Counter[int] = Counter()
        """Queue number -> calls that came; each is then handled, abandoned, sent elsewhere, or still there."""
        self.handled: Counter[int] = Counter()
        self.abandoned: Counter[int] = Counter()
        self.redirected: Counter[int] = Counter()
        self._key = 0
        switch.leave_queue = self.leave
        switch.on_answer.append(self._answered)
        switch.on_gone.append(self._gone)

    def waiting(self, group: SkillGroup | None = None) -> list[Call]:
        """The calls that wait, of one queue or of all, in their order."""
        return [call for call in self._waiting if group is None or call.queue is group]

    def ring_no_answer_after(self, ring_s: float | None) -> None:
        """Let calls ring so long instead of the setting (None)."""
        self._ring_s = ring_s

    def arrive(self, call: Call, group: SkillGroup, now: float, cause: Cause = Cause.NEW_CALL) -> None:
        """A call comes to a queue."""
        self.offered[group.number] += 1
        if call.owed_to is not None:
            self.redirected[call.owed_to] += 1
        call.owed_to = group.number
        self._key += 1
        call.queue = group
        call.queued_since = now
        call.urgent = False
        call.last_redirect = queue_number(group)
        if call.data.key is None:
            call.data = replace(call.data, key=(1, self._key, 0))
        agent = None if self._switch.routable or self.waiting(group) else self.free_agent(group)
        if agent is not None:
            self._offer(call, agent, now)
        else:
            self._enqueue(call, now, cause)

    def _enqueue(self, call: Call, now: float, cause: Cause) -> None:
        group = call.queue
        assert group is not None
        switch = self._switch
        leg = switch.join(call, (queue_number(group), Device.ROUTE_POINT), Lcs.QUEUED, now)
        if call.urgent:
            self._waiting.insert(0, call)
        else:
            self._waiting.append(call)
        switch.told.append(switch.events.queued(leg, group, len(self.waiting(group)), cause))
        switch.agenda.at(now + switch.settings.patience_s, partial(self._waited_too_long, call, now))
        switch.routable = True

    def _waited_too_long(self, call: Call, since: float, now: float) -> None:
        waits = call in self._waiting and any(
            leg.kind is Device.ROUTE_POINT and leg.since == since for leg in call.legs
        )
        if waits and not self._switch.watchers(call):
            self._switch.clear(call, now, Cause.CANCELLED)

    def leave(self, call: Call, now: float, cause: Cause) -> None:
        """The call waits no longer."""
        if call not in self._waiting:
            return
        group = call.queue
        assert group is not None
        self._waiting.remove(call)
        leg = call.leg(queue_number(group))
        assert leg is not None
        self._switch.off(leg, now)
        told = self._switch.events.dequeued(leg, group, len(self.waiting(group)), cause)
        self._switch.told.append(told)

    def take_over(self, other: Call, call: Call, now: float) -> None:
        """`call` waits in the place of `other`: whoever consulted a queue has transferred."""
        if other not in self._waiting:
            return
        place = self._waiting.index(other)
        group = other.queue
        self.leave(other, now, Cause.TRANSFER)
        self.inherit(other, call)
        call.queue, call.queued_since, call.urgent = group, other.queued_since, other.urgent
        self._enqueue(call, now, Cause.TRANSFER)
        self._waiting.remove(call)
        self._waiting.insert(place, call)

    def inherit(self, other: Call, call: Call) -> None:
        """`call` goes on for `other` in the statistics, too."""
        if other.owed_to is None:
            return
        if call.owed_to is not None:
            self.redirected[call.owed_to] += 1
        call.owed_to, other.owed_to = other.owed_to, None

    def _answered(self, leg: Leg, now: float) -> None:
        call = leg.call
        if call.owed_to is not None:
            outcome = self.handled if leg.line is LineType.INBOUND_ACD else self.redirected
            outcome[call.owed_to] += 1
            call.owed_to = None

    def _gone(self, leg: Leg, now: float) -> None:
        call = leg.call
        if not call.legs and call.owed_to is not None:
            self.abandoned[call.owed_to] += 1
            call.owed_to = None

    def route(self, now: float) -> None:
        """Bring waiting calls to free agents."""
        switch = self._switch
        switch.routable = False
        if not self.open:
            return
        for call in list(self._waiting):
            assert call.queue is not None
            agent = self.free_agent(call.queue)
            if agent is not None:
                self.leave(call, now, Cause.NEW_CALL)
                self._offer(call, agent, now)

    def free_agent(self, group: SkillGroup) -> AgentNow | None:
        """Who has been available longest for a queue."""
        if not self.open:
            return None
        switch = self._switch
        free = [
            agent
            for agent in switch.acd.in_state(AgentState.AVAILABLE)
            if agent.person.team in group.teams and not switch.at(agent.extension)
        ]
        return min(free, key=lambda agent: agent.since, default=None)

    def _offer(self, call: Call, agent: AgentNow, now: float) -> None:
        switch = self._switch
        assert call.queue is not None
        watchers = switch.watchers(call)
        uccx = switch.acd.deployment is Deployment.UCCX
        if call.consult_of is not None:
            call_type = CallType.CONSULT_OFFERED
        else:
            call_type = CallType.ACD_IN if uccx else CallType.PREROUTE_ACD_IN
        switch.publish(switch.acd.on_call(agent.person.agent_id, AgentState.RESERVED, Direction.IN, now), now)
        leg = Leg(call, agent.extension, Device.AGENT, Lcs.NULL, now, call_type)
        switch.told.append(switch.events.pre_call(leg, call.queue))
        leg = switch.join(
            call,
            (agent.extension, Device.AGENT),
            Lcs.ALERTING,
            now,
            call_type=call_type,
            line=LineType.INBOUND_ACD,
            direction=Direction.IN,
            wraps=True,
        )
        ringing = (leg.device, leg.kind)
        switch.tell((*watchers, leg), lambda watcher: switch.events.delivered(watcher, *ringing, Cause.NEW_CALL))
        ring_s = switch.settings.ring_s if self._ring_s is None else self._ring_s
        switch.agenda.at(now + ring_s, partial(self._not_answered, leg))

    def _not_answered(self, leg: Leg, now: float) -> None:
        call = leg.call
        if leg.state is not Lcs.ALERTING or call.queue is None:
            return
        switch = self._switch
        switch.off(leg, now)
        if switch.acd.deployment is Deployment.UCCE:
            back = (queue_number(call.queue), Device.ROUTE_POINT)
            switch.tell((leg,), lambda watcher: switch.events.diverted(watcher, *back, Cause.NOT_ANSWERED))
        else:
            ended = switch.events.connection_cleared
            switch.tell((leg,), lambda watcher: ended(watcher, leg, Cause.NOT_ANSWERED))
        agent = switch.acd.at_extension(leg.device)
        if agent is not None:
            switch.publish(switch.acd.not_answered(agent.person.agent_id, now), now)
        switch.finish([leg], now)
        if call not in self._waiting:
            call.urgent = True
            self._enqueue(call, now, Cause.REDIRECTED)
