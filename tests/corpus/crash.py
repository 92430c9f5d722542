"""A real server process is killed with desktops on it, and started again: `kill -9` in real time."""

from __future__ import annotations

import random
import select
import signal
import time
from functools import partial
from pathlib import Path

from tests.conformance.wire import OPEN
from tests.corpus.desktop import CHROME, Desktop, Person
from tests.corpus.scene import AGENTS, Run, Truth, Zone, records
from tests.corpus.way import Way
from tests.e2e.desk import Place
from tests.e2e.process import Lab, free_port, serve_beside
from tests.e2e.stage import copy_of


class _RealTime:
    """The scenery of real processes."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def now(self) -> float:
        return time.time()  # noqa: TID251 - real processes write real stamps


def crash(prepared: Path, folder: Path, seed: int) -> Run:
    """One run, about ten seconds."""
    rng = random.Random(f"crash/{seed}")
    users = AGENTS[: rng.randint(4, 6)]
    data = copy_of(prepared, folder / "data")
    ports = {f"ports.{name}": str(free_port()) for name in ("https", "notification")}
    with Zone("UTC"), Lab(folder) as lab:
        with serve_beside(lab, folder, ports) as server:
            scenery = _RealTime(server.place)
            desktops = []
            for user in users:
                own = random.Random(f"crash/{seed}/{user}")
                person = Person(user, f"127.0.10.{int(user) % 100}", browser=CHROME.format(own.randint(96, 140)))
                trip = own.uniform(0.005, 0.03)
                polls, rest = (Way(partial(float, trip)) for _ in range(2))
                desktops.append(Desktop(scenery, person, own, polls, rest).come())
            _live(desktops, rng.uniform(2.5, 4.0))
            server.written()
            truths = [Truth(d.person.user, "S1", scenery.now(), max(d.heard[d.sid])) for d in desktops]
            server.signal(signal.SIGKILL)
            server.ended()
            _live(desktops, rng.uniform(0.2, 1.0))
        with serve_beside(lab, folder, ports) as server:
            scenery.place = server.place
            _live(desktops, 9.0)
            server.written()
        root = data / "logs"
        files = {
            f"server/{path.relative_to(root)}": path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.stat().st_size
        }
    for wire in OPEN:
        wire.close()
    OPEN.clear()
    return Run("S1-crash", seed, truths, files | records(desktops), {"agents": len(users)})


def _live(desktops: list[Desktop], seconds: float) -> None:
    """Desktops do what is due for so long; what is waited with is their sockets."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for desktop in desktops:
            desktop.tick()
        waiting = [wire.socket for desktop in desktops for wire in desktop.waiting()]
        select.select(waiting, [], [], 0.1)
