"""The console without a face: one connection, what was asked and not answered yet, and what there is to tell."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Final, NamedTuple

from poise.protocols.xmpp.client.outputs import Account, Ended, Failure, Frame, Kind, Output, Ready, Terms
from poise.protocols.xmpp.client.sign_in import condition_of
from poise.protocols.xmpp.client.stanzas import presence
from poise.protocols.xmpp.client.stream import parse_element
from poise.protocols.xmpp.stanzas import DISCO_ITEMS_NS
from poise.protocols.xmpp.xml import Element
from poise.tools.console import words
from poise.tools.console.address import Address
from poise.tools.console.carriers import CannotConnectError, Carrier, carrier
from poise.tools.trust import Trust

NODES_MAX: Final = 50_000
"""Nodes remembered for completion."""
ANSWER_S: Final = 20.0
"""Seconds to wait for the answer to a command before it counts as unanswered."""

ADVICE: Final = {
    Failure.PASSWORD: "The server does not accept this name and password ({}).",
    Failure.SIGN_IN: "The server refuses the sign-in: {}.",
    Failure.NO_MECHANISM: "There is no way to sign in that both sides know: {}. Over a connection without TLS, servers "
    "often offer none: try xmpps://, https:// or wss://.",
    Failure.NOT_SECURE: "The password was not sent: {}. Use TLS (xmpps://, https://, wss://), or allow it with "
    "--plain-in-clear.",
    Failure.TLS_REFUSED: "No TLS: {}.",
    Failure.IMPOSTOR: "This may not be the server it claims to be: {}.",
    Failure.BIND: "The server gave us no resource: {}.",
    Failure.STREAM_ERROR: "The server ended the stream: {}.",
    Failure.NOT_XMPP: "This is no XMPP service of that kind: {}.",
    Failure.UNREACHABLE: "The connection to the server broke: {}.",
}
"""What people are told."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to sign in, as whom, and how."""

    address: Address
    account: Account
    trust: Trust
    terms: Terms
    pubsub: str = ""
    """JID of the pubsub service; empty: `pubsub.` and the domain."""
    presence: bool = True
    """Whether presence is sent after sign-in; without it no notification comes."""
    show_secrets: bool = False


class Seen(NamedTuple):
    """A unit crossed the wire."""

    at: datetime
    frame: Frame


class SignedIn(NamedTuple):
    """Commands may be typed."""

    at: datetime
    jid: str


class Answered(NamedTuple):
    """The answer to a command."""

    at: datetime
    line: str
    error: str
    """Condition of an error; empty for a result."""
    nodes: tuple[str, ...] | None
    """The nodes listed, if it was a listing."""


class Over(NamedTuple):
    """The connection is over."""

    at: datetime
    code: str
    """`left`, or what failed."""
    text: str
    """What people are told."""


Event = Seen | SignedIn | Answered | Over


