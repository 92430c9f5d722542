"""Bodies of configuration requests and ranges: bounded, and read off the event loop when they are large."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from email.parser import BytesParser
from email.policy import HTTP
from typing import TypeVar

from poise.finesse.api_errors import ApiException, Code
from poise.protocols.xmpp.xml import Element, Limits, XmlError, XmlFault, parse
from poise.server.webservices.resources import XML_TYPES, Answer, Call

BODY_MAX = 4 * 1024 * 1024
"""Bytes of a body: a full phone book, or the largest layout, escaped twice. The listener takes no more either."""
LIMITS = Limits(size=BODY_MAX, depth=16, nodes=40_000)
"""A full phone book has 6,000 contacts of five elements."""
LARGE = 32_768
"""Bytes from which a body is read on another thread."""
RANGE_MAX = 6000
"""Objects of one range (finesse-api.md 1.5)."""
_RANGE = re.compile(r"objects\s*=\s*(\d{1,6})\s*-\s*(\d{1,6})", re.IGNORECASE)

T = TypeVar("T")


def answer(
    status: int,
    body: bytes = b"",
    headers: Sequence[tuple[str, str]] = (),
    content_type: str = "application/xml;charset=UTF-8",
) -> Answer:
    """An answer with further headers."""
    return Answer(status, body, tuple(headers), content_type)


async def raw(call: Call, types: frozenset[str] = XML_TYPES) -> bytes:
    """The body as it came. Raises ApiException."""
    content_type = call.request.headers.get("content-type", "application/xml")
    if content_type.partition(";")[0].strip().lower() not in types:
        raise ApiException(Code.INVALID_INPUT, "Content-Type")
    data = bytearray()
    async for chunk in call.request.stream():
        data += chunk
        if len(data) > BODY_MAX:
            raise ApiException(Code.TOO_LARGE)
    return bytes(data)


async def element(call: Call, *roots: str) -> Element:
    """The root element of the body, which is one of those. Raises ApiException."""
    data = (await raw(call)).lstrip()
    root = await asyncio.to_thread(_parsed, data) if len(data) > LARGE else _parsed(data)
    if root.name not in roots:
        raise ApiException(Code.WRONG_ROOT, f"{root.name[:64]} instead of {roots[0]}")
    return root


def _parsed(data: bytes) -> Element:
    try:
        return parse(data, LIMITS)
    except XmlError as error:
        too_large = error.kind in (XmlFault.TOO_BIG, XmlFault.TOO_DEEP, XmlFault.TOO_WIDE)
        raise ApiException(Code.TOO_LARGE if too_large else Code.MALFORMED_XML, error.detail) from None


async def datafile(call: Call) -> bytes:
    """The field `datafile` of a multipart form. Raises ApiException."""
    data = await raw(call, frozenset(("multipart/form-data",)))
    head = f"Content-Type: {call.request.headers['content-type']}\r\n\r\n".encode("latin-1")
    form = BytesParser(policy=HTTP).parsebytes(head + data)
    for part in form.iter_parts() if form.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "datafile":
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    raise ApiException(Code.PARAMETER_MISSING, "datafile")


def within_range(header: str | None, objects: Sequence[T]) -> tuple[int, Sequence[T], tuple[tuple[str, str], ...]]:
    """Status, the objects asked for, and the headers that say so: `Range: objects=1-6000`. Raises ApiException.

    Ours: more than there are is no error, as with every other range of HTTP; starting behind the last one is.
    """
    if header is None:
        return 200, objects, ()
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        raise ApiException(Code.INVALID_RANGE, header[:64])
    first, last = int(match[1]), int(match[2])
    if not 1 <= first <= last or last > RANGE_MAX or (first > len(objects) and first > 1):
        raise ApiException(Code.INVALID_RANGE, header[:64])
    part = objects[first - 1 : last]
    if last >= len(objects) and first == 1:
        return 200, part, ()
    end = min(last, len(objects))
    return (206 if last < len(objects) else 200), part, (("Content-Range", f"objects {first}-{end}/{len(objects)}"),)
