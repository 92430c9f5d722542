"""Calls and their connections, as values that one owner (`switch.Switch`) changes.

Theory (CSTA). A call joins devices; each device's part in it is a connection with a local state of its own: off hook,
dialling or connected, ringing, held, queued, failed. A device may have many connections, but at most one that is off
hook, connected or failed: one ear.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from poise.lab.acd.codes import CallType, Device, Lcs, LineType
from poise.lab.data import SkillGroup
from poise.protocols.cti.constants import Direction
from poise.protocols.cti.messages import FloatValue, NamedArrayElement, NamedVariable

VARIABLES = 10
"""Call variables of a call."""
NUMBER_MAX = 31
"""Bytes of a telephone number; DNIS (32 with its NUL) is the shortest field it goes into."""
VALUE_MAX = 40
"""Bytes of a call variable or of the wrap-up reason (GED-188)."""
ECC_NAME_MAX = 32
ECC_VALUE_MAX = 210
ECC_TOTAL_MAX = 2000
"""Bytes of all ECC variables of a call together (GED-188)."""

ACTIVE = frozenset({Lcs.INITIATE, Lcs.CONNECT, Lcs.FAIL})
"""States of which a device has at most one at a time."""

Floats = tuple[tuple[str, FloatValue], ...]


@dataclass(frozen=True, slots=True)
class CallData:
    """What travels with a call."""

    ani: str = ""
    dnis: str = ""
    dialed: str = ""
    ced: str = ""
    uui: bytes = b""
    variables: tuple[str, ...] = ("",) * VARIABLES
    wrap_up: str = ""
    ecc: tuple[tuple[str, str], ...] = ()
    arrays: tuple[tuple[str, int, str], ...] = ()
    key: tuple[int, int, int] | None = None
    """Router call key: day, call, sequence number."""
    campaign: int = 0
    query_rule: int = 0

    def ecc_value(self, name: str) -> str | None:
        """An ECC variable, or None."""
        return dict(self.ecc).get(name)

    def with_ecc(self, **values: str) -> CallData:
        """The same with some ECC variables set."""
        return replace(self, ecc=tuple({**dict(self.ecc), **values}.items()))

    @property
    def ecc_bytes(self) -> int:
        """Bytes of all names and values."""
        plain = sum(len(name.encode()) + len(value.encode()) for name, value in self.ecc)
        return plain + sum(len(name.encode()) + len(value.encode()) + 1 for name, _, value in self.arrays)

    def named(self, before: CallData | None = None) -> Floats:
        """ECC variables as floating fields; with `before`, only those that differ from it."""
        ecc = self.ecc if before is None else [pair for pair in self.ecc if pair not in before.ecc]
        arrays = self.arrays if before is None else [entry for entry in self.arrays if entry not in before.arrays]
        scalars: Floats = tuple(("NAMED_VARIABLE", NamedVariable(name, value)) for name, value in ecc)
        return scalars + tuple(("NAMED_ARRAY", NamedArrayElement(at, name, value)) for name, at, value in arrays)

    def floats(self) -> Floats:
        """Everything but the ECC variables as floating fields; what is empty is left out."""
        pairs: list[tuple[str, FloatValue]] = [
            ("ANI", self.ani),
            ("UUI", self.uui),
            ("DNIS", self.dnis),
            ("DIALED_NUMBER", self.dialed),
            ("CED", self.ced),
            *((f"CALL_VAR_{at}", value) for at, value in enumerate(self.variables, 1)),
            ("CALL_WRAPUP_DATA", self.wrap_up),
        ]
        kept = [(name, value) for name, value in pairs if value]
        if self.key is not None:
            names = ("ROUTER_CALL_KEY_DAY", "ROUTER_CALL_KEY_CALLID", "ROUTER_CALL_KEY_SEQUENCE_NUM")
            kept += zip(names, self.key, strict=True)
        return tuple(kept)


@dataclass(eq=False, slots=True)
class Leg:
    """A connection: one device's part in a call."""

    call: Call
    device: str
    kind: Device
    state: Lcs
    since: float
    call_type: CallType
    line: LineType = LineType.UNKNOWN
    direction: Direction = Direction.NONE
    monitored: bool = False
    """Whether the device is an agent's telephone, so that events tell of it."""
    agent: str = ""
    """The agent signed in there when the connection began."""
    acd: bool = False
    """Whether it came from a queue or campaign: for UCCX, only these make an agent TALKING."""
    wraps: bool = False
    """Whether wrap-up follows."""
    answered: bool = False
    talked_s: float = 0.0
    held_s: float = 0.0
    holds: int = 0
    begun: float = 0.0

    @property
    def gone(self) -> bool:
        """Whether the device has left the call."""
        return self.state is Lcs.NULL


@dataclass(eq=False, slots=True)
class Call:
    """A call."""

    call_id: int
    call_type: CallType
    calling: str
    calling_kind: Device
    called: str
    called_kind: Device
    begun: float
    data: CallData = field(default_factory=CallData)
    legs: list[Leg] = field(default_factory=list)
    wrapping: list[Leg] = field(default_factory=list)
    """Connections that are over but for the wrap-up."""
    queue: SkillGroup | None = None
    """The queue it came through last."""
    queued_since: float = 0.0
    owed_to: int | None = None
    """Number of the queue whose statistics still wait for what becomes of it."""
    urgent: bool = False
    """Whether it goes before all other calls of its queue: an agent did not answer it."""
    last_redirect: str = ""
    consult_of: int | None = None
    monitor_of: Leg | None = None
    """The connection a supervisor listens to in this call."""
    answered: bool = False
    """Whether an agent has ever answered it."""
    ended: bool = False
    recording: int = 0
    """Session id of a running recording."""

    def leg(self, device: str) -> Leg | None:
        """The device's connection in it."""
        return next((leg for leg in self.legs if leg.device == device), None)

    @property
    def reference(self) -> bytes:
        """CallReferenceID: the same for the life of the call id."""
        return b"lab-%d" % self.call_id
