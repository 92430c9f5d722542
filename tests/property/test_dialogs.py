"""Laws of the dialog model: pictures and changes agree, snapshots heal, bad messages break nothing."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.contact.agents import AgentModel
from poise.contact.call_merging import ALL_HANDLERS
from poise.contact.dialog_model import DialogModel
from poise.contact.dialog_requests import DialogRefusal, DialogRequest, DialogWish
from poise.contact.dialog_states import LIVE, Action
from poise.contact.dialog_views import Rules
from poise.contact.dialogs import DialogChange, DialogChanged, Shown
from poise.contact.states import Deployment
from poise.finesse.dialog_publications import dialog_publications
from poise.protocols.cti.constants import NULL16, NULL32, AgentState
from poise.protocols.cti.messages import FloatValue, Message, NamedArrayElement, NamedVariable
from poise.protocols.cti.outputs import Outcome, RequestEnded
from tests.unit.contact.calls import Desk
from tests.unit.contact.centre import CONFIG, NOW
from tests.unit.contact.switch import CALLER, DIALLER, Switch, Truth

AGENTS = ("1001", "1002", "1004", "1101")


class Holder:
    """Someone who holds pictures and applies changes to them, as a desktop does."""

    def __init__(self) -> None:
        self.pictures: dict[str, Shown] = {}

    def take(self, changes: list[DialogChange]) -> None:
        for change in changes:
            if not isinstance(change, DialogChanged):
                continue
            before, after, _ = change
            if before is not None:
                assert self.pictures.pop(before.dialog.dialog_id) == before
            if after is not None:
                assert after.dialog.dialog_id not in self.pictures
                self.pictures[after.dialog.dialog_id] = after


# ---- a day at the switch

Move = Callable[["Day"], list[Message]]


class Day:
    """Random but possible: what the switch may do next, chosen by numbers that Hypothesis draws."""

    def __init__(self, draw: Callable[[int], int]) -> None:
        self.switch = Switch(AGENTS)
        self.draw = draw

    def pick(self, options: list[Move]) -> list[Message]:
        return options[self.draw(len(options))](self) if options else []

    def free(self) -> list[str]:
        busy = {device for call in self.switch.calls.values() for device in call.states}
        return [agent for agent in AGENTS if agent not in busy]

    def step(self) -> list[Message]:
        options: list[Move] = []
        free = self.free()
        if free:
            agent = free[self.draw(len(free))]
            options.append(lambda day: day.switch.inbound(agent)[1])
            options.append(lambda day: day.dials(agent))
        for call in self.switch.calls.values():
            options += self.of_call(call)
        return self.pick(options)

    def dials(self, agent: str) -> list[Message]:
        others = [other for other in self.free() if other != agent]
        call, out = self.switch.place(agent, others[self.draw(len(others))] if others else "5550123")
        return [*out, *self.switch.rings_there(call)]

    def of_call(self, call: Truth) -> list[Move]:
        states = {device: lcs.name for device, lcs in call.states.items()}
        options: list[Move] = [lambda day: day.switch.data(call, "CALL_VAR_2", str(day.draw(9)))]
        ringing = [d for d, s in states.items() if s == "ALERTING"]
        if ringing:
            device = ringing[0]
            if device in AGENTS:
                options.append(lambda day: day.switch.answer(call, device))
                if call.calling == CALLER:
                    options.append(lambda day: day.switch.no_answer(call, device))
            else:
                options.append(lambda day: day.switch.far_answer(call))
            options.append(lambda day: day.switch.over(call, call.calling))
            return options
        talking = [d for d, s in states.items() if s == "CONNECT" and d in AGENTS]
        holding = [d for d, s in states.items() if s == "HOLD"]
        if len(states) == 2 and not self._consults(call):
            options.append(lambda day: day.switch.over(call, next(iter(call.states))))
        for agent in talking:
            options.append(lambda day, agent=agent: day.switch.hold(call, agent))  # type: ignore[misc]
            if not self._other(call, agent):
                options.append(lambda day, agent=agent: day.consults(call, agent))  # type: ignore[misc]
                if len(states) == 2 and self.free():
                    options.append(lambda day, agent=agent: day.blind(call, agent))  # type: ignore[misc]
            if len(states) > 2 and not self._other(call, agent):
                options.append(lambda day, agent=agent: day.switch.leaves(call, agent))  # type: ignore[misc]
        for agent in holding:
            other = self._other(call, agent)
            if other is None:
                options.append(lambda day, agent=agent: day.switch.retrieve(call, agent))  # type: ignore[misc]
            elif all(lcs.name == "CONNECT" for lcs in other.states.values()) and len(other.states) == 2:
                options.append(
                    lambda day, agent=agent, other=other: day.switch.transfer(call, other, agent, AgentState.AVAILABLE)  # type: ignore[misc]
                )
                options.append(lambda day, agent=agent, other=other: day.switch.conference(call, other, agent))  # type: ignore[misc]
                options.append(lambda day, other=other: day.switch.over(other, other.called))  # type: ignore[misc]
        return options

    def _other(self, call: Truth, agent: str) -> Truth | None:
        return next((c for c in self.switch.calls.values() if c is not call and agent in c.states), None)

    def _consults(self, call: Truth) -> bool:
        return any(self._other(call, device) is not None for device in call.states)

    def consults(self, call: Truth, agent: str) -> list[Message]:
        others = self.free()
        out = self.switch.hold(call, agent, consulting=True)
        second, placed = self.switch.place(agent, others[0] if others else "5550321", call)
        return [*out, *placed, *self.switch.rings_there(second)]

    def blind(self, call: Truth, agent: str) -> list[Message]:
        return self.switch.single_step(call, agent, self.free()[0], AgentState.AVAILABLE)


def live(pictures: dict[str, Shown]) -> dict[str, object]:
    """What a snapshot can tell: who is in which call, in which state, with which data; not the past."""
    return {
        number: (
            shown.dialog.state,
            sorted((party.address, party.state.value) for party in shown.dialog.participants if party.state in LIVE),
            sorted(set(shown.viewers)),
            sorted(shown.dialog.properties.variables),
            shown.dialog.properties.call_type,
        )
        for number, shown in pictures.items()
        if any(party.state in LIVE for party in shown.dialog.participants)
    }


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(1, 25))
def test_old_pictures_and_changes_are_what_a_fresh_snapshot_says(data: st.DataObject, steps: int) -> None:
    day = Day(lambda count: data.draw(st.integers(0, count - 1)))
    desk, holder = Desk(), Holder()
    for _ in range(steps):
        for message in day.step():
            holder.take(desk.changes(message))
            assert holder.pictures == dict(desk.model.dialogs)
    assert live(holder.pictures) == live(fresh(day, desk))


def fresh(day: Day, desk: Desk) -> dict[str, Shown]:
    """A model that knows the present agents and hears of the calls only by snapshots."""
    model = DialogModel(Rules(desk.deployment), lambda _: "Sales")
    agents = AgentModel(desk.deployment)
    model.people(agents.configure(CONFIG))
    for agent in AGENTS:
        model.people(agents.apply(day.switch.state(agent, AgentState.NOT_READY), NOW))
    for call in day.switch.calls.values():
        model.apply(day.switch.snapshot(call), NOW)
    return dict(model.dialogs)


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 15), st.integers(0, 10))
def test_after_an_outage_snapshots_heal_whatever_was_missed(data: st.DataObject, before: int, missed: int) -> None:
    day = Day(lambda count: data.draw(st.integers(0, count - 1)))
    desk, holder = Desk(), Holder()
    for _ in range(before):
        for message in day.step():
            holder.take(desk.changes(message))
    desk.model.link_lost()
    for _ in range(missed):
        day.step()
    for call in day.switch.calls.values():
        holder.take(desk.changes(day.switch.snapshot(call)))
    for agent in AGENTS:
        holder.take(desk.changes(day.switch.state(agent, AgentState.NOT_READY)))
    holder.take(desk.model.resynced())
    assert holder.pictures == dict(desk.model.dialogs)
    assert live(holder.pictures) == live(fresh(day, desk))


# ---- anything at all

NUMBERS = st.sampled_from([0, 1, 2, 3, 7, 8, 15, 21, 27, 76, NULL16, NULL32])
DEVICES = st.sampled_from([*AGENTS, CALLER, DIALLER, ""]) | st.text(max_size=3)
TAGS = [
    "CONNECTION_DEVID", "ALERTING_DEVID", "CALLING_DEVID", "CALLED_DEVID", "ANSWERING_DEVID", "HOLDING_DEVID",
    "RETRIEVING_DEVID", "RELEASING_DEVID", "DIVERTING_DEVID", "TRANSFERRING_DEVID", "CONTROLLER_DEVID", "PARTY_DEVID",
    "CALL_DEVID", "CALL_CONN_DEVID", "ANI", "DNIS", "DIALED_NUMBER", "CALL_VAR_1", "CALL_WRAPUP_DATA",
]  # fmt: skip
FLOATS: st.SearchStrategy[tuple[str, FloatValue]] = st.one_of(
    st.tuples(st.sampled_from(TAGS), DEVICES),
    st.tuples(
        st.sampled_from(["PARTY_CALLID", "CALL_CONN_CALLID", "CALL_DEV_CONN_STATE", "COC_CONNECTION_CALL_ID"]), NUMBERS
    ),
    st.tuples(st.sampled_from(TAGS), st.binary(max_size=3)),
    st.tuples(st.just("NAMED_VARIABLE"), st.builds(NamedVariable, st.text(max_size=4), st.text(max_size=4))),
    st.tuples(
        st.just("NAMED_ARRAY"),
        st.builds(NamedArrayElement, st.integers(0, 255), st.text(max_size=4), st.text(max_size=4)),
    ),
)
FIELDS = [
    "ConnectionCallID", "NewConnectionCallID", "PrimaryCallID", "SecondaryCallID", "CallType", "LocalConnectionState",
    "EventCause", "ConnectionDeviceIDType", "CallingDeviceType", "AlertingDeviceType", "SkillGroupNumber",
]  # fmt: skip
MESSAGES = st.builds(
    Message,
    st.sampled_from(sorted(ALL_HANDLERS)),
    st.dictionaries(st.sampled_from(FIELDS), NUMBERS),
    st.lists(FLOATS, max_size=10).map(tuple),
)
WISHES = st.builds(
    DialogWish,
    st.sampled_from(Action),
    st.sampled_from([*AGENTS, "9999"]),
    st.sampled_from(["", "1", "2", "3", "7"]),
    DEVICES,
    classification=st.just("VOICE"),
    callback_time=st.just("2026-03-07T14:30"),
    digits=st.sampled_from(["1", "A", "x"]),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(Deployment),
    st.lists(
        MESSAGES
        | st.tuples(WISHES, st.sampled_from([None, *Outcome]))
        | st.tuples(st.sampled_from(AGENTS), st.sampled_from(AgentState))
        | st.booleans(),
        max_size=40,
    ),
)
def test_whatever_is_reported_or_asked_pictures_and_changes_agree_and_nothing_breaks(
    deployment: Deployment, steps: list[object]
) -> None:
    desk, holder = Desk(deployment), Holder()
    for step in steps:
        changes: list[DialogChange] = []
        if isinstance(step, Message):
            changes = desk.changes(step)
        elif isinstance(step, bool):
            if step:
                desk.model.link_lost()
            changes = desk.model.resynced()
        else:
            assert isinstance(step, tuple)
            subject, what = step
            if isinstance(subject, DialogWish):
                answer = desk.model.request(subject, "r")
                if isinstance(answer, DialogRequest):
                    desk.model.sent(answer)
                    if what is not None:
                        changes = desk.model.ended(RequestEnded(1, answer.message, answer, what))
                elif isinstance(answer, DialogRefusal):
                    assert isinstance(answer.data, str)
            else:
                changes = desk.changes(desk.switch.state(subject, what))
        holder.take(changes)
        for publication in dialog_publications(changes, deployment):
            assert publication.payload.decode().isprintable() or "\n" in publication.payload.decode()
        assert holder.pictures == dict(desk.model.dialogs)
        for number, shown in desk.model.dialogs.items():
            assert shown.dialog.dialog_id == number
            assert shown.viewers
            for agent in shown.viewers:
                assert shown.dialog in desk.model.of_agent(agent)
