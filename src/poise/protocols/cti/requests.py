"""Requests that wait for their answer, matched by InvokeID."""

from __future__ import annotations

from typing import NamedTuple

from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import Outcome, RequestEnded

_LAST_INVOKE_ID = 0x7FFFFFFF


class _Waiting(NamedTuple):
    request: Message
    context: object
    expires: float


class Requests:
    """The outstanding requests of one session, oldest first. One time-out for all, so the oldest expires first."""

    __slots__ = ("_next", "_timeout", "_waiting")

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._next = 1
        self._waiting: dict[int, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def new_id(self) -> int:
        """An InvokeID that no waiting request has."""
        invoke_id = self._next
        while invoke_id in self._waiting:
            invoke_id = invoke_id % _LAST_INVOKE_ID + 1
        self._next = invoke_id % _LAST_INVOKE_ID + 1
        return invoke_id

    def add(self, invoke_id: int, request: Message, context: object, now: float) -> None:
        """Wait for the answer to a request that was written."""
        self._waiting[invoke_id] = _Waiting(request, context, now + self._timeout)

    def answered(self, invoke_id: int, answer: Message, outcome: Outcome) -> RequestEnded | None:
        """The request this answer belongs to, or None when nobody waits for it (any more)."""
        waiting = self._waiting.pop(invoke_id, None)
        if waiting is None:
            return None
        return RequestEnded(invoke_id, waiting.request, waiting.context, outcome, answer)

    def expired(self, now: float) -> list[RequestEnded]:
        """Requests whose time is over; they no longer wait."""
        due: list[RequestEnded] = []
        for invoke_id, waiting in self._waiting.items():
            if waiting.expires > now:
                break
            due.append(RequestEnded(invoke_id, waiting.request, waiting.context, Outcome.TIMED_OUT))
        for ended in due:
            del self._waiting[ended.invoke_id]
        return due

    def lost(self) -> list[RequestEnded]:
        """All of them, because the session is over."""
        ended = [
            RequestEnded(invoke_id, waiting.request, waiting.context, Outcome.LINK_LOST)
            for invoke_id, waiting in self._waiting.items()
        ]
        self._waiting.clear()
        return ended

    @property
    def deadline(self) -> float:
        """When the oldest expires; infinite when nothing waits."""
        return next((waiting.expires for waiting in self._waiting.values()), float("inf"))
