"""Turns measured figures into bench/report.md: a table a workload, the ratio to the best peer, and one picture."""

from __future__ import annotations

import datetime
import platform
from html import escape
from pathlib import Path

from bench.workloads import Figure, Measured, Workload

PEER_ORDER = ["poise", "prosody", "prosody-t400", "ejabberd-s1"]


def write(
    folder: Path, results: dict[str, list[Measured]], versions: dict[str, str], workloads: list[Workload]
) -> None:
    """Write report.md and report.svg; the prose between the markers of an older report is kept."""
    lines = ["# Bench report: Poise beside Prosody and ejabberd", ""]
    lines += [
        f"Measured {datetime.datetime.now(datetime.UTC).date().isoformat()} in one run on "
        f"{_machine()}. Written by `make bench`; do not edit the tables.",
        "",
        "Server pinned to one core, load driver to the other; a fresh server for each workload; main figure: CPU "
        "(utime + stime of the server's process tree) per operation. Cells are median (min-max) of the blocks. "
        "*ratio* is Poise over the best peer of its column; the last line says what is asked of it, or of the figure "
        "itself. Cold sign-in, latency and TLS are stated without such a mark.",
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        "",
        "![CPU per operation, all servers](report.svg)",
        "",
    ]
    for transport, rows in results.items():
        lines += [f"## {'Over TLS' if transport == 'tls' else 'Plain HTTP'}", ""]
        for workload in workloads:
            lines += _table(workload, rows, asked=transport == "plain")
    old = folder / "report.md"
    lines += ["<!-- findings -->", _findings(old), "<!-- /findings -->", ""]
    old.write_text("\n".join(lines), encoding="utf-8")
    (folder / "report.svg").write_text(picture(results.get("plain", []), workloads), encoding="utf-8")


def misses(rows: list[Measured], workloads: list[Workload]) -> list[str]:
    """Columns in which Poise does not do what is asked."""
    found = []
    for workload in workloads:
        ours = next((m for m in rows if m.workload == workload.name and m.server == "poise"), None)
        for figure in workload.figures:
            ratio = _ratio(workload, figure, rows)
            if figure.share is not None and ratio is not None and ratio > figure.share:
                found.append(f"{workload.name} {figure.title}: {ratio:.2f} of the best peer, asked {figure.share:.2f}")
            value = ours.median(figure.key) if ours is not None else None
            if figure.limit is not None and value is not None and value > figure.limit:
                found.append(f"{workload.name} {figure.title}: {_number(value)} {figure.unit}, asked {figure.limit:g}")
    return found


def _ratio(workload: Workload, figure: Figure, rows: list[Measured]) -> float | None:
    medians = {m.server: m.median(figure.key) for m in rows if m.workload == workload.name}
    peers = [value for name, value in medians.items() if name != "poise" and value is not None and value > 0]
    ours = medians.get("poise")
    return ours / min(peers) if ours is not None and peers else None


def _table(workload: Workload, rows: list[Measured], *, asked: bool) -> list[str]:
    mine = {m.server: m for m in rows if m.workload == workload.name}
    if not mine:
        return []
    heads = [f"{f.title}, {f.unit}" for f in workload.figures]
    lines = [
        f"### {workload.title}",
        "",
        "| server | " + " | ".join(heads) + " | lost |",
        "|---" * (len(heads) + 2) + "|",
    ]
    for name in sorted(mine, key=PEER_ORDER.index):
        cells = [_cell(mine[name].values.get(figure.key)) for figure in workload.figures]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {mine[name].lost} |")
    ratios = [_ratio(workload, figure, rows) for figure in workload.figures]
    lines.append("| **ratio** | " + " | ".join("–" if r is None else f"**{r:.2f}**" for r in ratios) + " | |")
    if asked:
        lines.append("| asked | " + " | ".join(_asked(figure) for figure in workload.figures) + " | 0 |")
    problems = [f"{m.server}: {m.errors}" for m in mine.values() if m.errors]
    return [*lines, "", *problems, ""]


def _asked(figure: Figure) -> str:
    share = f"≤ {figure.share:.2f}" if figure.share is not None else ""
    limit = f"≤ {figure.limit:g} {figure.unit}" if figure.limit is not None else ""
    return " and ".join(filter(None, (share, limit))) or "–"


def _cell(values: list[float] | None) -> str:
    if not values:
        return "no figure"
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2] if len(ordered) % 2 else sum(ordered[len(ordered) // 2 - 1 :][:2]) / 2
    text = _number(middle)
    return text if len(ordered) == 1 else f"{text} ({_number(ordered[0])}-{_number(ordered[-1])})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _findings(old: Path) -> str:
    if old.exists():
        text = old.read_text(encoding="utf-8")
        if "<!-- findings -->" in text:
            return text.partition("<!-- findings -->\n")[2].partition("\n<!-- /findings -->")[0]
    return "\n## What the remaining cost is made of\n\n(not yet profiled)\n"


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "?")
    return f"{platform.system()} {platform.release()}, {model}, Python {platform.python_version()}"


_COLOURS = {"poise": "#0b7285", "prosody": "#ced4da", "prosody-t400": "#868e96", "ejabberd-s1": "#495057"}


def picture(rows: list[Measured], workloads: list[Workload]) -> str:
    """Horizontal bars, one group a column with a ratio, each scaled to the dearest server of its group."""
    groups = [(w, f) for w in workloads for f in w.figures if f.share and any(m.workload == w.name for m in rows)]
    bar, gap, left, width = 14, 26, 330, 460
    height = sum(gap + bar * len(PEER_ORDER) for _ in groups) + 60
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 130} {height}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    y = 24
    for name, x in zip(PEER_ORDER, range(10, 900, 140), strict=False):
        out.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{_COLOURS[name]}"/>')
        out.append(f'<text x="{x + 18}" y="{y}">{name}</text>')
    y += 20
    for workload, figure in groups:
        medians = {m.server: m.median(figure.key) for m in rows if m.workload == workload.name}
        most = max((v for v in medians.values() if v), default=1.0)
        label = escape(f"{workload.name}: {figure.title} ({figure.unit})")
        out.append(f'<text x="{left - 10}" y="{y + 2 * bar}" text-anchor="end">{label}</text>')
        for index, name in enumerate(PEER_ORDER):
            value = medians.get(name)
            if value is None:
                continue
            top = y + index * bar
            size = f'width="{max(1.0, value / most * width):.1f}" height="{bar - 3}"'
            out.append(f'<rect x="{left}" y="{top}" {size} fill="{_COLOURS[name]}"/>')
            out.append(f'<text x="{left + value / most * width + 6:.1f}" y="{top + 10}">{_number(value)}</text>')
        y += gap + bar * len(PEER_ORDER)
    return "\n".join([*out, "</svg>", ""])
