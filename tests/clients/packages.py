"""What the clients are made of: packages of Node, Python and Debian, and small programs compiled here."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "clients"
INSTALLER = HERE.parents[1] / "tools" / "install-clients.sh"


@contextmanager
def _alone() -> Iterator[None]:
    """Several test runs may want the same packages at once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], **how: object) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{' '.join(command)} failed: {done.stdout}{done.stderr}"


def node_packages() -> None:
    """Node's packages as the lock file pins them, beside it."""
    debian_packages()
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    with _alone():
        if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
            return
        npm = shutil.which("npm")
        assert npm is not None, "the client tests need Node 18 or newer with npm"
        _run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional"], cwd=HERE)
        installed.touch()


def python_packages() -> Path:
    """A Python with the Python clients, made once for these requirements."""
    requirements = HERE / "requirements.txt"
    mark = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = CACHE / f"python-{mark}"
    interpreter = folder / "bin" / "python"
    with _alone():
        if not (folder / "complete").exists():
            venv.create(folder, with_pip=True, clear=True)
            install = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            _run([*install, "--requirement", str(requirements)])
            (folder / "complete").touch()
    return interpreter


def debian_packages() -> None:
    """Debian's packages; who may not install them is told the command."""
    with _alone():
        _run(["bash", str(INSTALLER)])


def built_programs() -> Path:
    """The folder with our programs around libraries in C and C++, compiled once for these sources."""
    debian_packages()
    sources = {
        HERE / "programs" / "purple.c": ["cc", "purple"],
        HERE / "programs" / "gloox.cpp": ["c++", "gloox"],
    }
    mark = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    folder = CACHE / f"built-{mark}"
    with _alone():
        folder.mkdir(exist_ok=True)
        for source, (compiler, package) in sources.items():
            target = folder / source.stem
            if target.exists():
                continue
            flags = subprocess.run(
                ["pkg-config", "--cflags", "--libs", package], capture_output=True, text=True, check=True
            ).stdout.split()
            _run([compiler, "-O1", "-Wall", "-Wno-deprecated-declarations", str(source), "-o", f"{target}.new", *flags])
            Path(f"{target}.new").rename(target)
    return folder
