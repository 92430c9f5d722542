"""The computer itself while it is probed: processor and memory every 2 s, sleep, browsers, and the way to the server.

Source: the seed (`Get-Counter` every 2 s, `top`, `tracert`, sleep before signing out).
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psutil

EVERY_S = 2.0
"""The seed's own interval."""
SAMPLES_LIMIT = 10_000
PAUSE_S = 5.0
"""A sample later than this shows that the computer did not run."""
BUSY_PERCENT = 90.0
LOW_MB = 300
ROUTE_S = 60.0
"""Seconds that ping and traceroute may take together."""

PROGRAMS = (
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "firefox",
)
REGISTRY = (
    ("Chrome", r"Software\Google\Chrome\BLBeacon", "version"),
    ("Edge", r"Software\Microsoft\Edge\BLBeacon", "version"),
    ("Firefox", r"Software\Mozilla\Mozilla Firefox", "CurrentVersion"),
)
"""Where Windows keeps the versions of browsers."""


class Sampler:
    """Samples on a thread of its own while it is used as a context."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self.samples: list[dict[str, Any]] = []
        self.pauses: list[dict[str, Any]] = []
        self._every = every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="poise-probe", daemon=True)

    def __enter__(self) -> Sampler:
        psutil.cpu_percent()  # the first call only marks the beginning
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(self._every * 2)

    def _run(self) -> None:
        steady, wall = time.monotonic(), datetime.now(UTC)
        while not self._over.wait(self._every):
            now, seen = time.monotonic(), datetime.now(UTC)
            self.look((seen - wall).total_seconds(), now - steady, seen)
            steady, wall = now, seen

    def look(self, passed_s: float, ran_s: float, at: datetime) -> None:
        """One sample: `passed_s` by the wall clock since the one before, `ran_s` by the steady one, which stands still
        in sleep on most systems."""
        if max(passed_s, ran_s) > self._every + PAUSE_S:
            self.pauses.append({"at": _iso(at), "seconds": round(max(passed_s, ran_s) - self._every, 1)})
        memory = psutil.virtual_memory()
        if len(self.samples) < SAMPLES_LIMIT:
            self.samples.append(
                {
                    "at": _iso(at),
                    "cpu_percent": psutil.cpu_percent(),
                    "free_mb": round(memory.available / 1_048_576),
                    "used_percent": memory.percent,
                }
            )

    def checks(self) -> Iterator[tuple[str, bool | None, str, dict[str, Any]]]:
        """What the samples say: name, whether it is good, a sentence, figures."""
        if not self.samples:
            return
        busiest = max(sample["cpu_percent"] for sample in self.samples)
        mean = sum(sample["cpu_percent"] for sample in self.samples) / len(self.samples)
        least = min(sample["free_mb"] for sample in self.samples)
        sentence = f"processor {mean:.0f} % on average, {busiest:.0f} % at most"
        yield "processor", mean < BUSY_PERCENT, sentence, {"mean": round(mean, 1), "most": busiest}
        yield "memory", least >= LOW_MB, f"{least} MB of memory free at least", {"free_mb": least}
        if self.pauses:
            longest = max(pause["seconds"] for pause in self.pauses)
            yield "sleep", False, f"the computer did not run for {longest} s", {"seconds": longest}


def commands(host: str) -> Iterator[tuple[str, str]]:
    """Ask the system's own ping and traceroute; (command, what it printed)."""
    windows = sys.platform == "win32"
    asked = (
        ["ping", "-n", "5", host] if windows else ["ping", "-n", "-c", "5", "-i", "0.3", host],
        ["tracert", "-d", "-w", "1000", "-h", "20", host]
        if windows
        else ["traceroute", "-n", "-q", "2", "-w", "1", "-m", "20", host],
    )
    if host.startswith("-"):
        return
    until = time.monotonic() + ROUTE_S
    for command in asked:
        program = shutil.which(command[0])
        if program is None:
            continue
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and a host never begins with a dash
                [program, *command[1:]], capture_output=True, timeout=max(1.0, until - time.monotonic()), check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        yield " ".join(command), done.stdout.decode("utf-8", "replace")[:20_000]


def browsers() -> list[str]:
    """Browsers that are installed, with their versions as far as they tell."""
    found = [f"{platform.system()} {platform.release()}"]
    if sys.platform == "win32":
        return found + list(_from_registry())
    for name in PROGRAMS:
        program = shutil.which(name)
        if program is None:
            continue
        try:
            done = subprocess.run([program, "--version"], capture_output=True, timeout=5, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            continue
        found += done.stdout.decode("utf-8", "replace").strip().splitlines()[:1]
    return found


def _from_registry() -> Iterator[str]:
    import winreg  # only there is on Windows

    for name, path, value in REGISTRY:
        for root in ("HKEY_CURRENT_USER", "HKEY_LOCAL_MACHINE"):
            try:
                with winreg.OpenKey(getattr(winreg, root), path) as key:  # type: ignore[attr-defined,unused-ignore]
                    yield f"{name} {winreg.QueryValueEx(key, value)[0]}"  # type: ignore[attr-defined,unused-ignore]
                    break
            except OSError:
                continue


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
