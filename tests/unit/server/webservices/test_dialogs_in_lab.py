"""Calls by REST alone, answered by the built-in ACD over a real link: what desktops hear, read and may do."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from poise.contact.states import Deployment
from poise.lab.acd.dialler import Campaign, Mode, Record
from poise.lab.acd.outside import Caller
from poise.lab.acd.settings import AcdSettings
from poise.lab.data import DEMO
from tests.unit.server.agents.desktops import Desktops, canonical
from tests.unit.server.agents.laboratory import Laboratory
from tests.unit.server.webservices.stage import Reply, Rest, play_in_laboratory

AGENTS = ("1001", "1002", "1003", "1101")
NO_WRAP_UP = AcdSettings(wrap_up_s=0)


class Floor:
    """People who click, and what they see."""

    def __init__(self, rest: Rest, laboratory: Laboratory) -> None:
        self.rest = rest
        self.laboratory = laboratory
        self.desktops = Desktops(AGENTS)
        self._ids = count(1)

    async def call(self, agent: str, action: str, **more: str) -> Reply:
        """POST User/Dialogs."""
        elements = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
        body = (
            f"<Dialog><requestedAction>{action}</requestedAction><fromAddress>{agent}</fromAddress>{elements}</Dialog>"
        )
        return await self._ask("POST", f"/finesse/api/User/{agent}/Dialogs", agent, body)

    async def act(self, agent: str, action: str, number: str = "", inner: str = "", target: str = "") -> Reply:
        """PUT Dialog: the agent's only one, or that number."""
        number = number or next(iter(self.desktops.dialogs[agent]))
        body = (
            f"<Dialog><targetMediaAddress>{target or agent}</targetMediaAddress>"
            f"<requestedAction>{action}</requestedAction>{inner}</Dialog>"
        )
        return await self._ask("PUT", f"/finesse/api/Dialog/{number}", agent, body)

    async def _ask(self, method: str, path: str, agent: str, body: str) -> Reply:
        reply = await self.rest.ask(method, path, agent, body, headers={"requestId": f"r{next(self._ids)}"})
        await self.agree()
        return reply

    async def agree(self) -> None:
        """What desktops know from events is what they would read, and what the telephones do."""
        self.desktops.hear(self.laboratory.publisher.take())
        for agent in AGENTS:
            reply = await self.rest.get(f"/finesse/api/User/{agent}/Dialogs", agent)
            read = {d.findtext("id") or "": canonical(d) for d in ET.fromstring(reply.body)}
            assert read == self.desktops.dialogs[agent], agent
            await self._is_true(agent, read)
        assert [text for text in self.laboratory.odd if "could not be written" not in text] == []
        assert self.rest.log.faults == []
        assert not [line for line in self.laboratory.log.lines if line[0] in ("failed", "fault")]

    async def _is_true(self, agent: str, read: dict[str, str]) -> None:
        legs = self.laboratory.lab.centre.switch.at(agent)
        truth = {str(leg.call.call_id): leg.state.name for leg in legs if not leg.gone}
        said: dict[str, str] = {}
        for number, text in read.items():
            dialog = ET.fromstring(text)
            for party in dialog.iterfind("participants/Participant"):
                if party.findtext("mediaAddress") == agent:
                    said[number] = party.findtext("state") or ""
        words = {"ACTIVE": "CONNECT", "HELD": "HOLD", "ALERTING": "ALERTING", "INITIATED": "CONNECT", "FAILED": "FAIL"}
        live = {number: words[state] for number, state in said.items() if state in words}
        types = {number: ET.fromstring(text).findtext("mediaProperties/callType") for number, text in read.items()}
        for number, state in live.items():
            if types[number] != "SUPERVISOR_MONITOR" and "PREVIEW" not in (types[number] or ""):
                assert truth.get(number) == state, (agent, number, state, truth)
        for number, state in truth.items():
            assert number in said or self._hidden(number), (agent, number, state)

    def _hidden(self, number: str) -> bool:
        call = self.laboratory.lab.centre.switch.calls.get(int(number))
        return call is not None and call.call_type.name == "RESERVATION_PREDICTIVE"

    async def passes(self, seconds: float) -> None:
        self.laboratory.pass_time(seconds)
        await self.agree()

    async def caller(self, number: str = "5551234", **how: float) -> None:
        self.laboratory.lab.centre.outside.call_in(Caller(number, "8010", **how), self.laboratory.clock.now())  # type: ignore[arg-type]
        self.laboratory.tell()
        await self.agree()

    def shows(self, agent: str) -> list[str]:
        return self.desktops.shows(agent)

    async def actions(self, agent: str, number: str = "") -> set[str]:
        number = number or next(iter(self.desktops.dialogs[agent]))
        dialog = ET.fromstring(self.desktops.dialogs[agent][number])
        for party in dialog.iterfind("participants/Participant"):
            if party.findtext("mediaAddress") == agent:
                return {action.text or "" for action in party.iterfind("actions/action")}
        return set()


