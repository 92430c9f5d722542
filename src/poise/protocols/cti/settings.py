"""What a link must be told, and the OPEN_REQ made from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from poise.protocols.cti.constants import ConfigKind, Service
from poise.protocols.cti.layout import NEWEST_VERSION, OLDEST_VERSION
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import Side
from poise.protocols.cti.timing import HEARTBEAT_S, HEARTBEATS_MISSED, IDLE_TIMEOUT_S

SERVICES = (
    Service.CALL_DATA_UPDATE
    | Service.CLIENT_CONTROL
    | Service.ALL_EVENTS
    | Service.SUPERVISOR
    | Service.UPDATE_EVENTS
    | Service.IGNORE_DUPLICATE_AGENT_EVENTS
)
CONFIG_KINDS = ConfigKind.SKILL_GROUP | ConfigKind.AGENT
OFFERED_VERSIONS = (24, 20, 18, 15, 13)
"""Versions at which the protocol changed in ways that matter here: offered when a server refuses a newer one."""

ALL_CALL_MESSAGES = 0x0FFFFFFF
ALL_AGENT_STATES = 0x3FFF


def versions_from(highest: int) -> tuple[int, ...]:
    """Versions to offer when `highest` is the newest that is wanted. Raises ValueError outside 13-25."""
    if not OLDEST_VERSION <= highest <= NEWEST_VERSION:
        raise ValueError(f"the protocol version must lie between {OLDEST_VERSION} and {NEWEST_VERSION}, not {highest}")
    return (highest, *(version for version in OFFERED_VERSIONS if version < highest))


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What a link must be told."""

    sides: tuple[Side, ...]
    """One or two CTI servers, in the order in which they are tried."""
    peripheral_id: int = 5000
    client_id: str = "Poise"
    """At most 63 bytes."""
    client_password: bytes = b""
    """At most 64 bytes."""
    signature: str = "Finesse"
    """CTIClientSignature in the events our requests cause; desktop servers are known by this word."""
    versions: tuple[int, ...] = versions_from(20)
    """Protocol versions to offer, best first; the next one is offered when a server refuses one."""
    heartbeat_s: float = HEARTBEAT_S
    """Seconds between two heartbeats."""
    services: Service = SERVICES
    """What is asked for in OPEN_REQ."""
    long_agent_ids: bool = False
    """UCCX: agent ids travel in tag 194 whatever their length."""
    statistics_s: float = 0.0
    """Seconds between two rounds of queue statistics, at least STATISTICS_LEAST_S; 0 for none."""


def open_request(settings: LinkSettings, version: int, invoke_id: int) -> Message:
    """OPEN_REQ: every agent's and call's events, control, and configuration changes."""
    fields = {
        "InvokeID": invoke_id,
        "VersionNumber": version,
        "IdleTimeout": max(IDLE_TIMEOUT_S, math.ceil((HEARTBEATS_MISSED + 1) * settings.heartbeat_s)),
        "PeripheralID": settings.peripheral_id,
        "ServicesRequested": int(settings.services),
        "CallMsgMask": ALL_CALL_MESSAGES,
        "AgentStateMask": ALL_AGENT_STATES,
        "ConfigMsgMask": int(CONFIG_KINDS),
    }
    floats = (
        ("CLIENT_ID", settings.client_id),
        ("CLIENT_PASSWORD", settings.client_password),
        ("CLIENT_SIGNATURE", settings.signature),
    )
    return Message("OPEN_REQ", fields, floats)
