"""Faults on command: what can go wrong with a CTI server, by name. The shell and the server do them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from poise.lab.scenario import FAULTS

if TYPE_CHECKING:
    from poise.lab.shell import LabShell

GARBAGE = b"GET / HTTP/1.1\r\nHost: not a telephone system\r\n\r\n"
FREEZE_S = 30.0
"""Seconds a freeze lasts when no time is given: longer than a client should need to notice."""
STORM_S = 60.0

Numbers = tuple[float, ...]


def _no_heartbeats(shell: LabShell, on: bool) -> None:
    shell.server.answers_heartbeats = on


_FAULTS: Mapping[str, tuple[Callable[[LabShell, Numbers, float], object], str]] = {
    "drop-link": (lambda shell, _, now: shell.drop_links(), "every connection is cut without a word"),
    "freeze": (
        lambda shell, numbers, now: shell.freeze(numbers[0] if numbers else FREEZE_S),
        f"nothing is read or written for so many seconds ({FREEZE_S:.0f})",
    ),
    "thaw": (lambda shell, _, now: shell.thaw(), "a freeze is over"),
    "garbage": (lambda shell, _, now: shell.do(shell.server.garbage(GARBAGE)), "bytes that are no message"),
    "fail-over": (lambda shell, _, now: shell.do(shell.server.fail_over()), "the other side serves from now on"),
    "telephony-down": (
        lambda shell, _, now: shell.do(shell.server.set_telephony(False, now)),
        "the telephony provider is lost: UCCX goes out of service, UCCE brings no calls and says nothing",
    ),
    "telephony-up": (lambda shell, _, now: shell.do(shell.server.set_telephony(True, now)), "and is back"),
    "rona-storm": (
        lambda shell, numbers, now: shell.storm(numbers[0] if numbers else STORM_S),
        f"for so many seconds ({STORM_S:.0f}) every READY agent gets a call that rings one second",
    ),
    "clock-drift": (
        lambda shell, numbers, now: shell.do(shell.server.drift(numbers[0], now)),
        "the server's wall clock jumps by so many seconds",
    ),
    "offline": (lambda shell, _, now: shell.do(shell.server.go_offline()), "every client is told goodbye"),
    "no-heartbeats": (lambda shell, _, now: _no_heartbeats(shell, False), "heartbeats are not answered"),
    "heartbeats": (lambda shell, _, now: _no_heartbeats(shell, True), "and are again"),
}
assert _FAULTS.keys() == FAULTS.keys()

MEANINGS: Mapping[str, str] = {name: meaning for name, (_, meaning) in _FAULTS.items()}
"""Fault -> what it does, for people."""


def happen(shell: LabShell, name: str, numbers: Numbers, now: float) -> str:
    """Let a fault happen: "" or why it cannot."""
    if name not in _FAULTS:
        return f'"{name}" is no fault: {", ".join(_FAULTS)}'
    least, most = FAULTS[name]
    if not least <= len(numbers) <= most:
        return f'"{name}" takes {least if least == most else f"{least} to {most}"} numbers'
    if name != "clock-drift" and any(number < 0 for number in numbers):
        return f'"{name}" takes no time before now'
    if name == "fail-over" and not shell.has_side_b:
        return "there is no side B: start the lab with --port-b"
    _FAULTS[name][0](shell, numbers, now)
    return ""
