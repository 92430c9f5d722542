"""Every resource that needs authentication, and how a path finds its own."""

from __future__ import annotations

from collections.abc import Iterable

from poise.finesse import nodes
from poise.finesse.api_errors import ApiException, Code
from poise.server.webservices.client_logs import CLIENT_LOGS
from poise.server.webservices.dialogs import DIALOGS
from poise.server.webservices.media import MEDIA
from poise.server.webservices.messages import MESSAGES
from poise.server.webservices.queues import QUEUES
from poise.server.webservices.resources import USERS, Resource
from poise.server.webservices.system import SYSTEM
from poise.server.webservices.teams import TEAMS

RESOURCES = (*USERS, *DIALOGS, *TEAMS, *QUEUES, *MESSAGES, *SYSTEM, *CLIENT_LOGS, *MEDIA)
_BEFORE = len(nodes.ROOT) + 1


def by_form(resources: Iterable[Resource]) -> dict[tuple[str, int], list[Resource]]:
    """First part of the path and number of slashes -> resources: two or three patterns are tried, not all."""
    found: dict[tuple[str, int], list[Resource]] = {}
    for resource in resources:
        found.setdefault((resource.path.split("/")[1], resource.path.count("/")), []).append(resource)
    return found


FORMS = by_form(RESOURCES)


def find(path: str) -> tuple[Resource, dict[str, str]]:
    """The resource of a path without trailing slashes, and its variable parts. Raises ApiException."""
    below = path[_BEFORE:]
    for resource in FORMS.get((below.partition("/")[0], below.count("/") + 1), ()):
        match = resource.pattern.fullmatch(path)
        if match is not None:
            return resource, match.groupdict()
    raise ApiException(Code.NOT_FOUND, path[:256])
