"""`poise analyze`: from files and folders of any kind to the reason of every disconnect."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from poise.diagnosis.analysis import Analysis
    from poise.diagnosis.evidence import Evidence
    from poise.diagnosis.wording import Words

_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)?")

Paths = Annotated[
    list[Path], typer.Argument(help="Files and folders of evidence, of any kind, packed or not.", exists=True)
]
Language = Annotated[str, typer.Option("--language", help="en, pt-BR or es.")]


def analyze(
    paths: Paths,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    language: Language = "en",
    agent: Annotated[str, typer.Option("--agent", help="Only this agent's disconnects.")] = "",
    zone: Annotated[
        str, typer.Option("--zone", help="Zone of logs that name none, such as +05:30; by default it is found out.")
    ] = "",
    html: Annotated[Path | None, typer.Option("--html", help="Write a report as one HTML file.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write Markdown for a ticket.")] = None,
    chrome_trace: Annotated[Path | None, typer.Option("--chrome-trace", help="Write a trace for Perfetto.")] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="Mask agents, hosts, addresses and names everywhere.")
    ] = False,
    password: Annotated[
        str, typer.Option("--password", help="Of a protected SAZ or zip.", envvar="POISE_ANALYZE_PASSWORD")
    ] = "",
) -> None:
    """Say why agents were disconnected: what happened, whose side it was, how sure that is, what proves it, what to do.

    Reads logs of the notification service and the web services, client logs, browser consoles, HAR, SAZ, packet
    captures (with a key log beside them), flows of mitmproxy, access logs, traces and pasted command output; files are
    recognised by content. Exit code 0: no disconnect, 1: disconnects found, 2: wrong use.
    """
    from rich.console import Console  # all here: no other command should load them

    from poise.cli import analysis_text
    from poise.diagnosis import jsonform
    from poise.diagnosis.analysis import analyse
    from poise.diagnosis.evidence import Evidence
    from poise.diagnosis.redaction import redacted
    from poise.diagnosis.wording import Words

    try:
        words = Words(language)
        evidence = Evidence(_zone(zone) if zone else None)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with Console(stderr=True).status("") as status:
        _read(evidence, paths, password, lambda what: status.update(what))
        status.update("analysing")
        analysis = analyse(evidence)
    if agent:
        analysis.verdicts = [v for v in analysis.verdicts if v.incident.agent == agent.casefold()]
    if redact:
        analysis = redacted(analysis, secrets.token_bytes(16))
    _write(analysis, words, html, markdown, chrome_trace)
    if as_json:
        json.dump(jsonform.as_values(analysis, words), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        analysis_text.show(analysis, words, Console(highlight=False))
    raise typer.Exit(1 if analysis.verdicts else 0)


def _read(evidence: Evidence, paths: list[Path], password: str, say: Callable[[str], None]) -> None:
    """All files; `say` is told what is under way."""
    from poise.diagnosis import reading
    from poise.diagnosis.opening import Budget
    from poise.tools.dissecting import Dissector

    budget, key = Budget(), password.encode() or None

    def progress(name: str) -> None:
        say(f"reading {name}")

    with Dissector() as captures:
        for name, path in _files(paths):
            progress(name)
            try:
                with path.open("rb") as stream:
                    reading.read(evidence, name, stream, budget, password=key, captures=captures, progress=progress)
            except OSError as error:
                evidence.files[evidence.open(name, "")].trouble = f"cannot be opened: {error.strerror or error}"
        say("reading packets")
        captures.finish(evidence)


def _write(
    analysis: Analysis, words: Words, html: Path | None, markdown: Path | None, chrome_trace: Path | None
) -> None:
    """The reports that are wanted; one that cannot be written ends the command with what to do."""
    from poise.diagnosis.report import chrome_trace as chrome_trace_report
    from poise.diagnosis.report import html as html_report
    from poise.diagnosis.report import markdown as markdown_report

    reports: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (html, lambda: html_report.render(analysis, words, datetime.now(UTC).timestamp())),
        (markdown, lambda: markdown_report.render(analysis, words)),
        (chrome_trace, lambda: chrome_trace_report.render(analysis)),
    )
    for path, render in reports:
        if path is None:
            continue
        try:
            path.write_text(render(), "utf-8")
        except OSError as error:
            why = error.strerror or error
            raise typer.BadParameter(f"{path} cannot be written: {why}; give a file in a folder of yours") from error


def _zone(text: str) -> float:
    match = _ZONE.fullmatch(text)
    if match is None:
        raise ValueError(f"--zone {text!r}: write it as +05:30 or -03:00")
    seconds = int(match[2]) * 3600 + int(match[3] or 0) * 60
    return float(-seconds if match[1] == "-" else seconds)


def _files(paths: list[Path]) -> Iterator[tuple[str, Path]]:
    """Every file, rolled logs oldest first, with the name it is shown by."""
    for path in paths:
        if not path.is_dir():
            yield path.name, path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names, key=_age):
                full = Path(folder, name)
                if full.is_file():
                    yield str(full.relative_to(path)), full


def _age(name: str) -> tuple[str, int]:
    stem, _, number = name.rpartition("-")
    return (stem, -int(number)) if number.isdigit() and stem.endswith(".log") else (name, 0)
