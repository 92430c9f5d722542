"""Programs that tests drive: present, or the test fails and says how to get them. Nothing is skipped silently."""

from __future__ import annotations

import shutil

import pytest

INSTALL = "bash tools/install-test-tools.sh (as root)"


def need(program: str) -> str:
    """Path of a program of `tools/install-test-tools.sh`."""
    found = shutil.which(program)
    if found is None:
        pytest.fail(f"{program} is not installed: {INSTALL}")
    return found
