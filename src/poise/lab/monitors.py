"""What a client wants to hear: MONITOR_START, MONITOR_STOP, CHANGE_MONITOR_MASK and their like.

Each handler gives the confirmation, or an E_CTI status. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from poise.lab.sessions import MONITORS_MAX, Monitor, Session
from poise.protocols.cti.constants import NULL32, Service, Status
from poise.protocols.cti.messages import Message

BOTH_CALL_AND_DEVICE = 54
BAD_MONITOR_ID = 55
"""E_CTI statuses."""


def _conf(message: Message, **fields: int) -> Message:
    return Message(message.name.removesuffix("_REQ") + "_CONF", {"InvokeID": message.fields["InvokeID"], **fields})


def _start(session: Session, message: Message) -> Message | int:
    if not session.services & Service.CONNECTION_MONITOR:
        return Status.FUNCTION_NOT_AVAILABLE
    device, connection = message.text("MONITORED_DEVID") or "", message.text("CONNECTION_DEVID") or ""
    if device and connection:
        return BOTH_CALL_AND_DEVICE
    if not device and not connection:
        return Status.REQUIRED_DATA_MISSING
    if len(session.monitors) >= MONITORS_MAX:
        return Status.UNSPECIFIED_FAILURE
    fields = message.fields
    call_id = fields["ConnectionCallID"]
    by_call = not device and call_id not in (0, NULL32)
    monitor = Monitor("" if by_call else device or connection, call_id, fields["CallMsgMask"], fields["AgentStateMask"])
    session.last_monitor += 1
    session.monitors[session.last_monitor] = monitor
    return _conf(message, MonitorID=session.last_monitor)


def _stop(session: Session, message: Message) -> Message | int:
    if session.monitors.pop(message.fields["MonitorID"], None) is None:
        return BAD_MONITOR_ID
    return _conf(message)


def _change(session: Session, message: Message) -> Message | int:
    fields = message.fields
    monitor_id = fields["MonitorID"]
    calls, states = fields["CallMsgMask"], fields["AgentStateMask"]
    if monitor_id in session.monitors:
        session.monitors[monitor_id] = session.monitors[monitor_id]._replace(call_mask=calls, agent_mask=states)
    elif monitor_id in (0, 1):
        session.call_events, session.agent_states = calls, states
    else:
        return BAD_MONITOR_ID
    return _conf(message)


def _noted(session: Session, message: Message) -> Message | int:
    return _conf(message)


HANDLERS: Mapping[str, Callable[[Session, Message], Message | int]] = {
    "MONITOR_START_REQ": _start,
    "MONITOR_STOP_REQ": _stop,
    "CHANGE_MONITOR_MASK_REQ": _change,
    "REGISTER_VARIABLES_REQ": _noted,
    "CLIENT_EVENT_REPORT_REQ": _noted,
}
"""Request name -> handler."""
