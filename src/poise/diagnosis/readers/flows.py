"""mitmproxy's flow files, read without mitmproxy: one netstring dictionary a flow.

Theory: a typed netstring is `LENGTH:BYTES` and one character for the type; dictionaries and lists hold more of them. So
a flow can be read alone, and a damaged one ends the reading without harm to those before it.

Source: the format of mitmproxy 2 to 12 (`mitmproxy.io.tnetstring`).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any, BinaryIO

from poise.diagnosis.evidence import Evidence
from poise.diagnosis.readers.exchanges import BODY_LIMIT, Exchange, tell

FORM = "mitmproxy flows"
FLOW_LIMIT = 16 * 1024 * 1024
"""Bytes of one flow: bodies larger than that are no polls."""
FLOWS_LIMIT = 20_000
DEPTH_LIMIT = 32
FRAMES_LIMIT = 1_000


class NetstringError(ValueError):
    """No typed netstring; the message says where."""


def read(evidence: Evidence, file: int, stream: BinaryIO) -> None:
    """Read one flow file."""
    entry = evidence.files[file]
    entry.clock.source = "in every line"
    exchanges: list[Exchange] = []
    while len(exchanges) < FLOWS_LIMIT:
        try:
            flow = next_value(stream)
        except NetstringError as error:
            entry.trouble = f"damaged behind flow {entry.lines}: {error}"
            break
        if flow is None:
            break
        entry.lines += 1
        exchange = _exchange(entry.lines, flow) if isinstance(flow, dict) else None
        if exchange is not None:
            entry.understood += 1
            exchanges.append(exchange)
    else:
        entry.trouble = f"more than {FLOWS_LIMIT} flows: the rest is not read; record only those to the server"
    tell(evidence, file, exchanges)


def next_value(stream: BinaryIO) -> Any:
    """The next value of a stream, None at its end. Raises NetstringError."""
    head = bytearray()
    while (byte := stream.read(1)) != b":":
        if not byte and not head:
            return None
        if not byte.isdigit() or len(head) > 12:
            raise NetstringError("no length where one must be")
        head += byte
    size = int(head or b"0")
    if size > FLOW_LIMIT:
        raise NetstringError(f"one of {size} bytes")
    data = stream.read(size + 1)
    if len(data) != size + 1:
        raise NetstringError("cut off")
    return _value(data[:-1], data[-1:], DEPTH_LIMIT)


def _value(data: bytes, kind: bytes, depth: int) -> Any:
    if depth == 0:
        raise NetstringError("nested too deeply")
    match kind:
        case b",":
            return data
        case b";":
            return data.decode("utf-8", "replace")
        case b"#" | b"^":
            try:
                return int(data) if kind == b"#" else float(data)
            except ValueError as error:
                raise NetstringError("a number that is none") from error
        case b"!":
            return data == b"true"
        case b"~":
            return None
        case b"]" | b"}":
            values = _values(data, depth)
            if kind == b"]":
                return values
            return {_text(key): value for key, value in zip(values[::2], values[1::2], strict=False)}
    raise NetstringError(f"unknown type {kind!r}")


def _values(data: bytes, depth: int) -> list[Any]:
    values, at = [], 0
    while at < len(data):
        colon = data.find(b":", at, at + 14)
        if colon < 0 or not data[at:colon].isdigit():
            raise NetstringError("no length where one must be")
        end = colon + 1 + int(data[at:colon])
        if end >= len(data):
            raise NetstringError("cut off")
        values.append(_value(data[colon + 1 : end], data[end : end + 1], depth - 1))
        at = end + 1
    return values


def _exchange(number: int, flow: Mapping[str, Any]) -> Exchange | None:
    request, response = flow.get("request"), flow.get("response")
    if not isinstance(request, dict):
        return None
    began = _number(request.get("timestamp_start"))
    if began is None:
        return None
    answer = response if isinstance(response, dict) else {}
    error = flow.get("error")
    said = _text(error.get("msg")) if isinstance(error, dict) else ""
    socket = flow.get("websocket")
    ends = [_number(answer.get("timestamp_end")), _number(error.get("timestamp")) if isinstance(error, dict) else None]
    if isinstance(socket, dict):
        ends.insert(0, _number(socket.get("timestamp_end")))
    end = next((moment for moment in ends if moment is not None), None)
    host = _text(request.get("host"))
    scheme, port = _text(request.get("scheme")) or "https", request.get("port")
    path = _text(request.get("path"))
    method = _text(request.get("method")).upper()
    content, sent = _content(answer), _content(request)
    return Exchange(
        number=number,
        at=began,
        method=method,
        url=f"{scheme}://{host}:{port}{path}" if method != "CONNECT" else f"{host}:{port}",
        status=int(_number(answer.get("status_code")) or 0),
        took_ms=(end - began) * 1000 if end is not None and end >= began else None,
        error=said[:200],
        request=sent[:BODY_LIMIT].decode("utf-8", "replace"),
        answer=_plain(content, _header(answer, "content-encoding")),
        answer_bytes=len(content) if answer else None,
        answer_type=_header(answer, "content-type"),
        authorization=_header(request, "authorization"),
        frames=_frames(socket) if isinstance(socket, dict) else (),
    )


def _frames(socket: Mapping[str, Any]) -> tuple[tuple[float, bool], ...]:
    messages = socket.get("messages")
    made = [
        (at, message[1] is True)
        for message in (messages if isinstance(messages, list) else [])
        if isinstance(message, list) and len(message) >= 4 and (at := _number(message[3])) is not None
    ]
    return tuple(made[-FRAMES_LIMIT:])


def _content(message: Mapping[str, Any]) -> bytes:
    content = message.get("content")
    return content if isinstance(content, bytes) else b""


def _header(message: Mapping[str, Any], name: str) -> str:
    headers = message.get("headers")
    for pair in headers if isinstance(headers, list) else []:
        if isinstance(pair, list) and len(pair) == 2 and _text(pair[0]).lower() == name:
            return _text(pair[1])
    return ""


def _plain(content: bytes, encoding: str) -> str:
    if encoding == "gzip":
        try:
            with gzip.open(BytesIO(content)) as stream:
                content = stream.read(BODY_LIMIT)
        except (OSError, EOFError, zlib.error):
            return ""
    return content[:BODY_LIMIT].decode("utf-8", "replace")


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) if value is not None else ""


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
