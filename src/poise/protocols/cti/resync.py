"""What is asked after every opening of a session, so that nothing of an earlier one is believed.

Theory. Every known agent's state is asked for (QUERY_AGENT_STATE_REQ); the telephone of whoever is signed in is asked
for its calls (SNAPSHOT_DEVICE_REQ); every call found is asked for its parties and data once (SNAPSHOT_CALL_REQ). Events
keep coming meanwhile and are passed on: whoever applies them takes each message as a statement about the present, so
the order between an event and a snapshot of the same moment does not matter. A CTI server that does not know snapshots,
or leaves one unanswered, is not asked for more of them in this session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from poise.protocols.cti.call_constants import DeviceIdType
from poise.protocols.cti.constants import NULL32, VOICE_MRD, AgentState
from poise.protocols.cti.failure_constants import FailureCode, Status
from poise.protocols.cti.messages import FloatValue, Message, agent_floats
from poise.protocols.cti.outputs import Log, Outcome, Output, Received, RequestEnded

_ANY_AGENT = -1
"""ICMAgentID of a query that names its agent by a floating field."""

_SAYS_NOTHING_OF_THE_AGENT = frozenset(
    {
        FailureCode.SERVICE_BUSY,
        FailureCode.RESOURCE_BUSY,
        FailureCode.RESOURCE_OUT_OF_SERVICE,
        FailureCode.REQUEST_TIMEOUT_REJECTION,
        FailureCode.ADJUNCT_SWITCH_COMM_ERROR,
        FailureCode.INTERNAL_PROCESSING_ERROR,
    }
)
"""Refusals of a state query after which the state is unknown; any other refusal means that nobody is signed in."""

_SIGNED_OUT = frozenset({AgentState.LOGOUT, AgentState.UNKNOWN})
_NOT_PROVIDED = frozenset({Status.FUNCTION_NOT_AVAILABLE, Status.INVALID_HEADER, Status.INVALID_TYPE_FOR_VERSION})
"""E_CTI status of a FAILURE_CONF that says: this CTI server never answers such a request."""


def not_provided(ended: RequestEnded) -> bool:
    """Whether there is no point in asking again: the CTI server does not know such a request, or is silent."""
    if ended.outcome is Outcome.TIMED_OUT:
        return True
    return ended.answer is not None and ended.answer.fields.get("Status") in _NOT_PROVIDED


class Resync:
    """The questions of one session. Ask what `take` gives, report each end to `ended`, until `done`."""

    def __init__(self, agent_ids: Iterable[str] = ()) -> None:
        self._to_ask: deque[Message] = deque()
        self._devices: set[str] = set()
        self._calls: set[int] = set()
        self._snapshots = True
        self.in_flight = 0
        """Questions asked and not yet answered; `take` and `ended` count."""
        for agent_id in agent_ids:
            fields = {"MRDID": VOICE_MRD, "ICMAgentID": _ANY_AGENT}
            self._to_ask.append(Message("QUERY_AGENT_STATE_REQ", fields, agent_floats(agent_id)))

    @property
    def done(self) -> bool:
        """Everything that was asked is answered, and nothing is left to ask."""
        return not self._to_ask and not self.in_flight

    def take(self) -> Message | None:
        """The next question, or None."""
        while self._to_ask:
            message = self._to_ask.popleft()
            if self._snapshots or message.name == "QUERY_AGENT_STATE_REQ":
                self.in_flight += 1
                return message
        return None

    def ended(self, ended: RequestEnded) -> list[Output]:
        """A question's end: what is known now."""
        self.in_flight -= 1
        if ended.request.name == "QUERY_AGENT_STATE_REQ":
            return [Received(self._agent(ended))]
        if ended.outcome is Outcome.CONFIRMED and ended.answer is not None:
            self._find_calls(ended.answer)
            return [Received(ended.answer)]
        if self._snapshots and not_provided(ended):
            self._snapshots = False
            return [Log(f"{ended.request.name} came to nothing: calls are known from their next event only")]
        return []

    def _agent(self, ended: RequestEnded) -> Message:
        """One agent's state is known; unknown is said to be unknown, never what it was before."""
        about = agent_floats(ended.request.agent_id or "")
        if ended.outcome is not Outcome.CONFIRMED or ended.answer is None:
            known = ended.outcome is Outcome.REFUSED and ended.failure_code not in _SAYS_NOTHING_OF_THE_AGENT
            state = AgentState.LOGOUT if known else AgentState.UNKNOWN
            return Message("QUERY_AGENT_STATE_CONF", {"AgentState": state}, about)
        answer = ended.answer
        if answer.fields.get("AgentState") not in _SIGNED_OUT:
            self._find_device(answer.text("AGENT_INSTRUMENT") or answer.text("AGENT_EXTENSION") or "")
        return answer if answer.agent_id is not None else replace(answer, floats=(*answer.floats, *about))

    def _find_device(self, device: str) -> None:
        device = device.partition(";")[0]  # a mobile agent's "extension;telephone"
        if device and device not in self._devices:
            self._devices.add(device)
            fields = {"SnapshotDeviceType": int(DeviceIdType.AGENT_DEVICE)}
            self._to_ask.append(Message("SNAPSHOT_DEVICE_REQ", fields, (("CONNECTION_DEVID", device),)))

    def _find_calls(self, answer: Message) -> None:
        """Ask for each call of a SNAPSHOT_DEVICE_CONF that was not asked for yet."""
        if answer.name != "SNAPSHOT_DEVICE_CONF":
            return
        call = kind = NULL32
        for tag, value in (*answer.floats, ("CALL_CONN_CALLID", NULL32)):
            if tag == "CALL_CONN_CALLID" and isinstance(value, int):
                self._ask_for_call(call, kind, None)
                call, kind = value, 0
            elif tag == "CALL_CONN_DEVID_TYPE" and isinstance(value, int):
                kind = value
            elif tag == "CALL_CONN_DEVID":
                self._ask_for_call(call, kind, value)
                call = NULL32

    def _ask_for_call(self, call: int, kind: int, connection: FloatValue | None) -> None:
        if call == NULL32 or call in self._calls:
            return
        self._calls.add(call)
        fields = {"ConnectionCallID": call, "ConnectionDeviceIDType": kind}
        floats = () if connection is None else (("CONNECTION_DEVID", connection),)
        self._to_ask.append(Message("SNAPSHOT_CALL_REQ", fields, floats))
