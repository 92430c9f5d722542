"""TeamMessage: who writes, who reads, what is refused, what the teams hear, and when it is over."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from poise.finesse.team_messages import ACTIVE_PER_TEAM_MAX, DURATION_MAX_S
from tests.unit.server.agents.stage import CONFIG
from tests.unit.server.webservices.stage import Reply, Rest, play

MESSAGES = "/finesse/api/TeamMessages"
OF_TEAM = "/finesse/api/Team/1/TeamMessages"


def body(content: str = "Lunch at &lt;12&gt;", duration: object = 100, teams: str = "<team>1</team>") -> str:
    return (
        f"<TeamMessage><duration>{duration}</duration><content>{content}</content><teams>{teams}</teams></TeamMessage>"
    )


async def write(rest: Rest, who: str = "1101", text: str | None = None) -> Reply:
    return await rest.ask("POST", MESSAGES, who, text if text is not None else body(), headers={"requestId": "r1"})


def contents(reply: Reply) -> list[str | None]:
    root = ET.fromstring(reply.body)
    assert (reply.status, root.tag) == (200, "TeamMessages")
    return [content.text for content in root.iterfind("TeamMessage/content")]


def test_a_supervisor_writes_to_her_team_and_the_answer_names_the_message() -> None:
    async def story(rest: Rest) -> None:
        reply = await write(rest)
        assert (reply.status, reply.body, reply.header("requestid")) == (200, "", "r1")
        location = reply.header("location") or ""
        assert location.startswith("https://localhost:8445/finesse/api/TeamMessage/")
        message = ET.fromstring((await rest.get(location.removeprefix("https://localhost:8445"), "1001")).body)
        assert [child.tag for child in message] == [
            "uri", "id", "createdBy", "createdAt", "duration", "content", "teams",
        ]  # fmt: skip
        assert message.findtext("content") == "Lunch at <12>"
        assert message.findtext("createdBy/id") == "1101"
        assert message.findtext("createdBy/firstName") == "Supervisor"
        assert message.findtext("createdAt") == str(int(rest.contact.clock.wall()))
        assert (message.findtext("duration"), message.findtext("teams/team")) == ("100", "1")

    play(story)


def test_the_team_hears_the_whole_message_when_it_comes_when_it_is_deleted_and_when_its_time_is_over() -> None:
    async def story(rest: Rest) -> None:
        location = (await write(rest)).header("location") or ""
        path = location.removeprefix("https://localhost:8445")
        assert (await rest.ask("DELETE", path, "1101", headers={"requestId": "r2"})).status == 200
        await write(rest)
        rest.contact.clock.advance(99)
        assert len(rest.contact.publisher.told) == 3
        rest.contact.clock.advance(2)
        told = rest.contact.publisher.take()
        assert {t.node for t in told} == {OF_TEAM} == {t.value("source") for t in told}
        assert [(t.value("event"), t.value("requestId")) for t in told] == [
            ("POST", "r1"), ("DELETE", "r2"), ("POST", "r1"), ("DELETE", ""),
        ]  # fmt: skip
        assert all("<teamMessages>\n<TeamMessage>" in t.text and t.value("content") for t in told)
        assert contents(await rest.get(OF_TEAM, "1001")) == []
        assert (await rest.get(path, "1001")).status == 404

    play(story)


def test_lists_by_team_by_reader_and_by_author() -> None:
    async def story(rest: Rest) -> None:
        await write(rest, "1101", body("one"))
        rest.contact.clock.advance(1)
        await write(rest, "admin", body("two"))
        for path, who in (
            (OF_TEAM, "1001"), (OF_TEAM, "1101"), (OF_TEAM, "admin"), ("/finesse/api/User/1002/TeamMessages", "1002"),
            ("/finesse/api/User/1101/TeamMessages", "1101"), ("/finesse/api/User/1002/TeamMessages", "admin"),
        ):  # fmt: skip
            assert contents(await rest.get(path, who)) == ["one", "two"]
        assert contents(await rest.get(MESSAGES, "1101")) == ["one"]
        assert contents(await rest.get(f"{MESSAGES}?createdBy=1101", "admin")) == ["one"]
        assert contents(await rest.get(f"{MESSAGES}?createdby=admin", "admin")) == ["two"]
        assert (await rest.get(f"{MESSAGES}?createdby=admin", "1101")).status == 401

    play(story)


@pytest.mark.parametrize(
    ("who", "text", "error"),
    [
        ("1001", body(), (401, "Authorization Failure", "1001")),
        ("1001", "<x", (401, "Authorization Failure", "1001")),
        ("1101", body(teams="<team>2</team>"), (401, "Invalid Supervisor", "2")),
        ("admin", body(teams="<team>1</team><team>2</team>"), (404, "Not Found", "2")),
        ("1101", body(""), (400, "Parameter Missing", "content")),
        ("1101", body("x" * 256), (400, "Invalid Input", "content")),
        ("1101", body(duration=""), (400, "Parameter Missing", "duration")),
        ("1101", body(duration=0), (400, "Invalid Input", "duration")),
        ("1101", body(duration=-5), (400, "Invalid Input", "duration")),
        ("1101", body(duration=DURATION_MAX_S + 1), (400, "Invalid Input", "duration")),
        ("1101", body(duration="9" * 5000), (400, "Invalid Input", "duration")),
        ("1101", body(teams=""), (400, "Parameter Missing", "teams")),
        ("1101", body(teams="<team>x</team>"), (400, "Invalid Input", "team")),
        ("1101", "<User/>", (400, "Bad Request", "User instead of TeamMessage")),
    ],
)
def test_what_is_refused_tells_nobody(who: str, text: str, error: tuple[int, str, str]) -> None:
    async def story(rest: Rest) -> None:
        status, kind, _, data = (await write(rest, who, text)).error
        assert (status, kind, data) == error
        assert rest.contact.publisher.take() == []
        assert contents(await rest.get(OF_TEAM, "admin")) == []

    play(story)


def test_a_message_of_255_characters_of_any_script_is_taken() -> None:
    async def story(rest: Rest) -> None:
        assert (await write(rest, "1101", body("ü" * 255, DURATION_MAX_S))).status == 200

    play(story)


def test_only_its_author_and_administrators_delete_a_message() -> None:
    async def story(rest: Rest) -> None:
        path = ((await write(rest, "admin")).header("location") or "").removeprefix("https://localhost:8445")
        assert (await rest.ask("DELETE", path, "1101")).error[:2] == (401, "Authorization Failure")
        assert (await rest.ask("DELETE", path, "1001")).status == 401
        assert (await rest.ask("DELETE", path, "admin")).status == 200
        assert (await rest.ask("DELETE", path, "admin")).error[:2] == (404, "Not Found")

    play(story)


def test_a_team_has_a_bounded_number_of_active_messages() -> None:
    async def story(rest: Rest) -> None:
        for _ in range(ACTIVE_PER_TEAM_MAX):
            assert (await write(rest)).status == 200
        assert (await write(rest)).error == (
            400, "System Resource Limit Exceeded", "MAX_ACTIVE_MESSAGE_LIMIT_EXCEEDED",
            "teammessage.max.limit.exceeded",
        )  # fmt: skip
        rest.contact.clock.advance(101)
        assert (await write(rest)).status == 200

    play(story)


def test_who_may_hear_and_read_a_teams_messages() -> None:
    async def story(rest: Rest) -> None:
        service = rest.contact.service
        heard = {user: service.may_subscribe(user, OF_TEAM) for user in ("1001", "1101", "2001")}
        assert heard == {"1001": True, "1101": True, "2001": False}
        rest.contact.configure(type(CONFIG)(CONFIG.agents, (), CONFIG.skill_groups))
        assert (await rest.get(OF_TEAM, "1001")).status == 401
        assert (await rest.get(OF_TEAM, "admin")).status == 404

    play(story)
