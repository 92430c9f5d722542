"""What a single log line means, for `poise explain` with a pasted line."""

from __future__ import annotations

import io
from collections.abc import Mapping

from poise.diagnosis import reading
from poise.diagnosis.codes import CONNECTION, OTHER
from poise.diagnosis.events import Event, Kind, Place
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import Budget

MEANINGS: Mapping[Kind, str] = {
    Kind.IDLE: (
        "The reaper looked at the session. 0 ms means that a long poll is held right now; a growing figure "
        "counts from the end of the last held request, so the client itself may have been gone up to 30 s "
        "longer."
    ),
    Kind.IDLE_CLOSE: (
        "The session was closed because no request was held for longer than the idle limit: the client fell "
        "silent 60 to 120 s before."
    ),
    Kind.SESSION_CLOSED: (
        "A session is over; the lines before say why. Without an idle closing before it, the client left by itself."
    ),
    Kind.SESSION_OPENED: "A client signed in.",
    Kind.REQUEST: "A request of the client reached the server.",
    Kind.TERMINATED: "The server ended the session with the condition named.",
    Kind.UNKNOWN_SESSION: (
        "The client used a session the server had forgotten: look back for its ending, not at this request."
    ),
    Kind.OUT_OF_WINDOW: (
        "Client and server lost step: a request was repeated too late, or two copies of one client run."
    ),
    Kind.OVERACTIVE: "The client opened more requests, or more often, than agreed.",
    Kind.REPLACED: "A newer session of the same agent took the resource.",
    Kind.STORED_OFFLINE: "A notification found no session: the agent's desktop is away.",
    Kind.SERVICE_STARTED: "The notification service started: every session from before is gone.",
    Kind.SERVICE_STOPPED: "The notification service stopped: every session ends.",
    Kind.OUT_OF_MEMORY: "The service ran out of memory; a restart follows.",
    Kind.BAD_XML: "A text with characters that XML forbids; old releases crash on it (CSCva72325, CSCva7280).",
    Kind.STALLED: "The server itself did not run for that time; no session is charged for it.",
    Kind.UNAVAILABLE: (
        "The agent's last session is gone: the forced logout follows 60 s later unless the agent comes back."
    ),
    Kind.AVAILABLE: "The agent has a session.",
    Kind.GRACE: "The forced logout is pending; told about every 30 s.",
    Kind.GRACE_CANCELLED: "The agent came back in time, and the forced logout is off.",
    Kind.FORCED_LOGOUT: (
        "The agent did not come back within 60 s: the desktop server asks the CTI server to sign the agent "
        "out with reason 255."
    ),
    Kind.CTI_REQUEST: "The desktop server asked the CTI server for a state.",
    Kind.CTI_STATE: "The CTI server told an agent's state.",
    Kind.CTI_DOWN: (
        "The link to the CTI server is lost: the desktops show the banner though their own connection is sound."
    ),
    Kind.CTI_UP: "The link to the CTI server is there.",
    Kind.XMPP_DOWN: "The web services lost their own connection to the notification service.",
    Kind.XMPP_UP: "The web services are connected to the notification service.",
    Kind.OUT_OF_SERVICE: "The server says OUT_OF_SERVICE: desktops look for the other node.",
    Kind.IN_SERVICE: "The server serves.",
    Kind.DIRECTORY_DOWN: "The source of users is not reachable; cached credentials last 30 minutes.",
    Kind.CONNECTION: (
        "The desktop's own view of its connection. `unloading` means the page was closed, reloaded or left."
    ),
    Kind.DRIFT: (
        "Measured once a minute: how far the client's clock is off, and how long a round trip takes. More "
        "than 90 s between two of them: the page did not run."
    ),
    Kind.REQUEST_FAILED: "A request of the client failed before the server's answer reached it.",
    Kind.RETRY: "The client repeated a request because no answer came in time.",
    Kind.NO_TRUST: "The browser does not trust the server's certificate.",
    Kind.STRATUM: "How far the clock's source is; above 4 it is not to be trusted.",
    Kind.SERVICE: "State of a service.",
}
"""A sentence for each kind that a line can be."""


def of_line(line: str) -> tuple[str, Event, str] | None:
    """(form, event, meaning) of a pasted log line, or None when no reader knows it."""
    evidence = Evidence(0.0)
    data = line.strip().encode() + b"\n"
    reading.read(evidence, "line", io.BufferedReader(io.BytesIO(data)), Budget())
    events = [event for event in evidence.events if event.kind is not Kind.SILENCE]
    if not events and b"was last active 0 ms" in data:
        return "Openfire log", Event(0.0, Kind.IDLE, Place(0, 1), number=0.0, text=line), MEANINGS[Kind.IDLE]
    if not events:
        return None
    event = events[0]
    meaning = MEANINGS.get(event.kind, event.kind.value.capitalize() + ".")
    if event.kind in (Kind.CTI_STATE, Kind.CTI_REQUEST) and event.number is not None:
        meaning += _code(int(event.number))
    return evidence.files[event.place.file].form, event, meaning


def _code(code: int) -> str:
    if code in CONNECTION:
        return f" Reason {code}: a lost connection."
    return f" Reason {code}: no connection problem." if code in OTHER else ""
