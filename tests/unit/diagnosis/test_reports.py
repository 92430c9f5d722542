"""Reports: only text comes out of hostile logs, every arrow leads to its line, what is personal can be masked."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from poise.diagnosis.redaction import redacted
from poise.diagnosis.report import chrome_trace, html, markdown
from poise.diagnosis.wording import Words
from tests.unit.diagnosis.evidence_kit import (
    analysed,
    client,
    closing,
    drift,
    epoch,
    openfire,
    samples,
    tick,
    unavailable,
    webservices,
)

SEED = samples(
    "openfire-debug-finesse-2017.log", "openfire-info-finesse-2017.log", "desktop-webservices-finesse-2017.log"
)
EVIL = '"><script>alert(1)</script>'


class Page(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.external: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                assert value not in self.ids, f"the id {value} stands twice"
                self.ids.add(value or "")
            if name in ("href", "src"):
                (self.links if (value or "").startswith("#") else self.external).append(value or "")


def page(files: dict[str, str | bytes]) -> Page:
    return Page(html.render(analysed(files), Words(), 1_500_000_000.0))


def test_the_report_needs_nothing_from_outside_and_runs_no_script() -> None:
    found = page(SEED)
    assert "script" not in found.tags
    assert found.external == []


def test_every_arrow_and_link_leads_to_a_line_of_the_report() -> None:
    found = page(SEED)
    assert found.links
    assert {link[1:] for link in found.links} <= found.ids


def test_markup_in_logs_stays_text() -> None:
    files: dict[str, str | bytes] = {
        "debug.log": openfire(epoch(0), tick(60, 35000, EVIL), tick(90, 65000, EVIL), closing(90, EVIL)),
        EVIL: "x",
    }
    assert "script" not in page(files).tags


def test_the_report_of_a_quiet_day_says_so() -> None:
    assert "No disconnect found." in html.render(analysed({"debug.log": openfire(epoch(0))}), Words(), 0.0)


def test_drift_and_latency_are_drawn_where_they_were_measured() -> None:
    files: dict[str, str | bytes] = {
        "debug.log": openfire(epoch(0), tick(60, 35000), tick(90, 65000), closing(90)),
        "client.log": client((-61, "/finesse/api/User/1001"), drift(-60), drift(0, 30, 400)),
    }
    assert html.render(analysed(files), Words(), 0.0).count("<polyline") == 2


def test_markdown_has_cause_side_proof_and_actions() -> None:
    text = markdown.render(analysed(SEED), Words("pt-BR"))
    assert "## Agente 1001003" in text
    assert "O cliente parou de consultar" in text
    assert "openfire-debug-finesse-2017.log:23" in text


def test_the_trace_has_a_track_for_each_agent_and_a_slice_for_the_silence() -> None:
    rows = json.loads(chrome_trace.render(analysed(SEED)))["traceEvents"]
    assert {row["args"]["name"] for row in rows if row["ph"] == "M"} == {"server", "1001003"}
    silence = next(row for row in rows if row["name"].startswith("silence"))
    assert round(silence["dur"] / 1e6, 1) == 73.2


def test_a_redacted_report_names_nobody_and_still_tells_the_figures() -> None:
    files: dict[str, str | bytes] = {
        "1001-client.log": client((-61, "/finesse/api/User/1001"), drift(-60)),
        "debug.log": openfire(epoch(0), tick(60, 35000, "1001", ip="10.1.2.3"), tick(90, 65000), closing(90)),
        "ws.log": webservices(unavailable(90)),
    }
    text = html.render(redacted(analysed(files), b"key"), Words(), 0.0)
    assert not re.search(r"(?<!\d)1001(?!\d)|10\.1\.2\.3|fin1", text)
    assert "35000 ms" in text


def test_the_same_value_gets_the_same_mask_and_another_key_another() -> None:
    first, second = (redacted(analysed(SEED), key).verdicts[0].incident.agent for key in (b"a", b"b"))
    assert first != second
    assert first == redacted(analysed(SEED), b"a").verdicts[0].incident.agent
