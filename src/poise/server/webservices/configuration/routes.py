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
    Row,
)
from poise.server.webservices.configuration import objects, teams
from poise.server.webservices.configuration.endpoints import Endpoint, Work, resources

_OFFERED = (REASON_CODE, WRAP_UP_REASON, MEDIA_PROPERTIES_LAYOUT, PHONE_BOOK, WORKFLOW)
"""What members read as lists."""
_WRITES = (200, 400, 401, 403, 404, 409, 413)
_READS = (200, 401, 403, 404)


def _of_row(row: Row) -> Iterator[Endpoint]:
    above = f"/{row.parent}/{{parent}}" if row.parent else ""
    listing = (200, 206, 401, 403, 404, 416) if row.parent else (200, 400, 401, 403)
    if row is TEAM_LAYOUT_CONFIG:
        for path in ("/Team/{team}/LayoutConfig", "/Team/{team}/Layout"):
            yield Endpoint("GET", path, row, teams.read_team_layout, row.name, statuses=_READS)
            yield Endpoint("PUT", path, row, teams.change_team_layout, "", row.name, statuses=_WRITES)
        return
    if row.only_one:
        path = f"/{row.path or row.name}"
        yield Endpoint("GET", path, row, objects.read_object, row.name, readers=row.readers, statuses=_READS)
        yield Endpoint("PUT", path, row, objects.change_object, "", row.name, statuses=_WRITES)
        return
    one = f"{above}/{row.name}/{{number}}"
    readers = row.readers
    yield Endpoint("GET", f"{above}/{row.plural}", row, objects.list_objects, row.plural, "", readers, listing)
    yield Endpoint("POST", f"{above}/{row.name}", row, objects.make_object, "", row.name, statuses=_WRITES)
    yield Endpoint("GET", one, row, objects.read_object, row.name, readers=readers, statuses=_READS)
    yield Endpoint("PUT", one, row, objects.change_object, "", row.name, statuses=_WRITES)
    yield Endpoint("DELETE", one, row, objects.delete_object, "", statuses=(200, 400, 401, 403, 404, 409))


def _of_contacts() -> Iterator[Endpoint]:
    statuses = (202, 400, 401, 403, 404, 413)
    path = "/PhoneBook/{parent}/Contacts"
    for method in ("PUT", "POST"):
        yield Endpoint(method, path, CONTACT, objects.import_contacts, "", "Contacts", statuses=statuses)
    file = f"{path}/csvFileContent"
    yield Endpoint("GET", file, CONTACT, objects.export_csv, "text/csv", statuses=_READS)
    yield Endpoint("POST", file, CONTACT, objects.import_csv, "", "multipart/form-data", statuses=statuses)


def _of_teams() -> Iterator[Endpoint]:
    for segment, row in ASSIGNED.items():
        for path in dict.fromkeys((f"/Team/{{team}}/{segment}", f"/Team/{{team}}/{row.plural}")):
            yield Endpoint("GET", path, row, teams.read_assignment, row.plural, statuses=(200, 400, 401, 403, 404))
            yield Endpoint(
                "PUT", path, row, teams.change_assignment, "", row.plural, statuses=(200, 400, 401, 403, 404)
            )
    for row in _OFFERED:
        path = f"/TeamResource/{{team}}/{row.plural}"
        statuses = (200, 206, 400, 401, 404, 416) if row is PHONE_BOOK else (200, 400, 401, 404)
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
