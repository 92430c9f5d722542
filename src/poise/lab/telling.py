"""What a simulated CTI server is, what it gives its shell, and how news reach its clients. No I/O, no clock.

Theory. An event is written once for each protocol version that somebody speaks, and sent to every session that wants
it. With shuffling, the confirmation, the call events and the agent-state events of one step are mixed by a seed: real
servers promise no order between them, only within each kind.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from poise.lab import answers
from poise.lab.acd.agents import AgentNow
from poise.lab.acd.events import CHANGED_ECC_ONLY_FROM, AgentTold, CallTold, Told
from poise.lab.acd.settings import AcdSettings
from poise.lab.data import DEMO, LabData
from poise.lab.rules import Deployment
from poise.lab.sessions import Session
from poise.protocols.cti.codec import HEADER, encode
from poise.protocols.cti.layout import NEWEST_VERSION, OLDEST_VERSION
from poise.protocols.cti.messages import Message, with_long_agent_ids


@dataclass(frozen=True, slots=True)
class LabSettings:
    """What a simulated CTI server is."""

    data: LabData = DEMO
    deployment: Deployment = Deployment.UCCE
    load: int = 0
    """UCCE's LOAD parameter: 0 or 1."""
    peripheral_id: int = 5000
    versions: tuple[int, int] = (OLDEST_VERSION, NEWEST_VERSION)
    """Oldest and newest protocol version that is accepted."""
    acd: AcdSettings = field(default_factory=AcdSettings)
    shuffle: int | None = None
    """Seed by which confirmations, call events and agent-state events of one step are mixed; None: they are not."""


class Send(NamedTuple):
    """Write to a client."""

    session: Session
    data: bytes


class Drop(NamedTuple):
    """Close a client's connection after everything before was written."""

    session: Session
    reason: str


LabOutput = Send | Drop
_One = tuple[Session, Message] | CallTold | AgentTold


def _for_monitor(data: bytes, monitor_id: int) -> bytes:
    """The event as a monitor reports it: MonitorID is the first field of each."""
    if not monitor_id:
        return data
    return data[: HEADER.size] + monitor_id.to_bytes(4, "big") + data[HEADER.size + 4 :]


class Telling:
    """Writes to sessions; what it gives is added to `out`."""

    def __init__(self, settings: LabSettings, sessions: list[Session], out: list[LabOutput]) -> None:
        self._settings = settings
        self._sessions = sessions
        self._out = out
        self._mixer = None if settings.shuffle is None else random.Random(settings.shuffle)  # noqa: S311

    def send(self, session: Session, message: Message) -> None:
        """Send a message to one client."""
        self._out.append(Send(session, self._written(message, session.version)))

    def _written(self, message: Message, version: int) -> bytes:
        uccx = self._settings.deployment is Deployment.UCCX
        return encode(with_long_agent_ids(message) if uccx else message, version)

    def flush(self, told: list[Told], now: float, confirmation: tuple[Session, Message] | None, signature: str) -> None:
        """Send a confirmation and everything that is to be told."""
        kinds: list[list[_One]] = [list(told)]
        if self._mixer is not None:
            kinds = [
                [one for one in told if isinstance(one, CallTold)],
                [one for one in told if isinstance(one, AgentTold)],
            ]
        if confirmation is not None:
            kinds.insert(0, [confirmation])
        for one in self._mixed(kinds):
            if isinstance(one, CallTold):
                self._call(one)
            elif isinstance(one, AgentTold):
                self.agents((one.agent,), now, signature)
            else:
                self.send(*one)

    def _mixed(self, kinds: list[list[_One]]) -> Iterable[_One]:
        """All of them, each kind in its order; the kinds one after the other, or mixed by the seed."""
        if self._mixer is None:
            return [one for kind in kinds for one in kind]
        order = [at for at, kind in enumerate(kinds) for _ in kind]
        self._mixer.shuffle(order)
        queues = [iter(kind) for kind in kinds]
        return [next(queues[at]) for at in order]

    def _call(self, told: CallTold) -> None:
        written: dict[int, bytes] = {}
        for session in self._sessions:
            ids = session.hears(told)
            if ids:
                if session.version not in written:
                    older = None if session.version >= CHANGED_ECC_ONLY_FROM else told.before_22
                    written[session.version] = encode(told.message if older is None else older, session.version)
                self._out += [Send(session, _for_monitor(written[session.version], at)) for at in ids]

    def agents(self, changes: Iterable[AgentNow], now: float, signature: str) -> None:
        """Tell of changed agents."""
        settings = self._settings
        kind = answers.PERIPHERAL_TYPES[settings.deployment]
        for agent in changes:
            event = answers.state_event(agent, settings.peripheral_id, kind, signature, now)
            written: dict[int, bytes] = {}
            for session in self._sessions:
                if session.agent_id == agent.person.agent_id and session.sees_one:
                    session.extension = agent.extension
                ids = session.wants(agent)
                if ids:
                    if session.version not in written:
                        written[session.version] = self._written(event, session.version)
                    self._out += [Send(session, _for_monitor(written[session.version], at)) for at in ids]
