"""Scenarios: small text files that say who does what, when, with what data. Here they are read and checked.

One step a line: a time (seconds, m:ss or h:mm:ss from the start), who, what. Words with spaces stand in double quotes,
call data are name=value, `#` begins a comment:

    0      number 5559999 busy
    0      agent 1001 signs-in
    1      agent 1001 ready
    5      caller 5551234 dials 8010 patience 60 talks 45 var1=gold user.account="4711 A"
    8      agent 1001 answers
    20     agent 1001 consults 1002

Everything wrong in a file is told at once, with the numbers of the lines.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from poise.lab.acd.events import queue_number
from poise.lab.acd.model import ECC_NAME_MAX, ECC_VALUE_MAX, NUMBER_MAX, VALUE_MAX
from poise.lab.acd.settings import Number, Reaction
from poise.lab.data import LabData

STEPS_MAX = 100_000
LINE_MAX = 2000
FILE_MAX = 10_000_000
"""Bytes of a file."""
DAY_S = 86_400.0


class ScenarioError(Exception):
    """A scenario that cannot be played; `problems` are (line, text), line 0 for the file itself."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__("\n".join(f"line {line}: {text}" if line else text for line, text in problems))
        self.problems = problems


class BadLine(Exception):  # noqa: N818 - a sentence, not an error of ours
    """What is wrong with one line."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line."""

    line: int
    at_s: float
    """Seconds from the start."""
    kind: str
    """agent, supervisor, caller, customer, number, fault, robot."""
    who: str = ""
    verb: str = ""
    arguments: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    data: tuple[tuple[str, str], ...] = ()


class Verb(NamedTuple):
    """What an agent can do: how many words follow, and which options with a value."""

    least: int = 0
    most: int = 0
    options: tuple[str, ...] = ()
    data: bool = False


AGENT_VERBS: Mapping[str, Verb] = {
    "signs-in": Verb(0, 1),
    "signs-out": Verb(0, 1),
    "ready": Verb(),
    "not-ready": Verb(0, 1),
    "work": Verb(),
    "dials": Verb(1, 1, data=True),
    "answers": Verb(),
    "deflects": Verb(1, 1),
    "holds": Verb(),
    "retrieves": Verb(),
    "hangs-up": Verb(),
    "consults": Verb(1, 1),
    "transfers": Verb(0, 1),
    "conferences": Verb(),
    "alternates": Verb(),
    "reconnects": Verb(),
    "presses": Verb(1, 1),
    "sets": Verb(data=True),
    "records": Verb(),
    "stops-recording": Verb(),
    "monitors": Verb(1, 1),
    "whispers": Verb(1, 1),
    "barges": Verb(1, 1),
    "intercepts": Verb(1, 1),
    "leaves": Verb(1, 1),
    "robot": Verb(),
}
"""Verb of "agent ID verb ..." -> what may follow. `transfers NUMBER` is a single-step transfer."""
FAULTS: Mapping[str, tuple[int, int]] = {
    "drop-link": (0, 0),
    "freeze": (0, 1),
    "thaw": (0, 0),
    "garbage": (0, 0),
    "fail-over": (0, 0),
    "telephony-down": (0, 0),
    "telephony-up": (0, 0),
    "rona-storm": (0, 1),
    "clock-drift": (1, 1),
    "offline": (0, 0),
    "no-heartbeats": (0, 0),
    "heartbeats": (0, 0),
}
"""Fault -> least and most numbers that follow: seconds to freeze, of the storm, or by which the clock is off."""


def seconds(text: str) -> float:
    """A time as seconds. Raises BadLine."""
    parts = text.split(":")
    try:
        values = [float(part) for part in parts]
    except ValueError:
        raise BadLine(f'"{text}" is no time: seconds, m:ss or h:mm:ss') from None
    total = sum(value * unit for value, unit in zip(reversed(values), (1, 60, 3600), strict=False))
    if len(parts) > 3 or any(value < 0 for value in values) or not total <= DAY_S:
        raise BadLine(f'"{text}" is no time within a day')
    return total


def _positive(text: str, what: str) -> float:
    value = seconds(text)
    if value <= 0:
        raise BadLine(f"{what} must be over 0 seconds")
    return value


def _number(text: str) -> str:
    if not text or len(text.encode()) > NUMBER_MAX or not text.isprintable():
        raise BadLine(f'"{text}" is no telephone number (1 to {NUMBER_MAX} characters)')
    return text


