"""Modes of files and folders: what others may not have is taken away, nothing is ever given."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from poise.server.modes import FOLDER, LOG, SECRET, make_folder, tighten
from poise.server.serviceability.activelog import Activelog


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("before", "allowed", "after"),
    [(0o644, SECRET, 0o600), (0o666, LOG, 0o640), (0o600, LOG, 0o600), (0o400, SECRET, 0o400)],
)
def test_a_file_keeps_only_what_is_allowed(tmp_path: Path, before: int, allowed: int, after: int) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(before)
    tighten(file, allowed)
    assert mode(file) == after


def test_a_link_to_something_of_others_and_what_is_not_there_are_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.touch()
    target.chmod(0o644)
    (tmp_path / "link").symlink_to(target)
    tighten(tmp_path / "link", SECRET)
    tighten(tmp_path / "absent", SECRET)
    assert mode(target) == 0o644


def test_a_folder_that_everybody_shares_is_not_taken_from_them(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    make_folder(shared)
    assert mode(shared) == 0o777 | stat.S_ISVTX


def test_folders_are_made_for_the_group_and_existing_ones_tightened(tmp_path: Path) -> None:
    open_to_all = tmp_path / "data"
    open_to_all.mkdir(0o755)
    open_to_all.chmod(0o755)
    make_folder(open_to_all)
    make_folder(tmp_path / "new")
    assert (mode(open_to_all), mode(tmp_path / "new")) == (FOLDER, FOLDER)


def test_logs_of_an_earlier_version_are_tightened_at_start(tmp_path: Path) -> None:
    tree = Activelog(tmp_path)
    tree.openfire.mkdir(parents=True)
    old = tree.openfire / "debug.log-1"
    old.write_text("old\n")
    old.chmod(0o644)
    tree.create()
    assert mode(old) == LOG
    assert {mode(folder) for folder in (tree.root, tree.desktop, tree.openfire, tree.webservices, tree.poise)} == {
        FOLDER
    }
