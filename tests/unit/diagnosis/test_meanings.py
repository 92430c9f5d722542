"""A pasted line is explained, whoever wrote it."""

from __future__ import annotations

import pytest

from poise.diagnosis.events import Kind
from poise.diagnosis.meanings import MEANINGS, of_line
from tests.unit.diagnosis.evidence_kit import SAMPLES


@pytest.mark.parametrize(
    ("line", "kind", "says"),
    [
        (
            "2017.06.17 00:15:34 Session (id=f382a015) was last active 43230 ms ago: 1001003@x/desktop",
            Kind.IDLE,
            "30 s",
        ),
        (
            "2017.06.17 00:15:34 Session (id=f382a015) was last active 0 ms ago: 1001003@x/desktop",
            Kind.IDLE,
            "held right now",
        ),
        ("2017.06.17 00:16:04 Closing idle session (id=f382a015): 1001003@x/desktop", Kind.IDLE_CLOSE, "fell silent"),
        ("converse.min.js:244 request errored, status: 0, number of errors: 2", Kind.REQUEST_FAILED, "failed"),
    ],
)
def test_a_line_is_explained(line: str, kind: Kind, says: str) -> None:
    known = of_line(line)
    assert known is not None
    assert known[1].kind is kind
    assert says in known[2]


def test_a_state_event_says_whether_its_reason_is_a_lost_connection() -> None:
    lines = (SAMPLES / "desktop-webservices-finesse-2017.log").read_text().splitlines()
    known = of_line("\n".join(lines[9:11]))
    assert known is not None
    assert known[2].endswith("Reason 255: a lost connection.")


def test_what_nobody_wrote_is_not_explained() -> None:
    assert of_line("hello world") is None


def test_every_meaning_is_a_sentence() -> None:
    assert all(text.endswith(".") for text in MEANINGS.values())
