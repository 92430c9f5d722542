"""The first file of a form (RFC 7578), as strictly as it takes to find one; its size is bounded before."""

from __future__ import annotations

from email.message import Message

BOUNDARY_MAX = 70
"""Characters of a boundary. RFC 2046 section 5.1.1."""
PARTS_MAX = 16
"""Parts that are looked at."""


class FormError(ValueError):
    """This is no form with a file."""


def first_file(body: bytes, content_type: str) -> bytes:
    """The content of the first part that has a file name, else of the first part. Raises FormError."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    if not boundary or len(boundary) > BOUNDARY_MAX or not boundary.isascii():
        raise FormError("the form's boundary is missing")
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode(), PARTS_MAX + 1)[1:]
    found: bytes | None = None
    for part in parts:
        if part.startswith(b"--"):
            break
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            raise FormError("a part of the form has no end of its header")
        if b"filename" in head.lower():
            return content
        found = content if found is None else found
    if found is None:
        raise FormError("the form holds nothing")
    return found
