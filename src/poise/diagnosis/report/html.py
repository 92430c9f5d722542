"""One HTML file that needs nothing else: no script, no network, escaped throughout, since logs are hostile text."""

from __future__ import annotations

from collections import Counter

from jinja2 import Environment, PackageLoader, select_autoescape

from poise.diagnosis.analysis import Analysis, Verdict
from poise.diagnosis.jsonform import as_values, stamp
from poise.diagnosis.report import ladder
from poise.diagnosis.wording import Words

VERDICTS_LIMIT = 500
"""Disconnects told in full in one file; the summary counts them all."""


def render(analysis: Analysis, words: Words, made_at: float) -> str:
    """The report. `made_at`: seconds since 1970, for its head."""
    environment = Environment(
        loader=PackageLoader("poise.diagnosis", "report"),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    told = as_values(analysis, words)
    counts = Counter((words.title(v.best), words.side(v.best), v.best.cause.side.value) for v in analysis.verdicts)
    zone = analysis.evidence.people_zone_s
    return environment.get_template("report.html.j2").render(
        label=words.label,
        language=words.language,
        made=stamp(made_at, zone),
        counts=counts.most_common(),
        files=told["files"],
        total=len(analysis.verdicts),
        left_out=max(0, len(analysis.verdicts) - VERDICTS_LIMIT),
        verdicts=[
            {
                "told": d,
                "rows": ladder.rows(analysis.evidence, v.incident.events),
                "charts": ladder.charts(analysis.evidence, v.incident.events),
                "lines": _lines(analysis, v),
                "words": v,
                "side": words.side(v.best),
                "confidence": words.confidence(v.best),
                "others": [(words.title(f), words.side(f), words.confidence(f)) for f in v.findings[1:]],
            }
            for v, d in zip(analysis.verdicts[:VERDICTS_LIMIT], told["disconnects"], strict=False)
        ],
    )


def _lines(analysis: Analysis, verdict: Verdict) -> list[tuple[str, str, str]]:
    """Raw lines with their anchors, each once."""
    evidence, seen, lines = analysis.evidence, set(), []
    for event in [*verdict.incident.events[-ladder.ROWS_LIMIT :], *(e for f in verdict.findings for e in f.hit.proof)]:
        key = ladder.anchor(event)
        if key not in seen:
            seen.add(key)
            lines.append((key, evidence.where(event.place), event.text))
    return lines
