"""What client and server agree on when a session is created (XEP-0124 section 7, XEP-0206)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from poise.protocols.xmpp.bosh.timing import VERSION, BoshPolicy
from poise.protocols.xmpp.bosh.wire import (
    HEAD,
    LEGACY_STATUS,
    TAIL,
    XBOSH_NS,
    Body,
    other_uri,
    parse_count,
    terminate,
)
from poise.protocols.xmpp.errors import STREAM_NS
from poise.protocols.xmpp.jid import JidError, prepare
from poise.protocols.xmpp.xml import escape_attr

_CONTENT_TYPES: Final = {
    kind: f"{kind}; charset=utf-8" for kind in ("text/xml", "text/html", "application/xml", "text/plain")
}
"""What a client may have as Content-Type of its answers; an open list would be a way to write headers and to run
scripts."""
_CONTENT: Final = re.compile(r"""([a-z]+/[a-z]+)(?: *; *charset=(["']?)utf-8\2)?""", re.IGNORECASE | re.ASCII).fullmatch
_VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})", re.ASCII).fullmatch
_LANG: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,3}", re.ASCII).fullmatch


_XBOSH: Final = f" xmlns:xmpp='{XBOSH_NS}' xmpp:version='1.0' xmpp:restartlogic='true'"


class Refused(Exception):  # noqa: N818 - a refusal is an answer to the client, not a fault
    """No session is created. `status` and `body` are the answer."""

    def __init__(self, condition: str, evidence: str, *, legacy: bool = False, payload: bytes = b"") -> None:
        super().__init__(f"{condition}: {evidence}")
        self.condition = condition
        """Terminal binding condition."""
        self.evidence = evidence
        """What was wrong, in a few words, without what the client sent."""
        self.status = LEGACY_STATUS.get(condition, 200) if legacy else 200
        self.body = terminate(condition, payload)


class Terms(NamedTuple):
    """What a session was created with."""

    domain: str
    """The domain it is for, as we write it."""
    ver: str | None
    """The lower of both versions; None for a client that named none or no version."""
    wait_s: int
    """Longest time a request is held, seconds."""
    hold: int
    """How many requests are held; 0 in a polling session."""
    requests: int
    """How many requests the client may have open, and the width of the window of request ids."""
    inactivity_s: int | None
    """Longest silence, seconds; None for no limit."""
    content_type: str
    """Content-Type of every answer."""
    lang: str | None
    """The client's language, if it named one."""
    acking: bool
    """Whether both sides acknowledge (XEP-0124 section 9)."""

    @property
    def legacy(self) -> bool:
        """Whether the client expects errors as HTTP status."""
        return self.ver is None


def negotiate(body: Body, domain: str, secure: bool, policy: BoshPolicy) -> Terms:
    """The terms for a creation request. Raises Refused.

    `from` and `route` are never looked at: the one proves nothing, the other would make the server dial.
    """
    attrs = body.attrs
    ver = _version(attrs.get("ver"))
    legacy = ver is None
    if body.sid is not None:
        raise Refused("item-not-found", "a session id nobody has", legacy=legacy)
    if policy.redirect_uri is not None and not secure:
        raise Refused("see-other-uri", "no TLS", legacy=legacy, payload=other_uri(policy.redirect_uri))
    _check_domain(attrs.get("to", ""), domain, policy, legacy)
    if body.children and not policy.allow_creation_payload:
        raise Refused("bad-request", "stanzas in the creation request", legacy=legacy)
    wait_s = _granted(attrs.get("wait"), policy.wait_default_s, policy.wait_max_s, legacy)
    hold = _granted(attrs.get("hold"), 1, policy.hold_max, legacy)
    if wait_s == 0:
        hold = 0
    lang = attrs.get("xml:lang", "")
    return Terms(
        domain=domain,
        ver=ver,
        wait_s=wait_s,
        hold=hold,
        requests=hold + 1,
        inactivity_s=_patience(hold, policy),
        content_type=_content_type(attrs.get("content"), legacy),
        lang=lang if _LANG(lang) is not None else None,
        acking=attrs.get("ack") == "1",
    )


def creation_answer(
    terms: Terms, rid: int, sid: str, stream_id: str, secure: bool, policy: BoshPolicy, features: bytes
) -> bytes:
    """The answer that creates a session: Openfire's attributes in Openfire's order, then XEP-0206's."""
    optional = " secure='true'" if secure else ""
    optional += f" requests='{terms.requests}'"
    if terms.inactivity_s is not None:
        optional += f" inactivity='{terms.inactivity_s}'"
    if policy.polling_s is not None:
        optional += f" polling='{policy.polling_s}'"
    optional += f" wait='{terms.wait_s}' hold='{terms.hold}'"
    if terms.acking:
        optional += f" ack='{rid}'"
    if policy.maxpause_s is not None:
        optional += f" maxpause='{policy.maxpause_s}'"
    if terms.ver is not None:
        optional += f" ver='{terms.ver}'"
    ids = f" xmlns:stream='{STREAM_NS}' from='{escape_attr(terms.domain)}' authid='{stream_id}' sid='{sid}'"
    return HEAD[:-1] + f"{ids}{optional}{_XBOSH}>".encode() + features + TAIL


def _check_domain(to: str, domain: str, policy: BoshPolicy, legacy: bool) -> None:
    try:
        jid = prepare(to)
    except JidError:
        raise Refused("improper-addressing", "no domain named", legacy=legacy) from None
    if jid.local or jid.resource:
        raise Refused("improper-addressing", "more than a domain", legacy=legacy)
    if jid.domain in policy.former_domains:
        raise Refused("host-gone", "a domain no longer served here", legacy=legacy)
    if jid.domain != domain:
        raise Refused("host-unknown", "a domain not served here", legacy=legacy)


def _version(text: str | None) -> str | None:
    """The lower of the client's version and ours, compared as pairs of integers."""
    match = _VERSION(text) if text is not None else None
    if match is None:
        return None
    major, minor = min((int(match[1]), int(match[2])), VERSION)
    return f"{major}.{minor}"


def _granted(text: str | None, default: int, most: int, legacy: bool) -> int:
    """What is granted of a number the client asked for."""
    asked = default if text is None else parse_count(text)
    if asked is None:
        raise Refused("bad-request", "wait or hold is no number", legacy=legacy)
    return min(asked, most)


def _patience(hold: int, policy: BoshPolicy) -> int | None:
    """A client that polls is silent by agreement: it gets more than the polling interval on top (XEP-0124 section
    12)."""
    if policy.inactivity_s is None or hold:
        return policy.inactivity_s
    return policy.inactivity_s + 2 * (policy.polling_s or 0)


def _content_type(text: str | None, legacy: bool) -> str:
    match = _CONTENT("text/xml" if text is None else text)
    granted = _CONTENT_TYPES.get(match[1].lower()) if match is not None else None
    if granted is None:
        raise Refused("bad-request", "a content type that is not offered", legacy=legacy)
    return granted
