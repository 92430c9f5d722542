"""Bodies of POST User/Dialogs and PUT Dialog, read tolerantly: any order of children, unknown children ignored.

Sources: finesse-api.md 3.3, 1.6; clients.md 2.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from poise.contact.call_data import READ_ONLY_PREFIX, TAGS, DataChange, array_element
from poise.contact.dialog_requests import CLASSIFICATIONS, DialogRefusal, DialogRefusalCode, DialogWish
from poise.contact.dialog_rules import MAKES_A_DIALOG
from poise.contact.dialog_states import Action
from poise.contact.dialog_views import ITEM_SEPARATOR
from poise.contact.dialogs import CallVariable
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.requests import last_child, parse_body, value_of
from poise.protocols.xmpp.xml import Element

ADDRESS_MAX = 39
"""Characters of a number to call: DIALED_NUMBER with its final NUL is 40 bytes (cti.md 1.6)."""

NAME_MAX = 32
"""Characters of an ECC variable's name (cti.md 1.1)."""

_NAME = re.compile(r"[A-Za-z0-9_.\-]+(\[[0-9]{1,3}\])?")
_TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d")
_NUMBER = re.compile(r"\+?[0-9*#]{1,20}")
_NEEDS_TARGET = frozenset(Action) - MAKES_A_DIALOG - {Action.UPDATE_CALL_DATA}
_NEEDS_TO = frozenset((Action.CONSULT_CALL, Action.TRANSFER_SST))


def dialog_request(data: bytes, agent_id: str, dialog_id: str = "") -> DialogWish:
    """The body of POST User/Dialogs or, with `dialog_id`, of PUT Dialog, as `agent_id` wishes it. Raises ApiException.

    For PUT, `from_address` of the wish is targetMediaAddress: the agent's own telephone, except for PARTICIPANT_DROP,
    where it is the one to be dropped.
    """
    body = parse_body(data, "Dialog")
    action = _action(body, new=not dialog_id)
    to_address = value_of(body, "toAddress")
    if not to_address.isascii() or not to_address.isprintable() or len(to_address) > ADDRESS_MAX:
        raise ApiException(Code.INVALID_INPUT, "toAddress")
    if action in MAKES_A_DIALOG:
        from_address = _required(body, "fromAddress")
        _required(body, "toAddress")
        if action in (Action.BARGE_CALL, Action.INTERCEPT):
            _required(body, "associatedDialogUri")
    else:
        from_address = value_of(body, "targetMediaAddress")
        if action in _NEEDS_TARGET and not from_address:
            raise ApiException(Code.PARAMETER_MISSING, "targetMediaAddress")
        if action in _NEEDS_TO:
            _required(body, "toAddress")
    if action is Action.PARTICIPANT_DROP:
        from_address, to_address = "", from_address
    params = dict(_params(body))
    callback_time, callback_number = _callback(action, params)
    return DialogWish(
        action,
        agent_id,
        dialog_id,
        to_address,
        from_address,
        _data(body, action),
        digits=_param(action, Action.SEND_DTMF, params, "dtmfString"),
        classification=_classification(action, params),
        callback_time=callback_time,
        callback_number=callback_number,
    )


def _action(body: Element, *, new: bool) -> Action:
    name = _required(body, "requestedAction")
    try:
        action = Action(name)
    except ValueError:
        raise ApiException(Code.INVALID_INPUT, "requestedAction") from None
    if (action in MAKES_A_DIALOG) is not new:
        raise ApiException(Code.INVALID_INPUT, "requestedAction")
    return action


def _required(body: Element, name: str) -> str:
    value = value_of(body, name)
    if not value:
        raise ApiException(Code.PARAMETER_MISSING, name)
    return value


def _data(body: Element, action: Action) -> DataChange:
    """mediaProperties. Raises ApiException: bad names, names twice, read-only variables."""
    properties = last_child(body, "mediaProperties")
    if properties is None:
        if action is Action.UPDATE_CALL_DATA:
            raise ApiException(Code.PARAMETER_MISSING, "mediaProperties")
        return DataChange()
    wrap_up = _wrap_up(properties)
    if wrap_up is not None and action is Action.MAKE_CALL:
        raise ApiException(Code.INVALID_INPUT, "wrapUpReason")
    variables: dict[str, str] = {}
    for name, value in _variables(properties):
        if not _name_fits(name) or name in variables or name.startswith(READ_ONLY_PREFIX):
            raise ApiException(Code.INVALID_INPUT, name[:64])
        variables[name] = value
    change = DataChange(tuple(CallVariable(name, value) for name, value in variables.items()), wrap_up)
    if action is Action.UPDATE_CALL_DATA and not change:
        raise ApiException(Code.PARAMETER_MISSING, "callvariables")
    return change


