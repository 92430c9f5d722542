"""Signed-in clients that do nothing by themselves, over any of the three bindings, and what they hear.

`Person` is a client; `People` is a stage for several of them, with an administrator of the pubsub service. A stanza is
read into an `Element`, which knows names and namespaces and compares by content.
"""

from __future__ import annotations

import itertools
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tests.conformance.c2s.dialogue import Stream
from tests.conformance.dialogue import Pending, Session
from tests.conformance.targets import ADMIN, DOMAIN, Server
from tests.conformance.wire import ANSWER_S, NoAnswer
from tests.conformance.ws.dialogue import connect

CLIENT = "jabber:client"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
DELAY = "urn:xmpp:delay"
BINDINGS = ("tcp", "bosh", "websocket")
T = TypeVar("T")
_LANG = "{http://www.w3.org/XML/1998/namespace}"
_START = re.compile(r"^<(\w+)")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Element:
    """An XML element by content: prefixes and spelling are gone."""

    name: str
    ns: str
    attrs: dict[str, str]
    children: tuple[Element | str, ...]

    @classmethod
    def of(cls, found: ET.Element) -> Element:
        """The same element."""
        ns, _, name = found.tag[1:].rpartition("}") if found.tag.startswith("{") else ("", "", found.tag)
        children: list[Element | str] = [found.text] if found.text else []
        for child in found:
            children.append(cls.of(child))
            if child.tail:
                children.append(child.tail)
        attrs = {key.replace(_LANG, "xml:"): value for key, value in found.attrib.items()}
        return cls(name, ns, attrs, tuple(children))

    @classmethod
    def read(cls, markup: str) -> Element:
        """The element that is written so."""
        return cls.of(ET.fromstring(markup))

    def elements(self) -> Iterator[Element]:
        """The child elements."""
        return (child for child in self.children if isinstance(child, Element))

    def child(self, name: str, ns: str | None = None) -> Element | None:
        """The first child element of that name (and namespace)."""
        return next((c for c in self.elements() if c.name == name and ns in (None, c.ns)), None)

    def the(self, name: str, ns: str | None = None) -> Element:
        """The same; its absence is a failure."""
        found = self.child(name, ns)
        assert found is not None, f"no <{name}/> in {self}"
        return found

    @property
    def text(self) -> str:
        """The text directly inside."""
        return "".join(child for child in self.children if isinstance(child, str))


class Line(Protocol):
    """A binding as a person uses it."""

    jid: str

    def say(self, stanza: str) -> None:
        """Send."""

    def read(self, wait: bool) -> list[ET.Element]:
        """What has come; with `wait` at least one stanza, or NoAnswer."""

    def cut(self) -> None:
        """Break the connection, as a lost network does."""

    def leave(self) -> None:
        """End the session in good order."""


class _Tcp:
    def __init__(self, server: Server, user: str, resource: str) -> None:
        self._stream = Stream(server).sign_in(user, resource)
        self.jid = self._stream.jid

    def say(self, stanza: str) -> None:
        self._stream.say(stanza)

    def read(self, wait: bool) -> list[ET.Element]:
        return self._stream.await_some() if wait else self._stream.overheard()

    def cut(self) -> None:
        self._stream.kill()

    def leave(self) -> None:
        self._stream.say("</stream:stream>")


class _Bosh:
    """Always one request held."""

    def __init__(self, server: Server, user: str, resource: str) -> None:
        self._session = Session(server).sign_in(user, resource)
        self.jid = self._session.jid
        self._server = server
        self._held: Pending = self._session.ask(1)
        self._early: list[ET.Element] = []

    def say(self, stanza: str) -> None:
        following = self._session.ask(2, stanza)
        self._early += self._collect()
        self._held = following

    def read(self, wait: bool) -> list[ET.Element]:
        found, self._early = self._early, []
        deadline = time.monotonic() + ANSWER_S
        while wait and not found:
            found = self._collect()
            self._held = self._session.ask(1)
            if time.monotonic() > deadline:
                raise NoAnswer("nothing but empty answers")
        self._server.settle()
        while not self._held.wire.silent(0):
            found += self._collect()
            self._held = self._session.ask(1)
            self._server.settle()
        return found

    def _collect(self) -> list[ET.Element]:
        reply = self._held.reply()
        self._session.base += 1
        assert reply.root.get("type") is None, reply.body
        return reply.stanzas

    def cut(self) -> None:
        self._held.kill()

    def leave(self) -> None:
        self._session.ask(2, type="terminate")


