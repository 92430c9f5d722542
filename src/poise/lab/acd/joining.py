"""What joins calls: consult, transfer, conference, single-step transfer. No I/O, no clock.

Theory. Two calls at one telephone, one held and one active, are joined under the held call's id: the active call's
other connections move over and hear of their new id, and its id ends. A transfer takes the telephone itself out, a
conference leaves it in.
"""

from __future__ import annotations

from poise.lab.acd.codes import CallType, Cause, Device, Failure, Lcs, LineType
from poise.lab.acd.codes import PeripheralFailure as P
from poise.lab.acd.dialplan import DialPlan
from poise.lab.acd.model import Call, CallData, Leg
from poise.lab.acd.phones import NO_SUCH_DESTINATION, Phones, fit_to_dial, refuse
from poise.lab.acd.queues import Queues
from poise.lab.acd.switch import Switch
from poise.lab.rules import Refuse
from poise.protocols.cti.constants import NULL32

PARTIES_MAX = 16
"""Most parties of a conference (GED-188)."""
_OTHER_END = (Lcs.CONNECT, Lcs.HOLD)


class Joining:
    """Consulting and joining."""

    def __init__(self, switch: Switch, plan: DialPlan, phones: Phones, queues: Queues) -> None:
        self._switch = switch
        self._plan = plan
        self._phones = phones
        self._queues = queues

    def consult(
        self,
        leg: Leg,
        number: str,
        data: CallData,
        now: float,
        call_type: CallType = CallType.CONSULT,
        cause: Cause = Cause.NONE,
    ) -> Leg | Refuse:
        """Hold a call and call somebody else: the connection to the new call."""
        switch = self._switch
        if leg.call.monitor_of is not None or not switch.talking(leg):
            return refuse(Failure.STATE, P.CONSULT)
        if not fit_to_dial(number) or number == leg.device:
            return NO_SUCH_DESTINATION
        if self._phones.full(leg.device):
            return refuse(Failure.STATE, P.CONSULT)
        destination = self._plan.find(number)
        switch.hold(leg, now, Cause.CONSULT if cause is Cause.NONE else cause)
        call = switch.new_call(call_type, (leg.device, Device.AGENT), destination.device, data, now)
        call.consult_of = leg.call.call_id
        new = switch.join(
            call,
            (leg.device, Device.AGENT),
            Lcs.INITIATE,
            now,
            line=LineType.INSIDE if destination.kind is Device.AGENT else LineType.OUTBOUND,
            direction=leg.direction,
        )
        self._phones.dial(new, destination, now, cause)
        return new

    # Two calls become one

    def transfer(self, active: Leg, held: Leg, now: float) -> Call | Refuse:
        """Connect the others of both calls and go: the call that is left."""
        switch = self._switch
        problem = self._not_joinable(active, held, P.TRANSFER_NOT_HELD, P.TRANSFER_NOT_ACTIVE)
        if problem is not None:
            return problem
        call, other = held.call, active.call
        other_id = other.call_id
        added = next(leg for leg in other.legs if leg is not active)
        if added.kind is Device.ROUTE_POINT and self._waits(call):
            return refuse(Failure.STATE, P.TRANSFER_NOT_ACTIVE)
        switch.off(active, now)
        switch.off(held, now)
        self._queues.take_over(other, call, now)
        moved = self._move_over(other, call, CallType.TRANSFER_IN, now)
        call.call_type = CallType.TRANSFER_IN
        call.last_redirect = held.device
        stay = [leg for leg in call.legs if leg.kind is not Device.ROUTE_POINT]
        switch.told.append(switch.events.transferred(held, other_id, added.device, stay))
        switch.finish([held], now, passed_on=True)
        switch.told.append(switch.events.end(active, other_id))
        self._end_old(moved, other_id)
        self._left(other, active, now)
        for leg in moved:
            switch.settle(leg.device, now)
        return call

    def conference(self, active: Leg, held: Leg, now: float) -> Call | Refuse:
        """Join both calls: the call that is left."""
        switch = self._switch
        problem = self._not_joinable(active, held, P.CONFERENCE_NOT_HELD, P.CONFERENCE_NOT_CONNECTED)
        if problem is not None:
            return problem
        if not all(leg.state in _OTHER_END for leg in (*active.call.legs, *held.call.legs)):
            return refuse(Failure.STATE, P.CONFERENCE_NOT_CONNECTED)
        if len(active.call.legs) + len(held.call.legs) - 1 > PARTIES_MAX:
            return refuse(Failure.CONFERENCE_MEMBER_LIMIT, P.CONFERENCE_FULL)
        call, other = held.call, active.call
        other_id = other.call_id
        added = next(leg for leg in other.legs if leg is not active)
        switch.off(active, now)
        switch.turn(held, Lcs.CONNECT, now)
        call.call_type = CallType.CONFERENCE
        for leg in call.legs:
            leg.call_type = CallType.CONFERENCE
        before = call.data
        update = switch.events.data_update
        switch.tell(call.legs, lambda watcher: update(watcher, call.call_id, before, CallType.CONFERENCE))
        moved = self._move_over(other, call, CallType.CONFERENCE, now)
        switch.told.append(switch.events.conferenced(held, other_id, added.device, list(call.legs)))
        switch.told.append(switch.events.end(active, other_id))
        self._end_old(moved, other_id)
        self._left(other, active, now)
        for leg in (held, *moved):
            switch.settle(leg.device, now)
        return call

    def _not_joinable(self, active: Leg, held: Leg, no_held: P, no_active: P) -> Refuse | None:
        if held.state is not Lcs.HOLD:
            return refuse(Failure.STATE, no_held)
        others = [leg for leg in active.call.legs if leg is not active]
        if active.state is not Lcs.CONNECT or not others or active.call.monitor_of is not None:
            return refuse(Failure.STATE, no_active)
        rest = [leg for leg in held.call.legs if leg is not held]
        if {leg.device for leg in others} & {leg.device for leg in rest}:
            return refuse(Failure.STATE, P.ILLEGAL_CALL_STATE)
        if not any(leg.state in _OTHER_END for leg in rest):
            return refuse(Failure.STATE, no_held)
        return None

    def _move_over(self, other: Call, call: Call, call_type: CallType, now: float) -> list[Leg]:
        switch = self._switch
        moved = list(other.legs)
        before = other.data
        self._queues.inherit(other, call)
        if other.queue is not None and not self._waits(call):
            call.queue = other.queue
        for leg in moved:
            switch.move(leg, call, now)
            leg.call_type = call_type
            leg.wraps = leg.wraps or (leg.monitored and call.queue is not None)
            leg.acd = leg.acd or leg.wraps
            old_id = other.call_id
            switch.tell((leg,), lambda watcher, old=old_id: switch.events.data_update(watcher, old, before, call_type))  # type: ignore[misc]
        return moved

    @staticmethod
    def _waits(call: Call) -> bool:
        return any(leg.kind is Device.ROUTE_POINT for leg in call.legs)

    def _end_old(self, moved: list[Leg], old_id: int) -> None:
        switch = self._switch
        switch.tell(moved, lambda watcher: switch.events.end(watcher, old_id))

    def _left(self, other: Call, active: Leg, now: float) -> None:
        """The active call's id is over."""
        switch = self._switch
        other.ended = True
        switch.calls.pop(other.call_id, None)
        for listener in switch.on_gone:
            listener(active, now)
        switch.routable = True

    # One call goes on to somebody else

    def single_step(self, leg: Leg, number: str, now: float) -> Call | Refuse:
        """Send the other party on to a number without a word to whoever is there."""
        switch, call = self._switch, leg.call
        if call.monitor_of is not None or not switch.talking(leg):
            return refuse(Failure.STATE, P.TRANSFER_NOT_ACTIVE)
        if not fit_to_dial(number) or number == leg.device:
            return NO_SUCH_DESTINATION
        destination = self._plan.find(number)
        problem = self._phones.unreachable(call, destination)
        if problem is not None:
            return problem
        watchers = switch.watchers(call)
        switch.off(leg, now)
        stay = [other for other in call.legs if other.kind is not Device.ROUTE_POINT]
        call.consult_of = None
        switch.told.append(switch.events.transferred(leg, NULL32, number, stay))
        cleared = switch.events.connection_cleared
        switch.tell(watchers, lambda watcher: cleared(watcher, leg, Cause.TRANSFER))
        switch.finish([leg], now, passed_on=True)
        call.called, call.called_kind = destination.device
        call.last_redirect = leg.device
        self._phones.reach(call, destination, now, Cause.TRANSFER)
        return call
