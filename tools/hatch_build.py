"""Says at the build of a wheel or sdist whether it carries the desktop, and builds it where that needs no network.

`pip install .` of a clean checkout without Node gives a server without the desktop; with the desktop's packages
installed (`web/node_modules`) what is stale is built anew first.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class DesktopHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before the files are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """`version` is `editable` for an installation that points at the sources: nothing is built for it."""
        root = Path(self.root)
        if version != "editable" and (root / "web" / "node_modules").is_dir():
            subprocess.run(["bash", str(root / "tools" / "build-desktop.sh"), "--if-node"], check=True)  # noqa: S603, S607
        if not (root / "src/poise/server/desktop/static/index.html").is_file():
            self.app.display_warning("The desktop was not built: the server will work and say that it is absent.")
