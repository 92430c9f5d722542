"""Who may do what."""

from __future__ import annotations

import pytest

from poise.contact.states import Actor
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.permissions import CAPABILITIES, Api, Caller, Relation, actor, check, may_subscribe, relation
from tests.unit.finesse.people import ADA, AGENTS, BEN, SUE

ADA_CALLS = Caller("1001", agent=ADA)
SUE_CALLS = Caller("1101", agent=SUE)
ADMIN_CALLS = Caller("admin", administrator=True)


def test_every_api_has_its_row() -> None:
    assert set(CAPABILITIES) == set(Api)


def test_agents_read_and_change_themselves() -> None:
    assert relation(ADA_CALLS, ADA, Api.READ_USER) is Relation.SELF
    assert actor(ADA_CALLS, ADA, Api.CHANGE_STATE) is Actor.SELF


def test_supervisors_read_and_change_their_teams() -> None:
    assert relation(SUE_CALLS, ADA, Api.READ_USER) is Relation.SUPERVISOR
    assert actor(SUE_CALLS, ADA, Api.CHANGE_STATE) is Actor.SUPERVISOR
    assert actor(SUE_CALLS, SUE, Api.CHANGE_STATE) is Actor.SELF


def test_administrators_read_everyone_and_change_nobodys_state() -> None:
    assert relation(ADMIN_CALLS, BEN, Api.READ_USER) is Relation.ADMINISTRATOR
    with pytest.raises(ApiException) as refused:
        actor(ADMIN_CALLS, BEN, Api.CHANGE_STATE)
    assert refused.value.code is Code.OTHER_USER


@pytest.mark.parametrize(
    ("caller", "api", "code"),
    [
        (ADA_CALLS, Api.READ_USER, Code.OTHER_USER),
        (ADA_CALLS, Api.CHANGE_STATE, Code.OTHER_USER),
        (SUE_CALLS, Api.CHANGE_STATE, Code.INVALID_SUPERVISOR),
        (SUE_CALLS, Api.SIGN_IN, Code.OTHER_USER),
    ],
)
def test_strangers_are_told_which_way_they_are_strangers(caller: Caller, api: Api, code: Code) -> None:
    with pytest.raises(ApiException) as refused:
        actor(caller, BEN, api)
    assert (refused.value.code, refused.value.status, refused.value.data) == (code, 401, "1004")


def test_apis_without_a_user_are_checked_by_role_and_team() -> None:
    check(ADA_CALLS, Api.READ_QUEUE)
    check(SUE_CALLS, Api.READ_TEAM, team_id=1)
    check(ADMIN_CALLS, Api.LIST_USERS)
    for caller, api, team in (
        (SUE_CALLS, Api.READ_TEAM, 2),
        (ADA_CALLS, Api.LIST_USERS, None),
        (ADA_CALLS, Api.READ_TEAM, 1),
    ):
        with pytest.raises(ApiException):
            check(caller, api, team)


@pytest.mark.parametrize(
    ("caller", "node", "allowed"),
    [
        (ADA_CALLS, "/finesse/api/User/1001", True),
        (ADA_CALLS, "/finesse/api/User/1004", False),
        (ADA_CALLS, "/finesse/api/User/1001/Queue/10", True),
        (ADA_CALLS, "/finesse/api/Queue/10", True),
        (ADA_CALLS, "/finesse/api/SystemInfo", True),
        (ADA_CALLS, "/finesse/api/Team/1/Users", False),
        (SUE_CALLS, "/finesse/api/Team/1/Users", True),
        (SUE_CALLS, "/finesse/api/Team/2/Users", False),
        (SUE_CALLS, "/finesse/api/Team/x/Users", False),
        (SUE_CALLS, "/finesse/api/User/1001/Dialogs", True),
        (SUE_CALLS, "/finesse/api/User/1004/Dialogs", False),
        (SUE_CALLS, "/finesse/api/User/9999", False),
        (SUE_CALLS, "/finesse/api/User/1001/ClientLog", False),
        (ADMIN_CALLS, "/finesse/api/Team/2/Users", True),
        (ADMIN_CALLS, "/other", False),
    ],
)
def test_nodes_are_heard_by_those_they_concern(caller: Caller, node: str, allowed: bool) -> None:
    assert may_subscribe(caller, node, AGENTS) is allowed
