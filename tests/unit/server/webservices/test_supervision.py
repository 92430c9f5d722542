"""GET disconnects and absences: supervisors for their teams, administrators for all, everybody else not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from poise.protocols.cti.config import ConfigReceived, TeamConfig
from poise.protocols.cti.constants import AgentState as Cti
from poise.registry import ENDINGS, Closed
from poise.server.notification.disconnects import Disconnects
from poise.server.webservices.app import web_services
from poise.server.webservices.supervision import LANGUAGES, SupervisionResource, sentences
from tests.unit.server.agents.stage import CONFIG
from tests.unit.server.webservices.stage import Rest, play

DISCONNECTS, ABSENCES = "/poise/api/disconnects", "/poise/api/absences"
TWO_TEAMS = ConfigReceived(
    CONFIG.agents,
    (TeamConfig(1, "Sales", ("1001",), ("1101",)), TeamConfig(2, "Support", ("1002",), ())),
    CONFIG.skill_groups,
)


def with_supervision(rest: Rest) -> Disconnects:
    """The resources, over an empty memory."""
    memory = Disconnects(rest.contact.clock)
    resource = SupervisionResource(rest.services, memory, rest.contact.service.absences)
    rest.app = web_services(rest.services, resource.routes())
    rest.contact.configure(TWO_TEAMS)
    return memory


def disconnect(rest: Rest, memory: Disconnects, agent: str, code: str) -> None:
    now = rest.contact.clock.now()
    memory.ended(f"{agent}@localhost/desktop", "bosh", Closed(ENDINGS[code], now - 64, now - 61, now, 60.0, "why"))


async def read(rest: Rest, path: str, who: str | None = "1101") -> tuple[int, Any]:
    reply = await rest.get(path, who)
    assert reply.header("cache-control") == "no-store"
    return reply.status, json.loads(reply.body)


def test_every_ending_has_a_sentence_in_every_language() -> None:
    assert set(sentences()) == set(ENDINGS)
    for code, texts in sentences().items():
        assert tuple(texts) == LANGUAGES
        assert all(text.endswith(".") for text in texts.values()), code
        assert len(set(texts.values())) == 3, code


def test_a_supervisor_sees_when_and_why_her_agents_were_disconnected_newest_first() -> None:
    async def story(rest: Rest) -> None:
        memory = with_supervision(rest)
        disconnect(rest, memory, "1001", "idle")
        rest.contact.clock.advance(10)
        disconnect(rest, memory, "1001", "socket-lost")
        disconnect(rest, memory, "1002", "idle")
        status, body = await read(rest, DISCONNECTS)
        assert (status, body["total"]) == (200, 2)
        assert [entry["code"] for entry in body["disconnects"]] == ["socket-lost", "idle"]
        assert body["disconnects"][1] == {
            "agent": "1001",
            "first_name": "Agent",
            "last_name": "One",
            "team": {"id": 1, "name": "Sales"},
            "at": "2023-11-14T22:13:20.000Z",
            "client": "desktop",
            "binding": "bosh",
            "code": "idle",
            "side": "network",
            "severity": "warning",
            "last_contact": {"since": "2023-11-14T22:12:16.000Z", "until": "2023-11-14T22:12:19.000Z"},
            "timer_s": 60.0,
            "evidence": "why",
            "sentence": sentences()["idle"],
        }
        _, short = await read(rest, f"{DISCONNECTS}?limit=1&team=1")
        assert (short["total"], len(short["disconnects"])) == (2, 1)
        _, everyone = await read(rest, DISCONNECTS, "admin")
        assert {entry["agent"] for entry in everyone["disconnects"]} == {"1001", "1002"}

    play(story)


def test_a_supervisor_sees_whose_screen_is_gone_and_how_long_is_left() -> None:
    async def story(rest: Rest) -> None:
        with_supervision(rest)
        for agent in ("1001", "1002"):
            rest.contact.event(Cti.AVAILABLE, agent)
            rest.contact.service.presence(agent, "desktop", True, 1)
            rest.contact.service.presence(agent, "desktop", False, 0)
        rest.contact.clock.advance(20)
        _, body = await read(rest, ABSENCES)
        (absence,) = body["absences"]
        assert {name: absence[name] for name in ("agent", "state", "gone_since", "signs_out_at", "left_s")} == {
            "agent": "1001",
            "state": "GRACE",
            "gone_since": "2023-11-14T22:13:20.000Z",
            "signs_out_at": "2023-11-14T22:14:20.000Z",
            "left_s": 40.0,
        }
        assert len((await read(rest, ABSENCES, "admin"))[1]["absences"]) == 2
        rest.contact.clock.advance(41)
        assert [(a["state"], a["left_s"]) for a in (await read(rest, ABSENCES))[1]["absences"]] == [("SENT", None)]

    play(story)


@pytest.mark.parametrize("path", [DISCONNECTS, ABSENCES])
@pytest.mark.parametrize(
    ("who", "query", "status", "code"),
    [
        (None, "", 401, "credentials-needed"),
        ("1001", "", 403, "supervisors-only"),
        ("1101", "?team=2", 403, "team-not-yours"),
        ("1101", "?team=9", 403, "team-not-yours"),
        ("admin", "?team=9", 404, "team-unknown"),
        ("admin", "?team=x", 400, "query-malformed"),
        ("admin", "?team=" + "9" * 5000, 400, "query-malformed"),
    ],
)
def test_everything_else_is_a_stable_refusal(path: str, who: str | None, query: str, status: int, code: str) -> None:
    async def story(rest: Rest) -> None:
        with_supervision(rest)
        found, body = await read(rest, path + query, who)
        assert (found, body["code"]) == (status, code)
        assert (await rest.ask("POST", path, "admin")).header("allow") == "GET, HEAD"

    play(story)
