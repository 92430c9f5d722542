"""`poise explain`: what a code in a log, an answer or a report means. Reads the tables the server itself uses."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from poise.contact.reasons import SYSTEM_CODES
from poise.finesse.api_errors import CATALOGUE
from poise.protocols.cti.constants import FailureCode, failure_name
from poise.registry import ENDINGS
from poise.server.webservices.problems import PROBLEMS

REMARKS: Mapping[int, str] = {
    255: "The desktop server sends it when an agent's last session was silent for too long: a connection problem. "
    "Look in the logs of that moment for the ending of the session, and explain that.",
    50002: "The CTI server sets it when it loses the desktop: a connection problem, on UCCE the state that follows "
    "a forced logout with 255 where LOAD is 0.",
    50001: "The program that spoke for the agent went away: possibly a connection problem.",
    50004: "Not a connection problem: the agent was not ready for longer than the desk settings allow.",
    50010: "Not a connection problem: calls rang and were not answered.",
    32767: "Not a connection problem: a call rang and was not answered, or on UCCX the agent signed in elsewhere.",
    32757: "On the server's side: the call manager changed over to its other node.",
    32764: "On the server's side: the contact centre's engine failed.",
    999: "Not a connection problem: a supervisor did it.",
    22: "Not a connection problem: a supervisor did it.",
    33: "Not a connection problem: a supervisor did it.",
    -1: "As a reasonCodeId it means only that no reason of the list applies.",
}
"""What a reason code says about the question everybody asks first: was it the connection? Source: diagnosis.md 4."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a code can stand for."""

    code: str
    """As it is written in logs and answers."""
    kind: str
    """Where it is met, in a few words."""
    facts: Mapping[str, str]
    """What is known of it, in the order of telling; the first is the meaning."""
    aliases: tuple[str, ...] = ()
    """Other words that find it."""

    def found_by(self, word: str) -> bool:
        """Whether somebody who asks for `word` means this; the case of letters does not matter."""
        return word.casefold() in {alias.casefold() for alias in (self.code, *self.aliases)}


UNKNOWN_SESSION = Meaning(
    "item-not-found",
    "BOSH condition, in answer to a sid",
    {
        "means": "The server does not know the session, or no longer.",
        "note": "Look back, not at this request: the session ended before, and its ending is in the trace.",
    },
)
"""The one refusal on /http-bind that belongs to no session and therefore to no ending."""


def meanings() -> Iterator[Meaning]:
    """Everything that can be explained, table by table."""
    for ending in ENDINGS.values():
        on_wire = {"BOSH condition": ending.bosh or "", "stream error": ending.stream or ""}
        facts = {"means": ending.operator, "agent is told": ending.agent, "ended by": ending.who.value}
        facts |= {"severity": ending.severity.value} | {name: value for name, value in on_wire.items() if value}
        yield Meaning(ending.code, "ending of a session", facts, tuple(value for value in on_wire.values() if value))
    for code, error in CATALOGUE.items():
        facts = {"means": error.message, "HTTP status": str(error.status), "ErrorType": error.type}
        yield Meaning(code.value, "REST error", facts, (str(error.status), error.type, error.message))
    for problem in PROBLEMS.values():
        facts = {"means": problem.title, "HTTP status": str(problem.status)}
        yield Meaning(problem.code, "refusal of the administrator's API", facts, (problem.title,))
    for deployment, reasons in SYSTEM_CODES.items():
        states: dict[tuple[int, str], list[str]] = {}
        for (category, number), reason in reasons.items():
            states.setdefault((number, reason.label), []).append(category.value)
        for (number, label), where in states.items():
            facts = {"means": label, "state": " or ".join(where)}
            if number in REMARKS:
                facts["note"] = REMARKS[number]
            yield Meaning(str(number), f"reason code, {deployment.value}", facts, (label,))
    for failure in FailureCode:
        name = failure_name(failure)
        facts = {"means": _words(name), "number": str(int(failure))}
        yield Meaning(name, "refusal of the CTI server", facts, (facts["number"],))
    yield UNKNOWN_SESSION


def _words(name: str) -> str:
    return name.removeprefix("CF_").replace("_", " ").capitalize()


def explain(
    code: Annotated[
        str,
        typer.Argument(
            help="Such as idle, item-not-found, 255, 50002, 503, CF_RESOURCE_BUSY, or a whole log line in quotes."
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a code means: endings of sessions, REST errors, refusals of the administrator's API and of the CTI
    server, reason codes.

    Without a code, list them all. One code may have several meanings; all are told. Exit code 1: nobody knows it.
    """
    if " " in code and _explain_line(code, as_json):
        return
    known = list(meanings())
    found = [meaning for meaning in known if not code or meaning.found_by(code)]
    if as_json:
        typer.echo(json.dumps([{"code": m.code, "kind": m.kind, **m.facts} for m in found], indent=2))
    elif code:
        typer.echo("\n\n".join(_told(meaning) for meaning in found), nl=bool(found))
    else:
        width = max(len(meaning.code) for meaning in known)
        typer.echo("\n".join(f"{m.code:{width}}  {m.kind}: {m.facts['means']}" for m in known))
    if not found:
        typer.echo(f"Nothing is known of {code!r}.{_closest(code, known)} `poise explain` lists all codes.", err=True)
        raise typer.Exit(1)


def _explain_line(line: str, as_json: bool) -> bool:
    """Explain a pasted log line; False when no reader knows it."""
    from poise.diagnosis.meanings import of_line  # here: codes need none of it

    known = of_line(line)
    if known is None:
        return False
    form, event, meaning = known
    facts = {"means": meaning, "kind": event.kind.value, "log": form, "agent": event.agent, "session": event.session}
    facts |= {"word": event.word, "number": f"{event.number:g}" if event.number is not None else ""}
    facts = {name: value for name, value in facts.items() if value}
    if as_json:
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        typer.echo(_told(Meaning(event.kind.value, form, facts)))
    return True


def _told(meaning: Meaning) -> str:
    width = max(map(len, meaning.facts)) + 1
    lines = [f"  {name + ':':{width}} {value}" for name, value in meaning.facts.items()]
    return "\n".join([f"{meaning.code} ({meaning.kind})", *lines])


def _closest(code: str, known: list[Meaning]) -> str:
    words = {word for meaning in known for word in (meaning.code, *meaning.aliases)}
    close = difflib.get_close_matches(code, sorted(words), n=1)
    return f" Did you mean {close[0]}?" if close else ""
