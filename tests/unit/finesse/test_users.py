"""The User resource as GET shows it."""

from __future__ import annotations

from dataclasses import replace

from poise.contact.snapshots import MobileAgent
from poise.contact.states import AgentState
from poise.finesse.users import UserContext, gone_update, summary_update, user_update, user_xml, users_xml
from poise.protocols.xmpp.xml import Element, parse
from tests.unit.finesse.people import ADA, CONTEXT, ISAAC, SUE


def names(element: Element) -> list[str]:
    """Child element names in order."""
    return [child.name for child in element.elements()]


def test_get_user_follows_the_guides_order() -> None:
    agent = replace(ISAAC, state=AgentState.NOT_READY, reason_code=10, skill_target_id=6067)
    user = parse(user_xml(agent, CONTEXT).encode())
    assert user.name == "User"
    assert names(user) == [
        "uri",
        "roles",
        "loginId",
        "loginName",
        "state",
        "stateChangeTime",
        "mediaType",
        "pendingState",
        "reasonCodeId",
        "ReasonCode",
        "reasonCode",
        "settings",
        "extension",
        "firstName",
        "lastName",
        "teamId",
        "teamName",
        "skillTargetId",
        "dialogs",
        "wrapUpTimer",
    ]


def test_a_signed_out_agent_shows_every_child_a_client_reads() -> None:
    user = parse(user_xml(replace(ADA, state=AgentState.LOGOUT, extension=""), CONTEXT).encode())
    read = "dialogs extension firstName lastName loginId loginName pendingState reasonCodeId roles settings state"
    assert set(read.split()) | {"stateChangeTime", "teamId", "teamName", "uri"} <= set(names(user))
    values = {child.name: child.text for child in user.elements()}
    assert values["extension"] == ""
    assert values["reasonCodeId"] == "-1"
    assert values["stateChangeTime"] == ""


def test_asked_by_login_name_the_uri_repeats_it_and_the_login_id_does_not() -> None:
    xml = user_xml(ISAAC, CONTEXT, asked_as="isaac")
    assert "<uri>/finesse/api/User/isaac</uri>" in xml
    assert "<loginId>47483648</loginId>" in xml


def test_a_supervisor_has_both_roles_and_the_supervised_teams() -> None:
    xml = user_xml(SUE, CONTEXT)
    assert "<role>Agent</role>\n    <role>Supervisor</role>" in xml
    assert "<uri>/finesse/api/Team/1</uri>" in xml
    assert "<teams>" not in user_xml(ADA, CONTEXT)


def test_mobile_agents_show_how_they_are_reached() -> None:
    agent = replace(ADA, mobile=MobileAgent("CALL_BY_CALL", "4085551234"))
    assert "<mode>CALL_BY_CALL</mode>" in user_xml(agent, CONTEXT)
    assert "<dialNumber>4085551234</dialNumber>" in user_update(agent, CONTEXT)


def test_settings_can_name_wrap_up_of_outgoing_calls() -> None:
    context = UserContext(CONTEXT.reasons, wrap_up_on_outgoing="NOT_ALLOWED")
    assert "<wrapUpOnOutgoing>NOT_ALLOWED</wrapUpOnOutgoing>" in user_xml(ADA, context)


def test_old_snapshot_plus_event_is_the_fresh_snapshot() -> None:
    """Everything GET shows and an event may change is in the event with the same value."""
    agent = replace(SUE, extension="7101", state=AgentState.NOT_READY, reason_code=10, state_changed_at=1.5)
    shown = {child.name: child for child in parse(user_xml(agent, CONTEXT).encode()).elements()}
    told = {child.name: child for child in parse(user_update(agent, CONTEXT).encode()).elements()}
    never_changes = {"skillTargetId", "wrapUpTimer", "ReasonCode"}
    assert set(shown) - never_changes == set(told)

    def leaves(element: Element) -> list[tuple[str, str]]:
        own = [(element.name, element.text.strip())]
        return own + [leaf for child in element.elements() for leaf in leaves(child)]

    for name, element in told.items():
        assert leaves(element) == leaves(shown[name])


def test_the_summary_for_team_lists_has_what_they_show() -> None:
    user = parse(summary_update(replace(ADA, reason_code=10), CONTEXT).encode())
    assert user.name == "user"
    assert names(user) == [
        "dialogs",
        "extension",
        "firstName",
        "lastName",
        "loginId",
        "pendingState",
        "ReasonCode",
        "state",
        "stateChangeTime",
        "uri",
    ]


def test_a_deleted_user_is_only_named() -> None:
    assert gone_update(ADA) == "<user>\n<loginId>1001</loginId>\n<uri>/finesse/api/User/1001</uri>\n</user>"


def test_a_list_of_users_holds_summaries() -> None:
    users = parse(users_xml([ADA, SUE], CONTEXT).encode())
    assert names(users) == ["User", "User"]
