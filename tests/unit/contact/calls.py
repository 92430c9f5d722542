"""A dialog model behind the switch of these tests, and what its changes tell, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from poise.contact.agents import AgentModel
from poise.contact.dialog_model import DialogModel
from poise.contact.dialog_views import DROPPERS, Rules
from poise.contact.dialogs import Dialog, DialogChange, DialogChanged, DialogFailed
from poise.contact.states import Deployment
from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.messages import Message
from tests.unit.contact.centre import CONFIG, NOW
from tests.unit.contact.switch import Switch


def told(changes: Iterable[DialogChange]) -> list[str]:
    """Changes as lines: who is told, what happened, dialog, its state, its participants."""
    lines: list[str] = []
    for change in changes:
        if isinstance(change, DialogFailed):
            lines.append(f"{change.agent_id} FAILED {change.action.value} {change.code}")
            continue
        before, after, request_id = change
        mark = f" [{request_id}]" if request_id else ""
        was = before.viewers if before is not None else ()
        now = after.viewers if after is not None else ()
        lines += [f"{agent} DELETE {_id(change)}{mark}" for agent in was if agent not in now]
        if after is not None:
            lines += [f"{agent} POST {picture(after.dialog)}{mark}" for agent in now if agent not in was]
            lines += [f"{agent} PUT {picture(after.dialog)}{mark}" for agent in now if agent in was]
    return lines


def _id(change: DialogChanged) -> str:
    shown = change.before or change.after
    assert shown is not None
    return str(int(shown.dialog.dialog_id) - 1_000_000)


def picture(dialog: Dialog) -> str:
    """Number, state and participants of a dialog in one line."""
    parties = " ".join(f"{party.address}={party.state.value}" for party in dialog.participants)
    return f"{int(dialog.dialog_id) - 1_000_000} {dialog.state.value} {parties}"


class Desk:
    """Everything together."""

    def __init__(self, deployment: Deployment = Deployment.UCCE, droppers: str = DROPPERS) -> None:
        self.deployment = deployment
        self.agents = AgentModel(deployment)
        self.switch = Switch()
        self.model = DialogModel(Rules(deployment, droppers), lambda number: {10: "Sales"}.get(number, ""))
        self.now = NOW
        self.model.people(self.agents.configure(CONFIG))
        for agent in self.switch.agents:
            for state in (AgentState.NOT_READY, AgentState.AVAILABLE):
                self.hear([self.switch.state(agent, state)])

    def hear(self, messages: Sequence[Message]) -> list[str]:
        """Apply messages: what is told, without repetitions of the same line."""
        lines: list[str] = []
        for message in messages:
            lines += told(self.changes(message))
        return lines

    def changes(self, message: Message) -> list[DialogChange]:
        """Apply one message as the server does."""
        self.now += 1
        people = self.model.people(self.agents.apply(message, self.now))
        return people + self.model.apply(message, self.now)

    def sees(self, agent: str) -> list[str]:
        """The agent's present dialogs."""
        return [picture(dialog) for dialog in self.model.of_agent(agent)]

    def actions(self, agent: str, number: int) -> set[str]:
        """What an agent may do with a call."""
        dialog = self.model.dialogs[str(1_000_000 + number)].dialog
        party = dialog.participant(agent)
        assert party is not None
        return {action.value for action in party.actions}
