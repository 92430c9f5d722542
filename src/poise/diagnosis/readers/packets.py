"""Packet captures, from the columns that tshark prints: who fell silent, and what was said where keys are known.

Theory: two passes. The first reads TCP alone and needs no keys: it knows of every connection which side stopped
sending, whose bytes were never acknowledged, who reset it and from how far away. The second reads HTTP, decrypted with
a key log, and gives the same exchanges that a HAR gives. Running tshark is not done here.

Source: diagnosis notes 1.5 and 3.3; RFC 9293 for what a reset and an acknowledgement mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from poise.diagnosis import timing
from poise.diagnosis.events import Event, Kind, Place
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.readers.exchanges import BODY_LIMIT, Exchange, tell

FORM = "packet capture"
MAGIC = (
    b"\xa1\xb2\xc3\xd4",
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x4d\x3c\xb2\xa1",
    b"\x0a\x0d\x0d\x0a",
)
"""First bytes of pcap (both orders, micro and nanoseconds) and pcapng."""
KEY_LOG_FORM = "TLS key log"
KEY_LOG_MARKS = (b"CLIENT_RANDOM ", b"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", b"SERVER_HANDSHAKE_TRAFFIC_SECRET ")

PORTS = frozenset({7443, 8445, 443, 7071, 5222, 5223})
"""Where a desktop's server listens. Captures without any of them are read whole."""
POLLS = 7443
"""Where long polls go as long as they have a port of their own."""
FLOWS_LIMIT = 50_000
EXCHANGES_LIMIT = 100_000
UNHEARD_TIMES = 2
"""Repetitions that nobody acknowledged from which on the other end counts as gone."""
LOSSY_PERCENT = 2.0
"""Share of repeated segments from which on a way counts as lossy."""

TCP_FIELDS = (
    "frame.number",
    "frame.time_epoch",
    "tcp.stream",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "ip.dst",
    "ipv6.dst",
    "tcp.dstport",
    "tcp.flags",
    "tcp.len",
    "ip.ttl",
    "tcp.analysis.retransmission",
    "tcp.analysis.ack_lost_segment",
    "tcp.analysis.zero_window",
)
"""Columns of the first pass; `tcp` is its filter."""
HTTP_FIELDS = (
    "frame.number",
    "frame.time_epoch",
    "tcp.stream",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "http.request.method",
    "http.host",
    "http.request.uri",
    "http.response.code",
    "http.time",
    "http.request_in",
    "http.content_length",
    "http.content_type",
    "http.authorization",
    "http.file_data",
    "x509sat.uTF8String",
    "x509sat.printableString",
    "tls.alert_message.desc",
)
"""Columns of the second."""
HTTP_FILTER = "http or tls.handshake.certificate or tls.alert_message"
AGGREGATOR = "\x1f"
"""Stands between several values of one column."""
ALERTS = {42: "bad_certificate", 45: "certificate_expired", 46: "certificate_unknown", 48: "unknown_ca"}
"""TLS alerts that refuse a certificate (RFC 8446, 6.2)."""

FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass(slots=True)
class Side:
    """What one end of a connection sent."""

    segments: int = 0
    repeated: int = 0
    last_data: float = 0.0
    ttl: int = 0
    zero_windows: int = 0
    finished: bool = False


@dataclass(slots=True)
class Flow:
    """One connection."""

    frame: int
    began: float
    client: str
    server: str
    port: int
    last: float = 0.0
    last_frame: int = 0
    sides: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))
    """Client, server."""
    syns: int = 0
    accepted: bool = False
    asked: tuple[float, int] | None = None
    """Since when, and at which frame, the client waits for bytes of the server."""
    unheard: int = 0
    """Repetitions since the server was heard last."""
    reset: tuple[float, int, int, int] | None = None
    """Time, frame, side (0 client), ttl."""
    lost: tuple[float, int, int] | None = None
    """Time, frame and number of segments that were acknowledged but never captured."""


