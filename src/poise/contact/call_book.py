"""All calls, found by the CTI server's number, by dialog id and by telephone. Bounded; knows no rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from poise.contact.calls import Call

CALLS_MAX = 20_000
"""Calls kept at once; the oldest goes first. Five times what 2,000 agents with two lines each can have."""


RESTING_MAX = 2_000
"""Calls kept that no agent has a part in at present (in a queue, or given away): one of them may come back to an agent
and should then be known; of those that do not, nobody tells that they end. The oldest is forgotten first."""


class CallBook:
    """Owns the calls. After a call's connections changed, `index` must be called with it."""

    def __init__(self) -> None:
        self._by_cti: dict[int, Call] = {}  # former numbers of a call included, until they are ended
        self._by_dialog: dict[str, Call] = {}
        self._at: dict[str, dict[Call, None]] = {}
        self._devices: dict[Call, tuple[str, ...]] = {}
        self._resting: dict[Call, None] = {}

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._by_dialog.values()))

    def __len__(self) -> int:
        return len(self._by_dialog)

    def get(self, cti_id: int | None) -> Call | None:
        """The call with that number, present or former."""
        return self._by_cti.get(cti_id) if cti_id is not None else None

    def by_dialog(self, dialog_id: str) -> Call | None:
        """The call that desktops know by that id."""
        return self._by_dialog.get(dialog_id)

    def at(self, device: str) -> list[Call]:
        """Calls in which a telephone has or had a part, oldest first."""
        return list(self._at.get(device, ()))

    def open(self, cti_id: int) -> tuple[Call, list[Call]]:
        """The call with that number, made where there is none; with the calls that had to give way."""
        call = self._by_cti.get(cti_id)
        if call is not None and call.cti_id == cti_id:
            return call, []
        moved: list[Call] = []
        while len(self._by_dialog) >= CALLS_MAX:
            oldest = next(iter(self._by_dialog.values()))
            self.close(oldest)
            moved.append(oldest)
        dialog_id = str(cti_id)
        namesake = self._by_dialog.get(dialog_id)
        if namesake is not None:  # the number is used anew while a call that began with it still goes on
            self._rename_dialog(namesake)
            moved.append(namesake)
        call = Call(cti_id, dialog_id)
        self._by_cti[cti_id] = self._by_dialog[dialog_id] = call
        return call, moved

    def renumber(self, call: Call, cti_id: int) -> None:
        """The CTI server knows the call by another number from now on; the old one means it until it is ended."""
        if cti_id != call.cti_id and cti_id not in self._by_cti:
            call.cti_id = cti_id
            self._by_cti[cti_id] = call

    def take_over(self, call: Call, other: Call | None, cti_id: int) -> None:
        """`other` has become part of `call`, which has that number from now on."""
        if other is not None and other is not call:
            self.close(other)
        if cti_id != call.cti_id:
            for former in [number for number, known in self._by_cti.items() if known is call]:
                del self._by_cti[former]
            call.cti_id = cti_id
        self._by_cti[cti_id] = call

    def is_current(self, call: Call, cti_id: int) -> bool:
        """Is that the call's number now? A former one means nothing any more once somebody has said that it ended."""
        if call.cti_id == cti_id:
            return True
        del self._by_cti[cti_id]
        return False

    def rest(self, call: Call) -> None:
        """Nobody is told of the call at present."""
        self._resting[call] = None
        while len(self._resting) > RESTING_MAX:
            self.close(next(iter(self._resting)))

    def wake(self, call: Call) -> None:
        """Somebody is told of the call."""
        self._resting.pop(call, None)

    def close(self, call: Call) -> None:
        """The call is over."""
        self._resting.pop(call, None)
        for number in [number for number, known in self._by_cti.items() if known is call]:
            del self._by_cti[number]
        self._by_dialog.pop(call.dialog_id, None)
        self._unindex(call)

    def index(self, calls: Iterable[Call]) -> None:
        """Note which telephones have a part in these calls."""
        for call in calls:
            devices = tuple(call.parties)
            if devices == self._devices.get(call, ()):
                continue
            self._unindex(call)
            if self._by_dialog.get(call.dialog_id) is call:
                self._devices[call] = devices
                for device in devices:
                    self._at.setdefault(device, {})[call] = None

    def _unindex(self, call: Call) -> None:
        for device in self._devices.pop(call, ()):
            here = self._at[device]
            del here[call]
            if not here:
                del self._at[device]

    def _rename_dialog(self, call: Call) -> None:
        del self._by_dialog[call.dialog_id]
        call.dialog_id = str(call.cti_id)
        self._by_dialog[call.dialog_id] = call
