"""Outbound campaigns: an agent is reserved, then (preview: after a look at the record) the customer is called.

Theory. A reservation call from a port of the dialler holds the agent while the customer's telephone rings; the agent
answers a preview through the ECC variable BAResponse. When the customer answers, the customer's call takes the place of
the reservation. A record is closed when the customer was reached or the agent closed it, and comes again otherwise, or
when the agent says so during the customer's call, again through BAResponse (`responses.py`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial

from poise.lab.acd.codes import CallType, Cause, Device, Lcs, LineType
from poise.lab.acd.dialplan import DialPlan
from poise.lab.acd.model import Call, CallData, Leg
from poise.lab.acd.queues import Queues
from poise.lab.acd.responses import outcome
from poise.lab.acd.settings import Number, Reaction
from poise.lab.acd.switch import Switch
from poise.lab.data import SkillGroup
from poise.lab.rules import Deployment
from poise.protocols.cti.constants import AgentState, Direction

PORT = "7001"
"""Number of the dialler's port."""
AGAIN_S = 60.0
"""Seconds after which a rejected or unreached record may come again."""
TRIES = 3
"""Agents a record is offered to before it is given up."""
CLOSING = ("Reject-Close", "Skip-Close", "Close")


class Mode(Enum):
    """How a campaign dials."""

    PREVIEW = "preview"
    PROGRESSIVE = "progressive"


@dataclass(frozen=True, slots=True)
class Record:
    """A customer to be called."""

    number: str
    account: str = ""
    name: str = ""
    data: CallData = field(default_factory=CallData)
    talks_s: float | None = 120.0
    """Seconds after which the customer hangs up; None: never first."""


@dataclass(eq=False, slots=True)
class _Entry:
    campaign: Campaign
    record: Record
    not_before: float = 0.0
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Campaign:
    """A list of customers for the agents of a queue."""

    name: str
    group: SkillGroup
    mode: Mode
    campaign_id: int = 1


@dataclass(eq=False, slots=True)
class _Reservation:
    entry: _Entry
    leg: Leg
    """The agent's connection to the reservation call."""
    dialling: bool = False


