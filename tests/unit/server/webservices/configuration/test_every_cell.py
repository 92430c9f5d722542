"""Every status that the reference page and the OpenAPI document promise is provoked: a cell of the table is a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from poise.contact.states import Deployment
from poise.finesse.configuration.table import Readers
from poise.server.webservices.configuration.endpoints import Endpoint
from poise.server.webservices.configuration.routes import ENDPOINTS
from tests.unit.server.webservices.configuration.examples import EXAMPLES
from tests.unit.server.webservices.configuration.stage import API, Centre, play
from tests.unit.server.webservices.configuration.test_contacts import FORM, HEADING, form
from tests.unit.server.webservices.stage import Reply

HUGE = b"<a>" + b"x" * (4 * 1024 * 1024) + b"</a>"


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


class Visit:
    """An endpoint of a centre where one of everything is there."""

    def __init__(self, centre: Centre, endpoint: Endpoint) -> None:
        self.centre = centre
        self.endpoint = endpoint

    async def prepare(self) -> None:
        for kind in ("PhoneBook", "ReasonCode", "WrapUpReason", "WorkflowAction", "Workflow", "MediaPropertiesLayout"):
            await self.centre.make(f"/{kind}", EXAMPLES[kind].body)
        for _ in range(2):
            await self.centre.make("/PhoneBook/1/Contact", EXAMPLES["Contact"].body)

    def path(self, *, missing: bool = False, query: bool = True) -> str:
        number = "999" if missing else "2" if self.endpoint.row.name == "MediaPropertiesLayout" else "1"
        above = "9" if missing else "1"
        path = self.endpoint.path.format(number=number, parent=above, team=above, user="9999" if missing else "1001")
        reasons = self.endpoint.row.name == "ReasonCode" and path.endswith("ReasonCodes")
        return path + ("?category=ALL" if reasons and query else "")

    def body(self) -> bytes:
        takes, row = self.endpoint.takes, self.endpoint.row
        if takes.startswith("multipart"):
            return form(HEADING + "a,b,1,c\r\n")
        if takes == row.plural:
            items = EXAMPLES["Contact"].body if row.name == "Contact" else ""
            return f"<{takes}>{items}</{takes}>".encode()
        text = EXAMPLES[row.name].body if takes else ""
        for old, new in (("12", "77"), ("Lunch", "A"), ("Sale", "B"), ("Offices", "C"), ("Pop", "D"), ("On ring", "E")):
            text = text.replace(old, new) if self.endpoint.method == "POST" else text
        return text.replace("<name>Bank", "<name>F" if self.endpoint.method == "POST" else "<name>Bank").encode()

    async def ask(
        self,
        user: str | None = "admin",
        body: bytes | None = None,
        path: str = "",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        sent = dict(FORM) if self.endpoint.takes.startswith("multipart") else {}
        data = self.body() if body is None else body
        return await self.centre.ask(
            self.endpoint.method, API + (path or self.path()), user, data, headers=sent | (headers or {})
        )


async def bad(visit: Visit) -> Reply:
    if visit.endpoint.takes:
        return await visit.ask(body=b"<x")
    if visit.endpoint.method != "DELETE":
        return await visit.ask(path=visit.path(query=False))
    if visit.endpoint.row.name == "MediaPropertiesLayout":
        return await visit.ask(path="/MediaPropertiesLayout/default")
    used = f"<Workflow><workflowActions><WorkflowAction><uri>{API}/WorkflowAction/1</uri></WorkflowAction>"
    await visit.centre.as_admin("PUT", "/Workflow/1", f"{used}</workflowActions></Workflow>")
    reply = await visit.ask()
    await visit.centre.as_admin("PUT", "/Workflow/1", "<Workflow><workflowActions/></Workflow>")
    return reply


async def not_allowed(visit: Visit) -> Reply:
    """What agents may not, and what everyone may on the first node only."""
    if visit.endpoint.readers is not Readers.EVERYONE:
        return await visit.ask("1001")
    visit.centre.service.secondary = True
    reply = await visit.ask()
    visit.centre.service.secondary = False
    return reply


async def not_there(visit: Visit) -> Reply:
    previous = visit.endpoint.row.keeps_previous and visit.endpoint.readers is not None and not visit.endpoint.takes
    return await visit.ask(path=f"{visit.path()}?previous=true" if previous else visit.path(missing=True))


async def other_product(visit: Visit) -> Reply:
    visit.centre.service.deployment = Deployment.UCCX
    reply = await visit.ask()
    visit.centre.service.deployment = Deployment.UCCE
    return reply


RECIPES: dict[int, Callable[[Visit], Awaitable[Reply]]] = {
    401: lambda visit: visit.ask(None),
    403: not_allowed,
    404: not_there,
    400: bad,
    409: lambda visit: visit.ask(headers={"If-Match": '"99"'}),
    413: lambda visit: visit.ask(body=HUGE),
    416: lambda visit: visit.ask(headers={"Range": "objects=0-0"}),
    501: other_product,
    206: lambda visit: visit.ask(headers={"Range": "objects=1-1"}),
    200: lambda visit: visit.ask(),
    202: lambda visit: visit.ask(),
}
"""Status -> how to get it; what changes something comes last."""


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=name)
def test_every_cell_of_an_endpoints_row(tmp_path: Path, endpoint: Endpoint) -> None:
    async def story(centre: Centre) -> None:
        visit = Visit(centre, endpoint)
        await visit.prepare()
        got = {}
        for status in (status for status in RECIPES if status in endpoint.statuses):
            reply = await RECIPES[status](visit)
            got[status] = reply.status
            if status >= 400:
                assert reply.header("poise-code")
            elif not endpoint.gives:
                assert reply.body == ""
            elif endpoint.gives != "text/csv":
                assert reply.body.startswith(f"<{endpoint.gives}")
        assert got == {status: status for status in endpoint.statuses}

    play(tmp_path, story)
