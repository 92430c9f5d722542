"""JIDs: what they are, what they are not, and when two name the same thing."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.jid import Jid, JidError, prepare, prepare_domain, prepare_local, prepare_resource


@pytest.mark.parametrize(
    ("text", "local", "domain", "resource"),
    [
        ("localhost", "", "localhost", ""),
        ("1001@localhost", "1001", "localhost", ""),
        ("1001@localhost/desktop", "1001", "localhost", "desktop"),
        ("pubsub.fin1.ucce.local", "", "pubsub.fin1.ucce.local", ""),
        ("localhost/res", "", "localhost", "res"),
        ("user@host/res@x/y", "user", "host", "res@x/y"),
        ("Agent.One@LOCALHOST/Desk", "agent.one", "localhost", "Desk"),
        ("a@b./r", "a", "b", "r"),
        ("ju$t+more!@b", "ju$t+more!", "b", ""),
        ("a@[2001:DB8::1]", "a", "[2001:db8::1]", ""),
        ("a@127.0.0.1", "a", "127.0.0.1", ""),
        ("José@b", "josé", "b", ""),
        ("jose\u0301@b", "josé", "b", ""),
        ("\uff11\uff10\uff10\uff11@b", "1001", "b", ""),  # full-width digits
        ("a@b/my desk\u00a0two", "a", "b", "my desk two"),
        ("a@b/😀", "a", "b", "😀"),
        ("a@bücher.example", "a", "bücher.example", ""),
    ],
)
def test_a_jid_is_split_and_prepared(text: str, local: str, domain: str, resource: str) -> None:
    jid = prepare(text)
    assert (jid.local, jid.domain, jid.resource) == (local, domain, resource)
    assert jid.bare == (f"{local}@{domain}" if local else domain)
    assert jid.full == (f"{jid.bare}/{resource}" if resource else jid.bare)
    assert prepare(jid.full) == jid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@b",
        "a@",
        "a@/r",
        "/r",
        "a@b/",
        "a b@c",
        "a@b c",
        "a@b@c",
        'a"@b',
        "a&b@c",
        "a'b@c",
        "a:b@c",
        "<a>@b",
        "a\x00@b",
        "a\u2028@b",
        "a\ud800@b",
        "a@b/\x07",
        "a@b/\ud800",
        "a@b/\ufffe",
        "a@b/\u2028",
        "a@-b",
        "a@b-.c",
        "a@b..c",
        "a@.b",
        "a@b!",
        "a@" + "x" * 64,
        "\u265a@b",  # a symbol, not an identifier
        "a" * 1024 + "@b",
        "é" * 512 + "@b",
        "a@b/" + "r" * 1024,
        "a@b/" + "é" * 512,
        "a@" + ".".join(["x" * 60] * 17),
    ],
)
def test_what_is_no_jid_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(JidError) as caught:
        prepare(text)
    assert len(str(caught.value)) < 80


def test_parts_may_be_1023_bytes_long() -> None:
    assert len(prepare("a" * 1023 + "@b").local) == 1023
    assert len(prepare("a@b/" + "r" * 1023).resource) == 1023


def test_case_counts_in_the_resource_only() -> None:
    assert prepare("A@B/x") == prepare("a@b/x")
    assert prepare("a@b/X") != prepare("a@b/x")
    assert prepare("a@b") != "a@b"


def test_jids_serve_as_keys_and_print_as_they_are_written() -> None:
    jid = Jid("1001", "localhost", "x")
    assert {jid: 1}[prepare("1001@LOCALHOST/x")] == 1
    assert str(jid) == "1001@localhost/x"
    assert repr(jid) == "Jid('1001@localhost/x')"


def test_parts_are_prepared_alone_too() -> None:
    assert prepare_local("AGENT1") == "agent1"
    assert prepare_domain("Finesse.Test.") == "finesse.test"
    assert prepare_resource("Desk") == "Desk"
