"""/healthz (the process answers), /readyz (it can do its work, or why not), /metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from poise.server.serviceability.metrics import Metrics

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

Check = Callable[[], str]
"""Empty when all is well, else one sentence why not, without secrets."""


class Health:
    """What is needed for work, by name."""

    def __init__(self, metrics: Metrics, checks: Mapping[str, Check]) -> None:
        """`checks` are asked on every /readyz; all of them must be quick."""
        self._metrics = metrics
        self._checks = dict(checks)

    def reasons(self) -> dict[str, str]:
        """Why the server is not ready, by the name of the check; empty when it is."""
        found = {name: check() for name, check in self._checks.items()}
        return {name: reason for name, reason in found.items() if reason}

    def routes(self) -> list[Route]:
        """Routes for the ASGI application."""
        return [
            Route("/healthz", self._healthz, methods=["GET"]),
            Route("/readyz", self._readyz, methods=["GET"]),
            Route("/metrics", self._serve_metrics, methods=["GET"]),
        ]

    async def _healthz(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=NO_STORE)

    async def _readyz(self, _: Request) -> Response:
        reasons = self.reasons()
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return JSONResponse(body, status_code=503 if reasons else 200, headers=NO_STORE)

    async def _serve_metrics(self, _: Request) -> Response:
        return PlainTextResponse(self._metrics.text(), media_type=PROMETHEUS, headers=NO_STORE)
