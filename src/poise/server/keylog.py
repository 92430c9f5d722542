"""The TLS key log of the server's own listeners: an administrator's switch, so that a capture can be read in Wireshark.

Theory: whoever has the log and a capture reads everything, passwords too. So it is off after every start, its file is
the server's alone (0600) and is deleted at the next start and when it is switched off, and switching is audited. Only
connections that begin while it is on can be read.

Source: the key log format of browsers (SSLKEYLOGFILE), written by OpenSSL.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence
from pathlib import Path

MODE = 0o600


class KeyLog:
    """One switch for all TLS contexts of the server."""

    def __init__(self, contexts: Sequence[ssl.SSLContext], file: Path) -> None:
        """Begins switched off; a log that an earlier run left is deleted. Raises OSError."""
        self._contexts = contexts
        self.file = file
        self.enabled = False
        file.unlink(missing_ok=True)

    def enable(self) -> None:
        """Write keys from the next connection on. Raises OSError."""
        if self.enabled:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), MODE)
        os.fchmod(descriptor, MODE)
        os.close(descriptor)
        for context in self._contexts:
            context.keylog_filename = str(self.file)
        self.enabled = True

    def disable(self) -> None:
        """Write no more, and delete what was written. Raises OSError."""
        for context in self._contexts:
            context.keylog_filename = None  # type: ignore[assignment]  # typeshed knows only the getter's str
        self.enabled = False
        self.file.unlink(missing_ok=True)
