"""Evidence made of lines, for the stories of this room."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from poise.diagnosis import reading
from poise.diagnosis.analysis import Analysis, Verdict, analyse
from poise.diagnosis.events import Event, Kind
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import Budget

SAMPLES = Path(__file__).parents[2] / "samples" / "logs"
START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC).timestamp()
"""09:00:00 UTC: where every story begins."""


def read(files: Mapping[str, str | bytes], zone_s: float | None = None) -> Evidence:
    """The evidence in these files."""
    evidence = Evidence(zone_s)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        reading.read(evidence, name, io.BufferedReader(io.BytesIO(data)), Budget())
    return evidence


def samples(*names: str) -> dict[str, str | bytes]:
    """Sample files by name."""
    return {name: (SAMPLES / name).read_bytes() for name in names}


def analysed(files: Mapping[str, str | bytes]) -> Analysis:
    """Findings of these files."""
    return analyse(read(files))


def only(files: Mapping[str, str | bytes]) -> Verdict:
    """The one disconnect that these files tell."""
    verdicts = analysed(files).verdicts
    assert len(verdicts) == 1, [(v.incident.agent, v.best.cause.id) for v in verdicts]
    return verdicts[0]


def events(evidence: Evidence, *kinds: Kind) -> list[Event]:
    """Events of these kinds, in order of time."""
    return list(evidence.timeline(kinds or None))


def openfire(*lines: tuple[float, str]) -> str:
    """A log of the notification service: (seconds after START, text)."""
    return "".join(f"{datetime.fromtimestamp(START + at, UTC):%Y.%m.%d %H:%M:%S} {text}\n" for at, text in lines)


def epoch(at: float) -> tuple[float, str]:
    """The statistics line that tells this file's zone."""
    return at, f"time={round((START + at) * 1000)},JID=1009@fin1/desktop,msgs_sent=1"


def tick(at: float, idle_ms: int, agent: str = "1001", sid: str = "aa", ip: str = "") -> tuple[float, str]:
    """The reaper's look at a session."""
    return at, f"Session (id={sid}) was last active {idle_ms} ms ago: {agent}@fin1/desktop" + (
        f" from IP {ip}" if ip else ""
    )


def closing(at: float, agent: str = "1001", sid: str = "aa", ip: str = "") -> tuple[float, str]:
    """The reaper's closing."""
    return at, f"Closing idle session (id={sid}): {agent}@fin1/desktop" + (f" from IP {ip}" if ip else "")


def webservices(*lines: tuple[float, str, str]) -> str:
    """A web services log: (seconds after START, mnemonic, text)."""
    rows = []
    for number, (at, mnemonic, text) in enumerate(lines, 1):
        when = datetime.fromtimestamp(START + at, UTC)
        stamp = f"{when:%b %d %Y %H:%M:%S}.{when.microsecond // 1000:03d} +0000"
        rows.append(f"{number:010d}: fin1: {stamp}: %CCBU_pool-8-thread-1-6-{mnemonic}: {text}\n")
    return "".join(rows)


def state(at: float, word: str, number: int, reason: int, agent: str = "1001") -> tuple[float, str, str]:
    """An agent-state event of the CTI server."""
    event = f"CTIAgentStateEvent [agentState={number} ({word}), eventReasonCode={reason}, agentID={agent}]"
    return at, "DECODED_MESSAGE_FROM_CTI_SERVER", f"%[cti_message={event}]: Decoded Message"


def unavailable(at: float, agent: str = "1001") -> tuple[float, str, str]:
    """Presence is gone."""
    return (
        at,
        "PRESENCE_NOTIFICATION_RECIEVED",
        f"%[agent_id={agent}][presence_type=unavailable]: Received presence notification",
    )


def available(at: float, agent: str = "1001") -> tuple[float, str, str]:
    """Presence is there."""
    return (
        at,
        "PRESENCE_NOTIFICATION_RECIEVED",
        f"%[agent_id={agent}][presence_type=available]: Received presence notification",
    )


def client(
    *lines: tuple[float, str], browser: str = "Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.0.0 Safari/537.36"
) -> str:
    """A client log: (seconds after START, text)."""
    rows = [browser + "\n"] if browser else []
    for at, text in lines:
        when = datetime.fromtimestamp(START + at, UTC)
        rows.append(f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d} +00:00: : fin1: --- : Header : {text}\n")
    return "".join(rows)


def drift(at: float, drift_ms: int = 5, trip_ms: int = 14) -> tuple[float, str]:
    """The desktop's measurement, once a minute."""
    return at, f"Client: x, Server: y, Drift: {drift_ms}ms, Network Latency (round trip): {trip_ms}ms"


def har(
    *entries: tuple[float, float | None, int, str], url: str = "https://fin1:7443/http-bind/", agent: str = "1001"
) -> str:
    """A HAR of polls: (seconds after START, ms it took or None, status, answer)."""
    rows: list[dict[str, object]] = []
    for at, took, status, answer in entries:
        start = datetime.fromtimestamp(START + at, UTC).isoformat()
        body = f"<body rid='{7000 + round(at)}' sid='aa'/>"
        rows.append(
            {
                "startedDateTime": start,
                "time": -1 if took is None else took,
                "request": {"method": "POST", "url": url, "postData": {"text": body}, "headers": []},
                "response": {
                    "status": status,
                    "content": {"text": answer, "size": len(answer), "mimeType": "text/xml"},
                },
            }
        )
    rows.append(
        {
            "startedDateTime": datetime.fromtimestamp(START, UTC).isoformat(),
            "time": 5,
            "request": {"method": "GET", "url": f"https://fin1:8445/finesse/api/User/{agent}", "headers": []},
            "response": {"status": 200, "content": {"text": "<User/>", "size": 7}},
        }
    )
    return json.dumps({"log": {"version": "1.2", "entries": rows}})


EMPTY = "<body xmlns='http://jabber.org/protocol/httpbind'></body>"
