"""Whatever is sent to the REST services: a documented status and readable XML, never a fault."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from poise.finesse.api_errors import CATALOGUE
from tests.unit.server.agents.stage import USER
from tests.unit.server.webservices.stage import Reply, Rest

DOCUMENTED = {202, 200, *(error.status for error in CATALOGUE.values())}
NAMES = st.sampled_from(["User", "state", "extension", "reasonCodeId", "mobileAgent", "mode", "dialNumber", "x"])
VALUES = st.one_of(
    st.sampled_from(["LOGIN", "READY", "NOT_READY", "LOGOUT", "WORK", "1001", "1", "-1", "CALL_BY_CALL", "+1"]),
    st.text(),
)


def document(tree: object) -> str:
    """A tree of names and texts as XML that may or may not be well-formed: the texts are not escaped."""
    if isinstance(tree, str):
        return tree
    assert isinstance(tree, tuple)
    name, children = tree
    return f"<{name}>{''.join(map(document, children))}</{name}>"


TREES = st.recursive(VALUES, lambda inner: st.tuples(NAMES, st.lists(inner, max_size=4)), max_leaves=12).map(document)


def answered(story: Callable[[Rest], Awaitable[Reply]]) -> Reply:
    """One request to a fresh server, and what must hold of every answer."""

    async def run() -> Reply:
        rest = Rest()
        rest.contact.in_service()
        try:
            reply = await story(rest)
        finally:
            await rest.accounts.close()
        assert rest.log.faults == []
        return reply

    reply = asyncio.run(run())
    assert reply.status in DOCUMENTED
    if reply.body:
        root = ET.fromstring(reply.body)
        assert (root.tag == "ApiErrors") == (reply.status >= 400)
    return reply


@settings(max_examples=150, deadline=None)
@given(body=st.one_of(st.binary(), st.text().map(str.encode), TREES.map(lambda text: text.encode("utf-8", "replace"))))
@example(b"<User><state>\xed\xa0\x80</state></User>")
@example(b"<User><state>LOGIN</state><extension>" + b"9" * 5000 + b"</extension></User>")
@example(b"<User><state>NOT_READY</state><reasonCodeId>" + b"9" * 5000 + b"</reasonCodeId></User>")
def test_any_body_gets_a_documented_answer(body: bytes) -> None:
    answered(lambda rest: rest.ask("PUT", USER, "1001", body, headers={"Content-Type": "application/xml"}))


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "X"]),
    path=st.text(max_size=40),
    query=st.text(max_size=40),
)
@example(method="GET", path="\n0", query="")
def test_any_path_gets_a_documented_answer(method: str, path: str, query: str) -> None:
    answered(lambda rest: rest.ask(method, f"/finesse/api/{path}?{query}", "1001", "<User/>"))


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(
        ["Authorization", "requestId", "Origin", "Cookie", "Content-Type", "Access-Control-Request-Method"]
    ),
    value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0")),
)
def test_any_header_gets_a_documented_answer(name: str, value: str) -> None:
    reply = answered(lambda rest: rest.ask("PUT", USER, "1001", "<User/>", headers={name: value}))
    echoed = reply.header("requestid")
    assert echoed is None or echoed.isprintable()
