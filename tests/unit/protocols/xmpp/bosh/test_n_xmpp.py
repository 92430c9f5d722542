"""Section N of the checklist as far as it concerns the session: restarts of the stream (XEP-0206)."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.bosh import Restart
from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    FEATURES,
    HTTPBIND,
    SID,
    R,
    create,
    creation,
    empty,
    holding,
    message,
    with_features,
)


def test_N01_N11_restart_logic_and_version_are_announced() -> None:
    _, (answer,) = create(creation())
    text = str(answer)
    assert " xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' xmpp:restartlogic='true'>" in text


@pytest.mark.parametrize("value", ["true", "1"])
@pytest.mark.parametrize("namespace", ["urn:xmpp:xbosh", "urn:xmpp:bosh"])
@pytest.mark.parametrize("prefix", ["xmpp", "x"])
def test_N02_a_restart_is_known_by_its_namespace_and_answered_with_features(
    tell: Teller, prefix: str, namespace: str, value: str
) -> None:
    story = tell()
    attrs = f"xmlns='{HTTPBIND}' xmlns:{prefix}='{namespace}' {prefix}:restart='{value}' to='finesse.test'"
    story.raw(f"<body rid='{R + 1}' sid='{SID}' {attrs}/>".encode(), "a")
    story.expect(Restart("finesse.test"))
    story.send_bytes(FEATURES)
    story.expect(with_features("a", FEATURES))


@pytest.mark.parametrize("attrs", ["restart='true'", "xmlns:x='urn:x' x:restart='true'"])
def test_N02_an_attribute_of_another_namespace_restarts_nothing(tell: Teller, attrs: str) -> None:
    story = tell()
    story.raw(f"<body rid='{R + 1}' sid='{SID}' xmlns='{HTTPBIND}' {attrs}/>".encode(), "a")
    story.nothing()


@pytest.mark.parametrize("value", ["false", "0", "", "yes"])
def test_N02_only_true_and_1_restart(tell: Teller, value: str) -> None:
    story = tell()
    story.post(1, "a", xmpp__restart=value)
    story.nothing()


def test_N02_stanzas_beside_a_restart_are_ignored(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", message("smuggled"), xmpp__restart="true")
    story.expect(Restart(None))


def test_N02_a_held_request_is_released_by_a_restart(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.post(3, "c", xmpp__restart="true")
    story.expect(empty("a"), empty("b"), Restart(None))


def test_N02_in_a_polling_session_the_restart_is_answered_with_its_features_too(tell: Teller) -> None:
    story = tell(hold="0")
    story.post(1, "a", xmpp__restart="true")
    story.expect(Restart(None))
    story.wait(1)
    story.send_bytes(FEATURES)
    story.expect(with_features("a", FEATURES))


def test_N02_what_waits_travels_with_the_features_and_not_before_them(tell: Teller) -> None:
    story = tell()
    story.send("one")
    story.post(1, "a", xmpp__restart="true")
    story.expect(Restart(None))
    story.send_bytes(FEATURES)
    story.expect(with_features("a", message("one").encode() + FEATURES))


def test_N03_the_domain_of_a_restart_is_handed_on(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", xmpp__restart="true", to="other.test")
    story.expect(Restart("other.test"))


def test_N02_features_that_do_not_come_leave_an_ordinary_held_request(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", xmpp__restart="1")
    story.expect(Restart(None))
    story.wait(30)
    story.expect(empty("a"))
    story.send("one")
    story.poll(2, "b")
    story.expect(holding("b", "one"))
