"""Times that the rules reckon with, once each: meaning, source, and what breaks if they are wrong.

They are those of a Finesse server as shipped; Poise's own defaults are the same (see the timing modules of its rooms).
"""

from __future__ import annotations

WAIT_S = 30.0
"""A long poll is held so long (seed). Too small: the interval of last contact would exclude the truth."""
REAPER_S = 30.0
"""Period of the reaper (diagnosis notes 2). Closings of unrelated agents cluster at its ticks."""
IDLE_LIMIT_S = 60.0
"""Idle limit of a session (seed)."""
GRACE_S = 60.0
"""From unavailable to forced logout (seed)."""
ACCOUNT_S = 150.0
"""Two signs of one disconnect lie at most so far apart: 120 s until the server notices, and a client's banner after
about 147 s."""
BEFORE_S = 300.0
"""How far back of a disconnect its cause is looked for: hidden tabs are throttled after 5 minutes."""
AFTER_S = 240.0
"""How far behind it what followed is looked for: grace, logout, recovery."""
TOGETHER_S = 60.0
"""Agents whose last contact lies within so many seconds went silent together."""
RESYNC_S = 10.0
"""States told so near to the opening of the CTI link are the tale of what has been, not news: 2,000 agents take a few
seconds. Too small: every agent who was signed out long ago looks signed out now."""
COUNTER_SLACK_S = 2.0
"""An idle counter and the clock beside it may differ by the stamps' resolution, not by more."""
DRIFT_PERIOD_S = 60.0
"""A desktop measures drift and latency once a minute (seed)."""
FROZEN_S = 90.0
"""Longer without any record: the page did not run."""
STEP_MS = 2_000.0
"""A drift that jumps further between two measurements is a clock that was set."""
SLOW_MS = 300.0
"""Round trips above it are trouble on the way (diagnosis notes C5: 200 to 400)."""
THROTTLED_S = (55.0, 66.0)
"""Pause between answer and next poll in a tab whose timers run once a minute."""
HIDDEN_S = (0.7, 1.3)
"""The same in a tab that is merely hidden."""
GIVE_UP_MS = (32_000.0, 40_000.0)
"""A client gives a poll up after 33 s (Strophe) or 35 s (JabberWerx)."""
PING_S = 10.0
"""A WebSocket desktop pings so often (Cisco's developer guide, 12.5). Too large: silence is told too late."""
PING_RETRIES = 2
"""Pings without answer that it bears (the same)."""
