"""The conformance vectors that the desktop's client core plays as well (`web/tests/vectors.test.ts`)."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.client.stream import parse_element
from poise.protocols.xmpp.xml import XmlError, escape, escape_attr, parse
from tests.vectors.playing import Step, notification_of, play_bosh, play_websocket, tree, vectors


def given(steps: list[Step]) -> list[Step]:
    return [{key: value for key, value in step.items() if key != "expect"} for step in steps]


@pytest.mark.parametrize("vector", vectors("bosh.json"), ids=lambda vector: vector["name"])
def test_over_bosh(vector: Step) -> None:
    assert play_bosh(vector["account"], vector["first_rid"], given(vector["steps"])) == vector["steps"]


@pytest.mark.parametrize("vector", vectors("websocket.json"), ids=lambda vector: vector["name"])
def test_over_websocket(vector: Step) -> None:
    assert play_websocket(vector["account"], given(vector["steps"])) == vector["steps"]


@pytest.mark.parametrize("vector", vectors("xml.json")["escapes"], ids=lambda vector: repr(vector["text"]))
def test_text_is_escaped(vector: Step) -> None:
    assert escape(vector["text"]) == vector["escaped"]
    assert escape_attr(vector["text"]) == vector["escaped_attr"]


@pytest.mark.parametrize("vector", vectors("xml.json")["trees"], ids=lambda vector: vector["xml"])
def test_documents_are_read(vector: Step) -> None:
    assert tree(parse(vector["xml"].encode())) == vector["tree"]


@pytest.mark.parametrize("document", vectors("xml.json")["refused"])
def test_what_is_no_xml_is_refused(document: str) -> None:
    with pytest.raises(XmlError):
        parse(document.encode())


@pytest.mark.parametrize("vector", vectors("updates.json"), ids=lambda vector: vector["name"])
def test_updates_are_read(vector: Step) -> None:
    update = parse(notification_of(parse_element(vector["message"].encode())).encode())
    fields = {child.name: child for child in update.elements()}
    assert {name: fields[name].text for name in ("event", "requestId", "source")} == {
        name: vector[name] for name in ("event", "requestId", "source")
    }
    assert tree(next(iter(fields["data"].elements()))) == vector["data"]
