"""Every time and bound of the CTI link, once, with its unit, its source, and what breaks if it is changed."""

from __future__ import annotations

HEARTBEAT_S = 5.0
"""Seconds between HEARTBEAT_REQs. Source: Finesse guide, failover ("heartbeats every 5 s"); GED-188 allows no less.
Longer: the loss of a CTI server is noticed later and agents see stale states. The readiness report quotes it."""

HEARTBEATS_MISSED = 3
"""Unanswered heartbeats after which the link counts as lost. Source: GED-188, session management; Finesse guide. With
HEARTBEAT_S this is a loss noticed 15-20 s after the last answer. Fewer: a busy server is taken for a dead one."""

IDLE_TIMEOUT_S = 20
"""IdleTimeout asked for in OPEN_REQ: the CTI server drops us when it hears nothing for so many seconds. Source:
GED-188, normally 4 heartbeats; under 20 the server refuses (E_CTI status 18). Must stay above
HEARTBEAT_S x HEARTBEATS_MISSED."""

CONNECT_TIMEOUT_S = 4.0
"""Seconds a TCP connect may take: two lost SYNs. Our choice: a side whose machine is gone answers nothing, and the
other, which may have come back meanwhile, waits for so long. Longer: recovery takes more than 10 s."""

OPEN_TIMEOUT_S = 30.0
"""Seconds until OPEN_CONF must have come. Source: GED-188 asks clients to wait at least 30 s (60 s on large systems).
Shorter: a loaded CTI server is abandoned just before it answers."""

CONFIG_TIMEOUT_S = 60.0
"""Seconds without any progress of the configuration download or the state queries after which the side is given up. Our
choice: a server that answers heartbeats and nothing else would keep the desktop out of service for ever."""

REQUEST_TIMEOUT_S = 10.0
"""Seconds until a request must have been answered. Our choice; agents see an error then; a late answer is ignored."""

CLOSE_TIMEOUT_S = 1.0
"""Seconds to wait for CLOSE_CONF when we stop. GED-188 says 5; we stop within 2 s in all, and close the socket
anyway."""

RETRY_FIRST_S = 1.0
"""Seconds of rest after every side was tried once without success; doubles each round."""

RETRY_MAX_S = 4.0
"""Longest rest between rounds. With CONNECT_TIMEOUT_S it bounds the time from a CTI server's return to the next attempt
at it. Longer: the desktop stays out of service although the CTI server is back."""

STABLE_S = 30.0
"""A link that was up for so long starts over with RETRY_FIRST_S; one that breaks sooner keeps its back-off."""

MAX_OUTSTANDING = 5000
"""Requests that may wait for an answer. Bounds memory; a round of queue statistics of real sites has under 1000."""

MAX_QUERIES = 50
"""State queries in flight while synchronising. More: the CTI server's other clients wait behind ours."""

STATISTICS_LEAST_S = 10.0
"""Shortest interval of rounds of queue statistics, and the usual one. Source: Finesse polls each queue every 10 s.
Shorter: sites with hundreds of queues load their CTI server."""
