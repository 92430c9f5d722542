"""What is typed, and what goes out."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.protocols.xmpp.client.stream import parse_element
from poise.tools.console.words import LOCAL, WORDS, Context, WordError, complete, help_text, read


def context() -> Context:
    numbers = count(1)
    return Context("1001@localhost/test", "localhost", "pubsub.localhost", lambda: f"i{next(numbers)}")


IQ = '<iq xmlns="jabber:client" type="{}" id="i1" to="pubsub.localhost">'
PUBSUB = '<pubsub xmlns="http://jabber.org/protocol/pubsub">{}</pubsub></iq>'


@pytest.mark.parametrize(
    ("line", "stanza"),
    [
        ("nodes", IQ.format("get") + '<query xmlns="http://jabber.org/protocol/disco#items"/></iq>'),
        ("subscriptions", IQ.format("get") + PUBSUB.format("<subscriptions/>")),
        ("subscribe /n", IQ.format("set") + PUBSUB.format('<subscribe node="/n" jid="1001@localhost"/>')),
        ("unsubscribe /n a@b/c 7", IQ.format("set") + PUBSUB.format('<unsubscribe node="/n" jid="a@b/c" subid="7"/>')),
        ("items /n 3", IQ.format("get") + PUBSUB.format('<items node="/n" max_items="3"/>')),
        (
            "publish /n <a x='1'> b </a>",
            IQ.format("set") + PUBSUB.format("<publish node=\"/n\"><item><a x='1'> b </a></item></publish>"),
        ),
        ("ping", '<iq xmlns="jabber:client" type="get" id="i1" to="localhost"><ping xmlns="urn:xmpp:ping"/></iq>'),
        ("roster", '<iq xmlns="jabber:client" type="get" id="i1"><query xmlns="jabber:iq:roster"/></iq>'),
        ("presence", '<presence xmlns="jabber:client"/>'),
        ("presence away", '<presence xmlns="jabber:client"><show>away</show></presence>'),
        ("presence unavailable", '<presence xmlns="jabber:client" type="unavailable"/>'),
        (
            "message 1002@localhost hello & bye",
            '<message xmlns="jabber:client" type="chat" id="i1" to="1002@localhost">'
            "<body>hello &amp; bye</body></message>",
        ),
        ("raw <iq  type='get'/>", "<iq  type='get'/>"),
        ("  <presence/>  ", "<presence/>"),
    ],
)
def test_a_line_becomes_a_stanza(line: str, stanza: str) -> None:
    assert read(line, context()).decode() == stanza


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nods", "no command"),
        ("", "no command"),
        ("subscribe", "Type it as: subscribe NODE [JID]"),
        ("roster now", "Type it as: roster"),
        ("items /n many", "COUNT is a number"),
        ("publish /n text", "not one XML element"),
        ("publish /n <a/><b/>", "not one XML element"),
        ("publish /n </item><item>", "not one XML element"),
        ("presence sleepy", "presence [available|"),
        ("<iq>", "not one XML element"),
        ("raw text", "not one XML element"),
        ("raw <a/><b/>", "not one XML element"),
        ("message a@b \ud800", None),
    ],
)
def test_what_cannot_be_sent_is_told(line: str, says: str | None) -> None:
    if says is None:
        assert "\ufffd" in read(line, context()).decode()  # what XML forbids is replaced
        return
    with pytest.raises(WordError) as refused:
        read(line, context())
    assert says in str(refused.value)


@given(st.sampled_from([*WORDS, "", "<", "x"]), st.text(max_size=30))
def test_whatever_is_typed_is_one_element_or_a_sentence(word: str, rest: str) -> None:
    try:
        stanza = read(f"{word} {rest}", context())
    except WordError:
        return
    parse_element(stanza)


def test_words_are_completed_and_behind_them_nodes() -> None:
    nodes = ["/finesse/api/User/1001", "/finesse/api/SystemInfo"]
    assert complete("sub", nodes) == ["subscriptions", "subscribe"]
    assert complete("subscribe /finesse/api/U", nodes) == ["subscribe /finesse/api/User/1001"]
    assert complete("subscribe ", nodes) == ["subscribe /finesse/api/SystemInfo", "subscribe /finesse/api/User/1001"]
    assert complete("ping /", nodes) == complete("nothing ", nodes) == complete("subscribe a b", nodes) == []


def test_the_help_names_every_word() -> None:
    text = help_text()
    assert all(word in text for word in (*WORDS, *LOCAL))
