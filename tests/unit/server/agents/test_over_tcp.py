"""The agent service over a real CTI link: simulated CTI server, TCP, codec and link as in the product."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from poise.contact.requests import StateWish
from poise.contact.states import Actor, AgentState, Deployment
from poise.finesse.forced_logout import LogoutPolicy
from poise.lab import rules as lab_rules
from poise.lab.server import LabSettings
from poise.lab.shell import LabShell
from poise.protocols.cti.outputs import Output, Side
from poise.protocols.cti.settings import LinkSettings
from poise.server.agents import AgentService, ServiceFacts
from poise.server.clock import LoopClock, ManualClock
from poise.server.ctilink.client import CtiClient
from poise.server.notification.wheel import Wheel
from poise.server.serviceability.activelog import Activelog
from poise.server.serviceability.metrics import Metrics
from poise.server.serviceability.trace import Trace
from poise.server.serviceability.webservices_log import WebservicesLog
from poise.server.serviceability.writer import LogWriter
from tests.unit.server.agents.stage import Publisher, Store, Told

USER = "/finesse/api/User/1001"
PATIENCE_S = 20.0


class Waiting(Publisher):
    """A publisher that can be waited for."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.fresh = asyncio.Event()

    def publish(self, node: str, item_id: str, payload: bytes) -> int:
        delivered = super().publish(node, item_id, payload)
        self.fresh.set()
        return delivered

    async def until(self, node: str, **values: str) -> Told:
        """The next publication on a node with these element values."""

        async def search() -> Told:
            while True:
                while self.told:
                    told = self.told.pop(0)
                    if told.node == node and all(told.value(name) == value for name, value in values.items()):
                        return told
                self.fresh.clear()
                await self.fresh.wait()

        return await asyncio.wait_for(search(), PATIENCE_S)


class Server:
    """Everything between REST and the CTI server's port."""

    def __init__(self, logs: WebservicesLog, port: int, deployment: Deployment, load: int) -> None:
        clock = LoopClock(asyncio.get_running_loop())
        self.publisher = Waiting()
        self.client = CtiClient(LinkSettings((Side("A", "127.0.0.1", port),)), clock, logs, self._output)
        policy = replace(LogoutPolicy(deployment, load), grace_s=0.2, monitor_s=0.1)
        self.service = AgentService(
            ServiceFacts(deployment, "localhost", "localhost"),
            policy,
            cti=self.client,
            publisher=self.publisher,
            store=Store(),
            deadlines=Wheel(clock),
            clock=clock,
            log=logs,
        )

    def _output(self, output: Output) -> None:
        self.service.cti_output(output)

    def wish(self, state: AgentState, request_id: str) -> None:
        """As REST does."""
        extension = "1001" if state is AgentState.LOGIN else ""
        self.service.change_state("1001", StateWish(state, Actor.SELF, extension), request_id)


def play(
    folder: Activelog,
    story: Callable[[Server, LabShell], Awaitable[None]],
    deployment: Deployment = Deployment.UCCE,
    load: int = 0,
) -> str:
    """Run a story; gives the web services log."""

    async def run() -> None:
        lab = LabShell(LabSettings(deployment=lab_rules.Deployment(deployment.value), load=load))
        port = await lab.start(port=0)
        clock = LoopClock(asyncio.get_running_loop())
        metrics = Metrics()
        log = WebservicesLog(
            writer, folder, clock, Trace(writer, folder, clock), metrics, host="127.0.0.1", deployment=deployment.value
        )
        server = Server(log, port, deployment, load)
        server.service.start(())
        server.client.start()
        try:
            await server.publisher.until("/finesse/api/SystemInfo", status="IN_SERVICE")
            await story(server, lab)
        finally:
            await server.client.stop()
            await lab.stop()

    writer = LogWriter()
    try:
        asyncio.run(run())
    finally:
        writer.close()
    (path,) = folder.webservices.iterdir()
    return path.read_text("utf-8")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Activelog:
    return Activelog(tmp_path_factory.mktemp("data"))


def test_sign_in_ready_and_an_error_come_back_as_events(folder: Activelog) -> None:
    async def story(server: Server, _: LabShell) -> None:
        server.wish(AgentState.READY, "too-early")
        error = await server.publisher.until(USER, requestId="too-early")
        assert (error.value("errorData"), error.value("errorType")) == ("257", "Invalid State")
        server.wish(AgentState.LOGIN, "in")
        assert (await server.publisher.until(USER, requestId="in")).value("state") == "NOT_READY"
        server.wish(AgentState.READY, "go")
        ready = await server.publisher.until(USER, requestId="go")
        assert (ready.value("state"), ready.value("extension")) == ("READY", "1001")

    text = play(folder, story)
    assert "MESSAGE_TO_CTI_SERVER: SetAgentStateReq" in text
    assert "DECODED_MESSAGE_FROM_CTI_SERVER: %[cti_message=CTIAgentStateEvent [" in text
    assert "XMPP_PUBLISH_ASYNCHRONOUS: %[NodeId=/finesse/api/User/1001][Payload=<Update><data>" in text


@pytest.mark.parametrize(
    ("deployment", "load", "state"),
    [(Deployment.UCCX, 0, "LOGOUT"), (Deployment.UCCE, 0, "NOT_READY"), (Deployment.UCCE, 1, "LOGOUT")],
)
def test_silence_ends_as_the_deployment_wants_and_reads_as_in_the_seed(
    folder: Activelog, deployment: Deployment, load: int, state: str
) -> None:
    async def story(server: Server, _: LabShell) -> None:
        server.wish(AgentState.LOGIN, "in")
        await server.publisher.until(USER, requestId="in")
        server.wish(AgentState.READY, "go")
        await server.publisher.until(USER, requestId="go")
        server.service.presence("1001", "desktop", True, 1)
        server.service.presence("1001", "desktop", False, 0)
        await server.publisher.until(USER, state=state)

    text = play(folder, story, deployment, load)
    order = (
        "PRESENCE_NOTIFICATION_RECIEVED",
        "UNSUBSCRIBED",
        "AGENT_PRESENCE: ",
        "AGENT_PRESENCE_MONITOR",
        "PRESENCE DRIVEN LOGOUT",
        "MESSAGE_TO_CTI_SERVER",
        "DECODED_MESSAGE_FROM_CTI_SERVER",
    )
    position = text.index("presence_type=unavailable")
    position = text.rindex("\n", 0, position)
    for mnemonic in order:
        position = text.index(f"-6-{mnemonic}", position)
    forced = next(line for line in text.splitlines() if "forceflag :1" in line)
    assert "agentstate : 1, workmode : 0, reason code: 255, forceflag :1, agentcapacity: 1, agenttext: 1001" in forced


def test_a_cti_server_that_goes_away_and_returns_closes_and_opens_service(folder: Activelog) -> None:
    async def story(server: Server, lab: LabShell) -> None:
        lab.drop_links()
        await server.publisher.until("/finesse/api/SystemInfo", status="OUT_OF_SERVICE")
        await server.publisher.until("/finesse/api/SystemInfo", status="IN_SERVICE")
        await server.publisher.until(USER, state="LOGOUT")

    text = play(folder, story)
    assert "-3-CTI_CONNECTION_LOST: %[side=A]" in text
    assert "-3-SYSTEM_STATUS: %[status=OUT_OF_SERVICE]" in text
