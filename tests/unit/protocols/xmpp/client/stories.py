"""Stories about a client's stream: what the server says goes in, what the client asks of its carrier must come out."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from poise.protocols.xmpp.client.outputs import Account, Frame, Output, Terms
from tests.playbook import Playbook

ACCOUNT = Account("1001", "localhost", "secret", "desktop")
SECURE = Terms(secure=True)
NONCE = "fyko+d2lbbFgONRv9qkxdawL"
FEATURES = b"<stream:features xmlns:stream='http://etherx.jabber.org/streams'>%b</stream:features>"
MECHANISMS = b"<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%b</mechanisms>"
PLAIN = FEATURES % (MECHANISMS % b"<mechanism>PLAIN</mechanism>")
BIND = FEATURES % b"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
SUCCESS = b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
BOUND = (
    b"<iq xmlns='jabber:client' type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    b"<jid>1001@localhost/desktop</jid></bind></iq>"
)
AUTH = b'<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">ADEwMDEAc2VjcmV0</auth>'
BIND_REQUEST = (
    b'<iq xmlns="jabber:client" type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">'
    b"<resource>desktop</resource></bind></iq>"
)


class Timeless:
    """A core that does nothing by the clock."""

    deadline = inf

    def due(self, now: float) -> Sequence[Output]:
        raise AssertionError("never due")


def story() -> Playbook[Output]:
    """A story about a client's stream."""
    return Playbook(Timeless())


def carried(outputs: Sequence[Output]) -> list[Output]:
    """What the carrier has to do, without what is told to onlookers."""
    return [output for output in outputs if not isinstance(output, Frame)]


def shown(outputs: Sequence[Output]) -> list[tuple[bool, bytes]]:
    """What onlookers are told: whose, and what stood on the wire."""
    return [(output.outgoing, output.raw) for output in outputs if isinstance(output, Frame)]
