"""The bounds of everything the host keeps for its users, each with where it comes from and what breaks if it is
changed.

A host without bounds is a leak with a protocol: every list a client can make longer (nodes, subscriptions, offline
messages, documents, directed presence, resources) ends here. How often something may be done stands in `rates`.
"""

from __future__ import annotations

from dataclasses import dataclass

from poise.protocols.xmpp.rates import PRESENCE_BURST, PRESENCE_PER_S, REPLACEMENT_BURST, REPLACEMENT_PER_S

RESOURCES_PER_USER = 20
"""Sessions of one user at a time. RFC 6120 section 7.6.2.1 lets a server set it. An agent has one desktop and a few
gadgets or scripts; lower values lock out users whose dead sessions still wait for their idle limit."""

DIRECTED_PER_SESSION = 200
"""JIDs a session has sent directed presence to and that must hear `unavailable` from it (RFC 6121 section 4.6.3).
Each costs one stanza when the session ends, so it is also the amplification of one disconnect."""

NODES = 100_000
"""Nodes of the pubsub service: 2,000 agents with about ten nodes each, five times over. The disco#items answer is
paged."""

NODE_NAME_BYTES = 1024
"""UTF-8 length of a node name: the resource part of a JID, the nearest thing RFC 7622 defines, ends at 1,023.
Finesse's own names stay under 100. The name is spliced twice into every notification."""

ITEM_ID_BYTES = 1024
"""UTF-8 length of an item id given by a publisher; same reasoning as the node name."""

PAYLOAD_BYTES = 262_144
"""Serialised payload of one item. A full User or Team is 1 to 40 kB; an item over this would fill a session's queue
alone."""

SUBSCRIPTIONS_PER_NODE = 100_000
"""Subscribers of one node (SystemInfo has every user). Resolving them after a change costs about 0.3 microseconds
each."""

SUBSCRIPTIONS_PER_USER = 2_000
"""Subscriptions of one user over all nodes and resources. A supervisor of 50 agents has about 300. When it is
reached, the oldest subscription of a resource that is no longer connected makes room: explicit ones outlive their
session by design."""

ITEMS_PER_NODE = 1_000
"""Items that a node which keeps items may keep; `max` in its configuration stands for this."""

ITEM_BYTES_PER_NODE = 1_048_576
"""Bytes of the same, overheads included."""

ITEM_BYTES_TOTAL = 67_108_864
"""Bytes of all kept items together: the most memory they can ever cost."""

ITEMS_PER_ANSWER = 500
"""Most items in one answer; more are asked for with XEP-0059."""

ANSWER_BYTES = 200_000
"""Most bytes of payloads in one answer: under the stanza limit of ordinary clients (262,144) with room for markup."""

AFFILIATIONS_PER_NODE = 10_000
"""Users with an affiliation to one node; five times the agents of a large centre."""

OFFLINE_MESSAGES_PER_USER = 100
"""Messages with a body kept for one absent user (XEP-0160); handed out in one burst, so it must fit a session's
queue."""

OFFLINE_BYTES_PER_USER = 102_400
"""Bytes of the same; 100 KiB is the quota administrators of such servers know."""

OFFLINE_BYTES_TOTAL = 67_108_864
"""Bytes of all kept messages together: the most memory that chat to absent users can ever cost."""

OFFLINE_KEEP_S = 14 * 86_400.0
"""Seconds a message waits for its receiver: two weeks of holiday. Longer finds chat of a world that has moved on."""

HANDED_OUT_S = 60.0
"""Seconds a message stays in the store after it was handed to a session. By then a session that died has given back
what it had not collected (its idle limit is 60 s); a server that dies before hands it out again: twice rather than
never."""

DOCUMENT_BYTES = 65_536
"""Bytes of one vCard or one element of private storage: a portrait fits, a film does not."""

DOCUMENT_BYTES_PER_USER = 131_072
"""Bytes of all such documents of one user."""

DOCUMENTS_PER_USER = 50
"""Documents of one user."""

DOCUMENT_BYTES_TOTAL = 67_108_864
"""Bytes of all documents together: the most memory they can ever cost."""

DISCO_PAGE_ITEMS = 2_000
"""Most items in one disco#items answer, about 200 kB; more are asked for with XEP-0059. Smaller pages lose clients that
do not know paging (the node list of a small site must fit in one)."""


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """Every bound of the host as one value; the defaults are the constants above."""

    resources_per_user: int = RESOURCES_PER_USER
    directed_per_session: int = DIRECTED_PER_SESSION
    nodes: int = NODES
    node_name_bytes: int = NODE_NAME_BYTES
    item_id_bytes: int = ITEM_ID_BYTES
    payload_bytes: int = PAYLOAD_BYTES
    subscriptions_per_node: int = SUBSCRIPTIONS_PER_NODE
    subscriptions_per_user: int = SUBSCRIPTIONS_PER_USER
    items_per_node: int = ITEMS_PER_NODE
    item_bytes_per_node: int = ITEM_BYTES_PER_NODE
    item_bytes_total: int = ITEM_BYTES_TOTAL
    items_per_answer: int = ITEMS_PER_ANSWER
    answer_bytes: int = ANSWER_BYTES
    affiliations_per_node: int = AFFILIATIONS_PER_NODE
    offline_messages_per_user: int = OFFLINE_MESSAGES_PER_USER
    offline_bytes_per_user: int = OFFLINE_BYTES_PER_USER
    offline_bytes_total: int = OFFLINE_BYTES_TOTAL
    offline_keep_s: float = OFFLINE_KEEP_S
    handed_out_s: float = HANDED_OUT_S
    document_bytes: int = DOCUMENT_BYTES
    document_bytes_per_user: int = DOCUMENT_BYTES_PER_USER
    documents_per_user: int = DOCUMENTS_PER_USER
    document_bytes_total: int = DOCUMENT_BYTES_TOTAL
    disco_page_items: int = DISCO_PAGE_ITEMS
    presence_burst: int = PRESENCE_BURST
    presence_per_s: float = PRESENCE_PER_S
    replacement_burst: int = REPLACEMENT_BURST
    replacement_per_s: float = REPLACEMENT_PER_S
    replay_notifications: bool = False
    """Whether notifications for absent users are kept and handed out like messages, as Openfire does; otherwise they
    are counted, and clients fetch the state when they return."""
