"""What all JSON resources below /poise/api share: sign-in, roles, refusals (RFC 9457), log lines, moments as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from poise.finesse.permissions import Caller
from poise.server.accounts import Verdict
from poise.server.storage.records import Role
from poise.server.webservices.basic import CHALLENGE, credentials
from poise.server.webservices.problems import ProblemError
from poise.server.webservices.services import Services

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that get an answer of ours, if only a refusal."""
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

Handler = Callable[[Request, Caller], Response | Awaitable[Response]]


class JsonApi:
    """Answers requests for resources that know nothing of HTTP's edges."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def serving(
        self, handlers: Mapping[str, Handler], *, supervisors: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint: method -> handler, for administrators, and for `supervisors` where that is said."""

        async def serve(request: Request) -> Response:
            clock = self.services.clock
            began = clock.now()
            user = ""
            try:
                caller = await self._caller(request)
                user = caller.user_id
                if not caller.administrator:
                    if not supervisors:
                        raise ProblemError("administrators-only", user=user)
                    if caller.agent is None or not caller.agent.is_supervisor:
                        raise ProblemError("supervisors-only", user=user)
                handler = handlers.get(request.method)
                if handler is None:
                    raise ProblemError("method-not-allowed", ", ".join(handlers))
                answer = handler(request, caller)
                response = answer if isinstance(answer, Response) else await answer
            except ProblemError as refusal:
                response = refused(refusal)
                user = user or refusal.user
            self.services.log.rest_request(
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

    async def _caller(self, request: Request) -> Caller:
        """Who asks. Raises ProblemError."""
        given = credentials(request.headers.get("authorization"))
        if given is None:
            raise ProblemError("credentials-needed")
        accounts = self.services.accounts
        verdict: Verdict | None = accounts.check_cached(given.user, given.password)
        if verdict is None:
            verdict = await accounts.check(given.user, given.password, address(request))
        if verdict.temporary:
            raise ProblemError("try-later", user=given.user[:64])
        if verdict.account is None:
            raise ProblemError("credentials-needed", "The name or the password is wrong.", given.user[:64])
        account = verdict.account
        agent = self.services.agents.agent(account.login_id)
        return Caller(account.login_id, Role.ADMINISTRATOR in account.roles, agent)


def number(request: Request, name: str, default: int, most: int) -> int:
    """A number of the query. Raises ProblemError."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise ProblemError("query-malformed", f"{name} is a number from 0 to {most}")
    return int(text)


def refused(refusal: ProblemError) -> Response:
    """The answer to a request that is refused."""
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
    """Whence the request came."""
    return request.client.host if request.client is not None else ""


def stamp(wall: float) -> str:
    """A moment as text: seconds since the epoch in ISO 8601, UTC, with milliseconds."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
