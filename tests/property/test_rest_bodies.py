"""Every route that takes a body, and whatever is sent there: 400 or 413, never 5xx, nothing stored, nobody told."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poise.finesse.api_errors import CATALOGUE
from poise.server.serviceability.client_logs import ClientLogs
from poise.server.webservices.app import web_services
from tests.property.test_rest import TREES, answered
from tests.unit.server.webservices.every_api import not_ready
from tests.unit.server.webservices.stage import Reply, Rest
from tests.unit.server.webservices.test_client_logs import stored
from tests.unit.server.webservices.test_every_api import RESOURCES

ROUTES = [
    (
        method,
        "/finesse/api" + resource.path.replace("{user}", "1001").replace("{dialog}", "1"),
        "1101" if resource.path.startswith("/TeamMessage") else "1001",
    )
    for resource in RESOURCES
    for method in resource.handlers
    if method in ("PUT", "POST") and "{media}" not in resource.path
]
"""Method, path, and who may ask."""
ROOTS = ("User", "Dialog", "TeamMessage", "ClientLog", "x")


def inside(root: str, text: str) -> bytes:
    """A document whose elements hold the text."""
    names = ("state", "extension", "requestedAction", "fromAddress", "toAddress", "content", "duration", "logData")
    return f"<{root}>{''.join(f'<{name}>{text}</{name}>' for name in names)}</{root}>".encode()


def bad_bodies() -> dict[str, bytes]:
    """What no resource takes."""
    bodies = {"empty": b"", "text": b"state=READY", "json": b'{"User": {"state": "READY"}}', "nul": b"\0" * 64}
    bodies["10 MB"] = b"<User>" + b" " * 10_000_000 + b"</User>"
    bodies["half a character"] = b"<User><state>\xc3</state></User>"
    attributes = " ".join(f'a{n}=""' for n in range(500))
    for root in ROOTS:
        good = inside(root, "READY").decode()
        bodies |= {
            f"{root} with a DTD": f"<!DOCTYPE {root}>{good}".encode(),
            f"{root} with an entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + inside(root, "&e;"),
            f"{root} that laughs": b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + inside(root, "&b;"),
            f"{root} with an undefined entity": inside(root, "&nbsp;"),
            f"{root} in UTF-16": good.encode("utf-16"),
            f"{root} in Latin-1": b'<?xml version="1.0" encoding="ISO-8859-1"?>' + good.encode(),
            f"{root} in UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>' + good.encode(),
            f"{root} of XML 1.1": b'<?xml version="1.1"?>' + good.encode(),
            f"{root} with control characters": inside(root, "\x08"),
            f"{root} with a reference to one": inside(root, "&#8;"),
            f"{root} with a surrogate": inside(root, "&#xD800;"),
            f"{root} too deep": b"<" + root.encode() + b">" + b"<a>" * 5000 + b"</a>" * 5000 + f"</{root}>".encode(),
            f"{root} with too many children": f"<{root}>{'<a/>' * 200_000}</{root}>".encode(),
            f"{root} with too many attributes": f"<{root} {attributes}/>".encode(),
            f"{root} unfinished": good.encode()[:-3],
            f"{root} twice": (good + good).encode(),
            f"{root} with something behind": good.encode() + b"<!-- x --> y",
        }
    return bodies


def sent(method: str, path: str, user: str, body: bytes) -> Reply:
    """One request to a server with people signed in, and what must hold when it is refused."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        async def story(rest: Rest) -> Reply:
            logs = ClientLogs(folder, rest.contact.clock.wall)
            rest.app = web_services(replace(rest.services, client_logs=logs))
            not_ready(rest)
            rest.contact.publisher.take()
            try:
                reply = await rest.ask(method, path, user, body, headers={"Content-Type": "application/xml"})
            finally:
                logs.close()
            if reply.status >= 400:
                assert not rest.contact.requests
                assert not rest.contact.call_requests
                assert rest.contact.publisher.take() == []
                assert rest.contact.service.messages.of_teams((1,)) == []
            return reply

        reply = answered(story)
        assert reply.status < 400 or stored(folder) == []
        return reply


@pytest.mark.parametrize(("method", "path", "user"), ROUTES, ids=lambda value: value)
def test_no_route_takes_a_bad_body(method: str, path: str, user: str) -> None:
    async def all_of_them() -> dict[str, int]:
        rest = Rest()
        rest.contact.in_service()
        not_ready(rest)
        rest.contact.publisher.take()
        with tempfile.TemporaryDirectory() as name:
            logs = ClientLogs(Path(name), rest.contact.clock.wall)
            rest.app = web_services(replace(rest.services, client_logs=logs))
            statuses = {}
            for what, body in bad_bodies().items():
                reply = await rest.ask(method, path, user, body, headers={"Content-Type": "application/xml"})
                statuses[what] = reply.status
            logs.close()
            assert stored(Path(name)) == []
        await rest.accounts.close()
        assert rest.log.faults == []
        assert not rest.contact.requests
        assert not rest.contact.call_requests
        assert rest.contact.publisher.take() == []
        assert rest.contact.service.messages.of_teams((1,)) == []
        return statuses

    statuses = asyncio.run(all_of_them())
    assert {what: status for what, status in statuses.items() if status not in (400, 413)} == {}


@settings(max_examples=150, deadline=None)
@given(
    route=st.sampled_from(ROUTES),
    body=st.one_of(st.binary(), TREES.map(lambda text: text.encode("utf-8", "replace"))),
)
def test_whatever_comes_gets_a_documented_answer_and_a_refusal_changes_nothing(
    route: tuple[str, str, str], body: bytes
) -> None:
    reply = sent(*route, body)
    assert reply.status in {200, 202, *(error.status for error in CATALOGUE.values() if error.status < 500)}
