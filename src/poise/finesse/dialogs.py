"""The Dialog resource: in REST answers and as the data of events, with the elements in the guide's order.

Both forms are the same elements from the same frozen picture (finesse-api.md 3.1, 5.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from poise.contact.dialogs import Dialog, MediaProperties, Participant
from poise.contact.snapshots import VOICE
from poise.finesse import nodes
from poise.finesse.markup import EVENT_INDENT, Node, branch, leaf, render, timestamp

MEDIA_TYPE = "Voice"


def dialog_xml(dialog: Dialog) -> str:
    """The answer to GET Dialog."""
    return render(dialog_node(dialog, "Dialog"))


def dialogs_xml(dialogs: Iterable[Dialog]) -> str:
    """The answer to GET User/Dialogs."""
    return render(branch("Dialogs", (dialog_node(dialog, "Dialog") for dialog in dialogs)))


def dialog_update(dialog: Dialog) -> str:
    """`dialog` as the data of a PUT event."""
    return render(dialog_node(dialog, "dialog"), EVENT_INDENT)


def dialogs_update(dialog: Dialog) -> str:
    """`dialogs` with one Dialog as the data of a POST or DELETE event."""
    return render(branch("dialogs", (dialog_node(dialog, "Dialog"),)), EVENT_INDENT)


def dialog_node(dialog: Dialog, tag: str) -> Node:
    """The dialog as an element."""
    return Node(tag, tuple(_children(dialog)))


def _children(dialog: Dialog) -> Iterator[Node]:
    yield leaf("associatedDialogUri", nodes.dialog(dialog.associated_id) if dialog.associated_id else "")
    yield leaf("id", dialog.dialog_id)
    yield leaf("secondaryId", dialog.secondary_id)
    yield leaf("mediaType", MEDIA_TYPE)
    yield leaf("fromAddress", dialog.from_address)
    yield leaf("toAddress", dialog.to_address)
    yield leaf("callbackNumber", dialog.callback_number)
    yield branch("mediaProperties", _properties(dialog.properties))
    yield branch("participants", (_participant(party) for party in dialog.participants))
    yield leaf("state", dialog.state.value)
    yield leaf("uri", nodes.dialog(dialog.dialog_id))
    if dialog.callback_time or dialog.callback_number:
        yield branch(
            "scheduledCallbackInfo",
            (leaf("callbackTime", dialog.callback_time), leaf("callbackNumber", dialog.callback_number)),
        )


def _properties(properties: MediaProperties) -> Iterator[Node]:
    yield leaf("mediaId", VOICE)
    yield leaf("dialedNumber", properties.dialed_number)
    yield leaf("callType", properties.call_type)
    yield leaf("DNIS", properties.dnis)
    yield leaf("queueNumber", properties.queue_number)
    yield leaf("queueName", properties.queue_name)
    day, call, sequence = properties.router_call_key or (None, None, None)
    yield leaf("callKeyCallId", call)
    yield leaf("callKeySequenceNum", sequence)
    yield leaf("callKeyPrefix", day)
    yield leaf("wrapUpReason", properties.wrap_up_reason)
    if properties.wrap_up_items:
        yield branch("wrapUpItems", (leaf("wrapUpItem", item) for item in properties.wrap_up_items))
    yield leaf("outboundClassification", properties.classification)
    yield branch(
        "callvariables",
        (branch("CallVariable", (leaf("name", name), leaf("value", value))) for name, value in properties.variables),
    )


def _participant(party: Participant) -> Node:
    return branch(
        "Participant",
        (
            branch("actions", (leaf("action", action.value) for action in party.actions)),
            leaf("mediaAddress", party.address),
            leaf("mediaAddressType", party.kind),
            leaf("startTime", timestamp(party.started_at)),
            leaf("state", party.state.value),
            leaf("stateCause", party.cause),
            leaf("stateChangeTime", timestamp(party.changed_at)),
        ),
    )
