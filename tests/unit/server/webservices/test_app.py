"""Which paths are the API's and which are other rooms'."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from poise.server.serviceability.health import Health
from poise.server.serviceability.metrics import Metrics
from poise.server.webservices.app import web_services
from poise.server.webservices.services import Services
from tests.unit.server.webservices.stage import Rest, play


async def page(_: Request) -> PlainTextResponse:
    return PlainTextResponse("a page")


def beside(rest: Rest) -> None:
    """Put health and a page beside the API."""
    services = Services(rest.accounts, rest.contact.service, rest.contact.clock, rest.log)
    health = Health(Metrics(), {"cti": lambda: rest.contact.service.trouble})
    rest.app = web_services(services, [*health.routes(), Route("/desktop", page)])


def test_health_and_pages_are_served_beside_the_api() -> None:
    async def story(rest: Rest) -> None:
        beside(rest)
        assert (await rest.get("/readyz", None)).status == 200
        assert (await rest.get("/desktop", None)).body == "a page"
        rest.contact.link_down("reset by peer")
        reply = await rest.get("/readyz", None)
        assert reply.status == 503
        assert "The CTI link is down: reset by peer" in reply.body

    play(story)


@pytest.mark.parametrize("path", ["/", "/finesse", "/finesse/apiary", "/nothing"])
def test_other_paths_are_not_the_apis(path: str) -> None:
    async def story(rest: Rest) -> None:
        beside(rest)
        reply = await rest.get(path, None)
        assert (reply.status, reply.body) == (404, "Not Found")

    play(story)
