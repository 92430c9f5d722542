"""Configuration objects in the database: every change is one transaction that checks and writes.

Theory. Whoever changes objects of a kind first takes the kind's counter row, and holds it until the transaction ends;
so uniqueness, limits and versions are checked against what will be true when the change is written, whichever process
or engine it is. A version rises with every change: who says which one he has seen cannot overwrite another's change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.configuration.fields import Document
from poise.finesse.configuration.table import ALL, BY_NAME, CONTACT, PHONE_BOOK, REASON_CODE, WITHIN, Row, number_of
from poise.server.storage.records import ReasonCodeRecord
from poise.server.storage.store import ROWS_PER_STATEMENT, Store
from poise.server.storage.tables import config_counters as counters
from poise.server.storage.tables import config_keys as keys
from poise.server.storage.tables import config_objects as objects
from poise.server.storage.tables import team_assignments as assignments

ONLY = 1
"""Number of an object of which there is one."""


class Stored(NamedTuple):
    """One object."""

    number: int
    parent: int
    version: int
    """Rises by one with every change; 0: nobody has changed it from what it is at first."""
    document: Document
    previous: Document | None = None


class Change(NamedTuple):
    """What a write did."""

    before: Stored | None
    after: Stored | None


class Configuration:
    """Reads and writes on the store's own thread. What is refused is an ApiException; the database's trouble, a
    StoreError."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def all(self, row: Row, parent: int = 0) -> list[Stored]:
        """The objects of a kind, in the order of their numbers."""
        return await self.store.run(lambda connection: listed(connection, row, parent))

    async def one(self, row: Row, number: int, parent: int = 0) -> Stored:
        """One object; the only one of its kind is there from the beginning."""
        return await self.store.run(lambda connection: found(connection, row, number, parent))

    async def make(self, row: Row, document: Document, parent: int = 0) -> Stored:
        """A new object."""
        return await self.store.run(lambda connection: made(connection, row, document, parent))

    async def change(
        self, row: Row, number: int, fields: Mapping[str, Any], parent: int = 0, seen: int | None = None
    ) -> Change:
        """Change some fields. `seen`: the version that the change was made for."""
        return await self.store.run(lambda connection: changed(connection, row, number, fields, parent, seen))

    async def remove(self, row: Row, number: int, parent: int = 0, seen: int | None = None) -> Stored:
        """Delete an object with what belongs to it."""
        return await self.store.run(lambda connection: removed(connection, row, number, parent, seen))

    async def replace_contacts(self, book: int, documents: Sequence[Document]) -> int:
        """All contacts of a phone book anew. How many there were."""
        return await self.store.run(lambda connection: contacts_replaced(connection, book, documents))

    async def assigned(self, team: int, row: Row) -> list[Stored]:
        """What a team has besides what everyone has."""
        return await self.store.run(lambda connection: assigned(connection, team, row))

    async def assign(self, team: int, row: Row, numbers: Sequence[int], bucket: str = "") -> Change:
        """Replace what a team has; `bucket`: only of objects whose bucket begins so."""
        return await self.store.run(lambda connection: assign(connection, team, row, numbers, bucket))

    async def reason_codes(self) -> list[ReasonCodeRecord]:
        """All reason codes with their teams, in the order of their ids."""
        return await self.store.run(reason_codes)

    async def put_reason_codes(self, records: Sequence[ReasonCodeRecord]) -> None:
        """Add reason codes, or replace those with the same id."""
        await self.store.run(lambda connection: _put_reason_codes(connection, records))


# ---- reading, inside a transaction


def _stored(row: Any) -> Stored:
    previous = json.loads(row.previous) if row.previous else None
    return Stored(row.number, row.parent, row.version, json.loads(row.document), previous)


def listed(connection: sa.Connection, row: Row, parent: int = 0) -> list[Stored]:
    """The objects of a kind, in the order of their numbers."""
    query = sa.select(objects).where(objects.c.kind == row.name, objects.c.parent == parent).order_by(objects.c.number)
    return [_stored(one) for one in connection.execute(query)]


def found(connection: sa.Connection, row: Row, number: int, parent: int = 0) -> Stored:
    """One object. Raises ApiException."""
    query = sa.select(objects).where(objects.c.kind == row.name, objects.c.number == number, objects.c.parent == parent)
    one = connection.execute(query).one_or_none()
    if one is not None:
        return _stored(one)
    if row.only_one:
        return Stored(number, parent, 0, row.initial())
    raise ApiException(Code.NOT_FOUND, row.uri(number, parent))


def assigned(connection: sa.Connection, team: int, row: Row) -> list[Stored]:
    """What a team has besides what everyone has."""
    query = (
        sa.select(objects)
        .join(assignments, sa.and_(assignments.c.kind == objects.c.kind, assignments.c.number == objects.c.number))
        .where(assignments.c.team == team, objects.c.kind == row.name)
        .order_by(objects.c.number)
    )
    return [_stored(one) for one in connection.execute(query)]


