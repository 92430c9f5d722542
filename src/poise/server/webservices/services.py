"""What the web services need from the rest of the server, put together once by `poise.server.app`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from poise.contact.dialog_requests import DialogWish
from poise.contact.dialogs import Dialog, Shown
from poise.contact.reasons import ReasonBook
from poise.contact.requests import StateWish
from poise.contact.snapshots import Agent
from poise.finesse.system_info import SystemStatus
from poise.finesse.users import UserContext
from poise.server.accounts import Accounts
from poise.server.clock import Clock
from poise.server.webservices.configuration.service import ConfigurationService


class DialogFacade(Protocol):
    """The calls, as REST sees them. Implemented by `poise.server.agents.dialogs.Dialogs`."""

    def of_agent(self, agent_id: str) -> list[Dialog]:
        """The dialogs that an agent sees, oldest first."""

    def find(self, dialog_id: str) -> Shown | None:
        """A dialog that some agent sees, and who."""

    def put(self, wish: DialogWish, request_id: str) -> None:
        """Pass a wish on to the CTI server; the result comes as an event. Raises ApiException for refusals at once."""


class AgentFacade(Protocol):
    """The agents, as REST sees them. Implemented by `poise.server.agents.AgentService`."""

    @property
    def agents(self) -> Mapping[str, Agent]:
        """Present pictures by agent id; a read-only view."""

    @property
    def reasons(self) -> ReasonBook:
        """Reason codes."""

    @property
    def context(self) -> UserContext:
        """What a User shows besides its agent."""

    @property
    def dialogs(self) -> DialogFacade:
        """Calls."""

    @property
    def in_service(self) -> bool:
        """Whether requests can be carried out."""

    def agent(self, agent_id: str) -> Agent | None:
        """The agent of an id, in any case."""

    def by_login_name(self, name: str) -> Agent | None:
        """The agent with that login name, in any case; None on systems where ids alone name users."""

    def status(self) -> SystemStatus:
        """The server's own state."""

    def change_state(self, agent_id: str, wish: StateWish, request_id: str) -> None:
        """Pass a wish on to the CTI server; the result comes as an event. Raises ApiException for refusals at once."""


class RestLog(Protocol):
    """What the web services tell their log."""

    def rest_request(
        self, *, method: str, path: str, user: str, address: str, status: int, elapsed_ms: float, request_id: str
    ) -> None:
        """A request was answered."""

    def session_killed(self, *, user: str, address: str, jid: str) -> None:
        """An administrator ended somebody's session with the notification service."""

    def rest_fault(self, *, method: str, path: str, error: BaseException) -> None:
        """An exception of ours while answering."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the web services call."""

    accounts: Accounts
    agents: AgentFacade
    clock: Clock
    log: RestLog
    allowed_origins: frozenset[str] = frozenset()
    """Origins that browsers may call from, such as `https://crm.example.com`; `*` is no origin."""
    configuration: ConfigurationService | None = None
    """What administrators configure; None: this server has no such resources."""
