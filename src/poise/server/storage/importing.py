"""Accounts in bulk: rows of text in, checked accounts or a report by line out; and the demo's data."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import argon2

from poise.server.hashing import password_hasher
from poise.server.storage.configuration import Configuration
from poise.server.storage.records import COLUMNS, Account, ReasonCodeRecord, Role
from poise.server.storage.store import Store
from poise.server.storage.verifiers import Verifiers

LOGIN_MAX = 64
"""Longest login id and login name, as the table has them."""
FORBIDDEN_IN_ID = frozenset("\"&'/:<>@\\ ")
"""What RFC 7622 section 3.3.1 keeps out of a local part, which the login id is; a backslash would clash with XEP-0106
(escaping)."""
MEMORY_KIB_MAX = 1024 * 1024
"""Most memory an imported hash may ask for: whoever writes the file must not be able to stop the server with it."""
PASSES_MAX = 16
"""Most passes an imported hash may ask for; see MEMORY_KIB_MAX."""


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do."""

    accepted: int = 0
    """Rows that are good."""
    problems: list[tuple[int, str]] = field(default_factory=list)
    """Line number and what is wrong there; nothing was written when there is one."""


async def import_accounts(
    store: Store,
    rows: Iterable[tuple[int, Mapping[str, str]]],
    *,
    dry_run: bool = False,
    verifiers: Verifiers | None = None,
) -> ImportReport:
    """Write all rows, or none when one is bad. Each row is a line number and its columns. Raises StoreError.

    Plain passwords are hashed, 25 ms each, only when everything else is good; with `verifiers` what SCRAM needs is kept
    too.
    """
    report = ImportReport()
    checked, report.problems = checked_accounts(rows, await store.account_names())
    report.accepted = len(checked)
    if not report.problems and not dry_run:
        accounts = await asyncio.to_thread(hashed, checked)
        await store.put_accounts(accounts)
        for account, (row, _) in zip(accounts, checked, strict=True):
            if verifiers is not None and row.get("password"):
                await verifiers.learn(account, row["password"])
    return report


Checked = tuple[Mapping[str, str], frozenset[Role]]


def checked_accounts(
    rows: Iterable[tuple[int, Mapping[str, str]]], names: Mapping[str, str]
) -> tuple[list[Checked], list[tuple[int, str]]]:
    """The good rows with their roles, and what is wrong with the others by line. `names`: accounts there are, login id
    by case-folded login name."""
    checked: list[Checked] = []
    problems: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    for line, row in rows:
        roles = _roles(row.get("roles", ""))
        problem = _problem(row, roles) or _clash(row, names, seen)
        if problem or roles is None:
            problems.append((line, problem or ""))
            continue
        seen[row["login_id"]] = line
        seen.setdefault(_login_name(row).casefold(), line)
        checked.append((row, roles))
    return checked, problems


def _login_name(row: Mapping[str, str]) -> str:
    return row.get("login_name") or row["login_id"]


def hashed(checked: Iterable[Checked]) -> list[Account]:
    """Accounts of good rows; plain passwords take 25 ms each."""
    hasher = password_hasher()
    return [
        Account(row["login_id"], _login_name(row), row.get("password_hash") or hasher.hash(row["password"]), roles)
        for row, roles in checked
    ]


def _roles(text: str) -> frozenset[Role] | None:
    try:
        return frozenset(Role(word.casefold()) for word in text.replace(",", " ").replace(";", " ").split())
    except ValueError:
        return None


def _problem(row: Mapping[str, str], roles: frozenset[Role] | None) -> str:
    login_id = row.get("login_id") or ""
    unknown = sorted(column for column in row if column not in COLUMNS)
    if unknown:
        return f"column {unknown[0]} is not one of {', '.join(COLUMNS)}"
    if (
        not login_id
        or len(login_id) > LOGIN_MAX
        or FORBIDDEN_IN_ID.intersection(login_id)
        or not login_id.isprintable()
    ):
        return f"login_id needs 1 to {LOGIN_MAX} printable characters without spaces and \"&'/:<>@\\"
    if login_id != login_id.lower():
        return "login_id must be lower case: it is the local part of the JID"
    if len(_login_name(row)) > LOGIN_MAX or not _login_name(row).isprintable():
        return f"login_name may have up to {LOGIN_MAX} printable characters"
    if not roles:
        return f"roles needs one or more of {', '.join(role.value for role in Role)}"
    if bool(row.get("password")) == bool(row.get("password_hash")):
        return "give either password or password_hash"
    return _hash_problem(row["password_hash"]) if row.get("password_hash") else ""


def _hash_problem(phc: str) -> str:
    try:
        parameters = argon2.extract_parameters(phc)
    except argon2.exceptions.InvalidHashError:
        return "password_hash is not a PHC string such as $argon2id$v=19$m=19456,t=2,p=1$salt$hash"
    if parameters.type is not argon2.Type.ID:
        return "password_hash is not argon2id"
    if parameters.memory_cost > MEMORY_KIB_MAX or parameters.time_cost > PASSES_MAX or len(phc) > 256:
        return "password_hash asks for too much work"
    return ""


def _clash(row: Mapping[str, str], names: Mapping[str, str], seen: Mapping[str, int]) -> str:
    login_id, key = row["login_id"], _login_name(row).casefold()
    for name in (login_id, key):
        if name in seen:
            return f"{name} was already given on line {seen[name]}"
    owner = names.get(key, login_id)
    return f"login_name {_login_name(row)} belongs to {owner}" if owner != login_id else ""


DEMO_REASON_CODES = (
    ReasonCodeRecord(1, "NOT_READY", 12, "Lunch", True),
    ReasonCodeRecord(2, "LOGOUT", 22, "End of shift", True),
)
"""One of each category; neither is required (architecture, section 5)."""


async def seed_demo(store: Store, verifiers: Verifiers | None = None) -> None:
    """Write the demo's accounts and reason codes where the accounts table is empty. Raises StoreError."""
    if await store.account_names():
        return
    agents = [(str(1000 + n), f"agent{n}", "agent") for n in range(1, 7)]
    supervisors = [(str(1100 + n), f"supervisor{n}", "agent supervisor") for n in (1, 2)]
    people = [*agents, *supervisors, ("admin", "admin", "administrator")]
    rows = [
        (line, {"login_id": login_id, "login_name": name, "password": login_id, "roles": roles})
        for line, (login_id, name, roles) in enumerate(people, 1)
    ]
    report = await import_accounts(store, rows, verifiers=verifiers)
    assert not report.problems, report.problems
    await Configuration(store).put_reason_codes(DEMO_REASON_CODES)