def reason_codes(connection: sa.Connection) -> list[ReasonCodeRecord]:
    """All reason codes with their teams."""
    query = sa.select(assignments.c.number, assignments.c.team).where(assignments.c.kind == REASON_CODE.name)
    teams: dict[int, set[int]] = {}
    for number, team in connection.execute(query):
        teams.setdefault(number, set()).add(team)
    return [
        ReasonCodeRecord(
            one.number,
            one.document["category"],
            one.document["code"],
            one.document["label"],
            one.document["forAll"],
            frozenset(teams.get(one.number, ())),
        )
        for one in listed(connection, REASON_CODE)
    ]


# ---- writing, inside a transaction


def _take(connection: sa.Connection, *kinds: str, count: int = 0) -> int:
    """Hold the kinds until the transaction ends, and give `count` new numbers of the first: the one before them."""
    for kind in sorted(set(kinds)):  # in one order, or two who want both would wait for each other
        step = count if kind == kinds[0] else 0
        statement = sa.update(counters).where(counters.c.kind == kind).values(last=counters.c.last + step)
        assert connection.execute(statement).rowcount == 1, kind
    last = connection.execute(sa.select(counters.c.last).where(counters.c.kind == kinds[0])).scalar_one()
    return int(last) - count


def _held(row: Row) -> tuple[str, ...]:
    """Kinds that a change of this one must find standing still."""
    pointing = [other.name for other in BY_NAME.values() if other.pointed_at and other.pointed_at[0] == row.name]
    belonging = [other.name for other in BY_NAME.values() if other.parent == row.name]
    above = [row.parent] if row.parent else []
    pointed = [row.pointed_at[0]] if row.pointed_at else []
    return (row.name, *pointing, *belonging, *above, *pointed)


def made(connection: sa.Connection, row: Row, document: Document, parent: int = 0) -> Stored:
    """A new object. Raises ApiException."""
    row.check(document)
    number = _take(connection, *_held(row), count=1) + 1
    if row.parent:
        found(connection, BY_NAME[row.parent], parent)
    _pointers_exist(connection, row, document)
    _room(connection, row, row.bucket_of(document), parent, 1)
    _name(connection, row, number, document, parent)
    connection.execute(sa.insert(objects), [_values(row, number, parent, 1, document)])
    return Stored(number, parent, 1, document)


def changed(
    connection: sa.Connection,
    row: Row,
    number: int,
    fields: Mapping[str, Any],
    parent: int = 0,
    seen: int | None = None,
) -> Change:
    """Change some fields. Raises ApiException."""
    _take(connection, *_held(row))
    before = found(connection, row, number, parent)
    _not_stale(before, row, seen)
    document = {**before.document, **fields, **{name: before.document[name] for name in row.fixed}}
    if document == before.document and before.version:
        return Change(before, before)
    row.check(document)
    _pointers_exist(connection, row, document)
    bucket = row.bucket_of(document)
    if before.version and bucket != row.bucket_of(before.document):
        _room(connection, row, bucket, parent, 1)
    _forget_names(connection, row, [number])
    _name(connection, row, number, document, parent)
    values = _values(row, number, parent, before.version + 1, document)
    if before.version == 0:
        connection.execute(sa.insert(objects), [values])
        return Change(before, Stored(number, parent, 1, document))
    if row.keeps_previous:
        values["previous"] = json.dumps(before.document)
    here = sa.and_(objects.c.kind == row.name, objects.c.number == number)
    connection.execute(sa.update(objects).where(here).values(**values))
    return Change(before, Stored(number, parent, before.version + 1, document, before.document))


def removed(connection: sa.Connection, row: Row, number: int, parent: int = 0, seen: int | None = None) -> Stored:
    """Delete an object with what belongs to it. Raises ApiException."""
    _take(connection, *_held(row))
    before = found(connection, row, number, parent)
    _not_stale(before, row, seen)
    if before.document.get("type") == "DEFAULT":
        raise ApiException(Code.FINESSE_API_ERROR, "the default cannot be deleted")
    if row.pointed_at is not None:
        kind, name = row.pointed_at
        for other in listed(connection, BY_NAME[kind]):
            if any(number_of(one["uri"]) == number for one in other.document.get(name, ())):
                raise ApiException(Code.FINESSE_API_ERROR, f"in use by {BY_NAME[kind].uri(other.number)}")
    for child in BY_NAME.values():
        if child.parent == row.name:
            _remove_all(connection, child, number)
    _forget_names(connection, row, [number])
    gone = (assignments.c.kind == row.name, assignments.c.number == number)
    connection.execute(sa.delete(assignments).where(*gone))
    connection.execute(sa.delete(objects).where(objects.c.kind == row.name, objects.c.number == number))
    return before


def contacts_replaced(connection: sa.Connection, book: int, documents: Sequence[Document]) -> int:
    """All contacts of a phone book anew. Raises ApiException."""
    last = _take(connection, CONTACT.name, PHONE_BOOK.name, count=len(documents))
    found(connection, PHONE_BOOK, book)
    before = _remove_all(connection, CONTACT, book)
    _room(connection, CONTACT, "", book, len(documents))
    for chunk in _chunks(list(enumerate(documents, last + 1))):
        connection.execute(
            sa.insert(objects), [_values(CONTACT, number, book, 1, document) for number, document in chunk]
        )
    return before


