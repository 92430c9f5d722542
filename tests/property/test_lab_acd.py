"""Whatever is asked of the built-in ACD in whatever order, it stays a telephone system.

Laws: a telephone has one ear; a call has no ghosts; every request has one answer; snapshots are what events told;
agents' states follow from their calls; everything ends.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from poise.lab.acd.codes import Device, Lcs
from poise.lab.acd.dialler import Campaign, Mode, Record
from poise.lab.acd.model import ACTIVE
from poise.lab.acd.outside import Caller
from poise.lab.acd.settings import AcdSettings
from poise.lab.data import DEMO
from poise.lab.rules import Deployment
from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.messages import FloatValue
from tests.unit.lab.acd.floor import Client, Floor, ecc
from tests.unit.lab.acd.observer import Observer
from tests.unit.lab.acd.walker import possibilities

AGENTS = ["1001", "1002", "1004", "1101"]
devices = st.sampled_from(AGENTS)
numbers = st.sampled_from(
    [*AGENTS, "8010", "8012", "5551234", "5559999", "99955555", "99855555", "99755555", "12", "abc", "", "é" * 16]
)
ONE = [
    "ANSWER_CALL",
    "HOLD_CALL",
    "CLEAR_CONNECTION",
    "SEND_DTMF_SIGNAL",
    "START_RECORDING",
    "STOP_RECORDING",
    "CLEAR_CALL",
    "SUPERVISOR_ASSIST",
    "EMERGENCY_CALL",
    "BAD_CALL",
    "RELEASE_CALL",
]
"""Requests about one connection."""
VERSIONS = (15, 18, 20, 24)
ON_CALL = {AgentState.TALKING, AgentState.HOLD, AgentState.RESERVED}


class AcdMachine(RuleBasedStateMachine):
    """Random desktops, callers and faults."""

    @initialize(
        deployment=st.sampled_from(list(Deployment)),
        version=st.sampled_from(VERSIONS),
        shuffle=st.sampled_from([None, 1, 2]),
        wrap_up=st.sampled_from([0.0, 5.0]),
    )
    def begin(self, deployment: Deployment, version: int, shuffle: int | None, wrap_up: float) -> None:
        acd = AcdSettings(ring_s=10, wrap_up_s=wrap_up, ring_limit_s=30)
        self.floor = Floor(deployment, version, acd, shuffle)
        self.deployment, self.shuffled = deployment, shuffle is not None
        self.floor.others = [Client(self.floor.server, other, self.floor.now) for other in VERSIONS if other != version]
        self.observer = Observer()
        self.floor.signs_in(*AGENTS)
        self.ids = [1_000_001]

    def _call_id(self, pick: int, device: str) -> int:
        here = [leg.call.call_id for leg in self.floor.centre.switch.at(device)]
        if here and pick % 4:
            return here[pick % len(here)]
        live = list(self.floor.centre.switch.calls)
        return live[pick % len(live)] if live and pick % 3 else 1_000_000 + pick

    def _step(self, device: str, number: str, choice: int) -> None:
        acts = possibilities(self.floor, device, number)
        if acts:
            acts[choice % len(acts)]()

    @rule(device=devices, number=numbers, choice=st.integers(0, 500))
    def sensible(self, device: str, number: str, choice: int) -> None:
        self._step(device, number, choice)

    @rule(device=devices, other=devices, choices=st.lists(st.integers(0, 500), min_size=2, max_size=8))
    def a_while(self, device: str, other: str, choices: list[int]) -> None:
        for at, choice in enumerate(choices):
            self._step((device, other)[at % 2], (other, device)[at % 2], choice)
            self.laws_hold()

    @rule(device=devices, state=st.sampled_from([0, 1, 2, 3, 3, 3, 5, 6]), forced=st.integers(0, 1))
    def set_state(self, device: str, state: int, forced: int) -> None:
        reason = 255 if forced and state == 1 else 0
        who: tuple[tuple[str, FloatValue], ...] = (("AGENT_ID", device), ("AGENT_INSTRUMENT", device))
        self.floor.ask("SET_AGENT_STATE_REQ", who, AgentState=state, EventReasonCode=reason, ForcedFlag=forced)

    @rule(device=devices, number=numbers, manner=st.sampled_from([0, 2]))
    def make_call(self, device: str, number: str, manner: int) -> None:
        self.floor.make_call(device, number, manner=manner)

    @rule(
        device=devices,
        pick=st.integers(0, 50),
        name=st.sampled_from(ONE),
    )
    def one(self, device: str, pick: int, name: str) -> None:
        self.floor.on(name, device, self._call_id(pick, device), ("DTMF_STRING", "12#"))

    @rule(device=devices)
    def answers(self, device: str) -> None:
        for leg in self.floor.centre.switch.at(device):
            if leg.state is Lcs.ALERTING:
                self.floor.on("ANSWER_CALL", device, leg.call.call_id)
                break

    @rule(device=devices, pick=st.integers(0, 50))
    def retrieve(self, device: str, pick: int) -> None:
        self.floor.retrieve(device, self._call_id(pick, device))

    @rule(device=devices, pick=st.integers(0, 50), number=numbers)
    def consult(self, device: str, pick: int, number: str) -> None:
        self.floor.consult(device, self._call_id(pick, device), number)

    @rule(
        device=devices,
        a=st.integers(0, 50),
        b=st.integers(0, 50),
        name=st.sampled_from(["TRANSFER", "CONFERENCE", "RECONNECT", "ALTERNATE"]),
    )
    def two(self, device: str, a: int, b: int, name: str) -> None:
        legs = self.floor.centre.switch.at(device)
        active = next((leg.call.call_id for leg in legs if leg.state is Lcs.CONNECT), self._call_id(a, device))
        held = next((leg.call.call_id for leg in legs if leg.state is Lcs.HOLD), self._call_id(b, device))
        self.floor.two(name, device, active, held)

    @rule(device=devices, pick=st.integers(0, 50), number=numbers)
    def blind(self, device: str, pick: int, number: str) -> None:
        self.floor.blind(device, self._call_id(pick, device), number)

    @rule(device=devices, pick=st.integers(0, 50), number=numbers)
    def deflect(self, device: str, pick: int, number: str) -> None:
        self.floor.on("DEFLECT_CALL", device, self._call_id(pick, device), ("DIALED_NUMBER", number))

    @rule(device=devices, other=devices, pick=st.integers(0, 50))
    def drop_other(self, device: str, other: str, pick: int) -> None:
        call_id = self._call_id(pick, device)
        self.floor.on("CLEAR_CONNECTION", other, call_id, ("REQUESTING_DEVICE_ID", device))

    @rule(
        agent=devices,
        supervisor=st.sampled_from(["1101", "1101", "1002"]),
        pick=st.integers(0, 50),
        action=st.integers(0, 5),
    )
    def supervise(self, agent: str, supervisor: str, pick: int, action: int) -> None:
        self.floor.supervise(supervisor, agent, self._call_id(pick, agent), action)

    @rule(
        device=devices, pick=st.integers(0, 50), value=st.sampled_from(["Accept", "Reject", "Reject-Close", "x" * 41])
    )
    def set_data(self, device: str, pick: int, value: str) -> None:
        self.floor.set_data(device, self._call_id(pick, device), ecc("BAResponse", value), ("CALL_VAR_3", value[:40]))

    @rule(
        dials=st.sampled_from(["8010", "8011", "8012", "1001"]),
        patience=st.sampled_from([5, 60]),
        talks=st.sampled_from([10, None]),
    )
    def caller(self, dials: str, patience: float, talks: float | None) -> None:
        self.floor.centre.outside.call_in(Caller("5550000", dials, patience_s=patience, talks_s=talks), self.floor.now)
        self.floor.tell()

    @rule(mode=st.sampled_from(list(Mode)), number=st.sampled_from(["5551234", "99855555", "99755555"]))
    def campaign(self, mode: Mode, number: str) -> None:
        self.floor.centre.dialler.add(Campaign("Spring", DEMO.skill_groups[2], mode), Record(number, talks_s=20))
        self.floor.tell()

    @rule(seconds=st.sampled_from([1, 4, 12, 40]))
    def wait(self, seconds: float) -> None:
        self.floor.pass_time(seconds)

    @rule(up=st.sampled_from([True, True, False]))
    def telephony(self, up: bool) -> None:
        outputs = self.floor.server.set_telephony(up, self.floor.now)
        self.floor.client.hears(outputs)
        for other in self.floor.others:
            other.hears(outputs)

    @rule()
    @precondition(lambda self: bool(self.floor.centre.switch.calls))
    def storm(self) -> None:
        self.floor.centre.ring_no_answer_storm(20, self.floor.now)

    # Laws

    @invariant()
    def laws_hold(self) -> None:
        self.snapshots_are_what_events_told()
        self.a_telephone_has_one_ear_and_a_call_no_ghosts()
        self.agents_states_follow_from_their_calls()
        self.the_queues_books_balance()

    def a_telephone_has_one_ear_and_a_call_no_ghosts(self) -> None:
        switch = self.floor.centre.switch
        for device in AGENTS:
            legs = switch.at(device)
            assert sum(leg.state in ACTIVE for leg in legs) <= 1
            for leg in legs:
                assert leg in leg.call.legs
                assert not leg.call.ended
        for call_id, call in switch.calls.items():
            assert call.call_id == call_id
            assert call.legs or call.wrapping
            names = [leg.device for leg in call.legs]
            assert len(names) == len(set(names))
            for leg in call.legs:
                assert leg.call is call
                assert leg.state is not Lcs.NULL
                assert leg.kind is not Device.AGENT or leg in switch.at(leg.device)

    def snapshots_are_what_events_told(self) -> None:
        events = self.floor.events()
        for message in events:
            self.observer.see(message)
        for other in self.floor.others:
            assert [message.name for message in other.heard if message.name.startswith(("CALL_", "BEGIN", "END_"))] == [
                message.name for message in events if message.name.startswith(("CALL_", "BEGIN", "END_"))
            ]
            other.heard.clear()
        assert not self.observer.renamed
        for device in AGENTS:
            assert self.floor.calls_at(device) == self.observer.at(device), device
        for call_id, call in self.floor.centre.switch.calls.items():
            if call.legs:
                seen = self.floor.parties(call_id)
                for (number, device), lcs in self.observer.connections.items():
                    if number == call_id and lcs:
                        assert seen[device] == lcs

    def agents_states_follow_from_their_calls(self) -> None:
        for device in AGENTS:
            agent = self.floor.server.acd.agent(device)
            assert agent is not None
            assert self.observer.states.get(device, agent.state) is agent.state
            legs = self.floor.centre.switch.at(device)
            if not legs:
                assert agent.state not in ON_CALL, "on a call that is not there"
            active = any(leg.state in ACTIVE for leg in legs)
            if active and agent.state is not AgentState.LOGOUT and self.deployment is Deployment.UCCE:
                assert agent.state in (AgentState.TALKING, AgentState.RESERVED)

    def the_queues_books_balance(self) -> None:
        queues = self.floor.centre.queues
        owed = sum(call.owed_to is not None for call in self.floor.centre.switch.calls.values())
        assert queues.offered.total() == (
            queues.handled.total() + queues.abandoned.total() + queues.redirected.total() + owed
        )

    def teardown(self) -> None:
        """In the end everybody hangs up, and everything is over."""
        if not hasattr(self, "floor"):
            return
        floor = self.floor
        floor.client.hears(floor.server.set_telephony(True, floor.now))
        for device in AGENTS:
            for leg in floor.centre.switch.at(device):
                if leg.state is not Lcs.NULL:
                    floor.on("CLEAR_CALL", device, leg.call.call_id)
            floor.state(device, AgentState.NOT_READY)
        for _ in range(40):
            floor.pass_time(30)
        for message in floor.events():
            self.observer.see(message)
        assert floor.centre.switch.calls == {}
        assert self.observer.connections == {}
        assert self.observer.begun + 0 <= self.observer.ended
        for device in AGENTS:
            assert self.observer.states.get(device, AgentState.NOT_READY) in (
                AgentState.NOT_READY,
                AgentState.AVAILABLE,
                AgentState.LOGOUT,
            )


TestAcd = AcdMachine.TestCase
TestAcd.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
