"""What teams have: assigned by administrators, read by members, and known to the agent model at once."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from poise.finesse.configuration.layout import DEFAULT_LAYOUT
from poise.protocols.xmpp.xml import escape
from tests.unit.server.agents.stage import USER
from tests.unit.server.webservices.configuration.examples import EXAMPLES
from tests.unit.server.webservices.configuration.stage import API, Centre, play

pytestmark = pytest.mark.usefixtures("on_every_engine")

LUNCH = EXAMPLES["ReasonCode"].body
KINDS = ["ReasonCodes", "WrapUpReasons", "PhoneBooks", "Workflows", "MediaPropertiesLayout"]
LISTS = ["ReasonCodes?category=ALL", "WrapUpReasons", "PhoneBooks", "Workflows", "MediaPropertiesLayouts"]


def not_for_all(body: str) -> str:
    return body.replace("<forAll>true", "<forAll>false").replace("GLOBAL", "TEAM")


async def assign(centre: Centre, segment: str, *uris: str, query: str = "") -> int:
    name = segment.removesuffix("s")
    items = "".join(f"<{name}><uri>{API}{uri}</uri></{name}>" for uri in uris)
    body = f"<{name}s>{items}</{name}s>"
    return (await centre.as_admin("PUT", f"/Team/1/{segment}{query}", body)).status


@pytest.mark.parametrize("segment", KINDS)
def test_what_is_assigned_to_a_team_is_listed_and_replaced(tmp_path: Path, segment: str) -> None:
    name = segment.removesuffix("s")
    query = "?category=ALL" if name == "ReasonCode" else ""

    async def story(centre: Centre) -> None:
        made = await centre.make(f"/{name}", not_for_all(EXAMPLES[name].body))
        assert await assign(centre, segment, made, query=query) == 200
        shown = ET.fromstring((await centre.as_admin("GET", f"/Team/1/{segment}{query}")).body)
        assert [one.findtext("uri") for one in shown] == [API + made]
        assert centre.audit.lines[-1]["after"] == {"assigned": [API + made]}
        assert await assign(centre, segment, query=query) == 200
        assert len(ET.fromstring((await centre.as_admin("GET", f"/Team/1/{segment}{query}")).body)) == 0

    play(tmp_path, story)


@pytest.mark.parametrize("segment", [*KINDS, "LayoutConfig"])
def test_a_team_that_the_configuration_does_not_name_is_told_in_the_guides_words(tmp_path: Path, segment: str) -> None:
    query = "?category=ALL" if segment == "ReasonCodes" else ""

    async def story(centre: Centre) -> None:
        for team in ("77", "x"):
            reply = await centre.as_admin("GET", f"/Team/{team}/{segment}{query}")
            assert reply.error[:2] == (404, "finesse.api.team.team_assignment_invalid_team")

    play(tmp_path, story)


def test_what_does_not_exist_or_is_not_named_cannot_be_assigned(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        assert await assign(centre, "WrapUpReasons", "/WrapUpReason/9") == 400
        body = "<WrapUpReasons><WrapUpReason><label>Sale</label></WrapUpReason></WrapUpReasons>"
        assert (await centre.as_admin("PUT", "/Team/1/WrapUpReasons", body)).error[:2] == (400, "Parameter Missing")
        assert (await centre.as_admin("PUT", "/Team/1/WrapUpReasons", "<Workflows/>")).status == 400

    play(tmp_path, story)


def test_reasons_of_one_category_are_assigned_without_touching_the_other(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        tea = await centre.make("/ReasonCode", not_for_all(LUNCH))
        home = await centre.make("/ReasonCode", not_for_all(LUNCH).replace("NOT_READY", "LOGOUT"))
        assert await assign(centre, "ReasonCodes", home, query="?category=LOGOUT") == 200
        assert await assign(centre, "ReasonCodes", tea, query="?category=NOT_READY") == 200
        assert await assign(centre, "ReasonCodes", home, query="?category=NOT_READY") == 400
        shown = ET.fromstring((await centre.as_admin("GET", "/Team/1/ReasonCodes?category=ALL")).body)
        assert {one.findtext("uri") for one in shown} == {API + tea, API + home}

    play(tmp_path, story)


def test_agents_have_new_reasons_and_labels_without_a_restart(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        made = await centre.make("/ReasonCode", not_for_all(LUNCH))
        mine = f"{USER}/ReasonCodes?category=NOT_READY"
        assert "Lunch" not in (await centre.get(mine)).body
        await assign(centre, "ReasonCodes", made, query="?category=NOT_READY")
        assert "Lunch" in (await centre.get(mine)).body
        await centre.as_admin("PUT", made, "<ReasonCode><label>Dinner</label></ReasonCode>")
        assert (await centre.get(f"{USER}/ReasonCode/{made.rpartition('/')[2]}")).value("label") == "Dinner"
        await centre.as_admin("DELETE", made)
        assert "Dinner" not in (await centre.get(mine)).body

    play(tmp_path, story)


@pytest.mark.parametrize("resource", LISTS)
def test_members_and_supervisors_and_administrators_read_a_teams_resources(tmp_path: Path, resource: str) -> None:
    name = resource.partition("?")[0].removesuffix("s")

    async def story(centre: Centre) -> None:
        await centre.make(f"/{name}", EXAMPLES[name].body)
        for user in ("1001", "1101", "admin"):
            reply = await centre.get(f"{API}/TeamResource/1/{resource}", user)
            assert (reply.status, ET.fromstring(reply.body).tag) == (200, name + "s")
        stranger = await centre.get(f"{API}/TeamResource/77/{resource}", "1001")
        assert stranger.error[:2] == (401, "Invalid Authorization User Specified")
        assert (await centre.get(f"{API}/TeamResource/77/{resource}", "admin")).error[:2] == (404, "TeamId Not Found")
        if name == "ReasonCode":
            assert (await centre.get(f"{API}/TeamResource/1/ReasonCodes", "1001")).status == 400

    play(tmp_path, story)


@pytest.mark.parametrize(
    "resource",
    [
        "WrapUpReasons",
        "WrapUpReason/1",
        "PhoneBooks",
        "MediaPropertiesLayout",
        "MediaPropertiesLayouts",
        "Workflows",
        "LayoutConfig",
    ],
)
def test_users_read_their_own_and_administrators_everybodys(tmp_path: Path, resource: str) -> None:
    async def story(centre: Centre) -> None:
        for name in ("WrapUpReason", "PhoneBook", "Workflow"):
            await centre.make(f"/{name}", EXAMPLES[name].body)
        for user in ("1001", "admin"):
            assert (await centre.get(f"{USER}/{resource}", user)).status == 200
        assert (await centre.get(f"{USER}/{resource}", "1002")).error[:2] == (
            401,
            "Invalid Authorization User Specified",
        )
        assert (await centre.get(f"{API}/User/9999/{resource}", "admin")).error[:2] == (404, "User Not Found")

    play(tmp_path, story)


def test_wrap_up_reasons_of_a_user_have_addresses_below_the_user(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        await centre.make("/WrapUpReason", EXAMPLES["WrapUpReason"].body)
        await centre.make("/WrapUpReason", not_for_all(EXAMPLES["WrapUpReason"].body.replace("Sale", "Other team")))
        shown = ET.fromstring((await centre.get(f"{USER}/WrapUpReasons")).body)
        assert [one.findtext("uri") for one in shown] == [f"{USER}/WrapUpReason/1"]
        assert (await centre.get(f"{USER}/WrapUpReason/1")).value("label") == "Sale"
        assert (await centre.get(f"{USER}/WrapUpReason/2")).status == 404

    play(tmp_path, story)


def test_workflows_of_a_user_come_with_their_actions_in_full(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        action = await centre.make("/WorkflowAction", EXAMPLES["WorkflowAction"].body)
        used = (
            f"<workflowActions><WorkflowAction><uri>{API}{action}</uri></WorkflowAction></workflowActions></Workflow>"
        )
        workflow = await centre.make("/Workflow", EXAMPLES["Workflow"].body.replace("</Workflow>", used))
        assert len(ET.fromstring((await centre.get(f"{USER}/Workflows")).body)) == 0
        await assign(centre, "Workflows", workflow)
        shown = ET.fromstring((await centre.get(f"{USER}/Workflows")).body)
        assert shown.findtext("Workflow/workflowActions/WorkflowAction/params/Param/value", "").startswith(
            "https://crm"
        )

    play(tmp_path, story)


def test_a_team_sees_its_own_layout_of_call_variables_and_others_the_default(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        made = await centre.make("/MediaPropertiesLayout", EXAMPLES["MediaPropertiesLayout"].body)
        assert (await centre.get(f"{USER}/MediaPropertiesLayout")).value("type") == "DEFAULT"
        await assign(centre, "MediaPropertiesLayout", made)
        assert (await centre.get(f"{USER}/MediaPropertiesLayout")).value("name") == "Bank"
        both = ET.fromstring((await centre.get(f"{USER}/MediaPropertiesLayouts")).body)
        assert [one.findtext("type") for one in both] == ["DEFAULT", "CUSTOM"]

    play(tmp_path, story)


def test_a_team_has_the_default_desktop_until_it_has_its_own(tmp_path: Path) -> None:
    own = escape(DEFAULT_LAYOUT.replace("Poise", "Sales desk"))

    async def story(centre: Centre) -> None:
        path = "/Team/1/LayoutConfig"
        assert (await centre.as_admin("GET", path)).value("useDefault") == "true"
        mine = f"<TeamLayoutConfig><useDefault>false</useDefault><layoutxml>{own}</layoutxml></TeamLayoutConfig>"
        assert (await centre.as_admin("PUT", path, mine)).status == 200
        assert "Sales desk" in (await centre.get(f"{USER}/LayoutConfig")).body
        assert "Sales desk" in (await centre.as_admin("GET", "/Team/1/Layout")).body
        back = "<TeamLayoutConfig><useDefault>true</useDefault><layoutxml>ignored</layoutxml></TeamLayoutConfig>"
        assert (await centre.as_admin("PUT", path, back)).status == 200
        assert "Sales desk" not in (await centre.get(f"{USER}/LayoutConfig")).body
        assert "Sales desk" in (await centre.as_admin("GET", f"{path}?previous=true")).body
        none = "<TeamLayoutConfig><layoutxml/></TeamLayoutConfig>"
        assert (await centre.as_admin("PUT", path, none)).error[:2] == (400, "Parameter Missing")
        stale = await centre.ask("PUT", API + path, "admin", mine, headers={"If-Match": '"1"'})
        assert stale.status == 409

    play(tmp_path, story)
