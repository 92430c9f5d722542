"""What the counters of a CTI server say about a queue, and when that is news."""

from __future__ import annotations

from poise.contact.queue_figures import NO_STATISTICS, QueueFigures, QueueStatistics, figures
from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.messages import Message


def answer(**counters: int) -> Message:
    """A QUERY_SKILL_GROUP_STATISTICS_CONF."""
    return Message("QUERY_SKILL_GROUP_STATISTICS_CONF", {"SkillGroupNumber": 10, **counters})


FULL = answer(
    RouterCallsQNow=3,
    LongestRouterCallQNow=40,
    AgentsReady=1,
    AgentsNotReady=2,
    AgentsBusyOther=3,
    AgentsLoggedOn=21,
    AgentsTalkingIn=4,
    AgentsTalkingOut=5,
    AgentsTalkingOther=6,
    AgentsWorkNotReady=7,
    AgentsWorkReady=8,
)


def test_every_figure_comes_from_its_counter() -> None:
    assert figures(FULL, 1000.0) == QueueStatistics(3, 960.0, 1, 2, 3, 21, 4, 5, 6, 7, 8)


def test_a_counter_the_server_does_not_know_is_minus_one() -> None:
    assert figures(answer(AgentsReady=NULL32, RouterCallsQNow=NULL32), 0.0) == NO_STATISTICS


def test_where_the_router_has_no_figure_the_peripherals_own_queue_counts() -> None:
    told = figures(answer(RouterCallsQNow=NULL32, CallsQNow=2, LongestCallQNow=5), 100.0)
    assert (told.calls_in_queue, told.longest_call_since) == (2, 95.0)


def test_with_nobody_waiting_there_is_no_longest_call() -> None:
    assert figures(answer(RouterCallsQNow=0, LongestRouterCallQNow=0), 100.0).longest_call_since is None


def test_figures_are_news_once() -> None:
    book = QueueFigures()
    assert book.take(10, FULL, 1000.0)
    assert not book.take(10, FULL, 1000.0)
    assert book.take(10, answer(RouterCallsQNow=4, LongestRouterCallQNow=41), 1001.0)


def test_a_second_by_which_two_clocks_differ_is_no_news() -> None:
    book = QueueFigures()
    book.take(10, answer(RouterCallsQNow=1, LongestRouterCallQNow=40), 1000.0)
    assert not book.take(10, answer(RouterCallsQNow=1, LongestRouterCallQNow=49), 1010.9)
    assert book.known[10].longest_call_since == 960.0
    assert book.take(10, answer(RouterCallsQNow=1, LongestRouterCallQNow=3), 1020.0), "another call waits longest now"


def test_with_the_link_down_nothing_is_known() -> None:
    book = QueueFigures()
    book.take(10, FULL, 1000.0)
    book.forget()
    assert not book.known
    assert book.take(10, FULL, 1000.0)
