"""Access logs, flows of mitmproxy, pasted command output and WebSockets: real shapes, read field by field."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.diagnosis import reading
from poise.diagnosis.causes import Confidence
from poise.diagnosis.events import Kind
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import Budget
from poise.diagnosis.readers import access, commands, flows
from tests.unit.diagnosis.evidence_kit import (
    EMPTY,
    START,
    analysed,
    closing,
    epoch,
    events,
    har,
    only,
    openfire,
    read,
    samples,
    tick,
)

# access logs


def access_line(at: float, status: int = 200, size: int = 57, ms: int = 30000, client: str = "10.9.1.7") -> str:
    when = datetime.fromtimestamp(START + at, UTC)
    return f'{client} - - [{when:%d/%b/%Y:%H:%M:%S} +0000] "POST /http-bind/ HTTP/1.1" {status} {size} {ms}\n'


def test_the_published_access_log_is_understood_whole() -> None:
    (file,) = read(samples("cisco-tomcat-access-finesse-9x-TAC116255.log")).files
    assert (file.form, file.understood, file.unknown) == (access.FORM, file.lines, {})


def test_an_access_log_tells_the_polls_around_a_pause_and_begins_them_when_they_were_asked() -> None:
    text = "".join(access_line(at) for at in (30, 60, 90, 180, 210))
    found = events(read({"localhost_access_log": text}), Kind.POLL)
    assert [(e.at - START, e.word, e.agent) for e in found] == [
        (60.0, "empty", "10.9.1.7"),
        (150.0, "empty", "10.9.1.7"),
        (180.0, "empty", "10.9.1.7"),
    ]


def test_a_millionth_of_the_polls_is_kept_when_all_is_well() -> None:
    text = "".join(access_line(at) for at in range(30, 30 * 1000, 30))
    assert len(read({"localhost_access_log": text}).events) == 1


def test_a_gateways_error_in_nginx_is_the_proxys_fault_and_the_address_gets_its_name() -> None:
    log = access_line(29, 504, 160, 29_900)
    who = '10.9.1.7 - - [02/Mar/2026:08:59:00 +0000] "GET /finesse/api/User/1001 HTTP/1.1" 200 900 12\n'
    verdict = only({"access.log": who + log})
    assert (verdict.incident.agent, verdict.best.cause.id) == ("1001", "N2")
    assert verdict.best.confidence is Confidence.CERTAIN


def test_nginx_says_in_its_error_log_that_the_server_did_not_answer() -> None:
    line = (
        "2026/03/02 09:00:31 [error] 12#12: *5 upstream timed out (110: Connection timed out) while reading response "
        'header from upstream, client: 10.9.1.7, server: fin1, request: "POST /http-bind/ HTTP/1.1", '
        'upstream: "https://10.1.1.1:7443/http-bind/"\n'
    )
    evidence = read({"error.log": line})
    (event,) = evidence.events
    assert (evidence.files[0].form, event.word, event.number) == (access.ERROR_FORM, "gateway", 504.0)
    assert event.at == START + 31


# flows of mitmproxy


def netstring(value: Any) -> bytes:
    match value:
        case bool():
            data, kind = str(value).lower().encode(), b"!"
        case None:
            data, kind = b"", b"~"
        case int():
            data, kind = str(value).encode(), b"#"
        case float():
            data, kind = repr(value).encode(), b"^"
        case bytes():
            data, kind = value, b","
        case str():
            data, kind = value.encode(), b";"
        case list():
            data, kind = b"".join(map(netstring, value)), b"]"
        case _:
            data, kind = b"".join(netstring(k) + netstring(v) for k, v in value.items()), b"}"
    return str(len(data)).encode() + b":" + data + kind


def flow(at: float, took_s: float | None, status: int, body: bytes, path: str = "/http-bind/") -> bytes:
    request = {
        "method": b"POST",
        "scheme": b"https",
        "host": "fin1",
        "port": 7443,
        "path": path.encode(),
        "headers": [[b"Authorization", b"Basic MTAwMTp4"]],
        "content": b"<body rid='7' sid='aa'/>",
        "timestamp_start": START + at,
    }
    response = None
    if status:
        end = None if took_s is None else START + at + took_s
        response = {"status_code": status, "headers": [], "content": body, "timestamp_end": end}
    return netstring({"type": "http", "request": request, "response": response, "error": None, "version": 21})


def test_flows_of_mitmproxy_are_read_without_mitmproxy() -> None:
    data = flow(0, 30, 200, EMPTY.encode()) + flow(30, 29, 504, b"<html>504 Gateway Time-out</html>")
    evidence = read({"desk.mitm": data})
    assert evidence.files[0].form == flows.FORM
    found = [(e.agent, e.session, e.word, e.number) for e in evidence.events]
    assert found == [("1001", "aa", "empty", 200.0), ("1001", "aa", "gateway", 504.0)]
    assert only({"desk.mitm": data}).best.cause.id == "N2"


def test_a_flow_file_that_was_cut_off_keeps_what_came_before() -> None:
    evidence = read({"desk.mitm": flow(0, 30, 200, EMPTY.encode()) + flow(30, 29, 200, b"")[:-40]})
    assert (len(evidence.events), "cut off" in evidence.files[0].trouble) == (1, True)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader_of_flows(junk: bytes) -> None:
    for data in (junk, b"20:1:a;" + junk, flow(0, 1, 200, junk) + junk):
        evidence = Evidence()
        flows.read(evidence, evidence.open("x", flows.FORM), io.BytesIO(data))


@given(st.lists(st.binary(max_size=120), max_size=8))
def test_no_lines_break_the_readers_of_access_logs_and_commands(junk: list[bytes]) -> None:
    lines = [*junk, access_line(3).encode()[:-20] + b"".join(junk), b"  1  3 ms " + b"".join(junk)]
    for reader in (access.AccessReader, access.NginxErrorReader, commands.CommandReader):
        evidence = Evidence()
        reader(evidence, evidence.open("x", "x")).read(lines)


# commands

GET_COUNTER = r"""
Timestamp                 CounterSamples
---------                 --------------
3/2/2026 9:00:01 AM       \\pc7\processor(_total)\% processor time :
                          97.2345678901234

                          \\pc7\memory\available mbytes :
                          212

                          \\pc7\memory\% committed bytes in use :
                          96,1
