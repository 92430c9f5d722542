"""3.D: binding a resource."""

from __future__ import annotations

import pytest

from tests.conformance.c2s.dialogue import (
    BIND,
    END,
    IQ,
    MESSAGE,
    PRESENCE,
    SASL,
    SESSION,
    Stream,
    bind,
    ping,
    plain,
    stanza_error,
)
from tests.conformance.targets import RESOURCES_MAX, Server
from tests.conformance.wire import NoAnswer


def bound(stream: Stream, request: str, id_: str = "bind1") -> str:
    """The full JID given."""
    stream.say(request)
    jid = stream.answer(id_).findtext(f"{{{BIND}}}bind/{{{BIND}}}jid")
    assert jid is not None
    return jid


def test_B01_the_resource_asked_for_is_given(server: Server) -> None:
    assert bound(Stream(server).authenticate(), bind("desk")) == "1001@localhost/desk"


@pytest.mark.parametrize("request_", [bind(None), bind(""), f"<iq type='set' id='bind1'><bind xmlns='{BIND}'/></iq>"])
def test_B02_without_a_resource_the_server_makes_an_unpredictable_one(server: Server, request_: str) -> None:
    resources = {bound(Stream(server).authenticate(), request_).partition("/")[2] for _ in range(3)}
    assert len(resources) == 3
    assert all(len(resource) >= 8 for resource in resources)


@pytest.mark.parametrize("resource", ["a&#x85;b", "x" * 1024, "\u00e9" * 600], ids=["control", "long", "long in bytes"])
def test_B03_an_invalid_resource_is_a_bad_request(server: Server, resource: str) -> None:
    stream = Stream(server).authenticate()
    stream.say(bind(resource))
    answer = stream.answer("bind1")
    assert stanza_error(answer) == "bad-request"
    assert bound(stream, bind("good", "bind2"), "bind2") == "1001@localhost/good"


def test_B04_the_same_resource_again_ends_the_older_stream_with_conflict(server: Server) -> None:
    contact = Stream(server).sign_in("1001", "contact").come()
    older = Stream(server).sign_in("1001", "same").come()
    contact.hear(PRESENCE, from_=older.jid)
    newer = Stream(server).sign_in("1001", "same").come()
    assert older.refused() == "conflict"
    older.say("<presence type='unavailable'/>" + END)
    newer.say(f"<message to='{contact.jid}'><body>still here</body></message>")
    assert contact.hear(MESSAGE).get("from") == newer.jid
    assert newer.alive()


def test_B05_a_second_bind_is_refused_and_ends_nothing(server: Server) -> None:
    stream = Stream(server).sign_in()
    stream.say(bind("other", "again"))
    assert stanza_error(stream.answer("again")) in ("not-allowed", "service-unavailable")
    assert stream.alive()


def test_B06_too_many_resources_of_one_account_are_refused(server: Server) -> None:
    streams = [Stream(server).sign_in("1003", f"r{n}") for n in range(RESOURCES_MAX)]
    last = Stream(server).authenticate("1003")
    last.say(bind("one-too-many"))
    assert stanza_error(last.answer("bind1")) == "resource-constraint"
    streams[0].say(END)
    streams[0].rest()
    assert bound(last, bind("now", "bind2"), "bind2") == "1003@localhost/now"


def test_B07_a_session_request_succeeds_and_is_advertised_as_optional(server: Server) -> None:
    stream = Stream(server)
    stream.features()
    stream.say(plain("1001"))
    stream.hear(f"{{{SASL}}}success")
    features = stream.features()
    assert features.find(f"{{{BIND}}}bind") is not None
    assert features.find(f"{{{SESSION}}}session/{{{SESSION}}}optional") is not None
    stream.say(bind() + f"<iq type='set' id='s'><session xmlns='{SESSION}'/></iq>")
    assert stream.answer("s").get("type") == "result"


@pytest.mark.parametrize("stanza", [ping("p"), "<message to='1002@localhost'/>", "<presence/>"])
def test_B08_stanzas_before_bind_end_the_stream(server: Server, stanza: str) -> None:
    stream = Stream(server).authenticate()
    stream.say(stanza)
    assert stream.refused() == "not-authorized"


def test_B09_the_jid_is_prepared_and_the_user_case_folded(server: Server) -> None:
    stream = Stream(server)
    stream.features()
    stream.say(plain("FINESSE", "finesse") if server.name == "poise" else plain("1001"))
    stream.hear(f"{{{SASL}}}success")
    stream.features()
    jid = bound(stream, bind("De\u00adsk" if server.name != "poise" else "Desk"))
    assert jid.partition("@")[0] == jid.partition("@")[0].lower()
    assert jid.endswith("@localhost/Desk")


def test_B01_B05_a_failed_bind_leaves_the_stream_open_for_another(server: Server) -> None:
    stream = Stream(server).authenticate()
    stream.say(f"<iq type='get' id='odd'><bind xmlns='{BIND}'/></iq>")
    try:
        stream.hear(IQ, id_="odd")
    except NoAnswer:
        assert stream.refused() == "not-authorized"
        return
    assert bound(stream, bind("desk")) == "1001@localhost/desk"
