"""Where a domain's BOSH and WebSocket endpoints are, for clients that only know the domain (XEP-0156, RFC 6415)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from poise.protocols.xmpp.xml import escape_attr
from poise.server.notification.http_site import Page

_BOSH = "urn:xmpp:alt-connections:xbosh"
_WEBSOCKET = "urn:xmpp:alt-connections:websocket"


def host_meta(domain: str, listeners: Iterable[tuple[bool, int]]) -> dict[bytes, Page]:
    """Both forms of the document, by path. `listeners`: (TLS, port) of each that serves `/http-bind` and `/ws`. Those
    without TLS are only named when there is no other: a client must not be led to less security."""
    listeners = list(listeners)
    secure = any(tls for tls, _ in listeners)
    host = f"[{domain}]" if ":" in domain else domain
    links = []
    for tls, port in listeners:
        if tls is secure:
            links.append((_BOSH, f"http{'s' if tls else ''}://{host}:{port}/http-bind/"))
            links.append((_WEBSOCKET, f"ws{'s' if tls else ''}://{host}:{port}/ws/"))
    xml = "".join(f"<Link rel='{rel}' href='{escape_attr(href)}'/>" for rel, href in links)
    xrd = f"<?xml version='1.0' encoding='UTF-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>{xml}</XRD>\n"
    document = json.dumps({"links": [{"rel": rel, "href": href} for rel, href in links]}) + "\n"
    return {
        b"/.well-known/host-meta": Page(xrd.encode(), b"application/xrd+xml; charset=utf-8"),
        b"/.well-known/host-meta.json": Page(document.encode(), b"application/json"),
    }
