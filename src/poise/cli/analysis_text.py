"""An analysis on the terminal: summary first, then disconnect by disconnect, then the files."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from poise.diagnosis import jsonform
from poise.diagnosis.analysis import Analysis, Verdict
from poise.diagnosis.wording import Words

PROOF_SHOWN = 4
"""Lines of proof shown for a finding; all are in `--json`."""


def show(analysis: Analysis, words: Words, console: Console) -> None:
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
        if file["remark"]:
            console.print(Text(f"    {file['remark']}", style="yellow"))
        for unknown in file["unknown"]:
            console.print(Text(f"    {label('unknown')}: {unknown['count']} × {unknown['shape']}", style="dim"))
    if analysis.evidence.dropped:
        console.print(Text(f"  {analysis.evidence.dropped} {label('dropped')}", style="yellow"))
