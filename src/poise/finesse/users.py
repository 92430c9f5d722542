"""The User resource: the GET form, the form inside events, the summary that team lists carry.

The event form is the seed's, alphabetical; the GET form follows the guide's order (finesse-api.md 2.1). Both are made
from the same frozen Agent, so a client that applies events to what it once read ends up with what it would read now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from poise.contact.reasons import CATEGORY_OF, ReasonBook, ReasonCode
from poise.contact.snapshots import Agent
from poise.finesse import nodes
from poise.finesse.markup import EVENT_INDENT, Node, branch, leaf, render, timestamp
from poise.finesse.reason_codes import reason_children


@dataclass(frozen=True, slots=True)
class UserContext:
    """What a User shows besides the agent's own picture."""

    reasons: ReasonBook
    wrap_up_on_incoming: str = "OPTIONAL"
    """REQUIRED, OPTIONAL, NOT_ALLOWED or REQUIRED_WITH_WRAP_UP_DATA."""
    wrap_up_on_outgoing: str = ""
    """REQUIRED, OPTIONAL or NOT_ALLOWED; empty: not shown, as in the seed's event."""
    wrap_up_timer_s: int = 30
    """Seconds an agent may stay in wrap-up."""


def user_xml(agent: Agent, context: UserContext, asked_as: str = "") -> str:
    """The answer to GET User. `asked_as`: the login name in the request's URI, which `uri` then repeats."""
    return render(branch("User", _full(agent, context, asked_as or agent.agent_id)))


def users_xml(agents: list[Agent], context: UserContext) -> str:
    """The answer to GET Users."""
    return render(branch("Users", (summary_node(agent, context, "User") for agent in agents)))


def summary_node(agent: Agent, context: UserContext, tag: str) -> Node:
    """What lists show of a user."""
    return branch(tag, _summary(agent, context, "reasonCode"))


def user_update(agent: Agent, context: UserContext) -> str:
    """`user` as the data of an event, in the seed's form."""
    return render(branch("user", _event(agent, context)), EVENT_INDENT)


def summary_update(agent: Agent, context: UserContext) -> str:
    """`user` as the data of an event on a team's node."""
    return render(branch("user", _summary(agent, context, "ReasonCode")), EVENT_INDENT)


def gone_update(agent: Agent) -> str:
    """`user` as the data of a DELETE event: only who it was."""
    return render(
        branch("user", (leaf("loginId", agent.agent_id), leaf("uri", nodes.user(agent.agent_id)))), EVENT_INDENT
    )


def _full(agent: Agent, context: UserContext, name: str) -> Iterator[Node]:
    yield leaf("uri", nodes.user(name))
    yield _roles(agent)
    yield leaf("loginId", agent.agent_id)
    yield leaf("loginName", agent.login_name)
    yield leaf("state", agent.state.value)
    yield leaf("stateChangeTime", timestamp(agent.state_changed_at))
    yield leaf("mediaType", agent.media)
    yield leaf("pendingState", _pending(agent))
    reason = reason_of(agent, context.reasons)
    yield leaf("reasonCodeId", reason.id if reason is not None else -1)
    if reason is not None:
        # COMPAT: the guide prints ReasonCode, clients read reasonCode (clients.md 2.6)
        yield branch("ReasonCode", reason_children(reason))
        yield branch("reasonCode", reason_children(reason))
    yield _settings(context)
    yield leaf("extension", agent.extension)
    if agent.mobile is not None:
        yield branch("mobileAgent", (leaf("mode", agent.mobile.mode), leaf("dialNumber", agent.mobile.dial_number)))
    yield leaf("firstName", agent.first_name)
    yield leaf("lastName", agent.last_name)
    yield from _team(agent)
    if agent.skill_target_id is not None:
        yield leaf("skillTargetId", agent.skill_target_id)
    yield leaf("dialogs", nodes.dialogs(agent.agent_id))
    if agent.is_supervisor:
        yield _supervised(agent)
    yield leaf("wrapUpTimer", context.wrap_up_timer_s)


def _event(agent: Agent, context: UserContext) -> Iterator[Node]:
    yield leaf("dialogs", nodes.dialogs(agent.agent_id))
    yield leaf("extension", agent.extension)
    yield leaf("firstName", agent.first_name)
    yield leaf("lastName", agent.last_name)
    yield leaf("loginId", agent.agent_id)
    yield leaf("loginName", agent.login_name)
    yield leaf("mediaType", agent.media)
    if agent.mobile is not None:
        yield branch("mobileAgent", (leaf("dialNumber", agent.mobile.dial_number), leaf("mode", agent.mobile.mode)))
    yield leaf("pendingState", _pending(agent))
    yield from _event_reason(agent, context)
    yield _roles(agent)
    yield _settings(context)
    yield leaf("state", agent.state.value)
    yield leaf("stateChangeTime", timestamp(agent.state_changed_at))
    yield from _team(agent)
    if agent.is_supervisor:
        yield _supervised(agent)
    yield leaf("uri", nodes.user(agent.agent_id))


def _event_reason(agent: Agent, context: UserContext) -> Iterator[Node]:
    """NOT_READY and LOGOUT say which reason, or -1; other states have no such elements, as the seed's READY."""
    if agent.state not in CATEGORY_OF:
        return
    reason = reason_of(agent, context.reasons)
    if reason is not None:
        yield branch("reasonCode", reason_children(reason))
    yield leaf("reasonCodeId", reason.id if reason is not None else -1)


def _summary(agent: Agent, context: UserContext, reason_tag: str) -> Iterator[Node]:
    """Team lists and team events (finesse-api.md 4.2: the tag of the reason differs between the two)."""
    yield leaf("dialogs", nodes.dialogs(agent.agent_id))
    yield leaf("extension", agent.extension)
    yield leaf("firstName", agent.first_name)
    yield leaf("lastName", agent.last_name)
    yield leaf("loginId", agent.agent_id)
    yield leaf("pendingState", _pending(agent))
    reason = reason_of(agent, context.reasons)
    if reason is not None:
        yield branch(reason_tag, reason_children(reason))
    yield leaf("state", agent.state.value)
    yield leaf("stateChangeTime", timestamp(agent.state_changed_at))
    yield leaf("uri", nodes.user(agent.agent_id))


def reason_of(agent: Agent, reasons: ReasonBook) -> ReasonCode | None:
    """The reason an agent's state carries: an administrator's or the system's; None when there is none or no name."""
    category = CATEGORY_OF.get(agent.state)
    if category is None or agent.reason_code is None:
        return None
    return reasons.named(category, agent.reason_code)


def _pending(agent: Agent) -> str:
    return agent.pending_state.value if agent.pending_state is not None else ""


def _roles(agent: Agent) -> Node:
    return branch("roles", (leaf("role", role) for role in agent.roles))


def _settings(context: UserContext) -> Node:
    children = [leaf("wrapUpOnIncoming", context.wrap_up_on_incoming)]
    if context.wrap_up_on_outgoing:
        children.append(leaf("wrapUpOnOutgoing", context.wrap_up_on_outgoing))
    return branch("settings", children)


def _team(agent: Agent) -> Iterator[Node]:
    yield leaf("teamId", agent.team.team_id if agent.team is not None else None)
    yield leaf("teamName", agent.team.name if agent.team is not None else None)


def _supervised(agent: Agent) -> Node:
    return branch(
        "teams",
        (
            branch("Team", (leaf("uri", f"{nodes.ROOT}/Team/{t.team_id}"), leaf("id", t.team_id), leaf("name", t.name)))
            for t in agent.supervised
        ),
    )
