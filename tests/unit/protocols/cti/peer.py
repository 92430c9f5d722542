"""A hand-driven CTI server for tests of the link: says what it is told to say, and shows what it heard."""

from __future__ import annotations

from typing import TypeVar

from poise.protocols.cti.codec import encode
from poise.protocols.cti.link import Link
from poise.protocols.cti.messages import FloatValue, Message
from poise.protocols.cti.outputs import Output, SendBytes, Side
from poise.protocols.cti.settings import LinkSettings

A = Side("A", "cti-a.example", 42027)
B = Side("B", "cti-b.example", 43027)
T = TypeVar("T")
Floats = tuple[tuple[str, FloatValue], ...]

OPEN_CONF = {"PeripheralOnline": 1, "PeripheralType": 17, "AgentState": 9, "ServicesGranted": 0x96}
KEYS: Floats = (("SKILL_GROUP_CONFIG_KEY", b"\0" * 7 + b"\1"), ("AGENT_CONFIG_KEY", b"\0" * 7 + b"\2"))


def only(outputs: list[Output], kind: type[T]) -> list[T]:
    """The outputs of one kind."""
    return [output for output in outputs if isinstance(output, kind)]


def sent(outputs: list[Output]) -> list[str]:
    """Names of the messages sent."""
    return [output.message.name for output in only(outputs, SendBytes)]


class Scene:
    """A link, the time, and the server's side of the conversation."""

    def __init__(self, sides: tuple[Side, ...] = (A, B), now: float = 100.0, **settings: object) -> None:
        self.link = Link(LinkSettings(sides, **settings))  # type: ignore[arg-type]
        self.now = now

    def says(self, name: str, fields: dict[str, int] | None = None, floats: Floats = ()) -> list[Output]:
        """The server sends one message."""
        return self.link.feed(encode(Message(name, fields or {}, floats), self.link.version), self.now)

    def answers(
        self, asked: SendBytes, name: str, fields: dict[str, int] | None = None, floats: Floats = ()
    ) -> list[Output]:
        """The server answers one request of the link."""
        return self.says(name, {"InvokeID": asked.message.fields["InvokeID"], **(fields or {})}, floats)

    def passes(self, seconds: float) -> list[Output]:
        """Time goes by; everything due on the way happens at its own moment."""
        target = self.now + seconds
        outputs: list[Output] = []
        while self.link.deadline <= target:
            self.now = max(self.now, self.link.deadline)
            outputs += self.link.due(self.now)
        self.now = target
        return outputs

    def opened(self, **conf: int) -> list[Output]:
        """Start, connect and open."""
        self.link.start(self.now)
        self.link.connected(self.now)
        return self.says("OPEN_CONF", {**OPEN_CONF, **conf})

    def configured(self, *agents: str) -> list[Output]:
        """The whole download: one skill group, one team, these agents."""
        self.says("CONFIG_KEY_EVENT", {}, KEYS)
        self.says("CONFIG_BEGIN_EVENT", {"ConfigType": 1, "ConfigInformation": 6})
        group: Floats = (("RECORD_TYPE", 0), ("PERIPHERAL_NUMBER", 10), ("PERIPHERAL_NAME", "Sales_queue"))
        self.says("CONFIG_SKILL_GROUP_EVENT", {"NumRecords": 1}, group)
        records: Floats = tuple(entry for agent in agents for entry in agent_record(agent))
        self.says("CONFIG_AGENT_EVENT", {"NumRecords": len(agents)}, records)
        return self.says("CONFIG_END_EVENT", {"ConfigEndStatus": 0})

    def up(self, *agents: str) -> list[Output]:
        """Everything until the link is up, every agent being signed out."""
        self.opened()
        outputs = self.configured(*agents)
        while queries := only(outputs, SendBytes):
            outputs = [
                output
                for query in queries
                for output in self.says(
                    "QUERY_AGENT_STATE_CONF", {"InvokeID": query.message.fields["InvokeID"], "AgentState": 1}
                )
            ]
        return outputs


def agent_record(agent: str, kind: int = 0) -> Floats:
    """One configuration record of an agent."""
    return (
        ("RECORD_TYPE", kind),
        ("AGENT_TYPE", 1),
        ("LOGIN_ID", agent),
        ("LOGIN_NAME", f"name{agent}"),
        ("LAST_NAME", "Last"),
        ("FIRST_NAME", "First"),
        ("EXTENSION", agent),
        ("NUM_SKILLS", 1),
        ("SKILL_GROUP_NUMBER", 10),
        ("SKILL_GROUP_PRIORITY", 1),
    )
