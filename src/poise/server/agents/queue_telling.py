"""Tells the figures of queues to those who watch them, when they have changed (finesse-api.md 4.1)."""

from __future__ import annotations

from collections.abc import Mapping

from poise.contact.agents import AgentModel
from poise.contact.queue_figures import NO_FIGURES, QueueFigures, figures
from poise.finesse.publications import queue_publications
from poise.protocols.cti.outputs import StatisticsReceived
from poise.server.agents.publishing import Publishing


class QueueTelling:
    """Owns the latest figures of each queue."""

    def __init__(self, model: AgentModel, publishing: Publishing) -> None:
        self._model = model
        self._publishing = publishing
        self._latest: dict[int, QueueFigures] = {}

    @property
    def latest(self) -> Mapping[int, QueueFigures]:
        """Figures by queue number."""
        return self._latest

    def received(self, output: StatisticsReceived, now_wall: float) -> None:
        """The CTI server has given the figures of one queue."""
        number = output.skill_group
        queue = self._model.queues.get(number)
        if queue is None:
            self._latest.pop(number, None)
            return
        before = self._latest.get(number, NO_FIGURES)
        after = figures(output.message, now_wall, before)
        if after != before:
            self._latest[number] = after
            self._publishing.tell(f"queue {number}", queue_publications(queue, after))

    def everything(self) -> None:
        """Service has opened: whatever was learnt while it was closed is told with the next figures."""
        self._latest.clear()
