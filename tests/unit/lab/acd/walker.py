"""What somebody at a telephone could sensibly do next, for random walks that get anywhere."""

from __future__ import annotations

from collections.abc import Callable

from poise.lab.acd.codes import Device, Lcs
from poise.lab.acd.model import Leg
from tests.unit.lab.acd.floor import Floor, ecc

Act = Callable[[], object]


def _with(floor: Floor, leg: Leg, number: str, other: Leg | None) -> list[Act]:
    call_id, device = leg.call.call_id, leg.device
    acts: list[Act] = [lambda: floor.set_data(device, call_id, ("CALL_VAR_1", "gold"), ecc("user.id", number))]
    if leg.state is Lcs.ALERTING:
        acts += [lambda: floor.on("ANSWER_CALL", device, call_id)] * 6
        acts += [lambda: floor.on("DEFLECT_CALL", device, call_id, ("DIALED_NUMBER", number))]
        acts += [lambda: floor.set_data(device, call_id, ecc("BAResponse", "Accept"))] * 2
        acts += [lambda: floor.set_data(device, call_id, ecc("BAResponse", "Reject"))]
    if leg.state is Lcs.HOLD:
        acts += [lambda: floor.retrieve(device, call_id)] * 3
    if leg.state in (Lcs.CONNECT, Lcs.FAIL):
        acts += [lambda: floor.on("CLEAR_CONNECTION", device, call_id)]
    if leg.state is Lcs.CONNECT:
        acts += [lambda: floor.on("HOLD_CALL", device, call_id)] * 2
        acts += [lambda: floor.consult(device, call_id, number)] * 4
        acts += [lambda: floor.blind(device, call_id, number)]
        acts += [lambda: floor.on("SEND_DTMF_SIGNAL", device, call_id, ("DTMF_STRING", "1#"))]
        acts += [lambda: floor.on("START_RECORDING", device, call_id)]
        acts += [
            lambda action=action: floor.supervise("1101", device, call_id, action)  # type: ignore[misc]
            for action in (1, 1, 2, 3, 4)
        ]
        acts += [
            lambda party=party: floor.on("CLEAR_CONNECTION", party, call_id, ("REQUESTING_DEVICE_ID", device))  # type: ignore[misc]
            for party in [other.device for other in leg.call.legs if other is not leg and len(leg.call.legs) > 2]
        ]
        if other is not None:
            held_id = other.call.call_id
            acts += [lambda: floor.two("TRANSFER", device, call_id, held_id)] * 2
            acts += [lambda: floor.two("CONFERENCE", device, call_id, held_id)] * 3
            acts += [lambda: floor.two("ALTERNATE", device, call_id, held_id)]
            acts += [lambda: floor.two("RECONNECT", device, call_id, held_id)]
    return acts


def possibilities(floor: Floor, device: str, number: str) -> list[Act]:
    """Requests that will mostly be granted now."""
    legs = floor.centre.switch.at(device)
    held = next((leg for leg in legs if leg.state is Lcs.HOLD), None)
    acts = [act for leg in legs if leg.kind is Device.AGENT for act in _with(floor, leg, number, held)]
    if not legs:
        acts += [lambda: floor.make_call(device, number, manner=2)]
    return acts
