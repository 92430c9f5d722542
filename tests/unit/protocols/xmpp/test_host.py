"""Stories of the host: requests are answered, refusals name their reason, and nothing is lost with a session."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.delivery import StoredOffline
from poise.protocols.xmpp.xml import Element, parse
from tests.unit.protocols.xmpp.host_story import PUBSUB, Stage, condition

PING = "<ping xmlns='urn:xmpp:ping'/>"


@pytest.mark.parametrize(
    ("to", "sender"),
    [
        ("", "1001@localhost"),
        ("1001@localhost", "1001@localhost"),
        ("localhost", "localhost"),
        (PUBSUB, PUBSUB),
        ("LocalHost", "LocalHost"),
        ("1001@LOCALHOST", "1001@LOCALHOST"),
    ],
)
def test_a_ping_is_answered_from_where_it_was_sent_to_or_from_the_own_bare_jid(to: str, sender: str) -> None:
    stage = Stage()
    answer = stage.ask(stage.join("1001"), "get", PING, to)
    assert answer.attrs == {"type": "result", "id": answer.attrs["id"], "from": sender, "to": "1001@localhost/desktop"}
    assert answer.children == ()


@pytest.mark.parametrize("to", ["", "localhost"])
def test_the_old_session_request_is_answered(to: str) -> None:
    stage = Stage()
    child = "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"
    assert stage.ask(stage.bind("1001"), "set", child, to).attrs["type"] == "result"


def test_requests_are_answered_before_any_presence() -> None:
    stage = Stage()
    assert stage.ask(stage.bind("1001"), "get", PING).attrs["type"] == "result"


@pytest.mark.parametrize("to", ["", "1001@localhost", "localhost", PUBSUB, "1002@localhost", "9999@localhost"])
@pytest.mark.parametrize("kind", ["get", "set"])
@pytest.mark.parametrize(
    "child",
    [
        "<query xmlns='http://jabber.org/protocol/bytestreams'/>",
        "<query xmlns='jabber:iq:register'/>",
        "<x xmlns='y'/>",
    ],
)
def test_what_we_do_not_do_is_service_unavailable_wherever_it_is_sent(to: str, kind: str, child: str) -> None:
    stage = Stage()
    answer = stage.ask(stage.join("1001"), kind, child, to)
    assert condition(answer) == ("cancel", "service-unavailable")
    assert answer.attrs["from"] == (to or "1001@localhost")


@pytest.mark.parametrize(
    "to",
    [
        "1002@localhost",
        "9999@localhost",
        "1002@localhost/gone",
        "localhost/x",
        "pubsub.localhost/x",
        "finesse@localhost",
    ],
)
def test_even_a_ping_tells_nothing_about_other_accounts(to: str) -> None:
    stage = Stage()
    stage.join("1002")
    assert condition(stage.ask(stage.join("1001"), "get", PING, to)) == ("cancel", "service-unavailable")


def test_a_request_to_a_client_is_passed_on_and_so_is_its_answer() -> None:
    stage = Stage()
    asker, asked = stage.join("1001"), stage.join("1002")
    stage.send(asker, f"<iq xmlns='jabber:client' type='get' id='v' from='root@localhost' to='{asked.jid}'>{PING}</iq>")
    request = asked.only()
    assert (request.attrs["from"], request.attrs["to"]) == (asker.jid, asked.jid)
    stage.send(asked, f"<iq xmlns='jabber:client' type='result' id='v' to='{asker.jid}'/>")
    assert asker.only().attrs["from"] == asked.jid


def test_results_and_errors_that_nobody_asked_for_vanish() -> None:
    stage = Stage()
    client = stage.join("1001")
    for to in ("", "localhost", "1002@localhost", "1002@localhost/gone", "elsewhere.example"):
        address = f" to='{to}'" if to else ""
        stage.send(client, f"<iq xmlns='jabber:client' type='result' id='v'{address}/>")
        stage.send(client, f"<iq xmlns='jabber:client' type='error' id='v'{address}/>")
    assert client.take() == []


@pytest.mark.parametrize(
    "iq",
    [
        f"<iq xmlns='jabber:client' type='get'>{PING}</iq>",
        f"<iq xmlns='jabber:client' type='get' id=''>{PING}</iq>",
        f"<iq xmlns='jabber:client' id='a'>{PING}</iq>",
        f"<iq xmlns='jabber:client' type='ask' id='a'>{PING}</iq>",
        "<iq xmlns='jabber:client' type='get' id='a'/>",
        "<iq xmlns='jabber:client' type='get' id='a'>ping</iq>",
        f"<iq xmlns='jabber:client' type='get' id='a'>{PING}{PING}</iq>",
    ],
)
def test_a_request_without_id_type_or_exactly_one_child_is_a_bad_request(iq: str) -> None:
    stage = Stage()
    client = stage.join("1001")
    stage.send(client, iq)
    assert condition(client.only()) == ("modify", "bad-request")


def test_white_space_around_the_child_of_a_request_does_no_harm() -> None:
    stage = Stage()
    assert stage.ask(stage.join("1001"), "get", f"\n {PING}\n").attrs["type"] == "result"


@pytest.mark.parametrize(
    "stanza",
    [
        f"<iq xmlns='jabber:client' type='get' id='a' to='{{}}'>{PING}</iq>",
        "<message xmlns='jabber:client' to='{}'><body>x</body></message>",
        "<presence xmlns='jabber:client' to='{}'/>",
    ],
)
@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("@localhost", ("modify", "jid-malformed")),
        ("a@b@c", ("modify", "jid-malformed")),
        ("1001@localhost/", ("modify", "jid-malformed")),
        ("friend@elsewhere.example", ("cancel", "remote-server-not-found")),
        ("conference.localhost", ("cancel", "remote-server-not-found")),
    ],
)
def test_addresses_that_are_none_or_not_ours_are_named_as_such(stanza: str, to: str, expected: tuple[str, str]) -> None:
    stage = Stage()
    client = stage.join("1001")
    stage.send(client, stanza.format(to))
    error = client.only()
    assert condition(error) == expected
    assert error.attrs["from"] == to


def test_the_roster_holds_the_server_user_and_is_not_for_changing() -> None:
    stage = Stage()
    client = stage.join("1001")
    answer = stage.ask(client, "get", "<query xmlns='jabber:iq:roster'/>")
    query = answer.child("query", "jabber:iq:roster")
    assert query is not None
    assert [dict(item.attrs) for item in query.elements()] == [
        {"jid": "finesse@localhost", "name": "finesse", "subscription": "both"}
    ]
    change = "<query xmlns='jabber:iq:roster'><item jid='1002@localhost'/></query>"
    assert condition(stage.ask(client, "set", change)) == ("cancel", "not-allowed")


def test_a_stanza_of_another_kind_is_not_the_hosts_business() -> None:
    stage = Stage()
    client = stage.join("1001")
    stage.host.receive(client, Element("stream", "jabber:client"), stage.now)
    assert not stage.host.outbox


def test_a_detached_client_is_not_heard_any_more() -> None:
    stage = Stage()
    client, friend = stage.join("1001"), stage.join("1002")
    stage.leave(client)
    stage.send(client, "<message xmlns='jabber:client' to='1002@localhost'><body>x</body></message>")
    assert (client.take(), friend.take()) == ([], [])


def test_the_views_tell_who_and_what_is_there() -> None:
    stage = Stage()
    stage.join("1001", priority=3)
    stage.bind("1002", "phone")
    stage.host.create_node("/finesse/api/User/1001")
    stage.host.subscribe("/finesse/api/User/1001", "1001@localhost")
    assert [tuple(session) for session in stage.host.sessions()] == [
        ("1001", "desktop", "1001@localhost/desktop", True, 3),
        ("1002", "phone", "1002@localhost/phone", False, 0),
    ]
    assert stage.host.nodes() == ("/finesse/api/User/1001",)
    assert stage.host.subscriptions("/finesse/api/User/1001") == ("1001@localhost",)


# What a session leaves behind


def test_a_message_that_was_not_collected_waits_for_the_next_session() -> None:
    stage = Stage()
    sender, dead = stage.join("1001"), stage.join("1002")
    stage.send(
        sender, "<message xmlns='jabber:client' type='chat' id='m' to='1002@localhost'><body>hi</body></message>"
    )
    stage.leave(dead, dead.raw)
    kept = stage.events(StoredOffline)
    assert [(event.to, event.kept, event.stanza) for event in kept] == [("1002@localhost", True, dead.raw[0])]
    again = stage.bind("1002")
    stage.send(again, "<presence xmlns='jabber:client'/>")
    message = again.take()[-1]
    assert (message.attrs["id"], message.attrs["from"]) == ("m", sender.jid)


def test_a_message_that_was_not_collected_goes_to_another_resource_that_is_there() -> None:
    stage = Stage()
    sender = stage.join("1001")
    other = stage.join("1002", "phone")
    dead = stage.join("1002", priority=9)
    stage.send(sender, "<message xmlns='jabber:client' to='1002@localhost'><body>hi</body></message>")
    undelivered = dead.raw[-1:]
    other.raw.clear()
    stage.leave(dead, undelivered)
    assert other.take()[-1].name == "message"
    assert stage.events(StoredOffline) == []


def test_messages_without_a_body_headlines_and_presence_are_not_missed() -> None:
    stage = Stage()
    dead = stage.join("1002")
    sender = stage.join("1001")
    for inside, kind in (
        ("", "chat"),
        ("<body/>", "chat"),
        ("<body>x</body>", "headline"),
        ("<body>x</body>", "error"),
    ):
        stage.send(sender, f"<message xmlns='jabber:client' type='{kind}' to='{dead.jid}'>{inside}</message>")
    stage.send(sender, f"<presence xmlns='jabber:client' to='{dead.jid}'/>")
    assert len(dead.raw) == 5
    stage.leave(dead, dead.raw)
    assert sender.take() == []
    assert stage.events(StoredOffline) == []


def test_notifications_that_were_not_collected_are_counted_and_never_replayed() -> None:
    stage = Stage()
    stage.host.create_node("/finesse/api/User/1001")
    stage.host.subscribe("/finesse/api/User/1001", "1001@localhost")
    dead = stage.join("1001")
    stage.publish("/finesse/api/User/1001", "a")
    stage.publish("/finesse/api/User/1001", "b")
    stage.leave(dead, dead.raw)
    assert [event.kept for event in stage.events(StoredOffline)] == [False, False]
    assert stage.host.counters.notifications_lost == 2
    assert stage.join("1001").items() == []


def test_while_another_session_of_the_user_is_there_lost_notifications_are_only_counted() -> None:
    stage = Stage()
    stage.host.create_node("/finesse/api/User/1001")
    stage.host.subscribe("/finesse/api/User/1001", "1001@localhost")
    dead, alive = stage.join("1001"), stage.join("1001", "phone")
    dead.raw.clear()
    stage.publish("/finesse/api/User/1001", "a")
    stage.leave(dead, dead.raw)
    assert stage.events(StoredOffline) == []
    assert stage.host.counters.notifications_lost == 1
    assert alive.items() == ["a"]


def test_a_request_that_was_not_collected_is_answered_for_the_dead() -> None:
    stage = Stage()
    sender, dead = stage.join("1001"), stage.join("1002")
    stage.send(sender, f"<iq xmlns='jabber:client' type='get' id='p' to='{dead.jid}'>{PING}</iq>")
    stage.send(sender, f"<iq xmlns='jabber:client' type='result' id='r' to='{dead.jid}'/>")
    stage.leave(dead, dead.raw)
    error = sender.only()
    assert condition(error) == ("cancel", "service-unavailable")
    assert (error.attrs["id"], error.attrs["from"]) == ("p", dead.jid)


def test_what_the_shell_drained_too_late_comes_back_like_everything_else() -> None:
    stage = Stage()
    sender, dead = stage.join("1001"), stage.join("1002")
    stage.leave(dead)
    late = b'<message xmlns="jabber:client" from="1001@localhost/desktop" to="1002@localhost"><body>x</body></message>'
    stage.host.returned(dead, [late, b"<not-xml"], stage.now)
    assert [event.stanza for event in stage.events(StoredOffline)] == [late]
    assert sender.take() == []


def test_what_a_replaced_session_did_not_collect_is_not_lost_either() -> None:
    stage = Stage()
    sender, old = stage.join("1001"), stage.join("1002")
    stage.send(sender, "<message xmlns='jabber:client' to='1002@localhost'><body>hi</body></message>")
    undelivered = list(old.raw)
    new = stage.join("1002")
    stage.leave(old, undelivered)
    assert new.only().name == "message"
    assert [session.jid for session in stage.host.sessions() if session.user == "1002"] == [new.jid]


def test_a_message_that_nobody_takes_tells_its_sender() -> None:
    stage = Stage()
    sender = stage.join("1001")
    dead = stage.join("1003")
    late = b'<message xmlns="jabber:client" from="1001@localhost/desktop" to="9999@localhost"><body>x</body></message>'
    gone = late.replace(b"1001@localhost/desktop", b"1002@localhost/gone")
    stage.leave(dead, [late, gone])
    assert condition(sender.only()) == ("cancel", "service-unavailable")


def test_every_stanza_that_goes_out_names_its_namespace_literally() -> None:
    stage = Stage()
    client = stage.bind("1001")
    stage.send(client, "<presence xmlns='jabber:client'/>")
    stage.send(client, f"<iq xmlns='jabber:client' type='get' id='a'>{PING}</iq>")
    stage.send(client, "<message xmlns='jabber:client' to='9999@localhost'><body>x</body></message>")
    assert len(client.raw) == 4
    for raw in client.raw:
        assert raw.startswith(b"<" + parse(raw).name.encode() + b' xmlns="jabber:client"')
