"""The model of all calls: call events go in, changes of dialogs come out; wishes go in, CTI requests come out.

Theory. The calls are kept as the CTI server reports them; after each report the pictures of the calls it touched, and
of the other calls of the same telephones, are made anew and compared with those handed out before. The differences are
the changes. So whoever applies all changes to an old set of pictures has the present one, whatever was reported, lost
or repeated. After a reconnect every call is doubtful until a snapshot or an event confirms it.

Must not know: sockets, clocks, XML, REST. `now_wall` (seconds since the epoch) only stamps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from poise.contact.call_book import CallBook
from poise.contact.call_merging import ALL_HANDLERS
from poise.contact.calls import Call
from poise.contact.dialog_correlation import DialogCorrelation
from poise.contact.dialog_requests import DialogRefusal, DialogRequest, DialogWish
from poise.contact.dialog_rules import Judge
from poise.contact.dialog_states import LIVE, Action
from poise.contact.dialog_views import Rules, Viewer
from poise.contact.dialogs import Dialog, DialogChange, DialogChanged, DialogFailed, Shown
from poise.contact.people import People
from poise.contact.snapshots import Change
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import RequestEnded


class DialogModel:
    """All calls of one contact centre that agents see."""

    def __init__(self, rules: Rules, queue_name: Callable[[int], str] = lambda _: "") -> None:
        """`queue_name` names a queue by its number."""
        self._book = CallBook()
        self._people = People()
        self._viewer = Viewer(rules, self._book, self._people, queue_name)
        self._judge = Judge(rules.deployment, self._book, self._people, self._viewer)
        self._correlation = DialogCorrelation()
        self._shown: dict[Call, Shown] = {}
        self._by_id: dict[str, Shown] = {}
        self.dialogs: Mapping[str, Shown] = MappingProxyType(self._by_id)
        """Every dialog that an agent sees, by its id; a live view of frozen pictures."""

    def of_agent(self, agent_id: str) -> list[Dialog]:
        """The dialogs that an agent sees, oldest first."""
        device = self._people.device_of(agent_id)
        shown = [self._shown[call] for call in self._book.at(device) if call in self._shown]
        return [dialog for dialog, viewers in shown if agent_id in viewers]

    def on_call(self, agent_id: str) -> bool:
        """Has the agent a connection that stands, in a call that is shown to him?"""
        device = self._people.device_of(agent_id)
        return any(
            (party := dialog.participant(device)) is not None and party.state in LIVE
            for dialog in self.of_agent(agent_id)
        )

    # ---- what is reported

    def people(self, changes: Iterable[Change]) -> list[DialogChange]:
        """The agent model has changed: somebody else sits at a telephone, or is in another state."""
        calls: list[Call] = []
        for device in self._people.follow(changes):
            calls += self._book.at(device)
        return self._changes(calls) if calls else []

    def apply(self, message: Message, now_wall: float) -> list[DialogChange]:
        """Take one message of the CTI server; those that say nothing about calls change nothing."""
        handler = ALL_HANDLERS.get(message.name)
        if handler is None:
            return []
        effect = handler(self._book, message, now_wall)
        if not effect.calls:
            return []
        self._book.index(effect.calls)
        request = self._correlation.event(message.name, effect)
        if request is None:
            return self._changes(effect.calls)
        changes = self._changes(effect.calls, request.request_id)
        if not changes and request.request_id:  # the answer is that nothing is different
            changes += [
                DialogChanged(shown, shown, request.request_id)
                for call in effect.calls
                if (shown := self._shown.get(call)) is not None and request.wish.agent_id in shown.viewers
            ]
        return changes

    def link_lost(self) -> None:
        """Nothing is reported any more: every call is doubtful."""
        for call in self._book:
            call.stale = True

    def resynced(self) -> list[DialogChange]:
        """The link is synchronised: calls that nothing has confirmed since it was lost are over."""
        gone = [call for call in self._book if call.stale]
        for call in gone:
            self._book.close(call)
        return self._changes(gone)

    # ---- what people want

    def request(self, wish: DialogWish, request_id: str = "") -> DialogRequest | DialogRefusal | DialogFailed:
        """Put a wish to the CTI server, or refuse it; DialogFailed: tell it as an event."""
        return self._judge.request(wish, request_id)

    def sent(self, request: DialogRequest) -> None:
        """The request is handed to the link, which will tell how it ended."""
        self._correlation.sent(request)

    def ended(self, ended: RequestEnded) -> list[DialogChange]:
        """The link tells how a request ended; its context is the DialogRequest; other contexts change nothing."""
        request = ended.context
        if not isinstance(request, DialogRequest):
            return []
        if ended.failure_code is None:
            self._correlation.confirmed(request)
            return self._scheduled(request.wish)
        self._correlation.failed(request)
        status = ended.answer.fields.get("Status") if ended.answer is not None else None
        return [
            DialogFailed(
                request.wish.agent_id,
                request.wish.dialog_id,
                request.wish.action,
                status if status is not None else ended.failure_code,
                request.request_id,
                ended.peripheral_error,
                by_status=status is not None,
                unfitting=request.unfitting,
            )
        ]

    def _scheduled(self, wish: DialogWish) -> list[DialogChange]:
        """What the CTI server does not repeat: the callback that was agreed on."""
        call = self._book.by_dialog(wish.dialog_id)
        if call is None:
            return []
        if wish.action is Action.UPDATE_SCHEDULED_CALLBACK:
            call.callback_time = wish.callback_time or call.callback_time
            call.callback_number = wish.callback_number or call.callback_number
        elif wish.action is Action.CANCEL_SCHEDULED_CALLBACK:
            call.callback_time = call.callback_number = ""
        else:
            return []
        return self._changes([call])

    # ---- pictures

    def _changes(self, touched: Iterable[Call], request_id: str = "") -> list[DialogChange]:
        """Make the pictures of these calls anew, and of what hangs together with them."""
        calls = dict.fromkeys(touched)
        for call in list(calls):
            for device in call.parties:
                if self._people.at(device) is not None:
                    calls.update(dict.fromkeys(self._book.at(device)))
        changes: list[DialogChange] = []
        for call in calls:
            before = self._shown.get(call)
            after = self._picture(call)
            if after != before:
                changes += self._replace(call, before, after, request_id)
        return changes

    def _picture(self, call: Call) -> Shown | None:
        if self._book.by_dialog(call.dialog_id) is not call:
            return None
        self._viewer.settle(call)
        shown = self._viewer.shown(call)
        if shown is not None or call.open:
            self._book.wake(call)
        elif call.live:
            self._book.rest(call)
        else:
            self._book.close(call)
        return shown

    def _replace(
        self, call: Call, before: Shown | None, after: Shown | None, request_id: str
    ) -> Iterable[DialogChange]:
        if before is not None and self._by_id.get(before.dialog.dialog_id) is before:
            del self._by_id[before.dialog.dialog_id]
        if after is None:
            del self._shown[call]
            return [DialogChanged(before, None, request_id)]
        self._shown[call] = after
        self._by_id[after.dialog.dialog_id] = after
        if before is not None and before.dialog.dialog_id != after.dialog.dialog_id:
            return [DialogChanged(before, None, request_id), DialogChanged(None, after, request_id)]
        return [DialogChanged(before, after, request_id)]
