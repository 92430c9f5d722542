"""Bodies of REST requests, read tolerantly where that cannot mislead: any order of children, unknown children ignored.

A parameter given twice is refused, and so is a reason for a state that takes none: a client that says two things is
told so, instead of being shown the state it did not mean. (For configuration the guide lets the last of two win.)
"""

from __future__ import annotations

from dataclasses import dataclass

from poise.contact.reasons import CATEGORY_OF, Category, ReasonBook
from poise.contact.requests import MOBILE_MODES, StateWish
from poise.contact.snapshots import Agent, MobileAgent
from poise.contact.states import TO_CTI, Actor, AgentState
from poise.finesse.api_errors import ApiException, Code
from poise.protocols.xmpp.xml import Element, Limits, XmlError, XmlFault, parse

BODY_LIMITS = Limits(size=16_384, depth=16)
"""A User body of real clients has under 500 bytes; a PUT is read on the event loop, so it must stay cheap."""

REQUEST_ID_MAX = 128
"""Characters of a requestId that are echoed; clients send UUIDs, longer ones are cut off."""

_DIAL_NUMBER_MAX = 32
_SPACES = " \t\r\n"


@dataclass(frozen=True, slots=True)
class UserRequest:
    """What PUT User asks for, in the words of the body."""

    state: AgentState
    extension: str = ""
    reason_id: int | None = None
    """Database id of the chosen reason."""
    mobile: MobileAgent | None = None


def request_id(header: str | None) -> str:
    """The requestId to echo: printable, bounded; empty when the client sent none."""
    text = (header or "").strip()[:REQUEST_ID_MAX]
    return text if text.isprintable() else ""


def parse_body(data: bytes, root: str, limits: Limits = BODY_LIMITS) -> Element:
    """The root element of a body. Raises ApiException: malformed, too large, or another root."""
    try:
        element = parse(data.lstrip(_SPACES.encode()), limits)
    except XmlError as error:
        too_large = error.kind in (XmlFault.TOO_BIG, XmlFault.TOO_DEEP, XmlFault.TOO_WIDE)
        raise ApiException(Code.TOO_LARGE if too_large else Code.MALFORMED_XML, error.detail) from None
    if element.name != root:
        raise ApiException(Code.WRONG_ROOT, f"{element.name[:64]} instead of {root}")
    return element


def user_request(data: bytes) -> UserRequest:
    """The body of PUT User. Raises ApiException."""
    user = parse_body(data, "User")
    _refuse_repeats(user, "state", "extension", "reasonCodeId", "mobileAgent")
    state = value_of(user, "state")
    if not state:
        raise ApiException(Code.PARAMETER_MISSING, "state")
    try:
        wanted = AgentState(state)
    except ValueError:
        raise ApiException(Code.INVALID_STATE_NAME, state[:64]) from None
    if wanted not in TO_CTI:
        raise ApiException(Code.INVALID_STATE_NAME, state)
    if wanted is AgentState.LOGIN:
        extension = value_of(user, "extension")
        if not extension:
            raise ApiException(Code.PARAMETER_MISSING, "extension")
        return UserRequest(wanted, extension=extension, reason_id=_reason_id(user), mobile=_mobile(user))
    return UserRequest(wanted, reason_id=_reason_id(user))


def state_wish(request: UserRequest, agent: Agent, actor: Actor, reasons: ReasonBook, password: str = "") -> StateWish:
    """What the agent model is asked for: the reason's id becomes the CTI server's number. Raises ApiException.

    `password`: the caller's own, for CTI servers that check it at sign-in.
    """
    category = CATEGORY_OF.get(request.state)
    if category is None and request.reason_id is not None:
        raise ApiException(Code.INVALID_INPUT, "reasonCodeId")
    return StateWish(
        request.state,
        actor,
        extension=request.extension,
        reason_code=_reason_code(request, category, agent, actor, reasons) if category is not None else None,
        password=password if request.state is AgentState.LOGIN else "",
        mobile=request.mobile,
    )


def _reason_code(
    request: UserRequest, category: Category, agent: Agent, actor: Actor, reasons: ReasonBook
) -> int | None:
    team_id = agent.team.team_id if agent.team is not None else None
    if actor is Actor.SUPERVISOR:
        if request.reason_id is not None and category is Category.NOT_READY:
            raise ApiException(Code.INVALID_INPUT, "reasonCodeId")
        return None  # the number reserved for supervisors is sent (finesse-api.md 2.4)
    if request.reason_id is None:
        if reasons.must_choose(category, team_id):
            raise ApiException(Code.PARAMETER_MISSING, "reasonCodeId")
        return None
    reason = reasons.by_id(request.reason_id)
    if reason is None or reason.category is not category or not reason.offered_to(team_id):
        raise ApiException(Code.INVALID_INPUT, "reasonCodeId")
    return reason.code


def _reason_id(user: Element) -> int | None:
    """reasonCodeId; absent, empty and -1 all mean none."""
    text = value_of(user, "reasonCodeId")
    if text in ("", "-1"):
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        raise ApiException(Code.INVALID_INPUT, "reasonCodeId")
    return int(text)


def _mobile(user: Element) -> MobileAgent | None:
    mobile = last_child(user, "mobileAgent")
    if mobile is None:
        return None
    _refuse_repeats(mobile, "mode", "dialNumber")
    mode, number = value_of(mobile, "mode"), value_of(mobile, "dialNumber")
    for name, value in (("mode", mode), ("dialNumber", number)):
        if not value:
            raise ApiException(Code.PARAMETER_MISSING, name)
    if mode not in MOBILE_MODES:
        raise ApiException(Code.INVALID_INPUT, "mode")
    digits = number.removeprefix("+")
    if len(number) > _DIAL_NUMBER_MAX or not digits or not set(digits) <= set("0123456789*#"):
        raise ApiException(Code.INVALID_INPUT, "dialNumber")
    return MobileAgent(mode, number)


def _refuse_repeats(parent: Element, *names: str) -> None:
    given = [child.name for child in parent.elements()]
    for name in names:
        if given.count(name) > 1:
            raise ApiException(Code.INVALID_INPUT, name)


def last_child(parent: Element, name: str) -> Element | None:
    """The last child of that name: of two, the last wins."""
    found = None
    for child in parent.elements():
        if child.name == name:
            found = child
    return found


def value_of(parent: Element, name: str) -> str:
    """The text of the last child of that name, without the white space around it; empty when there is none."""
    child = last_child(parent, name)
    return child.text.strip(_SPACES) if child is not None else ""
