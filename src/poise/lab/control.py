"""The control port of a simulated CTI server: JSON lines in, JSON lines out, for tools on the same machine.

    {"do": "fault", "name": "freeze", "numbers": [30]}    {"ok": true, "text": "freeze"}
    {"do": "call", "number": "5551234", "dials": "8010"}  {"ok": true, "text": "calls"}
    {"do": "status"}                                      {"ok": true, "calls": 2, ...}

`answer` is the border where foreign text enters: whatever it is, there is one answer and nothing breaks.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from poise.lab import faults, scenario
from poise.lab.scenario import ScenarioError

if TYPE_CHECKING:
    from poise.lab.shell import LabShell

DEFAULT_CONTROL_PORT = 42029
LINE_MAX = 1_000_000
"""Bytes of a line: a scenario fits."""
CONTROLS_MAX = 20
"""Connections at once."""


def _refused(text: str) -> dict[str, Any]:
    return {"ok": False, "text": text}


def _fault(shell: LabShell, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    name, numbers = request.get("name"), request.get("numbers", [])
    if not isinstance(name, str):
        return _refused('"name" must be a fault')
    good = isinstance(numbers, list) and all(type(number) in (int, float) for number in numbers)
    if not good or any(not -scenario.DAY_S <= number <= scenario.DAY_S for number in numbers):
        return _refused('"numbers" must be a list of seconds within a day')
    problem = faults.happen(shell, name, tuple(map(float, numbers)), now)
    return _refused(problem) if problem else {"ok": True, "text": name}


def _play(shell: LabShell, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    text = request.get("text")
    if not isinstance(text, str):
        return _refused('"text" must be a scenario')
    try:
        steps = scenario.parse(text, shell.server.settings.data)
    except ScenarioError as error:
        return _refused(str(error))
    shell.play(steps)
    return {"ok": True, "text": f"{len(steps)} steps"}


def _call(shell: LabShell, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    words = [str(request.get(key, "")) for key in ("number", "dials")]
    if any(not word or '"' in word or not word.isprintable() for word in words):
        return _refused('"number" and "dials" must be telephone numbers')
    return _play(shell, {"text": f'0 caller "{words[0]}" dials "{words[1]}" talks 60'}, now)


def _status(shell: LabShell, request: Mapping[str, Any], now: float) -> dict[str, Any]:
    server = shell.server
    states = Counter(agent.state.name for agent in server.acd.everybody())
    return {
        "ok": True,
        "calls": sum(bool(call.legs) for call in server.centre.switch.calls.values()),
        "callsBegun": server.centre.switch.calls_begun,
        "waiting": len(server.centre.queues.waiting()),
        "agents": dict(sorted(states.items())),
        "clients": sum(session.open for session in server.sessions),
        "side": server.active_side,
        "telephony": server.centre.telephony,
        "frozen": shell.frozen,
    }


_REQUESTS = {"fault": _fault, "play": _play, "call": _call, "status": _status}


def answer(shell: LabShell, line: bytes, now: float) -> bytes:
    """The answer to one line, as a line."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        reply = _refused("a line must be a JSON object")
    else:
        handler = _REQUESTS.get(str(request.get("do")))
        known = ", ".join(_REQUESTS)
        reply = _refused(f'"do" must be one of {known}') if handler is None else handler(shell, request, now)
    return json.dumps(reply).encode() + b"\n"


class ControlConnection(asyncio.Protocol):
    """One tool's socket."""

    def __init__(self, shell: LabShell, others: set[ControlConnection]) -> None:
        self._shell = shell
        self._others = others
        self._buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A tool came."""
        self.transport = cast(asyncio.Transport, transport)
        if len(self._others) >= CONTROLS_MAX:
            self.transport.abort()
        else:
            self._others.add(self)

    def data_received(self, data: bytes) -> None:
        """Some bytes of a line."""
        assert self.transport is not None
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self.transport.write(answer(self._shell, line, self._shell.now()))
        if len(self._buffer) > LINE_MAX:
            self.transport.write(json.dumps(_refused(f"a line has at most {LINE_MAX} bytes")).encode() + b"\n")
            self.transport.close()
            self._buffer = b""

    def connection_lost(self, exc: Exception | None) -> None:
        """The tool is gone."""
        self._others.discard(self)
