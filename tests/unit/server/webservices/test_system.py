"""What operators' tools ask, and what clients ask before they sign in."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from poise.finesse.serviceability import connected_users_xml
from poise.protocols.cti.constants import AgentState as Cti
from poise.server.webservices.app import web_services
from tests.unit.server.webservices.stage import Rest, play

RUNTIME = "/finesse/api/RuntimeConfigInfo"
CONNECTED = "/finesse/api/ConnectedUsersInfo"
HERE = ("1001@localhost/desktop", "1001@localhost/phone", "2001@localhost/desktop", "1101@localhost/desktop")


def with_people(rest: Rest, **settings: object) -> None:
    """Some people are connected."""
    rest.app = web_services(replace(rest.services, connected=lambda: HERE, **settings))  # type: ignore[arg-type]


def values(body: str) -> dict[str, str | None]:
    return {child.tag: child.text for child in ET.fromstring(body)}


def test_administrators_read_the_figures_of_the_node() -> None:
    async def story(rest: Rest) -> None:
        rest.contact.event(Cti.NOT_READY, "1002")
        assert values((await rest.get(RUNTIME, "admin")).body) == {
            "uri": RUNTIME,
            "activeDialogsCount": "0",
            "activeTasksCount": "0",
            "averageConfiguredMediaPerAgentCount": "0",
            "averageLoggedInMediaPerAgentCount": "0",
            "averageSkillGroupsPerAgentCount": "0.7",
            "maxSkillGroupsPerAgentCount": "1",
            "totalTimeForFinesseToStart": "0.0",
            "loggedInAgents": "1",
            "uniqueConfiguredSkillGroupsPerAgentCount": "1",
        }
        for who in ("1001", "1101"):
            assert (await rest.get(RUNTIME, who)).error[:2] == (401, "Authorization Failure")

    play(story)


@pytest.mark.parametrize(
    ("who", "counts"),
    [("admin", ["3", "3", "0", "1"]), ("1101", ["2", "2", "0", "1"])],
)
def test_who_is_connected_is_counted_for_administrators_and_by_supervisors_for_their_teams(
    who: str, counts: list[str]
) -> None:
    async def story(rest: Rest) -> None:
        with_people(rest)
        shown = values((await rest.get(CONNECTED, who)).body)
        names = ("totalConnectedUsers", "desktopUsers", "fippaUsers", "thirdPartyUsers")
        assert [shown[name] for name in names] == counts
        assert (await rest.get(CONNECTED, "1001")).status == 401

    play(story)


def test_nobody_connected_is_four_times_nothing() -> None:
    assert list(values(connected_users_xml(())).values())[1:] == ["0", "0", "0", "0"]


def test_how_to_sign_in_is_told_without_signing_in_also_while_out_of_service() -> None:
    async def story(rest: Rest) -> None:
        for name in ("1001", "agent1", "nobody"):
            reply = await rest.get(f"/finesse/api/UserAuthMode/{name}/", None)
            assert (reply.status, reply.value("authMode")) == (200, "NON_SSO")
        assert (await rest.ask("PUT", "/finesse/api/UserAuthMode/1001", None, "<x/>")).header("allow") == "GET"
        assert (await rest.get("/finesse/api/UserAuthMode/1/2", None)).status == 404
        rest.contact.link_down()
        assert (await rest.get("/finesse/api/UserAuthMode/1001", None)).status == 200

    play(story)


def test_it_can_be_switched_off() -> None:
    async def story(rest: Rest) -> None:
        with_people(rest, user_auth_mode=False)
        reply = await rest.get("/finesse/api/UserAuthMode/1001", None)
        assert reply.error[:3] == (403, "Forbidden", "UserAuthModeService is disabled")

    play(story)


def test_before_service_has_opened_nothing_is_known_about_the_start() -> None:
    async def story() -> None:
        rest = Rest()
        assert rest.contact.service.start_s is None
        rest.contact.clock.advance(3)
        rest.contact.in_service()
        assert rest.contact.service.start_s == 3
        rest.contact.link_down()
        rest.contact.clock.advance(5)
        rest.contact.link_up()
        assert rest.contact.service.start_s == 3
        await rest.accounts.close()

    asyncio.run(story())
