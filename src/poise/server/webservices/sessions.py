"""Live sessions of the notification service, as JSON for administrators: `/poise/api/sessions`.

    GET    /poise/api/sessions[?user=1001][&offset=0][&limit=200]
    DELETE /poise/api/sessions/{full JID, percent-encoded}

Output is bounded by `limit` and ordered by JID. Moments are told as intervals: when a client was last heard is known
only to lie between two moments (`poise.registry.Closed`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poise.protocols.xmpp.jid import Jid, JidError, prepare, prepare_local
from poise.server.notification.live import LiveSession
from poise.server.webservices.administrators import HEADERS, address_of, administrator, refused
from poise.server.webservices.problems import ProblemError
from poise.server.webservices.services import Services

PATH = "/poise/api/sessions"
LIMIT = 200
"""Sessions of one answer unless asked otherwise."""
LIMIT_MAX = 500
"""Most sessions of one answer; the picture of one costs about 15 microseconds of the event loop."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that get an answer of ours, if only a refusal."""


class Sessions(Protocol):
    """Where the sessions are; `poise.server.notification.service.NotificationService`."""

    def page(self, user: str, start: int, count: int) -> tuple[int, list[LiveSession]]:
        """How many there are, and some of them."""

    def kill(self, jid: str, by: str = "") -> bool:
        """End one; False when there is none."""


Handler = Callable[[Request, str], Response]


class SessionsResource:
    """Serves both paths."""

    def __init__(self, services: Services, sessions: Sessions, node: str) -> None:
        """`node`: the name of this server."""
        self._services = services
        self._sessions = sessions
        self._node = node

    def routes(self) -> list[Route]:
        """Routes for the ASGI application."""
        one = PATH + "/{jid:path}"
        return [
            Route(PATH, self._serving({"GET": self._list, "HEAD": self._list}), methods=METHODS),
            Route(one, self._serving({"DELETE": self._kill}), methods=METHODS),
        ]

    def _serving(self, handlers: Mapping[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            clock = self._services.clock
            began = clock.now()
            user = ""
            try:
                user = await administrator(request, self._services.accounts)
                handler = handlers.get(request.method)
                if handler is None:
                    raise ProblemError("method-not-allowed", ", ".join(handlers))
                response = handler(request, user)
            except ProblemError as refusal:
                response = refused(refusal)
                user = user or refusal.user
            self._services.log.rest_request(
                method=request.method,
                path=request.scope["path"],
                user=user,
                address=address_of(request),
                status=response.status_code,
                elapsed_ms=(clock.now() - began) * 1000,
                request_id="",
            )
            return response

        return serve

    def _list(self, request: Request, _who: str) -> Response:
        offset, limit = _number(request, "offset", 0, 2**31), _number(request, "limit", LIMIT, LIMIT_MAX)
        wall = self._services.clock.wall()
        total, sessions = self._sessions.page(_user(request.query_params.get("user", "")), offset, limit)
        body = {
            "now": _stamp(wall),
            "total": total,
            "offset": offset,
            "limit": limit,
            "sessions": [self._told(session, wall) for session in sessions],
        }
        return JSONResponse(body, headers=HEADERS)

    def _told(self, session: LiveSession, wall: float) -> dict[str, Any]:
        since, until = wall - session.heard_after_s, wall - session.heard_before_s
        return {
            "jid": session.jid or None,
            "user": session.jid.partition("@")[0] or None,
            "id": session.id,
            "binding": session.transport,
            "node": self._node,
            "address": session.address,
            "since": _stamp(wall - session.age_s),
            "age_s": round(session.age_s, 3),
            "last_heard": {"since": _stamp(since), "until": _stamp(until)},
            "idle_s": round(session.idle_s, 3),
            "held_requests": session.load.held,
            "queue": {"stanzas": session.load.stanzas, "bytes": session.load.octets},
            "presence": session.presence or None,
            "stanzas_sent": session.sent,
            "stanzas_received": session.received,
        }

    def _kill(self, request: Request, user: str) -> Response:
        jid = _jid(request.path_params["jid"])
        if not jid.resource:
            raise ProblemError("session-ambiguous", jid.full)
        if not self._sessions.kill(jid.full, by=user):
            raise ProblemError("session-unknown", jid.full)
        self._services.log.session_killed(user=user, address=address_of(request), jid=jid.full)
        return JSONResponse({"jid": jid.full, "ending": "killed", "by": user}, headers=HEADERS)


def _user(text: str) -> str:
    """The user to filter by, named with or without the domain; nothing for nothing. Raises ProblemError."""
    try:
        return prepare_local(text.partition("@")[0]) if text else ""
    except JidError as error:
        raise ProblemError("query-malformed", f"user: {error}") from None


def _jid(text: str) -> Jid:
    """The JID that a path names. Raises ProblemError."""
    try:
        return prepare(text)
    except JidError as error:
        raise ProblemError("jid-malformed", str(error)) from None


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise ProblemError("query-malformed", f"{name} is a number from 0 to {most}")
    return int(text)


def _stamp(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
