"""The demo's telephone system: the simulated CTI server as a child process that ends with this one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from poise.server.settings import Settings


@contextmanager
def simulated_cti_server(settings: Settings) -> Iterator[None]:
    """Runs `poise lab` where `cti.side_a` points; it stops when its standard input closes, whatever happens to us."""
    host, _, port = settings.cti.side_a.rpartition(":")
    command = [sys.executable, "-m", "poise.cli.main", "lab", "--host", host, "--port", port]
    command += ["--deployment", settings.contact.deployment, "--load", str(settings.contact.load)]
    command += ["--peripheral-id", str(settings.cti.peripheral_id), "--stop-with-stdin", "--json"]
    child = subprocess.Popen(  # noqa: S603 - our own interpreter with checked settings
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert child.stdout is not None
    with child.stdout:
        child.stdout.readline()  # its ready line: the first sign-in finds a telephone system
    try:
        yield
    finally:
        assert child.stdin is not None
        child.stdin.close()
        try:
            child.wait(2)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
