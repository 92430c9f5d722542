"""What the logs say about one silent client, read in the order of the seed; the times between the lines.

The same reading serves the stories on a moved clock and the proof in real time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.e2e.stage import in_order, read_log, seconds_between

Line = re.Match[str]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The lines, each found after the one before it in its file."""

    sid: str
    idle_ms: tuple[int, ...]
    """What the reaper found at each of its looks, milliseconds."""
    ticks: tuple[Line, ...]
    """debug.log: the session idle ticks."""
    statistics: Line
    closing: Line
    """info.log: Closing idle session, with its second line."""
    threshold: Line
    closed: Line
    presence: Line
    """web services log, from here on."""
    unsubscribed: Line
    absent: Line
    monitor: Line
    logout: Line
    message: Line
    decoded: Line
    stored: Line
    """debug.log: the notification that found nobody."""

    def check(
        self,
        *,
        idle_s: float = 60,
        tick_s: float = 30,
        grace_s: float = 60,
        monitor_s: float = 30,
        slack_s: float = 0.1,
    ) -> None:
        """The times between the lines. `slack_s`: how late a timer may be, which on a moved clock is never."""
        silent = [ms for ms in self.idle_ms if ms]
        assert all(
            abs(later - earlier - tick_s * 1000) <= 100 + slack_s * 1000 for earlier, later in pairwise(silent)
        ), silent
        assert silent[-1] > idle_s * 1000, silent
        assert all(ms <= idle_s * 1000 for ms in silent[:-1]), silent
        assert 0 <= seconds_between(self.closing, self.closed) <= slack_s * 10
        assert 0 <= seconds_between(self.closed, self.presence) < 1 + slack_s  # info.log knows whole seconds only
        assert abs(seconds_between(self.absent, self.monitor) - monitor_s) <= slack_s
        assert abs(seconds_between(self.absent, self.logout) - grace_s) <= slack_s
        assert 0 <= seconds_between(self.logout, self.message) <= slack_s
        assert 0 <= seconds_between(self.message, self.decoded) <= 1
        assert -1 <= seconds_between(self.decoded, self.stored) <= 2
        numbers = [
            int(line[0].partition(":")[0])
            for line in (self.presence, self.unsubscribed, self.absent, self.monitor, self.logout, self.message)
        ]
        assert numbers == sorted(numbers), "the web services' own counting is the order of what happened"


def read_testimony(data: Path, sid: str, user: str, decoded: str, resource: str = "desktop") -> Witnessed:
    """Read the logs under a data folder. `decoded`: pattern of the state the CTI server reported at last."""
    jid = re.escape(f"{user}@localhost/{resource}")
    id_ = re.escape(sid)
    debug, info, web = (read_log(data, name) for name in ("debug.log", "info.log", "webservices"))
    tick = re.compile(rf"^.*Session \(id={id_}\) was last active (\d+) ms ago: {jid}$", re.MULTILINE)
    ticks = tuple(tick.finditer(debug))
    assert ticks, "the reaper never looked at the session"
    closing, threshold, closed = in_order(
        info,
        rf"Closing idle session \(id={id_}\): {jid}$",
        r"^after inactivity for more than threshold value of \d+$",
        f"A session is closed for {jid}$",
    )
    forced = rf"reason code: 255, forceflag :1, agentcapacity: 1, agenttext: {user}, agentid: {user}"
    lines = in_order(
        web[web.index(f"[agent_id={user}][resource={resource}][presence_type=available]") :],
        rf"%CCBU_Smack Listener Processor \(1\)-6-PRESENCE_NOTIFICATION_RECIEVED: .*{user}.*unavailable",
        rf"%CCBU_Smack Listener Processor \(1\)-6-UNSUBSCRIBED: .*{user}",
        rf"%CCBU_Smack Listener Processor \(1\)-6-AGENT_PRESENCE: .*{user}.*UNAVAILABLE",
        f"%CCBU_pool-8-thread-1-6-AGENT_PRESENCE_MONITOR: .*{user}",
        f"%CCBU_CoreImpl-worker12-6-PRESENCE DRIVEN LOGOUT: .*{user}",
        f"%CCBU_CoreImpl-worker12-6-MESSAGE_TO_CTI_SERVER: .*agentstate : 1, workmode : 0, {forced}",
        f"%CCBU_CTIMessageEventExecutor-0-6-DECODED_MESSAGE_FROM_CTI_SERVER: .*AgentStateEvent.*{decoded}",
    )
    presence, unsubscribed, absent, monitor, logout, message, answer = lines
    last = ticks[-1]
    stored = in_order(
        debug[last.end() :],
        "Unable to route packet. No session is available so store offline. "
        f'<message xmlns="jabber:client" from="pubsub.localhost" to="{user}@localhost"',
    )[0]
    statistics = in_order(debug[last.end() :], rf"time=\d{{13}},JID={jid},msgs_sent=\d+,msgs_received=\d+")[0]
    return Witnessed(
        sid,
        tuple(int(match[1]) for match in ticks),
        ticks,
        statistics,
        closing,
        threshold,
        closed,
        presence,
        unsubscribed,
        absent,
        monitor,
        logout,
        message,
        answer,
        stored,
    )
