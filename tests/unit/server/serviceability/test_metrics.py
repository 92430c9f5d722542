"""Counters and gauges in Prometheus' text format."""

from __future__ import annotations

import pytest

from poise.server.serviceability.metrics import Metrics


def test_the_text_is_what_prometheus_reads() -> None:
    metrics = Metrics()
    counter = metrics.counter("poise_sessions_ended_total", "Sessions ended.", "code")
    counter.add("idle")
    counter.add("idle", by=2)
    counter.add('odd"\\\n')
    metrics.counter("poise_stalls_total", "Stalls.")
    metrics.gauge("poise_sessions", "Open now.", lambda: 1.5)
    metrics.counted_elsewhere("poise_deliveries_total", "Deliveries.", lambda: 7)
    assert metrics.text() == (
        "# HELP poise_sessions_ended_total Sessions ended.\n"
        "# TYPE poise_sessions_ended_total counter\n"
        'poise_sessions_ended_total{code="idle"} 3\n'
        'poise_sessions_ended_total{code="odd\\"\\\\\\n"} 1\n'
        "# HELP poise_stalls_total Stalls.\n"
        "# TYPE poise_stalls_total counter\n"
        "poise_stalls_total 0\n"
        "# HELP poise_sessions Open now.\n"
        "# TYPE poise_sessions gauge\n"
        "poise_sessions 1.5\n"
        "# HELP poise_deliveries_total Deliveries.\n"
        "# TYPE poise_deliveries_total counter\n"
        "poise_deliveries_total 7\n"
    )


def test_a_name_stands_once_and_labels_are_complete() -> None:
    metrics = Metrics()
    counter = metrics.counter("a_total", "A.", "x", "y")
    with pytest.raises(AssertionError, match="named twice"):
        metrics.gauge("a_total", "A again.", lambda: 0)
    with pytest.raises(AssertionError, match="labels"):
        counter.add("x")
