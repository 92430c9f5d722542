"""What the administrator's JSON resources below /poise/api have in common: who may ask, refusals, the log.

A resource is a table of methods and handlers; `Administration.serving` makes the endpoint. Refusals are RFC 9457
documents with the codes of `problems`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from poise.server.accounts import Verdict
from poise.server.storage.records import Role
from poise.server.webservices.basic import CHALLENGE, credentials
from poise.server.webservices.problems import ProblemError
from poise.server.webservices.services import Services

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that get an answer of ours, if only a refusal."""
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

Handler = Callable[[Request, str], Awaitable[Response]]
"""Answers a request of an administrator, named by login id. Raises ProblemError."""


class Administration:
    """Makes endpoints that only administrators may use."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def serving(self, handlers: Mapping[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a resource: method -> handler."""

        async def serve(request: Request) -> Response:
            clock = self._services.clock
            began = clock.now()
            user = ""
            try:
                user = await self._administrator(request)
                handler = handlers.get(request.method)
                if handler is None:
                    raise ProblemError("method-not-allowed", ", ".join(handlers))
                response = await handler(request, user)
            except ProblemError as refusal:
                response = _refused(refusal)
                user = user or refusal.user
            self._services.log.rest_request(
                method=request.method,
                path=request.scope["path"],
                user=user,
                address=address(request),
                status=response.status_code,
                elapsed_ms=(clock.now() - began) * 1000,
                request_id="",
            )
            return response

        return serve

    async def _administrator(self, request: Request) -> str:
        """Login id of the administrator who asks. Raises ProblemError."""
        given = credentials(request.headers.get("authorization"))
        if given is None:
            raise ProblemError("credentials-needed")
        accounts = self._services.accounts
        verdict: Verdict | None = accounts.check_cached(given.user, given.password)
        if verdict is None:
            verdict = await accounts.check(given.user, given.password, address(request))
        if verdict.temporary:
            raise ProblemError("try-later", user=given.user[:64])
        if verdict.account is None:
            raise ProblemError("credentials-needed", "The name or the password is wrong.", given.user[:64])
        if Role.ADMINISTRATOR not in verdict.account.roles:
            raise ProblemError("administrators-only", user=verdict.account.login_id)
        return verdict.account.login_id


def _refused(refusal: ProblemError) -> Response:
    problem = refusal.problem
    body = {"title": problem.title, "status": problem.status, "code": problem.code}
    headers = dict(HEADERS)
    if problem.status == 401:
        headers["www-authenticate"] = CHALLENGE
    if problem.status == 405:
        headers["allow"] = refusal.detail
    elif refusal.detail:
        body["detail"] = refusal.detail
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")


def address(request: Request) -> str:
    """Where the request came from."""
    return request.client.host if request.client is not None else ""
