"""Words for stories about a BOSH session: a client's requests by number, and what comes out.

Request n has the request id R + n; the creation request is number 0. Bodies are written as a client writes them and
go the way the shell takes: pattern first, parser second, `malformed` for what is no body.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from poise.protocols.xmpp.bosh import (
    Answer,
    Body,
    BodyError,
    BoshPolicy,
    BoshSession,
    Effect,
    Ended,
    Inactivity,
    Payload,
    match_poll,
    parse_body,
)
from tests.playbook import Playbook

R = 1640532000
SID = "9f2c4a"
DOMAIN = "finesse.test"
HTTPBIND = "http://jabber.org/protocol/httpbind"
NO_STANZAS = b"<body xmlns='http://jabber.org/protocol/httpbind'></body>"
FEATURES = b"<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></stream:features>"

EXACT = BoshPolicy(
    hold_max=3, inactivity_s=20, inactivity=Inactivity.EXACT, polling_s=None, maxpause_s=50, repeats_max=5
)
"""Different numbers, so that no two clocks can be mistaken for each other; stories ask for a wait of 30."""
LIMITED = replace(EXACT, polling_s=2)
"""The same with a limit on empty requests."""


def body_xml(n: int | None, *stanzas: str, **attrs: str) -> bytes:
    """A body as a client writes it; `xmpp__restart` stands for `xmpp:restart`; number None leaves the rid out."""
    given = {"xmlns": HTTPBIND, "xmlns:xmpp": "urn:xmpp:xbosh"} | {
        name.rstrip("_").replace("__", ":"): value for name, value in attrs.items()
    }
    if n is not None:
        given.setdefault("rid", str(R + n))
    text = " ".join(f"{name}='{value}'" for name, value in given.items())
    return f"<body {text}>{''.join(stanzas)}</body>".encode()


def creation(*stanzas: str, **attrs: str | None) -> Body:
    """A creation request, 30 seconds and one held request unless said; None leaves an attribute out."""
    given = {"to": DOMAIN, "ver": "1.11", "wait": "30", "hold": "1", "xmpp__version": "1.0", "xml__lang": "en"} | attrs
    return parse_body(body_xml(0, *stanzas, **{name: value for name, value in given.items() if value is not None}))


def create(
    body: Body, policy: BoshPolicy = EXACT, secure: bool = True, now: float = Playbook.START
) -> tuple[BoshSession, list[Effect]]:
    """A session for a creation request that came on channel "creation"."""
    return BoshSession.create(
        body,
        sid=SID,
        stream_id="7a51",
        domain=DOMAIN,
        secure=secure,
        policy=policy,
        now=now,
        channel="creation",
        features=FEATURES,
    )


def message(ident: str) -> str:
    """A small stanza."""
    return f'<message xmlns="jabber:client" id="{ident}"/>'


class Story(Playbook[Effect]):
    """A story that begins with a session just created."""

    def __init__(self, policy: BoshPolicy = EXACT, **attrs: str | None) -> None:
        self.session, _ = create(creation(**attrs), policy)
        super().__init__(self.session)

    def poll(self, n: int, channel: Hashable, ack: int | None = None) -> None:
        """Request n, empty."""
        acked = "" if ack is None else f" ack='{R + ack}'"
        data = f"<body rid='{R + n}' sid='{SID}' xmlns='{HTTPBIND}'{acked}/>".encode()
        found = match_poll(data)
        assert found is not None
        rid, client_ack = found[1:]
        self.put(f"poll {n} on {channel!r}", lambda now: self.session.poll(rid, channel, now, client_ack))

    def post(self, n: int, channel: Hashable, *stanzas: str, **attrs: str) -> None:
        """Request n with stanzas or attributes."""
        self.raw(body_xml(n, *stanzas, sid=SID, **attrs), channel)

    def raw(self, data: bytes, channel: Hashable) -> None:
        """Any bytes, taken the way the shell takes them."""

        def act(now: float) -> list[Effect]:
            poll = match_poll(data)
            if poll is not None:
                return list(self.session.poll(poll[1], channel, now, poll[2]))
            try:
                body = parse_body(data)
            except BodyError as error:
                return list(self.session.malformed(error, channel, now))
            return list(self.session.request(body, channel, now))

        self.put(f"{data!r} on {channel!r}", act)

    def send(self, *idents: str) -> None:
        """Stanzas for the client, by id."""
        for ident in idents:
            self.put(f"send {ident}", lambda now, ident=ident: self.session.send(message(ident).encode(), now))  # type: ignore[misc]

    def send_all(self, *idents: str) -> None:
        """Stanzas for the client, handed over in one call."""
        stanzas = [message(ident).encode() for ident in idents]
        self.put(f"send together {' '.join(idents)}", lambda now: self.session.send_all(stanzas, now))

    def send_bytes(self, stanza: bytes) -> None:
        """Something for the client, as it stands."""
        self.put(f"send {stanza!r}", lambda now: self.session.send(stanza, now))

    def drop(self, channel: Hashable) -> None:
        """The client closes a connection."""
        self.put(f"close {channel!r}", lambda now: self.session.channel_closed(channel, now))

    def end(self, code: str, extra: bytes = b"", evidence: str = "") -> None:
        """The server ends the session."""
        self.put(f"end {code}", lambda now: self.session.end(code, now, extra, evidence=evidence))


def empty(channel: Hashable, ack: int | None = None) -> Answer:
    """An answer without stanzas."""
    return holding(channel, ack=ack)


def holding(channel: Hashable, *idents: str, ack: int | None = None, more: str = "") -> Answer:
    """An answer with stanzas, by id."""
    acked = "" if ack is None else f" ack='{R + ack}'"
    stanzas = "".join(message(ident) for ident in idents)
    return Answer(channel, f"<body xmlns='{HTTPBIND}'{acked}{more}>{stanzas}</body>".encode())


def with_features(channel: Hashable, features: bytes) -> Answer:
    """An answer with stream features or a stream error: the prefix is declared on the body."""
    head = f"<body xmlns='{HTTPBIND}' xmlns:stream='http://etherx.jabber.org/streams'>".encode()
    return Answer(channel, head + features + b"</body>")


def recoverable(channel: Hashable) -> Answer:
    """`type='error'`: another connection has taken over this request."""
    return Answer(channel, f"<body xmlns='{HTTPBIND}' type='error'/>".encode())


def over(channel: Hashable, condition: str | None = None, status: int = 200) -> Answer:
    """A terminal answer: T(condition)."""
    reason = f" condition='{condition}'" if condition else ""
    return Answer(channel, f"<body xmlns='{HTTPBIND}' type='terminate'{reason}/>".encode(), True, status)


def stream_over(channel: Hashable, condition: str) -> Answer:
    """T(remote-stream-error) with the stream error inside."""
    return Answer(
        channel,
        f"<body xmlns='{HTTPBIND}' xmlns:stream='http://etherx.jabber.org/streams' type='terminate'"
        f" condition='remote-stream-error'><stream:error><{condition} "
        'xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error></body>'.encode(),
        True,
    )


def last_empty(channel: Hashable) -> Answer:
    """An empty answer that the session ends with."""
    return Answer(channel, NO_STANZAS, True)


@dataclass
class said:  # noqa: N801 - reads as a word in stories
    """Payload from the client: stanzas with these ids."""

    idents: tuple[str, ...]

    def __init__(self, *idents: str) -> None:
        self.idents = idents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and tuple(child.attrs.get("id") for child in other.children) == self.idents


@dataclass
class ended:  # noqa: N801 - reads as a word in stories
    """The end of the session: its code, and what is asked for of the rest."""

    code: str
    undelivered: tuple[str, ...] | None = None
    unconfirmed: tuple[str, ...] | None = None
    heard: tuple[float, float] | None = None
    at: float | None = None
    timer_s: float | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ended) or other.closed.ending.code != self.code:
            return False
        closed = other.closed
        return (
            self.undelivered in (None, tuple(_ids(other.undelivered)))
            and self.unconfirmed in (None, tuple(_ids(other.unconfirmed)))
            and self.heard in (None, (closed.heard_after - Playbook.START, closed.heard_before - Playbook.START))
            and self.at in (None, closed.at - Playbook.START)
            and self.timer_s in (None, closed.timer_s)
        )


def _ids(stanzas: list[bytes]) -> list[str]:
    return [stanza.decode().split('"')[3] for stanza in stanzas]
