"""The values that the storage room hands out and takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

COLUMNS = ("login_id", "login_name", "password", "password_hash", "roles")
"""Columns an import may have; `password` and `password_hash` exclude each other in one row."""


class Role(Enum):
    """What an account may do (Finesse guide: Agent, Supervisor; Administrator is never listed in a User object)."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Account:
    """One person or program that may sign in."""

    login_id: str
    """Agent id, or the administrator's name; also the local part of the JID."""
    login_name: str
    """Second name to sign in with; compared without regard to case."""
    password_hash: str
    """PHC string, argon2id."""
    roles: frozenset[Role]
    """What the account may do."""

    def __repr__(self) -> str:  # the hash must not reach a log by way of a traceback
        return f"Account({self.login_id!r}, roles={sorted(role.value for role in self.roles)})"


@dataclass(frozen=True, slots=True)
class ReasonCodeRecord:
    """One configured reason code (Finesse guide, ReasonCode API)."""

    id: int
    """Database id: what a client sends as `reasonCodeId`."""
    category: str
    """NOT_READY or LOGOUT."""
    code: int
    """The number the CTI server knows."""
    label: str
    """What the agent reads."""
    for_all: bool
    """Whether every team has it."""
    teams: frozenset[int] = field(default=frozenset())
    """Ids of the teams it is assigned to otherwise."""


@dataclass(frozen=True, slots=True)
class LastPresence:
    """What was last known of a user's XMPP presence."""

    user: str
    """Login id."""
    available: bool
    """Whether at least one resource was available."""
    at: float
    """Seconds since the epoch."""
