"""GET Team and Teams, and what a team's node tells its supervisors."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from poise.protocols.cti.constants import AgentState as Cti
from poise.server.webservices.app import web_services
from tests.unit.server.agents.stage import TEAM
from tests.unit.server.webservices.stage import Rest, play

SALES = "/finesse/api/Team/1"


def test_a_supervisor_reads_her_team_with_all_its_members() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get(f"{SALES}/?nocache=1", "1101")
        team = ET.fromstring(reply.body)
        assert (reply.status, team.tag) == (200, "Team")
        assert [child.tag for child in team] == ["uri", "id", "name", "users"]
        assert (team.findtext("uri"), team.findtext("id"), team.findtext("name")) == (SALES, "1", "Sales")
        assert [user.findtext("loginId") for user in team.iterfind("users/User")] == ["1001", "1002"]
        assert team.findtext("users/User/uri") == "/finesse/api/User/1001"

    play(story)


@pytest.mark.parametrize(
    ("query", "shown"),
    [("true", ["1001", "1002"]), ("false", ["1002"]), ("0", ["1002"]), ("", ["1001", "1002"])],
)
def test_members_who_are_not_signed_in_are_left_out_on_request(query: str, shown: list[str]) -> None:
    async def story(rest: Rest) -> None:
        rest.contact.event(Cti.NOT_READY, "1002")
        reply = await rest.get(f"{SALES}?includeLoggedOutAgents={query}", "1101")
        assert [user.text for user in ET.fromstring(reply.body).iterfind("users/User/loginId")] == shown

    play(story)


@pytest.mark.parametrize(
    ("who", "path", "error"),
    [
        ("1001", SALES, (401, "Authorization Failure")),
        ("1001", "/finesse/api/Team/9", (401, "Authorization Failure")),
        ("1101", "/finesse/api/Team/9", (401, "Authorization Failure")),
        ("1101", "/finesse/api/Team/x", (401, "Authorization Failure")),
        ("admin", "/finesse/api/Team/9", (404, "Not Found")),
        ("admin", "/finesse/api/Team/" + "9" * 5000, (404, "Not Found")),
        ("admin", SALES, (200, None)),
        ("1101", "/finesse/api/Teams", (401, "Authorization Failure")),
        ("admin", "/finesse/api/Teams", (200, None)),
    ],
)
def test_who_may_read_which_team(who: str, path: str, error: tuple[int, str | None]) -> None:
    async def story(rest: Rest) -> None:
        assert (await rest.get(path, who)).error[:2] == error

    play(story)


def test_administrators_list_the_teams() -> None:
    async def story(rest: Rest) -> None:
        teams = ET.fromstring((await rest.get("/finesse/api/Teams", "admin")).body)
        assert [[child.text for child in team] for team in teams] == [[SALES, "1", "Sales"]]

    play(story)


def test_a_supervisors_change_of_a_members_state_is_told_to_the_member_and_the_team() -> None:
    async def story(rest: Rest) -> None:
        rest.contact.event(Cti.NOT_READY, "1002")
        rest.contact.publisher.take()
        body = "<User><state>READY</state></User>"
        reply = await rest.put("1101", "/finesse/api/User/1002", body, headers={"requestId": "r7"})
        assert (reply.status, reply.body) == (202, "")
        rest.contact.answer()
        rest.contact.event(Cti.AVAILABLE, "1002")
        told = {told.node: told for told in rest.contact.publisher.take()}
        assert set(told) == {"/finesse/api/User/1002", TEAM}
        for event in told.values():
            assert (event.value("event"), event.value("requestId"), event.value("state")) == ("PUT", "r7", "READY")
            assert event.value("source") == "/finesse/api/User/1002"

    play(story)


def test_teams_can_be_opened_to_all_agents() -> None:
    async def story(rest: Rest) -> None:
        rest.app = web_services(replace(rest.services, team_for_all=True))
        assert (await rest.get(SALES, "1001")).value("name") == "Sales"
        assert (await rest.get("/finesse/api/Team/9", "1001")).status == 404
        assert (await rest.get("/finesse/api/Teams", "1001")).status == 401

    play(story)
