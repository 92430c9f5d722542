"""The Update envelope of every notification, as the payload of a pubsub item.

The form is the seed's, byte for byte: `<notification>` in the pubsub namespace holds one text node, the escaped Update
document, one element a line, children in the order data, event, requestId, source. Clients depend on it: JabberWerx
takes the first text node, sleekxmpp un-escapes only `&lt;` and `&gt;` and parses again, Strophe reads textContent
(clients.md 2.2-2.5). The document is escaped once here and never again: deliveries splice these bytes.
"""

from __future__ import annotations

from enum import Enum

from poise.finesse.markup import EVENT_INDENT, Node, branch, leaf, render
from poise.protocols.xmpp.xml import escape


class Event(Enum):
    """What happened to the object in `data`; upper case, as finesse.js compares it."""

    POST = "POST"
    """It is new."""
    PUT = "PUT"
    """It has changed."""
    DELETE = "DELETE"
    """It is gone."""


OPENING = '<notification xmlns="http://jabber.org/protocol/pubsub">'
CLOSING = "</notification>"


def update(data_xml: str, event: Event, request_id: str, source: str) -> bytes:
    """The `<notification>` element in UTF-8.

    `data_xml` is one rendered element (see `markup`), `request_id` the REST caller's or empty, `source` the URI of the
    resource that changed.
    """
    document = (
        f"<Update>\n<data>\n{data_xml}\n</data>\n<event>{event.value}</event>\n"
        f"<requestId>{escape(request_id)}</requestId>\n<source>{escape(source)}</source>\n</Update>"
    )
    return f"{OPENING}{escape(document)}{CLOSING}".encode()


def api_errors_update(
    error_type: str, message: str, data: str, *, peripheral_code: int = 0, media: str | None = None
) -> str:
    """`apiErrors` as the data of an event: a failure that came after the REST call was answered with 202."""
    children: list[Node] = [leaf("errorData", data)]
    if media is not None:
        children.append(leaf("errorMedia", media))
    children += (leaf("errorMessage", message), leaf("errorType", error_type))
    if peripheral_code:
        children.append(leaf("peripheralErrorCode", peripheral_code))
    return render(branch("apiErrors", [branch("apiError", children)]), EVENT_INDENT)
