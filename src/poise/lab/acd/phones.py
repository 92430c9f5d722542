"""What can be done at one telephone: make a call, answer, hold, retrieve, hang up and so on. No I/O, no clock.

Every operation returns what it made or changed, or a refusal with the failure code of the real product; what became of
it is told by the switch.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from poise.lab.acd.codes import CallType, Cause, Device, Failure, Lcs, LineType, Manner
from poise.lab.acd.codes import PeripheralFailure as P
from poise.lab.acd.dialplan import Destination, DialPlan
from poise.lab.acd.model import NUMBER_MAX, Call, CallData, Leg
from poise.lab.acd.queues import Queues
from poise.lab.acd.settings import Reaction
from poise.lab.acd.switch import WORK, Switch
from poise.lab.rules import ON_CALL, Deployment, Refuse
from poise.protocols.cti.constants import AgentState, Direction


def fit_to_dial(number: str) -> bool:
    """Whether a text can be a dialled number at all."""
    return 0 < len(number.encode()) <= NUMBER_MAX


def refuse(code: Failure, detail: P = P.NONE) -> Refuse:
    """A refusal of call control."""
    return Refuse(code, detail)


CALLS_MAX = 4
"""Most calls at one telephone: one that is talked on, others that are held or ring."""
NO_SUCH_CALL = refuse(Failure.INVALID_CALL)
NOT_IN_CALL = refuse(Failure.INVALID_DEVICE)
NO_SUCH_DESTINATION = refuse(Failure.INVALID_DESTINATION, P.NO_SUCH_DESTINATION)
DESTINATION_BUSY = refuse(Failure.INVALID_DESTINATION, P.DESTINATION_BUSY)


class Phones:
    """The telephones."""

    def __init__(self, switch: Switch, plan: DialPlan, queues: Queues) -> None:
        self._switch = switch
        self._plan = plan
        self._queues = queues

    def connection(self, call_id: int, device: str) -> Leg | Refuse:
        """The connection a request names."""
        if call_id not in self._switch.calls:
            return NO_SUCH_CALL
        leg = self._switch.find(call_id, device)
        return NOT_IN_CALL if leg is None else leg

    # Calling

    def full(self, device: str) -> bool:
        """Whether the telephone can have no further call."""
        return len(self._switch.at(device)) >= CALLS_MAX

    def make_call(
        self, device: str, number: str, manner: int, data: CallData, now: float, call_type: CallType | None = None
    ) -> Leg | Refuse:
        """Call a number: the caller's connection."""
        switch = self._switch
        agent = switch.acd.at_extension(device)
        if agent is None:
            return refuse(Failure.INVALID_CALLING_DEVICE)
        if not fit_to_dial(number) or number == device:
            return NO_SUCH_DESTINATION
        if agent.state is AgentState.RESERVED:
            return refuse(Failure.STATE, P.AGENT_RESERVED)
        nobody_knows = agent.state in ON_CALL and not switch.at(device)
        if switch.active_at(device) is not None or nobody_knows or self.full(device):
            return refuse(Failure.STATE, P.MAKE_CALL)
        if agent.state in WORK:
            return refuse(Failure.STATE, P.AGENT_AVAILABLE)
        if agent.state is AgentState.AVAILABLE:
            uccx = switch.acd.deployment is Deployment.UCCX
            if manner != Manner.BELLIGERENT and not uccx:
                return refuse(Failure.STATE, P.AGENT_AVAILABLE)
            switch.publish(switch.acd.placed_while_ready(agent.person.agent_id, now), now)
        destination = self._plan.find(number)
        inside = destination.kind is Device.AGENT
        if call_type is None:
            call_type = CallType.AGENT_INSIDE if inside else CallType.OUT
        data = replace(data, ani=device, dialed=number, dnis=number)
        call = switch.new_call(call_type, (device, Device.AGENT), destination.device, data, now)
        direction = Direction.OTHER_OUT if inside else Direction.OUT
        line = LineType.INSIDE if inside else LineType.OUTBOUND
        leg = switch.join(call, (device, Device.AGENT), Lcs.INITIATE, now, line=line, direction=direction)
        self.dial(leg, destination, now)
        return leg

    def dial(self, leg: Leg, destination: Destination, now: float, cause: Cause = Cause.NONE) -> None:
        """The telephone is off the hook: dial, and let the destination ring, queue or fail."""
        switch = self._switch
        switch.tell((leg,), lambda watcher: switch.events.service_initiated(watcher, cause))
        switch.turn(leg, Lcs.CONNECT, now)
        switch.tell((leg,), lambda watcher: switch.events.originated(watcher, cause))
        switch.settle(leg.device, now)
        self.reach(leg.call, destination, now, cause, caller=leg)

    def reach(
        self, call: Call, destination: Destination, now: float, cause: Cause = Cause.NONE, caller: Leg | None = None
    ) -> None:
        """Bring a call to a destination. Without `caller` the destination has been checked to exist and be free."""
        switch = self._switch
        if destination.group is not None:
            if caller is not None:
                queue = (destination.number, Device.ROUTE_POINT)
                switch.tell((caller,), lambda watcher: switch.events.delivered(watcher, *queue, cause))
            self._queues.arrive(call, destination.group, now)
            return
        why = self._cause_of_failure(destination)
        if why is not None:
            assert caller is not None
            switch.fail(caller, *destination.device, why, now)
            return
        self._ring(call, destination, now, cause)

    def _cause_of_failure(self, destination: Destination) -> Cause | None:
        outside = destination.outside
        if outside is not None and outside.reaction is Reaction.UNKNOWN:
            return Cause.BAD_DESTINATION
        busy = self.full(destination.number) if outside is None else outside.reaction is Reaction.BUSY
        return Cause.BUSY if busy else None

    def _ring(self, call: Call, destination: Destination, now: float, cause: Cause) -> None:
        switch = self._switch
        watchers = switch.watchers(call)
        inside = destination.kind is Device.AGENT
        if call.consult_of is not None:
            consults = call.call_type is CallType.CONSULT  # and not a call for a supervisor
            call_type = CallType.CONSULT_OFFERED if consults else call.call_type
        else:
            call_type = CallType.TRANSFER_IN if cause is Cause.TRANSFER else call.call_type
        wraps = inside and call.consult_of is None and call.queue is not None
        leg = switch.join(
            call,
            destination.device,
            Lcs.ALERTING,
            now,
            call_type=call_type,
            line=LineType.INSIDE if inside else LineType.OUTBOUND,
            direction=Direction.OTHER_IN if inside else Direction.NONE,
            wraps=wraps,
        )
        if not inside:
            switch.tell(watchers, switch.events.reached_network)
        ringing = (leg.device, leg.kind)
        switch.tell((*watchers, leg), lambda watcher: switch.events.delivered(watcher, *ringing, cause))
        switch.settle(leg.device, now)
        outside = destination.outside
        if outside is not None and outside.reaction is Reaction.ANSWERS:
            switch.agenda.at(now + outside.after_s, partial(self._outside_answers, leg, outside.talks_s))
        switch.agenda.at(now + switch.settings.ring_limit_s, partial(self._rang_too_long, leg))

    def _outside_answers(self, leg: Leg, talks_s: float | None, now: float) -> None:
        if leg.state is not Lcs.ALERTING:
            return
        self._switch.answer(leg, now)
        if talks_s is not None:
            self._switch.agenda.at(now + talks_s, partial(self._hangs_up, leg))

    def _hangs_up(self, leg: Leg, now: float) -> None:
        if not leg.gone:
            self._switch.leave(leg, now)

    def _rang_too_long(self, leg: Leg, now: float) -> None:
        if leg.state is not Lcs.ALERTING:
            return
        switch, call = self._switch, leg.call
        others = [other for other in call.legs if other is not leg]
        if len(others) != 1 or not others[0].monitored or others[0].state is not Lcs.CONNECT:
            switch.leave(leg, now, Cause.NOT_ANSWERED)
            return
        switch.off(leg, now)
        ended = lambda watcher: switch.events.connection_cleared(watcher, leg, Cause.NOT_ANSWERED)  # noqa: E731
        switch.tell((leg,), ended)
        switch.fail(others[0], leg.device, leg.kind, Cause.NOT_ANSWERED, now)
        switch.finish([leg], now)

    # One connection

    def answer(self, leg: Leg, now: float) -> Refuse | None:
        """Pick up."""
        switch = self._switch
        if leg.state is not Lcs.ALERTING:
            return refuse(Failure.STATE, P.NO_INCOMING_CALL)
        active = switch.active_at(leg.device)
        if active is not None:
            if not switch.talking(active):
                return refuse(Failure.STATE, P.ILLEGAL_CALL_STATE)
            switch.hold(active, now)
        leg.answered = True
        switch.answer(leg, now)
        switch.settle(leg.device, now)
        return None

    def hold(self, leg: Leg, now: float) -> Refuse | None:
        """Put on hold."""
        if leg.call.monitor_of is not None or not self._switch.talking(leg):
            return refuse(Failure.STATE, P.HOLD)
        self._switch.hold(leg, now)
        self._switch.settle(leg.device, now)
        return None

    def retrieve(self, leg: Leg, now: float) -> Refuse | None:
        """Take back from hold."""
        if leg.state is not Lcs.HOLD:
            return refuse(Failure.STATE, P.RETRIEVE)
        if self._switch.active_at(leg.device) is not None:
            return refuse(Failure.STATE, P.OTHER_CALL_ACTIVE)
        self._switch.retrieve(leg, now)
        self._switch.settle(leg.device, now)
        return None

    def alternate(self, active: Leg, held: Leg, now: float) -> Refuse | None:
        """Hold one call and take the other back."""
        if held.state is not Lcs.HOLD or not self._switch.talking(active):
            return refuse(Failure.STATE, P.ILLEGAL_CALL_STATE)
        self._switch.hold(active, now, Cause.ALTERNATE)
        self._switch.retrieve(held, now, Cause.ALTERNATE)
        self._switch.settle(active.device, now)
        return None

    def reconnect(self, active: Leg, held: Leg, now: float) -> Refuse | None:
        """Hang up one call and take the other back."""
        if held.state is not Lcs.HOLD or active.state not in (Lcs.CONNECT, Lcs.FAIL):
            return refuse(Failure.STATE, P.ILLEGAL_CALL_STATE)
        self._switch.leave(active, now)
        if held.state is Lcs.HOLD:
            self._switch.retrieve(held, now)
            self._switch.settle(held.device, now)
        return None

    def hang_up(self, leg: Leg, now: float) -> Refuse | None:
        """Leave the call. A telephone that rings cannot be hung up."""
        if leg.state is Lcs.ALERTING:
            return refuse(Failure.STATE, P.CLEAR)
        self._switch.leave(leg, now)
        return None

    def drop_other(self, requester: Leg, leg: Leg, now: float) -> Refuse | None:
        """A party of a conference drops another one."""
        if requester.state is not Lcs.CONNECT or leg.kind is Device.ROUTE_POINT:
            return refuse(Failure.STATE, P.CLEAR)
        self._switch.leave(leg, now)
        return None

    def deflect(self, leg: Leg, number: str, now: float) -> Refuse | None:
        """Send a ringing call on to another number."""
        switch, call = self._switch, leg.call
        destination = self._plan.find(number)
        if leg.state is not Lcs.ALERTING:
            return refuse(Failure.STATE, P.NO_INCOMING_CALL)
        if not fit_to_dial(number):
            return NO_SUCH_DESTINATION
        problem = self.unreachable(call, destination)
        if problem is not None:
            return problem
        switch.off(leg, now)
        switch.tell((leg,), lambda watcher: switch.events.diverted(watcher, *destination.device, Cause.REDIRECTED))
        switch.finish([leg], now)
        call.last_redirect = leg.device
        self.reach(call, destination, now, Cause.REDIRECTED)
        return None

    def unreachable(self, call: Call, destination: Destination) -> Refuse | None:
        """Why a call cannot be sent on to a destination."""
        why = self._cause_of_failure(destination)
        if why is Cause.BAD_DESTINATION:
            return NO_SUCH_DESTINATION
        twice = destination.group is not None and any(leg.kind is Device.ROUTE_POINT for leg in call.legs)
        return DESTINATION_BUSY if why is not None or twice or call.leg(destination.number) is not None else None

    def dtmf(self, leg: Leg, digits: str) -> Refuse | None:
        """Send tones."""
        known = digits and all(digit in "0123456789*#ABCD" for digit in digits)
        return None if known and self._switch.talking(leg) else refuse(Failure.STATE, P.DTMF)

    def record(self, leg: Leg, session: int) -> Refuse | None:
        """Begin to record (`session` over 0) or stop."""
        if not self._switch.talking(leg) or bool(session) == bool(leg.call.recording):
            return refuse(Failure.STATE, P.ILLEGAL_CALL_STATE)
        leg.call.recording = session
        return None

    def set_data(self, call: Call, data: CallData) -> None:
        """Change what travels with a call."""
        before, call.data = call.data, data
        events = self._switch.events
        self._switch.tell(
            (*call.legs, *call.wrapping),
            lambda watcher: events.data_update(watcher, call.call_id, before, watcher.call_type),
        )
