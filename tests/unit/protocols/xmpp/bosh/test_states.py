"""The table of states, and that the session walks along it."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.bosh.states import EXPIRY, TRANSITIONS, Event, State
from poise.registry import ENDINGS
from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import empty, ended, holding, over


def test_every_state_says_what_every_event_leads_to_and_nothing_leaves_closed() -> None:
    assert set(TRANSITIONS) == set(State)
    for state in State:
        assert set(TRANSITIONS[state]) == (set() if state is State.CLOSED else set(Event))


def test_every_clock_that_runs_out_has_an_ending_but_that_of_holding() -> None:
    assert set(EXPIRY) == set(State) - {State.HOLDING, State.CLOSED}
    assert set(EXPIRY.values()) <= set(ENDINGS)


def test_nothing_leads_out_of_closed() -> None:
    with pytest.raises(KeyError):
        TRANSITIONS[State.CLOSED][Event.HELD]


def test_a_session_walks_through_all_its_states(tell: Teller) -> None:
    story = tell()
    session = story.session
    walk = [session.state]
    story.poll(1, "a")
    walk.append(session.state)
    story.send("one")
    story.expect(holding("a", "one"))
    walk.append(session.state)
    story.poll(3, "c")
    walk.append(session.state)
    story.poll(2, "b")
    story.expect(empty("b"))
    walk.append(session.state)
    story.post(4, "d", pause="10")
    story.expect(empty("c"), empty("d"))
    walk.append(session.state)
    story.poll(5, "e")
    walk.append(session.state)
    story.wait(30)
    story.expect(empty("e"))
    walk.append(session.state)
    story.poll(9, "far")
    story.expect(over("far", "item-not-found"), ended("rid-out-of-window"))
    walk.append(session.state)
    assert walk == [
        State.IDLE,
        State.HOLDING,
        State.IDLE,
        State.GAP,
        State.HOLDING,
        State.PAUSED,
        State.HOLDING,
        State.IDLE,
        State.CLOSED,
    ]
