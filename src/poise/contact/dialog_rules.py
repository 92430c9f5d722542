"""Which wishes about calls are refused at once, and what the others act on.

Theory. What the CTI server can judge it judges: a wish that only the state of the call forbids is passed on and fails
as an event, because a picture that lags behind must not forbid what is possible. Refused at once is what the guide
answers with an error status: a foreign telephone, an impossible destination, a call that is not the agent's, an action
that the deployment does not know. Where not even a message can be made (a transfer without a second call) the failure
is told as an event as well. Source: finesse-api.md 1.6, 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping

from poise.contact.call_book import CallBook
from poise.contact.calls import Call, Party
from poise.contact.dialog_requests import BUILDERS, DialogRefusal, DialogRefusalCode, DialogRequest, DialogWish, Leg
from poise.contact.dialog_states import CALL_TYPES, WRAPPED_UP, Action, CallKind, PartyState
from poise.contact.dialog_views import Viewer
from poise.contact.dialogs import DialogFailed
from poise.contact.people import People
from poise.contact.states import AgentState, Deployment
from poise.protocols.cti.constants import FailureCode

_A, _C = Action, DialogRefusalCode
MAKES_A_DIALOG = frozenset((_A.MAKE_CALL, _A.SILENT_MONITOR, _A.BARGE_CALL, _A.INTERCEPT))
"""Asked of a user, not of a dialog."""

NOT_ON: Mapping[Deployment, frozenset[Action]] = {
    Deployment.UCCE: frozenset((_A.START_RECORDING,)),
    Deployment.UCCX: frozenset((_A.PARTICIPANT_DROP,)),
}
"""Deployment -> actions it does not know."""

_ANSWERS_PREVIEW = frozenset((_A.ACCEPT, _A.CLOSE, _A.REJECT))
_NEEDS_ANOTHER_CALL = frozenset((_A.TRANSFER, _A.CONFERENCE))
_DIGITS = {
    Deployment.UCCE: frozenset("0123456789*#ABCD"),
    Deployment.UCCX: frozenset("0123456789*#"),
}
_WAITING = (PartyState.ACTIVE, PartyState.INITIATED)


class Judge:
    """Turns wishes into requests."""

    def __init__(self, deployment: Deployment, book: CallBook, people: People, viewer: Viewer) -> None:
        self._deployment = deployment
        self._book = book
        self._people = people
        self._viewer = viewer

    def request(self, wish: DialogWish, request_id: str) -> DialogRequest | DialogRefusal | DialogFailed:
        """The CTI request for a wish, or why there is none."""
        device = self._people.device_of(wish.agent_id)
        if not device:
            return DialogRefusal(_C.NOT_SIGNED_IN, wish.agent_id)
        if wish.from_address and wish.from_address != device:
            return DialogRefusal(_C.FOREIGN_ADDRESS, wish.from_address)
        if wish.action in NOT_ON[self._deployment]:
            return DialogRefusal(_C.NOT_HERE, wish.action.value)
        if wish.to_address == device:
            return DialogRefusal(_C.SAME_ADDRESS, wish.to_address)
        if wish.action in MAKES_A_DIALOG:
            leg = self._new_dialog(wish, device)
        else:
            leg = self._own_dialog(wish, device)
        if isinstance(leg, DialogRefusal):
            return leg
        unfitting = (
            leg.call is not None
            and leg.party is not None
            and wish.action not in MAKES_A_DIALOG
            and wish.action not in self._viewer.allowed(leg.call, leg.party)
        )
        if wish.action in _NEEDS_ANOTHER_CALL and leg.other is None:
            code = FailureCode.GENERIC_STATE_INCOMPATIBILITY
            return DialogFailed(wish.agent_id, wish.dialog_id, wish.action, code, request_id, unfitting=True)
        return DialogRequest(BUILDERS[wish.action](leg), wish, request_id, device, unfitting)

    def _new_dialog(self, wish: DialogWish, device: str) -> Leg | DialogRefusal:
        if wish.action is _A.MAKE_CALL:
            if wish.data and self._deployment is Deployment.UCCX:
                return DialogRefusal(_C.NO_CALL_DATA, "mediaProperties")
            person = self._people.at(device)
            ready = person is not None and person.state is AgentState.READY
            return Leg(wish, device, belligerent=ready and self._deployment is Deployment.UCCE)
        return self._supervised(wish, device)

    def _supervised(self, wish: DialogWish, device: str) -> Leg | DialogRefusal:
        """Monitoring and what follows it: the target must be an agent on a call."""
        found = self._talking(wish.to_address)
        if found is None or self._people.at(wish.to_address) is None:
            return DialogRefusal(_C.BAD_DESTINATION, wish.to_address)
        call, party = found
        if wish.action is _A.SILENT_MONITOR:
            if any(own.parties[device].live for own in self._book.at(device)):
                return DialogRefusal(_C.ON_A_CALL, device)
            return Leg(wish, device, other=call, other_party=party)
        if wish.action is _A.INTERCEPT:
            own_party = call.parties.get(device)
            if own_party is None or not own_party.live:
                return DialogRefusal(_C.NOT_MONITORING, wish.to_address)
            return Leg(wish, device, call, own_party, call, party)
        monitor = next(
            (c for c in self._book.at(device) if c.kind is CallKind.MONITOR and wish.to_address in c.parties), None
        )
        if monitor is None or not monitor.parties[device].live:
            return DialogRefusal(_C.NOT_MONITORING, wish.to_address)
        if self._viewer.other_parties(call, wish.to_address):
            return DialogRefusal(_C.TARGET_CONSULTS, wish.to_address)
        if party.state is PartyState.HELD:
            return DialogRefusal(_C.TARGET_HELD, wish.to_address)
        return Leg(wish, device, monitor, monitor.parties[device], call, party)

    def _talking(self, device: str) -> tuple[Call, Party] | None:
        """The call of a telephone that can be listened to: the active one first, else one on hold."""
        found = [
            (call, call.parties[device])
            for call in self._book.at(device)
            if call.kind is not CallKind.MONITOR and call.parties[device].state in (PartyState.ACTIVE, PartyState.HELD)
        ]
        found.sort(key=lambda pair: pair[1].state is PartyState.HELD)
        return found[0] if found else None

    def _own_dialog(self, wish: DialogWish, device: str) -> Leg | DialogRefusal:
        call = self._book.by_dialog(wish.dialog_id)
        shown = self._viewer.shown(call) if call is not None else None
        if call is None or shown is None:
            return DialogRefusal(_C.NO_DIALOG, wish.dialog_id)
        party = call.parties.get(device)
        if party is None or wish.agent_id not in shown.viewers:
            return DialogRefusal(_C.NOT_A_PARTICIPANT, wish.agent_id)
        refusal = self._refused(wish, call, party)
        if refusal is not None:
            return refusal
        other = self._other(wish, call, party) if wish.action in _NEEDS_ANOTHER_CALL else None
        return Leg(wish, device, call, party, other, other.parties[device] if other is not None else None)

    def _refused(self, wish: DialogWish, call: Call, party: Party) -> DialogRefusal | None:
        action = wish.action
        if action is _A.SEND_DTMF:
            if not set(wish.digits) <= _DIGITS[self._deployment]:
                return DialogRefusal(_C.BAD_DIGITS, "dtmfString")
            if party.state is PartyState.HELD:
                return DialogRefusal(_C.HELD, wish.dialog_id)
        if action is _A.PARTICIPANT_DROP:
            target = call.parties.get(wish.to_address)
            if target is None or not target.live:
                return DialogRefusal(_C.BAD_DESTINATION, wish.to_address)
            if action not in self._viewer.allowed(call, party):
                return DialogRefusal(_C.MAY_NOT_DROP, wish.agent_id)
        previews_direct = CALL_TYPES.get(call.call_type) == "OUTBOUND_DIRECT_PREVIEW"
        if action in _ANSWERS_PREVIEW and self._deployment is Deployment.UCCX and not previews_direct:
            return DialogRefusal(_C.NOT_HERE, action.value)
        return None

    def _other(self, wish: DialogWish, call: Call, party: Party) -> Call | None:
        """The call to join with this one: one is held, the other is not; `to_address` picks among several."""
        fits = _WAITING if party.state is PartyState.HELD else (PartyState.HELD,)
        if party.state not in (PartyState.HELD, *_WAITING):
            return None
        others = [
            other
            for other in self._book.at(party.device)
            if other is not call and other.kind in WRAPPED_UP and other.parties[party.device].state in fits
        ]
        others.sort(key=lambda other: (wish.to_address not in (other.to_address, *other.parties), -other.cti_id))
        return others[0] if others else None