class Console:
    """One connection. `run` it; when SignedIn was told, `type` commands."""

    def __init__(self, settings: Settings, on_event: Callable[[Event], None]) -> None:
        self.settings = settings
        self.nodes: set[str] = set()
        """Nodes seen so far, for completion."""
        self.failed = 0
        """Commands that were answered with an error, or not at all."""
        self._on_event = on_event
        self._carrier: Carrier | None = None
        self._asked: dict[str, tuple[str, asyncio.Future[None]]] = {}
        self._prefix = secrets.token_hex(3)
        self._numbers = count(1)
        self._ready = asyncio.Event()
        self._over = False

    @property
    def jid(self) -> str:
        """Our full JID; empty before sign-in."""
        return self._carrier.stream.jid if self._carrier is not None else ""

    async def run(self) -> Over:
        """Connect, sign in and stay until it is over; the last event is Over, which is returned too."""
        settings = self.settings
        over: list[Over] = []
        try:
            self._carrier = carrier(settings.address, settings.account, settings.trust, settings.terms)
            await self._carrier.run(lambda output: self._output(output, over))
        except CannotConnectError as error:
            over = [Over(_now(), "cannot-connect", str(error))]
        except OSError as error:
            over = [Over(_now(), "cannot-connect", f"The CA file cannot be used: {error}.")]
        finally:
            self._over = True
            self._ready.set()
            for _, answer in self._asked.values():
                if not answer.done():
                    answer.set_result(None)
        end = over[0] if over else Over(_now(), "left", "Left the server.")
        self._on_event(end)
        return end

    async def signed_in(self) -> bool:
        """Wait until commands may be typed; False when that will never be."""
        await self._ready.wait()
        return self._carrier is not None and self._carrier.stream.ready

    def type(self, line: str) -> asyncio.Future[None] | None:
        """Carry out a line; the future is done when its answer is there, or will never be. None: nothing is to be
        waited for. Raises WordError."""
        if self._carrier is None or not self._carrier.stream.ready:
            raise words.WordError("Not signed in.")
        stanza = words.read(line, self._context())
        element = parse_element(stanza)
        wanted = None
        if element.name == "iq" and element.attrs.get("type") in ("get", "set") and element.attrs.get("id"):
            wanted = asyncio.get_running_loop().create_future()
            self._asked[element.attrs["id"]] = line.strip(), wanted
        self._carrier.send(stanza)
        return wanted

    async def typed(self, line: str) -> None:
        """Carry out a line and wait for its answer, ANSWER_S at most. Raises WordError."""
        answer = self.type(line)
        if answer is not None:
            await asyncio.wait({answer}, timeout=ANSWER_S)

    def unanswered(self) -> int:
        """Commands without an answer."""
        return len(self._asked)

    def close(self) -> None:
        """Leave; `run` ends soon."""
        if self._carrier is not None and not self._over:
            self._carrier.close()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _context(self) -> words.Context:
        domain = self.settings.account.domain
        return words.Context(self.jid, domain, self.settings.pubsub or f"pubsub.{domain}", self._new_id)

    def _new_id(self) -> str:
        return f"{self._prefix}-{next(self._numbers)}"

    def _output(self, output: Output, over: list[Over]) -> None:
        if isinstance(output, Frame):
            self._on_event(Seen(_now(), output))
            if not output.outgoing and output.kind is Kind.STANZA and output.element is not None:
                self._heard(output.element)
        elif isinstance(output, Ready):
            self._on_event(SignedIn(_now(), output.jid))
            if self.settings.presence and self._carrier is not None:
                self._carrier.send(presence())
            self._ready.set()
        elif isinstance(output, Ended) and not over:
            if output.failure is None:
                over.append(Over(_now(), "left", f"The connection is over: {output.detail}."))
            else:
                over.append(Over(_now(), output.failure.value, ADVICE[output.failure].format(output.detail)))

    def _heard(self, element: Element) -> None:
        if element.name != "iq" or element.attrs.get("type") not in ("result", "error"):
            return
        asked = self._asked.pop(element.attrs.get("id", ""), None)
        if asked is None:
            return
        line, answer = asked
        error = element.child("error") if element.attrs["type"] == "error" else None
        condition = condition_of(error) if error is not None else ""
        self.failed += element.attrs["type"] == "error"
        nodes = _listed(element) if not condition else None
        if nodes is not None and len(self.nodes) < NODES_MAX:
            self.nodes.update(nodes)
        self._on_event(Answered(_now(), line, condition, nodes))
        if not answer.done():
            answer.set_result(None)


def _listed(answer: Element) -> tuple[str, ...] | None:
    """The nodes of a listing."""
    query = answer.child("query", DISCO_ITEMS_NS)
    if query is None:
        return None
    return tuple(item.attrs["node"] for item in query.elements() if item.name == "item" and "node" in item.attrs)


def _now() -> datetime:
    return datetime.now(UTC)
