"""Phone books in bulk: CSV and XML in and out, a page at a time, with the guide's limits."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.unit.server.agents.stage import USER
from tests.unit.server.webservices.configuration.examples import EXAMPLES
from tests.unit.server.webservices.configuration.stage import API, Centre, play

pytestmark = pytest.mark.usefixtures("on_every_engine")

HEADING = "First Name,Last Name,Phone Number,Notes\r\n"
FORM = {"Content-Type": "multipart/form-data; boundary=xyz"}


def form(text: str | bytes, field: str = "datafile") -> bytes:
    data = text.encode() if isinstance(text, str) else text
    head = f'--xyz\r\nContent-Disposition: form-data; name="{field}"; filename="a.csv"\r\n'
    return head.encode() + b"Content-Type: text/csv\r\n\r\n" + data + b"\r\n--xyz--\r\n"


async def book(centre: Centre, name: str = "Offices", kind: str = "GLOBAL") -> str:
    return await centre.make("/PhoneBook", f"<PhoneBook><name>{name}</name><type>{kind}</type></PhoneBook>")


async def load(centre: Centre, path: str, count: int) -> None:
    rows = "".join(f"First{n},Last{n},{n},\r\n" for n in range(count))
    reply = await centre.as_admin("POST", f"{path}/Contacts/csvFileContent", form(HEADING + rows), FORM)
    assert reply.status == 202, reply.body


def test_a_csv_file_replaces_all_contacts_and_bad_rows_are_skipped_and_counted(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        path = await book(centre)
        await centre.make(f"{path}/Contact", EXAMPLES["Contact"].body)
        rows = (
            'Front,Desk,+49 30 1,"Day, night"\r\nNo,Number,,\r\nToo,Long,'
            + "1" * 33
            + ",\r\n\r\nÄnne,,2,\r\na,b,3,c,d\r\n"
        )
        reply = await centre.as_admin("POST", f"{path}/Contacts/csvFileContent", form(HEADING + rows), FORM)
        assert (reply.status, reply.body, reply.header("poise-imported"), reply.header("poise-skipped")) == (
            202,
            "",
            "2",
            "3",
        )
        shown = ET.fromstring((await centre.as_admin("GET", f"{path}/Contacts")).body)
        assert [one.findtext("firstName") for one in shown] == ["Front", "Änne"]
        assert centre.audit.lines[-1]["after"]["skipped"][0] == (3, "phoneNumber")

    play(tmp_path, story)


def test_what_is_exported_is_imported_as_it_was_and_no_cell_is_a_formula(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        path = await book(centre)
        await centre.make(
            f"{path}/Contact",
            '<Contact><firstName>=HYPERLINK("x")</firstName><phoneNumber>+49301</phoneNumber></Contact>',
        )
        out = await centre.as_admin("GET", f"{path}/Contacts/csvFileContent")
        assert (out.status, out.header("content-type")) == (200, "text/csv;charset=UTF-8")
        assert "\"'=HYPERLINK" in out.body
        assert ",+49301," in out.body
        before = (await centre.as_admin("GET", f"{path}/Contacts")).body
        await centre.as_admin("POST", f"{path}/Contacts/csvFileContent", form(out.body), FORM)
        again = (await centre.as_admin("GET", f"{path}/Contacts")).body
        assert ET.fromstring(again)[0].findtext("firstName") == ET.fromstring(before)[0].findtext("firstName")

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (form("Name,Number\r\na,1\r\n"), FORM, "Invalid Input"),
        (form(b"\xff\xfe\x00"), FORM, "Invalid Input"),
        (form(HEADING + 'a,"b\r\n'), FORM, "Invalid Input"),
        (form(HEADING, field="other"), FORM, "Parameter Missing"),
        (b"nothing", FORM, "Parameter Missing"),
        (b"a,b", {"Content-Type": "text/csv"}, "Invalid Input"),
        (form(HEADING + "a,b,1,\r\n" * 6001), FORM, "Maximum Exceeded"),
        (form(HEADING + "\r\n" * 24_100 + "a,b,1,\r\n"), FORM, "Maximum Exceeded"),
    ],
)
def test_a_file_that_is_no_phone_book_changes_nothing(
    tmp_path: Path, body: bytes, headers: dict[str, str], error: str
) -> None:
    async def story(centre: Centre) -> None:
        path = await book(centre)
        await centre.make(f"{path}/Contact", EXAMPLES["Contact"].body)
        reply = await centre.as_admin("POST", f"{path}/Contacts/csvFileContent", body, headers)
        assert reply.error[:2] == (400, error)
        assert len(ET.fromstring((await centre.as_admin("GET", f"{path}/Contacts")).body)) == 1
        assert (
            await centre.as_admin("POST", "/PhoneBook/9/Contacts/csvFileContent", form(HEADING), FORM)
        ).status == 404

    play(tmp_path, story)


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_contacts_are_replaced_by_those_of_an_xml_body(tmp_path: Path, method: str) -> None:
    async def story(centre: Centre) -> None:
        path = await book(centre)
        contacts = (
            f"<Contacts>{EXAMPLES['Contact'].body * 3}<Contact><firstName>No number</firstName></Contact></Contacts>"
        )
        reply = await centre.as_admin(method, f"{path}/Contacts", contacts)
        assert (reply.status, reply.header("poise-skipped")) == (202, "1")
        assert len(ET.fromstring((await centre.as_admin("GET", f"{path}/Contacts")).body)) == 3

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("asked", "status", "count", "told"),
    [
        (None, 200, 250, None),
        ("objects=1-6000", 200, 250, None),
        ("objects=1-100", 206, 100, "objects 1-100/250"),
        ("Objects = 101-200", 206, 100, "objects 101-200/250"),
        ("objects=201-300", 200, 50, "objects 201-250/250"),
        ("objects=251-300", 416, 0, None),
        ("objects=0-10", 416, 0, None),
        ("objects=5-1", 416, 0, None),
        ("objects=1-6001", 416, 0, None),
        ("bytes=0-1", 416, 0, None),
    ],
)
def test_contacts_are_read_a_range_at_a_time(
    tmp_path: Path, asked: str | None, status: int, count: int, told: str | None
) -> None:
    headers = {"Range": asked} if asked else {}

    async def story(centre: Centre) -> None:
        path = await book(centre)
        await load(centre, path, 250)
        for reply in (
            await centre.as_admin("GET", f"{path}/Contacts", headers=headers),
            await centre.get(f"{USER}/PhoneBooks", headers=headers),
            await centre.get(f"{API}/TeamResource/1/PhoneBooks", headers=headers),
        ):
            assert reply.status == status
            if status == 416:
                assert reply.error[1] == "Invalid Range"
            else:
                assert len(ET.fromstring(reply.body).findall(".//Contact")) == count
                assert reply.header("content-range") == told

    play(tmp_path, story)


def test_users_have_the_global_books_first_then_those_of_their_team(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        team, other = await book(centre, "Team's own", "TEAM"), await book(centre, "Another team's", "TEAM")
        everyone = await book(centre, "Everyone's")
        for path in (team, other, everyone):
            await load(centre, path, 2)
        body = f"<PhoneBooks><PhoneBook><uri>{API}{team}</uri></PhoneBook></PhoneBooks>"
        await centre.as_admin("PUT", "/Team/1/PhoneBooks", body)
        shown = ET.fromstring((await centre.get(f"{USER}/PhoneBooks")).body)
        assert [(one.findtext("name"), one.findtext("type")) for one in shown] == [
            ("Everyone's", "GLOBAL"),
            ("Team's own", "TEAM"),
        ]
        assert [child.tag for child in shown[0]] == ["name", "type", "Contacts"]

    play(tmp_path, story)


def test_a_book_holds_six_thousand_contacts_and_no_more(tmp_path: Path) -> None:
    async def story(centre: Centre) -> None:
        path = await book(centre)
        await load(centre, path, 6000)
        reply = await centre.as_admin("POST", f"{path}/Contact", EXAMPLES["Contact"].body)
        assert reply.error[:2] == (400, "Maximum Exceeded")
        await centre.as_admin("DELETE", path)
        again = await book(centre)
        assert len(ET.fromstring((await centre.as_admin("GET", f"{again}/Contacts")).body)) == 0

    play(tmp_path, story)
