"""Every API x verb x role: the status, and the events after a good answer. The table is `every_api`."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from poise.server.serviceability.client_logs import ClientLogs
from poise.server.webservices.app import web_services
from poise.server.webservices.client_logs import CLIENT_LOGS
from poise.server.webservices.dialogs import DIALOGS
from poise.server.webservices.media import MEDIA
from poise.server.webservices.messages import MESSAGES
from poise.server.webservices.queues import QUEUES
from poise.server.webservices.resources import USERS, Resource
from poise.server.webservices.system import SYSTEM
from poise.server.webservices.teams import TEAMS
from tests.unit.server.serviceability.test_client_logs import archive
from tests.unit.server.webservices.every_api import MESSAGE, PAGE, ROLES, ROWS, Row, page
from tests.unit.server.webservices.stage import Rest, play

RESOURCES = (*USERS, *DIALOGS, *TEAMS, *QUEUES, *MESSAGES, *SYSTEM, *CLIENT_LOGS, *MEDIA)
METHODS = {"GET", "PUT", "POST", "DELETE", "PATCH"}


@pytest.mark.parametrize(("role", "who"), ROLES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.path}")
def test_who_may_what_and_what_comes_of_it(row: Row, role: str, who: str | None, tmp_path: Path) -> None:
    async def story(rest: Rest) -> None:
        logs = ClientLogs(tmp_path, rest.contact.clock.wall)
        rest.app = web_services(replace(rest.services, client_logs=logs))
        try:
            await cell(rest)
        finally:
            logs.close()

    async def cell(rest: Rest) -> None:
        row.before(rest)
        path = row.path
        if "{id}" in path:
            made = await rest.ask("POST", "/finesse/api/TeamMessage", "1101", MESSAGE)
            path = path.replace("{id}", (made.header("location") or "").rpartition("/")[2])
        rest.contact.publisher.take()
        body = archive(b"a line") if row.body == "zip" else row.body
        more = {"Content-Type": "application/zip"} if row.body == "zip" else {}
        reply = await rest.ask(row.method, path, who, body, headers={"requestId": "r1", **more})
        assert rest.log.faults == []
        assert reply.status == row.statuses[[name for name, _ in ROLES].index(role)], reply.body
        assert reply.header("requestid") == "r1"
        if reply.status >= 400:
            assert ET.fromstring(reply.body).tag == "ApiErrors"
            assert rest.contact.publisher.take() == []
            assert not rest.contact.requests
            return
        row.after(rest)
        told = rest.contact.publisher.take()
        assert {(t.value("event"), t.node) for t in told} == set(row.events)
        assert {t.value("requestId") for t in told} <= {"r1"}

    play(story)


def matched(row: Row) -> tuple[str, str] | None:
    path = row.path.partition("?")[0]
    for resource in RESOURCES:
        if resource.pattern.fullmatch(path):
            return resource.path, row.method
    return None


def test_no_verb_of_any_resource_is_missing_in_the_table() -> None:
    offered = {(resource.path, method) for resource in RESOURCES for method in resource.handlers}
    listed = {matched(row) for row in ROWS}
    missing = offered - listed
    assert missing == {("/TeamMessage", "GET")}  # the guide's other name of TeamMessages


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_every_other_verb_is_refused(resource: Resource) -> None:
    async def story(rest: Rest) -> None:
        path = "/finesse/api" + resource.path.replace("{user}", "1001").replace("{", "").replace("}", "")
        for method in sorted(METHODS - set(resource.handlers)):
            reply = await rest.ask(method, path, "admin", "<x/>")
            assert (reply.status, reply.header("allow")) == (405, ", ".join(resource.handlers))

    play(story)


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.unit.server.webservices.every_api"