Story = Callable[[Floor], Awaitable[None]]


def floor(
    story: Story,
    deployment: Deployment = Deployment.UCCE,
    *,
    ready: tuple[str, ...] = ("1001",),
    not_ready: tuple[str, ...] = ("1002", "1003", "1101"),
    acd: AcdSettings = NO_WRAP_UP,
    shuffle: int | None = None,
    version: int = 24,
) -> None:
    """Run a story with these agents signed in."""

    async def run(rest: Rest, laboratory: Laboratory) -> None:
        laboratory.signs_in(*ready)
        laboratory.signs_in(*not_ready, ready=False)
        scene = Floor(rest, laboratory)
        await scene.agree()
        await story(scene)

    play_in_laboratory(run, Laboratory(deployment, acd=acd, shuffle=shuffle, version=version))


EVERYWHERE = pytest.mark.parametrize("deployment", Deployment)
SHUFFLED = pytest.mark.parametrize("shuffle", [None, 1, 2, 3])


@EVERYWHERE
@SHUFFLED
def test_an_inbound_call(deployment: Deployment, shuffle: int | None) -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        assert f.shows("1001") == ["ALERTING 1001=ALERTING 5551234=INITIATED"]
        assert (await f.act("1001", "ANSWER")).status == 202
        assert f.shows("1001") == ["ACTIVE 1001=ACTIVE 5551234=ACTIVE"]
        assert f.desktops.request_ids[-1] == ("1001", "PUT", "r1")
        assert (await f.act("1001", "HOLD")).status == 202
        assert f.shows("1001") == ["ACTIVE 1001=HELD 5551234=ACTIVE"]
        await f.act("1001", "RETRIEVE")
        await f.act("1001", "DROP")
        assert f.shows("1001") == []
        assert [r for _, _, r in f.desktops.request_ids if r == "r4"]

    floor(story, deployment, shuffle=shuffle)


@SHUFFLED
def test_wrap_up_reasons_are_set_while_the_agent_wraps_up(shuffle: int | None) -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        await f.act("1001", "DROP")
        assert f.shows("1001") == ["DROPPED 1001=WRAP_UP 5551234=DROPPED"]
        assert await f.actions("1001") == {"UPDATE_CALL_DATA"}
        await f.act(
            "1001", "UPDATE_CALL_DATA", inner="<mediaProperties><wrapUpReason>Sold</wrapUpReason></mediaProperties>"
        )
        assert "<wrapUpReason>Sold</wrapUpReason>" in next(iter(f.desktops.dialogs["1001"].values()))
        await f.passes(10)
        assert f.shows("1001") == []

    floor(story, acd=AcdSettings(wrap_up_s=10), shuffle=shuffle)


@EVERYWHERE
@SHUFFLED
def test_ring_no_answer(deployment: Deployment, shuffle: int | None) -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.passes(NO_WRAP_UP.ring_s)
        assert f.shows("1001") == []
        assert f.laboratory.service.agents["1001"].state.value == "NOT_READY"

    floor(story, deployment, shuffle=shuffle)


@EVERYWHERE
@SHUFFLED
def test_a_call_to_a_colleague(deployment: Deployment, shuffle: int | None) -> None:
    async def story(f: Floor) -> None:
        assert (await f.call("1002", "MAKE_CALL", toAddress="1003")).status == 202
        assert ("1002", "POST", "r1") in f.desktops.request_ids
        assert f.shows("1002") == f.shows("1003") == ["ALERTING 1002=INITIATED 1003=ALERTING"]
        await f.act("1003", "ANSWER")
        assert f.shows("1002") == f.shows("1003") == ["ACTIVE 1002=ACTIVE 1003=ACTIVE"]
        await f.act("1003", "HOLD")
        assert [who for who, _, request_id in f.desktops.request_ids if request_id == "r3"] == ["1002", "1003"]
        await f.act("1003", "DROP")
        assert f.shows("1002") == f.shows("1003") == []

    floor(story, deployment, shuffle=shuffle)


