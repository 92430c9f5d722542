"""Contacts of a phone book as CSV, in and out (finesse-api.md 4.7).

The heading is `First Name,Last Name,Phone Number,Notes`. An import replaces all contacts; rows that are no contacts are
skipped and counted. What goes out is read back as it was, and no spreadsheet takes a cell of it for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.configuration.fields import Document, complete, read, scalar
from poise.finesse.configuration.table import CONTACT, WITHIN
from poise.protocols.xmpp.xml import Element

HEADING = {
    "First Name": "firstName",
    "Last Name": "lastName",
    "Phone Number": "phoneNumber",
    "Notes": "description",
}
"""Column -> field."""
LINES_MAX = 4 * CONTACT.limits[WITHIN]
"""Lines that are looked at: far more than a book may have are no mistake of a few rows."""
_BY_NAME = {one.name: one for one in CONTACT.fields}
_FORMULA = ("=", "+", "-", "@", "\t", "'")


@dataclass(slots=True)
class Contacts:
    """What was read."""

    documents: list[Document] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    """Line (CSV) or place (XML) and what is wrong there."""


def from_csv(data: bytes) -> Contacts:
    """Contacts of a CSV file in UTF-8. Raises ApiException when it is none, or has too many."""
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        heading = [cell.strip() for cell in next(reader, [])]
        if "Phone Number" not in heading or any(cell not in HEADING for cell in heading):
            raise ApiException(Code.INVALID_INPUT, "datafile: the first line must be " + ",".join(HEADING))
        found = Contacts()
        for row in reader:
            if reader.line_num > LINES_MAX:
                raise ApiException(Code.MAXIMUM_EXCEEDED, f"{CONTACT.limits[WITHIN]} contacts")
            if any(cell.strip() for cell in row):
                _take(found, reader.line_num, dict(zip(heading, row, strict=False)) if len(row) <= len(heading) else {})
    except UnicodeDecodeError:
        raise ApiException(Code.INVALID_INPUT, "datafile: not UTF-8") from None
    except csv.Error as error:
        raise ApiException(Code.INVALID_INPUT, f"datafile: not CSV ({error})") from None
    return _within_limit(found)


def _take(found: Contacts, line: int, cells: Mapping[str, str]) -> None:
    try:
        document: Document = {}
        for column, value in cells.items():
            name = HEADING[column]
            document[name] = scalar(_plain(value.strip()), _BY_NAME[name], name)
        found.documents.append(complete(document, CONTACT.fields))
    except ApiException as refused:
        found.skipped.append((line, refused.data))


def from_xml(contacts: Element) -> Contacts:
    """Contacts of a `Contacts` element. Raises ApiException when there are too many."""
    found = Contacts()
    for place, element in enumerate(contacts.elements(), 1):
        try:
            found.documents.append(complete(read(element, CONTACT.fields), CONTACT.fields))
        except ApiException as refused:
            found.skipped.append((place, refused.data))
    return _within_limit(found)


def _within_limit(found: Contacts) -> Contacts:
    if len(found.documents) > CONTACT.limits[WITHIN]:
        raise ApiException(Code.MAXIMUM_EXCEEDED, f"{CONTACT.limits[WITHIN]} contacts")
    return found


def to_csv(documents: Iterable[Mapping[str, Any]]) -> bytes:
    """The file that `from_csv` reads."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADING)
    for document in documents:
        writer.writerow([_quoted(document.get(name, "")) for name in HEADING.values()])
    return out.getvalue().encode()


def _quoted(value: str) -> str:
    """A leading apostrophe keeps spreadsheets from computing; telephone numbers with + are what they are."""
    number = value.removeprefix("+").removeprefix("-").replace(" ", "")
    return f"'{value}" if value.startswith(_FORMULA) and not number.isdigit() else value


def _plain(value: str) -> str:
    return value[1:] if value.startswith("'") and value[1:].startswith(_FORMULA) else value
