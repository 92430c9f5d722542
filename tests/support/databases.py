"""Databases of the tests: a SQLite file, or a schema in a real PostgreSQL that the tests start for themselves."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

from poise.server.storage.store import DATABASE, sqlite_url

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ("sqlite", "postgresql")
_USER = "postgres"
"""Whom PostgreSQL runs as when the tests run as root, which it refuses."""


class Postgres:
    """One server on a socket in a folder of its own; without durability, which no test looks at."""

    def __init__(self) -> None:
        """Raises RuntimeError when PostgreSQL is not there and cannot be installed."""
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="poise-pg-"))
        if os.geteuid() == 0:
            user = pwd.getpwnam(_USER)
            os.chown(self._folder, user.pw_uid, user.pw_gid)
        self._made: set[str] = set()
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        options = f"-c listen_addresses='' -k {self._folder} -c fsync=off -c max_connections=50"
        self._run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", str(self._folder / "log"), "-o", options, "start")

    def url(self, folder: Path) -> str:
        """The schema that stands for a folder, made when it is first asked for: a database each would be 7 MB each."""
        name = "t" + hashlib.blake2b(str(folder).encode(), digest_size=8).hexdigest()
        if name not in self._made:
            with psycopg.connect(host=str(self._folder), user=_USER, dbname="postgres", autocommit=True) as connection:
                connection.execute(f"CREATE SCHEMA {name}")
            self._made.add(name)
        return f"postgresql+psycopg://{_USER}@/postgres?host={self._folder}&options=-csearch_path%3D{name}"

    def stop(self) -> None:
        """End it and forget everything."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", _USER, "--", *command]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")


def _programs() -> Path:
    """Where initdb and pg_ctl are."""
    for attempt in (1, 2):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if found:
            return found[-1].parent
        known = shutil.which("initdb")
        if known is not None:
            return Path(known).resolve().parent
        if attempt == 1:
            subprocess.run(["bash", str(ROOT / "tools" / "install-postgresql.sh")], check=False)
    raise RuntimeError("PostgreSQL is not installed: run tools/install-postgresql.sh as root")


class Engine:
    """Which database the present test uses."""

    name = ENGINES[0]
    postgres: Postgres | None = None

    @classmethod
    def url(cls, folder: Path) -> str:
        """The database that stands for a folder."""
        if cls.name == "sqlite":
            return sqlite_url(folder / DATABASE)
        if cls.postgres is None:
            cls.postgres = Postgres()
        return cls.postgres.url(folder)


def url_of(folder: Path) -> str:
    """The database that stands for a folder, on the engine of the present test."""
    return Engine.url(folder)
