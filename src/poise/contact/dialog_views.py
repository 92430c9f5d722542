"""What desktops see of a call: the dialog, and which agents it is shown to.

Theory. A picture is made anew from the call whenever something has touched it, and compared with the one before; no
event is ever translated into a notification by itself. So the pictures are right whenever the call is, and the order
in which call events and agent states arrive does not matter.

An agent sees a call while the own connection stands, and after it was dropped until its report is closed. Whoever
talked and goes into wrap-up sees it until that is over. Wrap-up is an agent's state, which may be reported after the
call's end: until the agent's next state an agent who was talking is therefore taken for one who may wrap up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from poise.contact.call_book import CallBook
from poise.contact.call_data import CUSTOMER_NUMBER
from poise.contact.calls import Call, Party
from poise.contact.dialog_states import (
    ALLOWED,
    CALL_TYPES,
    CUSTOMER_ACTIONS,
    RECORDING,
    WITH_ANOTHER_CALL,
    WRAPPED_UP,
    Action,
    CallKind,
    PartyState,
    dialog_state,
)
from poise.contact.dialogs import AGENT_DEVICE, Dialog, MediaProperties, Participant, Shown
from poise.contact.people import People, Person
from poise.contact.states import Deployment

ITEM_SEPARATOR = "|"
"""Between several wrap-up reasons of one call, which the CTI server knows as one text (UCCX)."""


SUPERVISORS, CONTROLLERS, EVERYONE = "supervisor_only", "conference_controller_and_supervisor", "all"
DROPPERS = CONTROLLERS
"""Who may drop others from a conference, unless settings say otherwise (enableDropParticipantFor)."""


class Rules(NamedTuple):
    """What settings decide."""

    deployment: Deployment
    droppers: str = DROPPERS
    """SUPERVISORS, CONTROLLERS (and supervisors) or EVERYONE may drop others from a conference."""


class Viewer:
    """Makes the pictures."""

    def __init__(self, rules: Rules, book: CallBook, people: People, queue_name: Callable[[int], str]) -> None:
        self.rules = rules
        self._book = book
        self._people = people
        self._queue_name = queue_name

    def shown(self, call: Call) -> Shown | None:
        """The call's present picture, or None when no agent sees it."""
        if call.kind is CallKind.SEAT:
            return None
        viewers: list[str] = []
        participants: list[Participant] = []
        for party in call.parties.values():
            person = self._people.at(party.device)
            if person is not None and self._sees(call, party, person):
                viewers.append(person.agent_id)
            if person is None and call.kind is CallKind.RESERVATION:
                continue  # the dialler's port
            if party.live or party.talked or not party.over:
                participants.append(self._participant(call, party, person))
        if not viewers:
            return None
        return Shown(self._dialog(call, tuple(participants)), tuple(dict.fromkeys(viewers)))

    def settle(self, call: Call) -> None:
        """Whoever is done with the call at this moment stays so."""
        for party in call.parties.values():
            if party.over and not party.done and not party.live:
                person = self._people.at(party.device)
                party.done = person is None or not self._may_wrap_up(call, party, person)

    def state(self, call: Call, party: Party, person: Person | None) -> PartyState:
        """A connection's state as desktops see it."""
        kind = call.kind
        if kind is CallKind.RESERVATION and party.live:
            return PartyState.ACCEPTED if call.accepted else PartyState.ALERTING
        if (
            party.state is PartyState.DROPPED
            and person is not None
            and person.wraps_up
            and not party.done
            and self._may_wrap_up(call, party, person)
        ):
            return PartyState.WRAP_UP
        return party.state

    def allowed(self, call: Call, party: Party) -> tuple[Action, ...]:
        """What the agent at that telephone may ask for."""
        person = self._people.at(party.device)
        if person is None:
            return ()
        kind = call.kind
        state = self.state(call, party, person)
        if kind is CallKind.MONITOR:
            return ALLOWED[kind].get(state, ()) if party.device == call.monitor else ()
        actions = ALLOWED[CallKind.ORDINARY if kind is CallKind.CUSTOMER else kind].get(state, ())
        if kind is CallKind.RESERVATION:
            return actions
        if state is PartyState.ACTIVE:
            actions += RECORDING[self.rules.deployment]
            if kind is CallKind.CUSTOMER:
                actions += CUSTOMER_ACTIONS
            if self._may_drop_others(call, party.device, person):
                actions += (Action.PARTICIPANT_DROP,)
        for other in self.other_parties(call, party.device):
            for action in WITH_ANOTHER_CALL.get((state, other.state), ()):
                if action not in actions:
                    actions += (action,)
        return actions

    def other_parties(self, call: Call, device: str) -> list[Party]:
        """The telephone's connections in other calls of which one could make a transfer or a conference."""
        return [
            other.parties[device]
            for other in self._book.at(device)
            if other is not call and other.kind in WRAPPED_UP and other.parties[device].live
        ]

    def _may_drop_others(self, call: Call, device: str, person: Person) -> bool:
        if len(call.live) < 3:
            return False
        whose = self.rules.droppers
        if whose == EVERYONE or person.is_supervisor:
            return True
        return whose == CONTROLLERS and device == call.controller

    def _may_wrap_up(self, call: Call, party: Party, person: Person) -> bool:
        if not party.talked or call.kind not in WRAPPED_UP:
            return False
        return person.wraps_up or (person.on_call and not self.other_parties(call, party.device))

    def _sees(self, call: Call, party: Party, person: Person) -> bool:
        if party.live:
            return True
        return not party.done and (not party.over or self._may_wrap_up(call, party, person))

    def _participant(self, call: Call, party: Party, person: Person | None) -> Participant:
        return Participant(
            party.device,
            AGENT_DEVICE if person is not None else "",
            self.state(call, party, person),
            party.cause,
            party.started_at,
            party.changed_at,
            self.allowed(call, party),
        )

    def _dialog(self, call: Call, participants: tuple[Participant, ...]) -> Dialog:
        from_address, to_address = self._addresses(call)
        return Dialog(
            call.dialog_id,
            from_address,
            to_address,
            dialog_state(party.state for party in participants),
            participants,
            self._properties(call),
            call.associated_id,
            call.secondary_id,
            call.callback_time,
            call.callback_number,
        )

    def _addresses(self, call: Call) -> tuple[str, str]:
        kind = call.kind
        if kind is CallKind.MONITOR:
            return call.monitor, next((device for device in call.parties if device != call.monitor), call.to_address)
        if kind is CallKind.CUSTOMER:  # the dialler's call is shown as the agent's own
            agent = next((device for device in call.parties if self._people.at(device) is not None), call.from_address)
            number = call.data.variable(CUSTOMER_NUMBER) or call.data.customer_number
            return agent, number or call.to_address
        return call.from_address, call.to_address

    def _properties(self, call: Call) -> MediaProperties:
        data, queue = call.data, call.skill_group
        items: tuple[str, ...] = ()
        if self.rules.deployment is Deployment.UCCX and data.wrap_up:
            items = tuple(data.wrap_up.split(ITEM_SEPARATOR))
        return MediaProperties(
            CALL_TYPES.get(call.call_type, ""),
            data.dialed_number or call.to_address,
            data.dnis or data.dialed_number,
            queue,
            self._queue_name(queue) if queue is not None else "",
            data.router_call_key,
            data.wrap_up,
            items,
            "",
            data.variables,
        )
