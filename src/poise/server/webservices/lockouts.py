"""Names locked after failed sign-ins, as JSON for administrators: `/poise/api/lockouts`.

    GET    /poise/api/lockouts
    DELETE /poise/api/lockouts/{name}

The client of a locked user is told nothing (finesse-api.md 1.3); here is where the operator sees it and lifts it.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poise.finesse.permissions import Caller
from poise.server.webservices.configuration.service import Audit
from poise.server.webservices.json_api import HEADERS, METHODS, JsonApi, address
from poise.server.webservices.problems import ProblemError
from poise.server.webservices.services import Services

PATH = "/poise/api/lockouts"


class LockoutsResource:
    """Serves both paths."""

    def __init__(self, services: Services, audit: Audit) -> None:
        self._api = JsonApi(services)
        self._accounts = services.accounts
        self._audit = audit

    def routes(self) -> list[Route]:
        """Routes for the ASGI application."""
        return [
            Route(PATH, self._api.serving({"GET": self._list, "HEAD": self._list}), methods=METHODS),
            Route(PATH + "/{name}", self._api.serving({"DELETE": self._clear}), methods=METHODS),
        ]

    def _list(self, _request: Request, _caller: Caller) -> Response:
        accounts = self._accounts
        told = [{"user": name, "seconds": round(accounts.locked_for(name))} for name in accounts.locked_out()]
        return JSONResponse({"total": len(told), "locked": told}, headers=HEADERS)

    def _clear(self, request: Request, caller: Caller) -> Response:
        name = request.path_params["name"]
        if not self._accounts.unlock(name):
            raise ProblemError("lockout-unknown", name[:64])
        self._audit.changed(
            user=caller.user_id,
            address=address(request),
            method="DELETE",
            uri=f"{PATH}/{name}",
            before={"locked": True},
            after={"locked": False},
        )
        return JSONResponse({"user": name, "locked": False}, headers=HEADERS)
