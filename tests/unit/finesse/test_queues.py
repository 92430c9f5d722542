"""Statistics of queues inside events."""

from __future__ import annotations

from poise.contact.queue_figures import QueueStatistics
from poise.contact.snapshots import Queue
from poise.finesse.queues import queue_update


def test_an_unknown_queue_statistic_is_minus_one_and_an_unknown_time_empty() -> None:
    xml = queue_update(Queue(10, "Sales"))
    assert xml.startswith("<queue>\n<uri>/finesse/api/Queue/10</uri>\n<name>Sales</name>\n<statistics>\n")
    assert "<callsInQueue>-1</callsInQueue>" in xml
    assert "<startTimeOfLongestCallInQueue></startTimeOfLongestCallInQueue>" in xml


def test_a_known_statistic_is_shown() -> None:
    xml = queue_update(Queue(10, "Sales"), QueueStatistics(calls_in_queue=3, agents_ready=2))
    assert "<callsInQueue>3</callsInQueue>" in xml
    assert "<agentsReady>2</agentsReady>" in xml


def test_the_longest_call_is_shown_by_the_second_it_began_to_wait() -> None:
    xml = queue_update(Queue(10, "Sales"), QueueStatistics(calls_in_queue=1, longest_call_since=1329328701.9))
    assert "<startTimeOfLongestCallInQueue>2012-02-15T17:58:21Z</startTimeOfLongestCallInQueue>" in xml
