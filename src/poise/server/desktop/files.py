"""The built files of the desktop, read once and kept: a request for one costs no disk and no compression.

They are made from `web/` by `tools/build-desktop.sh` and are part of the wheel. A server installed without them works
and says that the desktop is absent.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"
PAGE = "index.html"
"""The page; every other file has a hash of its content in its name."""
TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
"""Where the machine's table of types would decide, a wrong table would break every page."""
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent."""

    plain: bytes
    zipped: bytes
    """The same, compressed; empty when that saves nothing."""
    content_type: str
    etag: str
    cache: str
    """Cache-Control."""


def load(folder: Path = STATIC) -> Mapping[str, File]:
    """Every file by its path below the folder; nothing when the desktop was not built."""
    if not (folder / PAGE).is_file():
        return {}
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _file(path, path.relative_to(folder).parts[0]) for path in found}


def _file(path: Path, top: str) -> File:
    plain = path.read_bytes()
    zipped = gzip.compress(plain, 9, mtime=0)
    content_type = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(
        plain,
        zipped if len(zipped) < len(plain) else b"",
        content_type,
        f'"{hashlib.sha256(plain).hexdigest()[:20]}"',
        FOR_EVER if top == "assets" else ASK_AGAIN,
    )
