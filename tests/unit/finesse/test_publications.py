"""What is published where when something changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poise.contact.snapshots import AgentAdded, AgentChanged, AgentFailed, AgentRemoved, Change, Queue
from poise.contact.states import AgentState, Deployment
from poise.finesse.failures import error_type
from poise.finesse.publications import Publication, publications, queue_publications, system_info_publication
from poise.finesse.system_info import SystemStatus
from poise.protocols.xmpp.xml import parse
from tests.unit.finesse.people import ADA, CONTEXT, SUPPORT


def told(publication: Publication) -> tuple[str, str, str, str, str]:
    """(node, object, event, requestId, source)."""
    document = parse(parse(publication.payload).text.encode())
    parts = {child.name: child for child in document.elements()}
    (subject,) = parts["data"].elements()
    return (
        publication.node,
        subject.name,
        *(parts[name].text for name in ("event", "requestId", "source")),  # type: ignore[return-value]
    )


def published(change: Change) -> list[tuple[str, str, str, str, str]]:
    return [told(publication) for publication in publications([change], CONTEXT)]


USER, TEAM = "/finesse/api/User/1001", "/finesse/api/Team/1/Users"


def test_a_state_change_is_told_to_the_user_and_the_team_with_the_request_id() -> None:
    ready = replace(ADA, state=AgentState.READY)
    assert published(AgentChanged(ADA, ready, "r1")) == [
        (USER, "user", "PUT", "r1", USER),
        (TEAM, "user", "PUT", "r1", USER),
    ]


def test_a_new_agent_is_posted_and_a_deleted_one_is_deleted() -> None:
    assert published(AgentAdded(ADA)) == [(USER, "user", "POST", "", USER), (TEAM, "user", "POST", "", USER)]
    assert published(AgentRemoved(ADA)) == [(USER, "user", "DELETE", "", USER), (TEAM, "user", "DELETE", "", USER)]


def test_an_agent_who_moves_leaves_one_team_and_enters_the_other() -> None:
    assert published(AgentChanged(ADA, replace(ADA, team=SUPPORT))) == [
        (USER, "user", "PUT", "", USER),
        (TEAM, "user", "DELETE", "", USER),
        ("/finesse/api/Team/2/Users", "user", "POST", "", USER),
    ]


def test_a_failure_is_told_to_the_user_alone() -> None:
    assert published(AgentFailed("1001", 257, "r1", AgentState.READY)) == [(USER, "apiErrors", "PUT", "r1", USER)]


def test_a_failed_forced_logout_is_told_to_nobody() -> None:
    assert published(AgentFailed("1001", 1, "", AgentState.LOGOUT, forced=True)) == []


def test_an_agent_without_a_team_is_told_to_nobody_else() -> None:
    alone = replace(ADA, team=None)
    assert len(published(AgentChanged(alone, replace(alone, state=AgentState.READY)))) == 1


def test_a_queue_is_serialised_once_for_all_its_nodes() -> None:
    first, second = queue_publications(Queue(10, "Sales", frozenset(("1001",))))
    assert told(first) == ("/finesse/api/Queue/10", "queue", "PUT", "", "/finesse/api/Queue/10")
    assert second.node == "/finesse/api/User/1001/Queue/10"
    assert first.payload is second.payload


def test_the_systems_state_is_told_to_everyone() -> None:
    node = "/finesse/api/SystemInfo"
    publication = system_info_publication(SystemStatus(Deployment.UCCE, "localhost", "localhost"), 0.0)
    assert told(publication) == (node, "systemInfo", "PUT", "", node)


@pytest.mark.parametrize(
    ("code", "wanted", "kind"),
    [
        (257, AgentState.READY, "Invalid State"),
        (1010, AgentState.NOT_READY, "Invalid State"),
        (265, AgentState.READY, "Invalid State"),
        (260, AgentState.LOGIN, "Invalid Device"),
        (283, AgentState.LOGIN, "Device Busy"),
        (265, AgentState.LOGIN, "Mode Not Allowed"),
        (257, AgentState.LOGIN, "Generic Error"),
        (4711, AgentState.READY, "Generic Error"),
    ],
)
def test_the_kind_of_error_depends_on_what_was_wanted(code: int, wanted: AgentState, kind: str) -> None:
    assert error_type(AgentFailed("1001", code, "", wanted)) == kind
