"""What a client knows from events alone, and whether they made sense in the order in which they came."""

from __future__ import annotations

from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.messages import Message

CONNECT = 3
_NOT_MONITORED = ("CALL_QUEUED_EVENT", "CALL_DEQUEUED_EVENT")


class Observer:
    """Folds events into the connections of agents' telephones."""

    def __init__(self) -> None:
        self.connections: dict[tuple[int, str], int] = {}
        """(call id, device) -> LocalConnectionState, of connections that have begun and not ended."""
        self.renamed: set[tuple[int, str]] = set()
        """Old ids whose END is still to come."""
        self.states: dict[str, AgentState] = {}
        self.begun = 0
        self.ended = 0

    def see(self, message: Message) -> None:
        """One event."""
        if message.name == "AGENT_STATE_EVENT":
            self.states[message.agent_id or ""] = AgentState(message.fields["AgentState"])
            return
        if message.name in ("CALL_CONFERENCED_EVENT", "CALL_TRANSFERRED_EVENT"):
            self._joined(message)
            return
        device = message.text("CONNECTION_DEVID")
        if device is None or message.name in _NOT_MONITORED:
            return
        key = (message.fields["ConnectionCallID"], device)
        if message.name == "BEGIN_CALL_EVENT":
            assert key not in self.connections, f"{key} began twice"
            self.connections[key] = -1
            self.begun += 1
            return
        if message.name == "END_CALL_EVENT":
            self._end(key)
            return
        assert key in self.connections, f"{message.name} about {key}, which has not begun"
        if message.name == "CALL_DATA_UPDATE_EVENT":
            self._update(key, message)
            return
        self.connections[key] = message.fields["LocalConnectionState"]

    def _end(self, key: tuple[int, str]) -> None:
        self.ended += 1
        if key in self.renamed:
            self.renamed.remove(key)
        else:
            assert key in self.connections, f"{key} ended and had not begun"
            del self.connections[key]

    def _update(self, key: tuple[int, str], message: Message) -> None:
        new = (message.fields["NewConnectionCallID"], key[1])
        assert message.text("NEW_CONNECTION_DEVID") == key[1]
        if new != key:
            assert new not in self.connections, f"{new} was there already"
            self.connections[new] = self.connections.pop(key)
            self.renamed.add(key)

    def _joined(self, message: Message) -> None:
        call_id = message.fields["PrimaryCallID"]
        parties = [str(value) for value in message.all("PARTY_DEVID")]
        assert len(parties) == message.fields["NumParties"] == len(set(parties))
        assert set(message.all("PARTY_CALLID")) <= {call_id}
        controller = message.text("CONTROLLER_DEVID")
        if controller is not None:
            assert controller in parties
            self.connections[call_id, controller] = CONNECT
        known = {device for (number, device), lcs in self.connections.items() if number == call_id and lcs}
        gone = message.text("TRANSFERRING_DEVID")
        assert known - {gone} <= set(parties), "a party is missing"
        if gone is not None:
            assert gone not in parties

    def at(self, device: str) -> dict[int, int]:
        """The device's live connections: call id -> LCS."""
        return {number: lcs for (number, name), lcs in self.connections.items() if name == device and lcs != 0}
