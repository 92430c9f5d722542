"""mitmproxy's side of `poise capture proxy`: the list of the seed's Fiddler pictures, with BOSH decoded.

This file runs in mitmproxy's own environment and imports nothing of Poise and of mitmproxy. One line a request: number,
result, protocol, host, path, bytes of the answer, caching, content type, client, comments. A request without answer has
result `-` and body -1, as in the seed. A poll that is held longer than a client waits is told while it hangs.

Source: the seed's chapter on Fiddler; mitmproxy's event hooks (request, response, error, websocket_message, done).
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from typing import Any

OVERDUE_S = 35.0
"""A client gives a poll up after 33 or 35 s."""
LOOK_S = 5.0
PENDING_LIMIT = 10_000
HEAD = (
    "   # Result Proto Host                         URL                                    Body Caching      "
    "Content-Type     Client             Comments"
)

RID = re.compile(r"\brid=['\"](\d+)")
TERMINATE = re.compile(r"<body\b[^>]*\btype=['\"]terminate['\"]")
CONDITION = re.compile(r"<body\b[^>]*\bcondition=['\"]([\w-]+)")
NODE = re.compile(r"<items\b[^>]*\bnode=['\"]([^'\"]+)")
STANZA = re.compile(r"<(message|presence|iq|success|failure|stream:features|challenge|auth|response)\b")


def comments(request: str, answer: str, took_s: float, poll: bool) -> str:
    """What there is to say of one exchange."""
    if not poll:
        return ""
    parts = []
    if (rid := RID.search(request)) is not None:
        parts.append(f"rid {rid[1]}")
    sent = STANZA.findall(request)
    if sent:
        parts.append("sent " + ", ".join(dict.fromkeys(sent)))
    if TERMINATE.search(request):
        parts.append("client says goodbye")
    if TERMINATE.search(answer):
        condition = CONDITION.search(answer)
        parts.append(f"server ends it: {condition[1] if condition else 'no reason'}")
    elif nodes := NODE.findall(answer):
        parts.append("event " + ", ".join(dict.fromkeys(nodes)))
    elif came := STANZA.findall(answer):
        parts.append("came " + ", ".join(dict.fromkeys(came)))
    elif answer.lstrip().startswith("<body"):
        parts.append("empty")
    elif answer:
        parts.append("no BOSH: a proxy's or web server's page")
    parts.append(f"held {took_s:.1f} s")
    return "; ".join(parts)


def row(number: int, fields: dict[str, Any]) -> str:
    """One line of the list."""
    return (
        f"{number:4} {fields['result']:>6} {fields['protocol']:5} {fields['host'][:28]:28} {fields['url'][:36]:36} "
        f"{fields['body']:>6} {fields['caching'][:12]:12} {fields['type'][:16]:16} {fields['client'][:18]:18} "
        f"{fields['comments']}"
    ).rstrip()


class Poise:
    """The add-on."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._asked: dict[str, tuple[float, Any]] = {}
        self._overdue: set[str] = set()
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    def running(self) -> None:
        """mitmproxy is up."""
        self._say(HEAD)
        self._task = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)  # noqa: TID251 - runs inside mitmproxy, which has no other clock
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Tell polls that hang."""
        for key, (asked, flow) in list(self._asked.items()):
            if now - asked > OVERDUE_S and key not in self._overdue and _is_poll(flow):
                self._overdue.add(key)
                self._say(f"{self._numbers[key]:4} still no answer after {now - asked:.0f} s")

    def request(self, flow: Any) -> None:
        """A request left the client."""
        self._count += 1
        if len(self._asked) < PENDING_LIMIT:
            self._numbers[flow.id] = self._count
            self._asked[flow.id] = (time.monotonic(), flow)

    def response(self, flow: Any) -> None:
        """Its answer is complete."""
        self._finish(flow, str(flow.response.status_code))

    def error(self, flow: Any) -> None:
        """It will have none."""
        self._finish(flow, "-", str(flow.error.msg) if flow.error else "")

    def websocket_end(self, flow: Any) -> None:
        """A WebSocket ended."""
        messages = flow.websocket.messages if flow.websocket else []
        sent = sum(1 for message in messages if message.from_client)
        self._say(f"     WebSocket of {flow.request.host} ended: {sent} frames sent, {len(messages) - sent} came")

    def done(self) -> None:
        """mitmproxy ends: whatever waits has no answer."""
        if self._task is not None:
            self._task.cancel()
        for _, flow in list(self._asked.values()):
            self._finish(flow, "-", "the recording ended")

    def _finish(self, flow: Any, result: str, error: str = "") -> None:
        asked = self._asked.pop(flow.id, None)
        self._overdue.discard(flow.id)
        number = self._numbers.pop(flow.id, 0)
        took = time.monotonic() - asked[0] if asked else 0.0
        answer = flow.response
        text = (answer.get_text(strict=False) or "") if answer is not None else ""
        said = comments(flow.request.get_text(strict=False) or "", text, took, _is_poll(flow))
        address = flow.client_conn.peername
        self._say(
            row(
                number,
                {
                    "result": result,
                    "protocol": flow.request.scheme.upper(),
                    "host": f"{flow.request.pretty_host}:{flow.request.port}",
                    "url": flow.request.path.partition("?")[0],
                    "body": -1 if answer is None else len(answer.raw_content or b""),
                    "caching": "" if answer is None else answer.headers.get("cache-control", ""),
                    "type": "" if answer is None else answer.headers.get("content-type", ""),
                    "client": f"{address[0]}:{address[1]}" if address else "",
                    "comments": "; ".join(part for part in (said, error) if part),
                },
            )
        )

    def _say(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _is_poll(flow: Any) -> bool:
    return "http-bind" in str(flow.request.path)


addons = [Poise()]
