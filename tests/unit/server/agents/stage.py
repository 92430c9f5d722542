"""An agent service on a manual clock, a real XMPP host behind it, and a CTI link that the test plays."""

from __future__ import annotations

import html
import random
import re
from collections import deque
from collections.abc import Callable, Iterable
from math import inf
from typing import NamedTuple

from poise.contact.dialog_requests import DialogRequest
from poise.contact.requests import CtiRequest, StateWish
from poise.contact.states import Actor, AgentState, Deployment
from poise.finesse.forced_logout import LogoutPolicy
from poise.protocols.cti.config import AgentConfig, ConfigReceived, SkillGroupConfig, TeamConfig
from poise.protocols.cti.constants import AgentState as Cti
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import LinkDown, LinkUp, Outcome, Received, RequestEnded, Side
from poise.protocols.xmpp.host import Host, Rules
from poise.server.agents import AgentService, ServiceFacts
from poise.server.clock import ManualClock
from poise.server.notification.timing import HEARTBEAT_S
from poise.server.notification.wheel import Wheel
from poise.server.storage.records import LastPresence
from tests.support.server import JumpClock

SIDE = Side("A", "127.0.0.1", 42027)
CONFIG = ConfigReceived(
    agents=(
        AgentConfig("1001", "agent1", "Agent", "One", skill_groups=(10,)),
        AgentConfig("1002", "Agent2", "Agent", "Two", skill_groups=(10,)),
        AgentConfig("1101", "supervisor1", "Supervisor", "One", is_supervisor=True),
    ),
    teams=(TeamConfig(1, "Sales", ("1001", "1002"), ("1101",)),),
    skill_groups=(SkillGroupConfig(10, "Sales"),),
)
UPPER = ConfigReceived(
    (*CONFIG.agents, AgentConfig("AGENT7", "Seventh", "Agent", "Seven")),
    (TeamConfig(1, "Sales", ("1001", "1002", "AGENT7"), ("1101",)),),
    CONFIG.skill_groups,
)
"""The same and one agent whose id is in upper case."""
USER = "/finesse/api/User/1001"
TEAM = "/finesse/api/Team/1/Users"
SYSTEM_INFO = "/finesse/api/SystemInfo"


class Told(NamedTuple):
    """One publication."""

    node: str
    text: str

    def value(self, name: str) -> str:
        """Text of the first element of that name; "" when there is none."""
        match = re.search(f"<{name}>([^<]*)</{name}>", self.text)
        return match[1] if match else ""


class Publisher:
    """The real host, and a memory of what was published."""

    def __init__(
        self, clock: ManualClock, may_subscribe: Callable[[str, str], bool] = lambda _user, _node: True
    ) -> None:
        rules = Rules(frozenset(), lambda _: True, may_subscribe)
        self.broken_for = ""
        """A node that fails in a way nobody thought of."""
        self.complete = 0
        """How often every node was said to be made."""
        self.host = Host("localhost", "pubsub.localhost", rules, random.Random(1))
        self.clock = clock
        self.told: list[Told] = []
        self.aside: list[Told] = []
        """What is no part of Finesse: absences, told to supervisors."""

    def create_node(self, node: str, title: str = "") -> None:
        self.host.create_node(node, title)

    def delete_node(self, node: str) -> None:
        self.host.delete_node(node)

    def subscribe(self, node: str, jid: str) -> None:
        self.host.subscribe(node, jid)

    def review_subscriptions(self, user: str) -> None:
        self.host.review_subscriptions(user, self.clock.now())

    def nodes_complete(self) -> None:
        self.complete += 1
        self.host.nodes_complete(self.clock.now())

    def publish(self, node: str, item_id: str, payload: bytes) -> int:
        if node == self.broken_for:
            raise RuntimeError("broken on purpose")
        delivered = self.host.publish(node, item_id, payload, self.clock.now())
        told = self.told if node.startswith("/finesse/") else self.aside
        told.append(Told(node, html.unescape(payload.decode())))
        return delivered

    def take(self) -> list[Told]:
        """What was published since the last time."""
        told, self.told = self.told, []
        return told


class Log:
    """Remembers its lines as tuples."""

    def __init__(self) -> None:
        self.lines: list[tuple[object, ...]] = []
        self.broken_for = ""
        """A user about whom nothing can be written."""

    def presence(self, user: str, resource: str, available: bool) -> None:
        self.lines.append(("presence", user, resource, available))

    def agent_presence(self, user: str, available: bool, grace_s: float) -> None:
        self.lines.append(("agent_presence", user, available, grace_s))

    def presence_monitor(self, user: str) -> None:
        self.lines.append(("monitor", user))

    def presence_logout_cancelled(self, user: str, why: str) -> None:
        self.lines.append(("cancelled", user, why))

    def presence_logout_waiting(self, user: str, why: str) -> None:
        self.lines.append(("waiting", user, why))

    def presence_driven_logout(self, user: str) -> None:
        if user == self.broken_for:
            raise OSError("the log is broken on purpose")
        self.lines.append(("logout", user))

    def agent_fault(self, doing: str, error: Exception) -> None:
        self.lines.append(("fault", doing, str(error)))

    def published(self, node: str, payload: str) -> None:
        assert payload.startswith("<Update><data>")
        assert "\n" not in payload

    def publish_failed(self, node: str, reason: str) -> None:
        self.lines.append(("failed", node, reason))

    def service_state(self, in_service: bool, reason: str) -> None:
        self.lines.append(("service", in_service, reason))


