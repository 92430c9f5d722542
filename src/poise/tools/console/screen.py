"""The console's screen: what crosses the wire above, a line to type below."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import ClassVar, Final

from rich.syntax import Syntax
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Footer, Input, RichLog, Static

from poise.protocols.xmpp.client.outputs import Kind
from poise.tools.console import words
from poise.tools.console.console import Answered, Console, Event, Over, Seen, Settings, SignedIn
from poise.tools.console.lines import sentence
from poise.tools.console.showing import pretty, raw_text

KEPT: Final = 2000
"""Events kept, so that they can be shown anew in the other form."""
LINES_MAX: Final = 20_000
"""Lines kept on the screen."""
HISTORY: Final = 500
"""Commands remembered."""


class _Completion(Suggester):
    """Completes words and nodes; right arrow or Tab takes the suggestion."""

    def __init__(self, console: Console) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._console = console

    async def get_suggestion(self, value: str) -> str | None:
        """The first line that begins so."""
        return next(iter(words.complete(value, self._console.nodes)), None)


class CommandLine(Input):
    """The line to type, with the commands typed before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "earlier", show=False),
        Binding("down", "later", show=False),
        Binding("tab", "cursor_right", show=False),
    ]

    def __init__(self, console: Console) -> None:
        super().__init__(
            placeholder="nodes, subscribe NODE, items NODE, ping, roster ... or <xml/>; help lists all",
            suggester=_Completion(console),
            id="line",
        )
        self._history: deque[str] = deque(maxlen=HISTORY)
        self._at = 0
        self._unsent = ""

    def remember(self, line: str) -> None:
        """A line was sent."""
        if not self._history or self._history[-1] != line:
            self._history.append(line)
        self._at = 0

    def action_earlier(self) -> None:
        """The command before."""
        if self._at < len(self._history):
            if self._at == 0:
                self._unsent = self.value
            self._at += 1
            self._show()

    def action_later(self) -> None:
        """The command after."""
        if self._at:
            self._at -= 1
            self._show()

    def _show(self) -> None:
        self.value = self._history[-self._at] if self._at else self._unsent
        self.cursor_position = len(self.value)


class ConsoleApp(App[None]):
    """The screen."""

    TITLE = "poise console"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head { background: $primary-darken-2; color: $text; padding: 0 1; height: 1; }
    #log { padding: 0 1; }
    #line { dock: bottom; margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        Binding("f2", "say('nodes')", "Nodes"),
        Binding("f3", "say('subscriptions')", "Subscriptions"),
        Binding("f4", "say('roster')", "Roster"),
        Binding("f5", "say('ping')", "Ping"),
        Binding("f6", "raw", "Raw/decoded"),
        Binding("f7", "wrappers", "BOSH bodies"),
        Binding("ctrl+l", "clear", "Clear"),
        Binding("ctrl+q", "leave", "Quit"),
    ]

    def __init__(self, settings: Settings, *, wrappers: bool = False, raw: bool = False) -> None:
        super().__init__()
        self.console_ = Console(settings, self._told)
        self.trouble = ""
        """What ended the connection, if it was no good ending."""
        self._settings = settings
        self._wrappers = wrappers
        self._raw = raw
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._leaving = False
        self._over = False
        self._gone = False
        self._xml = Syntax("", "xml", theme="ansi_dark", word_wrap=True)
        self._task: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        """Heading, log, line, keys."""
        yield Static(id="head")
        yield RichLog(id="log", max_lines=LINES_MAX, wrap=True, markup=False)
        yield CommandLine(self.console_)
        yield Footer()

    def on_mount(self) -> None:
        """Connect."""
        self._head("connecting ...")
        self.query_one(CommandLine).focus()
        self._task = asyncio.create_task(self._connect())

    async def on_unmount(self) -> None:
        """However the screen is left, the server is told."""
        self._gone = True
        self.console_.close()
        if self._task is not None:
            await self._task

    async def _connect(self) -> None:
        end = await self.console_.run()
        self._over = True
        self.trouble = end.text if end.code != "left" else ""
        if self._leaving:
            self.exit()

    # -- what happens --------------------------------------------------------------------------------------------------

    def _told(self, event: Event) -> None:
        self._events.append(event)
        if self._gone:
            return
        if isinstance(event, SignedIn):
            self._head(f"signed in as {event.jid}")
        elif isinstance(event, Over):
            self._head("not connected")
        self._show(event)

    def _head(self, state: str) -> None:
        account = self._settings.account
        self.query_one("#head", Static).update(
            Text(f"{account.user}@{account.domain} on {self._settings.address}: {state}")
        )

    def _show(self, event: Event) -> None:
        log = self.query_one("#log", RichLog)
        if isinstance(event, Seen) and event.frame.kind is Kind.WRAPPER and not self._wrappers:
            return
        for part in self._parts(event):
            log.write(part)

    def _parts(self, event: Event) -> Iterable[Text]:
        time = event.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
        if not isinstance(event, Seen):
            bad = (isinstance(event, Answered) and event.error) or (isinstance(event, Over) and event.code != "left")
            yield Text(f"{time} {sentence(event)}", style="bold red" if bad else "bold green")
            return
        frame = event.frame
        arrow, colour = ("▲ out", "cyan") if frame.outgoing else ("▼ in ", "yellow")
        yield Text(f"{time} {arrow}", style=colour)
        secrets = self._settings.show_secrets
        if self._raw or frame.element is None:
            text = raw_text(frame.raw, frame.element, secrets)
        else:
            text = pretty(frame.element, show_secrets=secrets)
        shown = self._xml.highlight(text)
        shown.rstrip()
        yield shown

    # -- what is typed -------------------------------------------------------------------------------------------------

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter."""
        line = message.value.strip()
        message.input.value = ""
        if line:
            self.query_one(CommandLine).remember(line)
            self.action_say(line)

    def action_say(self, line: str) -> None:
        """Carry out a command."""
        if line == "help":
            self.action_help()
        elif line == "quit":
            self.action_leave()
        else:
            try:
                self.console_.type(line)
            except words.WordError as error:
                self.query_one("#log", RichLog).write(Text(str(error), style="bold red"))

    def action_help(self) -> None:
        """All words."""
        self.query_one("#log", RichLog).write(Text(words.help_text()))

    def action_raw(self) -> None:
        """The other form, for what was shown already too."""
        self._raw = not self._raw
        self._again()

    def action_wrappers(self) -> None:
        """With or without BOSH's bodies."""
        self._wrappers = not self._wrappers
        self._again()

    def action_clear(self) -> None:
        """An empty screen."""
        self._events.clear()
        self.query_one("#log", RichLog).clear()

    def action_leave(self) -> None:
        """Leave the server, then the screen."""
        if self._over or self._leaving:
            self.exit()
            return
        self._leaving = True
        self.console_.close()

    def _again(self) -> None:
        self.query_one("#log", RichLog).clear()
        for event in self._events:
            self._show(event)

    async def on_key(self, event: events.Key) -> None:
        """Keys belong to the line wherever the focus is."""
        if event.is_printable and not self.query_one(CommandLine).has_focus:
            self.query_one(CommandLine).focus()