"""
TOP = """top - 09:00:01 up 4 days,  2:11,  1 user,  load average: 3.92, 3.10, 2.05
Tasks: 312 total,   3 running, 309 sleeping,   0 stopped,   0 zombie
%Cpu(s): 71.4 us, 26.0 sy,  0.0 ni,  2.0 id,  0.2 wa,  0.0 hi,  0.4 si,  0.0 st
MiB Mem :  15933.1 total,    212.4 free,  14899.9 used,    820.8 buff/cache
MiB Swap:   2048.0 total,      0.0 free,   2048.0 used.    402.3 avail Mem
"""
TRACERT = """Tracing route to fin1.ucce.local [10.1.1.1]
over a maximum of 30 hops:

  1    <1 ms    <1 ms    <1 ms  10.9.1.1
  2     *        *        *     Request timed out.
  3   812 ms   790 ms   805 ms  10.1.1.1

Trace complete.
"""
TRACEROUTE = """traceroute to fin1 (10.1.1.1), 30 hops max, 60 byte packets
 1  10.9.1.1 (10.9.1.1)  0.312 ms  0.290 ms  0.288 ms
 2  * * *
 3  10.1.1.1 (10.1.1.1)  12.100 ms *  14.512 ms
"""
INTERFACES = """GigabitEthernet0/1 is up, line protocol is up
  Hardware is CSR vNIC, address is 0050.56aa.bbcc
  Input queue: 0/375/12/0 (size/max/drops/flushes); Total output drops: 4711
     52 input errors, 3 CRC, 0 frame, 0 overrun, 0 ignored
"""
NTP = """ntpd (pid 12345) is running...

     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
*10.1.1.5        10.7.7.7         6 u   33   64  377    0.321    0.022   0.015

synchronised to NTP server (10.1.1.5) at stratum 7
   time correct to within 26 ms
   polling server every 64 s
"""
SERVICES = """System SSH [STARTED]
Cisco Finesse Tomcat[STARTED]
Cisco Finesse Notification Service[STOPPED]
Cisco CTIManager[STOPPED]  Service Not Activated
"""
CORES = """      Size         Date            Core File Name
=================================================================
 355732 KB   2018-08-05 07:13:54   core.24587.6.CTIManager.1533441238
