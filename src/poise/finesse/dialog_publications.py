"""Which nodes are told what when a dialog changes: one item on the Dialogs node of every agent who sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from poise.contact.dialog_rules import MAKES_A_DIALOG
from poise.contact.dialogs import DialogChange, DialogChanged, DialogFailed
from poise.contact.states import Deployment
from poise.finesse import nodes
from poise.finesse.dialog_failures import failure_update
from poise.finesse.dialogs import dialog_update, dialogs_update
from poise.finesse.publications import Publication
from poise.finesse.update import Event, update


def dialog_publications(changes: Iterable[DialogChange], deployment: Deployment) -> Iterator[Publication]:
    """Everything to publish for changes of one moment: what is over first, then what is new or different.

    So a desktop that shows one call at a time never holds a consultation and the call it was merged into.
    """
    told = list(changes)
    for change in told:
        if isinstance(change, DialogChanged):
            yield from _gone(change)
    for change in told:
        if isinstance(change, DialogChanged):
            yield from _present(change)
        else:
            yield _failed(change, deployment)


def _gone(change: DialogChanged) -> Iterator[Publication]:
    before, after, request_id = change
    if before is None:
        return
    left = [agent for agent in before.viewers if after is None or agent not in after.viewers]
    if not left:
        return
    data = dialogs_update((after or before).dialog.gone())
    for agent in left:
        node = nodes.dialogs(agent)
        yield Publication(node, update(data, Event.DELETE, request_id, node))


def _present(change: DialogChanged) -> Iterator[Publication]:
    before, after, request_id = change
    if after is None:
        return
    known = before.viewers if before is not None else ()
    new = [agent for agent in after.viewers if agent not in known]
    if new:
        data = dialogs_update(after.dialog)
        for agent in new:
            node = nodes.dialogs(agent)
            yield Publication(node, update(data, Event.POST, request_id, node))
    old = [agent for agent in after.viewers if agent in known]
    if old and before is not None and (before.dialog != after.dialog or before == after):
        source = nodes.dialog(after.dialog.dialog_id)
        payload = update(dialog_update(after.dialog), Event.PUT, request_id, source)
        for agent in old:
            yield Publication(nodes.dialogs(agent), payload)


def _failed(failure: DialogFailed, deployment: Deployment) -> Publication:
    node = nodes.dialogs(failure.agent_id)
    source = node if failure.action in MAKES_A_DIALOG or not failure.dialog_id else nodes.dialog(failure.dialog_id)
    return Publication(node, update(failure_update(failure, deployment), Event.PUT, failure.request_id, source))
