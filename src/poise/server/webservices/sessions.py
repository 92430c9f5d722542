"""Live sessions of the notification service, as JSON for administrators: `/poise/api/sessions`.

    GET    /poise/api/sessions[?user=1001][&offset=0][&limit=200]
    DELETE /poise/api/sessions/{full JID, percent-encoded}

Output is bounded by `limit` and ordered by JID. Moments are told as intervals: when a client was last heard is known
only to lie between two moments (`poise.registry.Closed`).
"""

from __future__ import annotations

from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poise.finesse.permissions import Caller
from poise.protocols.xmpp.jid import Jid, JidError, prepare, prepare_local
from poise.server.notification.live import LiveSession
from poise.server.webservices.json_api import HEADERS, METHODS, JsonApi, address, number, stamp
from poise.server.webservices.problems import ProblemError
from poise.server.webservices.services import Services

PATH = "/poise/api/sessions"
LIMIT = 200
"""Sessions of one answer unless asked otherwise."""
LIMIT_MAX = 500
"""Most sessions of one answer; the picture of one costs about 15 microseconds of the event loop."""


class Sessions(Protocol):
    """Where the sessions are; `poise.server.notification.service.NotificationService`."""

    def page(self, user: str, start: int, count: int) -> tuple[int, list[LiveSession]]:
        """How many there are, and some of them."""

    def kill(self, jid: str, by: str = "") -> bool:
        """End one; False when there is none."""


class SessionsResource:
    """Serves both paths."""

    def __init__(self, services: Services, sessions: Sessions, node: str) -> None:
        """`node`: the name of this server."""
        self._services = services
        self._api = JsonApi(services)
        self._sessions = sessions
        self._node = node

    def routes(self) -> list[Route]:
        """Routes for the ASGI application."""
        one = PATH + "/{jid:path}"
        return [
            Route(PATH, self._api.serving({"GET": self._list, "HEAD": self._list}), methods=METHODS),
            Route(one, self._api.serving({"DELETE": self._kill}), methods=METHODS),
        ]

    def _list(self, request: Request, _caller: Caller) -> Response:
        offset, limit = number(request, "offset", 0, 2**31), number(request, "limit", LIMIT, LIMIT_MAX)
        wall = self._services.clock.wall()
        total, sessions = self._sessions.page(_user(request.query_params.get("user", "")), offset, limit)
        body = {
            "now": stamp(wall),
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
            "since": stamp(wall - session.age_s),
            "age_s": round(session.age_s, 3),
            "last_heard": {"since": stamp(since), "until": stamp(until)},
            "idle_s": round(session.idle_s, 3),
            "held_requests": session.load.held,
            "queue": {"stanzas": session.load.stanzas, "bytes": session.load.octets},
            "presence": session.presence or None,
            "stanzas_sent": session.sent,
            "stanzas_received": session.received,
        }

    def _kill(self, request: Request, caller: Caller) -> Response:
        jid = _jid(request.path_params["jid"])
        if not jid.resource:
            raise ProblemError("session-ambiguous", jid.full)
        if not self._sessions.kill(jid.full, by=caller.user_id):
            raise ProblemError("session-unknown", jid.full)
        self._services.log.session_killed(user=caller.user_id, address=address(request), jid=jid.full)
        return JSONResponse({"jid": jid.full, "ending": "killed", "by": caller.user_id}, headers=HEADERS)


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
