"""Bodies about calls: read in any order, and never a trouble. What each refusal is called is in the REST stories."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.contact.call_data import DataChange
from poise.contact.dialog_requests import DialogRefusal, DialogRefusalCode, DialogWish
from poise.contact.dialog_states import Action
from poise.contact.dialogs import CallVariable
from poise.finesse.api_errors import ApiException
from poise.finesse.dialog_requests import FOR_DIALOG_REFUSAL, dialog_request, for_dialog_refusal

ELEMENTS = st.sampled_from(
    [
        "Dialog",
        "requestedAction",
        "fromAddress",
        "toAddress",
        "targetMediaAddress",
        "mediaProperties",
        "callvariables",
        "callVariables",
        "CallVariable",
        "name",
        "value",
        "wrapUpReason",
        "wrapUpItems",
        "actionParams",
        "ActionParam",
        "associatedDialogUri",
    ]
)
TEXTS = st.sampled_from([action.value for action in Action]) | st.text(max_size=8)


@st.composite
def bodies(draw: st.DrawFn, depth: int = 4) -> str:
    name = draw(ELEMENTS)
    if depth == 0 or draw(st.booleans()):
        text = draw(TEXTS).replace("&", "&amp;").replace("<", "&lt;")
        return f"<{name}>{text}</{name}>"
    return f"<{name}>{''.join(draw(st.lists(bodies(depth=depth - 1), max_size=4)))}</{name}>"


@given(
    st.binary(max_size=100) | bodies().map(lambda b: f"<Dialog>{b}</Dialog>".encode(errors="replace")), st.booleans()
)
def test_no_body_breaks_the_reader(body: bytes, new: bool) -> None:
    refused: ApiException | None = None
    try:
        wish = dialog_request(body, "1001", "" if new else "7")
        assert wish.action in Action
    except ApiException as error:
        refused = error
    assert refused is None or (400 <= refused.status < 500 and refused.body().startswith(b"<ApiErrors>"))


def test_children_come_in_any_order_with_spaces_around_and_unknown_ones_between() -> None:
    body = (
        b"\n<Dialog><toAddress> 1002 </toAddress><colour>red</colour>"
        b"<fromAddress>1001</fromAddress><requestedAction>MAKE_CALL</requestedAction></Dialog>"
    )
    assert dialog_request(body, "1001") == DialogWish(Action.MAKE_CALL, "1001", "", "1002", "1001")


def test_the_telephone_to_be_dropped_is_not_the_own_one() -> None:
    inner = "<targetMediaAddress>1002</targetMediaAddress><requestedAction>PARTICIPANT_DROP</requestedAction>"
    body = f"<Dialog>{inner}</Dialog>".encode()
    assert dialog_request(body, "1001", "7") == DialogWish(Action.PARTICIPANT_DROP, "1001", "7", "1002", "")


def test_wrap_up_items_become_one_text_and_values_keep_their_spaces() -> None:
    body = (
        b"<Dialog><requestedAction>UPDATE_CALL_DATA</requestedAction><mediaProperties>"
        b"<wrapUpItems><wrapUpItem>Sold</wrapUpItem><wrapUpItem/><wrapUpItem>Call back</wrapUpItem></wrapUpItems>"
        b"<callvariables><CallVariable><name>callVariable1</name><value> a </value></CallVariable></callvariables>"
        b"</mediaProperties></Dialog>"
    )
    data = DataChange((CallVariable("callVariable1", " a "),), "Sold|Call back")
    assert dialog_request(body, "1001", "7").data == data


def test_an_empty_wrap_up_reason_takes_the_old_one_away() -> None:
    body = (
        b"<Dialog><requestedAction>UPDATE_CALL_DATA</requestedAction>"
        b"<mediaProperties><wrapUpReason/></mediaProperties></Dialog>"
    )
    assert dialog_request(body, "1001", "7").data == DataChange((), "")


@pytest.mark.parametrize("code", DialogRefusalCode)
def test_every_refusal_has_its_error(code: DialogRefusalCode) -> None:
    assert code in FOR_DIALOG_REFUSAL
    error = for_dialog_refusal(DialogRefusal(code, "x"))
    assert 400 <= error.status <= 501
    assert b"<ErrorData>x</ErrorData>" in error.body()
