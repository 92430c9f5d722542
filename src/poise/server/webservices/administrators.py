"""What the administrator's JSON resources share: who may come in, and how refusals are told (RFC 9457)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from poise.server.accounts import Accounts, Verdict
from poise.server.storage.records import Role
from poise.server.webservices.basic import CHALLENGE, credentials
from poise.server.webservices.problems import ProblemError

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


async def administrator(request: Request, accounts: Accounts) -> str:
    """Login id of the administrator who asks. Raises ProblemError."""
    given = credentials(request.headers.get("authorization"))
    if given is None:
        raise ProblemError("credentials-needed")
    verdict: Verdict | None = accounts.check_cached(given.user, given.password)
    if verdict is None:
        verdict = await accounts.check(given.user, given.password, address_of(request))
    if verdict.temporary:
        raise ProblemError("try-later", user=given.user[:64])
    if verdict.account is None:
        raise ProblemError("credentials-needed", "The name or the password is wrong.", given.user[:64])
    if Role.ADMINISTRATOR not in verdict.account.roles:
        raise ProblemError("administrators-only", user=verdict.account.login_id)
    return verdict.account.login_id


def refused(refusal: ProblemError) -> Response:
    """The answer to a refusal."""
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


def address_of(request: Request) -> str:
    """The client's IP address."""
    return request.client.host if request.client is not None else ""
