"""Supervisors in calls: silent monitoring, whisper, barge-in, intercept, assistance. No I/O, no clock."""

from __future__ import annotations

from dataclasses import replace

from poise.lab.acd.codes import CallType, Cause, Device, Failure, Lcs, LineType, Supervise
from poise.lab.acd.codes import PeripheralFailure as P
from poise.lab.acd.joining import Joining
from poise.lab.acd.model import CallData, Leg
from poise.lab.acd.phones import Phones, refuse
from poise.lab.acd.switch import Switch
from poise.lab.data import LabData
from poise.lab.rules import Refuse
from poise.protocols.cti.constants import AgentState, Direction

_BAD_ACTION = refuse(Failure.STATE, P.SUPERVISE_ACTION)
_NOT_TALKING = refuse(Failure.STATE, P.SUPERVISE_NOT_TALKING)


class Supervision:
    """What supervisors do with their agents' calls."""

    def __init__(self, switch: Switch, phones: Phones, joining: Joining, data: LabData) -> None:
        self._switch = switch
        self._phones = phones
        self._joining = joining
        self._data = data
        switch.on_gone.append(self._gone)

    def monitoring(self, supervisor: str) -> Leg | None:
        """The supervisor's connection to a monitor call."""
        return next((leg for leg in self._switch.at(supervisor) if leg.call.monitor_of is not None), None)

    def supervise(self, action: int, supervisor: str, leg: Leg | None, now: float) -> Leg | Refuse:
        """Do one of the supervisory actions to an agent's connection; the supervisor's own connection."""
        agent = self._switch.acd.at_extension(supervisor)
        if agent is None or not agent.person.supervises:
            return refuse(Failure.PRIVILEGE)
        if action == Supervise.CLEAR:
            return self._clear(supervisor, leg, now)
        if leg is None or leg.device == supervisor or not leg.monitored:
            return _NOT_TALKING
        if action == Supervise.MONITOR:
            return self._monitor(supervisor, leg, now)
        if action == Supervise.WHISPER:
            return self._whisper(supervisor, leg, now)
        if action == Supervise.BARGE:
            return self._barge(supervisor, leg, now)
        if action == Supervise.INTERCEPT:
            return self._intercept(supervisor, leg, now)
        return _BAD_ACTION

    def _monitor(self, supervisor: str, leg: Leg, now: float) -> Leg | Refuse:
        switch = self._switch
        agent = switch.acd.at_extension(supervisor)
        if leg.call.monitor_of is not None or not switch.talking(leg):
            return _NOT_TALKING
        if agent is None or agent.state is not AgentState.NOT_READY or switch.at(supervisor):
            return refuse(Failure.STATE, P.BAD_STATE)
        target, watcher = (leg.device, Device.AGENT), (supervisor, Device.AGENT)
        data = CallData(ani=leg.device, dialed=supervisor, dnis=supervisor)
        call = switch.new_call(CallType.SUPERVISOR_MONITOR, target, watcher, data, now)
        call.monitor_of = leg
        own = switch.join(call, watcher, Lcs.ALERTING, now, line=LineType.SILENT_MONITOR, direction=Direction.OTHER_IN)
        delivered, established = switch.events.delivered, switch.events.established
        switch.tell((own,), lambda told: delivered(told, *watcher, Cause.SUPERVISOR_MONITOR))
        switch.turn(own, Lcs.CONNECT, now)
        switch.tell((own,), lambda told: established(told, *watcher, Cause.SUPERVISOR_MONITOR))
        switch.settle(supervisor, now)
        return own

    def _whisper(self, supervisor: str, leg: Leg, now: float) -> Leg | Refuse:
        own = self.monitoring(supervisor)
        if own is None or own.call.monitor_of is not leg:
            return _BAD_ACTION
        own.call.call_type = own.call_type = CallType.WHISPER
        self._phones.set_data(own.call, own.call.data)
        return own

    def _barge(self, supervisor: str, leg: Leg, now: float) -> Leg | Refuse:
        switch, call = self._switch, leg.call
        if call.leg(supervisor) is not None:
            return refuse(Failure.STATE, P.SUPERVISE_ALREADY_IN)
        if call.monitor_of is not None or not switch.talking(leg):
            return _NOT_TALKING
        own = self.monitoring(supervisor)
        if own is not None and own.call.monitor_of is leg:
            switch.leave(own, now, Cause.SUPERVISOR_BARGE)
        agent = switch.acd.at_extension(supervisor)
        if agent is None or switch.at(supervisor) or agent.state is not AgentState.NOT_READY:
            return refuse(Failure.STATE, P.BAD_STATE)
        if any(other.state not in (Lcs.CONNECT, Lcs.HOLD) for other in call.legs):
            return _NOT_TALKING
        cause = Cause.SUPERVISOR_BARGE
        consult = self._joining.consult(leg, supervisor, call.data, now, CallType.BARGE_IN, cause)
        if isinstance(consult, Refuse):
            return consult
        theirs = consult.call.leg(supervisor)
        assert theirs is not None
        theirs.answered = True
        switch.answer(theirs, now, cause)
        switch.settle(supervisor, now)
        joined = self._joining.conference(consult, leg, now)
        return joined if isinstance(joined, Refuse) else theirs

    def _intercept(self, supervisor: str, leg: Leg, now: float) -> Leg | Refuse:
        own = leg.call.leg(supervisor)
        if own is None or own.state is not Lcs.CONNECT or leg.call.call_type is not CallType.CONFERENCE:
            return _BAD_ACTION
        self._switch.leave(leg, now, Cause.SUPERVISOR_INTERCEPT)
        return own

    def _clear(self, supervisor: str, leg: Leg | None, now: float) -> Leg | Refuse:
        own = self.monitoring(supervisor)
        if own is None and leg is not None:
            own = leg.call.leg(supervisor)
        if own is None or own.state is Lcs.ALERTING:
            return _BAD_ACTION
        self._switch.leave(own, now, Cause.SUPERVISOR_CLEAR)
        return own

    def _gone(self, leg: Leg, now: float) -> None:
        """Nobody is left to be listened to."""
        for call in [call for call in self._switch.calls.values() if call.monitor_of is leg]:
            self._switch.clear(call, now, Cause.SUPERVISOR_CLEAR)

    def assist(self, device: str, leg: Leg | None, now: float, *, emergency: bool) -> Leg | Refuse:
        """Call the team's supervisor, out of a call or without one."""
        switch = self._switch
        agent = switch.acd.at_extension(device)
        if agent is None:
            return refuse(Failure.INVALID_CALLING_DEVICE)
        team = agent.person.team
        present = [
            other
            for person in self._data.people
            if team in person.supervises
            and (other := switch.acd.agent(person.agent_id)) is not None
            and other.extension
            and other.extension != device
            and not switch.at(other.extension)
        ]
        if not present:
            return refuse(Failure.INVALID_DESTINATION, P.NO_TEAM)
        number = present[0].extension
        call_type = CallType.EMERGENCY if emergency else CallType.ASSIST
        cause = Cause.EMERGENCY if emergency else Cause.SUPERVISOR_ASSIST
        if leg is not None:
            return self._joining.consult(leg, number, replace(leg.call.data), now, call_type, cause)
        return self._phones.make_call(device, number, 0, CallData(), now, call_type)