class Flows:
    """All connections of a capture; `feed` in order of frames."""

    def __init__(self) -> None:
        self.flows: dict[int, Flow] = {}
        self.frames = 0
        self.first = self.last = 0.0
        self._sent: dict[tuple[str, int], list[tuple[float, float, int, bool]]] = {}
        self._recent: dict[tuple[str, int], tuple[float, int]] = {}

    def feed(self, row: Sequence[str]) -> None:
        """One segment: a row of `TCP_FIELDS`. Raises ValueError for a row that is none."""
        number, at, stream = int(row[0]), float(row[1]), int(row[2])
        source, target = row[3] or row[4], row[6] or row[7]
        source_port, target_port = int(row[5]), int(row[8])
        flags, size = int(row[9], 16), int(row[10] or 0)
        self.frames += 1
        self.first = self.first or at
        self.last = max(self.last, at)
        flow = self.flows.get(stream)
        if flow is None:
            if len(self.flows) >= FLOWS_LIMIT:
                return
            from_client = _from_client(flags, source_port, target_port)
            ends = (source, target, target_port) if from_client else (target, source, source_port)
            flow = self.flows[stream] = Flow(number, at, *ends)
        client = target_port == flow.port and source == flow.client
        side = flow.sides[0 if client else 1]
        side.segments += 1
        flow.last, flow.last_frame = at, number
        if flags & RST:
            flow.reset = flow.reset or (at, number, 0 if client else 1, int(row[11] or 0))
            return
        side.ttl = int(row[11] or side.ttl)
        side.finished = side.finished or bool(flags & FIN)
        side.zero_windows += bool(row[14])
        if row[13]:
            flow.lost = (at, number, (flow.lost[2] if flow.lost else 0) + 1)
        if flags & SYN:
            flow.syns += client
            flow.accepted = flow.accepted or not client
        if row[12]:
            side.repeated += 1
        if not client:
            flow.unheard = 0
        elif row[12]:
            flow.unheard += 1
        if size and not row[12]:
            self._data(flow, side, at, number, client)

    def _data(self, flow: Flow, side: Side, at: float, number: int, client: bool) -> None:
        side.last_data = at
        if not client:
            flow.asked = None
            return
        flow.asked = flow.asked or (at, number)
        key = (flow.client, flow.port)
        before = self._recent.get(key)
        if before is not None and at - before[0] > timing.IDLE_LIMIT_S + timing.WAIT_S:
            pauses = self._sent.setdefault(key, [])
            if len(pauses) < 1_000:
                pauses.append((before[0], at, before[1], self._answered(key, before[0])))
        self._recent[key] = (at, number)

    def _answered(self, key: tuple[str, int], since: float) -> bool:
        """Whether everything this client asked for had come, when it fell silent."""
        mine = [flow for flow in self.flows.values() if (flow.client, flow.port) == key and flow.last >= since]
        return not any(flow.asked is not None and flow.asked[0] <= since for flow in mine)

    def events(self, file: int) -> list[Event]:
        """What the connections tell, with the client's address where the agent's name belongs."""
        chosen = [flow for flow in self.flows.values() if flow.port in PORTS] or list(self.flows.values())
        told = [event for flow in chosen for event in _flow_events(flow, file, self.last)]
        ports = {flow.port for flow in chosen}
        port = POLLS if POLLS in ports else None
        for key, (at, number) in self._recent.items():
            if key[1] in ports and self.last - at > timing.IDLE_LIMIT_S + timing.WAIT_S:
                self._sent.setdefault(key, []).append((at, self.last, number, self._answered(key, at)))
        for (client, to), pauses in self._sent.items():
            if to not in ports or (port is not None and to != port):
                continue
            for since, until, number, answered in pauses:
                text = f"#{number} {client} sent nothing to port {to} for {until - since:.1f} s"
                text += ", all it had asked for was answered" if answered else ", its last request was not answered"
                told.append(
                    Event(
                        since,
                        Kind.CLIENT_SILENT,
                        Place(file, number),
                        client,
                        "",
                        "answered" if answered else "unanswered",
                        until - since,
                        None,
                        text,
                    )
                )
        return told


def _from_client(flags: int, source_port: int, target_port: int) -> bool:
    """Whose segment a connection's first one is."""
    if flags & SYN:
        return not flags & ACK
    if (source_port in PORTS) != (target_port in PORTS):
        return target_port in PORTS
    return source_port > target_port


def _flow_events(flow: Flow, file: int, end: float) -> list[Event]:
    client, server = flow.sides
    ends = f"{flow.client} -> {flow.server}:{flow.port}"
    told = []

    def tell(kind: Kind, at: float, number: int, text: str, word: str, value: float, second: float | None) -> None:
        told.append(
            Event(at, kind, Place(file, number), flow.client, "", word, value, second, f"#{number} {ends} {text}")
        )

    if flow.syns and not flow.accepted:
        if flow.reset is not None:
            tell(Kind.CONNECT_FAILED, flow.reset[0], flow.frame, "connection refused", "refused", flow.port, None)
        elif flow.syns > 1:
            text = f"no answer to {flow.syns} connection attempts"
            tell(Kind.CONNECT_FAILED, flow.began, flow.frame, text, "unanswered", flow.port, float(flow.syns))
        return told
    if flow.unheard >= UNHEARD_TIMES and flow.asked is not None:
        text = f"sent, repeated {flow.unheard} times and never acknowledged"
        tell(
            Kind.UNHEARD, flow.asked[0], flow.asked[1], text, "client", flow.unheard, (flow.last - flow.asked[0]) * 1000
        )
    elif flow.asked is not None and end - flow.asked[0] > timing.GIVE_UP_MS[1] / 1000:
        waited = min(end, flow.last if flow.reset or client.finished else end) - flow.asked[0]
        if waited > timing.GIVE_UP_MS[0] / 1000:
            text = f"acknowledged, but no answer for {waited:.1f} s"
            tell(Kind.NO_ANSWER, flow.asked[0], flow.asked[1], text, "server", waited, waited * 1000)
    if flow.reset is not None and not client.finished:
        at, number, side, ttl = flow.reset
        usual = flow.sides[side].ttl
        if side == 1 and (flow.asked is not None or (ttl and usual and ttl != usual)):
            text = f"reset by {flow.server if side else flow.client} (TTL {ttl}, its other packets {usual})"
            tell(Kind.RESET, at, number, text, "server", ttl, float(usual))
    for name, one in (("client", client), ("server", server)):
        if one.zero_windows:
            text = f"{one.zero_windows} times the {name} could take no more data"
            tell(Kind.ZERO_WINDOW, flow.last, flow.last_frame, text, name, one.zero_windows, None)
    segments, repeated = client.segments + server.segments, client.repeated + server.repeated - flow.unheard
    if repeated >= 5 and repeated * 100 / segments >= LOSSY_PERCENT:
        percent = round(repeated * 100 / segments, 1)
        text = f"{repeated} of {segments} segments had to be repeated"
        tell(Kind.REPEATED, flow.last, flow.last_frame, text, "", percent, None)
    if flow.lost is not None:
        text = f"{flow.lost[2]} segments were acknowledged that the capture lacks"
        tell(Kind.CAPTURE_GAP, flow.lost[0], flow.lost[1], text, "", flow.lost[2], None)
    return told