class _WebSocket:
    def __init__(self, server: Server, user: str, resource: str) -> None:
        self._socket = connect(server).sign_in(user, resource)
        self.jid = self._socket.jid
        self._server = server

    def say(self, stanza: str) -> None:
        self._socket.say(stanza)

    def read(self, wait: bool) -> list[ET.Element]:
        found = [self._socket.hear()] if wait else []
        self._server.settle()
        while not self._socket.silent():
            found.append(self._socket.hear())
        return found

    def cut(self) -> None:
        self._socket.kill()

    def leave(self) -> None:
        self._socket.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")


_LINES: dict[str, Callable[[Server, str, str], Line]] = {"tcp": _Tcp, "bosh": _Bosh, "websocket": _WebSocket}


class Person:
    """A client whose resource is bound; it keeps what it heard until it is asked."""

    def __init__(self, server: Server, user: str, resource: str = "desktop", binding: str = "tcp") -> None:
        self._line = _LINES[binding](server, user, resource)
        self.jid = self._line.jid
        self.bare = self.jid.partition("/")[0]
        self._heard: list[Element] = []
        self.cut, self.leave = self._line.cut, self._line.leave

    def say(self, stanza: str) -> None:
        """Send a stanza; `jabber:client` is added where BOSH and WebSocket want it."""
        self._line.say(_START.sub(rf"<\1 xmlns='{CLIENT}'", stanza, count=1))

    def take(self) -> list[Element]:
        """What has come since the last time, once the server has worked off everything."""
        self._listen(wait=False)
        found, self._heard = self._heard, []
        return found

    def only(self) -> Element:
        """The one stanza that has come since the last time."""
        found = self.take()
        assert len(found) == 1, found
        return found[0]

    def hear(self, name: str, **attrs: str) -> Element:
        """The next stanza of that name with these attributes (`from_`, `id_`, `type_`), now or soon; others stay."""
        wanted = {key.rstrip("_"): value for key, value in attrs.items()}
        deadline = time.monotonic() + ANSWER_S
        while True:
            for stanza in self._heard:
                if stanza.name == name and wanted.items() <= stanza.attrs.items():
                    self._heard.remove(stanza)
                    return stanza
            if time.monotonic() > deadline:
                raise NoAnswer(f"no {name} {attrs}, only {self._heard}")
            self._listen(wait=True)

    def listen(self) -> None:
        """Read what has come, and keep it."""
        self._listen(wait=False)

    def ask(self, kind: str, child: str, to: str = "") -> Element:
        """A request and its answer; what else has come stays unread."""
        id_ = f"q{next(_numbers)}"
        address = f" to='{to}'" if to else ""
        self.say(f"<iq type='{kind}' id='{id_}'{address}>{child}</iq>")
        return self.hear("iq", id_=id_)

    def come(self, inside: str = "") -> Person:
        """Initial presence, seen back, and what it brought forgotten."""
        self.say(f"<presence id='here'>{inside}</presence>")
        self.hear("presence", from_=self.jid)
        self.take()
        return self

    def messages(self) -> list[Element]:
        """The messages among what has come since the last time."""
        return [stanza for stanza in self.take() if stanza.name == "message"]

    def presences(self) -> list[Element]:
        """The presences, likewise, but for those of the server's own user."""
        sender = f"{ADMIN}@{DOMAIN}"
        return [stanza for stanza in self.take() if stanza.name == "presence" and stanza.attrs.get("from") != sender]

    def _listen(self, wait: bool) -> None:
        self._heard += [Element.of(stanza) for stanza in self._line.read(wait)]


class People:
    """Clients of one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._all: list[Person] = []

    def bind(self, user: str, resource: str = "desktop", binding: str = "tcp") -> Person:
        """Somebody who has signed in and sent nothing yet."""
        self._all.append(Person(self.server, user, resource, binding))
        return self._all[-1]

    def join(self, user: str, resource: str = "desktop", binding: str = "tcp", priority: int | None = None) -> Person:
        """Somebody who is available."""
        return self.bind(user, resource, binding).come("" if priority is None else f"<priority>{priority}</priority>")

    def go(self) -> None:
        """Everybody leaves, and nothing waits for anybody."""
        for person in self._all:
            person.leave()
        self.server.settle()


def condition(stanza: Element) -> tuple[str, str]:
    """Type and condition of a stanza error."""
    assert stanza.attrs.get("type") == "error", stanza
    error = stanza.the("error")
    return error.attrs.get("type", ""), next(c.name for c in error.elements() if c.ns == STANZAS and c.name != "text")


def ok(answer: Element) -> bool:
    """Whether a request was granted."""
    return answer.attrs["type"] == "result"


def single(found: Iterable[T]) -> T:
    """The one thing that was found."""
    things = list(found)
    assert len(things) == 1, things
    return things[0]


def inside(answer: Element) -> Element:
    """What a result holds."""
    assert ok(answer), answer
    return next(answer.elements())