@pytest.mark.parametrize(("number", "cause"), [("99855555", "BUSY"), ("99955555", "BAD_DESTINATION")])
def test_a_call_that_fails(number: str, cause: str) -> None:
    async def story(f: Floor) -> None:
        await f.call("1002", "MAKE_CALL", toAddress=number)
        assert f.shows("1002") == ["FAILED 1002=FAILED"]
        assert f"<stateCause>{cause}</stateCause>" in next(iter(f.desktops.dialogs["1002"].values()))
        await f.act("1002", "DROP")
        assert f.shows("1002") == []

    floor(story)


async def consulted(f: Floor) -> tuple[str, str]:
    """1001 talks to a caller and consults 1002, who has answered: the two dialogs."""
    await f.caller()
    await f.act("1001", "ANSWER")
    original = next(iter(f.desktops.dialogs["1001"]))
    await f.act("1001", "CONSULT_CALL", original, "<toAddress>1002</toAddress>")
    consult = next(number for number in f.desktops.dialogs["1001"] if number != original)
    await f.act("1002", "ANSWER", consult)
    assert f.shows("1001") == ["ACTIVE 1001=HELD 5551234=ACTIVE", "ACTIVE 1001=ACTIVE 1002=ACTIVE"]
    assert {"TRANSFER", "CONFERENCE"} <= await f.actions("1001", original)
    assert {"TRANSFER", "CONFERENCE"} <= await f.actions("1001", consult)
    return original, consult


@EVERYWHERE
@SHUFFLED
@pytest.mark.parametrize("asked_of_consult", [False, True])
def test_a_consult_transfer(deployment: Deployment, shuffle: int | None, asked_of_consult: bool) -> None:
    async def story(f: Floor) -> None:
        original, consult = await consulted(f)
        assert f"/finesse/api/Dialog/{original}</associatedDialogUri>" in f.desktops.dialogs["1001"][consult]
        await f.act("1001", "TRANSFER", consult if asked_of_consult else original)
        assert f.shows("1001") == []
        assert list(f.desktops.dialogs["1002"]) == [original]
        assert f.shows("1002") == ["ACTIVE 5551234=ACTIVE 1002=ACTIVE"]
        assert f"<secondaryId>{consult}</secondaryId>" in f.desktops.dialogs["1002"][original]
        await f.act("1002", "DROP")
        assert f.shows("1002") == []

    floor(story, deployment, shuffle=shuffle)


@EVERYWHERE
@SHUFFLED
def test_a_conference_and_dropping_out_of_it(deployment: Deployment, shuffle: int | None) -> None:
    async def story(f: Floor) -> None:
        original, _ = await consulted(f)
        await f.act("1001", "CONFERENCE", original)
        everyone = ["ACTIVE 1001=ACTIVE 5551234=ACTIVE 1002=ACTIVE"]
        assert (f.shows("1001"), f.shows("1002")) == (everyone, everyone)
        assert "<callType>CONFERENCE</callType>" in f.desktops.dialogs["1002"][original]
        await f.act("1001", "DROP", original)
        assert f.shows("1001") == []
        assert f.shows("1002") == ["ACTIVE 1001=DROPPED 5551234=ACTIVE 1002=ACTIVE"]
        await f.act("1002", "DROP", original)
        assert f.shows("1002") == []

    floor(story, deployment, shuffle=shuffle)


def test_the_controller_drops_a_participant() -> None:
    async def story(f: Floor) -> None:
        original, _ = await consulted(f)
        await f.act("1001", "CONFERENCE", original)
        assert (await f.act("1002", "PARTICIPANT_DROP", original, target="1001")).status == 401
        assert (await f.act("1001", "PARTICIPANT_DROP", original, target="1002")).status == 202
        assert f.shows("1002") == []
        assert f.shows("1001") == ["ACTIVE 1001=ACTIVE 5551234=ACTIVE 1002=DROPPED"]

    floor(story)


@EVERYWHERE
@SHUFFLED
def test_a_blind_transfer(deployment: Deployment, shuffle: int | None) -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        await f.act("1001", "TRANSFER_SST", inner="<toAddress>1002</toAddress>")
        assert f.shows("1001") == []
        assert f.shows("1002") == ["ALERTING 5551234=INITIATED 1002=ALERTING"]
        await f.act("1002", "ANSWER")
        assert f.shows("1002") == ["ACTIVE 5551234=ACTIVE 1002=ACTIVE"]
        await f.act("1002", "DROP")
        assert f.shows("1002") == []

    floor(story, deployment, shuffle=shuffle)


