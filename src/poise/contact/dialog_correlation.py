"""Which REST call an event about a call belongs to.

Theory. The CTI server confirms a request and, separately and in any order, reports what became of the call, without
saying who asked. A request is remembered until both have come. An event carries the requestId of the oldest request
that `ANSWERED_BY` it, once. Best effort (finesse-api.md 1.4): what these rules can lose is only the requestId.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from poise.contact.call_events import Effect
from poise.contact.dialog_requests import DialogRequest
from poise.contact.dialog_states import Action

PER_AGENT = 16
"""Requests remembered for one agent. Whoever has more in flight does not read the answers."""

_A = Action
_DATA = frozenset(("CALL_DATA_UPDATE_EVENT",))
_BEGINS = frozenset(("BEGIN_CALL_EVENT", "CALL_SERVICE_INITIATED_EVENT", "CALL_ORIGINATED_EVENT", "CALL_FAILED_EVENT"))
ANSWERED_BY: Mapping[Action, frozenset[str]] = {
    _A.MAKE_CALL: _BEGINS,
    _A.ANSWER: frozenset(("CALL_ESTABLISHED_EVENT",)),
    _A.HOLD: frozenset(("CALL_HELD_EVENT",)),
    _A.RETRIEVE: frozenset(("CALL_RETRIEVED_EVENT",)),
    _A.DROP: frozenset(("CALL_CONNECTION_CLEARED_EVENT", "CALL_CLEARED_EVENT", "END_CALL_EVENT")),
    _A.CONSULT_CALL: _BEGINS,
    _A.TRANSFER: frozenset(("CALL_TRANSFERRED_EVENT",)),
    _A.TRANSFER_SST: frozenset(("CALL_TRANSFERRED_EVENT",)),
    _A.CONFERENCE: frozenset(("CALL_CONFERENCED_EVENT",)),
    _A.UPDATE_CALL_DATA: _DATA,
    _A.SEND_DTMF: frozenset(),
    _A.SILENT_MONITOR: frozenset(("CALL_DELIVERED_EVENT", "CALL_ESTABLISHED_EVENT")),
    _A.BARGE_CALL: frozenset(("CALL_CONFERENCED_EVENT",)),
    _A.INTERCEPT: frozenset(("CALL_CONNECTION_CLEARED_EVENT",)),
    _A.PARTICIPANT_DROP: frozenset(("CALL_CONNECTION_CLEARED_EVENT",)),
    _A.START_RECORDING: frozenset(),
    _A.ACCEPT: _DATA,
    _A.CLOSE: _DATA,
    _A.REJECT: _DATA,
    _A.RECLASSIFY: _DATA,
    _A.UPDATE_SCHEDULED_CALLBACK: _DATA,
    _A.CANCEL_SCHEDULED_CALLBACK: _DATA,
}
"""Action -> events that show what became of it."""

_BY_DEVICE = frozenset((_A.MAKE_CALL, _A.CONSULT_CALL, _A.SILENT_MONITOR, _A.BARGE_CALL, _A.INTERCEPT))
"""Actions whose event is about another dialog than the one they were asked of."""


@dataclass(slots=True, eq=False)
class _Asked:
    request: DialogRequest
    confirmed: bool = False
    shown: bool = False


class DialogCorrelation:
    """The requests on their way, by agent, oldest first."""

    def __init__(self) -> None:
        self._by_agent: dict[str, deque[_Asked]] = {}
        self._events: dict[str, int] = {}  # event -> how many requests wait for it: most events answer nobody

    def __len__(self) -> int:
        return sum(len(mine) for mine in self._by_agent.values())

    def sent(self, request: DialogRequest) -> None:
        """A request is on its way."""
        mine = self._by_agent.setdefault(request.wish.agent_id, deque())
        if len(mine) >= PER_AGENT:
            self._forget(mine[0])
        self._by_agent.setdefault(request.wish.agent_id, mine).append(_Asked(request))
        for name in ANSWERED_BY[request.wish.action]:
            self._events[name] = self._events.get(name, 0) + 1

    def failed(self, request: DialogRequest) -> None:
        """The link has told that a request came to nothing."""
        asked = self._find(request)
        if asked is not None:
            self._forget(asked)

    def confirmed(self, request: DialogRequest) -> None:
        """The CTI server has taken a request."""
        asked = self._find(request)
        if asked is not None:
            asked.confirmed = True
            if asked.shown or not ANSWERED_BY[request.wish.action]:
                self._forget(asked)

    def event(self, name: str, effect: Effect) -> DialogRequest | None:
        """The request that an event answers, if any."""
        if not self._events.get(name):
            return None
        dialogs = {call.dialog_id for call in effect.calls}
        for mine in self._by_agent.values():
            for asked in mine:
                request = asked.request
                if asked.shown or name not in ANSWERED_BY[request.wish.action]:
                    continue
                if request.wish.action in _BY_DEVICE:
                    intercepts = request.wish.action is Action.INTERCEPT  # it shows at the agent who is dropped
                    about = (request.wish.to_address if intercepts else request.device) in effect.devices
                else:
                    about = request.wish.dialog_id in dialogs
                if about:
                    asked.shown = True
                    if asked.confirmed:
                        self._forget(asked)
                    return request
        return None

    def _find(self, request: DialogRequest) -> _Asked | None:
        return next((a for a in self._by_agent.get(request.wish.agent_id, ()) if a.request is request), None)

    def _forget(self, asked: _Asked) -> None:
        agent_id = asked.request.wish.agent_id
        mine = self._by_agent[agent_id]
        mine.remove(asked)
        if not mine:
            del self._by_agent[agent_id]
        for name in ANSWERED_BY[asked.request.wish.action]:
            self._events[name] -= 1