class Store:
    """Remembers who is watched."""

    def __init__(self) -> None:
        self.present: dict[str, bool] = {}

    def record_presence(self, presence: LastPresence) -> None:
        self.present[presence.user] = presence.available


class Heartbeat:
    """Turns the wheel every second, as the notification service's does."""

    def __init__(self, now: float) -> None:
        self.deadline = now + HEARTBEAT_S
        self.armed = inf

    def due(self, now: float) -> None:
        self.deadline = now + HEARTBEAT_S


class Stage:
    """Everything together; the test speaks for the CTI server, the clients and REST."""

    def __init__(self, deployment: Deployment = Deployment.UCCE, load: int = 0) -> None:
        self.clock = JumpClock()
        self.publisher = Publisher(self.clock, lambda user, node: self.service.may_subscribe(user, node))
        self.wheel = Wheel(self.clock, lambda seconds: self.service.forgive(seconds))
        self.wheel.watch(Heartbeat(self.clock.now()))
        self.log = Log()
        self.store = Store()
        self.requests: deque[CtiRequest] = deque()
        self.call_requests: deque[DialogRequest] = deque()
        self.service = AgentService(
            ServiceFacts(deployment, "localhost", "localhost"),
            LogoutPolicy(deployment, load),
            cti=self,
            publisher=self.publisher,
            store=self.store,
            deadlines=self.wheel,
            clock=self.clock,
            log=self.log,
        )

    def stall(self, seconds: float) -> None:
        """The process stands still for so long; then the loop calls what has become due meanwhile."""
        self.clock.jump(seconds)
        self.clock.advance(0)

    # the CTI link's side

    def request(self, message: Message, context: object = None) -> int:
        """The service sends a request."""
        if isinstance(context, DialogRequest):
            self.call_requests.append(context)
            return 100 + len(self.call_requests)
        assert isinstance(context, CtiRequest)
        self.requests.append(context)
        return len(self.requests)

    def configure(self, config: ConfigReceived = CONFIG) -> None:
        """The configuration arrives."""
        self.service.cti_output(config)

    def link_up(self) -> None:
        """The link is synchronised."""
        self.service.cti_output(LinkUp(SIDE, 20))
        self.clock.advance(0)

    def link_down(self, reason: str = "reset") -> None:
        """The link is lost: first the ends of its requests, then itself."""
        while self.requests:
            self.answer(Outcome.LINK_LOST)
        self.service.cti_output(LinkDown(reason))

    def answer(self, outcome: Outcome = Outcome.CONFIRMED, code: int | None = None) -> None:
        """The oldest request ends."""
        request = self.requests.popleft()
        answer = Message("CONTROL_FAILURE_CONF", {"FailureCode": code}) if code is not None else None
        self.service.cti_output(RequestEnded(1, request.message, request, outcome, answer))

    def answer_call(
        self, outcome: Outcome = Outcome.CONFIRMED, code: int | None = None, *, status: int | None = None, more: int = 0
    ) -> None:
        """The oldest request about a call ends: `code` = FailureCode, or `status` of a FAILURE_CONF."""
        request = self.call_requests.popleft()
        answer = None
        if code is not None:
            answer = Message("CONTROL_FAILURE_CONF", {"FailureCode": code, "PeripheralErrorCode": more})
        elif status is not None:
            answer = Message("FAILURE_CONF", {"Status": status})
        self.service.cti_output(RequestEnded(2, request.message, request, outcome, answer))

    def hear(self, messages: Iterable[Message]) -> None:
        """The CTI server says this."""
        for message in messages:
            self.service.cti_output(Received(message))

    def event(self, state: Cti, agent_id: str = "1001", reason: int = 0) -> None:
        """The CTI server reports an agent's state."""
        fields = {"AgentState": int(state), "EventReasonCode": reason, "MRDID": 1}
        floats = (("AGENT_ID", agent_id), ("AGENT_EXTENSION", agent_id))
        self.service.cti_output(Received(Message("AGENT_STATE_EVENT", fields, floats)))

    def asked(self) -> list[tuple[str, str, int, int]]:
        """Requests on their way: agent, state asked for, reason, forced flag."""
        return [
            (r.agent_id, r.wish.state.value, r.message.fields["EventReasonCode"], r.message.fields["ForcedFlag"])
            for r in self.requests
        ]

    # everyone else's

    def wish(self, state: AgentState, request_id: str = "", agent_id: str = "1001", actor: Actor = Actor.SELF) -> None:
        """REST asks."""
        extension = agent_id if state is AgentState.LOGIN else ""
        self.service.change_state(agent_id, StateWish(state, actor, extension), request_id)

    def in_service(self) -> None:
        """Start, configure, come into service, and forget what was told on the way."""
        self.service.start(())
        self.configure()
        self.link_up()
        assert self.service.in_service
        assert not any(line[0] == "failed" for line in self.log.lines)
        self.publisher.take()
        self.log.lines.clear()

    def signed_in(self, state: Cti = Cti.AVAILABLE, agent_id: str = "1001") -> None:
        """In service, and the agent works with one browser."""
        self.in_service()
        self.event(Cti.NOT_READY, agent_id)
        self.event(state, agent_id)
        self.service.presence(agent_id, "desktop", True, 1)
        self.publisher.take()
        self.log.lines.clear()
