"""Clients' logs as files: names, bounds, archives that are bombs or damaged, a disk that refuses."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.finesse.api_errors import ApiException, Code
from poise.server.serviceability import client_logs
from poise.server.serviceability.client_logs import ClientLogs, check_zip

WALL = 1_497_638_764.63


def archive(*contents: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as writer:
        for number, content in enumerate(contents):
            writer.writestr(f"../../{number}.log", content)
    return buffer.getvalue()


def body(text: str) -> bytes:
    return f"<ClientLog><logData>{text}</logData></ClientLog>".encode()


class Folder:
    """The folder, and time moved by hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wall = WALL
        self.logs = ClientLogs(path, lambda: self.wall)

    def keep(self, text: str = "x", agent: str = "1001") -> str:
        self.wall += 1
        return asyncio.run(self.logs.keep_text(agent, body(text)))

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.path.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path / "clientlogs")
    yield made
    made.logs.close()


def test_a_log_is_a_file_named_by_agent_and_moment_with_the_modes_of_logs(folder: Folder) -> None:
    name = folder.keep("Mozilla/5.0&#10;2017-06-16 a &lt;b&gt; \u00e4")
    assert name == "ClientLog.1001.2017-06-16T18-46-05.630.log"
    assert (folder.path / name).read_text() == "Mozilla/5.0\n2017-06-16 a <b> \u00e4"
    assert (folder.path / name).stat().st_mode & 0o777 & ~0o640 == 0


def test_two_logs_of_one_moment_are_two_files(folder: Folder) -> None:
    asyncio.run(folder.logs.keep_text("1001", body("a")))
    second = asyncio.run(folder.logs.keep_text("1001", body("b")))
    assert second.endswith("-1.log")
    assert len(folder.names) == 2


@pytest.mark.parametrize(
    ("agent", "shown"), [("../../etc/x", "______etc_x"), ("a" * 40, "a" * 12), ("é.b c", "__b_c"), ("AGENT7", "AGENT7")]
)
def test_no_agents_id_leads_out_of_the_folder(folder: Folder, agent: str, shown: str) -> None:
    assert folder.keep(agent=agent).split(".")[1] == shown
    assert len(folder.names) == 1


def test_nothing_is_written_through_a_link_that_lies_in_the_way(folder: Folder, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    folder.path.mkdir()
    (folder.path / "ClientLog.1001.2017-06-16T18-46-05.630.log").symlink_to(victim)
    assert folder.keep().endswith("630-1.log")
    assert not victim.exists()


def test_one_agents_oldest_logs_make_room_for_the_newest_and_no_one_elses(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_logs, "AGENT_FILES_MAX", 3)
    monkeypatch.setattr(client_logs, "AGENT_BYTES_MAX", 10)
    other = folder.keep(agent="1002")
    first = [folder.keep() for _ in range(5)]
    assert folder.names == sorted([other, *first[2:]])
    big = folder.keep("123456789")
    assert folder.names == sorted([other, first[-1], big])


def test_the_folder_is_bounded_by_files_and_bytes_and_the_oldest_go_first(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_logs, "FOLDER_FILES_MAX", 4)
    monkeypatch.setattr(client_logs, "FOLDER_BYTES_MAX", 12)
    names = [folder.keep(agent=str(1001 + n)) for n in range(6)]
    assert folder.names == sorted(names[2:])
    last = folder.keep("12345678901")
    assert folder.names == sorted([names[-1], last])


def test_bounds_hold_over_a_restart_and_strangers_files_are_left_alone(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_logs, "FOLDER_FILES_MAX", 2)
    old = [folder.keep(agent=str(1001 + n)) for n in range(2)]
    for age, name in enumerate(reversed(old)):
        os.utime(folder.path / name, (WALL - age, WALL - age))
    (folder.path / "notes.txt").write_text("the operator's")
    again = Folder(folder.path)
    again.wall = WALL + 100
    new = again.keep(agent="1003")
    again.logs.close()
    assert again.names == sorted([old[1], new, "notes.txt"])


def test_an_operator_may_take_files_away(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_logs, "FOLDER_FILES_MAX", 1)
    (folder.path / folder.keep()).unlink()
    assert folder.names == []
    assert folder.names != [folder.keep()]


def test_a_disk_that_refuses_is_an_operation_failure_and_leaves_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object, **__: object) -> io.BytesIO:
        path.touch()

        class Full(io.BytesIO):
            def write(self, _data: object) -> int:
                raise OSError(28, "No space left on device")

        return Full()

    folder.keep()
    before = folder.names
    monkeypatch.setattr(client_logs, "open", full, raising=False)
    with pytest.raises(ApiException) as refused:
        folder.keep()
    assert (refused.value.code, refused.value.data) == (Code.OPERATION_FAILURE, "No space left on device")
    assert folder.names == before