class Dialler:
    """All campaigns."""

    def __init__(self, switch: Switch, plan: DialPlan, queues: Queues) -> None:
        self._switch = switch
        self._plan = plan
        self._queues = queues
        self._entries: deque[_Entry] = deque()
        self._reservations: dict[Call, _Reservation] = {}
        self._customers: dict[Call, _Entry] = {}
        self.epoch_s = 0.0
        """Wall time at monotonic 0: agents name wall times for callbacks, in the time zone of BATimeZone."""
        self.reached = 0
        self.closed = 0
        """Records closed by an agent, or given up."""
        switch.on_gone.append(self._gone)

    @property
    def open_records(self) -> int:
        """Records that wait or are being worked on."""
        return len(self._entries) + len(self._reservations)

    def add(self, campaign: Campaign, record: Record) -> None:
        """A customer to be called when an agent is free."""
        self._entries.append(_Entry(campaign, record))
        self._switch.routable = True

    def route(self, now: float) -> None:
        """Reserve free agents for the records that are due."""
        for _ in range(len(self._entries)):
            entry = self._entries.popleft()
            agent = None
            if entry.not_before <= now and not self._queues.waiting(entry.campaign.group):
                agent = self._queues.free_agent(entry.campaign.group)
            if agent is None:
                self._entries.append(entry)
            else:
                self._reserve(entry, agent.extension, agent.person.agent_id, now)

    def _later(self, entry: _Entry, now: float) -> None:
        if entry.tries >= TRIES:
            self.closed += 1
            return
        entry.not_before = now + AGAIN_S
        self._entries.append(entry)
        self._switch.agenda.at(entry.not_before, self._look_again)

    def _look_again(self, now: float) -> None:
        self._switch.routable = True

    def _status(self, mode: Mode, *, reservation: bool) -> str:
        if self._switch.acd.deployment is Deployment.UCCX:
            return "OUTBOUND"
        if mode is Mode.PROGRESSIVE:
            return "PROGRESSIVE_OUTBOUND"
        return "PREVIEW_OUTBOUND_RESERVATION" if reservation else "PREVIEW_OUTBOUND"

    def _call_types(self, mode: Mode) -> tuple[CallType, CallType]:
        if mode is Mode.PROGRESSIVE:
            return CallType.RESERVATION_PREDICTIVE, CallType.CUSTOMER_PREDICTIVE
        if self._switch.acd.deployment is Deployment.UCCX:
            return CallType.RESERVATION_PREVIEW_DIRECT, CallType.CUSTOMER_PREVIEW_DIRECT
        return CallType.RESERVATION_PREVIEW, CallType.CUSTOMER_PREVIEW

    def _data(self, entry: _Entry, status: str, device: str) -> CallData:
        record, campaign = entry.record, entry.campaign
        data = record.data.with_ecc(
            BACampaign=campaign.name,
            BAAccountNumber=record.account,
            BAResponse="",
            BAStatus=status,
            BADialedListID="1",
            BATimeZone="GMT",
            BABuddyName=record.name,
            BACustomerNumber=record.number,
        )
        return CallData(
            record.number, device, record.number, variables=data.variables, ecc=data.ecc, campaign=campaign.campaign_id
        )

    def _reserve(self, entry: _Entry, device: str, agent_id: str, now: float) -> None:
        switch, mode = self._switch, entry.campaign.mode
        entry.tries += 1
        preview = mode is Mode.PREVIEW
        direction = Direction.OUTBOUND_PREVIEW if preview else Direction.OUTBOUND_PREDICTIVE
        switch.publish(switch.acd.on_call(agent_id, AgentState.RESERVED, direction, now), now)
        target = (device, Device.AGENT)
        data = self._data(entry, self._status(mode, reservation=True), device)
        call = switch.new_call(self._call_types(mode)[0], (PORT, Device.CTI_PORT), target, data, now)
        switch.join(call, (PORT, Device.CTI_PORT), Lcs.CONNECT, now)
        leg = switch.join(call, target, Lcs.ALERTING, now, line=LineType.OUTBOUND, direction=direction, acd=True)
        reservation = self._reservations[call] = _Reservation(entry, leg)
        switch.tell((leg,), lambda watcher: switch.events.delivered(watcher, *target, Cause.NEW_CALL))
        if preview:
            switch.agenda.at(now + switch.settings.preview_s, partial(self._not_looked_at, reservation))
        else:
            self._dial(reservation, now)

    def _not_looked_at(self, reservation: _Reservation, now: float) -> None:
        switch, leg = self._switch, reservation.leg
        if leg.state is not Lcs.ALERTING:
            return
        agent = switch.acd.at_extension(leg.device)
        if agent is not None:
            switch.publish(switch.acd.not_answered(agent.person.agent_id, now), now)
        switch.leave(leg, now, Cause.NOT_ANSWERED)

    def responded(self, call: Call, response: str, now: float) -> None:
        """The agent has set BAResponse."""
        entry = self._customers.get(call)
        if entry is not None:
            self._called_again(entry, response, now)
        reservation = self._reservations.get(call)
        if reservation is None or reservation.dialling or not response:
            return
        if response == "Accept":
            self._dial(reservation, now)
        elif response in CLOSING:
            self.closed += 1
            del self._reservations[call]
            self._switch.leave(reservation.leg, now)
        else:
            self._switch.leave(reservation.leg, now)

    def _called_again(self, entry: _Entry, response: str, now: float) -> None:
        """During the customer's call; what is said last holds."""
        told = outcome(response)
        if told is None or any(reservation.entry is entry for reservation in self._reservations.values()):
            return
        if entry in self._entries:
            self._entries.remove(entry)
        if told.again:
            if told.number:
                entry.record = replace(entry.record, number=told.number)
            entry.tries = 0
            entry.not_before = max(told.at - self.epoch_s, now + AGAIN_S)
            self._entries.append(entry)
            self._switch.agenda.at(entry.not_before, self._look_again)

    def _dial(self, reservation: _Reservation, now: float) -> None:
        switch, leg = self._switch, reservation.leg
        active = switch.active_at(leg.device)
        if active is not None and not switch.talking(active):
            self._not_reached(reservation, now)
            return
        if active is not None:
            switch.hold(active, now)
        reservation.dialling = True
        leg.answered = True
        switch.answer(leg, now)
        if reservation.entry.campaign.mode is Mode.PREVIEW:
            switch.settle(leg.device, now)
        outside = self._plan.find(reservation.entry.record.number).outside or Number(Reaction.UNKNOWN)
        if outside.reaction is Reaction.ANSWERS and outside.after_s < switch.settings.dialling_s:
            switch.agenda.at(now + outside.after_s, partial(self._customer_answers, reservation))
        else:
            rings = outside.reaction in (Reaction.RINGS, Reaction.ANSWERS)
            wait_s = switch.settings.dialling_s if rings else outside.after_s
            switch.agenda.at(now + wait_s, partial(self._not_reached, reservation))

    def _not_reached(self, reservation: _Reservation, now: float) -> None:
        if not reservation.leg.gone:
            self._switch.leave(reservation.leg, now, Cause.NOT_ANSWERED)

    def _customer_answers(self, reservation: _Reservation, now: float) -> None:
        switch, entry, old = self._switch, reservation.entry, reservation.leg
        if not switch.talking(old):
            self._not_reached(reservation, now)
            return
        record, mode = entry.record, entry.campaign.mode
        self.reached += 1
        del self._reservations[old.call]
        switch.hold(old, now)
        agent, customer = (old.device, Device.AGENT), (record.number, Device.EXTERNAL)
        data = self._data(entry, self._status(mode, reservation=False), old.device)
        call = switch.new_call(self._call_types(mode)[1], agent, customer, data, now)
        self._customers = {known: one for known, one in self._customers.items() if known.call_id in switch.calls}
        self._customers[call] = entry
        other = switch.join(call, customer, Lcs.CONNECT, now)
        leg = switch.join(
            call, agent, Lcs.ALERTING, now, line=LineType.OUTBOUND, direction=old.direction, acd=True, wraps=True
        )
        switch.tell((leg,), lambda watcher: switch.events.delivered(watcher, *agent, Cause.NEW_CALL))
        leg.answered = True
        switch.answer(leg, now)
        switch.leave(old, now)
        switch.settle(leg.device, now)
        if record.talks_s is not None:
            switch.agenda.at(now + record.talks_s, partial(self._hangs_up, other))

    def _hangs_up(self, leg: Leg, now: float) -> None:
        if not leg.gone:
            self._switch.leave(leg, now)

    def _gone(self, leg: Leg, now: float) -> None:
        reservation = self._reservations.get(leg.call)
        if reservation is not None and reservation.leg is leg:
            del self._reservations[leg.call]
            self._later(reservation.entry, now)
