"""What the tests of the CTI tools need: tshark, and a live session with the simulated CTI server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def tshark() -> str:
    """Path of tshark; installed where that is possible."""
    if shutil.which("tshark") is None:
        subprocess.run(["bash", str(ROOT / "tools" / "install-tshark.sh")], check=False)
    found = shutil.which("tshark")
    if found is None:
        pytest.skip("tshark is not here and cannot be installed")
    return found
