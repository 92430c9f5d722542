"""The words of the console, as a table: what is typed becomes a stanza."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from poise.protocols.xmpp.client import stanzas
from poise.protocols.xmpp.client.stream import parse_element
from poise.protocols.xmpp.xml import XmlError

SHOWS: Final = ("available", "away", "chat", "dnd", "xa", "unavailable")


class WordError(ValueError):
    """What was typed cannot be sent; the text says what can."""


class Context(NamedTuple):
    """What the words need to know."""

    jid: str
    """Our full JID."""
    domain: str
    pubsub: str
    """JID of the pubsub service."""
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Word:
    """One command."""

    name: str
    arguments: str
    """What follows it, optional parts in brackets."""
    help: str
    make: Callable[[Context, list[str]], bytes]
    least: int
    """Fewest arguments."""
    most: int
    """Most arguments; the last takes the rest of the line."""
    takes_node: bool = False
    """Whether the first argument is a node, for completion."""

    @property
    def usage(self) -> str:
        """How it is typed."""
        return f"{self.name} {self.arguments}".rstrip()


def _bare(context: Context) -> str:
    return context.jid.partition("/")[0]


def _at(arguments: list[str], index: int, default: str) -> str:
    return arguments[index] if len(arguments) > index else default


def _items(context: Context, given: list[str]) -> bytes:
    count = _at(given, 1, "0")
    if not (count.isascii() and count.isdigit() and len(count) < 6):
        raise WordError("items NODE [COUNT]: COUNT is a number")
    return stanzas.items(context.new_id(), context.pubsub, given[0], int(count))


def _publish(context: Context, given: list[str]) -> bytes:
    payload = given[1]
    try:
        parse_element(payload.encode())
    except (XmlError, UnicodeEncodeError) as error:
        raise WordError(f"publish NODE XML: the payload is not one XML element ({error})") from None
    return stanzas.publish(context.new_id(), context.pubsub, given[0], payload)


def _presence(_: Context, given: list[str]) -> bytes:
    show = _at(given, 0, "available")
    if show not in SHOWS:
        raise WordError(f"presence [{'|'.join(SHOWS)}]")
    return stanzas.presence(show)


_ALL: Final = (
    Word("nodes", "[JID]", "list the nodes of the pubsub service, or the items of JID (disco#items)",
         lambda c, a: stanzas.items_of(c.new_id(), _at(a, 0, c.pubsub)), 0, 1),
    Word("info", "[JID [NODE]]", "what the server, or JID, is and can do (disco#info)",
         lambda c, a: stanzas.info_of(c.new_id(), _at(a, 0, c.domain), _at(a, 1, "")), 0, 2),
    Word("subscriptions", "[NODE]", "my subscriptions",
         lambda c, a: stanzas.subscriptions(c.new_id(), c.pubsub, _at(a, 0, "")), 0, 1, takes_node=True),
    Word("subscribe", "NODE [JID]", "subscribe my bare JID, or JID, to a node",
         lambda c, a: stanzas.subscribe(c.new_id(), c.pubsub, a[0], _at(a, 1, _bare(c))), 1, 2, takes_node=True),
    Word("unsubscribe", "NODE [JID [SUBID]]", "end a subscription",
         lambda c, a: stanzas.unsubscribe(c.new_id(), c.pubsub, a[0], _at(a, 1, _bare(c)), _at(a, 2, "")),
         1, 3, takes_node=True),
    Word("items", "NODE [COUNT]", "published items of a node, the newest first COUNT", _items, 1, 2, takes_node=True),
    Word("publish", "NODE XML", "publish an item with this payload", _publish, 2, 2, takes_node=True),
    Word("ping", "[JID]", "ask the server, or JID, whether it is there",
         lambda c, a: stanzas.ping(c.new_id(), _at(a, 0, c.domain)), 0, 1),
    Word("version", "[JID]", "name and version of the server's software",
         lambda c, a: stanzas.version(c.new_id(), _at(a, 0, c.domain)), 0, 1),
    Word("roster", "", "my contacts", lambda c, _: stanzas.roster(c.new_id()), 0, 0),
    Word("presence", "[SHOW]", f"say that I am there; SHOW is one of {', '.join(SHOWS)}", _presence, 0, 1),
    Word("message", "JID TEXT", "a chat message", lambda c, a: stanzas.message(c.new_id(), a[0], a[1]), 2, 2),
    Word("raw", "XML", "send this element as it is; a line that begins with < does the same",
         lambda _, a: a[0].encode(), 1, 1),
)  # fmt: skip
WORDS: Final[Mapping[str, Word]] = {word.name: word for word in _ALL}
"""By name, in the order of the help."""
LOCAL: Final[Mapping[str, str]] = {"help": "this list", "quit": "leave the server and the console"}
"""Words that send nothing."""


def read(line: str, context: Context) -> bytes:
    """The stanza that a line stands for. Raises WordError."""
    line = line.strip()
    if line.startswith("<"):
        line = f"raw {line}"
    name, _, rest = line.partition(" ")
    word = WORDS.get(name.lower())
    if word is None:
        raise WordError(f"{name!r} is no command; they are {', '.join((*WORDS, *LOCAL))}.")
    given = rest.split(None, word.most - 1) if word.most else rest.split()
    if not word.least <= len(given) <= word.most:
        raise WordError(f"Type it as: {word.usage}")
    try:
        stanza = word.make(context, [argument.strip() for argument in given])
        parse_element(stanza)
    except (XmlError, UnicodeEncodeError) as error:
        raise WordError(f"That is not one XML element: {error}") from None
    return stanza


def complete(text: str, nodes: Iterable[str]) -> list[str]:
    """Whole lines that begin with what was typed so far: words, and behind them nodes."""
    name, space, rest = text.partition(" ")
    if not space:
        return [word for word in (*WORDS, *LOCAL) if word.startswith(name) and word != name]
    word = WORDS.get(name)
    if word is None or not word.takes_node or " " in rest:
        return []
    return [f"{name} {node}" for node in sorted(nodes) if node.startswith(rest) and node != rest]


def help_text() -> str:
    """All words with their meaning."""
    rows = [(word.usage, word.help) for word in WORDS.values()] + list(LOCAL.items())
    width = max(len(usage) for usage, _ in rows)
    return "\n".join(f"  {usage:{width}}  {text}" for usage, text in rows)
