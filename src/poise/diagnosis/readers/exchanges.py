"""What HAR, SAZ, mitmproxy and packet captures have in common: HTTP requests with their answers, seen from outside.

Theory: the class of a poll's answer decides, not its bytes: empty, data, terminate, not a `<body>` at all, or nothing.
Source: diagnosis notes 1.5; a poll's empty answer is 57 bytes (the seed).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from poise.diagnosis import timing
from poise.diagnosis.events import TEXT_LIMIT, Event, Kind, Place, agent_of
from poise.diagnosis.evidence import Evidence

EMPTY_BYTES = 57
"""Length of the answer to a poll that brings nothing."""
BODY_LIMIT = 4_096
"""Characters kept of a body: sid, rid, type, condition and addresses all stand at its beginning, and 20,000 exchanges
stay under 200 MB."""

SID = re.compile(r"\bsid=['\"]([^'\"]+)")
RID = re.compile(r"\brid=['\"](\d+)")
TYPE = re.compile(r"<body\b[^>]*\btype=['\"]terminate['\"]")
CONDITION = re.compile(r"<body\b[^>]*\bcondition=['\"]([\w-]+)")
STREAM_ERROR = re.compile(r"<stream:error>\s*<([\w-]+)")
"""Says more than the body's `remote-stream-error`."""
TO_AGENT = re.compile(r"\bto=['\"]([\w.+-]+)@")
USER = re.compile(r"/finesse/api/User/([\w.-]+)", re.IGNORECASE)


@dataclass(slots=True)
class Exchange:
    """One request and what became of it."""

    number: int
    """Entry in the capture, from 1."""
    at: float
    """Begin of the request, seconds since 1970."""
    method: str
    url: str
    status: int = 0
    """0: no answer."""
    took_ms: float | None = None
    """None: never ended, as far as the capture goes."""
    error: str = ""
    """What the browser or proxy said of it, such as net::ERR_CONNECTION_RESET."""
    request: str = ""
    answer: str = ""
    answer_bytes: int | None = None
    answer_type: str = ""
    authorization: str = ""
    agent: str = ""
    aborted: bool = False
    address: str = ""
    """The client's, where the capture tells it; stands for the agent until somebody names them."""
    frames: tuple[tuple[float, bool], ...] = ()
    """Of a WebSocket: seconds since 1970 and whether the client sent it."""


def tell(evidence: Evidence, file: int, exchanges: list[Exchange], ends: float = 0.0) -> None:
    """Add what the exchanges say, in order of time; sids lead from one to the next, so that every poll gets its
    agent. `ends`: when the recording ended, if that is known."""
    exchanges.sort(key=lambda exchange: exchange.at)
    whose = {sid[1]: agent for e in exchanges if (sid := SID.search(e.request + e.answer)) and (agent := _agent(e))}
    only = {agent for e in exchanges if (agent := _agent(e))}
    fallback = only.pop() if len(only) == 1 else ""
    by_address = {e.address: agent for e in exchanges if e.address and (agent := _agent(e))}
    last_at = max(ends, max((e.at + (e.took_ms or 0) / 1000 for e in exchanges), default=0.0))
    websockets = [e for e in exchanges if _is_websocket(e)]
    if websockets and not any("http-bind" in e.url for e in exchanges):
        evidence.files[file].remark = "websocket-era"
    for exchange in exchanges:
        sid = SID.search(exchange.request) or SID.search(exchange.answer)
        named = _agent(exchange) or (whose.get(sid[1], "") if sid else "")
        agent = named or (by_address.get(exchange.address, exchange.address) if exchange.address else fallback)
        if named and exchange.address:
            evidence.seen(named, exchange.address)
        if exchange in websockets and (ended := _websocket_end(exchange, file, agent, last_at)) is not None:
            evidence.add(ended)
        event = _event(exchange, file, agent, sid[1] if sid else "", last_at)
        if event is not None:
            evidence.add(event)


def _agent(exchange: Exchange) -> str:
    if exchange.agent:
        return agent_of(exchange.agent)
    if exchange.authorization.lower().startswith("basic "):
        try:
            name = base64.b64decode(exchange.authorization[6:].strip(), validate=False).decode("utf-8", "replace")
        except ValueError:
            name = ""
        if ":" in name:
            return agent_of(name.partition(":")[0])
    if match := TO_AGENT.search(exchange.answer):
        return agent_of(match[1])
    if match := USER.search(exchange.url):
        return agent_of(match[1])
    return ""


