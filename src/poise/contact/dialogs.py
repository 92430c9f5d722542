"""Frozen pictures of dialogs, and the changes between them. Anyone may hold one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from poise.contact.dialog_states import LIVE, Action, DialogState, PartyState

AGENT_DEVICE = "AGENT_DEVICE"
"""mediaAddressType of an agent's telephone; that of any other is empty."""


class CallVariable(NamedTuple):
    """A call variable or ECC variable."""

    name: str
    """callVariable1 to callVariable10, or an ECC name, with `[n]` for an element of an array."""
    value: str


class Participant(NamedTuple):
    """One telephone's part in a dialog."""

    address: str
    """Extension or number."""
    kind: str
    """AGENT_DEVICE or empty."""
    state: PartyState
    cause: str
    """Why an attempt failed, or empty."""
    started_at: float
    """Seconds since the epoch: part of the call since then."""
    changed_at: float
    """Seconds since the epoch: in this state since then."""
    actions: tuple[Action, ...] = ()
    """What the agent there may ask for."""


@dataclass(frozen=True, slots=True)
class MediaProperties:
    """What is known about a call beside its participants."""

    call_type: str = ""
    dialed_number: str = ""
    dnis: str = ""
    queue_number: int | None = None
    queue_name: str = ""
    router_call_key: tuple[int, int, int] | None = None
    """Day (callKeyPrefix), call id (callKeyCallId), sequence number (callKeySequenceNum)."""
    wrap_up_reason: str = ""
    wrap_up_items: tuple[str, ...] = ()
    """UCCX only."""
    classification: str = ""
    """outboundClassification."""
    variables: tuple[CallVariable, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialog:
    """One call as desktops see it, at one moment."""

    dialog_id: str
    from_address: str = ""
    to_address: str = ""
    state: DialogState = DialogState.INITIATING
    participants: tuple[Participant, ...] = ()
    properties: MediaProperties = field(default_factory=MediaProperties)
    associated_id: str = ""
    """The dialog this one was made from: the original of a consultation."""
    secondary_id: str = ""
    """The dialog that was merged into this one."""
    callback_time: str = ""
    """Of a scheduled callback, as YYYY-MM-DDThh:mm."""
    callback_number: str = ""

    def participant(self, address: str) -> Participant | None:
        """The part of that telephone."""
        return next((party for party in self.participants if party.address == address), None)

    def gone(self) -> Dialog:
        """The last picture of it: over for everyone."""
        parties = tuple(
            party._replace(state=PartyState.DROPPED if party.state in LIVE else party.state, actions=())
            for party in self.participants
        )
        return replace(self, state=DialogState.DROPPED, participants=parties)


class Shown(NamedTuple):
    """A dialog and who sees it."""

    dialog: Dialog
    viewers: tuple[str, ...]
    """Agent ids, in the order of their participants."""


class DialogChanged(NamedTuple):
    """A dialog's picture, or who sees it, was replaced. Both the same only where that is the answer to a request."""

    before: Shown | None
    """None: nobody saw it before."""
    after: Shown | None
    """None: nobody sees it any more."""
    request_id: str = ""
    """requestId of the REST call that caused it; empty when nobody here asked."""


@dataclass(frozen=True, slots=True)
class DialogFailed:
    """A request came to nothing."""

    agent_id: str
    """Who asked."""
    dialog_id: str
    """What was to be changed; empty for requests that make a dialog."""
    action: Action
    code: int
    """FailureCode or, where the CTI server refused the message itself, its E_CTI status (see `by_status`)."""
    request_id: str = ""
    peripheral_code: int = 0
    by_status: bool = False
    """`code` is an E_CTI status."""
    unfitting: bool = False
    """The participant's state did not allow it when it was asked for."""


DialogChange: TypeAlias = DialogChanged | DialogFailed
