"""The wheel holds all the server needs, and a server started from nothing but the wheel works."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from poise import __version__
from tests.unit.cli.demo_server import POISE, demo, environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built without network and without Node."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([*command, "--disable-pip-version-check", "-w", folder, ROOT], check=True, timeout=120)
    (built,) = folder.glob("poise-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The wheel unpacked, as an installation has it."""
    folder = wheel.parent / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(
    "name",
    [
        "poise/py.typed",
        "poise/protocols/cti/layout.json",
        "poise/server/desktop/locales/pt-BR.json",
        "poise/server/storage/migrations/env.py",
        "poise/server/storage/migrations/versions/v0001_first_tables.py",
        f"poise-{__version__}.dist-info/licenses/LICENSE",
        f"poise-{__version__}.dist-info/licenses/NOTICE",
    ],
)
def test_the_wheel_carries_what_is_no_module(wheel: Path, name: str) -> None:
    assert name in names(wheel)


def test_the_wheel_carries_every_source_file_and_nothing_else(wheel: Path) -> None:
    source = ROOT / "src"
    wanted = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}
    assert wanted <= names(wheel)
    tops = {"poise", f"poise-{__version__}.dist-info", f"poise-{__version__}.data"}
    assert {name.partition("/")[0] for name in names(wheel)} == tops
    assert [name for name in names(wheel) if "__pycache__" in name or name.endswith(".pyc")] == []


def test_the_wheel_carries_the_desktop_where_it_was_built(wheel: Path) -> None:
    built = ROOT / "src/poise/server/desktop/static"
    files = {path.relative_to(ROOT / "src").as_posix() for path in built.rglob("*") if path.is_file()}
    assert {name for name in names(wheel) if "/desktop/static/" in name} == files


def test_the_wheel_installs_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entry_points = archive.read(f"poise-{__version__}.dist-info/entry_points.txt").decode()
    assert "poise = poise.cli.main:main" in entry_points


def test_the_command_runs_from_the_wheel(installed: Path) -> None:
    done = subprocess.run(
        [*POISE, "version"], capture_output=True, text=True, check=True, env=environment(PYTHONPATH=str(installed))
    )
    assert done.stdout == f"poise {__version__}\n"
    where = [sys.executable, "-c", "import poise; print(poise.__file__)"]
    done = subprocess.run(where, capture_output=True, text=True, check=True, env=environment(PYTHONPATH=str(installed)))
    assert Path(done.stdout.strip()).is_relative_to(installed)


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    with demo(tmp_path / "data", PYTHONPATH=str(installed)) as server:
        server.trace("service_state_changed", 1, status="IN_SERVICE")
