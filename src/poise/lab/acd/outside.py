"""Callers from outside: they call, wait as long as they have patience, talk, and hang up. No I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

from poise.lab.acd.codes import CallType, Cause, Device, Lcs
from poise.lab.acd.dialplan import DialPlan
from poise.lab.acd.model import Call, CallData, Leg
from poise.lab.acd.phones import Phones
from poise.lab.acd.switch import Switch


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and how."""

    number: str
    dials: str
    data: CallData = field(default_factory=CallData)
    patience_s: float = 120.0
    """Seconds without an answer after which the caller gives up."""
    talks_s: float | None = 120.0
    """Seconds after the first answer at which the caller hangs up; None: never first."""


class Outside:
    """The callers."""

    def __init__(self, switch: Switch, plan: DialPlan, phones: Phones) -> None:
        self._switch = switch
        self._plan = plan
        self._phones = phones
        self._talks: dict[Leg, float | None] = {}
        switch.on_answer.append(self._answered)
        switch.on_gone.append(self._gone)

    def call_in(self, caller: Caller, now: float) -> Call | None:
        """Somebody calls: the call, or None when the number does not exist or is busy."""
        switch = self._switch
        destination = self._plan.find(caller.dials)
        if destination.kind is Device.EXTERNAL:
            return None
        data = replace(caller.data, ani=caller.number, dnis=caller.dials, dialed=caller.dials)
        call_type = CallType.OTHER_IN if destination.group is None else CallType.ACD_IN
        call = switch.new_call(call_type, (caller.number, Device.EXTERNAL), destination.device, data, now)
        if self._phones.unreachable(call, destination) is not None:
            switch.calls.pop(call.call_id)
            return None
        leg = switch.join(call, (caller.number, Device.EXTERNAL), Lcs.CONNECT, now)
        self._talks[leg] = caller.talks_s
        self._phones.reach(call, destination, now, Cause.NEW_CALL)
        switch.agenda.at(now + caller.patience_s, partial(self._gives_up, leg))
        return call

    def _gives_up(self, leg: Leg, now: float) -> None:
        if leg in self._talks and not leg.gone:
            self._switch.leave(leg, now, Cause.CANCELLED)

    def _answered(self, answering: Leg, now: float) -> None:
        for leg in answering.call.legs:
            talks_s = self._talks.pop(leg, None)
            if talks_s is not None:
                self._switch.agenda.at(now + talks_s, partial(self._hangs_up, leg))

    def _hangs_up(self, leg: Leg, now: float) -> None:
        if not leg.gone:
            self._switch.leave(leg, now)

    def _gone(self, leg: Leg, now: float) -> None:
        self._talks.pop(leg, None)
