"""The table of causes: whose side each is on, and how specific it is. Texts are in the catalogues (`words/`), patterns
in `rules/`.

Ids are those of the knowledge base: C client, N network, S server, A not a fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Side(Enum):
    """Where the cause lies."""

    CLIENT = "client"
    NETWORK = "network"
    SERVER = "server"
    NOT_A_FAULT = "not-a-fault"
    OPEN = "open"
    """Cannot be told from this evidence."""


class Confidence(Enum):
    """How sure it is. `CERTAIN` only where the evidence leaves no other cause of the table."""

    CERTAIN = 3
    LIKELY = 2
    POSSIBLE = 1

    @property
    def word(self) -> str:
        """Its name in output."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Cause:
    """One row."""

    id: str
    side: Side
    rank: int
    """Of two findings equally sure, the one with the higher rank is told first: the more specific one."""


def _table(*rows: Cause) -> dict[str, Cause]:
    return {row.id: row for row in rows}


_C, _N, _S, _A = Side.CLIENT, Side.NETWORK, Side.SERVER, Side.NOT_A_FAULT

CAUSES = _table(
    Cause("C1", _C, 1),
    Cause("C2", _C, 60),
    Cause("C3", _C, 50),
    Cause("C4", _C, 40),
    Cause("C5", _C, 30),
    Cause("C6", _C, 55),
    Cause("C7", _C, 52),
    Cause("C8", _C, 35),
    Cause("C10", _C, 10),
    Cause("C11", _C, 70),
    Cause("C12", _C, 75),
    Cause("C13", _C, 72),
    Cause("C14", _C, 65),
    Cause("C15", _C, 68),
    Cause("N1", _N, 45),
    Cause("N2", _N, 71),
    Cause("N3", _N, 43),
    Cause("N4", _N, 66),
    Cause("N5", _N, 58),
    Cause("N6", _N, 62),
    Cause("N7", _N, 74),
    Cause("S1", _S, 90),
    Cause("S2", _S, 95),
    Cause("S3", _S, 93),
    Cause("S4", _S, 80),
    Cause("S5", _S, 85),
    Cause("S6", _S, 78),
    Cause("S7", _S, 77),
    Cause("S8", _S, 42),
    Cause("S11", _S, 44),
    Cause("S14", _S, 88),
    Cause("S15", _S, 20),
    Cause("O1", Side.OPEN, 2),
    Cause("A0", _A, 100),
    Cause("A5", _A, 0),
    Cause("A6", _A, 98),
    Cause("A7", _A, 97),
    Cause("K1", Side.NOT_A_FAULT, 86),
)
"""S14: the server itself did not run (stall, suspend). S15: everybody at once and nothing more known. A0: the code
says it was no connection problem.
O1: silence, and nothing tells on which side. K1: closed by an administrator."""
