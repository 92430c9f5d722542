"""What the administrator's JSON resources refuse, each with a stable code (RFC 9457). Read by `poise explain` too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of refusal."""

    code: str
    """Stable name."""
    status: int
    """HTTP status."""
    title: str
    """What is wrong, in one sentence."""


_ALL = (
    Problem("credentials-needed", 401, "Give the name and password of an account that may ask this (HTTP Basic)."),
    Problem("administrators-only", 403, "Only administrators may use this resource."),
    Problem("supervisors-only", 403, "Only supervisors, for their teams, and administrators may ask this."),
    Problem("team-not-yours", 403, "You do not supervise this team."),
    Problem("team-unknown", 404, "There is no such team."),
    Problem("session-unknown", 404, "No session has this JID: it has ended, or never was."),
    Problem("method-not-allowed", 405, "This resource does not know the method."),
    Problem("session-ambiguous", 409, "A user may have several sessions: name one by its full JID, with the resource."),
    Problem("jid-malformed", 400, "This is not a JID."),
    Problem("query-malformed", 400, "A parameter of the query has no such values."),
    Problem("body-malformed", 400, "The body of the request is no JSON object."),
    Problem("lab-refused", 400, "The simulated telephone system does not do this."),
    Problem("lab-absent", 503, "The simulated telephone system does not answer: it is being started, or hangs."),
    Problem("key-log-failed", 500, "The key log cannot be switched: its file cannot be written or deleted."),
    Problem("try-later", 503, "The password cannot be checked at the moment; try again in some seconds."),
)
PROBLEMS: Mapping[str, Problem] = {problem.code: problem for problem in _ALL}
"""By code."""


class ProblemError(Exception):
    """A refusal of one request."""

    def __init__(self, code: str, detail: str = "", user: str = "") -> None:
        super().__init__(code)
        self.problem = PROBLEMS[code]
        self.detail = detail
        """What belongs to the single case."""
        self.user = user
        """Who asked, or claimed to be: for the log."""
