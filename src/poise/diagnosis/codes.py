"""Reason codes: was it a connection problem at all? Asked before anything else.

Source: diagnosis notes 4; meanings differ by product and era, so the product is always said with the code.
"""

from __future__ import annotations

CONNECTION = frozenset({255, 50002, 50001})
"""Codes that follow a lost connection: 255 is what the desktop server sends; 50002 and 50001 what UCCE makes of it."""

OTHER: dict[int, str] = {
    50003: "device-error",
    50030: "device-conflict",
    50020: "queue-change",
    50004: "inactivity",
    50005: "non-acd-busy",
    50010: "missed-calls",
    32767: "not-answered",
    50040: "mobile-call-failed",
    50041: "mobile-not-answered",
    50042: "mobile-disconnected",
    20001: "force-logout-start",
    20002: "force-logout",
    20003: "logout-request",
    999: "supervisor",
    22: "supervisor",
    33: "supervisor",
    32740: "signed-in-elsewhere",
    32741: "extension-conflict",
    32742: "off-hook",
    32748: "agent-deleted",
    32750: "extension-changed",
    32757: "call-manager-failover",
    32759: "phone-down",
    32764: "engine-failure",
    65533: "extension-modified",
    65534: "system-reset",
    65535: "system-reinitialised",
}
"""Codes of other causes: key of the catalogue's text `code.KEY`."""

SERVER = frozenset({32757, 32764, 65534, 65535})
"""Of those, the server's or the telephone system's own."""
