"""Section C: what client and server agree when a session is made."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.dialogue import (
    LANG,
    PING,
    QUIET,
    SASL,
    STREAM,
    XBOSH,
    Attribute,
    Contact,
    Session,
    check_empty,
    check_terminated,
    login,
    message,
    plain,
)
from tests.conformance.targets import BOSH, DOMAIN, Profile, Server

Serve = Callable[[Profile], Server]


def created(server: Server, **attributes: Attribute) -> dict[str, str]:
    """The attributes of a creation answer."""
    return dict(Session(server).create(**attributes).root.attrib)


def test_C01_session_ids_are_distinct_url_safe_and_long(server: Server) -> None:
    sids = [Session(server).create().sid for _ in range(100)]
    assert len(set(sids)) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_.~-]{22,}", sid) for sid in sids)
    columns = [{sid[place] for sid in sids} for place in range(min(map(len, sids)))]
    varied = sum(len(column) > 4 for column in columns)
    assert varied >= 21, "too few characters of the sid vary to hold 128 bits"


def test_C02_the_answer_has_sid_wait_and_requests(server: Server) -> None:
    assert created(server).keys() >= {"sid", "wait", "requests"}


@pytest.mark.parametrize(("asked", "granted"), [(1, 1), (3, 3), (99_999, 4), (0, 0)])
def test_C03_wait_is_the_lower_of_both(server: Server, asked: int, granted: int) -> None:
    assert created(server, wait=asked)["wait"] == str(granted)


def test_C04_a_missing_wait_takes_the_default(server: Server) -> None:
    assert 1 <= int(created(server, wait=None)["wait"]) <= 60


@pytest.mark.parametrize("wait", ["-1", "abc", "", "1.5", "1e1"])
def test_C04_a_malformed_wait_is_refused(server: Server, wait: str) -> None:
    session = Session(server)
    check_terminated(session.post(session.C(wait=wait)), "bad-request")


@pytest.mark.parametrize("asked", [1, 5])
def test_C05_hold_is_at_most_the_servers_limit(server: Server, asked: int) -> None:
    assert created(server, hold=asked)["hold"] == "1"


@pytest.mark.parametrize(("asked", "granted"), [(2, 2), (3, 3), (7, 3)])
def test_C05_a_larger_hold_is_granted_where_the_limit_allows_it(serve: Serve, asked: int, granted: int) -> None:
    assert created(serve(replace(BOSH, hold_max=3)), hold=asked)["hold"] == str(granted)


@pytest.mark.parametrize("hold", [1, 2, 3])
def test_C06_requests_is_one_more_than_hold(serve: Serve, hold: int) -> None:
    attributes = created(serve(replace(BOSH, hold_max=3)), hold=hold)
    assert int(attributes["requests"]) == int(attributes.get("hold", "1")) + 1


@pytest.mark.parametrize("attribute", ["hold", "wait"])
def test_C07_hold_or_wait_0_makes_a_polling_session(serve: Serve, attribute: str) -> None:
    attributes = created(serve(replace(BOSH, inactivity=5)), **{attribute: 0})
    assert attributes["requests"] == "1"
    assert int(attributes["inactivity"]) > int(attributes["polling"])


def test_C07_a_polling_session_is_given_more_time_than_one_that_is_always_there(server: Server) -> None:
    assert int(created(server, hold=0)["inactivity"]) > int(created(server, hold=1)["inactivity"])


def test_C07_a_polling_session_is_answered_at_once(server: Server) -> None:
    session = Session(server)
    session.create(hold=0)
    server.pass_time(3)
    assert session.ask(1).reply(1.0).status == 200


VERSIONS = [
    ("1.6", "1.6"),
    ("1.8", "1.8"),
    ("1.10", "1.10"),
    ("1.11", "1.11"),
    ("1.12", "1.11"),
    ("2.0", "1.11"),
    ("3.5", "1.11"),
]


@pytest.mark.parametrize(("asked", "answered"), VERSIONS)
def test_C08_ver_is_the_lower_of_both(server: Server, asked: str, answered: str) -> None:
    assert created(server, ver=asked)["ver"] == answered


@pytest.mark.parametrize("ver", ["abc", "1", "1.", "1.6.1", "", "-1.6", "1." + "9" * 5000])
def test_C09_a_malformed_ver_is_no_server_error(server: Server, ver: str) -> None:
    session = Session(server)
    reply = session.post(session.C(ver=ver))
    if reply.root.get("type") is None:
        assert reply.sid
    else:
        assert reply.status in (200, 400)
        assert reply.root.get("condition") in (None, "bad-request")


def test_C10_the_answer_has_the_times_and_limits(server: Server) -> None:
    attributes = created(server)
    assert attributes.get("polling") == "2"
    assert attributes.get("inactivity") == "2"
    assert attributes.get("from") == DOMAIN
    assert attributes.get("hold") == "1"


def test_C10_maxpause_is_announced_where_pausing_is_offered(server: Server) -> None:
    assert created(server).get("maxpause") == "6"


def test_C11_the_answer_names_the_stream_and_the_xmpp_version(server: Server) -> None:
    attributes = created(server)
    assert attributes.get("authid")
    assert attributes.get(f"{{{XBOSH}}}version") == "1.0"


def test_C11_N01_restartlogic_is_announced(server: Server) -> None:
    assert created(server).get(f"{{{XBOSH}}}restartlogic") == "true"


def test_C11_secure_is_said_over_https(server: Server) -> None:
    assert Session(server, tls=True).create().root.get("secure") == "true"


@pytest.mark.parametrize("to", [None, ""], ids=["missing", "empty"])
def test_C12_no_to_is_improper_addressing(server: Server, to: str | None) -> None:
    session = Session(server)
    check_terminated(session.post(session.C(to=to)), "improper-addressing")


def test_C13_an_unknown_to_is_host_unknown(server: Server) -> None:
    session = Session(server)
    check_terminated(session.post(session.C(to="elsewhere.example")), "host-unknown")


def test_C13_a_former_domain_is_host_gone(serve: Serve) -> None:
    session = Session(serve(replace(BOSH, former_domains=("old.example",))))
    check_terminated(session.post(session.C(to="old.example")), "host-gone")


def test_C14_to_is_compared_without_case(server: Server) -> None:
    assert created(server, to="LocalHost")["from"] == DOMAIN


@pytest.mark.parametrize("to", ["1001@localhost", "pubsub.localhost", "localhost/x", "local host"])
def test_C14_other_addresses_than_the_domain_are_refused(server: Server, to: str) -> None:
    session = Session(server)
    check_terminated(session.post(session.C(to=to)), "host-unknown", "improper-addressing")


def test_C15_a_route_is_never_dialled(server: Server) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    session = Session(server)
    reply = session.post(session.C(route=f"xmpp:127.0.0.1:{listener.getsockname()[1]}"))
    assert reply.root.get("type") is None or reply.root.get("condition") == "remote-connection-failed"
    server.settle()
    with listener, pytest.raises(BlockingIOError):
        listener.accept()


def test_C16_from_in_the_creation_is_no_proof_of_identity(server: Server) -> None:
    session = login(server, "1001", from_="1002@localhost")
    assert session.bare == "1001@localhost"


def test_C17_no_charsets_are_announced_without_conversion(server: Server) -> None:
    charsets = created(server).get("charsets", "").split()
    for charset in charsets:  # what is announced must be understood
        session = Session(server)
        assert session.post(session.C().decode().encode(charset)).sid
    session = Session(server)
    latin = b"<?xml version='1.0' encoding='ISO-8859-1'?>" + session.C()
    assert "ISO-8859-1" in charsets or session.post(latin).root.get("sid") is None


def test_C18_a_creation_with_an_empty_sid_is_refused(server: Server) -> None:
    session = Session(server)
    check_terminated(session.post(session.C(sid="")), "item-not-found", "bad-request")


def test_C19_stanzas_in_a_creation_are_refused(server: Server) -> None:
    session = Session(server)
    check_terminated(session.post(session.C(plain("1001"))), "bad-request")


def test_C19_stanzas_in_a_creation_are_processed_where_a_switch_allows_it(serve: Serve) -> None:
    session = Session(serve(replace(BOSH, creation_payload=True)))
    reply = session.create(plain("1001"))
    found = [stanza.tag for stanza in reply.stanzas]
    if f"{{{SASL}}}success" not in found:
        found += [stanza.tag for stanza in session.next().stanzas]
    assert f"{{{SASL}}}success" in found


def test_C20_the_answer_has_the_stream_features(server: Server) -> None:
    features = [stanza for stanza in Session(server).create().stanzas if stanza.tag == f"{{{STREAM}}}features"]
    assert len(features) == 1
    assert features[0].find(f"{{{SASL}}}mechanisms") is not None


@pytest.mark.parametrize("version", ["1.0", None], ids=["with version", "without"])
def test_C21_C22_mechanisms_come_early_also_without_an_xmpp_version(server: Server, version: str | None) -> None:
    session = Session(server)
    found = session.create(xmpp_version=version).stanzas
    if not found:
        found = session.ask(1).reply(1.0).stanzas
    assert [stanza.tag for stanza in found] == [f"{{{STREAM}}}features"]
    assert "PLAIN" in [mechanism.text for mechanism in found[0].iter(f"{{{SASL}}}mechanism")]


def test_C21_features_come_once_and_the_next_poll_is_held(server: Server) -> None:
    session = Session(server)
    assert session.create().stanzas
    assert session.ask(1).held()


def test_C23_stanzas_inherit_the_language_of_the_creation(server: Server, contact: Contact) -> None:
    session = login(server, xml_lang="de")
    session.ask(1, message(contact.jid, "hallo"), message(contact.jid, "ciao", xml_lang="it"))
    assert contact.hear("{jabber:client}message").get(LANG) == "de"
    assert contact.hear("{jabber:client}message").get(LANG) == "it"


CREATION_ONLY = {"sid", "wait", "requests", "polling", "inactivity", "hold", "ver", "maxpause", "accept", "charsets"}


def test_C24_creation_attributes_appear_in_no_later_answer(server: Server) -> None:
    session = login(server)
    answers = [session.next(PING)]
    held = session.ask(1)
    assert held.held()
    second = session.ask(2, QUIET)
    answers += [held.reply()]
    check_empty(answers[-1])
    session.ask(3, type="terminate")
    answers += [second.reply(), session.ask(9).reply()]
    for reply in answers:
        assert not CREATION_ONLY & set(reply.root.keys()), reply.body


def test_C25_sessions_that_have_not_signed_in_are_bounded(serve: Serve) -> None:
    server = serve(replace(BOSH, half_open_max=20))
    session = Session(server)
    replies = [session.post(session.C(rid=session.base + n)) for n in range(21)]
    assert all(reply.root.get("sid") for reply in replies[:20])
    if replies[20].status != 403:
        check_terminated(replies[20], "policy-violation")


def test_C25_who_has_signed_in_or_left_no_longer_counts(serve: Serve) -> None:
    server = serve(replace(BOSH, half_open_max=3))
    for number in range(5):
        login(server, resource=f"r{number}")
    for _ in range(5):
        leaver = Session(server)
        leaver.create()
        check_terminated(leaver.ask(1, type="terminate").reply())
    assert Session(server).create().sid
