"""`poise analyze`: from files and folders of any kind to the reason of every disconnect."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from poise.diagnosis import jsonform, reading
from poise.diagnosis.analysis import Analysis, Verdict, analyse
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import Budget
from poise.diagnosis.wording import LANGUAGES, Words

PROOF_SHOWN = 4
"""Lines of proof shown for a finding on the terminal; all are in `--json`."""
Paths = Annotated[
    list[Path], typer.Argument(help="Files and folders of evidence, of any kind, packed or not.", exists=True)
]


def analyze(
    paths: Paths,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    language: Annotated[str, typer.Option("--language", help=f"One of {', '.join(LANGUAGES)}.")] = "en",
    agent: Annotated[str, typer.Option("--agent", help="Only this agent's disconnects.")] = "",
    zone: Annotated[
        str, typer.Option("--zone", help="Zone of logs that name none, such as +05:30; by default it is found out.")
    ] = "",
    password: Annotated[
        str, typer.Option("--password", help="Of a protected SAZ or zip.", envvar="POISE_ANALYZE_PASSWORD")
    ] = "",
) -> None:
    """Say why agents were disconnected: what happened, whose side it was, how sure that is, what proves it, what to do.

    Reads logs of the notification service and the web services, client logs, browser consoles, HAR, SAZ, traces and
    pasted
    command output; files are recognised by content. Exit code 0: no disconnect, 1: disconnects found, 2: wrong use.
    """
    try:
        words = Words(language)
        evidence = Evidence(_zone(zone) if zone else None)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    budget = Budget()
    with Console(stderr=True).status("") as status:
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
                        progress=lambda inner: status.update(f"reading {inner}"),
                    )
            except OSError as error:
                evidence.files[evidence.open(name, "")].trouble = f"cannot be opened: {error.strerror or error}"
        status.update("analysing")
        analysis = analyse(evidence)
    if agent:
        analysis.verdicts = [v for v in analysis.verdicts if v.incident.agent == agent.casefold()]
    if as_json:
        json.dump(jsonform.as_values(analysis, words), sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        _print(analysis, words, Console(highlight=False))
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


def _print(analysis: Analysis, words: Words, console: Console) -> None:
    label = words.label
    if not analysis.verdicts:
        console.print(label("none"), style="bold")
    else:
        console.print(f"{label('summary')}: {len(analysis.verdicts)} {label('count')}", style="bold")
        for (title, side), count in _counts(analysis, words).items():
            console.print(f"  {count:>4} × {title} – {side}")
    for verdict in analysis.verdicts:
        _print_verdict(analysis, verdict, words, console)
    _print_files(analysis, words, console)


def _counts(analysis: Analysis, words: Words) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for verdict in analysis.verdicts:
        key = (words.title(verdict.best), words.side(verdict.best))
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _print_verdict(analysis: Analysis, verdict: Verdict, words: Words, console: Console) -> None:
    label, told = (
        words.label,
        jsonform.as_values(Analysis(analysis.evidence, [verdict], analysis.site), words)["disconnects"][0],
    )
    best = told["findings"][0]
    console.print()
    console.print(
        Text(f"{label('agent')} {told['agent'] or label('nobody')}, {told['at']}: {best['title']}", style="bold")
    )
    rows: list[tuple[str, Any]] = [
        ("cause", best["sentence"]),
        ("side", words.side(verdict.best)),
        ("confidence", words.confidence(verdict.best)),
    ]
    if told["last_contact"]:
        contact = told["last_contact"]
        rows.append(
            (
                "last_contact",
                f"{label('between')} {contact['after']} {label('and')} {contact['before']} ({contact['proof']})",
            )
        )
    for key, name in (
        ("closed", "closed"),
        ("unavailable", "unavailable"),
        ("forced_logout", "logout"),
        ("reason_code", "reason"),
    ):
        if told[key] is not None:
            rows.append((name, told[key]))
    width = max(len(label(name)) for name, _ in rows) + 1
    for name, value in rows:
        console.print(Text(f"  {label(name) + ':':{width}} ", style="dim").append(str(value), style="default"))
    for note in told["notes"]:
        console.print(Text(f"  {label('note')}: {note}", style="yellow"))
    _print_list(console, label("proof"), [f"{p['where']}: {p['text']}" for p in best["proof"][:PROOF_SHOWN]])
    _print_list(console, label("actions"), best["actions"])
    _print_list(
        console,
        label("also"),
        [
            f"{f['title']} ({words.confidence(v)})"
            for f, v in zip(told["findings"][1:4], verdict.findings[1:4], strict=False)
        ],
    )
    _print_list(console, label("wanted"), told["wanted"])


def _print_list(console: Console, title: str, lines: list[str]) -> None:
    if lines:
        console.print(Text(f"  {title}:", style="dim"))
        for line in lines:
            console.print(Text(f"    - {line}"), soft_wrap=True)


def _print_files(analysis: Analysis, words: Words, console: Console) -> None:
    label = words.label
    console.print()
    console.print(Text(f"{label('files')}:", style="bold"))
    for file in jsonform.as_values(Analysis(analysis.evidence, [], analysis.site), words)["files"]:
        clock = (
            f", {label('clock')} UTC{file['clock']['offset_s'] / 3600:+.2f} h ({file['clock']['source']})"
            if file["clock"]["source"]
            else ""
        )
        console.print(
            Text(
                f"  {file['name']}: {file['form'] or '?'}, {file['lines']} {label('lines')}, "
                f"{file['understood']} {label('understood')}{clock}"
            )
        )
        if file["trouble"]:
            console.print(Text(f"    {label('trouble')}: {file['trouble']}", style="yellow"))
        for unknown in file["unknown"]:
            console.print(Text(f"    {label('unknown')}: {unknown['count']} × {unknown['shape']}", style="dim"))
    if analysis.evidence.dropped:
        console.print(Text(f"  {analysis.evidence.dropped} {label('dropped')}", style="yellow"))
