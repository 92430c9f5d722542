"""How fast `poise analyze` reads logs, end to end, beside grep and lnav on the same generated files.

    python -m bench.analyze [--lines 1000000] [--folder FOLDER] [--json FILE]

Each program is a process of its own, measured from its start to its end by wall clock, with its processor time and its
largest memory. The files hold what a busy server writes: long polls, ticks, statistics, and a disconnect now and then.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

START = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()
AGENTS = 500
TARGETS = {"openfire": 1_000_000, "webservices": 200_000, "client": 200_000}
"""Lines a second on one core that are wanted."""
PATTERN = {"openfire": "Closing idle session", "webservices": "reason code: 255", "client": "disconnected"}


@dataclass(frozen=True, slots=True)
class Measure:
    """One run of one program on one file."""

    form: str
    program: str
    lines: int
    megabytes: float
    seconds: float
    cpu_seconds: float
    lines_per_second: int
    """By processor time: what one core does, whatever else the machine has to do."""
    peak_mb: float


def openfire(count: int) -> Iterator[str]:
    """A debug.log: polls with their bodies, ticks, the lines around them."""
    for number in range(count):
        at, agent = START + number / 400, 1001 + number % AGENTS
        stamp, sid = f"{datetime.fromtimestamp(at, UTC):%Y.%m.%d %H:%M:%S}", f"{agent:08x}"
        match number % 10:
            case 0:
                yield f"{stamp} HTTPBindLog: HTTP RECV({sid}): <body rid='{number}' sid='{sid}' xmlns='x'/>"
            case 1:
                yield f"{stamp} HTTPBindLog: HTTP SENT({sid}): <body xmlns='http://jabber.org/protocol/httpbind'></body>"
            case 2:
                yield f"{stamp} Session (id={sid}) was last active 0 ms ago: {agent}@fin1/desktop"
            case 3 if number % 50_000 == 3:
                yield f"{stamp} Session (id={sid}) was last active 65000 ms ago: {agent}@fin1/desktop"
            case 4 if number % 50_000 == 4:
                yield f"{stamp} Closing idle session (id={sid}): {agent - 1}@fin1/desktop"
            case 5:
                yield f"{stamp} time={round(at * 1000)},JID={agent}@fin1/desktop,msgs_sent=1"
            case _:
                yield f"{stamp} REQUEST POST /http-bind/ on org.eclipse.jetty.server.AsyncHttpConnection@{number:x}"


def webservices(count: int) -> Iterator[str]:
    """A Desktop-webservices log: mostly messages of the CTI server, with all their brackets."""
    for number in range(count):
        at, agent = START + number / 100, 1001 + number % AGENTS
        when = datetime.fromtimestamp(at, UTC)
        head = f"{number:010d}: fin1: {when:%b %d %Y %H:%M:%S}.{when.microsecond // 1000:03d} +0000: %CCBU_"
        if number % 40_000 == 7:
            yield f"{head}CoreImpl-worker1-6-PRESENCE DRIVEN LOGOUT: %[agent_id={agent}]: forced logout"
        elif number % 40_000 == 8:
            request = f"agentstate : 1, workmode : 0, reason code: 255, forceflag :1, agentid: {agent - 1}"
            yield f"{head}CoreImpl-worker1-6-MESSAGE_TO_CTI_SERVER: {request}"
        elif number % 5 == 0:
            event = f"CTIAgentStateEvent [skillGroupState=7 (BUSY_OTHER), agentState=3 (AVAILABLE), agentID={agent}]"
            yield f"{head}CTIMessageEventExecutor-0-6-DECODED_MESSAGE_FROM_CTI_SERVER: %[cti_message={event}]: Decoded"
        else:
            payload = f"%[NodeId=/finesse/api/User/{agent}][Payload=<Update><event>PUT</event></Update>]: Publishing"
            yield f"{head}pool-8-thread-1-6-XMPP_PUBLISH_ASYNCHRONOUS: {payload}"


def client(count: int) -> Iterator[str]:
    """A client log: REST, drift once a minute, and what gadgets say."""
    for number in range(count):
        at = START + number / 5
        when = datetime.fromtimestamp(at, UTC)
        head = f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d} +00:00: : fin1: "
        head += f"{when:%b %d %Y %H:%M:%S}.{when.microsecond // 1000:03d} +0000: "
        if number % 300 == 0:
            yield head + "Header : Client: x, Server: y, Drift: 5ms, Network Latency (round trip): 14ms"
        elif number % 10 == 1:
            url = "/finesse/api/User/1001?nocache=1"
            yield head + f"Header : User: requestId='{number}', Making REST request: method=GET, url='{url}'"
        elif number % 10 == 2:
            yield head + f"Header : User: requestId='{number - 1}', Returned with status=200, content='<User/>'"
        else:
            yield head + "CallControl : [ClientServices] a gadget says what gadgets say"


FORMS: dict[str, tuple[str, Callable[[int], Iterator[str]]]] = {
    "openfire": ("debug.log", openfire),
    "webservices": ("Desktop-webservices.log", webservices),
    "client": ("client.log", client),
}


def write(folder: Path, form: str, count: int) -> Path:
    """The generated file."""
    name, lines = FORMS[form]
    path = folder / name
    with path.open("w") as file:
        file.writelines(line + "\n" for line in lines(count))
    return path


def measure(form: str, program: str, command: list[str], path: Path, lines: int) -> Measure:
    """Run it once."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    seconds = time.monotonic() - began
    cpu = usage.ru_utime + usage.ru_stime
    size = path.stat().st_size / 1_048_576
    rate = round(lines / max(cpu, 0.001))
    return Measure(form, program, lines, round(size, 1), round(seconds, 2), round(cpu, 2), rate, usage.ru_maxrss / 1024)


def programs(form: str, path: Path, home: Path) -> dict[str, list[str]]:
    """Command lines of the three."""
    found = {"poise analyze": [sys.executable, "-m", "poise.cli.main", "analyze", "--json", str(path)]}
    found["grep"] = ["grep", "-c", PATTERN[form], str(path)]
    if (lnav := shutil.which("lnav")) is not None:
        share = Path(__file__).parents[1] / "share" / "lnav"
        table = f"finesse_{form}_log"
        query = f";SELECT count(*) FROM {table} WHERE log_body LIKE '%{PATTERN[form]}%'"
        os.environ["HOME"] = str(home)
        found["lnav"] = [lnav, "-n", "-I", str(share), "-c", query, "-c", ":write-csv-to -", str(path)]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--lines", type=int, default=1_000_000, help="lines of the openfire log; the others have a fifth"
    )
    parser.add_argument("--folder", type=Path, help="where the files go; by default a temporary folder")
    parser.add_argument("--json", type=Path, help="write the measures here as well")
    options = parser.parse_args()
    measures = []
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        folder = Path(temporary)
        for form in FORMS:
            count = options.lines if form == "openfire" else options.lines // 5
            path = write(folder, form, count)
            for program, command in programs(form, path, folder).items():
                one = measure(form, program, command, path, count)
                measures.append(one)
                wanted = f"  (wanted {TARGETS[form]:,})" if program == "poise analyze" else ""
                print(
                    f"{form:12} {program:14} {one.seconds:7.2f} s  {one.cpu_seconds:7.2f} s CPU  "
                    f"{one.lines_per_second:>11,} lines/s  {one.peak_mb:6.0f} MB{wanted}"
                )
            path.unlink()
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(one) for one in measures], indent=2), "utf-8")


if __name__ == "__main__":
    main()
