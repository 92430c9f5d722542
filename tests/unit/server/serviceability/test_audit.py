"""The audit log: one line a change, what differs of it, and nothing that breaks the line."""

from __future__ import annotations

import json
from pathlib import Path

from poise.server.clock import ManualClock
from poise.server.serviceability.activelog import Activelog
from poise.server.serviceability.audit import VALUE_MAX, AuditLog
from poise.server.serviceability.writer import LogWriter


def written(folder: Path, *changes: tuple[dict[str, object] | None, dict[str, object] | None]) -> list[str]:
    writer, activelog = LogWriter(), Activelog(folder)
    activelog.create()
    log = AuditLog(writer, activelog, ManualClock())
    for before, after in changes:
        log.changed(user="admin", address="10.0.0.9", method="PUT", uri="/x", before=before, after=after)
    writer.close()
    return (folder / "logs/desktop/audit-log/audit.log").read_text().splitlines()


def test_a_change_tells_what_differs_and_a_new_object_everything(tmp_path: Path) -> None:
    same = {"label": "Lunch", "code": 12}
    change, new = written(tmp_path, (same, same | {"label": "Tea"}), (None, same))
    head = "2023-11-14T22:13:20.000Z: admin: 10.0.0.9: PUT: /x: "
    assert change == head + json.dumps({"before": {"label": "Lunch"}, "after": {"label": "Tea"}})
    assert new == head + json.dumps({"before": None, "after": same})


def test_line_breaks_stay_inside_and_long_texts_are_cut(tmp_path: Path) -> None:
    (line,) = written(tmp_path, (None, {"layoutxml": "a\nb" + "x" * 5000}))
    assert "a\\nb" in line
    assert "(5003 characters)" in line
    assert len(line) < VALUE_MAX + 200