def test_a_blind_transfer_to_nowhere_fails_as_an_event_and_the_call_goes_on() -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        assert (await f.act("1001", "TRANSFER_SST", inner="<toAddress>99955555</toAddress>")).status == 202
        assert f.desktops.errors == [("1001", "Call Operation Failure", "14")]
        assert f.shows("1001") == ["ACTIVE 1001=ACTIVE 5551234=ACTIVE"]

    floor(story)


def test_digits_are_sent_and_refused_on_hold() -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        digits = "<actionParams><ActionParam><name>dtmfString</name><value>12#</value></ActionParam></actionParams>"
        assert (await f.act("1001", "SEND_DTMF", inner=digits)).status == 202
        assert f.desktops.errors == []
        await f.act("1001", "HOLD")
        assert (await f.act("1001", "SEND_DTMF", inner=digits)).error[:2] == (401, "Invalid State")

    floor(story)


@EVERYWHERE
def test_silent_monitoring_barging_in_and_taking_over(deployment: Deployment) -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        assert (await f.call("1101", "SILENT_MONITOR", toAddress="1001")).status == 202
        monitor = next(iter(f.desktops.dialogs["1101"]))
        assert f.shows("1101") == ["ACTIVE 1101=ACTIVE 1001=ACTIVE"]
        assert await f.actions("1101") == {"DROP", "BARGE_CALL"}
        assert await f.actions("1001", monitor) == set()
        uri = f"/finesse/api/Dialog/{monitor}"
        assert (await f.call("1101", "BARGE_CALL", toAddress="1001", associatedDialogUri=uri)).status == 202
        everyone = ["ACTIVE 1001=ACTIVE 5551234=ACTIVE 1101=ACTIVE"]
        assert (f.shows("1001"), f.shows("1101")) == (everyone, everyone)
        assert (await f.call("1101", "INTERCEPT", toAddress="1001", associatedDialogUri=uri)).status == 202
        assert f.shows("1001") == []
        assert f.shows("1101") == ["ACTIVE 1001=DROPPED 5551234=ACTIVE 1101=ACTIVE"]

    floor(story, deployment)


def test_a_supervisor_stops_listening() -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        await f.call("1101", "SILENT_MONITOR", toAddress="1001")
        await f.act("1101", "DROP")
        assert (f.shows("1101"), f.shows("1001")) == ([], ["ACTIVE 1001=ACTIVE 5551234=ACTIVE"])

    floor(story)


@pytest.mark.parametrize(("deployment", "code"), [(Deployment.UCCE, "13145"), (Deployment.UCCX, "88049")])
def test_a_supervisor_who_is_ready_cannot_listen_and_is_told_so(deployment: Deployment, code: str) -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        assert (await f.call("1101", "SILENT_MONITOR", toAddress="1001")).status == 202
        assert f.desktops.errors == [("1101", "Invalid State", code)]
        assert f.shows("1101") == []

    floor(story, deployment, ready=("1001", "1101"), not_ready=("1002", "1003"))


def test_a_call_is_recorded_on_uccx() -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        assert "START_RECORDING" in await f.actions("1001")
        assert (await f.act("1001", "START_RECORDING")).status == 202
        call = f.laboratory.lab.centre.switch.calls[int(next(iter(f.desktops.dialogs["1001"])))]
        assert call.recording > 0
        assert f.desktops.errors == []
        assert (await f.act("1001", "START_RECORDING")).status == 202
        assert f.desktops.errors == [("1001", "Call Operation Failure", "21")]

    floor(story, Deployment.UCCX)


def test_only_uccx_records_calls() -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        assert "START_RECORDING" not in await f.actions("1001")
        assert (await f.act("1001", "START_RECORDING")).status == 501

    floor(story)


async def campaign(f: Floor, mode: Mode) -> None:
    entry = Campaign("Spring", DEMO.skill_groups[0], mode), Record("5550199", talks_s=20)
    f.laboratory.lab.centre.dialler.add(*entry)
    f.laboratory.tell()
    await f.passes(0)


@EVERYWHERE
@SHUFFLED
def test_a_preview_is_accepted(deployment: Deployment, shuffle: int | None) -> None:
    async def story(f: Floor) -> None:
        await campaign(f, Mode.PREVIEW)
        assert f.shows("1001") == ["ALERTING 1001=ALERTING"]
        assert await f.actions("1001") == {"ACCEPT", "CLOSE", "REJECT"}
        assert (await f.act("1001", "ACCEPT")).status == 202
        assert f.shows("1001") == ["ACCEPTED 1001=ACCEPTED"]
        await f.passes(3)
        assert f.shows("1001")[0].startswith("ACTIVE ")
        assert {"RECLASSIFY"} <= await f.actions("1001")
        await f.passes(20)
        assert f.shows("1001") == []

    floor(story, deployment, shuffle=shuffle)


