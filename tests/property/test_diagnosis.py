"""Damaged evidence of every form: nothing raises, the rest is still told, the same input gives the same output."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poise.diagnosis.analysis import analyse
from poise.diagnosis.jsonform import as_values
from poise.diagnosis.wording import Words
from tests.unit.diagnosis.evidence_kit import (
    EMPTY,
    SAMPLES,
    client,
    closing,
    drift,
    epoch,
    har,
    openfire,
    read,
    tick,
    unavailable,
    webservices,
)

SOUND = openfire(epoch(0), tick(30, 5000), tick(60, 35000), tick(90, 65000), closing(90))
CORPUS: dict[str, bytes] = {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())} | {
    "agent.har": har((0, 30000, 200, EMPTY), (31, 35000, 0, "")).encode(),
    "client.log": client((0, "/finesse/api/User/1001"), drift(1), drift(61)).encode(),
    "ws.log": webservices(unavailable(90)).encode(),
    "debug.log": SOUND.encode(),
}


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    name = draw(st.sampled_from(sorted(CORPUS)))
    data = bytearray(CORPUS[name])
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        match draw(st.sampled_from(["cut", "flip", "insert", "repeat", "swap"])):
            case "cut":
                del data[at : at + draw(st.integers(1, 400))]
            case "flip":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "insert":
                data[at:at] = draw(st.binary(max_size=40))
            case "repeat":
                data[at:at] = data[at : at + 200] * draw(st.integers(1, 5))
            case "swap":
                data[:] = data[at:] + data[:at]
    return name, bytes(data)


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(files=st.lists(damaged(), min_size=1, max_size=4))
def test_damaged_evidence_is_read_as_far_as_it_goes(language: str, files: list[tuple[str, bytes]]) -> None:
    evidence = {f"{n}-{name}": data for n, (name, data) in enumerate(files)}
    told = as_values(analyse(read(evidence)), Words(language))
    json.dumps(told)
    assert len(told["files"]) >= len(files)


@settings(max_examples=60, deadline=None)
@given(damaged())
def test_damage_in_one_file_hides_nothing_of_another(other: tuple[str, bytes]) -> None:
    told = as_values(analyse(read({"sound/debug.log": SOUND, f"other/{other[0]}": other[1]})), Words())
    assert any(d["agent"] == "1001" and d["closed"] for d in told["disconnects"])


@settings(max_examples=30, deadline=None)
@given(st.lists(damaged(), min_size=1, max_size=3))
def test_the_same_evidence_gives_the_same_answer(files: list[tuple[str, bytes]]) -> None:
    evidence = {f"{n}-{name}": data for n, (name, data) in enumerate(files)}
    assert as_values(analyse(read(evidence)), Words()) == as_values(analyse(read(evidence)), Words())
