"""The ASGI application of the web services, with health and metrics beside the API."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from poise.finesse import nodes
from poise.server.webservices.gate import Gate
from poise.server.webservices.services import Services


def web_services(services: Services, routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The application; `routes` are other rooms' (health, desktop), asked after the API's own."""
    gate = Gate(services)
    api = (Route(nodes.ROOT, gate), Route(f"{nodes.ROOT}/{{path:path}}", gate))
    application = Starlette(routes=[*api, *routes])
    application.router.redirect_slashes = False
    return application
