"""The switch of the TLS key log, as JSON for administrators: `/poise/api/key-log`.

GET    whether it is on, and where the file is
PUT    switch it on
DELETE switch it off; the file goes with it
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poise.finesse.permissions import Caller
from poise.server.keylog import KeyLog
from poise.server.webservices.json_api import HEADERS, METHODS, JsonApi, address
from poise.server.webservices.problems import ProblemError
from poise.server.webservices.services import Services

PATH = "/poise/api/key-log"


class KeyLogResource:
    """Serves the path."""

    def __init__(self, services: Services, key_log: KeyLog) -> None:
        self._services = services
        self._api = JsonApi(services)
        self._key_log = key_log

    def routes(self) -> list[Route]:
        """Routes for the ASGI application."""
        handlers = {"GET": self._state, "HEAD": self._state, "PUT": self._on, "DELETE": self._off}
        return [Route(PATH, self._api.serving(handlers), methods=METHODS)]

    def _state(self, _request: Request, _caller: Caller) -> Response:
        key_log = self._key_log
        return JSONResponse(
            {"enabled": key_log.enabled, "file": str(key_log.file.resolve()) if key_log.enabled else None},
            headers=HEADERS,
        )

    def _on(self, request: Request, caller: Caller) -> Response:
        return self._switch(request, caller, enabled=True)

    def _off(self, request: Request, caller: Caller) -> Response:
        return self._switch(request, caller, enabled=False)

    def _switch(self, request: Request, caller: Caller, *, enabled: bool) -> Response:
        try:
            self._key_log.enable() if enabled else self._key_log.disable()
        except OSError as error:
            raise ProblemError("key-log-failed", error.strerror or str(error)) from error
        self._services.log.key_log_switched(user=caller.user_id, address=address(request), enabled=enabled)
        return self._state(request, caller)