def _datum(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    fixed = name == "wrapup" or (name.startswith("var") and name[3:].isdigit())
    if fixed and name != "wrapup" and not 1 <= int(name[3:]) <= 10:
        raise BadLine(f'"{name}": there are var1 to var10')
    if not name or len(name.encode()) > ECC_NAME_MAX:
        raise BadLine(f'"{name}" is no name of call data (1 to {ECC_NAME_MAX} bytes)')
    most = VALUE_MAX - (name == "wrapup") if fixed else ECC_VALUE_MAX
    if len(value.encode()) > most or "\0" in value:
        raise BadLine(f'the value of "{name}" has over {most} bytes')
    return name, value


class _Words:
    """The words of a line after the time, taken one after the other."""

    def __init__(self, words: list[str]) -> None:
        self.left = [word for word in words if "=" not in word]
        self.data = tuple(_datum(word) for word in words if "=" in word)

    def take(self, what: str) -> str:
        if not self.left:
            raise BadLine(f"{what} is missing")
        return self.left.pop(0)

    def expect(self, word: str) -> None:
        found = self.take(f'"{word}"')
        if found != word:
            raise BadLine(f'"{word}" should stand where "{found}" stands')

    def options(self, *names: str) -> dict[str, str]:
        found: dict[str, str] = {}
        while self.left:
            name = self.left.pop(0)
            if name not in names:
                raise BadLine(f'"{name}" means nothing here; possible: {", ".join(names) or "nothing more"}')
            if name in found:
                raise BadLine(f'"{name}" stands twice')
            found[name] = self.take(f'what follows "{name}"')
        return found


class _Reader:
    def __init__(self, data: LabData) -> None:
        self._agents = {person.agent_id: person for person in data.people}
        self._queues = {str(group.number) for group in data.skill_groups}
        self._dialled = {queue_number(group) for group in data.skill_groups}
        self._extensions = {person.extension for person in data.people}
        self._kinds: dict[str, Callable[[int, float, _Words], Step]] = {
            "agent": self._agent,
            "caller": self._caller,
            "customer": self._customer,
            "number": self._outside_number,
            "fault": self._fault,
        }

    def step(self, line: int, text: str) -> Step | None:
        """One line; None when there is nothing on it."""
        if len(text) > LINE_MAX:
            raise BadLine(f"a line has at most {LINE_MAX} characters")
        if not text.replace("\t", " ").isprintable():
            raise BadLine("there are control characters on it")
        try:
            words = shlex.split(text, comments=True)
        except ValueError as error:
            raise BadLine(f"{str(error).lower()}: a double quote is missing") from None
        if not words:
            return None
        at_s = seconds(words[0])
        rest = _Words(words[1:])
        kind = rest.take("who does it (agent, caller, customer, number, fault)")
        if kind not in self._kinds:
            raise BadLine(f'"{kind}" is none of {", ".join(self._kinds)}')
        return self._kinds[kind](line, at_s, rest)

    def _known(self, agent_id: str) -> str:
        if agent_id not in self._agents:
            raise BadLine(f"there is no agent {agent_id}")
        return agent_id

    def _agent(self, line: int, at_s: float, words: _Words) -> Step:
        agent_id = self._known(words.take("the agent's id"))
        name = words.take("what the agent does")
        verb = AGENT_VERBS.get(name)
        if verb is None:
            raise BadLine(f'agents cannot "{name}"; they can: {", ".join(AGENT_VERBS)}')
        if not verb.least <= len(words.left) <= verb.most:
            raise BadLine(f'"{name}" is followed by {_count(verb.least, verb.most)}')
        if words.data and not verb.data:
            raise BadLine(f'"{name}" takes no call data')
        if name == "sets" and not words.data:
            raise BadLine('"sets" needs call data, such as var1=gold')
        arguments = tuple(words.left)
        if name in ("monitors", "whispers", "barges", "intercepts", "leaves"):
            self._known(arguments[0])
            if not self._agents[agent_id].supervises:
                raise BadLine(f"{agent_id} is no supervisor")
        elif name in ("not-ready", "signs-out") and arguments:
            if not (arguments[0].isdigit() and int(arguments[0]) <= 0xFFFF):
                raise BadLine(f'"{arguments[0]}" is no reason code')
        elif name in ("dials", "consults", "transfers", "deflects"):
            arguments = tuple(map(_number, arguments))
        elif name == "presses" and not set(arguments[0]) <= set("0123456789*#ABCD"):
            raise BadLine(f'"{arguments[0]}" has keys that no telephone has')
        return Step(line, at_s, "agent", agent_id, name, arguments, data=words.data)

    def _caller(self, line: int, at_s: float, words: _Words) -> Step:
        number = _number(words.take("the caller's number"))
        words.expect("dials")
        dialled = words.take("the number that is dialled")
        if dialled not in self._dialled and dialled not in self._extensions:
            raise BadLine(f"{dialled} is neither a queue ({', '.join(sorted(self._dialled))}) nor an extension")
        options = words.options("patience", "talks")
        for name, value in options.items():
            _positive(value, name)
        return Step(line, at_s, "caller", number, "dials", (dialled,), options, words.data)

    def _customer(self, line: int, at_s: float, words: _Words) -> Step:
        number = _number(words.take("the customer's number"))
        options = words.options("campaign", "queue", "mode", "talks", "account", "called")
        for name in ("campaign", "queue"):
            if name not in options:
                raise BadLine(f'"{name}" is missing')
        if options["queue"] not in self._queues:
            raise BadLine(f"there is no queue {options['queue']}")
        if options.setdefault("mode", "preview") not in ("preview", "progressive"):
            raise BadLine('the mode is "preview" or "progressive"')
        if "talks" in options:
            _positive(options["talks"], "talks")
        for name in ("campaign", "account", "called"):
            if len(options.get(name, "").encode()) > VALUE_MAX:
                raise BadLine(f'"{name}" has over {VALUE_MAX} bytes')
        return Step(line, at_s, "customer", number, "waits", (), options, words.data)

    def _outside_number(self, line: int, at_s: float, words: _Words) -> Step:
        number = _number(words.take("the number"))
        if number in self._dialled or number in self._extensions:
            raise BadLine(f"{number} is no number outside")
        reaction = words.take("what it does (answers, busy, rings, unknown)")
        if reaction not in {each.value for each in Reaction}:
            raise BadLine(f'a number cannot "{reaction}": answers, busy, rings, unknown')
        options = words.options(*(("after", "talks") if reaction == "answers" else ()))
        for name, value in options.items():
            _positive(value, name)
        return Step(line, at_s, "number", number, reaction, (), options)

    def _fault(self, line: int, at_s: float, words: _Words) -> Step:
        name = words.take("the fault")
        if name not in FAULTS:
            raise BadLine(f'"{name}" is no fault: {", ".join(FAULTS)}')
        least, most = FAULTS[name]
        if not least <= len(words.left) <= most:
            raise BadLine(f'"{name}" is followed by {_count(least, most)}')
        for value in words.left:
            if name != "clock-drift" or not value.startswith("-"):
                seconds(value)
            else:
                seconds(value[1:])
        return Step(line, at_s, "fault", name, "happens", tuple(words.left))


def _count(least: int, most: int) -> str:
    if most == 0:
        return "nothing"
    return "one word" if least == most else "at most one word"


def outside_number(step: Step) -> Number:
    """The behaviour a `number` step describes."""
    options = step.options
    talks = options.get("talks")
    after_s = seconds(options.get("after", "3"))
    return Number(Reaction(step.verb), after_s, None if talks is None else seconds(talks))


def parse(text: str, data: LabData) -> tuple[Step, ...]:
    """The steps of a scenario in order of time. Raises ScenarioError with everything that is wrong."""
    reader = _Reader(data)
    steps: list[Step] = []
    problems: list[tuple[int, str]] = []
    for line, content in enumerate(text.splitlines(), 1):
        try:
            step = reader.step(line, content)
        except BadLine as error:
            problems.append((line, str(error)))
            continue
        if step is not None:
            steps.append(step)
    if len(steps) > STEPS_MAX:
        problems.append((0, f"a scenario has at most {STEPS_MAX} steps"))
    if not steps and not problems:
        problems.append((0, "there are no steps in it"))
    if problems:
        raise ScenarioError(problems)
    return tuple(sorted(steps, key=lambda step: step.at_s))


def load(path: Path, data: LabData) -> tuple[Step, ...]:
    """The same from a file."""
    try:
        raw = path.read_bytes()[: FILE_MAX + 1]
        text = raw.decode("utf-8")
    except OSError as error:
        raise ScenarioError([(0, f"{path}: {error.strerror or error}")]) from error
    except UnicodeDecodeError as error:
        raise ScenarioError([(0, f"{path} is no UTF-8 text: {error.reason} at byte {error.start}")]) from error
    if len(raw) > FILE_MAX:
        raise ScenarioError([(0, f"{path} has over {FILE_MAX} bytes")])
    return parse(text, data)
