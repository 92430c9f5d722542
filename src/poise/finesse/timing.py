"""The times of the presence-driven logout, once, with where they come from and what breaks if they are changed."""

from __future__ import annotations

GRACE_S = 60.0
"""Seconds from the last `unavailable` to the forced logout.

Source: the seed ("60 seconds later a presence-driven logout may occur") and the Finesse administration guide, failover
mechanisms. Shorter: a browser refresh on a slow machine signs the agent out. Longer: calls ring at an empty chair.
Together with the idle limit and the reaper of the notification service it makes the 180 s worst case operators know.
"""

MONITOR_S = 30.0
"""Seconds between two AGENT_PRESENCE_MONITOR lines while a logout is pending.

Source: the distance of those lines in the seed's web services log. Log readers and `poise.diagnosis` expect one between
the loss of presence and the logout; at GRACE_S or more there is none.
"""

RETURN_LIMIT_S = 60.0
"""Seconds after the listeners open in which agents who were present before a restart are expected back.

Source: the idle limit of a BOSH session: whoever could stay silent that long before the restart may do so after it.
Shorter: a restart signs out agents whose clients wait between two attempts (JabberWerx waits 30 s).
"""

RETRY_S = 30.0
"""Seconds after which a forced logout that changed nothing is sent again.

Source: our decision; the longest time a CTI client waits for a confirmation (GED-188 guide, opening a session). Without
it one lost request leaves an agent READY with nobody in front of the screen.
"""