def read(evidence: Evidence, file: int, tcp: Iterable[Sequence[str]], http: Iterable[Sequence[str]]) -> frozenset[int]:
    """Read one capture: rows of the first pass, then of the second. Returns the servers' ports in it."""
    entry = evidence.files[file]
    entry.clock.source = "in every line"
    flows = Flows()
    for row in tcp:
        entry.lines += 1
        try:
            flows.feed(row)
        except ValueError:
            continue
        entry.understood += 1
    if flows.frames:
        entry.span(flows.first)
        entry.span(flows.last)
    else:
        entry.trouble = entry.trouble or "holds no TCP"
    exchanges = _exchanges(evidence, file, http, flows)
    tell(evidence, file, exchanges, ends=flows.last)
    for event in flows.events(file):
        evidence.add(event)
    ports = frozenset(flow.port for flow in flows.flows.values())
    if not exchanges and ports & PORTS:
        entry.remark = "encrypted"
    return ports


def _exchanges(evidence: Evidence, file: int, rows: Iterable[Sequence[str]], flows: Flows) -> list[Exchange]:
    made: dict[int, Exchange] = {}
    for row in rows:
        if len(row) != len(HTTP_FIELDS) or len(made) >= EXCHANGES_LIMIT:
            continue
        try:
            number, at, stream = int(row[0]), float(row[1]), int(row[2])
            flow = flows.flows.get(stream)
            client = flow.client if flow is not None else row[3] or row[4]
            one = [column.split(AGGREGATOR, 1)[0] for column in row]
            if one[6]:
                made[number] = Exchange(
                    number,
                    at,
                    one[6].upper(),
                    _url(one[7], one[8]),
                    took_ms=None,
                    request=_body(one[15]),
                    authorization=one[14],
                    address=client,
                )
            elif one[9] and one[11] and (asked := made.get(int(one[11]))) is not None:
                asked.status, asked.took_ms = int(one[9]), (at - asked.at) * 1000
                asked.answer, asked.answer_type = _body(one[15]), one[13]
                asked.answer_bytes = int(one[12]) if one[12].isdigit() else len(asked.answer) or None
            else:
                _tls(evidence, file, number, at, client, row)
        except ValueError:
            continue
    for number, exchange in made.items():
        _unanswered(exchange, number, flows)
    return list(made.values())


def _unanswered(exchange: Exchange, number: int, flows: Flows) -> None:
    """An open request lasted until the capture ended or its connection was over."""
    if exchange.status or flows.last - exchange.at < timing.GIVE_UP_MS[0] / 1000:
        return
    for flow in flows.flows.values():
        if flow.asked is not None and flow.asked[1] == number and (flow.reset or flow.sides[0].finished):
            exchange.took_ms = max(0.0, (flow.last - exchange.at) * 1000)
            return
    exchange.took_ms = (flows.last - exchange.at) * 1000


def _tls(evidence: Evidence, file: int, number: int, at: float, client: str, row: Sequence[str]) -> None:
    names = [name for column in (row[16], row[17]) for name in column.split(AGGREGATOR) if name]
    if names:
        text = f"#{number} certificate: {', '.join(names[:8])}"
        evidence.add(Event(at, Kind.ISSUER, Place(file, number), client, "", " ".join(names)[:200], None, None, text))
    for alert in row[18].split(AGGREGATOR):
        if alert.isdigit() and int(alert) in ALERTS:
            word = ALERTS[int(alert)]
            text = f"#{number} TLS alert {word}"
            evidence.add(Event(at, Kind.NO_TRUST, Place(file, number), client, "", word, None, None, text))


def _url(host: str, path: str) -> str:
    return path if path.startswith(("http:", "https:")) else f"https://{host}{path}"


def _body(text: str) -> str:
    """A body as text: tshark 4.2 and later print hexadecimal digits."""
    if text and len(text) % 2 == 0 and text[:2] == "3c":
        try:
            return bytes.fromhex(text[: 2 * BODY_LIMIT]).decode("utf-8", "replace")
        except ValueError:
            pass
    return text[:BODY_LIMIT]
