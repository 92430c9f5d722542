"""Archives, damage and bombs: what can be read is read, the rest is named, memory stays flat."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest

from poise.diagnosis import opening
from poise.diagnosis.events import Kind
from tests.unit.diagnosis.evidence_kit import closing, epoch, events, openfire, read

LOG = openfire(epoch(0), closing(90)).encode()


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def tarred(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "inner"),
    [
        ("debug.log.gz", gzip.compress(LOG), "debug.log"),
        ("logs.zip", zipped(debug=LOG), "logs.zip!debug"),
        ("active_1.tgz", gzip.compress(tarred(debug=LOG)), "active_1.tar!debug"),
        ("outer.zip", zipped(inner=gzip.compress(LOG)), "outer.zip!inner"),
        ("report", LOG, "report"),
    ],
)
def test_logs_are_found_in_archives_by_content(name: str, data: bytes, inner: str) -> None:
    evidence = read({name: data})
    assert [file.name for file in evidence.files if file.form] == [inner]
    assert len(events(evidence, Kind.IDLE_CLOSE)) == 1


def test_a_bomb_is_named_and_the_rest_is_still_read() -> None:
    bomb = zipped(bomb=b"2026.01.01 00:00:00 session=null\n" * 600_000)
    evidence = read({"bomb.zip": bomb, "debug.log": LOG})
    assert "unpacks to far more" in evidence.files[0].trouble + evidence.files[1].trouble
    assert len(events(evidence, Kind.IDLE_CLOSE)) == 1


def test_archives_in_archives_have_an_end() -> None:
    data = LOG
    for _ in range(opening.DEPTH_LIMIT + 2):
        data = gzip.compress(data)
    evidence = read({"deep": data})
    assert "deep" in evidence.files[0].trouble


@pytest.mark.parametrize("cut", [20, 60, 120])
def test_a_truncated_archive_says_so(cut: int) -> None:
    evidence = read({"logs.zip": zipped(debug=LOG * 50)[:cut], "debug.log": LOG})
    assert evidence.files[0].trouble
    assert len(events(evidence, Kind.IDLE_CLOSE)) == 1


def test_a_truncated_gzip_gives_what_was_whole() -> None:
    evidence = read({"debug.log.gz": gzip.compress(LOG * 4000)[:-40]})
    assert evidence.files[0].trouble.startswith("damaged from here on")
    assert len(events(evidence, Kind.IDLE_CLOSE)) > 100


def test_binary_and_empty_files_are_named_as_such() -> None:
    evidence = read({"core": b"\x7fELF\0\0\0" * 100, "empty.log": b""})
    assert [file.trouble for file in evidence.files] == ["binary, of no form known here", "empty"]


def test_one_endless_line_is_read_in_pieces() -> None:
    evidence = read({"debug.log": LOG + b"x" * 5_000_000 + b"\n" + LOG})
    assert len(events(evidence, Kind.IDLE_CLOSE)) == 2
    assert sum(unknown.count for unknown in evidence.files[0].unknown.values()) < 10


def test_markup_and_control_characters_in_logs_stay_text() -> None:
    evil = openfire(epoch(0), closing(90, "<script>alert(1)</script>\x1b[31m"))
    (event,) = events(read({"debug.log": evil}), Kind.IDLE_CLOSE)
    assert "\x1b" not in event.text
    assert "<script>" in event.text
