"""HAR of all exporters: Chrome, Firefox, Safari, Charles, Insomnia, mitmproxy, Poise's own capture.

Source: HAR 1.2; dialects in diagnosis notes 1.5.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from poise.diagnosis.evidence import Evidence
from poise.diagnosis.readers.exchanges import BODY_LIMIT, Exchange, tell

FORM = "HAR"
SIZE_LIMIT = 64 * 1024 * 1024
"""Bytes of one HAR: an hour of one desktop without pictures has 2 MB; its tree needs about four times its size in
memory."""
FRAMES_LIMIT = 1_000
"""Last messages of a WebSocket that are kept: pings of three hours."""


def read(evidence: Evidence, file: int, stream: BinaryIO) -> None:
    """Read one HAR."""
    entry = evidence.files[file]
    data = stream.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        entry.trouble = f"larger than {SIZE_LIMIT // 1_048_576} MB: export only requests to the Finesse server"
        return
    try:
        tree = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        entry.trouble = f"not JSON: {error}"
        return
    entry.clock.source = "in every line"
    exchanges = []
    for number, raw in enumerate(_entries(tree), 1):
        entry.lines += 1
        exchange = _exchange(number, raw)
        if exchange is not None:
            exchanges.append(exchange)
            entry.understood += 1
    if not entry.lines:
        entry.trouble = "holds no requests"
    tell(evidence, file, exchanges)


def _entries(tree: Any) -> Iterator[Mapping[str, Any]]:
    log = tree.get("log") if isinstance(tree, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    for raw in entries if isinstance(entries, list) else []:
        yield raw if isinstance(raw, dict) else {}


def _exchange(number: int, raw: Mapping[str, Any]) -> Exchange | None:
    request, response = _dict(raw.get("request")), _dict(raw.get("response"))
    at = _time(raw.get("startedDateTime"))
    if at is None or not isinstance(request.get("url"), str):
        return None
    content = _dict(response.get("content"))
    headers = {str(h.get("name", "")).lower(): str(h.get("value", "")) for h in _list(request.get("headers"))}
    took, status = _number(raw.get("time")), _number(response.get("status"))
    error = str(raw.get("_error") or response.get("_error") or _dict(raw.get("_resourceType")).get("", "") or "")
    size = _number(response.get("bodySize"))
    size = _number(content.get("size")) if size is None or size < 0 else size
    return Exchange(
        number=number,
        at=at,
        method=str(request.get("method", "")).upper(),
        url=request["url"],
        status=int(status or 0),
        took_ms=None if took is None or took < 0 else took,
        error=error,
        request=str(_dict(request.get("postData")).get("text", ""))[:BODY_LIMIT],
        answer=_content(content),
        answer_bytes=None if size is None or size < 0 else int(size),
        answer_type=str(content.get("mimeType", "")),
        authorization=headers.get("authorization", ""),
        aborted="ABORTED" in error.upper(),
        frames=_frames(raw),
    )


def _frames(raw: Mapping[str, Any]) -> tuple[tuple[float, bool], ...]:
    """Times and directions of a WebSocket's messages, as Chrome and mitmproxy write them."""
    told = ((_number(m.get("time")), m.get("type") == "send") for m in _list(raw.get("_webSocketMessages")))
    return tuple((at, client) for at, client in told if at is not None)[-FRAMES_LIMIT:]


def _content(content: Mapping[str, Any]) -> str:
    text = str(content.get("text") or "")[: BODY_LIMIT * 2]
    if content.get("encoding") == "base64":
        try:
            text = base64.b64decode(text + "=" * (-len(text) % 4), validate=False).decode("utf-8", "replace")
        except ValueError:
            return ""
    return text[:BODY_LIMIT]


def _time(text: Any) -> float | None:
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15 else None
    )