def assign(connection: sa.Connection, team: int, row: Row, numbers: Sequence[int], bucket: str = "") -> Change:
    """Replace what a team has. Raises ApiException."""
    _take(connection, row.name)
    for number in numbers:
        one = _exists(connection, row, number)
        if not row.bucket_of(one.document).startswith(bucket):
            raise ApiException(Code.INVALID_INPUT, row.uri(number))
    before = [one for one in assigned(connection, team, row) if row.bucket_of(one.document).startswith(bucket)]
    for one in before:
        gone = (assignments.c.team == team, assignments.c.kind == row.name, assignments.c.number == one.number)
        connection.execute(sa.delete(assignments).where(*gone))
    rows = [{"team": team, "kind": row.name, "number": number} for number in dict.fromkeys(numbers)]
    if rows:
        connection.execute(sa.insert(assignments), rows)
    uris = [row.uri(one.number) for one in before]
    after = [row.uri(number) for number in dict.fromkeys(numbers)]
    return Change(Stored(team, 0, 0, {"assigned": uris}), Stored(team, 0, 0, {"assigned": after}))


def _exists(connection: sa.Connection, row: Row, number: int) -> Stored:
    try:
        return found(connection, row, number)
    except ApiException:
        raise ApiException(Code.FINESSE_API_ERROR, f"{row.uri(number)} does not exist") from None


def _pointers_exist(connection: sa.Connection, row: Row, document: Document) -> None:
    for other in BY_NAME.values():
        if other.pointed_at is not None and other.pointed_at[0] == row.name:
            for one in document.get(other.pointed_at[1], ()):
                _exists(connection, other, number_of(one["uri"]) or 0)


def _not_stale(before: Stored, row: Row, seen: int | None) -> None:
    if seen is not None and seen != before.version:
        raise ApiException(Code.CHANGED_MEANWHILE, row.uri(before.number, before.parent))


def _room(connection: sa.Connection, row: Row, bucket: str, parent: int, more: int) -> None:
    """Raises ApiException when there are too many."""
    counted = {bucket: (objects.c.bucket == bucket,), WITHIN: (objects.c.parent == parent,), ALL: ()}
    for name, where in counted.items():
        most = row.limits.get(name)
        if most is None:
            continue
        query = sa.select(sa.func.count()).select_from(objects).where(objects.c.kind == row.name, *where)
        if int(connection.execute(query).scalar_one()) + more > most:
            raise ApiException(Code.MAXIMUM_EXCEEDED, f"{most} {row.plural}")


def _name(connection: sa.Connection, row: Row, number: int, document: Document, parent: int) -> None:
    for name in row.keys_of(document, parent):
        query = sa.select(keys.c.number).where(keys.c.kind == row.name, keys.c.name == name)
        owner = connection.execute(query).scalar()
        if owner is not None and owner != number:
            raise ApiException(Code.FINESSE_API_ERROR, f"duplicate of {row.uri(owner, parent)}: {name}")
        connection.execute(sa.insert(keys), [{"kind": row.name, "name": name, "number": number}])


def _forget_names(connection: sa.Connection, row: Row, numbers: Sequence[int]) -> None:
    if row.keys:
        connection.execute(sa.delete(keys).where(keys.c.kind == row.name, keys.c.number.in_(numbers)))


def _remove_all(connection: sa.Connection, row: Row, parent: int) -> int:
    gone = connection.execute(sa.delete(objects).where(objects.c.kind == row.name, objects.c.parent == parent))
    return gone.rowcount


def _values(row: Row, number: int, parent: int, version: int, document: Document) -> dict[str, Any]:
    return {
        "kind": row.name,
        "number": number,
        "parent": parent,
        "bucket": row.bucket_of(document),
        "version": version,
        "document": json.dumps(document),
        "previous": None,
    }


def _chunks(rows: list[Any]) -> Iterable[list[Any]]:
    return (rows[start : start + ROWS_PER_STATEMENT] for start in range(0, len(rows), ROWS_PER_STATEMENT))


def _put_reason_codes(connection: sa.Connection, records: Sequence[ReasonCodeRecord]) -> None:
    row = REASON_CODE
    last = _take(connection, row.name)
    for one in records:
        document = {"category": one.category, "code": one.code, "label": one.label, "forAll": one.for_all}
        _forget_names(connection, row, [one.id])
        connection.execute(sa.delete(objects).where(objects.c.kind == row.name, objects.c.number == one.id))
        _name(connection, row, one.id, document, 0)
        connection.execute(sa.insert(objects), [_values(row, one.id, 0, 1, document)])
    highest = max([last, *(one.id for one in records)])
    connection.execute(sa.update(counters).where(counters.c.kind == row.name).values(last=highest))
