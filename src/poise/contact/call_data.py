"""Call variables, ECC variables and the other data of a call: out of CTI messages and into them.

Theory. Data may ride on any call event and each message names only what it knows, so what is absent stays as it was
(CALL_DATA_UPDATE of protocol version 22 and later sends changed ECC variables only). An empty value is a value: it
replaces the one before, but a variable that was never set does not come into being by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from poise.contact.dialogs import CallVariable
from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.messages import FloatValue, Message, NamedArrayElement, NamedVariable

CALL_VARIABLES: Mapping[str, str] = {f"CALL_VAR_{number}": f"callVariable{number}" for number in range(1, 11)}
"""Floating field -> Finesse's name."""
TAGS: Mapping[str, str] = {name: tag for tag, name in CALL_VARIABLES.items()}
"""Finesse's name -> floating field."""

READ_ONLY_PREFIX = "BA"
"""Variables of outbound campaigns begin with it; desktops may not set them (finesse-api.md 3.1)."""

RESPONSE = "BAResponse"
"""ECC variable with which desktops answer the dialer."""
STATUS = "BAStatus"
CUSTOMER_NUMBER = "BACustomerNumber"

VARIABLES_MAX = 512
"""Variables kept of one call: ECC is 2,000 bytes in all, so only a server that is no CTI server sends more."""


class CallData:
    """The data of one call, put together from messages."""

    __slots__ = ("_variables", "ani", "customer_number", "dialed_number", "dnis", "router_call_key", "wrap_up")

    def __init__(self) -> None:
        self._variables: dict[str, str] = {}
        self.ani = ""
        self.dnis = ""
        self.dialed_number = ""
        self.customer_number = ""
        self.wrap_up = ""
        self.router_call_key: tuple[int, int, int] | None = None

    @property
    def variables(self) -> tuple[CallVariable, ...]:
        """In the order in which they came."""
        return tuple(CallVariable(name, value) for name, value in self._variables.items())

    def variable(self, name: str) -> str:
        """The value of a variable; empty when there is none."""
        return self._variables.get(name, "")

    def take(self, message: Message) -> None:
        """Learn what a message says."""
        key: dict[str, int] = {}
        for tag, value in message.floats:
            taker = _TAKERS.get(tag)
            if taker is not None:
                if isinstance(value, str):
                    setattr(self, taker, value)
            elif tag in CALL_VARIABLES:
                if isinstance(value, str):
                    self._set(CALL_VARIABLES[tag], value)
            elif isinstance(value, NamedVariable):
                self._set(value.name, value.value)
            elif isinstance(value, NamedArrayElement):
                self._set(f"{value.name}[{value.position}]", value.value)
            elif tag in _KEY and isinstance(value, int):
                key[tag] = value
        if len(key) >= 2 and NULL32 not in key.values():
            day, call, sequence = (key.get(tag, 0) for tag in _KEY)
            self.router_call_key = (day, call, sequence)

    def _set(self, name: str, value: str) -> None:
        if name and (value or name in self._variables) and len(self._variables) < VARIABLES_MAX:
            self._variables[name] = value


_TAKERS = {
    "ANI": "ani",
    "DNIS": "dnis",
    "DIALED_NUMBER": "dialed_number",
    "CUSTOMER_PHONE_NUMBER": "customer_number",
    "CALL_WRAPUP_DATA": "wrap_up",
}
_KEY = ("ROUTER_CALL_KEY_DAY", "ROUTER_CALL_KEY_CALLID", "ROUTER_CALL_KEY_SEQUENCE_NUM")


@dataclass(frozen=True, slots=True)
class DataChange:
    """Call data that somebody wants to be changed."""

    variables: tuple[CallVariable, ...] = ()
    wrap_up: str | None = None

    def __bool__(self) -> bool:
        return bool(self.variables) or self.wrap_up is not None


def floats(change: DataChange) -> list[tuple[str, FloatValue]]:
    """The change as floating fields of a request."""
    out: list[tuple[str, FloatValue]] = []
    for name, value in change.variables:
        tag = TAGS.get(name)
        element = array_element(name)
        if tag is not None:
            out.append((tag, value))
        elif element is not None:
            out.append(("NAMED_ARRAY", NamedArrayElement(element[1], element[0], value)))
        else:
            out.append(("NAMED_VARIABLE", NamedVariable(name, value)))
    if change.wrap_up is not None:
        out.append(("CALL_WRAPUP_DATA", change.wrap_up))
    return out


def counts(fields: Iterable[tuple[str, FloatValue]]) -> dict[str, int]:
    """NumNamedVariables and NumNamedArrays of a request with these floating fields."""
    tags = [tag for tag, _ in fields]
    return {"NumNamedVariables": tags.count("NAMED_VARIABLE"), "NumNamedArrays": tags.count("NAMED_ARRAY")}


def array_element(name: str) -> tuple[str, int] | None:
    """Name and index of `name[index]`, or None for another form."""
    base, bracket, rest = name.partition("[")
    index = rest.removesuffix("]")
    if not bracket or not base or not rest.endswith("]") or not (index.isascii() and index.isdigit()):
        return None
    return (base, int(index)) if len(index) <= 3 and int(index) <= 0xFF else None
