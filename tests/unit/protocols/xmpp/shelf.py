"""A store made of dictionaries, which does to records what a database does."""

from __future__ import annotations

from poise.protocols.xmpp.delivery import Released, Unstored
from poise.protocols.xmpp.records import KEY_FIELDS, Change, Record, Removed, key_of
from tests.unit.protocols.xmpp.host_story import Stage
from tests.unit.protocols.xmpp.pubsub.story import Scene


class Shelf:
    """Everything that was stored."""

    def __init__(self) -> None:
        self.rows: dict[type[Record], dict[tuple[str | int, ...], Record]] = {kind: {} for kind in KEY_FIELDS}

    def apply(self, change: Change) -> None:
        """Write one change."""
        if isinstance(change, Removed):
            rows = self.rows[change.kind]
            for key in [key for key in rows if key[: len(change.key)] == change.key]:
                del rows[key]
        else:
            self.rows[type(change)][key_of(change)] = change

    def records(self) -> list[Record]:
        """What a start reads: kinds in their order, numbered records by number, others in any order."""
        found: list[Record] = []
        for rows in self.rows.values():
            found += sorted(rows.values(), key=lambda record: getattr(record, "number", 0))
        return found

    def of(self, kind: type[Record]) -> list[Record]:
        """The records of one kind."""
        return list(self.rows[kind].values())


def save(stage: Stage, shelf: Shelf, durable: bool = True) -> list[Released]:
    """Write what waits, say so, and give out what waited for it; whose answers may be given out now."""
    events = list(stage.host.events)
    stage.host.events.clear()
    token = 0
    for event in events:
        if isinstance(event, Unstored):
            token = event.token
            for change in event.changes if durable else ():
                shelf.apply(change)
    if token:
        stage.host.stored(token, stage.now, durable)
    stage.deliver()
    released = [event for event in stage.host.events if isinstance(event, Released)]
    stage.host.events.clear()
    return released


def restarted(shelf: Shelf, *product_nodes: str, after_s: float = 0.0) -> Scene:
    """A new server that reads what was stored; the product has made its nodes."""
    scene = Scene(ready=False)
    scene.now += after_s
    assert scene.host.restore(shelf.records(), scene.now) == 0
    for node in product_nodes:
        scene.host.create_node(node)
    scene.admin = scene.join("admin")
    return scene
