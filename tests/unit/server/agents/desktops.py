"""What desktops know of their calls when they only listen: events applied to what was there before."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from tests.unit.server.agents.stage import Told

NODE = "/finesse/api/User/{}/Dialogs"


class Desktops:
    """One desktop for each agent. A PUT or DELETE about a call that was never told is a fault."""

    def __init__(self, agents: Iterable[str]) -> None:
        self.dialogs: dict[str, dict[str, str]] = {agent: {} for agent in agents}
        self.errors: list[tuple[str, str, str]] = []
        """Agent, errorType, errorData."""
        self.request_ids: list[tuple[str, str, str]] = []
        """Agent, event, requestId of events that answer somebody."""

    def hear(self, told: Iterable[Told]) -> None:
        """Apply publications."""
        for item in told:
            agent = item.node.split("/")[4] if item.node.startswith("/finesse/api/User/") else ""
            if item.node != NODE.format(agent) or agent not in self.dialogs:
                continue
            self._apply(agent, ET.fromstring(_inner(item.text)))

    def _apply(self, agent: str, update: ET.Element) -> None:
        event, source = update.findtext("event"), update.findtext("source")
        request_id = update.findtext("requestId") or ""
        if request_id:
            self.request_ids.append((agent, event or "", request_id))
        error = update.find("data/apiErrors/apiError")
        if error is not None:
            assert event == "PUT"
            self.errors.append((agent, error.findtext("errorType") or "", error.findtext("errorData") or ""))
            return
        mine = self.dialogs[agent]
        if event == "PUT":
            dialog = update.find("data/dialog")
            assert dialog is not None
            number = dialog.findtext("id") or ""
            assert source == f"/finesse/api/Dialog/{number}"
            assert number in mine, f"{agent} hears of {number}, which was never new"
        else:
            assert source == NODE.format(agent)
            dialog = update.find("data/dialogs/Dialog")
            assert dialog is not None
            number = dialog.findtext("id") or ""
        if event == "DELETE":
            assert dialog.findtext("state") == "DROPPED"
            assert number in mine, f"{agent} loses {number}, which was never new"
            del mine[number]
        else:
            assert event in ("POST", "PUT")
            mine[number] = canonical(dialog)

    def shows(self, agent: str) -> list[str]:
        """The agent's dialogs: state, then telephones and their states."""
        lines: list[str] = []
        for text in self.dialogs[agent].values():
            dialog = ET.fromstring(text)
            parties = [
                f"{party.findtext('mediaAddress')}={party.findtext('state')}"
                for party in dialog.iterfind("participants/Participant")
            ]
            lines.append(" ".join([dialog.findtext("state") or "", *parties]))
        return lines


def canonical(dialog: ET.Element) -> str:
    """A dialog without the white space between its elements, its root in one spelling."""
    dialog.tag = "Dialog"
    for element in dialog.iter():
        if len(element) or not (element.text or "").strip():
            element.text = None
        element.tail = None
    return ET.tostring(dialog, "unicode")


def _inner(text: str) -> str:
    start, end = text.index("<Update>"), text.rindex("</Update>")
    return text[start:end] + "</Update>"
