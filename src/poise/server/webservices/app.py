"""The ASGI application of the web services: the API, and beside it the routes of other rooms (health, desktop)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from poise.finesse import nodes
from poise.server.webservices.gate import Gate
from poise.server.webservices.services import Services


def web_services(services: Services, routes: Sequence[BaseRoute] = ()) -> ASGIApp:
    """The application. `routes` serve every path outside the API."""
    gate = Gate(services)
    others = Starlette(routes=routes)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        # not a route of Starlette's: its patterns let paths with line breaks fall through
        path = scope.get("path", "")
        ours = scope["type"] == "http" and (path == nodes.ROOT or path.startswith(f"{nodes.ROOT}/"))
        await (gate if ours else others)(scope, receive, send)

    return application
