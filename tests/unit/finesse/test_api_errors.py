"""The catalogue of REST errors."""

from __future__ import annotations

import pytest

from poise.contact.requests import Refusal, RefusalCode
from poise.finesse.api_errors import CATALOGUE, FOR_REFUSAL, ApiException, Code, api_errors, for_refusal
from poise.protocols.xmpp.xml import parse


def test_every_code_and_every_refusal_has_its_entry() -> None:
    assert set(CATALOGUE) == set(Code)
    assert set(FOR_REFUSAL) == set(RefusalCode)


@pytest.mark.parametrize(
    ("code", "status", "kind", "message"),
    [
        (Code.UNAUTHORIZED, 401, "Authorization Failure", "UNAUTHORIZED"),
        (Code.UNKNOWN_USER, 404, "User Not Found", "UNKNOWN_USER"),
        (Code.OUT_OF_SERVICE, 503, "Service Unavailable", "SERVER_OUT_OF_SERVICE"),
        (Code.DIALOG_NOT_FOUND, 404, "Dialog Not Found", "Invalid dialogId specified for dialog"),
        (Code.INVALID_STATE_NAME, 400, "Invalid Input", "Invalid State specified for user"),
    ],
)
def test_the_documented_answers(code: Code, status: int, kind: str, message: str) -> None:
    error = CATALOGUE[code]
    assert (error.status, error.type, error.message) == (status, kind, message)


def test_the_document_is_the_documented_one() -> None:
    assert api_errors(Code.UNKNOWN_USER, "9999") == (
        b"<ApiErrors>\n  <ApiError>\n    <ErrorType>User Not Found</ErrorType>\n"
        b"    <ErrorMessage>UNKNOWN_USER</ErrorMessage>\n    <ErrorData>9999</ErrorData>\n  </ApiError>\n</ApiErrors>"
    )


def test_data_from_outside_is_escaped() -> None:
    document = parse(ApiException(Code.INVALID_INPUT, "<script>\x00&").body())
    error = document.child("ApiError")
    assert error is not None
    data = error.child("ErrorData")
    assert data is not None
    assert data.text == "<script>\ufffd&"


def test_a_refusal_of_the_agent_model_becomes_an_answer() -> None:
    refused = for_refusal(Refusal(RefusalCode.WRONG_STATE, "LOGOUT"))
    assert (refused.status, refused.error.type, refused.data) == (400, "Invalid State", "LOGOUT")
    assert str(refused) == "invalid-state: LOGOUT"
