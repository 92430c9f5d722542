"""The SystemInfo resource (finesse-api.md 4.5, 6.1): in full, with its time alone, and inside events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from poise.contact.states import Deployment
from poise.finesse import nodes
from poise.finesse.markup import EVENT_INDENT, Node, branch, leaf, render, timestamp

IN_SERVICE = "IN_SERVICE"
OUT_OF_SERVICE = "OUT_OF_SERVICE"


class CtiServer(NamedTuple):
    """One side of the CTI servers."""

    host: str
    connected_s: float | None
    """Seconds for which the link has been up; None: the link is not to this side, or down."""


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """What the server knows about itself at one moment."""

    deployment: Deployment
    domain: str
    """XMPP domain; equal to the host name of the node that answers, or clients take it for the other one."""
    primary_host: str
    secondary_host: str = ""
    """Empty: single node."""
    in_service: bool = False
    reason: str = ""
    """Why not in service, in a few words for operators."""
    timezone_offset_min: int = 0
    """Minutes east of UTC of the server's time zone."""
    heartbeat_ok: bool = False
    """Was the last CTI heartbeat answered?"""
    last_heartbeat_at: float | None = None
    """Seconds since the epoch of the last answered CTI heartbeat."""
    heartbeat_interval_s: int = 5
    cti_version: int | None = None
    peripheral_id: int = 5000
    https_port: int = 8445
    xmpp_port: int = 5222
    xmpp_secure_port: int = 5223
    cti_servers: tuple[CtiServer, ...] = ()


def system_info_xml(status: SystemStatus, now_wall: float) -> str:
    """The answer to GET SystemInfo."""
    return render(branch("SystemInfo", _children(status, now_wall)))


def timestamp_only_xml(status: SystemStatus, now_wall: float) -> str:
    """The answer to GET SystemInfo?timestamponly: desktops measure clock drift and latency with it once a minute."""
    return render(
        branch(
            "SystemInfo",
            (
                leaf("currentTimestamp", timestamp(now_wall)),
                leaf("timezoneOffset", status.timezone_offset_min),
                leaf("uri", nodes.SYSTEM_INFO),
            ),
        )
    )


def system_info_update(status: SystemStatus, now_wall: float) -> str:
    """`systemInfo` as the data of an event."""
    return render(branch("systemInfo", _children(status, now_wall)), EVENT_INDENT)


def wants_timestamp_only(query: Mapping[str, str]) -> bool:
    """Does a query ask for the short form? Clients write the parameter in several cases, often without a value."""
    return any(
        name.lower() == "timestamponly" and value.strip().lower() not in ("false", "0") for name, value in query.items()
    )


def _children(status: SystemStatus, now_wall: float) -> Iterator[Node]:
    yield leaf("currentTimestamp", timestamp(now_wall))
    yield leaf("deploymentType", status.deployment.value)
    yield leaf("lastCTIHeartbeatStatus", "success" if status.heartbeat_ok else "failure")
    heartbeat = status.last_heartbeat_at
    yield leaf("lastSuccessCTIHeartbeatTime", int(heartbeat * 1000) if heartbeat is not None else None)
    yield leaf("ctiVersion", status.cti_version)
    yield leaf("ctiHeartbeatInterval", status.heartbeat_interval_s)
    # 12.6: maintenance mode of either server; this one has none, so nobody has been in it
    yield leaf("ctiMMode", "")
    yield leaf("ctiTimeInMMode", -1)
    yield leaf("finesseMMode", "")
    yield leaf("finesseTimeInMMode", -1)
    yield leaf("license", "")
    yield leaf("peripheralId", status.peripheral_id)
    yield _node("primaryNode", status.primary_host, status)
    if status.secondary_host:
        yield _node("secondaryNode", status.secondary_host, status)
    yield leaf("status", IN_SERVICE if status.in_service else OUT_OF_SERVICE)
    yield leaf("statusReason", "" if status.in_service else status.reason)
    yield leaf("systemAuthMode", "NON_SSO")
    yield leaf("timezoneOffset", status.timezone_offset_min)
    yield leaf("uri", nodes.SYSTEM_INFO)
    yield leaf("xmppDomain", status.domain)
    yield leaf("xmppPubSubDomain", f"pubsub.{status.domain}")
    if status.cti_servers:
        yield branch("ctiServers", (_cti_server(server) for server in status.cti_servers))


def _cti_server(server: CtiServer) -> Node:
    active = server.connected_s is not None
    return branch(
        "ctiServer",
        (
            leaf("host", server.host),
            leaf("connectedDuration", int(server.connected_s or 0)),
            leaf("active", active),
        ),
    )


def _node(name: str, host: str, status: SystemStatus) -> Node:
    return branch(
        name,
        (
            leaf("host", host),
            leaf("httpsPort", status.https_port),
            leaf("xmppPort", status.xmpp_port),
            leaf("xmppSecurePort", status.xmpp_secure_port),
        ),
    )
