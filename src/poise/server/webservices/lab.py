"""The demo's telephone system for administrators: `/poise/api/lab`. Only `poise serve --demo` has it.

    GET  /poise/api/lab                                             how it is
    POST /poise/api/lab  {"do": "fault", "name": "freeze", "numbers": [30]}
    POST /poise/api/lab  {"do": "call", "number": "5551234", "dials": "8010"}
    POST /poise/api/lab  {"do": "play", "text": "0 caller 5551234 dials 8010"}

A request is one line for the control port of the simulated CTI server (`poise lab`), and its line is the answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poise.finesse.permissions import Caller
from poise.server.webservices.json_api import HEADERS, METHODS, Handler, JsonApi
from poise.server.webservices.problems import ProblemError
from poise.server.webservices.services import Services

PATH = "/poise/api/lab"
BODY_MAX = 300_000
"""Bytes of a request: a scenario fits, and written again as ASCII it stays below the control port's line."""
LINE_MAX = 1_000_000
"""Bytes of the control port's answer."""
ANSWER_WITHIN_S = 5.0
"""Seconds the telephone system has; it answers at once, unless it is being started."""


class LabResource:
    """Serves the path."""

    def __init__(self, services: Services, port: Callable[[], int]) -> None:
        """`port`: the control port on this machine at present; 0 while there is none."""
        self._api = JsonApi(services)
        self._port = port

    def routes(self) -> list[Route]:
        """Routes for the ASGI application."""
        handlers: dict[str, Handler] = {"GET": self._status, "HEAD": self._status, "POST": self._do}
        return [Route(PATH, self._api.serving(handlers), methods=METHODS)]

    async def _status(self, _request: Request, _caller: Caller) -> Response:
        return await self._answer({"do": "status"})

    async def _do(self, request: Request, _caller: Caller) -> Response:
        return await self._answer(await _wish(request))

    async def _answer(self, wish: dict[str, Any]) -> Response:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await _told(self._port(), json.dumps(wish).encode() + b"\n")
        except (OSError, ValueError):  # a time-out is an OSError, a line that is no JSON a ValueError
            raise ProblemError("lab-absent") from None
        if not answer.pop("ok", False):
            raise ProblemError("lab-refused", str(answer.get("text", "")))
        return JSONResponse(answer, headers=HEADERS)


async def _wish(request: Request) -> dict[str, Any]:
    """The JSON object of a request's body. Raises ProblemError."""
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > BODY_MAX:
                raise ProblemError("body-malformed", f"It has over {BODY_MAX} bytes.")
        wish = json.loads(data)
    except (ValueError, RecursionError, ClientDisconnect):
        raise ProblemError("body-malformed") from None
    if not isinstance(wish, dict):
        raise ProblemError("body-malformed")
    return wish


async def _told(port: int, line: bytes) -> dict[str, Any]:
    """The control port's answer to a line. Raises OSError, ValueError."""
    if not port:
        raise ConnectionRefusedError
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LINE_MAX)
    try:
        writer.write(line)
        answer = json.loads(await reader.readline())
    finally:
        writer.transport.abort()
    if not isinstance(answer, dict):
        raise ValueError(answer)
    return answer