def _wrap_up(properties: Element) -> str | None:
    reason, items = last_child(properties, "wrapUpReason"), last_child(properties, "wrapUpItems")
    if items is not None:
        texts = [child.text.strip() for child in items.elements() if child.name == "wrapUpItem"]
        return ITEM_SEPARATOR.join(text for text in texts if text)
    return value_of(properties, "wrapUpReason") if reason is not None else None


def _variables(properties: Element) -> Iterator[tuple[str, str]]:
    for parent in properties.elements():
        if parent.name.lower() != "callvariables":  # the guide's spelling varies
            continue
        for child in parent.elements():
            if child.name == "CallVariable":
                value = last_child(child, "value")
                yield value_of(child, "name"), value.text if value is not None else ""


def _name_fits(name: str) -> bool:
    if name.startswith("callVariable"):
        return name in TAGS
    if _NAME.fullmatch(name) is None:
        return False
    base = name.partition("[")[0]
    return len(base) <= NAME_MAX and ("[" not in name or array_element(name) is not None)


def _params(body: Element) -> Iterator[tuple[str, str]]:
    params = last_child(body, "actionParams")
    for child in params.elements() if params is not None else ():
        if child.name == "ActionParam":
            yield value_of(child, "name"), value_of(child, "value")


def _param(action: Action, wanted: Action, params: Mapping[str, str], name: str) -> str:
    if action is not wanted:
        return ""
    value = params.get(name, "")
    if not value:
        raise ApiException(Code.PARAMETER_MISSING, name)
    return value


def _classification(action: Action, params: Mapping[str, str]) -> str:
    value = _param(action, Action.RECLASSIFY, params, "outboundClassification")
    if value and value not in CLASSIFICATIONS:
        raise ApiException(Code.INVALID_INPUT, "outboundClassification")
    return value


def _callback(action: Action, params: Mapping[str, str]) -> tuple[str, str]:
    if action is not Action.UPDATE_SCHEDULED_CALLBACK:
        return "", ""
    time, number = params.get("callbackTime", ""), params.get("callbackNumber", "")
    if not time and not number:
        raise ApiException(Code.PARAMETER_MISSING, "callbackTime")
    if time and _TIME.fullmatch(time) is None:
        raise ApiException(Code.INVALID_INPUT, "callbackTime")
    if number and _NUMBER.fullmatch(number) is None:
        raise ApiException(Code.INVALID_INPUT, "callbackNumber")
    return time, number


_C = DialogRefusalCode
FOR_DIALOG_REFUSAL: Mapping[DialogRefusalCode, Code] = {
    _C.NOT_SIGNED_IN: Code.INVALID_STATE,
    _C.FOREIGN_ADDRESS: Code.INVALID_INPUT,
    _C.SAME_ADDRESS: Code.INVALID_DESTINATION,
    _C.BAD_DESTINATION: Code.INVALID_DESTINATION,
    _C.NO_DIALOG: Code.DIALOG_NOT_FOUND,
    _C.NOT_A_PARTICIPANT: Code.OTHER_USER,
    _C.HELD: Code.DIALOG_HELD,
    _C.BAD_DIGITS: Code.INVALID_INPUT,
    _C.NO_CALL_DATA: Code.INVALID_INPUT,
    _C.NOT_HERE: Code.NOT_IMPLEMENTED,
    _C.ON_A_CALL: Code.INVALID_STATE,
    _C.NOT_MONITORING: Code.INVALID_STATE,
    _C.TARGET_HELD: Code.INVALID_DESTINATION,
    _C.TARGET_CONSULTS: Code.OUTSTANDING_CONSULT,
    _C.MAY_NOT_DROP: Code.UNAUTHORIZED,
}
"""What a refusal of the dialog model is called in REST."""


def for_dialog_refusal(refusal: DialogRefusal) -> ApiException:
    """The error for a wish that the dialog model refused."""
    return ApiException(FOR_DIALOG_REFUSAL[refusal.code], refusal.data)
