"""Which ports are opened for what, and how people are told."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from starlette.types import ASGIApp

from poise.server.notification.service import Kind, Listen
from poise.server.settings import Settings

SHOWN: Mapping[str, tuple[str, str]] = {
    "https": ("REST", "https://{host}:{port}/finesse/api"),
    "notification": ("BOSH", "https://{host}:{port}/http-bind/"),
    "xmpp": ("XMPP", "{host}:{port}"),
    "xmpp_tls": ("XMPP over TLS", "{host}:{port}"),
    "insecure_http": ("REST, plain", "http://{host}:{port}/finesse/api"),
    "insecure_bosh": ("BOSH, plain", "http://{host}:{port}/http-bind/"),
}
"""Listener -> what is there, and its address."""


def listeners(settings: Settings, app: ASGIApp, tls: ssl.SSLContext, xmpp_tls: ssl.SSLContext) -> list[Listen]:
    """The listeners that these settings ask for; `app` is REST and the desktop."""
    host, ports = settings.server.host, settings.ports
    wanted = [
        Listen("https", host, ports.https, tls=tls, app=app),
        Listen("notification", host, ports.notification, tls=tls),
        Listen("xmpp", host, ports.xmpp, Kind.XMPP, starttls=xmpp_tls if settings.xmpp.starttls else None),
        Listen("xmpp_tls", host, ports.xmpp_tls, Kind.XMPP, tls=xmpp_tls),
    ]
    if ports.insecure:
        wanted += [
            Listen("insecure_http", host, ports.insecure_http, bosh=False, app=app),
            Listen("insecure_bosh", host, ports.insecure_bosh),
        ]
    return [listen for listen in wanted if listen.port >= 0]


def addresses(domain: str, ports: Mapping[str, int], *, desktop: bool, cti: str) -> dict[str, str]:
    """Where everything is, for the ready table; `ports` as they were opened."""
    shown = {SHOWN[name][0]: SHOWN[name][1].format(host=domain, port=port) for name, port in ports.items()}
    if "notification" in ports:
        shown["WebSocket"] = f"wss://{domain}:{ports['notification']}/ws/"
    if "https" in ports:
        there = f"https://{domain}:{ports['https']}/desktop/"
        shown["desktop"] = there if desktop else "absent: it was not built for this installation"
        shown["health"] = f"https://{domain}:{ports['https']}/readyz"
    if cti:
        shown["CTI server"] = cti
    return shown
