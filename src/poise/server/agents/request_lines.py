"""One line of requests for each agent: the next one is sent when the CTI server has answered the one before.

Finesse serialises the requests of an object (finesse-api.md 1.2). A wish is judged when it arrives, because REST
answers at once, and again when its turn comes; what has become impossible by then is told as an event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from poise.contact.agents import AgentModel
from poise.contact.requests import CtiRequest, Kept, Refusal, StateWish
from poise.contact.snapshots import AgentFailed, Change
from poise.contact.states import AgentState, verdict
from poise.finesse.api_errors import ApiException, Code, for_refusal
from poise.protocols.cti.constants import FailureCode
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import RequestEnded

WAITING_MAX = 8
"""Wishes that may wait for one agent: people click, programs repeat; who has more in flight reads no answers."""


class CtiSender(Protocol):
    """Where requests go. Implemented by `poise.server.ctilink.client.CtiClient`."""

    def request(self, message: Message, context: object = None) -> int:
        """Send, and later, perhaps at once, give one RequestEnded with that context to `RequestLines.ended`."""


class RequestLines:
    """Sends the wishes of people and of the server itself."""

    def __init__(self, model: AgentModel, cti: CtiSender, changed: Callable[[Iterable[Change]], None]) -> None:
        """`changed` gets what the model makes of requests and their ends."""
        self._model = model
        self._cti = cti
        self._changed = changed
        self._lines: dict[str, deque[tuple[StateWish, str]]] = {}  # present: one request of the agent is on its way
        self._sent: set[CtiRequest] = set()

    def put(self, agent_id: str, wish: StateWish, request_id: str) -> None:
        """Take a wish: send it, or let it wait for its turn. Raises ApiException when it is refused at once."""
        line = self._lines.get(agent_id)
        if line and self._will_be_possible(agent_id, line[-1][0], wish):
            self._wait(line, agent_id, wish, request_id)
            return
        outcome = self._model.request(agent_id, wish, request_id)
        if isinstance(outcome, Refusal):
            raise for_refusal(outcome)
        if isinstance(outcome, Kept):
            self._changed([outcome.change])
        elif line is not None:
            self._wait(line, agent_id, wish, request_id)
        else:
            self._send(outcome)

    def forced(self, agent_id: str, wish: StateWish) -> Callable[[], None] | None:
        """What sends a wish of the server's own, past the line; None when it cannot be asked for. To be called at once:
        it is apart from the judgement only so that logs can tell what is sent before the link tells what it sends."""
        outcome = self._model.request(agent_id, wish, "")
        if not isinstance(outcome, CtiRequest):
            return None

        def send() -> None:
            self._model.sent(outcome)
            self._cti.request(outcome.message, outcome)

        return send

    def ended(self, ended: RequestEnded) -> None:
        """A request has its answer: tell what came of it, and give the next one its turn."""
        self._changed(self._model.ended(ended))
        request = ended.context
        if isinstance(request, CtiRequest) and request in self._sent:
            self._sent.remove(request)
            self._next(request.agent_id)

    def clear(self) -> None:
        """The link is gone: what waited is forgotten, clients read the states anew when it is back."""
        for line in self._lines.values():
            line.clear()

    @staticmethod
    def _wait(line: deque[tuple[StateWish, str]], agent_id: str, wish: StateWish, request_id: str) -> None:
        if len(line) >= WAITING_MAX:
            raise ApiException(Code.MAXIMUM_EXCEEDED, agent_id)
        line.append((wish, request_id))

    def _will_be_possible(self, agent_id: str, before: StateWish, wish: StateWish) -> bool:
        """Whether the last waiting wish leads to a state from which this one can be asked for."""
        state = AgentState.NOT_READY if before.state is AgentState.LOGIN else before.state
        return verdict(self._model.deployment, wish.actor, state, wish.state) is not None

    def _send(self, request: CtiRequest) -> None:
        self._lines.setdefault(request.agent_id, deque())
        self._sent.add(request)
        self._model.sent(request)
        self._cti.request(request.message, request)

    def _next(self, agent_id: str) -> None:
        line = self._lines.get(agent_id)
        while line:
            wish, request_id = line.popleft()
            outcome = self._model.request(agent_id, wish, request_id)
            if isinstance(outcome, CtiRequest):
                self._send(outcome)
                return
            if isinstance(outcome, Kept):
                self._changed([outcome.change])
            else:
                code = FailureCode.GENERIC_STATE_INCOMPATIBILITY
                self._changed([AgentFailed(agent_id, code, request_id, wish.state)])
        self._lines.pop(agent_id, None)
