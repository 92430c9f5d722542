"""What is done with configuration objects: list, make, read, change, delete; and contacts in bulk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.configuration import contacts
from poise.finesse.configuration.fields import complete, masked, nodes, read
from poise.finesse.configuration.table import BY_NAME, CONTACT, MEDIA_PROPERTIES_LAYOUT, REASON_CODE, Row, number_of
from poise.finesse.markup import Node, branch, render
from poise.finesse.reason_codes import ALL, category_of_query
from poise.server.storage.configuration import ONLY, Stored
from poise.server.webservices.configuration import bodies
from poise.server.webservices.configuration.bodies import answer
from poise.server.webservices.configuration.service import ConfigurationService
from poise.server.webservices.resources import Answer, Call

CSV = "text/csv;charset=UTF-8"


# ---- words


def node_of(row: Row, stored: Stored, uri: str = "") -> Node:
    """One object as an element; `uri` where it is not its own address."""
    address = uri or row.uri(stored.number, stored.parent)
    return branch(row.name, nodes(stored.document, row.fields, address, stored.number))


def list_of(row: Row, children: Iterable[Node], category: str = "") -> bytes:
    """A list of objects."""
    attributes = f' category="{category}"' if category else ""
    return render(Node(row.plural, tuple(children), attributes)).encode()


def in_category(call: Call, row: Row, objects: Iterable[Stored]) -> tuple[list[Stored], str]:
    """The objects of the query's category, and its name; reason codes only have one. Raises ApiException."""
    if row is not REASON_CODE:
        return list(objects), ""
    category = category_of_query(call.request.query_params.get("category"))
    if category is None:
        return list(objects), ALL
    return [one for one in objects if one.document["category"] == category.value], category.value


def number_in(call: Call, row: Row) -> int:
    """The object that the path names. Raises ApiException."""
    if row.only_one:
        return ONLY
    given = call.parts["number"]
    if row is MEDIA_PROPERTIES_LAYOUT and given == "default":
        return ONLY  # made with the tables, and never deleted
    number = number_of(given)
    if number is None:
        raise ApiException(Code.NOT_FOUND, given[:64])
    return number


def parent_in(call: Call, row: Row) -> int:
    """The object above the one that the path names; 0 where there is none. Raises ApiException."""
    if not row.parent:
        return 0
    number = number_of(call.parts["parent"])
    if number is None:
        raise ApiException(Code.NOT_FOUND, call.parts["parent"][:64])
    return number


def noted(
    call: Call,
    service: ConfigurationService,
    uri: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    row: Row | None = None,
) -> None:
    """Write a change down in the audit log."""
    client = call.request.client
    service.audit.changed(
        user=call.caller.user_id,
        address=client.host if client is not None else "",
        method=call.request.method,
        uri=uri,
        before=masked(before, row.fields) if before is not None and row is not None else before,
        after=masked(after, row.fields) if after is not None and row is not None else after,
    )


async def _told(service: ConfigurationService, row: Row) -> None:
    if row is REASON_CODE:
        await service.reasons_changed()


def _tag(version: int) -> tuple[str, str]:
    return "ETag", f'"{version}"'


# ---- work


async def list_objects(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """All objects of the kind."""
    parent = parent_in(call, row)
    found, category = in_category(call, row, await service.configuration.all(row, parent))
    if not row.parent:
        return answer(200, list_of(row, (node_of(row, one) for one in found), category))
    await service.configuration.one(_parent(row), parent)
    status, part, headers = bodies.within_range(call.request.headers.get("range"), found)
    return answer(status, list_of(row, (node_of(row, one) for one in part)), headers)


async def make_object(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """A new object; Location names it."""
    given = read(await bodies.element(call, row.name), row.fields)
    if given.get("type") == "DEFAULT":
        raise ApiException(Code.INVALID_INPUT, "type: the default is there already")
    made = await service.configuration.make(row, complete(given, row.fields), parent_in(call, row))
    uri = row.uri(made.number, made.parent)
    noted(call, service, uri, None, made.document, row)
    service.saw(call.caller.user_id, uri, made.version)
    await _told(service, row)
    address = f"{call.request.url.scheme}://{call.request.url.netloc}{uri}"
    return answer(200, headers=(("Location", address), _tag(made.version)))


async def read_object(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """One object; `?previous=true` shows it before its last change, where that is kept."""
    found = await service.configuration.one(row, number_in(call, row), parent_in(call, row))
    if row.keeps_previous and call.request.query_params.get("previous") == "true":
        if found.previous is None:
            raise ApiException(Code.NOT_FOUND, "previous")
        return answer(200, render(node_of(row, found._replace(document=found.previous))).encode())
    service.saw(call.caller.user_id, row.uri(found.number, found.parent), found.version)
    return answer(200, render(node_of(row, found)).encode(), (_tag(found.version),))


async def change_object(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """Change what the body names, and leave the rest."""
    given = read(await bodies.element(call, row.name), row.fields)
    if not given:
        raise ApiException(Code.INVALID_INPUT, "at least one parameter is needed")
    number, parent = number_in(call, row), parent_in(call, row)
    uri = row.uri(number, parent)
    seen = service.expected(call.caller.user_id, uri, call.request.headers.get("if-match"))
    change = await service.configuration.change(row, number, given, parent, seen)
    assert change.before is not None
    assert change.after is not None
    noted(call, service, uri, change.before.document, change.after.document, row)
    service.saw(call.caller.user_id, uri, change.after.version)
    await _told(service, row)
    return answer(200, headers=(_tag(change.after.version),))


async def delete_object(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """Delete an object with what belongs to it."""
    number, parent = number_in(call, row), parent_in(call, row)
    uri = row.uri(number, parent)
    seen = service.expected(call.caller.user_id, uri, call.request.headers.get("if-match"))
    before = await service.configuration.remove(row, number, parent, seen)
    noted(call, service, uri, before.document, None, row)
    await _told(service, row)
    return answer(200)


def _parent(row: Row) -> Row:
    return BY_NAME[row.parent]


# ---- contacts in bulk


async def import_contacts(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """Replace all contacts of a phone book by those of an XML body; what is no contact is skipped."""
    element = await bodies.element(call, CONTACT.plural)
    return await _replaced(call, service, row, await asyncio.to_thread(contacts.from_xml, element))


async def import_csv(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """Replace all contacts of a phone book by the rows of a CSV file; what is no contact is skipped."""
    data = await bodies.datafile(call)
    return await _replaced(call, service, row, await asyncio.to_thread(contacts.from_csv, data))


async def _replaced(call: Call, service: ConfigurationService, row: Row, found: contacts.Contacts) -> Answer:
    book = parent_in(call, row)
    before = await service.configuration.replace_contacts(book, found.documents)
    uri = f"{_parent(row).uri(book)}/{row.plural}"
    noted(call, service, uri, {"contacts": before}, {"contacts": len(found.documents), "skipped": found.skipped[:20]})
    return answer(
        202, headers=(("poise-imported", str(len(found.documents))), ("poise-skipped", str(len(found.skipped))))
    )


async def export_csv(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """The contacts of a phone book as the CSV file that an import takes."""
    book = parent_in(call, row)
    await service.configuration.one(_parent(row), book)
    found = await service.configuration.all(row, book)
    body = await asyncio.to_thread(contacts.to_csv, [one.document for one in found])
    return answer(200, body, (("Content-Disposition", 'attachment; filename="contacts.csv"'),), CSV)
