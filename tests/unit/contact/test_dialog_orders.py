"""Call events and agent-state events are not ordered against each other: every interleaving of a step ends the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import pytest

from poise.contact.states import Deployment
from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.messages import Message
from tests.unit.contact.calls import Desk
from tests.unit.contact.switch import CALLER, Truth

Step = Callable[[Desk], list[Message]]
READY, WRAP_UP = AgentState.AVAILABLE, AgentState.WORK_READY


def interleavings(messages: list[Message]) -> Iterator[list[Message]]:
    """Every order in which the calls' events and the agents' events each keep theirs."""
    states = [m for m in messages if m.name == "AGENT_STATE_EVENT"]
    calls = [m for m in messages if m.name != "AGENT_STATE_EVENT"]
    for places in combinations(range(len(messages)), len(states)):
        rest, marked = iter(calls), iter(states)
        yield [next(marked) if place in places else next(rest) for place in range(len(messages))]


def talking(desk: Desk) -> Truth:
    call, ringing = desk.switch.inbound("1001")
    desk.hear([*ringing, *desk.switch.answer(call, "1001")])
    return call


def conferred(desk: Desk) -> Truth:
    call = talking(desk)
    switch = desk.switch
    desk.hear(switch.hold(call, "1001", consulting=True))
    consult, placed = switch.place("1001", "1002", call)
    desk.hear([*placed, *switch.rings_there(consult), *switch.answer(consult, "1002")])
    desk.hear(switch.conference(call, consult, "1001"))
    return call


def rings(desk: Desk) -> list[Message]:
    return desk.switch.inbound("1001")[1]


def answered(desk: Desk) -> list[Message]:
    call, ringing = desk.switch.inbound("1001")
    desk.hear(ringing)
    return desk.switch.answer(call, "1001")


def unanswered(desk: Desk) -> list[Message]:
    call, ringing = desk.switch.inbound("1001")
    desk.hear(ringing)
    return desk.switch.no_answer(call, "1001", uccx=desk.deployment is Deployment.UCCX)


def abandoned(desk: Desk) -> list[Message]:
    call, ringing = desk.switch.inbound("1001")
    desk.hear(ringing)
    return desk.switch.over(call, CALLER)


def over(desk: Desk) -> list[Message]:
    return desk.switch.over(talking(desk), "1001")


def over_with_wrap_up(desk: Desk) -> list[Message]:
    return desk.switch.over(talking(desk), CALLER, WRAP_UP)


def held(desk: Desk) -> list[Message]:
    return desk.switch.hold(talking(desk), "1001")


def transferred(desk: Desk) -> list[Message]:
    call = talking(desk)
    switch = desk.switch
    desk.hear(switch.hold(call, "1001", consulting=True))
    consult, placed = switch.place("1001", "1002", call)
    desk.hear([*placed, *switch.rings_there(consult), *switch.answer(consult, "1002")])
    return switch.transfer(call, consult, "1001", WRAP_UP)


def blind(desk: Desk) -> list[Message]:
    return desk.switch.single_step(talking(desk), "1001", "1002", READY)


def left(desk: Desk) -> list[Message]:
    return desk.switch.leaves(conferred(desk), "1002", WRAP_UP)


def placed(desk: Desk) -> list[Message]:
    return desk.switch.place("1001", "1002")[1]


def signed_out(desk: Desk) -> list[Message]:
    """Line loss: the call goes and the agent with it."""
    return desk.switch.over(talking(desk), CALLER, AgentState.LOGOUT)


STEPS: list[Step] = [
    rings, answered, unanswered, abandoned, over, over_with_wrap_up, held, transferred, blind, left, placed, signed_out,
]  # fmt: skip


def outcome(deployment: Deployment, step: Step, order: int) -> tuple[list[object], list[str]]:
    """What everyone sees after the step in its order of that number, and what was told on the way."""
    desk = Desk(deployment)
    messages = list(interleavings(step(desk)))[order]
    lines = desk.hear(messages)
    seen: list[object] = [desk.sees(agent) for agent in desk.switch.agents]
    seen += [
        (party.address, party.state, party.actions)
        for shown in desk.model.dialogs.values()
        for party in shown.dialog.participants
    ]
    return seen, lines


@pytest.mark.parametrize("deployment", Deployment)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_every_interleaving_ends_with_the_same_pictures(deployment: Deployment, step: Step) -> None:
    orders = len(list(interleavings(step(Desk(deployment)))))
    expected, _ = outcome(deployment, step, 0)
    for order in range(1, orders):
        assert outcome(deployment, step, order)[0] == expected, f"order {order}"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_no_interleaving_takes_a_call_away_and_gives_it_back(step: Step) -> None:
    orders = len(list(interleavings(step(Desk()))))
    for order in range(orders):
        _, lines = outcome(Deployment.UCCE, step, order)
        gone = [" ".join(line.split()[:1] + line.split()[2:3]) for line in lines if " DELETE " in line]
        assert len(gone) == len(set(gone)), f"order {order}: {lines}"
        after = lines[max((n for n, line in enumerate(lines) if " DELETE " in line), default=0) :]
        assert not [line for line in after if " POST " in line and " ".join(line.split()[:3:2]) in gone], lines
