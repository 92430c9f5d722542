"""A whole centre at once: people, reasons, phone books and everything else that is configured, all or nothing.

Everything is written in one transaction, a dry run too, which then takes it back: so it finds what a real run would
find. An object that is there already, by what must be unique of it, is changed to what the file says; others are made.
Running the same file twice changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.configuration.fields import Document, Field, Kind, complete, read
from poise.finesse.configuration.table import CONTACT, PHONE_BOOK, ROWS, TEAM_LAYOUT_CONFIG, Row, for_everyone
from poise.protocols.xmpp.xml import Element
from poise.server.storage import configuration as stored
from poise.server.storage.centre_file import Entry
from poise.server.storage.importing import checked_accounts, hashed
from poise.server.storage.store import Store, accounts_put
from poise.server.storage.tables import config_keys
from poise.server.storage.verifiers import Verifiers

USERS = "users"
TEAMS = "teams"
"""In a row of a section: ids of the teams it is assigned to."""
CONTACTS = "contacts"
"""In a row of PhoneBooks: its contacts, which replace those there are."""
SECTIONS: Mapping[str, Row] = {row.plural or row.name: row for row in ROWS if row not in (CONTACT, TEAM_LAYOUT_CONFIG)}
"""Section of a file -> what its rows are; actions come before the workflows that name them."""


@dataclass(slots=True)
class CentreReport:
    """What an import did, or would do."""

    counts: dict[str, int] = field(default_factory=dict)
    """Section -> rows that are good."""
    problems: list[tuple[int, str]] = field(default_factory=list)
    """Line and what is wrong there; nothing was written when there is one."""
    changes: list[tuple[str, Document | None, Document | None]] = field(default_factory=list)
    """For the audit log: address, before and after."""


class _TakeBack(Exception):  # noqa: N818 - ends a transaction, no fault of ours
    """Roll back."""


async def import_centre(
    store: Store, sections: Mapping[str, Sequence[Entry]], *, dry_run: bool = False, verifiers: Verifiers | None = None
) -> CentreReport:
    """Write everything, or nothing when a row is bad. Raises StoreError."""
    report = CentreReport()
    for name, entries in sections.items():
        if name != USERS and name not in SECTIONS:
            known = ", ".join((USERS, *SECTIONS))
            report.problems += [(entry.line, f"{name} is not one of {known}") for entry in entries[:1]]
    people = [
        (entry.line, {name: _text(value) for name, value in entry.values.items()}) for entry in sections.get(USERS, ())
    ]
    checked, problems = checked_accounts(people, await store.account_names())
    report.problems += problems
    report.counts[USERS] = len(checked)
    accounts = [] if report.problems or dry_run else await asyncio.to_thread(hashed, checked)

    def work(connection: sa.Connection) -> None:
        accounts_put(connection, accounts)
        for name, row in sorted(SECTIONS.items(), key=lambda one: one[1].pointed_at is None):
            for entry in sections.get(name, ()):
                try:
                    _put(connection, row, entry, report)
                    report.counts[name] = report.counts.get(name, 0) + 1
                except ApiException as refused:
                    report.problems.append(
                        (entry.line, f"{refused.error.type}: {refused.data or refused.error.message}")
                    )
        if report.problems or dry_run:
            raise _TakeBack

    try:
        await store.run(work)
    except _TakeBack:
        report.changes.clear()
    else:
        for account in accounts:
            shown = {"login_name": account.login_name, "roles": sorted(role.value for role in account.roles)}
            report.changes.append((f"account {account.login_id}", None, shown))
        for account, (row, _) in zip(accounts, checked, strict=True):
            if verifiers is not None and row.get("password"):
                await verifiers.learn(account, row["password"])
    report.problems.sort()
    return report


def _text(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _put(connection: sa.Connection, row: Row, entry: Entry, report: CentreReport) -> None:
    """One object. Raises ApiException; what it wrote until then is taken back with everything else."""
    values = dict(entry.values)
    teams, contacts = values.pop(TEAMS, []), values.pop(CONTACTS, None) if row is PHONE_BOOK else None
    if not row.plural:
        change = stored.changed(connection, row, stored.ONLY, _document(values, row))
        _note(report, row.uri(stored.ONLY), change)
        return
    document = complete(_document(values, row), row.fields)
    number = _known(connection, row, document)
    if number is None:
        made = stored.made(connection, row, document)
        number = made.number
        report.changes.append((row.uri(number), None, document))
    else:
        _note(report, row.uri(number), stored.changed(connection, row, number, document))
    if contacts is not None:
        found = [complete(_document(one, CONTACT), CONTACT.fields) for one in contacts]
        before = stored.contacts_replaced(connection, number, found)
        report.changes.append((f"{row.uri(number)}/Contacts", {"contacts": before}, {"contacts": len(found)}))
    if not for_everyone(row, document):
        for team in teams if isinstance(teams, list) else [teams]:
            _assign(connection, row, number, str(team))


def _note(report: CentreReport, uri: str, change: stored.Change) -> None:
    if change.before is not None and change.after is not None and change.before.document != change.after.document:
        report.changes.append((uri, change.before.document, change.after.document))


def _assign(connection: sa.Connection, row: Row, number: int, team: str) -> None:
    if not (team.isascii() and team.isdigit() and len(team) <= 9):
        raise _bad(f"{TEAMS}: {team[:32]} is no id of a team")
    has = [one.number for one in stored.assigned(connection, int(team), row)]
    if number not in has:
        stored.assign(connection, int(team), row, [*has, number])


def _known(connection: sa.Connection, row: Row, document: Document) -> int | None:
    """The object that has the first of what must be unique."""
    name = row.keys_of(document)[0]
    query = sa.select(config_keys.c.number).where(config_keys.c.kind == row.name, config_keys.c.name == name)
    number = connection.execute(query).scalar()
    return int(number) if number is not None else None


def _bad(text: str) -> ApiException:
    return ApiException(Code.INVALID_INPUT, text)


# ---- values of a file as the element that the API would have got


def _document(values: Any, row: Row) -> Document:
    if not isinstance(values, Mapping):
        raise _bad("names and values are needed")
    return read(Element(row.name, "", {}, tuple(_children(values, row.fields))), row.fields)


def _children(values: Mapping[str, Any], fields: Sequence[Field]) -> Iterator[Element]:
    by_name = {one.name: one for one in fields if not one.computed}
    for name, value in values.items():
        known = by_name.get(name)
        if known is None:
            raise _bad(f"{name} is not one of {', '.join(by_name)}")
        if known.kind is Kind.REPEATED:
            yield from (_element(name, one, known.fields) for one in _listed(name, value))
        elif known.kind is Kind.LIST:
            yield Element(name, "", {}, tuple(_element(known.item, one, known.fields) for one in _listed(name, value)))
        else:
            yield _element(name, value, known.fields)


def _element(name: str, value: Any, fields: Sequence[Field]) -> Element:
    if isinstance(value, Mapping) and fields:
        return Element(name, "", {}, tuple(_children(value, fields)))
    if isinstance(value, Mapping | list) or fields:
        raise _bad(f"{name} has another form")
    return Element(name, "", {}, (str(value),))


def _listed(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _bad(f"{name} is a list")
    return value
