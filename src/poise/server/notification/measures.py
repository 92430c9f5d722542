"""What the notification service counts, by the names of the metrics page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from poise.server.notification.service import NotificationService


class Metric(NamedTuple):
    """A number for `/metrics`, read when somebody looks."""

    name: str
    help: str
    kind: str
    """`counter` or `gauge`."""
    read: Callable[[], float]


def measures(service: NotificationService) -> tuple[Metric, ...]:
    """Every number of a service."""
    http, host, admission = service.site.counters, service.host.counters, service.hub.admission
    ws, persistence = service.websocket, service.hub.persistence
    return (
        Metric("poise_http_connections", "HTTP connections open now.", "gauge", lambda: len(service.site.connections)),
        Metric("poise_http_connections_total", "HTTP connections accepted.", "counter", lambda: http.accepted),
        Metric("poise_bosh_requests_total", "POSTs to /http-bind.", "counter", lambda: http.bosh_requests),
        Metric("poise_app_requests_total", "Requests to the web services.", "counter", lambda: http.app_requests),
        Metric("poise_http_refused_total", "Requests that were no proper HTTP.", "counter", lambda: http.refused),
        Metric("poise_http_late_total", "Requests not sent in time.", "counter", lambda: http.late),
        Metric("poise_http_slow_readers_total", "Clients that did not read.", "counter", lambda: http.slow_readers),
        Metric("poise_http_too_many_total", "Connections over an address's limit.", "counter", lambda: http.too_many),
        Metric("poise_bosh_sessions", "BOSH sessions now.", "gauge", lambda: len(service.bosh.sessions)),
        Metric("poise_tcp_sessions", "XMPP connections over TCP now.", "gauge", lambda: len(service.tcp.clients)),
        Metric("poise_websocket_sessions", "XMPP connections over WebSocket now.", "gauge", lambda: len(ws.clients)),
        Metric("poise_websocket_refused_total", "WebSocket handshakes refused.", "counter", lambda: ws.refused),
        Metric("poise_unauthenticated", "Sessions not signed in now.", "gauge", lambda: admission.unauthenticated),
        Metric("poise_admissions_refused_total", "Sessions refused.", "counter", lambda: admission.refused),
        Metric("poise_published_total", "Items published.", "counter", lambda: host.published),
        Metric(
            "poise_notifications_lost_total",
            "Notifications for users who were not there.",
            "counter",
            lambda: host.notifications_lost,
        ),
        Metric("poise_messages_stored_total", "Messages kept.", "counter", lambda: host.messages_stored),
        Metric("poise_messages_expired_total", "Messages nobody fetched.", "counter", lambda: host.messages_expired),
        Metric(
            "poise_presences_merged_total",
            "Presences above their rate, overtaken by later ones.",
            "counter",
            lambda: host.presences_merged,
        ),
        Metric(
            "poise_binds_refused_total",
            "Resources refused: replaced too often, or too many.",
            "counter",
            lambda: host.binds_refused,
        ),
        Metric(
            "poise_store_failures_total",
            "Batches of changes the store refused.",
            "counter",
            lambda: persistence.failures if persistence is not None else 0,
        ),
    )