def _event(exchange: Exchange, file: int, agent: str, sid: str, last_at: float) -> Event | None:
    path = exchange.url.partition("?")[0]
    place = Place(file, exchange.number)
    size = "-" if exchange.answer_bytes is None else str(exchange.answer_bytes)
    took = "no end" if exchange.took_ms is None else f"{exchange.took_ms:.0f} ms"
    line = f"#{exchange.number} {exchange.method} {path} {exchange.status or '-'} {size} bytes {took}"
    line = f"{line} {exchange.error}".strip()[:TEXT_LIMIT]
    if exchange.method == "CONNECT":
        return Event(exchange.at, Kind.TUNNEL, place, agent, "", path, float(exchange.status), None, line)
    if _is_websocket(exchange):
        return Event(
            exchange.at,
            Kind.WEBSOCKET,
            place,
            agent,
            "",
            exchange.error,
            float(exchange.status),
            exchange.took_ms,
            line,
        )
    if "http-bind" in path:
        if exchange.method == "OPTIONS":
            return Event(
                exchange.at, Kind.PREFLIGHT, place, agent, "", "", float(exchange.status), exchange.took_ms, line
            )
        return Event(
            exchange.at,
            Kind.POLL,
            place,
            agent,
            sid,
            came(exchange, last_at),
            float(exchange.status),
            exchange.took_ms,
            line,
        )
    if "ERR_CERT" in exchange.error or "CERT_" in exchange.error:
        return Event(exchange.at, Kind.NO_TRUST, place, agent, "", exchange.error, None, None, line)
    if "/finesse/api/" in path or "systeminfo" in path.lower():
        return Event(
            exchange.at,
            Kind.REST,
            place,
            agent,
            "",
            path.rpartition("/finesse/api/")[2],
            float(exchange.status),
            exchange.took_ms,
            line,
        )
    return None


def _is_websocket(exchange: Exchange) -> bool:
    path = exchange.url.partition("?")[0]
    return exchange.url.startswith(("ws:", "wss:")) or "/ws/" in path or path.endswith("/ws")


def _websocket_end(exchange: Exchange, file: int, agent: str, last_at: float) -> Event | None:
    """A WebSocket that ended while the recording went on, and who had fallen silent before it did."""
    if exchange.status not in (0, 101) or exchange.took_ms is None or not exchange.frames:
        return None
    end = exchange.at + exchange.took_ms / 1000
    if last_at - end < timing.PING_S and not exchange.error:
        return None  # it may be open still: the recording ended with it
    sent = max((at for at, client in exchange.frames if client), default=exchange.at)
    came_at = max((at for at, client in exchange.frames if not client), default=exchange.at)
    quiet = timing.PING_S * (timing.PING_RETRIES + 1) - 1
    who = "client" if end - sent > quiet else "server" if sent - came_at > timing.PING_S else "nobody"
    text = f"#{exchange.number} WebSocket ended {end - came_at:.1f} s after the last frame came"
    text += f" and {end - sent:.1f} s after the last one was sent {exchange.error}".rstrip()
    place = Place(file, exchange.number)
    return Event(end, Kind.WEBSOCKET_ENDED, place, agent, "", who, end - came_at, end - sent, text)


def came(exchange: Exchange, last_at: float) -> str:
    """What a poll brought, in one word (see `Kind.POLL`)."""
    if "ERR_CERT" in exchange.error or "CERT_" in exchange.error:
        return "no-trust"
    if exchange.status == 0:
        pending = exchange.took_ms is None or exchange.took_ms < 0
        if pending and not exchange.error and not exchange.aborted and last_at - exchange.at < 35:
            return "end-of-recording"
        return "aborted" if exchange.aborted or "ABORT" in exchange.error.upper() else "none"
    if exchange.status == 404:
        return "unknown-session"
    if exchange.status >= 500:
        return "gateway" if exchange.status in (502, 503, 504) else "server-error"
    if exchange.status in (403, 407):
        return "forbidden"
    if TYPE.search(exchange.answer):
        stream = STREAM_ERROR.search(exchange.answer)
        condition = CONDITION.search(exchange.answer)
        return "terminate:" + (f"stream-error:{stream[1]}" if stream else condition[1] if condition else "")
    if (
        exchange.answer.lstrip()[:6].lower() in ("<html>", "<html ", "<!doct", "<head>")
        or "text/html" in exchange.answer_type
    ):
        return "html"
    if exchange.answer_bytes == EMPTY_BYTES or re.fullmatch(r"<body [^>]*?(?:/>|></body>)\s*", exchange.answer):
        return "empty"
    return "data"
