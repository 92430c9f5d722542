"""Every row of the table: made, listed, read, changed, refused, deleted, with roles, nodes and products."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from poise.contact.states import Deployment
from poise.finesse.configuration.table import ROWS, TEAM_LAYOUT_CONFIG, Products, Readers, Row
from tests.unit.server.webservices.configuration.examples import EXAMPLES
from tests.unit.server.webservices.configuration.stage import API, Centre, play

pytestmark = pytest.mark.usefixtures("on_every_engine")

MANY = [row for row in ROWS if row.plural]
ONES = [row for row in ROWS if not row.plural]


def NAME(row: Row) -> str:
    return row.name


LUNCH = EXAMPLES["ReasonCode"].body


async def place(centre: Centre, row: Row) -> tuple[str, str]:
    """Paths of one object without its number, and of the list."""
    above = await centre.make("/PhoneBook", EXAMPLES["PhoneBook"].body) if row.parent else ""
    query = "?category=ALL" if row.name == "ReasonCode" else ""
    return f"{above}/{row.name}", f"{above}/{row.plural}{query}"


def path_of(row: Row) -> str:
    return "/Team/1/LayoutConfig" if row is TEAM_LAYOUT_CONFIG else f"/{row.path or row.name}"


def test_every_row_has_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(row.name for row in ROWS)


@pytest.mark.parametrize("row", MANY, ids=NAME)
def test_an_object_is_made_listed_read_changed_and_deleted(tmp_path: Path, row: Row) -> None:
    example = EXAMPLES[row.name]

    async def story(centre: Centre) -> None:
        one, many = await place(centre, row)
        before = len(ET.fromstring((await centre.as_admin("GET", many)).body))
        made = await centre.make(f"{one}/", example.body)  # clients write the slash
        listed = ET.fromstring((await centre.as_admin("GET", many)).body)
        assert (listed.tag, len(listed)) == (row.plural, before + 1)
        assert listed[-1].findtext("uri") == API + made
        read = await centre.as_admin("GET", made)
        assert (read.status, ET.fromstring(read.body).tag) == (200, row.name)
        changed = await centre.as_admin("PUT", made, example.change)
        assert (changed.status, changed.body) == (200, "")
        assert (await centre.as_admin("GET", made)).value(example.shows[0]) is not None
        texts = [element.text or "" for element in ET.fromstring((await centre.as_admin("GET", made)).body).iter()]
        assert example.shows[1] in texts
        assert (await centre.as_admin("DELETE", made)).status == 200
        assert (await centre.as_admin("GET", made)).error[:2] == (404, "Not Found")
        assert (await centre.as_admin("PUT", made, example.change)).status == 404
        assert (await centre.as_admin("DELETE", made)).status == 404
        again = await centre.make(one, example.body)
        assert again != made, "a number is never given twice"
        methods = [line["method"] for line in centre.audit.lines]
        assert methods[-4:] == ["POST", "PUT", "DELETE", "POST"]

    play(tmp_path, story)


@pytest.mark.parametrize("row", ONES, ids=NAME)
def test_the_only_object_is_there_from_the_beginning_and_is_changed(tmp_path: Path, row: Row) -> None:
    example = EXAMPLES[row.name]

    async def story(centre: Centre) -> None:
        path = path_of(row)
        first = await centre.as_admin("GET", path)
        assert (first.status, ET.fromstring(first.body).tag) == (200, row.name)
        for body in (example.body, example.change):
            assert (await centre.as_admin("PUT", path, body)).status == 200
        shown = ET.fromstring((await centre.as_admin("GET", path)).body)
        assert shown.findtext(f".//{example.shows[0]}", "").strip() == ET.fromstring(
            f"<t>{example.shows[1]}</t>"
        ).text or (example.shows[1] == "" and not shown.findtext(f".//{example.shows[0]}"))
        assert (await centre.as_admin("DELETE", path)).status == 405
        assert (await centre.as_admin("POST", path, example.body)).status == 405

    play(tmp_path, story)


@pytest.mark.parametrize("row", ROWS, ids=NAME)
def test_what_is_not_allowed_is_invalid_input_and_nothing_is_stored(tmp_path: Path, row: Row) -> None:
    bad = EXAMPLES[row.name].bad

    async def story(centre: Centre) -> None:
        if row.plural:
            one, many = await place(centre, row)
            before = (await centre.as_admin("GET", many)).body
            reply = await centre.as_admin("POST", one, bad)
            assert (await centre.as_admin("GET", many)).body == before
        else:
            path = path_of(row)
            before = (await centre.as_admin("GET", path)).body
            reply = await centre.as_admin("PUT", path, bad)
            assert (await centre.as_admin("GET", path)).body == before
        assert reply.error[:2] == (400, "Invalid Input")
        assert (
            await centre.as_admin("PUT", path_of(row) if not row.plural else f"{one}/1", "<Nonsense/>")
        ).status == 400

    play(tmp_path, story)


@pytest.mark.parametrize("row", ROWS, ids=NAME)
def test_agents_read_what_is_for_them_and_write_nothing(tmp_path: Path, row: Row) -> None:
    example = EXAMPLES[row.name]

    async def story(centre: Centre) -> None:
        one, many = await place(centre, row) if row.plural else (path_of(row), path_of(row))
        for user in ("1001", "1101"):
            reply = await centre.get(API + many, user)
            if row.readers is Readers.EVERYONE:
                assert reply.status == 200
            else:
                assert reply.error[:2] == (403, "Forbidden")
            write = await centre.ask("POST" if row.plural else "PUT", API + one, user, example.body)
            assert write.error == (403, "Forbidden", "Only administrators may use this resource", user)
        assert (await centre.get(API + many, None)).status == 401

    play(tmp_path, story)


@pytest.mark.parametrize("row", ROWS, ids=NAME)
def test_the_second_node_of_ucce_does_nothing_and_that_of_uccx_only_reads(tmp_path: Path, row: Row) -> None:
    async def ucce(centre: Centre) -> None:
        one, many = (f"/{row.name}", f"/{row.plural}") if row.plural and not row.parent else ("", "")
        if row.parent:
            one, many = "/PhoneBook/1/Contact", "/PhoneBook/1/Contacts"
        if row.only_one:
            one = many = path_of(row)
        query = "?category=ALL" if row.name == "ReasonCode" else ""
        assert (await centre.as_admin("GET", many + query)).error[:2] == (403, "Forbidden")
        method = "POST" if row.plural else "PUT"
        assert (await centre.as_admin(method, one, EXAMPLES[row.name].body)).status == 403

    async def uccx(centre: Centre) -> None:
        path = path_of(row) if row.only_one else "/PhoneBooks"
        expected = 501 if row.products is Products.UCCE else 200
        assert (await centre.as_admin("GET", path)).status == expected
        if row.only_one and expected == 200:
            assert (await centre.as_admin("PUT", path, EXAMPLES[row.name].body)).status == 403

    play(tmp_path, ucce, secondary=True)
    play(tmp_path, uccx, Deployment.UCCX, secondary=True)


@pytest.mark.parametrize("row", [row for row in ROWS if row.products is Products.UCCE], ids=NAME)
def test_what_only_ucce_has_is_not_implemented_on_uccx(tmp_path: Path, row: Row) -> None:
    async def story(centre: Centre) -> None:
        assert (await centre.as_admin("GET", path_of(row))).error[:2] == (501, "Not Implemented")

    play(tmp_path, story, Deployment.UCCX)


def test_configuration_is_open_before_the_telephony_is_there(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        made = await centre.make("/ReasonCode", LUNCH)
        assert (await centre.as_admin("GET", made)).status == 200
        assert (await centre.as_admin("GET", "/User/1001/PhoneBooks")).status == 503

    play(tmp_path, story, in_service=False)


# ---- what must be unique, and how many there may be


def test_a_code_and_a_label_belong_to_one_reason_of_their_category(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        made = await centre.make("/ReasonCode", LUNCH)
        for body in (LUNCH.replace("Lunch", "Tea"), LUNCH.replace("12", "13").replace("Lunch", "LUNCH")):
            reply = await centre.as_admin("POST", "/ReasonCode", body)
            assert reply.error[:2] == (400, "Finesse API Error")
            assert f"duplicate of {API}{made}" in (reply.value("ErrorData") or "")
        other = await centre.make("/ReasonCode", LUNCH.replace("NOT_READY", "LOGOUT"))
        reply = await centre.as_admin("PUT", other, "<ReasonCode><category>NOT_READY</category></ReasonCode>")
        assert reply.error[:2] == (400, "Finesse API Error")
        assert (await centre.as_admin("PUT", made, "<ReasonCode><label>lunch</label></ReasonCode>")).status == 200

    play(tmp_path, story)


def test_a_hundred_reasons_for_all_and_no_more(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        for number in range(1, 101):
            await centre.make("/ReasonCode", LUNCH.replace("12", str(number)).replace("Lunch", f"Reason {number}"))
        one_more = LUNCH.replace("12", "101").replace("Lunch", "Reason 101")
        assert (await centre.as_admin("POST", "/ReasonCode", one_more)).error[:2] == (400, "Maximum Exceeded")
        of_a_team = await centre.make("/ReasonCode", one_more.replace("true", "false"))
        reply = await centre.as_admin("PUT", of_a_team, "<ReasonCode><forAll>true</forAll></ReasonCode>")
        assert reply.error[:2] == (400, "Maximum Exceeded")

    play(tmp_path, story)


@pytest.mark.parametrize("missing", ["category", "code", "label", "forAll"])
def test_what_a_new_reason_needs_is_named(tmp_path: Path, missing: str) -> None:
    tree = ET.fromstring(LUNCH)
    tree.remove(tree.find(missing))  # type: ignore[arg-type]

    async def story(centre: Centre) -> None:
        reply = await centre.as_admin("POST", "/ReasonCode", ET.tostring(tree))
        assert (reply.error[:2], reply.value("ErrorData")) == ((400, "Parameter Missing"), missing)

    play(tmp_path, story)


def test_a_change_needs_a_parameter_and_of_two_the_last_wins(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        made = await centre.make("/ReasonCode", LUNCH)
        for body in ("<ReasonCode/>", "<ReasonCode><colour>red</colour></ReasonCode>"):
            assert (await centre.as_admin("PUT", made, body)).error[:2] == (400, "Invalid Input")
        twice = "<ReasonCode><label>Tea</label><label>Coffee</label></ReasonCode>"
        assert (await centre.as_admin("PUT", made, twice)).status == 200
        assert (await centre.as_admin("GET", made)).value("label") == "Coffee"

    play(tmp_path, story)


def test_a_list_of_reasons_needs_its_category(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        await centre.make("/ReasonCode", LUNCH)
        assert (await centre.as_admin("GET", "/ReasonCodes")).error[:2] == (400, "Parameter Missing")
        assert (await centre.as_admin("GET", "/ReasonCodes?category=LOST")).error[:2] == (400, "Invalid Input")
        none = await centre.as_admin("GET", "/ReasonCodes?category=LOGOUT")
        assert none.body.replace("\n", "") == '<ReasonCodes category="LOGOUT"></ReasonCodes>'
        some = ET.fromstring((await centre.as_admin("GET", "/ReasonCodes?category=NOT_READY")).body)
        assert [child.tag for child in some[0]] == ["uri", "category", "code", "label", "forAll", "systemCode", "id"]

    play(tmp_path, story)


@pytest.mark.parametrize("number", ["0", "99999999999", "x", "1%20", "-1", "１"])
def test_a_number_that_nobody_has_is_not_found(tmp_path: Path, number: str) -> None:
    async def story(centre: Centre) -> None:
        for path in (f"/ReasonCode/{number}", f"/PhoneBook/{number}/Contacts"):
            assert (await centre.as_admin("GET", path)).error[:2] == (404, "Not Found")

    play(tmp_path, story)


# ---- two administrators


def test_whoever_read_before_somebody_elses_change_is_told_so_and_changes_nothing(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        made = await centre.make("/ReasonCode", LUNCH)
        await centre.as_admin("GET", made)
        number = int(made.rpartition("/")[2])
        row = next(row for row in ROWS if row.name == "ReasonCode")
        await centre.configuration.change(row, number, {"label": "Tea"})  # the other administrator
        for method, body in (("PUT", "<ReasonCode><label>Dinner</label></ReasonCode>"), ("DELETE", "")):
            assert (await centre.as_admin(method, made, body)).error[:2] == (409, "Conflict")
        assert (await centre.as_admin("GET", made)).value("label") == "Tea"
        assert (await centre.as_admin("PUT", made, "<ReasonCode><label>Dinner</label></ReasonCode>")).status == 200

    play(tmp_path, story)


def test_if_match_names_the_version_that_is_meant(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        made = await centre.make("/ReasonCode", LUNCH)
        tag = (await centre.as_admin("GET", made)).header("etag")
        assert tag == '"1"'
        body = "<ReasonCode><label>{}</label></ReasonCode>"
        good = await centre.as_admin("PUT", made, body.format("Tea"), {"If-Match": tag})
        assert (good.status, good.header("etag")) == (200, '"2"')
        for stale in (tag, '"x"'):
            assert (await centre.as_admin("PUT", made, body.format("Nap"), {"If-Match": stale})).status == 409
        assert (await centre.as_admin("PUT", made, body.format("Rest"), {"If-Match": "*"})).status == 200

    play(tmp_path, story)


# ---- special rules


def test_an_action_in_use_cannot_be_deleted_and_a_workflow_names_only_those_there_are(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        action = await centre.make("/WorkflowAction", EXAMPLES["WorkflowAction"].body)
        used = (
            f"<workflowActions><WorkflowAction><uri>{API}{action}</uri></WorkflowAction></workflowActions></Workflow>"
        )
        body = EXAMPLES["Workflow"].body.replace("</Workflow>", used)
        workflow = await centre.make("/Workflow", body)
        assert (await centre.as_admin("DELETE", action)).error[:2] == (400, "Finesse API Error")
        missing = body.replace(action, "/WorkflowAction/77").replace("On ring", "Other")
        assert (await centre.as_admin("POST", "/Workflow", missing)).error[:2] == (400, "Finesse API Error")
        assert (await centre.as_admin("DELETE", workflow)).status == 200
        assert (await centre.as_admin("DELETE", action)).status == 200

    play(tmp_path, story)


def test_the_default_layout_of_call_variables_is_changed_but_never_deleted_nor_made_twice(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        path = "/MediaPropertiesLayout/default"
        read = await centre.as_admin("GET", path)
        assert (read.value("type"), read.value("id")) == ("DEFAULT", "1")
        change = "<MediaPropertiesLayout><name>House</name><type>CUSTOM</type></MediaPropertiesLayout>"
        assert (await centre.as_admin("PUT", path, change)).status == 200
        read = await centre.as_admin("GET", path)
        assert (read.value("name"), read.value("type")) == ("House", "DEFAULT")
        assert (await centre.as_admin("DELETE", path)).error[:2] == (400, "Finesse API Error")
        body = EXAMPLES["MediaPropertiesLayout"].body.replace("<header>", "<type>DEFAULT</type><header>")
        assert (await centre.as_admin("POST", "/MediaPropertiesLayout", body)).status == 400

    play(tmp_path, story)


def test_a_secret_is_never_shown_and_stays_when_it_is_not_given(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        for body in (EXAMPLES["EnterpriseDatabaseConfig"].body, EXAMPLES["EnterpriseDatabaseConfig"].change):
            await centre.as_admin("PUT", "/EnterpriseDatabaseConfig", body)
        shown = await centre.as_admin("GET", "/EnterpriseDatabaseConfig")
        assert shown.value("password") == ""
        row = next(row for row in ROWS if row.name == "EnterpriseDatabaseConfig")
        assert (await centre.configuration.one(row, 1)).document["password"] == "secret"
        assert "secret" not in str(centre.audit.lines)
        assert centre.audit.lines[0]["after"]["password"] == "********"

    play(tmp_path, story)


def test_a_layout_is_refused_with_its_lines_and_the_one_before_is_kept(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        path = "/LayoutConfig/default"
        first = (await centre.as_admin("GET", path)).value("layoutxml")
        assert (await centre.as_admin("GET", f"{path}?previous=true")).status == 404
        await centre.as_admin("PUT", path, EXAMPLES["LayoutConfig"].body)
        changed = EXAMPLES["LayoutConfig"].body.replace("Bank", "Shop")
        assert (await centre.as_admin("PUT", path, changed)).status == 200
        previous = await centre.as_admin("GET", f"{path}?previous=true")
        assert "Bank &amp;amp; Sons" in previous.body, "ampersands come back as they were given"
        broken = changed.replace("&lt;role&gt;Agent", "&lt;role&gt;Nobody").replace(
            "&lt;tab&gt;", "&lt;tab&gt;&lt;b/&gt;", 1
        )
        reply = await centre.as_admin("PUT", path, broken)
        assert reply.status == 400
        data = reply.value("ErrorData") or ""
        assert "line 24: role is one of Agent, Supervisor, Admin" in data
        assert "line 29: there is no element b" in data
        assert first != (await centre.as_admin("GET", path)).value("layoutxml")

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<!DOCTYPE a><ReasonCode/>", 400),
        ("<ReasonCode>&x;</ReasonCode>", 400),
        ("<ReasonCode>".encode("utf-16"), 400),
        ("<ReasonCode><label>\x01</label></ReasonCode>", 400),
        ("<ReasonCode>" + "<a>" * 30 + "</a>" * 30 + "</ReasonCode>", 413),
        ("<ReasonCode><label>" + "x" * 5_000_000 + "</label></ReasonCode>", 413),
        ("", 400),
    ],
)
def test_hostile_bodies_store_nothing(tmp_path: Path, body: str | bytes, status: int) -> None:
    async def story(centre: Centre) -> None:
        assert (await centre.as_admin("POST", "/ReasonCode", body)).status == status
        assert len(ET.fromstring((await centre.as_admin("GET", "/ReasonCodes?category=ALL")).body)) == 0
        assert not centre.log.faults

    play(tmp_path, story)
