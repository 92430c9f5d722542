"""Which clients sign in over which bindings, and how each is started: the table that tests and report read."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import NamedTuple

PROGRAMS = Path(__file__).parent / "programs"


class Binding(Enum):
    """A way to the notification service: the listener that serves it, and what a client is told of it."""

    BOSH = ("BOSH", "notification", "https://localhost:{port}/http-bind/")
    WEBSOCKET = ("WebSocket", "notification", "wss://localhost:{port}/ws/")
    STARTTLS = ("TCP, STARTTLS", "xmpp", "starttls")
    TLS = ("TCP, TLS", "xmpp_tls", "direct")
    CLEAR = ("TCP, in the clear", "xmpp", "plain")

    def __init__(self, title: str, listener: str, how: str) -> None:
        self.title = title
        self.listener = listener
        self.how = how

    @property
    def over_tcp(self) -> bool:
        """Whether it is XMPP's own binding."""
        return self in (Binding.STARTTLS, Binding.TLS, Binding.CLEAR)


class AfterCut(Enum):
    """What becomes of a client whose connection breaks."""

    RESUMES = "goes on with its session: BOSH"
    COMES_BACK = "notices, and signs in again"
    WAITS = "waits for ever: gloox over BOSH counts its broken request as open, which is a defect of its own"


class Start(NamedTuple):
    """What a client is started with."""

    binding: Binding
    port: int
    ca: Path
    """The certificate to trust."""
    jid: str
    password: str
    python: Path
    """The interpreter that has the Python clients."""
    built: Path
    """The folder of the programs that were compiled."""

    @property
    def url(self) -> str:
        """Where BOSH or WebSocket is."""
        return self.binding.how.format(port=self.port)


Command = Callable[[Start], list[str]]


class ClientKind(NamedTuple):
    """A library or program we did not write, over one binding."""

    name: str
    """As it calls itself, with the version that matters."""
    binding: Binding
    command: Command
    after_cut: AfterCut = AfterCut.COMES_BACK
    says_goodbye: bool = True
    """Whether the server surely hears that it leaves."""

    @property
    def title(self) -> str:
        """Its name in test reports."""
        return f"{self.name} over {self.binding.title}"


def _strophe(generation: str) -> Command:
    return lambda start: ["node", str(PROGRAMS / "strophe.cjs"), generation, start.url, start.jid, start.password]


def _stanza(start: Start) -> list[str]:
    return ["node", str(PROGRAMS / "stanza.mjs"), start.url, start.jid, start.password]


def _xmppjs(start: Start) -> list[str]:
    service = {
        Binding.STARTTLS: f"xmpp://localhost:{start.port}",
        Binding.TLS: f"xmpps://localhost:{start.port}",
    }.get(start.binding, start.url)
    return ["node", str(PROGRAMS / "xmppjs.mjs"), service, start.jid, start.password]


def _python(script: str) -> Command:
    def command(start: Start) -> list[str]:
        where = ["localhost", str(start.port), start.binding.how, str(start.ca)]
        return [str(start.python), str(PROGRAMS / script), *where, start.jid, start.password]

    return command


def _built(program: str) -> Command:
    def command(start: Start) -> list[str]:
        how = "bosh" if start.binding is Binding.BOSH else start.binding.how
        where = ["localhost", str(start.port), how, str(start.ca)]
        return [str(start.built / program), *where, start.jid, start.password]

    return command


STROPHE = {"1.2.16": "1.2", "1.4.4": "1.4", "1.6.2": "1.6", "3.0.1": "3", "5.0.0": "5"}
"""Version -> the generation the program is told."""
STANZA, XMPPJS, SLIXMPP, AIOXMPP = "stanza 12.22.1", "@xmpp/client 0.14.0", "slixmpp 1.17.0", "aioxmpp 0.13.3"
LIBPURPLE, GLOOX = "libpurple 2", "gloox 1"

CLIENTS = (
    *(ClientKind(f"Strophe {v}", Binding.BOSH, _strophe(key), AfterCut.RESUMES) for v, key in STROPHE.items()),
    *(ClientKind(f"Strophe {v}", Binding.WEBSOCKET, _strophe(key)) for v, key in STROPHE.items()),
    ClientKind(STANZA, Binding.BOSH, _stanza, AfterCut.RESUMES),
    ClientKind(STANZA, Binding.WEBSOCKET, _stanza),
    *(ClientKind(XMPPJS, binding, _xmppjs) for binding in (Binding.WEBSOCKET, Binding.STARTTLS, Binding.TLS)),
    *(ClientKind(SLIXMPP, b, _python("slix.py")) for b in (Binding.STARTTLS, Binding.TLS, Binding.CLEAR)),
    *(ClientKind(AIOXMPP, binding, _python("aio.py")) for binding in (Binding.STARTTLS, Binding.TLS)),
    ClientKind(LIBPURPLE, Binding.BOSH, _built("purple"), AfterCut.RESUMES),
    *(ClientKind(LIBPURPLE, binding, _built("purple")) for binding in (Binding.STARTTLS, Binding.TLS)),
    # it leaves with type='terminal', which is no type, and with a reset connection, on which even that may be lost
    ClientKind(GLOOX, Binding.BOSH, _built("gloox"), AfterCut.WAITS, says_goodbye=False),
    *(ClientKind(GLOOX, b, _built("gloox")) for b in (Binding.STARTTLS, Binding.TLS, Binding.CLEAR)),
)
