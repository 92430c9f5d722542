"""What the agent model lets pass is what the simulated CTI server grants: two tables, written apart, say the same."""

from __future__ import annotations

import pytest

from poise.contact.states import TO_CTI, Actor, AgentState, Deployment, Verdict, from_cti, verdict
from poise.lab.rules import Act, Refuse, Requester, ruling
from poise.lab.rules import Deployment as LabDeployment
from poise.protocols.cti import constants as cti

REQUESTERS = {Actor.SELF: Requester.AGENT, Actor.SUPERVISOR: Requester.SUPERVISOR}
WISHES = [AgentState.READY, AgentState.NOT_READY, AgentState.LOGOUT]
SIGNED_IN = {
    Deployment.UCCE: [S for S in cti.AgentState if from_cti(S) not in (None, AgentState.UNKNOWN)][2:],
    Deployment.UCCX: [
        cti.AgentState.NOT_READY,
        cti.AgentState.AVAILABLE,
        cti.AgentState.TALKING,
        cti.AgentState.WORK_NOT_READY,
        cti.AgentState.RESERVED,
    ],
}
CASES = [
    (deployment, actor, before, wanted)
    for deployment in Deployment
    for actor in REQUESTERS
    for before in SIGNED_IN[deployment]
    for wanted in WISHES
]


@pytest.mark.parametrize(("deployment", "actor", "before", "wanted"), CASES)
def test_the_two_tables_agree(deployment: Deployment, actor: Actor, before: cti.AgentState, wanted: AgentState) -> None:
    state = from_cti(before)
    assert state is not None
    ours = verdict(deployment, actor, state, wanted)
    theirs = ruling(LabDeployment(deployment.value), REQUESTERS[actor], before, cti.AgentState(TO_CTI[wanted]))
    match ours:
        case Verdict.AT_ONCE:
            assert theirs in (Act.MOVE, Act.KEEP)
        case Verdict.PENDING:
            assert theirs in (Act.PEND, Act.PEND_ONCE)
        case None:
            assert isinstance(theirs, Refuse) or theirs is Act.KEEP
