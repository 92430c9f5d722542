"""/healthz, /readyz and /metrics, asked as an ASGI server asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

from starlette.routing import Router

from poise.server.serviceability.health import Health
from poise.server.serviceability.metrics import Metrics


def ask(health: Health, path: str) -> tuple[int, dict[str, str], bytes]:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    asyncio.run(Router(health.routes())(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


def test_healthz_answers_whatever_is_wrong() -> None:
    status, headers, body = ask(Health(Metrics(), {"cti": lambda: "down"}), "/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert headers["cache-control"] == "no-store"


def test_readyz_says_ready_or_names_every_reason() -> None:
    why = {"cti": "", "storage": ""}
    health = Health(Metrics(), {"cti": lambda: why["cti"], "storage": lambda: why["storage"]})
    assert json.loads(ask(health, "/readyz")[2]) == {"status": "ready", "reasons": {}}
    why["cti"] = "the CTI link is down: connection refused"
    status, _, body = ask(health, "/readyz")
    assert status == 503
    assert json.loads(body) == {"status": "not ready", "reasons": {"cti": "the CTI link is down: connection refused"}}


def test_metrics_are_served_in_prometheus_format() -> None:
    metrics = Metrics()
    metrics.gauge("poise_sessions", "Open now.", lambda: 3)
    status, headers, body = ask(Health(metrics, {}), "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b"poise_sessions 3\n" in body
