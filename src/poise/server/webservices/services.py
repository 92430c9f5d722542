"""What the web services need from the rest of the server, put together once by `poise.server.app`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from poise.contact.dialog_requests import DialogWish
from poise.contact.dialogs import Dialog, Shown
from poise.contact.queue_figures import QueueStatistics
from poise.contact.reasons import ReasonBook
from poise.contact.requests import StateWish
from poise.contact.snapshots import Agent, Queue, Team
from poise.finesse.publications import Publication
from poise.finesse.system_info import SystemStatus
from poise.finesse.team_messages import Author, TeamMessage, TeamMessageRequest
from poise.finesse.users import UserContext
from poise.server.accounts import Accounts
from poise.server.clock import Clock


class DialogFacade(Protocol):
    """The calls, as REST sees them. Implemented by `poise.server.agents.dialogs.Dialogs`."""

    def of_agent(self, agent_id: str) -> list[Dialog]:
        """The dialogs that an agent sees, oldest first."""

    @property
    def active(self) -> int:
        """How many there are."""

    def find(self, dialog_id: str) -> Shown | None:
        """A dialog that some agent sees, and who."""

    def put(self, wish: DialogWish, request_id: str) -> None:
        """Pass a wish on to the CTI server; the result comes as an event. Raises ApiException for refusals at once."""


class MessageFacade(Protocol):
    """Team messages, as REST sees them. Implemented by `poise.server.agents.messages.TeamMessages`."""

    def create(self, wanted: TeamMessageRequest, author: Author, request_id: str) -> TeamMessage:
        """Show a message. Raises ApiException when there are too many."""

    def delete(self, message_id: str, request_id: str) -> None:
        """End a message; nothing happens when there is none."""

    def find(self, message_id: str) -> TeamMessage | None:
        """An active message."""

    def of_teams(self, teams: Iterable[int]) -> list[TeamMessage]:
        """Messages for any of these teams, oldest first."""

    def by_author(self, user_id: str) -> list[TeamMessage]:
        """Messages that a user wrote, oldest first."""


class AgentFacade(Protocol):
    """The agents, as REST sees them. Implemented by `poise.server.agents.AgentService`."""

    @property
    def agents(self) -> Mapping[str, Agent]:
        """Present pictures by agent id; a read-only view."""

    @property
    def teams(self) -> Mapping[int, Team]:
        """Teams by id; a read-only view."""

    @property
    def queues(self) -> Mapping[int, Queue]:
        """Queues by number; a read-only view."""

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
    def messages(self) -> MessageFacade:
        """Team messages."""

    @property
    def start_s(self) -> float | None:
        """Seconds from the start until service first opened; None while it has not."""

    @property
    def in_service(self) -> bool:
        """Whether requests can be carried out."""

    def agent(self, agent_id: str) -> Agent | None:
        """The agent of an id, in any case."""

    def by_login_name(self, name: str) -> Agent | None:
        """The agent with that login name, in any case; None on systems where ids alone name users."""

    def queue_statistics(self, number: int) -> QueueStatistics:
        """The present figures of a queue."""

    def status(self) -> SystemStatus:
        """The server's own state."""

    def tell(self, what: str, publication: Publication) -> None:
        """Publish something, while service is open; `what` names it in the log."""

    def change_state(self, agent_id: str, wish: StateWish, request_id: str) -> None:
        """Pass a wish on to the CTI server; the result comes as an event. Raises ApiException for refusals at once."""


class ClientLogFolder(Protocol):
    """Where logs are kept. Implemented by `poise.server.serviceability.client_logs.ClientLogs`."""

    def slot(self, agent_id: str) -> AbstractContextManager[None]:
        """Room for one log of an agent. Raises ApiException."""

    async def keep_text(self, agent_id: str, body: bytes) -> str:
        """Store the log in a body. Raises ApiException."""

    async def keep_zip(self, agent_id: str, data: bytes) -> str:
        """Store a compressed log. Raises ApiException."""


class RestLog(Protocol):
    """What the web services tell their log."""

    def rest_request(
        self, *, method: str, path: str, user: str, address: str, status: int, elapsed_ms: float, request_id: str
    ) -> None:
        """A request was answered."""

    def session_killed(self, *, user: str, address: str, jid: str) -> None:
        """An administrator ended somebody's session with the notification service."""

    def key_log_switched(self, *, user: str, address: str, enabled: bool) -> None:
        """An administrator switched the TLS key log."""

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
    client_logs: ClientLogFolder | None = None
    """Where clients' logs are kept; None: nowhere."""
    connected: Callable[[], Iterable[str]] = tuple
    """Full JIDs of those who are connected to the notification service."""
    team_for_all: bool = False
    """Whether everybody may read every Team (enableTeamAPIAccessForAllusers)."""
    user_auth_mode: bool = True
    """Whether UserAuthMode is served (enableUserAuthMode)."""
