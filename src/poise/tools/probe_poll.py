"""One BOSH session with one long poll: as a desktop does it, and nothing more.

With an account the session signs in with the resource `probe`, sends no presence and touches no agent; without one it
polls before signing in, which servers allow for some seconds only.

Source: XEP-0124, XEP-0206; RFC 4616 for PLAIN.
"""

from __future__ import annotations

import base64
import http.client
import re
import secrets
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from poise.tools.trust import trouble

PATH = "/http-bind/"
MARGIN_S = 15.0
"""Seconds beyond the wait after which a poll counts as unanswered."""
BODY = "http://jabber.org/protocol/httpbind"
SID = re.compile(r"\bsid=['\"]([^'\"]+)")
CONDITION = re.compile(r"\bcondition=['\"]([\w-]+)")
ANSWER_LIMIT = 262_144


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Held:
    """A poll that came back."""

    at: str
    seconds: float


class PollError(Exception):
    """No session, or no answer; the text says what it means. `poll` is what a capture would have seen of it."""

    def __init__(self, text: str, poll: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.poll = poll


class _Session:
    def __init__(self, connection: http.client.HTTPSConnection) -> None:
        self._connection = connection
        self._rid = secrets.randbelow(1_000_000_000) + 1
        self.sid = ""

    def send(self, payload: str = "", **attributes: str) -> str:
        """One request and its answer. Raises PollError."""
        self._rid += 1
        more = "".join(f" {name.replace('__', ':')}={quoteattr(value)}" for name, value in attributes.items())
        sid = f" sid={quoteattr(self.sid)}" if self.sid else ""
        body = f"<body xmlns='{BODY}' rid='{self._rid}'{sid}{more}>{payload}</body>"
        began, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="milliseconds")

        def seen(status: int, word: str) -> dict[str, Any]:
            return {"at": at, "took_ms": round((time.monotonic() - began) * 1000), "status": status, "word": word}

        try:
            self._connection.request("POST", PATH, body.encode(), {"Content-Type": "text/xml; charset=utf-8"})
            answer = self._connection.getresponse()
            text = answer.read(ANSWER_LIMIT).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            where = f"{self._connection.host}:{self._connection.port}"
            why = trouble(error if isinstance(error, OSError) else OSError(repr(error)), where)
            raise PollError(f"no answer after {time.monotonic() - began:.1f} s. {why}", seen(0, "none")) from None
        if answer.status != 200 or not text.lstrip().startswith("<body"):
            word = "gateway" if answer.status in (502, 503, 504) else "html" if "<html" in text.lower() else "forbidden"
            raise PollError(f"answered with HTTP {answer.status} and no BOSH body", seen(answer.status, word))
        if re.search(r"<body\b[^>]*\btype=['\"]terminate", text):
            condition = CONDITION.search(text)
            name = condition[1] if condition else "no reason"
            raise PollError(f"the server ended the session: {name}", seen(200, f"terminate:{name}"))
        return text


def hold(host: str, port: int, tls: ssl.SSLContext, account: Account | None, wait_s: int) -> Held:
    """Open a session and let one poll be held. Raises PollError."""
    connection = http.client.HTTPSConnection(host, port, timeout=wait_s + MARGIN_S, context=tls)
    try:
        session = _Session(connection)
        opening = {"to": host, "hold": "1", "wait": str(wait_s), "ver": "1.6", "xml__lang": "en", "secure": "true"}
        opening |= {"content": "text/xml; charset=utf-8", "xmpp__version": "1.0", "xmlns__xmpp": "urn:xmpp:xbosh"}
        answer = session.send(**opening)
        if (sid := SID.search(answer)) is None:
            raise PollError("the server opened no session")
        session.sid = sid[1]
        domain = re.search(r"\bfrom=['\"]([^'\"]+)", answer)
        if account is not None:
            _sign_in(session, account, domain[1] if domain else host)
        before, at = time.monotonic(), datetime.now(UTC).isoformat(timespec="milliseconds")
        session.send()
        held = Held(at, time.monotonic() - before)
        with suppress(PollError):  # the answer to an ending is an ending
            session.send(type="terminate")
        return held
    finally:
        connection.close()


def _sign_in(session: _Session, account: Account, domain: str) -> None:
    token = base64.b64encode(f"\0{account.user}\0{account.password}".encode()).decode()
    answer = session.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>")
    if "<success" not in answer:
        raise PollError(f"sign-in of {account.user} was refused")
    session.send(to=domain, xmpp__restart="true", xmlns__xmpp="urn:xmpp:xbosh")
    resource = escape(f"probe-{secrets.token_hex(4)}")
    bind = f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind>"
    session.send(f"<iq xmlns='jabber:client' type='set' id='b'>{bind}</iq>")
