"""Every request under /finesse/api passes here: service state, sign-in, dispatch, one form for every refusal."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from poise.finesse import nodes
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.permissions import Caller
from poise.finesse.requests import request_id
from poise.finesse.serviceability import USER_AUTH_MODE, user_auth_mode_xml
from poise.finesse.system_info import system_info_xml, timestamp_only_xml, wants_timestamp_only
from poise.server.accounts import Verdict
from poise.server.storage.records import Role
from poise.server.webservices.basic import CHALLENGE, credentials
from poise.server.webservices.cors import Headers, cors_headers, preflight_headers
from poise.server.webservices.resources import Answer, Call
from poise.server.webservices.routes import find
from poise.server.webservices.services import Services

XML = b"application/xml;charset=UTF-8"
RETRY_AFTER_S = 5
"""What clients are told to wait when the server cannot check a password right now."""
COOKIE = "JSESSIONID"
"""Clients of the original expect this cookie and send it back; it opens nothing."""
SECURITY: Headers = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]
"""For answers that are data and never a page."""


@dataclass(slots=True)
class _Visit:
    """One request on its way through the gate."""

    request: Request
    request_id: str
    path: str
    user: str = ""
    """Who is asking; before the check: who the client says it is."""
    signed_in: bool = False


class Gate:
    """An ASGI application for everything below /finesse/api."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        clock = self._services.clock
        began = clock.now()
        request = Request(scope, receive)
        visit = _Visit(request, request_id(request.headers.get("requestId")), _canonical(scope["path"]))
        try:
            answer, extra = await self._answer(visit)
        except ClientDisconnect:
            return
        await self._response(visit, answer, extra)(scope, receive, send)
        self._services.log.rest_request(
            method=request.method,
            path=visit.path,
            user=visit.user,
            address=_address(request),
            status=answer.status,
            elapsed_ms=(clock.now() - began) * 1000,
            request_id=visit.request_id,
        )

    async def _answer(self, visit: _Visit) -> tuple[Answer, Headers]:
        request = visit.request
        origin = request.headers.get("origin")
        if request.method == "OPTIONS" and origin is not None and "access-control-request-method" in request.headers:
            preflight = preflight_headers(origin, self._services.allowed_origins)
            return (Answer(403), []) if preflight is None else (Answer(200), preflight)
        extra = cors_headers(origin, self._services.allowed_origins)
        try:
            return await self._served(visit), extra
        except ApiException as refusal:
            if refusal.code is Code.METHOD_NOT_ALLOWED:
                extra.append((b"allow", refusal.data.encode()))
            return Answer(refusal.status, refusal.body()), extra
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours costs this request only
            self._services.log.rest_fault(method=request.method, path=visit.path, error=error)
            ours = ApiException(Code.INTERNAL_ERROR)
            return Answer(ours.status, ours.body()), extra

    async def _served(self, visit: _Visit) -> Answer:
        method = "GET" if visit.request.method == "HEAD" else visit.request.method
        if visit.path == nodes.SYSTEM_INFO:  # also while out of service, and for everyone: clients poll it to find out
            if method != "GET":
                raise ApiException(Code.METHOD_NOT_ALLOWED, "GET")
            return self._system_info(visit.request)
        if visit.path.startswith(f"{USER_AUTH_MODE}/"):  # clients ask before they know how to sign in
            return self._user_auth_mode(visit.path, method)
        if not self._services.agents.in_service:
            raise ApiException(Code.OUT_OF_SERVICE)
        caller = await self._caller(visit)
        resource, parts = find(visit.path)
        handler = resource.handlers.get(method)
        if handler is None:
            raise ApiException(Code.METHOD_NOT_ALLOWED, ", ".join(resource.handlers))
        return await handler(Call(self._services, visit.request, caller, visit.request_id, parts))

    def _system_info(self, request: Request) -> Answer:
        status, wall = self._services.agents.status(), self._services.clock.wall()
        short = wants_timestamp_only(request.query_params)
        return Answer(200, (timestamp_only_xml if short else system_info_xml)(status, wall).encode())

    def _user_auth_mode(self, path: str, method: str) -> Answer:
        if "/" in path.removeprefix(f"{USER_AUTH_MODE}/"):
            raise ApiException(Code.NOT_FOUND, path[:256])
        if method != "GET":
            raise ApiException(Code.METHOD_NOT_ALLOWED, "GET")
        if not self._services.user_auth_mode:
            raise ApiException(Code.AUTH_MODE_DISABLED)
        return Answer(200, user_auth_mode_xml().encode())

    async def _caller(self, visit: _Visit) -> Caller:
        """Who sent the request. Raises ApiException; a locked account reads like a wrong password."""
        given = credentials(visit.request.headers.get("authorization"))
        if given is None:
            raise ApiException(Code.UNAUTHORIZED)
        visit.user = given.user[:64]
        accounts = self._services.accounts
        verdict: Verdict | None = accounts.check_cached(given.user, given.password)
        if verdict is None:
            verdict = await accounts.check(given.user, given.password, _address(visit.request))
        if verdict.temporary:
            raise ApiException(Code.OUT_OF_SERVICE, "sign-in cannot be checked now, try again later")
        if verdict.account is None:
            raise ApiException(Code.UNAUTHORIZED, visit.user)
        account = verdict.account
        visit.user, visit.signed_in = account.login_id, True
        agent = self._services.agents.agent(account.login_id)
        return Caller(account.login_id, Role.ADMINISTRATOR in account.roles, agent)

    def _response(self, visit: _Visit, answer: Answer, extra: Headers) -> Response:
        response = Response(answer.body, answer.status)
        headers = response.raw_headers
        if answer.body:
            headers.append((b"content-type", XML))
        headers.extend(SECURITY)
        headers.extend(extra)
        headers.extend((name.lower().encode(), value.encode("latin-1", "replace")) for name, value in answer.headers)
        if visit.request_id:
            headers.append((b"requestId", visit.request_id.encode("latin-1", "replace")))
        if answer.status == 401:
            headers.append((b"www-authenticate", CHALLENGE.encode()))
        if answer.status == 503:
            headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
        if visit.signed_in and COOKIE not in visit.request.cookies:
            secure = visit.request.url.scheme == "https"
            response.set_cookie(COOKIE, secrets.token_hex(16), path="/finesse", secure=secure, httponly=True)
        return response


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _canonical(path: str) -> str:
    """Without trailing slashes; SystemInfo in its own spelling whatever the client's (the seed shows `Systeminfo`)."""
    path = path.rstrip("/")
    return nodes.SYSTEM_INFO if path.lower() == nodes.SYSTEM_INFO.lower() and path.startswith(nodes.ROOT) else path
