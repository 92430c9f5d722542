"""Calls as the server runs them: the model behind REST, its requests in line, its changes told to those who see them.

Finesse serialises the requests of an object (finesse-api.md 1.2): each dialog, and each user for requests that make a
dialog, has a line of its own; the next request is sent when the CTI server has answered the one before. A wish is
judged when it arrives, because REST answers at once, and again when its turn comes.

While service is closed nothing is told, but who saw which dialog is kept in mind: when it opens again whatever ended
meanwhile is deleted and everything else said anew; a call of which nobody was told and which is over leaves no trace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from poise.contact.agents import AgentModel
from poise.contact.dialog_model import DialogModel
from poise.contact.dialog_requests import DialogRefusal, DialogRequest, DialogWish
from poise.contact.dialog_views import Rules
from poise.contact.dialogs import Dialog, DialogChange, DialogChanged, DialogFailed, Shown
from poise.contact.snapshots import Change
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.dialog_publications import dialog_publications
from poise.finesse.dialog_requests import for_dialog_refusal
from poise.finesse.publications import Publication
from poise.protocols.cti.constants import FailureCode
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import RequestEnded
from poise.server.agents.publishing import Publishing
from poise.server.agents.request_lines import WAITING_MAX, CtiSender


class Dialogs:
    """Owns the calls and what is on its way about them. Lives on the event loop's thread."""

    def __init__(
        self,
        rules: Rules,
        agents: AgentModel,
        cti: CtiSender,
        publishing: Publishing,
        on_call: Callable[[str, bool], None],
    ) -> None:
        """`on_call` hears of an agent who has a call now, or none any more."""
        self._deployment = rules.deployment
        self._agents = agents
        self._cti = cti
        self._publishing = publishing
        self._on_call = on_call
        self._model = DialogModel(rules, self._queue_name)
        self._lines: dict[str, deque[tuple[DialogWish, str]]] = {}  # present: a request of the object is on its way
        self._sent: dict[DialogRequest, str] = {}
        self._untold: set[tuple[str, str]] = set()  # (agent, dialog): begun while service was closed
        self._unended: dict[tuple[str, str], Dialog] = {}  # the same: told, and over while service was closed
        self._busy: set[str] = set()

    # ---- REST (webservices.dialogs.DialogFacade)

    def of_agent(self, agent_id: str) -> list[Dialog]:
        """The dialogs that an agent sees, oldest first."""
        return self._model.of_agent(agent_id)

    @property
    def active(self) -> int:
        """How many dialogs there are."""
        return len(self._model.dialogs)

    def find(self, dialog_id: str) -> Shown | None:
        """A dialog that some agent sees, and who."""
        return self._model.dialogs.get(dialog_id)

    def put(self, wish: DialogWish, request_id: str) -> None:
        """Pass a wish on to the CTI server; the result comes as an event. Raises ApiException for refusals at once."""
        if not self._publishing.open:
            raise ApiException(Code.OUT_OF_SERVICE)
        outcome = self._model.request(wish, request_id)
        if isinstance(outcome, DialogRefusal):
            raise for_dialog_refusal(outcome)
        line = self._lines.get(_object(wish))
        if line is not None:
            if len(line) >= WAITING_MAX:
                raise ApiException(Code.MAXIMUM_EXCEEDED, wish.dialog_id or wish.agent_id)
            line.append((wish, request_id))
        elif isinstance(outcome, DialogFailed):
            self._changed([outcome])
        else:
            self._send(outcome)

    # ---- what is reported

    def received(self, message: Message, now_wall: float) -> None:
        """The CTI server says something; most of it is about calls."""
        self._changed(self._model.apply(message, now_wall))

    def people(self, changes: Iterable[Change]) -> None:
        """The agent model has changed."""
        self._changed(self._model.people(changes))

    def ended(self, ended: RequestEnded) -> None:
        """A request has its answer: tell what came of it, and give the next one its turn."""
        self._changed(self._model.ended(ended))
        request = ended.context
        if isinstance(request, DialogRequest):
            key = self._sent.pop(request, None)
            if key is not None:
                self._next(key)

    def link_lost(self) -> None:
        """Nothing is known any more; what waited is forgotten, clients read their calls anew when the link is back."""
        for line in self._lines.values():
            line.clear()
        self._model.link_lost()

    def resynced(self) -> None:
        """The link is synchronised."""
        self._changed(self._model.resynced())

    def everything(self) -> None:
        """Service has opened: delete what ended meanwhile, say all dialogs anew (finesse-api.md 6.1)."""
        gone = [
            DialogChanged(Shown(dialog, (agent,)), None)
            for (agent, _), dialog in self._unended.items()
            if agent in self._agents.agents
        ]
        present = [DialogChanged(None, shown) for shown in self._model.dialogs.values()]
        self._untold.clear()
        self._unended.clear()
        self._publishing.tell("dialogs after an outage", self._publications((*gone, *present)))

    # ---- requests

    def _send(self, request: DialogRequest) -> None:
        key = _object(request.wish)
        self._lines.setdefault(key, deque())
        self._sent[request] = key
        self._model.sent(request)
        self._cti.request(request.message, request)

    def _next(self, key: str) -> None:
        line = self._lines.get(key)
        while line:
            wish, request_id = line.popleft()
            outcome = self._model.request(wish, request_id)
            if isinstance(outcome, DialogRequest):
                self._send(outcome)
                return
            if isinstance(outcome, DialogRefusal):  # it has become impossible while it waited
                code = FailureCode.GENERIC_STATE_INCOMPATIBILITY
                outcome = DialogFailed(wish.agent_id, wish.dialog_id, wish.action, code, request_id, unfitting=True)
            self._changed([outcome])
        self._lines.pop(key, None)

    # ---- telling

    def _changed(self, changes: list[DialogChange]) -> None:
        if not changes:
            return
        self._tell_busy(changes)
        if self._publishing.open:
            self._publishing.tell("a dialog", self._publications(tuple(changes)))
        else:
            self._keep_in_mind(changes)

    def _publications(self, changes: tuple[DialogChange, ...]) -> Iterator[Publication]:
        return dialog_publications(changes, self._deployment)

    def _keep_in_mind(self, changes: Iterable[DialogChange]) -> None:
        for change in changes:
            if not isinstance(change, DialogChanged):
                continue
            before = set(change.before.viewers) if change.before is not None else set()
            after = set(change.after.viewers) if change.after is not None else set()
            for agent in before - after:
                assert change.before is not None
                key = (agent, change.before.dialog.dialog_id)
                if key in self._untold:
                    self._untold.remove(key)
                else:
                    self._unended[key] = change.before.dialog
            for agent in after - before:
                assert change.after is not None
                key = (agent, change.after.dialog.dialog_id)
                if self._unended.pop(key, None) is None:
                    self._untold.add(key)

    def _tell_busy(self, changes: Iterable[DialogChange]) -> None:
        agents: set[str] = set()
        for change in changes:
            if isinstance(change, DialogChanged):
                for shown in (change.before, change.after):
                    agents.update(shown.viewers if shown is not None else ())
        for agent in agents:
            busy = self._model.on_call(agent)
            if busy is not (agent in self._busy):
                (self._busy.add if busy else self._busy.discard)(agent)
                self._on_call(agent, busy)

    def _queue_name(self, number: int) -> str:
        queue = self._agents.queues.get(number)
        return queue.name if queue is not None else ""


def _object(wish: DialogWish) -> str:
    """The object whose requests are put in line: a dialog, or the user who makes one."""
    return wish.dialog_id or f"/User/{wish.agent_id}"
