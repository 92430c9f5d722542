"""Logs that clients send (finesse-api.md 4.4, 9): the body of POST ClientLog, and the event that confirms one."""

from __future__ import annotations

from poise.finesse import nodes
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.markup import EVENT_INDENT, branch, leaf, render
from poise.finesse.publications import Publication
from poise.finesse.requests import last_child, parse_body
from poise.finesse.update import Event, update
from poise.protocols.xmpp.xml import Limits

LOG_MAX = 1_572_864
"""Most bytes of one stored log: what the desktop's own collector keeps, 1.5 MB (finesse-api.md 9). The guide allows
1,048,576 characters and desktops send more."""
BODY_MAX = 2 * LOG_MAX
"""Most bytes of a body: every line break of the log is sent as five characters."""
LIMITS = Limits(size=BODY_MAX, depth=4, nodes=100)


def client_log_text(body: bytes) -> str:
    """The log in the body of POST ClientLog. Takes 10 ms and more for large ones. Raises ApiException."""
    log = last_child(parse_body(body, "ClientLog", LIMITS), "logData")
    if log is None or not log.text.strip():
        raise ApiException(Code.PARAMETER_MISSING, "logData")
    if len(log.text.encode()) > LOG_MAX:
        raise ApiException(Code.INVALID_INPUT, "logData")
    return log.text


def client_log_publication(agent_id: str, request_id: str) -> Publication:
    """The log is stored: clients empty their buffers when they hear this. The log itself is not sent back."""
    node = nodes.client_log(agent_id)
    data = render(branch("clientLog", (leaf("uri", node),)), EVENT_INDENT)
    return Publication(node, update(data, Event.POST, request_id, node))
