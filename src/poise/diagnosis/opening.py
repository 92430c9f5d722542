"""From any stream to the files inside it: gzip, zip, tar, archives in archives. Bounded against bombs, and damage
stays local.

A file is recognised by its first bytes, never by its name. Source: diagnosis notes 1.6.
"""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import pyzipper

DEPTH_LIMIT = 4
"""Archives in archives; a `file get` bundle needs two."""
RATIO_LIMIT = 250
"""Times a part may be larger than its archive entry: repetitive logs reach 100, bombs 1,000."""
EXPANDED_LIMIT = 20 * 1024**3
"""Bytes that one analysis unpacks at most."""
HEAD = 65_536
"""Bytes looked at to recognise a form."""
DAMAGE = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    pyzipper.BadZipFile,
    tarfile.TarError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What broken archives raise."""

Found = Callable[[str, BinaryIO], None]
Trouble = Callable[[str, str], None]


class TooBigError(ValueError):
    """More comes out than may; the message says what and the limit."""


class Budget:
    """How much one analysis may still unpack."""

    def __init__(self, total: int = EXPANDED_LIMIT) -> None:
        self.left = total


class _Counted(io.RawIOBase):
    """A stream that ends with TooBigError instead of filling memory or time."""

    def __init__(self, stream: BinaryIO, budget: Budget, limit: int) -> None:
        self._stream, self._budget, self._limit = stream, budget, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._stream.read(len(view))
        self._limit -= len(data)
        self._budget.left -= len(data)
        if self._limit < 0 or self._budget.left < 0:
            raise TooBigError("unpacks to far more than its size: not read further")
        view[: len(data)] = data
        return len(data)


def members(
    name: str,
    stream: BinaryIO,
    found: Found,
    trouble: Trouble,
    budget: Budget,
    *,
    password: bytes | None = None,
    depth: int = 0,
) -> None:
    """Call `found(name, stream)` for every file that is not an archive, in the archive's order; an inner name is
    `outer!inner`.

    A SAZ is handed on whole: its parts belong together. `trouble(name, why)` for what cannot be opened.
    """
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
    try:
        head = buffered.peek(HEAD)[:HEAD]
    except DAMAGE as error:
        trouble(name, f"cannot be read: {error}")
        return
    if depth > DEPTH_LIMIT:
        trouble(name, f"archives lie more than {DEPTH_LIMIT} deep: not opened")
        return
    try:
        if head.startswith(b"\x1f\x8b"):
            inner = gzip.GzipFile(fileobj=buffered)
            counted = io.BufferedReader(_Counted(inner, budget, EXPANDED_LIMIT))  # type: ignore[arg-type]
            short = (
                name[:-3]
                if name.lower().endswith(".gz")
                else name.rsplit(".tgz", 1)[0] + ".tar"
                if name.lower().endswith(".tgz")
                else name
            )
            members(short, counted, found, trouble, budget, password=password, depth=depth + 1)
        elif head[257:262] == b"ustar":
            _tar(name, buffered, found, trouble, budget, password, depth)
        elif head.startswith(b"PK\x03\x04"):
            _zip(name, buffered, found, trouble, budget, password, depth)
        else:
            found(name, buffered)
    except DAMAGE as error:
        trouble(name, f"damaged: {error}")


def _tar(
    name: str, stream: BinaryIO, found: Found, trouble: Trouble, budget: Budget, password: bytes | None, depth: int
) -> None:
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for entry in archive:
            if not entry.isfile():
                continue
            inner = archive.extractfile(entry)
            if inner is not None:
                counted = io.BufferedReader(_Counted(inner, budget, entry.size + 1))  # type: ignore[arg-type]
                members(f"{name}!{entry.name}", counted, found, trouble, budget, password=password, depth=depth + 1)


def _zip(
    name: str, stream: BinaryIO, found: Found, trouble: Trouble, budget: Budget, password: bytes | None, depth: int
) -> None:
    if not stream.seekable():
        data = stream.read(256 * 1024 * 1024 + 1)
        if len(data) > 256 * 1024 * 1024:
            raise TooBigError("a zip inside an archive larger than 256 MB: unpack it first")
        stream = io.BytesIO(data)
    with pyzipper.AESZipFile(stream) as archive:  # Fiddler protects with AES
        if password:
            archive.setpassword(password)
        if any(entry.startswith("raw/") for entry in archive.namelist()):
            found(name, archive)
            return
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            try:
                with archive.open(entry) as inner:
                    limit = max(entry.compress_size, 1024) * RATIO_LIMIT
                    counted = io.BufferedReader(_Counted(inner, budget, limit))
                    members(
                        f"{name}!{entry.filename}", counted, found, trouble, budget, password=password, depth=depth + 1
                    )
            except DAMAGE as error:
                trouble(f"{name}!{entry.filename}", f"damaged: {error}")


def lines(stream: BinaryIO, longest: int = 1_048_576) -> Iterator[bytes]:
    """Lines of a stream; one longer than `longest` bytes is cut in pieces, so that no line fills the memory."""
    while line := stream.readline(longest):
        yield line