def test_who_has_two_logs_waiting_must_wait_and_others_need_not(folder: Folder) -> None:
    with folder.logs.slot("1001"), folder.logs.slot("1001"):
        with pytest.raises(ApiException, match="maximum-exceeded"), folder.logs.slot("1001"):
            pass
        with folder.logs.slot("1002"):
            pass
    with folder.logs.slot("1001"):
        pass


def test_all_together_have_a_bounded_number_waiting(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_logs, "WAITING_MAX", 1)
    with folder.logs.slot("1001"), pytest.raises(ApiException), folder.logs.slot("1002"):
        pass


def test_an_archive_is_stored_as_it_came_and_the_names_in_it_mean_nothing(folder: Folder) -> None:
    data = archive(b"one", b"two")
    name = asyncio.run(folder.logs.keep_zip("1001", data))
    assert name.endswith(".zip")
    assert (folder.path / name).read_bytes() == data
    assert len(folder.names) == 1


def flipped(data: bytes) -> bytes:
    """A bit of the content is wrong."""
    at = data.index(b"\x08\x00", 4) + 40
    return data[:at] + bytes((data[at] ^ 0xFF,)) + data[at + 1 :]


def lying(data: bytes) -> bytes:
    """The sizes in the central directory say that the files are empty."""
    at = data.rindex(b"PK\x01\x02") + 24
    return data[:at] + b"\0\0\0\0" + data[at + 4 :]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", Code.INVALID_INPUT),
        (b"PK\x05\x06" + bytes(18), Code.INVALID_INPUT),
        (b"no archive at all", Code.INVALID_INPUT),
        (archive(b"x" * 1000)[:-30], Code.INVALID_INPUT),
        (flipped(archive(bytes(range(256)))), Code.INVALID_INPUT),
        (lying(archive(b"x" * 5000)), Code.INVALID_INPUT),
        (archive(b"x", method=zipfile.ZIP_LZMA), Code.INVALID_INPUT),
        (archive(*[b""] * 101), Code.INVALID_INPUT),
        (bytes(1_572_865), Code.TOO_LARGE),
        (archive(bytes(65 * 1024 * 1024)), Code.TOO_LARGE),
    ],
    ids=["empty", "no file", "text", "cut", "damaged", "lying", "lzma", "many", "big", "bomb"],
)
def test_what_is_no_honest_archive_is_refused(data: bytes, code: Code) -> None:
    with pytest.raises(ApiException) as refused:
        check_zip(data)
    assert refused.value.code is code


EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8)


@given(data=st.binary(max_size=300), edits=EDITS, cut=st.integers(0, 400))
def test_no_archive_breaks_the_check(data: bytes, edits: list[tuple[int, int]], cut: int) -> None:
    broken = bytearray(archive(data, b"second"))
    for at, value in edits:
        if at < len(broken):
            broken[at] = value
    sent = bytes(broken[: cut or None])
    try:
        check_zip(sent)
    except ApiException as refused:
        outcome = refused.status
    else:
        outcome = 202
    assert outcome in (202, 400, 413)


def test_a_log_that_is_no_log_stores_nothing(folder: Folder) -> None:
    refusals: list[tuple[bytes, Code]] = [
        (b"<ClientLog/>", Code.PARAMETER_MISSING),
        (b"<ClientLog><logData> </logData></ClientLog>", Code.PARAMETER_MISSING),
        (body("x" * 1_572_865), Code.INVALID_INPUT),
        (body("x" * 3_200_000), Code.TOO_LARGE),
        (b"<!DOCTYPE a><ClientLog><logData>x</logData></ClientLog>", Code.MALFORMED_XML),
        (b"<ClientLog><logData>&a;</logData></ClientLog>", Code.MALFORMED_XML),
        (b"<Log/>", Code.WRONG_ROOT),
    ]
    for data, code in refusals:
        with pytest.raises(ApiException) as refused:
            asyncio.run(folder.logs.keep_text("1001", data))
        assert refused.value.code is code
    assert not folder.path.exists()
