"""A log that remembers its calls, one tuple an event, the name first."""

from __future__ import annotations

from typing import Any

from poise.server.notification.log import NoLog, NotificationLog


class Recorder(NoLog):
    """Remembers every event; bodies are kept apart by name."""

    def __init__(self, *, debug: bool = True) -> None:
        self.debug_enabled = debug
        self.events: list[tuple[str, dict[str, Any]]] = []

    def names(self, *only: str) -> list[str]:
        """Event names in order; of these kinds only, when given."""
        return [name for name, _ in self.events if not only or name in only]

    def all(self, name: str) -> list[dict[str, Any]]:
        """Arguments of every event of that name."""
        return [values for kind, values in self.events if kind == name]

    def only(self, name: str) -> dict[str, Any]:
        """Arguments of the one event of that name."""
        (values,) = self.all(name)
        return values


_POSITIONAL = {
    "http_recv": ("sid", "body"),
    "http_sent": ("sid", "body"),
    "http_error": ("sid", "condition"),
    "session_closed": ("jid",),
    "store_offline": ("stanza",),
    "stalled": ("seconds",),
}


def _recording(name: str) -> Any:
    def record(self: Recorder, *args: Any, **values: Any) -> None:
        values.update(zip(_POSITIONAL.get(name, ()), args, strict=True))
        self.events.append((name, values))

    return record


for _name in [name for name in vars(NotificationLog) if not name.startswith("_")]:
    if callable(getattr(NotificationLog, _name)):
        setattr(Recorder, _name, _recording(_name))
