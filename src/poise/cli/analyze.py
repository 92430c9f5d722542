"""`poise analyze`: from files and folders of any kind to the reason of every disconnect."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

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
    from poise.diagnosis import jsonform, reading
    from poise.diagnosis.analysis import analyse
    from poise.diagnosis.evidence import Evidence
    from poise.diagnosis.opening import Budget
    from poise.diagnosis.redaction import redacted
    from poise.diagnosis.report import chrome_trace as chrome_trace_report
    from poise.diagnosis.report import html as html_report
    from poise.diagnosis.report import markdown as markdown_report
    from poise.diagnosis.wording import Words
    from poise.tools.dissecting import Dissector

    try:
        words = Words(language)
        evidence = Evidence(_zone(zone) if zone else None)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    budget = Budget()
    with Dissector() as captures, Console(stderr=True).status("") as status:
        for name, path in _files(paths):
            status.update(f"reading {name}")
            try:
                with path.open("rb") as stream:
                    reading.read(
                        evidence,
                        name,
                        stream,
                        budget,
                        password=password.encode() or None,
                        captures=captures,
                        progress=lambda inner: status.update(f"reading {inner}"),
                    )
            except OSError as error:
                evidence.files[evidence.open(name, "")].trouble = f"cannot be opened: {error.strerror or error}"
        status.update("reading packets")
        captures.finish(evidence)
        status.update("analysing")
        analysis = analyse(evidence)
    if agent:
        analysis.verdicts = [v for v in analysis.verdicts if v.incident.agent == agent.casefold()]
    if redact:
        analysis = redacted(analysis, secrets.token_bytes(16))
    if html is not None:
        html.write_text(html_report.render(analysis, words, datetime.now(UTC).timestamp()), "utf-8")
    if markdown is not None:
        markdown.write_text(markdown_report.render(analysis, words), "utf-8")
    if chrome_trace is not None:
        chrome_trace.write_text(chrome_trace_report.render(analysis), "utf-8")
    if as_json:
        json.dump(jsonform.as_values(analysis, words), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        analysis_text.show(analysis, words, Console(highlight=False))
    raise typer.Exit(1 if analysis.verdicts else 0)


def _zone(text: str) -> float:
    sign, _, rest = text.partition(text.lstrip("+-")[:1])
    digits = text.lstrip("+-").replace(":", "")
    if sign not in ("+", "-") or not digits.isdigit() or len(digits) not in (2, 4) or (not rest and len(digits) < 2):
        raise ValueError(f"--zone {text!r}: write it as +05:30 or -03:00")
    seconds = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    return float(-seconds if sign == "-" else seconds)


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