@EVERYWHERE
@pytest.mark.parametrize(
    ("action", "name", "value", "again"),
    [
        ("RECLASSIFY", "outboundClassification", "ANS_MACHINE", True),
        ("RECLASSIFY", "outboundClassification", "DO_NOT_CALL", False),
        ("UPDATE_SCHEDULED_CALLBACK", "callbackTime", "2036-03-07T14:30", True),
        ("UPDATE_SCHEDULED_CALLBACK", "callbackNumber", "5559999", True),
        ("CANCEL_SCHEDULED_CALLBACK", "", "", False),
    ],
)
def test_what_is_said_of_a_customers_call_reaches_the_dialler(
    deployment: Deployment, action: str, name: str, value: str, again: bool
) -> None:
    async def story(f: Floor) -> None:
        await campaign(f, Mode.PREVIEW)
        await f.act("1001", "ACCEPT")
        await f.passes(3)
        inner = f"<actionParams><ActionParam><name>{name}</name><value>{value}</value></ActionParam></actionParams>"
        assert (await f.act("1001", action, inner=inner)).status == 202
        assert f.desktops.errors == []
        assert f.laboratory.lab.centre.dialler.open_records == again

    floor(story, deployment)


@pytest.mark.parametrize("action", ["REJECT", "CLOSE"])
def test_a_preview_is_rejected(action: str) -> None:
    async def story(f: Floor) -> None:
        await campaign(f, Mode.PREVIEW)
        assert (await f.act("1001", action)).status == 202
        assert f.shows("1001") == [] or action == "REJECT"  # a rejected record may come again at once
        assert f.laboratory.lab.centre.dialler.closed == (action == "CLOSE")

    floor(story)


@SHUFFLED
def test_a_progressive_call_is_seen_when_the_customer_has_answered(shuffle: int | None) -> None:
    async def story(f: Floor) -> None:
        await campaign(f, Mode.PROGRESSIVE)
        assert f.shows("1001") == []
        await f.passes(3)
        assert f.shows("1001")[0].startswith("ACTIVE ")
        await f.passes(20)
        assert f.shows("1001") == []

    floor(story, shuffle=shuffle)


@pytest.mark.parametrize("version", [15, 18, 20, 24])
def test_call_data_are_changed_and_too_long_ones_refused(version: int) -> None:
    async def story(f: Floor) -> None:
        await f.caller()
        await f.act("1001", "ANSWER")
        await f.act("1001", "UPDATE_CALL_DATA", inner=variables(callVariable1="gold", **{"user.account": "77"}))
        text = next(iter(f.desktops.dialogs["1001"].values()))
        assert "<name>callVariable1</name><value>gold</value>" in text
        assert "<name>user.account</name><value>77</value>" in text
        await f.act("1001", "UPDATE_CALL_DATA", inner=variables(callVariable2="x" * 41))
        assert [kind for _, kind, _ in f.desktops.errors] == ["Invalid Input"]
        assert "callVariable2" not in next(iter(f.desktops.dialogs["1001"].values()))

    floor(story, version=version)


def variables(**values: str) -> str:
    """mediaProperties with these call variables."""
    items = "".join(f"<CallVariable><name>{n}</name><value>{v}</value></CallVariable>" for n, v in values.items())
    return f"<mediaProperties><callvariables>{items}</callvariables></mediaProperties>"


@pytest.mark.parametrize("missed", [False, True])
def test_a_lost_link_heals(missed: bool) -> None:
    async def story(f: Floor) -> None:
        original, consult = await consulted(f)
        f.laboratory.cut()
        assert (await f.rest.get("/finesse/api/User/1001/Dialogs", "1001")).status == 503
        f.desktops.hear(f.laboratory.publisher.take())
        if missed:  # the caller gives up while nobody listens
            call = f.laboratory.lab.centre.switch.calls[int(original)]
            leg = next(leg for leg in call.legs if leg.device == "5551234")
            f.laboratory.lab.centre.switch.leave(leg, f.laboratory.clock.now())
        f.laboratory.reachable = True
        f.laboratory.pass_time(10)
        assert f.laboratory.service.in_service
        await f.agree()
        assert f.shows("1001") == (
            ["ACTIVE 1001=ACTIVE 1002=ACTIVE"]
            if missed
            else ["ACTIVE 1001=HELD 5551234=ACTIVE", "ACTIVE 1001=ACTIVE 1002=ACTIVE"]
        )
        await f.act("1002", "DROP", consult)
        assert f.shows("1002") == []

    floor(story)
