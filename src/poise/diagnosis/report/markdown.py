"""Markdown for a ticket: short enough to be read there, complete enough to act on."""

from __future__ import annotations

from typing import Any

from poise.diagnosis.analysis import Analysis
from poise.diagnosis.jsonform import as_values
from poise.diagnosis.wording import Words

VERDICTS_LIMIT = 50
PROOF_LIMIT = 6


def render(analysis: Analysis, words: Words) -> str:
    """The analysis as Markdown."""
    told, label = as_values(analysis, words), words.label
    lines = [f"# {label('summary')}: {len(analysis.verdicts)} {label('count')}", ""]
    for verdict, d in list(zip(analysis.verdicts, told["disconnects"], strict=True))[:VERDICTS_LIMIT]:
        best = d["findings"][0]
        lines += [
            f"## {label('agent')} {d['agent'] or label('nobody')}, {d['at']}: {best['title']}",
            "",
            _plain(best["sentence"]),
            "",
        ]
        lines += [
            f"- {label('side')}: **{words.side(verdict.best)}**",
            f"- {label('confidence')}: {words.confidence(verdict.best)}",
        ]
        lines += _facts(d, label)
        lines += [
            "",
            f"**{label('proof')}**",
            "",
            "```text",
            *(f"{p['where']}: {p['text']}".replace("```", "'''") for p in best["proof"][:PROOF_LIMIT]),
            "```",
            "",
        ]
        lines += [
            f"**{label('actions')}**",
            "",
            *(f"{n}. {_plain(action)}" for n, action in enumerate(best["actions"], 1)),
            "",
        ]
        if d["wanted"]:
            lines += [f"**{label('wanted')}**", "", *(f"- {want}" for want in d["wanted"]), ""]
    return "\n".join(lines)


def _facts(d: dict[str, Any], label: Any) -> list[str]:
    lines = []
    if d["last_contact"]:
        after, before = d["last_contact"]["after"], d["last_contact"]["before"]
        lines.append(f"- {label('last_contact')}: {label('between')} {after} {label('and')} {before}")
    for key, name in (
        ("closed", "closed"),
        ("unavailable", "unavailable"),
        ("forced_logout", "logout"),
        ("reason_code", "reason"),
    ):
        if d[key] is not None:
            lines.append(f"- {label(name)}: {d[key]}")
    return [*lines, *(f"- {label('note')}: {note}" for note in d["notes"])]


def _plain(text: str) -> str:
    """No markup of Markdown or HTML comes out of a log's words."""
    return text.replace("<", "&lt;").replace("*", "\\*")
