"""Every endpoint of configuration, made from the table."""

from __future__ import annotations

from collections.abc import Iterator

from poise.finesse.configuration.table import (
    ASSIGNED,
    CONTACT,
    LAYOUT_CONFIG,
    MEDIA_PROPERTIES_LAYOUT,
    PHONE_BOOK,
    REASON_CODE,
    ROWS,
    TEAM_LAYOUT_CONFIG,
    WORKFLOW,
    WRAP_UP_REASON,
    Products,
    Row,
)
from poise.server.webservices.configuration import objects, teams
from poise.server.webservices.configuration.endpoints import Endpoint, Work, resources

_OFFERED = (REASON_CODE, WRAP_UP_REASON, MEDIA_PROPERTIES_LAYOUT, PHONE_BOOK, WORKFLOW)
"""What members read as lists."""
_READS = (200, 401, 403)
_WRITES = (200, 400, 401, 403, 413)


def _by_product(row: Row, statuses: tuple[int, ...]) -> tuple[int, ...]:
    """501 where the product has no such resource."""
    return (*statuses, 501) if row.products is Products.UCCE else statuses


def _of_only(row: Row, path: str, read: Work, change: Work, more: tuple[int, ...] = ()) -> Iterator[Endpoint]:
    """The only object of its kind; 404: its previous version, where there is none yet."""
    reads = _by_product(row, (*_READS, *((404,) if row.keeps_previous else ())))
    writes = _by_product(row, (*_WRITES, 409, *more))
    yield Endpoint("GET", path, row, read, row.name, readers=row.readers, statuses=reads)
    yield Endpoint("PUT", path, row, change, "", row.name, statuses=writes)


def _of_row(row: Row) -> Iterator[Endpoint]:
    if row is TEAM_LAYOUT_CONFIG:
        for path in ("/Team/{team}/LayoutConfig", "/Team/{team}/Layout"):
            yield from _of_only(row, path, teams.read_team_layout, teams.change_team_layout, (404,))
        return
    if row.only_one:
        yield from _of_only(row, f"/{row.path or row.name}", objects.read_object, objects.change_object)
        return
    above = f"/{row.parent}/{{parent}}" if row.parent else ""
    one, readers = f"{above}/{row.name}/{{number}}", row.readers
    listing = (*_READS, 206, 404, 416) if row.parent else (*_READS, 400) if row is REASON_CODE else _READS
    making = (*_WRITES, 404) if row.parent else _WRITES
    deleting = (*_READS, 404, 409, *((400,) if row.pointed_at or row is MEDIA_PROPERTIES_LAYOUT else ()))
    yield Endpoint("GET", f"{above}/{row.plural}", row, objects.list_objects, row.plural, "", readers, listing)
    yield Endpoint("POST", f"{above}/{row.name}", row, objects.make_object, "", row.name, statuses=making)
    yield Endpoint("GET", one, row, objects.read_object, row.name, readers=readers, statuses=(*_READS, 404))
    yield Endpoint("PUT", one, row, objects.change_object, "", row.name, statuses=(*_WRITES, 404, 409))
    yield Endpoint("DELETE", one, row, objects.delete_object, "", statuses=deleting)


def _of_contacts() -> Iterator[Endpoint]:
    statuses = (202, 400, 401, 403, 404, 413)
    path = "/PhoneBook/{parent}/Contacts"
    for method in ("PUT", "POST"):
        yield Endpoint(method, path, CONTACT, objects.import_contacts, "", "Contacts", statuses=statuses)
    file = f"{path}/csvFileContent"
    yield Endpoint("GET", file, CONTACT, objects.export_csv, "text/csv", statuses=(*_READS, 404))
    yield Endpoint("POST", file, CONTACT, objects.import_csv, "", "multipart/form-data", statuses=statuses)


def _of_teams() -> Iterator[Endpoint]:
    for segment, row in ASSIGNED.items():
        for path in dict.fromkeys((f"/Team/{{team}}/{segment}", f"/Team/{{team}}/{row.plural}")):
            reads = (*_READS, 404, 400) if row is REASON_CODE else (*_READS, 404)
            yield Endpoint("GET", path, row, teams.read_assignment, row.plural, statuses=reads)
            yield Endpoint("PUT", path, row, teams.change_assignment, "", row.plural, statuses=(*_WRITES, 404))
    for row in _OFFERED:
        path = f"/TeamResource/{{team}}/{row.plural}"
        more = {PHONE_BOOK.name: (206, 416), REASON_CODE.name: (400,)}.get(row.name, ())
        statuses = (200, 401, 404, *more)
        yield _read(path, row, teams.read_team_resource, row.plural, statuses)


def _of_users() -> Iterator[Endpoint]:
    own = "/User/{user}"
    for row in _OFFERED:
        if row is not REASON_CODE:  # with the users: agents give them when they change their state
            statuses = (200, 206, 401, 404, 416) if row is PHONE_BOOK else (200, 401, 404)
            yield _read(f"{own}/{row.plural}", row, teams.read_user_resource, row.plural, statuses)
    wrap_up, layout = f"{own}/WrapUpReason/{{number}}", f"{own}/MediaPropertiesLayout"
    yield _read(wrap_up, WRAP_UP_REASON, teams.read_user_wrap_up_reason, "WrapUpReason", (200, 401, 404))
    yield _read(layout, MEDIA_PROPERTIES_LAYOUT, teams.read_user_media_layout, "MediaPropertiesLayout", (200, 401, 404))
    yield _read(f"{own}/LayoutConfig", LAYOUT_CONFIG, teams.read_user_layout, "LayoutConfig", (200, 401, 404))


def _read(path: str, row: Row, work: Work, gives: str, statuses: tuple[int, ...]) -> Endpoint:
    return Endpoint("GET", path, row, work, gives, readers=None, statuses=statuses, always=False)


ENDPOINTS: tuple[Endpoint, ...] = (
    *(endpoint for row in ROWS for endpoint in _of_row(row)),
    *_of_contacts(),
    *_of_teams(),
    *_of_users(),
)
"""Every method of every path."""
CONFIGURATION = tuple(resources(ENDPOINTS))
"""The same as rows of the gate."""
