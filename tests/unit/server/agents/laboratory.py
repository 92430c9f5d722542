"""An agent service on a real CTI link to the built-in ACD, byte by byte, on one clock moved by hand."""

from __future__ import annotations

from collections import deque
from math import inf

from poise.contact.requests import StateWish
from poise.contact.states import Actor, AgentState, Deployment
from poise.finesse.forced_logout import LogoutPolicy
from poise.lab import rules as lab_rules
from poise.lab.acd.settings import AcdSettings
from poise.lab.server import LabOutput, LabServer, LabSettings, Send, Session
from poise.protocols.cti.link import Link
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import AttemptEnded, Close, Connect, Log, Output, SendBytes
from poise.protocols.cti.settings import LinkSettings, versions_from
from poise.server.agents import AgentService, ServiceFacts
from poise.server.clock import ManualClock
from poise.server.notification.wheel import Wheel
from tests.unit.server.agents.stage import SIDE, Heartbeat, Publisher, Store
from tests.unit.server.agents.stage import Log as AgentLog


class Laboratory:
    """Everything between REST and the telephones. What the link says is carried out before anything else goes on."""

    def __init__(
        self,
        deployment: Deployment = Deployment.UCCE,
        *,
        version: int = 24,
        shuffle: int | None = None,
        acd: AcdSettings | None = None,
        statistics_s: float = 0.0,
        lab: LabServer | None = None,
        now: float = 1000.0,
    ) -> None:
        """`lab`: a CTI server made elsewhere, whose time is `now`."""
        self.deployment = deployment
        self.clock = ManualClock(now)
        self.publisher = Publisher(self.clock, lambda user, node: self.service.may_subscribe(user, node))
        self.wheel = Wheel(self.clock, lambda seconds: self.service.forgive(seconds))
        self.wheel.watch(Heartbeat(self.clock.now()))
        self.log = AgentLog()
        self.store = Store()
        settings = LabSettings(
            deployment=lab_rules.Deployment(deployment.value), acd=acd or AcdSettings(), shuffle=shuffle
        )
        self.lab = lab or LabServer(settings)
        self.session: Session | None = None
        uccx = deployment is Deployment.UCCX
        versions = versions_from(version)
        self.link = Link(LinkSettings((SIDE,), versions=versions, statistics_s=statistics_s, long_agent_ids=uccx))
        self.reachable = True
        self.odd: list[str] = []
        self._work: deque[Output] = deque()
        self._working = False
        self.service = AgentService(
            ServiceFacts(deployment, "localhost", "localhost"),
            LogoutPolicy(deployment, 0),
            cti=self,
            publisher=self.publisher,
            store=self.store,
            deadlines=self.wheel,
            clock=self.clock,
            log=self.log,
        )

    # the link

    def request(self, message: Message, context: object = None) -> int:
        """The service sends a request."""
        invoke_id, outputs = self.link.request(message, self.clock.now(), context)
        self.do(outputs)
        return invoke_id

    def do(self, outputs: list[Output]) -> None:
        """Carry out what the link says, in order, also what it says meanwhile."""
        self._work.extend(outputs)
        if self._working:
            return
        self._working = True
        while self._work:
            self._one(self._work.popleft())
        self._working = False

    def _one(self, output: Output) -> None:
        now = self.clock.now()
        match output:
            case Connect():
                if self.reachable:
                    self.session = self.lab.connected(now)
                    self._work.extend(self.link.connected(now))
                else:
                    self._work.extend(self.link.disconnected(now, "refused"))
            case SendBytes(data, _):
                if self.session is not None:
                    self.heard(self.lab.feed(self.session, data, now))
            case Close():
                self._gone()
            case AttemptEnded():
                pass
            case Log(text):
                self.odd.append(text)
            case _:
                self.service.cti_output(output)

    def heard(self, outputs: list[LabOutput]) -> None:
        """The CTI server has written."""
        for output in outputs:
            if output.session is self.session and isinstance(output, Send):
                self.do(self.link.feed(output.data, self.clock.now()))

    def _gone(self) -> None:
        if self.session is not None:
            self.lab.disconnected(self.session)
            self.session = None

    def cut(self) -> None:
        """The connection breaks; nobody comes through until `reachable` again."""
        self.reachable = False
        self._gone()
        self.do(self.link.disconnected(self.clock.now(), "cut"))

    # time and the world

    def pass_time(self, seconds: float) -> None:
        """Let time pass, step by step."""
        end = self.clock.now() + seconds
        while (at := min(self.lab.deadline, self.link.deadline)) <= end:
            self.clock.advance(max(0.0, at - self.clock.now()))
            now = self.clock.now()
            if self.lab.deadline <= now:
                self.heard(self.lab.due(now))
            if self.link.deadline <= now:
                self.do(self.link.due(now))
        self.clock.advance(max(0.0, end - self.clock.now()))

    def tell(self) -> None:
        """Hear what was done to the centre."""
        self.heard(self.lab.happened(self.clock.now()))

    def in_service(self) -> None:
        """Come into service."""
        self.service.start(())
        self.do(self.link.start(self.clock.now()))
        self.clock.advance(0)
        assert self.service.in_service
        self.publisher.take()
        self.log.lines.clear()

    def signs_in(self, *agents: str, ready: bool = True) -> None:
        """Agents sign in at their own telephones."""
        for agent in agents:
            self.service.change_state(agent, StateWish(AgentState.LOGIN, Actor.SELF, agent), "")
            if ready:
                self.service.change_state(agent, StateWish(AgentState.READY, Actor.SELF), "")
        assert all(self.service.agents[agent].signed_in for agent in agents)

    @property
    def deadline(self) -> float:
        """When something happens by itself."""
        return min(self.lab.deadline, self.link.deadline, inf)
