"""What operators' tools read about a running server (finesse-api.md 4.5, 8.1): RuntimeConfigInfo, ConnectedUsersInfo,
UserAuthMode.

The values are those of `utils finesse node_statistics` and `show_connected_users`; the guide's bodies are not known to
us, so the element names of the first two are ours, made from those printed names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from statistics import fmean

from poise.contact.snapshots import Agent
from poise.finesse import nodes
from poise.finesse.markup import branch, leaf, render

RUNTIME_CONFIG = f"{nodes.ROOT}/RuntimeConfigInfo"
CONNECTED_USERS = f"{nodes.ROOT}/ConnectedUsersInfo"
USER_AUTH_MODE = f"{nodes.ROOT}/UserAuthMode"
DESKTOP = "desktop"
"""Resource of the Finesse desktop; every other client names its own (finesse-api.md 5.1)."""


def runtime_config_xml(agents: Collection[Agent], dialogs: int, start_s: float | None) -> str:
    """The answer to GET RuntimeConfigInfo. Media are the non-voice ones, of which this server has none."""
    counts = [len(agent.queues) for agent in agents]
    return render(
        branch(
            "RuntimeConfigInfo",
            (
                leaf("uri", RUNTIME_CONFIG),
                leaf("activeDialogsCount", dialogs),
                leaf("activeTasksCount", 0),
                leaf("averageConfiguredMediaPerAgentCount", 0),
                leaf("averageLoggedInMediaPerAgentCount", 0),
                leaf("averageSkillGroupsPerAgentCount", f"{fmean(counts) if counts else 0:.1f}"),
                leaf("maxSkillGroupsPerAgentCount", max(counts, default=0)),
                leaf("totalTimeForFinesseToStart", None if start_s is None else f"{start_s:.1f}"),
                leaf("loggedInAgents", sum(agent.signed_in for agent in agents)),
                leaf("uniqueConfiguredSkillGroupsPerAgentCount", len({n for agent in agents for n in agent.queues})),
            ),
        )
    )


def connected_users_xml(jids: Iterable[str]) -> str:
    """The answer to GET ConnectedUsersInfo, from the full JIDs of those who are connected to this node. A user with a
    desktop and another client counts as one of each, and once in the total."""
    desktop, others = set[str](), set[str]()
    for jid in jids:
        user, _, resource = jid.partition("/")
        (desktop if resource == DESKTOP else others).add(user)
    return render(
        branch(
            "ConnectedUsersInfo",
            (
                leaf("uri", CONNECTED_USERS),
                leaf("totalConnectedUsers", len(desktop | others)),
                leaf("desktopUsers", len(desktop)),
                leaf("fippaUsers", 0),
                leaf("thirdPartyUsers", len(others)),
            ),
        )
    )


def user_auth_mode_xml() -> str:
    """The answer to GET UserAuthMode, the same for every name: nobody learns who exists."""
    return render(branch("UserAuthMode", (leaf("authMode", "NON_SSO"),)))
