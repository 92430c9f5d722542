"""The operator's settings, as each room wants its own."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf

from poise.contact.reasons import Category, ReasonBook, ReasonCode
from poise.contact.states import Deployment
from poise.finesse.forced_logout import LogoutPolicy
from poise.protocols.cti.settings import LinkSettings, versions_from
from poise.protocols.xmpp.bosh.timing import BoshPolicy, Overactivity
from poise.protocols.xmpp.host import HostPolicy
from poise.server.agents.service import ServiceFacts
from poise.server.ctilink.addresses import sides
from poise.server.desktop.pages import RuntimeConfig
from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.service import NotificationSettings
from poise.server.notification.timing import HttpLimits
from poise.server.notification.websocket import WebSocketPolicy
from poise.server.settings import Settings
from poise.server.storage.records import ReasonCodeRecord


def notification_settings(settings: Settings, domain: str, names: Iterable[str]) -> NotificationSettings:
    """The notification service; `names`: what clients may call this server."""
    bosh, ports, xmpp = settings.bosh, settings.ports, settings.xmpp
    policy = BoshPolicy(
        wait_max_s=bosh.wait_max_s,
        hold_max=bosh.hold_max,
        inactivity_s=round(bosh.idle_limit_s),
        polling_s=bosh.polling_s or None,
        overactivity=Overactivity.LOG if bosh.ignore_overactivity else Overactivity.TERMINATE,
        compat_openfire_404=bosh.openfire_404,
    )
    admission = AdmissionPolicy(
        creations_per_minute=bosh.creations_per_minute,
        unauthenticated_max=bosh.unauthenticated_max,
        unauthenticated_per_address=min(bosh.unauthenticated_per_address, bosh.unauthenticated_max),
    )
    messages = settings.messages
    host = HostPolicy(
        offline_messages_per_user=messages.offline_per_user,
        offline_bytes_per_user=messages.offline_bytes_per_user,
        offline_keep_s=messages.offline_keep_s,
        replay_notifications=messages.replay_notifications,
    )
    return NotificationSettings(
        domain,
        bosh=policy,
        host=host,
        admission=admission,
        reaper_period_s=bosh.reaper_interval_s,
        websocket=websocket_policy(settings),
        allowed_origins=bosh.allowed_origins,
        plain_in_clear=ports.insecure,
        scram=xmpp.scram,
        tcp_idle_s=float(xmpp.idle_limit_s or inf),
        names=frozenset(name.lower() for name in names),
        limits=replace(HttpLimits(), connections_per_address=bosh.connections_per_address),
    )


def websocket_policy(settings: Settings) -> WebSocketPolicy:
    """XMPP over WebSocket."""
    websocket = settings.websocket
    return WebSocketPolicy(
        message_max_bytes=websocket.message_max_bytes,
        idle_s=float(websocket.idle_limit_s or inf),
        compression=websocket.compression,
        deflate_from_bytes=websocket.deflate_from_bytes,
        redirect_uri=websocket.redirect_uri,
    )


def link_settings(settings: Settings) -> LinkSettings:
    """The CTI link. Raises ValueError."""
    cti = settings.cti
    return LinkSettings(
        sides(cti.side_a or "unset:1", cti.side_b),
        peripheral_id=cti.peripheral_id,
        client_id=cti.client_id,
        client_password=cti.client_password.encode("utf-8"),
        versions=versions_from(cti.version),
        heartbeat_s=cti.heartbeat_s,
        long_agent_ids=Deployment(settings.contact.deployment) is Deployment.UCCX,
        statistics_s=cti.queue_statistics_s if Deployment(settings.contact.deployment) is Deployment.UCCE else 0.0,
    )


def cti_tls(settings: Settings) -> ssl.SSLContext | None:
    """TLS of the CTI link; None without. Raises ValueError when the authority's file cannot be read."""
    cti = settings.cti
    if not cti.tls:
        return None
    try:
        return ssl.create_default_context(cafile=cti.tls_ca or None)
    except OSError as error:
        raise ValueError(f"cti.tls_ca {cti.tls_ca} cannot be read: {error.strerror or error}") from error


def logout_policy(settings: Settings) -> LogoutPolicy:
    """The presence-driven logout."""
    return LogoutPolicy(
        Deployment(settings.contact.deployment),
        settings.contact.load,
        grace_s=settings.presence.grace_s,
        monitor_s=settings.presence.monitor_s,
        return_limit_s=settings.bosh.idle_limit_s,
    )


def service_facts(settings: Settings, domain: str) -> ServiceFacts:
    """What SystemInfo and the agents' room say of this server."""
    return ServiceFacts(
        Deployment(settings.contact.deployment),
        domain,
        domain,
        settings.server.secondary,
        peripheral_id=settings.cti.peripheral_id,
        heartbeat_interval_s=round(settings.cti.heartbeat_s),
        https_port=settings.ports.https,
        xmpp_port=settings.ports.xmpp,
        xmpp_secure_port=settings.ports.xmpp_tls,
        cti_hosts=tuple(side.host for side in sides(settings.cti.side_a, settings.cti.side_b)),
        drop_participants=settings.contact.drop_participants,
    )


def desktop_config(settings: Settings, domain: str) -> RuntimeConfig:
    """What a desktop must know before anybody signs in."""
    return RuntimeConfig(
        domain,
        settings.desktop.transport,
        "/http-bind/",
        "/ws/",
        settings.desktop.notification_port,
        float(settings.bosh.idle_limit_s),
        settings.presence.grace_s,
        settings.server.secondary,
    )


def reason_book(deployment: Deployment, records: Sequence[ReasonCodeRecord]) -> ReasonBook:
    """Stored reason codes as the contact room knows them."""
    codes = [ReasonCode(r.id, Category(r.category), r.code, r.label, r.for_all, teams=r.teams) for r in records]
    return ReasonBook(deployment, codes)