"""
PORTS = "java       12345  openfire  123u  IPv6  45678  0t0  TCP *:7443 (LISTEN)\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            GET_COUNTER,
            [(Kind.CPU, "", 97.2, START + 1), (Kind.MEMORY, "free MB", 212, 0), (Kind.MEMORY, "committed %", 96.1, 0)],
        ),
        (TOP, [(Kind.CPU, "", 98.0, 0), (Kind.MEMORY, "free MB", 402, 0)]),
        ("CPU usage: 80.26% user, 11.5% sys, 8.24% idle\n", [(Kind.CPU, "", 91.8, 0)]),
        (TRACERT, [(Kind.PATH, "", 812, 0)]),
        (TRACEROUTE, [(Kind.PATH, "", 14.512, 0)]),
        (INTERFACES, [(Kind.LOSS, "queue drops", 4711, 0), (Kind.LOSS, "interface errors", 52, 0)]),
        (NTP, [(Kind.STRATUM, "", 7, 0)]),
        ("unsynchronised\n  polling server every 64 s\n", [(Kind.STRATUM, "unsynchronised", 16, 0)]),
        (
            SERVICES,
            [
                (Kind.SERVICE, "Cisco Finesse Tomcat: STARTED", None, 0),
                (Kind.SERVICE, "Cisco Finesse Notification Service: STOPPED", None, 0),
            ],
        ),
        (CORES, [(Kind.CORE, "core.24587.6.CTIManager.1533441238", None, 1533441238)]),
        (PORTS, [(Kind.PORT, "listening", 7443, 0)]),
        ("4 packets transmitted, 3 received, 25% packet loss, time 3004ms\n", [(Kind.LOSS, "", 25, 0)]),
        ("    Pacotes: Enviados = 4, Recebidos = 3, Perdidos = 1 (25% de perda),\n", [(Kind.LOSS, "", 25, 0)]),
    ],
)
def test_output_of_a_command(text: str, told: list[tuple[Kind, str, float | None, float]]) -> None:
    evidence = read({"pasted.txt": text})
    assert evidence.files[0].form == commands.FORM
    assert evidence.files[0].unknown == {}
    found = [(e.kind, e.word, e.number, e.at) for e in evidence.events]
    assert [(k, w, n) for k, w, n, _ in found] == [(k, w, n) for k, w, n, _ in told]
    assert [at for *_, at in found if at] == sorted(at for *_, at in found if at)
    if told[0][3]:
        assert found[0][3] == told[0][3]


def test_a_slow_route_pasted_beside_a_disconnect_is_a_possible_cause() -> None:
    silent = openfire(epoch(0), tick(0, 0), tick(30, 5000), tick(60, 35000), tick(90, 65000), closing(90))
    causes = [f.cause.id for f in only({"debug.log": silent, "tracert.txt": TRACERT}).findings]
    assert "C5" in causes


# WebSocket


def websocket_har(lived_s: float, sent: list[float], came: list[float], until_s: float = 300) -> str:
    start = datetime.fromtimestamp(START, UTC).isoformat()
    messages = [{"type": "send", "time": START + at, "opcode": 1, "data": "<iq/>"} for at in sent]
    messages += [{"type": "receive", "time": START + at, "opcode": 1, "data": "<iq/>"} for at in came]
    socket = {
        "startedDateTime": start,
        "time": lived_s * 1000,
        "request": {"method": "GET", "url": "wss://fin1:8445/ws/", "headers": []},
        "response": {"status": 101, "content": {}},
        "_webSocketMessages": messages,
    }
    rest = {
        "startedDateTime": datetime.fromtimestamp(START + until_s, UTC).isoformat(),
        "time": 5,
        "request": {"method": "GET", "url": "https://fin1:8445/finesse/api/User/1001", "headers": []},
        "response": {"status": 200, "content": {"text": "<User/>"}},
    }
    return json.dumps({"log": {"version": "1.2", "entries": [socket, rest]}})


def test_a_capture_with_websocket_and_no_polls_is_recognised_and_said() -> None:
    pings = [float(at) for at in range(0, 290, 10)]
    analysis = analysed({"new.har": websocket_har(300, pings, [at + 0.1 for at in pings])})
    assert analysis.verdicts == []
    assert analysis.evidence.files[0].remark == "websocket-era"


def test_pings_without_answers_were_lost_on_the_way() -> None:
    pings = [float(at) for at in range(0, 100, 10)]
    verdict = only({"new.har": websocket_har(95, pings, [at + 0.1 for at in pings if at < 60])})
    assert (verdict.incident.agent, verdict.best.cause.id) == ("1001", "N1")
    assert "websocket-era" in verdict.notes


def test_a_page_that_pinged_no_more_stopped_itself() -> None:
    pings = [float(at) for at in range(0, 50, 10)]
    assert only({"new.har": websocket_har(100, pings, [at + 0.1 for at in pings])}).best.cause.id == "C1"


def test_the_forms_are_told_apart_by_their_beginning() -> None:
    text = access_line(3).encode()
    assert reading.recognise(text) is not None
    evidence = Evidence()
    reading.read(evidence, "x", io.BufferedReader(io.BytesIO(text)), Budget())
    assert evidence.files[0].form == access.FORM


def test_a_capture_without_names_gets_them_from_the_log_that_knows_the_session() -> None:
    log = openfire(epoch(0), tick(0, 0), tick(30, 5000), tick(60, 35000), tick(90, 65000), closing(90))
    nameless = json.loads(har((-60, 30000, 200, EMPTY), (2, 35000, 0, ""), (38, 35000, 0, "")))
    nameless["log"]["entries"].pop()  # the request that tells whose browser it is
    verdict = only({"debug.log": log, "agent.har": json.dumps(nameless)})
    assert (verdict.incident.agent, verdict.best.cause.id) == ("1001", "N1")
