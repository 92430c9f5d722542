"""Bodies of PUT User: what is read, what is tolerated, what is refused and with which error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.contact.reasons import Category, ReasonBook, ReasonCode
from poise.contact.snapshots import MobileAgent
from poise.contact.states import Actor, AgentState, Deployment
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.requests import REQUEST_ID_MAX, UserRequest, request_id, state_wish, user_request
from tests.unit.finesse.people import ADA, CONTEXT

REASONS = CONTEXT.reasons


def test_sign_in() -> None:
    body = b"<User><state>LOGIN</state><extension>1001</extension></User>"
    assert user_request(body) == UserRequest(AgentState.LOGIN, extension="1001")


def test_sign_in_of_a_mobile_agent() -> None:
    body = (
        b"<User><state>LOGIN</state><extension>1001</extension><mobileAgent><mode>CALL_BY_CALL</mode>"
        b"<dialNumber>4085551234</dialNumber></mobileAgent></User>"
    )
    assert user_request(body).mobile == MobileAgent("CALL_BY_CALL", "4085551234")


@pytest.mark.parametrize(
    "body",
    [
        b"\n\n   <User>\n  <reasonCodeId> 16 </reasonCodeId>\n  <state>\n NOT_READY </state>\n</User>\n",
        b"<?xml version='1.0' encoding='UTF-8'?><User><state>NOT_READY</state><reasonCodeId>16</reasonCodeId></User>",
        b"\r\n<?xml version='1.0'?><User><state>NOT_READY</state><reasonCodeId>16</reasonCodeId></User>",
        b"<User xmlns='urn:x'><state>NOT_READY</state><x/><x/><reasonCodeId>16</reasonCodeId></User>",
    ],
)
def test_white_space_order_and_unknown_children_are_tolerated(body: bytes) -> None:
    assert user_request(body) == UserRequest(AgentState.NOT_READY, reason_id=16)


@pytest.mark.parametrize("none", [b"", b"<reasonCodeId/>", b"<reasonCodeId>-1</reasonCodeId>"])
def test_three_ways_to_give_no_reason(none: bytes) -> None:
    assert user_request(b"<User><state>NOT_READY</state>" + none + b"</User>").reason_id is None


@pytest.mark.parametrize(
    ("body", "code", "data"),
    [
        (b"", Code.MALFORMED_XML, None),
        (b"state=READY", Code.MALFORMED_XML, None),
        (b"<User><state>READY</User>", Code.MALFORMED_XML, None),
        (b"<User>\x00</User>", Code.MALFORMED_XML, None),
        ("<User/>".encode("utf-16"), Code.MALFORMED_XML, None),
        (b"<!DOCTYPE User [<!ENTITY a 'b'>]><User>&a;</User>", Code.MALFORMED_XML, None),
        (b"<Dialog><state>READY</state></Dialog>", Code.WRONG_ROOT, "Dialog instead of User"),
        (b"<user><state>READY</state></user>", Code.WRONG_ROOT, "user instead of User"),
        (b"<User><state>READY</state><state>NOT_READY</state></User>", Code.INVALID_INPUT, "state"),
        (b"<User><state>READY</state><x/><state>READY</state></User>", Code.INVALID_INPUT, "state"),
        (
            b"<User><state>LOGIN</state><extension>1</extension><extension>2</extension></User>",
            Code.INVALID_INPUT,
            "extension",
        ),
        (
            b"<User><state>NOT_READY</state><reasonCodeId>1</reasonCodeId><reasonCodeId>16</reasonCodeId></User>",
            Code.INVALID_INPUT,
            "reasonCodeId",
        ),
        (
            b"<User><state>LOGIN</state><extension>1</extension><mobileAgent><mode>CALL_BY_CALL</mode>"
            b"<dialNumber>1</dialNumber><dialNumber>2</dialNumber></mobileAgent></User>",
            Code.INVALID_INPUT,
            "dialNumber",
        ),
        (b"<User/>", Code.PARAMETER_MISSING, "state"),
        (b"<User><state/></User>", Code.PARAMETER_MISSING, "state"),
        (b"<User><state>LOGIN</state></User>", Code.PARAMETER_MISSING, "extension"),
        (b"<User><state>FLYING</state></User>", Code.INVALID_STATE_NAME, "FLYING"),
        (b"<User><state>TALKING</state></User>", Code.INVALID_STATE_NAME, "TALKING"),
        (b"<User><state>ready</state></User>", Code.INVALID_STATE_NAME, "ready"),
        (b"<User><state>READY</state><reasonCodeId>x</reasonCodeId></User>", Code.INVALID_INPUT, "reasonCodeId"),
        (
            b"<User><state>READY</state><reasonCodeId>99999999999</reasonCodeId></User>",
            Code.INVALID_INPUT,
            "reasonCodeId",
        ),
        (
            b"<User><state>LOGIN</state><extension>1</extension><mobileAgent><mode>X</mode>"
            b"<dialNumber>1</dialNumber></mobileAgent></User>",
            Code.INVALID_INPUT,
            "mode",
        ),
        (
            b"<User><state>LOGIN</state><extension>1</extension><mobileAgent><mode>CALL_BY_CALL</mode>"
            b"<dialNumber>x</dialNumber></mobileAgent></User>",
            Code.INVALID_INPUT,
            "dialNumber",
        ),
        (
            b"<User><state>LOGIN</state><extension>1</extension><mobileAgent/></User>",
            Code.PARAMETER_MISSING,
            "mode",
        ),
        (b"<User>" + b" " * 20_000 + b"</User>", Code.TOO_LARGE, None),
        (b"<User>" + b"<a>" * 50 + b"</a>" * 50 + b"</User>", Code.TOO_LARGE, None),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_own_error(body: bytes, code: Code, data: str | None) -> None:
    with pytest.raises(ApiException) as refused:
        user_request(body)
    assert refused.value.code is code
    if data is not None:
        assert refused.value.data == data


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: f"<User>{t}</User>".encode(errors="replace")))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    refused: ApiException | None = None
    try:
        user_request(body)
    except ApiException as error:
        refused = error
    assert refused is None or (400 <= refused.status < 500 and refused.body().startswith(b"<ApiErrors>"))


def test_a_reason_goes_to_the_cti_server_as_its_code() -> None:
    wish = state_wish(UserRequest(AgentState.NOT_READY, reason_id=16), ADA, Actor.SELF, REASONS)
    assert wish.reason_code == 10


def test_the_password_goes_along_with_a_sign_in_only() -> None:
    sign_in = state_wish(UserRequest(AgentState.LOGIN, extension="7001"), ADA, Actor.SELF, REASONS, "secret")
    ready = state_wish(UserRequest(AgentState.READY), ADA, Actor.SELF, REASONS, "secret")
    assert (sign_in.password, ready.password) == ("secret", "")


@pytest.mark.parametrize(
    ("reason_id", "state"),
    [(99, AgentState.NOT_READY), (17, AgentState.NOT_READY), (16, AgentState.LOGOUT), (3, AgentState.NOT_READY)],
)
def test_a_reason_that_is_not_offered_is_refused(reason_id: int, state: AgentState) -> None:
    other_team = ReasonCode(3, Category.NOT_READY, 30, "Team meeting", for_all=False, teams=frozenset((2,)))
    book = ReasonBook(Deployment.UCCE, (*REASONS.codes, other_team))
    with pytest.raises(ApiException) as refused:
        state_wish(UserRequest(state, reason_id=reason_id), ADA, Actor.SELF, book)
    assert (refused.value.code, refused.value.data) == (Code.INVALID_INPUT, "reasonCodeId")


@pytest.mark.parametrize("state", [AgentState.READY, AgentState.LOGIN, AgentState.WORK])
@pytest.mark.parametrize("reason_id", [16, 99])
def test_a_state_that_takes_no_reason_is_given_none(state: AgentState, reason_id: int) -> None:
    with pytest.raises(ApiException) as refused:
        state_wish(UserRequest(state, extension="1", reason_id=reason_id), ADA, Actor.SELF, REASONS)
    assert (refused.value.code, refused.value.data) == (Code.INVALID_INPUT, "reasonCodeId")


def test_a_required_reason_that_is_missing_is_named() -> None:
    book = ReasonBook(Deployment.UCCE, REASONS.codes, required=(Category.NOT_READY,))
    with pytest.raises(ApiException) as refused:
        state_wish(UserRequest(AgentState.NOT_READY), ADA, Actor.SELF, book)
    assert (refused.value.code, refused.value.data) == (Code.PARAMETER_MISSING, "reasonCodeId")
    assert state_wish(UserRequest(AgentState.LOGOUT), ADA, Actor.SELF, book).reason_code is None


def test_supervisors_give_no_reason_for_not_ready() -> None:
    with pytest.raises(ApiException) as refused:
        state_wish(UserRequest(AgentState.NOT_READY, reason_id=16), ADA, Actor.SUPERVISOR, REASONS)
    assert refused.value.code is Code.INVALID_INPUT
    assert state_wish(UserRequest(AgentState.LOGOUT, reason_id=17), ADA, Actor.SUPERVISOR, REASONS).reason_code is None


@pytest.mark.parametrize(
    ("header", "echoed"),
    [(None, ""), (" abc ", "abc"), ("a\r\nb", ""), ("x" * 500, "x" * REQUEST_ID_MAX), ("\x00", "")],
)
def test_request_ids_are_echoed_bounded_and_printable(header: str | None, echoed: str) -> None:
    assert request_id(header) == echoed
