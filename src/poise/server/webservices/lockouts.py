"""Names locked after failed sign-ins, as JSON for administrators: `/poise/api/lockouts`.

    GET    /poise/api/lockouts
    DELETE /poise/api/lockouts/{name}

The client of a locked user is told nothing (finesse-api.md 1.3); here is where the operator sees it and lifts it.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poise.server.webservices.administrators import HEADERS, address_of, administrator, refused
from poise.server.webservices.configuration.service import Audit
from poise.server.webservices.problems import ProblemError
from poise.server.webservices.services import Services

PATH = "/poise/api/lockouts"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that get an answer of ours, if only a refusal."""


class LockoutsResource:
    """Serves both paths."""

    def __init__(self, services: Services, audit: Audit) -> None:
        self._services = services
        self._audit = audit

    def routes(self) -> list[Route]:
        """Routes for the ASGI application."""
        return [
            Route(PATH, self._list, methods=METHODS),
            Route(PATH + "/{name}", self._clear, methods=METHODS),
        ]

    async def _list(self, request: Request) -> Response:
        accounts = self._services.accounts
        try:
            await administrator(request, accounts)
            if request.method not in ("GET", "HEAD"):
                raise ProblemError("method-not-allowed", "GET")
        except ProblemError as refusal:
            return refused(refusal)
        told = [{"user": name, "seconds": round(accounts.locked_for(name))} for name in accounts.locked_out()]
        return JSONResponse({"total": len(told), "locked": told}, headers=HEADERS)

    async def _clear(self, request: Request) -> Response:
        accounts = self._services.accounts
        try:
            user = await administrator(request, accounts)
            if request.method != "DELETE":
                raise ProblemError("method-not-allowed", "DELETE")
            name = request.path_params["name"]
            if not accounts.unlock(name):
                raise ProblemError("lockout-unknown", name[:64])
        except ProblemError as refusal:
            return refused(refusal)
        before, after = {"locked": True}, {"locked": False}
        uri = f"{PATH}/{name}"
        self._audit.changed(
            user=user, address=address_of(request), method="DELETE", uri=uri, before=before, after=after
        )
        return JSONResponse({"user": name, "locked": False}, headers=HEADERS)
