"""What supervisors ask about their teams' connections, as JSON:

    GET /poise/api/disconnects[?team=1][&limit=200]   who was disconnected in the last 24 hours, and why
    GET /poise/api/absences[?team=1]                  whose screen is gone now, and when that ends in a logout

Supervisors see the teams they supervise, administrators all; `team` asks for one of them. When last contact was is told
as an interval (`poise.registry.Closed`); why, as one sentence in each language of `words/endings.json`.
Changes of absences are told as events on the nodes `/poise/api/absences/Team/<id>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from poise.contact.snapshots import Agent
from poise.finesse.absences import Absent
from poise.finesse.permissions import Caller
from poise.server.notification.disconnects import Disconnect
from poise.server.webservices.json_api import HEADERS, METHODS, JsonApi, number, stamp
from poise.server.webservices.problems import ProblemError
from poise.server.webservices.services import Services

DISCONNECTS = "/poise/api/disconnects"
ABSENCES = "/poise/api/absences"
LIMIT = 200
"""Disconnections of one answer unless asked otherwise."""
LIMIT_MAX = 2_000
"""Most disconnections of one answer; the picture of one costs about 10 microseconds."""
LANGUAGES = ("en", "pt-BR", "es")


class Endings(Protocol):
    """What is remembered of ended sessions; `poise.server.notification.disconnects.Disconnects`."""

    def of(self, user: str) -> list[Disconnect]:
        """Of one user, oldest first."""


class Missing(Protocol):
    """Who has no screen; `poise.server.agents.absences.Absences`."""

    def of(self, user: str) -> Absent | None:
        """The present picture of an agent."""


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """Ending's code -> language -> one sentence for a supervisor."""
    text = files("poise.server.webservices").joinpath("words", "endings.json").read_text("utf-8")
    loaded: Mapping[str, Mapping[str, str]] = json.loads(text)
    return loaded


class SupervisionResource:
    """Serves both paths."""

    def __init__(self, services: Services, endings: Endings, missing: Missing) -> None:
        self._services = services
        self._endings = endings
        self._missing = missing
        self._api = JsonApi(services)

    def routes(self) -> list[Route]:
        """Routes for the ASGI application."""
        return [
            Route(path, self._api.serving({"GET": get, "HEAD": get}, supervisors=True), methods=METHODS)
            for path, get in ((DISCONNECTS, self._disconnects), (ABSENCES, self._absences))
        ]

    def _disconnects(self, request: Request, caller: Caller) -> Response:
        members = self._members(request, caller)
        limit = number(request, "limit", LIMIT, LIMIT_MAX)
        found = [(entry, agent) for agent in members for entry in self._endings.of(agent.agent_id.lower())]
        found.sort(key=lambda pair: pair[0].at, reverse=True)
        body = {
            "now": stamp(self._services.clock.wall()),
            "total": len(found),
            "limit": limit,
            "disconnects": [{**_who(agent), **_ended(entry)} for entry, agent in found[:limit]],
        }
        return JSONResponse(body, headers=HEADERS)

    def _absences(self, request: Request, caller: Caller) -> Response:
        now = self._services.clock.wall()
        pictures = (self._missing.of(agent.agent_id) for agent in self._members(request, caller))
        told = [_absent(picture, now) for picture in pictures if picture is not None]
        return JSONResponse({"now": stamp(now), "absences": told}, headers=HEADERS)

    def _members(self, request: Request, caller: Caller) -> list[Agent]:
        """Whom the caller asks about. Raises ProblemError."""
        agents = self._services.agents
        teams = list(agents.teams.values())
        if not caller.administrator:
            teams = [team for team in teams if caller.supervises(team.team_id)]
        if "team" in request.query_params:
            asked = number(request, "team", 0, 2**32)
            if not caller.administrator and not caller.supervises(asked):
                raise ProblemError("team-not-yours", str(asked))
            teams = [team for team in teams if team.team_id == asked]
            if not teams:
                raise ProblemError("team-unknown", str(asked))
        ids = dict.fromkeys(member for team in teams for member in team.members)
        return [agents.agents[agent_id] for agent_id in ids if agent_id in agents.agents]


def _who(agent: Agent) -> dict[str, Any]:
    team = agent.team
    return {
        "agent": agent.agent_id,
        "first_name": agent.first_name,
        "last_name": agent.last_name,
        "team": {"id": team.team_id, "name": team.name} if team is not None else None,
    }


def _ended(entry: Disconnect) -> dict[str, Any]:
    ending = entry.ending
    return {
        "at": stamp(entry.at),
        "client": entry.resource,
        "binding": entry.transport,
        "code": ending.code,
        "side": ending.who.value,
        "severity": ending.severity.value,
        "last_contact": {"since": stamp(entry.heard_after), "until": stamp(entry.heard_before)},
        "timer_s": entry.timer_s,
        "evidence": entry.evidence,
        "sentence": sentences()[ending.code],
    }


def _absent(picture: Absent, now: float) -> dict[str, Any]:
    due = picture.signs_out_at
    return {
        **_who(picture.agent),
        "state": picture.state,
        "gone_since": stamp(picture.gone_since),
        "signs_out_at": stamp(due) if due is not None else None,
        "left_s": round(max(0.0, due - now), 1) if due is not None else None,
    }
