"""Texts in the reader's language, from the catalogues in `words/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from poise.diagnosis.analysis import Finding, Verdict

LANGUAGES = ("en", "pt-BR", "es")


@cache
def catalogue(language: str) -> Mapping[str, Any]:
    """One language's texts; raises ValueError for a language that is not there."""
    if language not in LANGUAGES:
        raise ValueError(f"no texts in {language!r}; there are {', '.join(LANGUAGES)}")
    loaded: Mapping[str, Any] = json.loads(
        files("poise.diagnosis").joinpath("words", f"{language}.json").read_text("utf-8")
    )
    return loaded


class Words:
    """What is said of findings."""

    def __init__(self, language: str = "en") -> None:
        self.language = language
        self._texts = catalogue(language)

    def label(self, name: str) -> str:
        """A label of the output."""
        return str(self._texts["labels"][name])

    def title(self, finding: Finding) -> str:
        """The cause in a few words."""
        return str(self._texts["causes"][finding.cause.id]["title"])

    def sentence(self, finding: Finding) -> str:
        """What happened, in one sentence with its figures."""
        facts = dict(finding.hit.facts)
        if "meaning" in facts:
            facts["meaning"] = self._texts["codes"].get(facts["meaning"], facts["meaning"])
        return str(self._texts["causes"][finding.cause.id]["sentence"]).format_map(_Lenient(facts))

    def actions(self, finding: Finding) -> list[str]:
        """What to do, first things first."""
        return list(self._texts["causes"][finding.cause.id]["actions"])

    def side(self, finding: Finding) -> str:
        """Whose side it is."""
        return str(self._texts["side"][finding.cause.side.value])

    def confidence(self, finding: Finding) -> str:
        """How sure it is."""
        return str(self._texts["confidence"][finding.confidence.word])

    def notes(self, verdict: Verdict) -> list[str]:
        """What must be said beside the cause."""
        seconds = f"{abs(verdict.incident.counter_off_s):.1f}"
        return [str(self._texts["notes"][note]).format(seconds=seconds) for note in verdict.notes]

    def remark(self, name: str) -> str:
        """What must be known of a file; empty if nothing."""
        return str(self._texts["remarks"][name]) if name else ""

    def wanted(self, verdict: Verdict) -> list[str]:
        """Evidence that would make it surer."""
        return [str(self._texts["wanted"][name]) for name in verdict.wanted]


class _Lenient(dict[str, object]):
    """A value that is not known is shown as a dash."""

    def __missing__(self, key: str) -> str:
        return "-"
