"""Chromium by its raw devtools protocol: pages that are really hidden, throttled and frozen.

Playwright keeps every page focused, so that none counts as hidden; timers are then never throttled. Waiting is reading
from the browser's socket with a limit.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--ignore-certificate-errors",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--window-size=1366,768",
    "--disable-features=CalculateNativeWinOcclusion",
)
LISTENING = "DevTools listening on "
PATIENCE_S = 20.0
GLANCE_S = 0.1
"""Seconds between two looks at a page."""


class Chromium:
    """One browser and its devtools socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    def call(self, method: str, session: str = "", **params: object) -> dict[str, Any]:
        """One command and its result. Raises AssertionError for an error."""
        number = next(self._ids)
        message: dict[str, object] = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result

    def pass_time(self, seconds: float) -> None:
        """Listen to the browser for so long; what it says is of no interest."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                self._socket.recv(timeout=left)

    def open(self, url: str) -> Tab:
        """A new tab, in front."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, target, session)
        tab.call("Page.navigate", url=url)
        return tab


class Tab:
    """One tab."""

    def __init__(self, browser: Chromium, target: str, session: str) -> None:
        self.browser = browser
        self._target = target
        self._session = session

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """A command for this tab."""
        return self.browser.call(method, self._session, **params)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def until(self, condition: str, patience_s: float = PATIENCE_S) -> float:
        """Wait until an expression is true; the seconds it took."""
        began = time.monotonic()
        while not self.evaluate(f"Boolean({condition})"):
            text = "document.body && document.body.innerText.slice(0, 1500)"
            assert time.monotonic() - began < patience_s, f"{condition} has not come true: {self.evaluate(text)}"
            self.browser.pass_time(GLANCE_S)
        return time.monotonic() - began

    def front(self) -> None:
        """Show this tab; the others are hidden."""
        self.browser.call("Target.activateTarget", targetId=self._target)

    def freeze(self, frozen: bool = True) -> None:
        """Stop the page as the browser does with tabs that were hidden for long, or let it go on."""
        self.call("Page.setWebLifecycleState", state="frozen" if frozen else "active")

    def type(self, selector: str, text: str) -> None:
        """Fill a field."""
        self.evaluate(
            f"(() => {{ const field = document.querySelector({json.dumps(selector)}); field.value = {json.dumps(text)};"
            " field.dispatchEvent(new Event('input', { bubbles: true })); })()"
        )

    def click(self, selector: str) -> None:
        """Press a button."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")


@contextmanager
def chromium(folder: Path, *flags: str) -> Iterator[Chromium]:
    """A browser with a profile of its own in `folder`."""
    path = shutil.which("chromium")
    assert path is not None, "the desktop's tests need Chromium: bash tools/install-chromium.sh"
    command = [path, *FLAGS, *flags, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        try:
            assert child.stderr is not None
            line = next(line for line in child.stderr if LISTENING in line)
            with connect(line.partition(LISTENING)[2].strip(), max_size=None) as socket:
                yield Chromium(socket)
        finally:
            child.kill()


COUNT_GAPS = """
(() => {
  const clock = (window.gaps = { last: performance.now(), worst: 0 });
  setInterval(() => {
    clock.worst = Math.max(clock.worst, performance.now() - clock.last);
    clock.last = performance.now();
  }, 1000);
})()
"""
"""Counts in `gaps.worst` the milliseconds of the longest gap between ticks of a second."""


def desktop(browser: Chromium, address: str, user: str) -> Tab:
    """A tab with a desktop, signed in."""
    tab = browser.open(address)
    tab.until("document.querySelector('button[type=submit]:not(:disabled)')")
    for field in ("user", "password", "extension"):
        tab.type(f"#{field}", user)
    tab.click("button[type=submit]")
    tab.until("document.querySelector('[data-testid=state]')")
    return tab
