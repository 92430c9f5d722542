"""The CTI link's states as a table.

A link is stopped, or it strives to be UP. It CONNECTs to one side, OPENs a session, downloads the configuration
(CONFIGURING), asks for the state of every known agent (SYNCHRONISING), and only then is UP: what the desktop shows is
true from that moment. When the session is open but the peripheral is not in service, the link waits OFFLINE and starts
over with the configuration when the peripheral returns. Whatever breaks leads to RESTING until the next attempt, at the
other side if there is one.
"""

from __future__ import annotations

from enum import Enum


class LinkState(Enum):
    """Where a link stands."""

    STOPPED = "stopped"
    RESTING = "resting"
    CONNECTING = "connecting"
    OPENING = "opening"
    OFFLINE = "offline"
    CONFIGURING = "configuring"
    SYNCHRONISING = "synchronising"
    UP = "up"
    CLOSING = "closing"


class LinkInput(Enum):
    """What can happen to a link."""

    START = "start"
    RETRY = "retry"
    CONNECTED = "connected"
    OPENED_ONLINE = "opened, peripheral online"
    OPENED_OFFLINE = "opened, peripheral offline"
    PERIPHERAL_ONLINE = "peripheral online"
    PERIPHERAL_OFFLINE = "peripheral offline"
    CONFIGURED = "configured"
    SYNCHRONISED = "synchronised"
    LOST = "lost"
    STOP = "stop"
    CLOSED = "closed"


_S, _I = LinkState, LinkInput

TRANSITIONS: dict[tuple[LinkState, LinkInput], LinkState] = {
    (_S.STOPPED, _I.START): _S.CONNECTING,
    (_S.RESTING, _I.RETRY): _S.CONNECTING,
    (_S.RESTING, _I.STOP): _S.STOPPED,
    (_S.CONNECTING, _I.CONNECTED): _S.OPENING,
    (_S.CONNECTING, _I.LOST): _S.RESTING,
    (_S.CONNECTING, _I.STOP): _S.STOPPED,
    (_S.OPENING, _I.OPENED_ONLINE): _S.CONFIGURING,
    (_S.OPENING, _I.OPENED_OFFLINE): _S.OFFLINE,
    (_S.OPENING, _I.LOST): _S.RESTING,
    (_S.OPENING, _I.STOP): _S.STOPPED,
    (_S.OFFLINE, _I.PERIPHERAL_ONLINE): _S.CONFIGURING,
    (_S.OFFLINE, _I.LOST): _S.RESTING,
    (_S.OFFLINE, _I.STOP): _S.CLOSING,
    (_S.CONFIGURING, _I.CONFIGURED): _S.SYNCHRONISING,
    (_S.CONFIGURING, _I.PERIPHERAL_OFFLINE): _S.OFFLINE,
    (_S.CONFIGURING, _I.LOST): _S.RESTING,
    (_S.CONFIGURING, _I.STOP): _S.CLOSING,
    (_S.SYNCHRONISING, _I.SYNCHRONISED): _S.UP,
    (_S.SYNCHRONISING, _I.PERIPHERAL_OFFLINE): _S.OFFLINE,
    (_S.SYNCHRONISING, _I.LOST): _S.RESTING,
    (_S.SYNCHRONISING, _I.STOP): _S.CLOSING,
    (_S.UP, _I.PERIPHERAL_OFFLINE): _S.OFFLINE,
    (_S.UP, _I.LOST): _S.RESTING,
    (_S.UP, _I.STOP): _S.CLOSING,
    (_S.CLOSING, _I.CLOSED): _S.STOPPED,
    (_S.CLOSING, _I.LOST): _S.STOPPED,
}
"""A pair that is absent means: nothing changes."""

OPEN_STATES = frozenset({_S.OFFLINE, _S.CONFIGURING, _S.SYNCHRONISING, _S.UP})
"""The session is open: heartbeats are due."""

CONNECTED_STATES = OPEN_STATES | {_S.OPENING, _S.CLOSING}
"""There is a TCP connection."""
