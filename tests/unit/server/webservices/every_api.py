"""Every API of the guide that clients use while they run: verbs, roles, statuses, events. One row a request.

`test_every_api` plays each cell; the page is these rows. Write it with
`python -m tests.unit.server.webservices.every_api`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from poise.protocols.cti.constants import AgentState as Cti
from poise.protocols.cti.constants import FailureCode
from poise.protocols.cti.outputs import Outcome
from tests.unit.contact.switch import Switch
from tests.unit.server.webservices.stage import Rest

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "rest-runtime.md"
ROLES = (
    ("nobody", None),
    ("the user", "1001"),
    ("another agent", "1002"),
    ("supervisor", "1101"),
    ("administrator", "admin"),
)
"""Heading -> who asks. The user is 1001 of team 1, which the other agent shares and the supervisor supervises."""
ALL = (200,) * 5

Play = Callable[[Rest], None]


@dataclass(frozen=True)
class Row:
    """One request."""

    api: str
    """As the guide names it, for people."""
    method: str
    path: str
    """As it is sent; `{id}` stands for what `before` made."""
    statuses: tuple[int, ...]
    """By role."""
    body: str = ""
    events: tuple[tuple[str, str], ...] = ()
    """What a good answer is followed by: event and node."""
    before: Play = lambda rest: None
    after: Play = lambda rest: None
    """What the CTI server does about it."""
    note: str = ""


def ready(rest: Rest) -> None:
    """1001 is signed in and READY."""
    rest.contact.event(Cti.NOT_READY)
    rest.contact.event(Cti.AVAILABLE)


def not_ready(rest: Rest) -> None:
    """1001 and 1101 are signed in."""
    rest.contact.event(Cti.NOT_READY)
    rest.contact.event(Cti.NOT_READY, "1101")


def on_a_call(rest: Rest) -> None:
    """1001 talks to a caller: dialog 1000001."""
    ready(rest)
    switch = Switch(("1001", "1002", "1101"))
    call, ringing = switch.inbound("1001")
    rest.contact.hear([*ringing, *switch.answer(call, "1001")])


def confirmed(state: Cti) -> Play:
    """The CTI server does as asked and reports the state."""

    def then(rest: Rest) -> None:
        rest.contact.answer()
        rest.contact.event(state)

    return then


def refused(rest: Rest) -> None:
    """The CTI server refuses what was asked of a call."""
    rest.contact.answer_call(Outcome.REFUSED, int(FailureCode.GENERIC_OPERATION))


USER, TEAM = "/finesse/api/User/1001", "/finesse/api/Team/1"
STATE = (("PUT", USER), ("PUT", f"{TEAM}/Users"))
LOGIN = "<User><state>LOGIN</state><extension>1001</extension></User>"
CALL = (
    "<Dialog><requestedAction>MAKE_CALL</requestedAction>"
    "<fromAddress>1001</fromAddress><toAddress>1002</toAddress></Dialog>"
)
DROP = "<Dialog><targetMediaAddress>1001</targetMediaAddress><requestedAction>DROP</requestedAction></Dialog>"
MESSAGE = "<TeamMessage><duration>300</duration><content>x</content><teams><team>1</team></teams></TeamMessage>"
LOG = "<ClientLog><logData>x</logData></ClientLog>"
SELF_OR_ADMIN = (401, 200, 401, 401, 200)
SELF = (401, 202, 401, 401, 401)
ADMIN = (401, 401, 401, 401, 200)
NO_MEDIUM = (401, 404, 401, 401, 404)
CTI_FAILURE = "asynchronous failure: an apiErrors event with the requestId"

ROWS = (
    Row("User - Get", "GET", USER, (401, 200, 401, 200, 200)),
    Row("User - Get by login name", "GET", "/finesse/api/User/agent1", (401, 200, 401, 200, 200), note="UCCE only"),
    Row("User - Get List", "GET", "/finesse/api/Users", ADMIN),
    Row("User - Sign In", "PUT", USER, SELF, LOGIN, STATE, after=confirmed(Cti.NOT_READY)),
    Row(
        "User - Change State", "PUT", USER, (401, 202, 401, 202, 401), "<User><state>READY</state></User>", STATE,
        before=not_ready, after=confirmed(Cti.AVAILABLE),
    ),
    Row(
        "User - Change State with reason", "PUT", USER, (401, 202, 401, 400, 401),
        "<User><state>NOT_READY</state><reasonCodeId>1</reasonCodeId></User>", STATE,
        before=ready, after=confirmed(Cti.NOT_READY), note="a supervisor may not give a reason",
    ),
    Row(
        "User - Sign Out", "PUT", USER, (401, 202, 401, 202, 401),
        "<User><state>LOGOUT</state><reasonCodeId>2</reasonCodeId></User>", STATE,
        before=not_ready, after=confirmed(Cti.LOGOUT),
    ),
    Row("User - Reason Codes", "GET", f"{USER}/ReasonCodes?category=NOT_READY", SELF_OR_ADMIN),
    Row("User - Reason Code", "GET", f"{USER}/ReasonCode/1", SELF_OR_ADMIN),
    Row("User - Queues", "GET", f"{USER}/Queues", SELF_OR_ADMIN),
    Row("User - Team Messages", "GET", f"{USER}/TeamMessages", SELF_OR_ADMIN),
    Row("User - Dialogs", "GET", f"{USER}/Dialogs", SELF_OR_ADMIN),
    Row(
        "Dialog - Make Call", "POST", f"{USER}/Dialogs", SELF, CALL, (("PUT", f"{USER}/Dialogs"),),
        before=not_ready, after=refused, note=CTI_FAILURE,
    ),
    Row("Dialog - Get", "GET", "/finesse/api/Dialog/1000001", (401, 200, 401, 200, 200), before=on_a_call),
    Row("Dialog - Get, unknown", "GET", "/finesse/api/Dialog/9", (401, 404, 404, 404, 404)),
    Row(
        "Dialog - Take Action", "PUT", "/finesse/api/Dialog/1000001", (401, 202, 400, 400, 401), DROP,
        (("PUT", f"{USER}/Dialogs"),), before=on_a_call, after=refused, note=CTI_FAILURE,
    ),
    Row("Queue - Get", "GET", "/finesse/api/Queue/10", (401, 200, 200, 200, 200)),
    Row("Queue - Get, unknown", "GET", "/finesse/api/Queue/9", (401, 404, 404, 404, 404)),
    Row("Team - Get", "GET", TEAM, (401, 401, 401, 200, 200)),
    Row("Team - Get, unknown", "GET", "/finesse/api/Team/9", (401, 401, 401, 401, 404)),
    Row("Team - Get List", "GET", "/finesse/api/Teams", ADMIN),
    Row("Team Message - Get of a team", "GET", f"{TEAM}/TeamMessages", (401, 200, 200, 200, 200)),
    Row("Team Message - Get List", "GET", "/finesse/api/TeamMessages?createdby=1101", (401, 401, 401, 200, 200)),
    Row(
        "Team Message - Create", "POST", "/finesse/api/TeamMessages", (401, 401, 401, 200, 200), MESSAGE,
        (("POST", f"{TEAM}/TeamMessages"),),
    ),
    Row(
        "Team Message - Create", "POST", "/finesse/api/TeamMessage", (401, 401, 401, 200, 200), MESSAGE,
        (("POST", f"{TEAM}/TeamMessages"),),
    ),
    Row("Team Message - Get", "GET", "/finesse/api/TeamMessage/{id}", (401, 200, 200, 200, 200)),
    Row(
        "Team Message - Delete", "DELETE", "/finesse/api/TeamMessage/{id}", (401, 401, 401, 200, 200), "",
        (("DELETE", f"{TEAM}/TeamMessages"),), note="its author, here the supervisor, and administrators",
    ),
    Row("ClientLog - Post", "POST", f"{USER}/ClientLog", SELF, LOG, (("POST", f"{USER}/ClientLog"),)),
    Row(
        "CompressedClientLog - Post", "POST", f"{USER}/CompressedClientLog", SELF, "zip",
        (("POST", f"{USER}/ClientLog"),), note="a zip archive",
    ),
    Row("Media - Get List", "GET", f"{USER}/Media", SELF_OR_ADMIN, note="always empty: no non-voice media here"),
    Row("Media - Get", "GET", f"{USER}/Media/5000", NO_MEDIUM, note="no medium exists"),
    Row("Media - Change State", "PUT", f"{USER}/Media/5000", NO_MEDIUM, "<Media/>", note="no medium exists"),
    Row("Media - Dialogs", "GET", f"{USER}/Media/5000/Dialogs", NO_MEDIUM, note="no medium exists"),
    Row("SystemInfo - Get", "GET", "/finesse/api/SystemInfo", ALL, note="also while out of service"),
    Row("UserAuthMode - Get", "GET", "/finesse/api/UserAuthMode/1001", ALL, note="also while out of service"),
    Row("RuntimeConfigInfo - Get", "GET", "/finesse/api/RuntimeConfigInfo", ADMIN),
    Row("ConnectedUsersInfo - Get", "GET", "/finesse/api/ConnectedUsersInfo", (401, 401, 401, 200, 200)),
)  # fmt: skip


def page() -> str:
    """docs/reference/rest-runtime.md."""
    lines = [
        "# REST while agents work",
        "",
        "Generated by `python -m tests.unit.server.webservices.every_api`; do not edit. Each cell is a passing test of",
        "`tests/unit/server/webservices/test_every_api.py`.",
        "",
        "The user is agent 1001 of team 1; the other agent is in the same team, and the supervisor supervises it. Any",
        "method that a path does not list answers 405. While the server is out of service everything answers 503,",
        "except where the note says otherwise. The [errors](rest-errors.md) behind the statuses have their own page.",
        "",
        "| API | request | " + " | ".join(name for name, _ in ROLES) + " | events after success | note |",
        "| --- | --- |" + " --- |" * (len(ROLES) + 2),
    ]
    for row in ROWS:
        events = ", ".join(f"{event} on `{node.removeprefix('/finesse/api')}`" for event, node in row.events)
        cells = (row.api, f"{row.method} `{row.path.removeprefix('/finesse/api')}`", *map(str, row.statuses))
        lines.append(f"| {' | '.join(cells)} | {events} | {row.note} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
