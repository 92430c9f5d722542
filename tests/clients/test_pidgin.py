"""The seed's example 1, literally: Pidgin shows all nodes in its XMPP console, and then what happens to an agent.

Debian's Pidgin runs on a screen that exists only in memory; keys are pressed as a user would. Its account and the
plug-in are configured in the files that steps 2 to 4 of the example write. What arrives is read from its own debug
output.
"""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clients.packages import debian_packages
from tests.e2e.process import Process, Server, free_port

PORT = 5222
WINDOW_S, ANSWER_S = 1.0, 20.0
ATTEMPTS = 5
"""How often a key is pressed: a window that is just being drawn may not hear the first."""
NODES_QUERY = (
    "<iq type='get' to='pubsub.localhost' id='nodes1'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
)
ACCOUNT = """<?xml version='1.0' encoding='UTF-8' ?>
<account version='1.0'><account>
  <protocol>prpl-jabber</protocol>
  <name>{user}@localhost/test</name>
  <password>{user}</password>
  <settings>
    <setting name='connection_security' type='string'>opportunistic_tls</setting>
    <setting name='auth_plain_in_clear' type='bool'>1</setting>
    <setting name='port' type='int'>{port}</setting>
    <setting name='connect_server' type='string'>{server}</setting>
  </settings>
  <settings ui='gtk-gaim'><setting name='auto-login' type='bool'>1</setting></settings>
</account></account>
"""
PREFERENCES = """<?xml version='1.0' encoding='UTF-8' ?>
<pref version='1' name='/'><pref name='pidgin'><pref name='plugins'>
  <pref name='loaded' type='pathlist'><item value='{console}'/></pref>
</pref></pref></pref>
"""


class Pidgin(Process):
    """Pidgin with one account, on a screen."""

    def __init__(self, display: str, home: Path, user: str, server: str) -> None:
        settings = home / ".purple"
        settings.mkdir(parents=True)
        console = subprocess.run(["dpkg", "-L", "pidgin"], capture_output=True, text=True, check=True).stdout
        path = next(line for line in console.splitlines() if line.endswith("/xmppconsole.so"))
        (settings / "accounts.xml").write_text(ACCOUNT.format(user=user, port=PORT, server=server), "utf-8")
        (settings / "prefs.xml").write_text(PREFERENCES.format(console=path), "utf-8")
        self._environment = {"DISPLAY": display, "HOME": str(home), "LC_ALL": "C.UTF-8", "LANGUAGE": "en"}
        super().__init__(["pidgin", "--debug"], home / "pidgin.err", self._environment)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read_on, name="pidgin-reader", daemon=True)
        self._reader.start()

    def says(self, pattern: str) -> str:
        """The next line of its debug output that holds this."""
        deadline = time.monotonic() + ANSWER_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"Pidgin did not say {pattern}; it said {self.errors}") from None
            if re.search(pattern, line):
                return line

    def close(self) -> None:
        """Kill what is left of it."""
        self.child.kill()
        self._reader.join()
        super().close()

    def _read_on(self) -> None:
        """It waits for nobody: a pipe that is full would stop it."""
        assert self.child.stdout is not None
        for line in self.child.stdout:
            self._lines.put(line.decode("utf-8", "replace"))

    def window(self, title: str, attempts: int = 15) -> bool:
        """Give a window the keyboard once it is there; whether it came."""
        command = ["search", "--sync", "--onlyvisible", "--name", title, "windowfocus", "--sync"]
        for _ in range(attempts):  # the keyboard given to a window that is not drawn yet is given to nobody
            try:
                self._do(*command)
            except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
                continue
            return True
        return False

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        self._do("key", "--delay", "50", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._do("type", "--delay", "2", text)

    def open_console(self) -> None:
        """Tools > XMPP Console > XMPP Console, the last entry of the menu."""
        for _ in range(ATTEMPTS):
            assert self.window("Buddy List")
            self.press("Escape", "alt+t", "Up", "Right", "Return")
            if self.window("XMPP Console", attempts=3):
                return
        raise AssertionError(f"no console; Pidgin said: {self.errors}")

    def _do(self, *command: str) -> None:
        everything = {**os.environ, **self._environment}
        subprocess.run(["xdotool", *command], env=everything, timeout=WINDOW_S, capture_output=True, check=True)


@pytest.fixture
def display(tmp_path: Path) -> Iterator[str]:
    """A screen in memory."""
    debian_packages()
    xvfb = shutil.which("Xvfb")
    assert xvfb is not None
    command = [xvfb, "-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
    with Process(command, tmp_path / "screen.err") as screen:
        yield f":{screen.line()}"


@pytest.fixture
def address() -> str:
    """A loopback address of this process's own, so that the port is free there whatever else runs on this machine."""
    own = os.getpid()
    return f"127.{1 + (own >> 16) % 250}.{(own >> 8) % 256}.{2 + own % 250}"


@pytest.mark.parametrize("starttls", [True, False], ids=["STARTTLS offered", "in the clear"])
def test_pidgin_lists_all_nodes_in_its_console_and_hears_of_its_agent(
    starttls: bool, display: str, address: str, tmp_path: Path
) -> None:
    settings = {"ports.xmpp": PORT, "xmpp.starttls": starttls, "cti.side_a": f"127.0.0.1:{free_port()}"}
    with Server(tmp_path, "--demo", "--host", address, settings=settings) as server:
        server.place = replace(server.place, host=address)
        server.in_service()
        with Pidgin(display, tmp_path / "home", "1001", address) as pidgin:
            if starttls:  # the demo's certificate is its own, and Pidgin asks
                assert pidgin.window("SSL Certificate Verification")
                pidgin.press("Return")
            pidgin.says(r'Recv .*<presence [^>]*from="1001@localhost/test"')
            pidgin.open_console()
            pidgin.type(NODES_QUERY)
            pidgin.press("Return")
            answer = pidgin.says(r'Recv .*<iq [^>]*id="nodes1"')
            nodes = set(re.findall(r'node="([^"]*)"', answer))
            assert {f"/finesse/api/User/{agent}" for agent in range(1001, 1007)} <= nodes
            assert {f"/finesse/api/User/{agent}/Dialogs" for agent in range(1001, 1007)} <= nodes
            assert {"/finesse/api/SystemInfo", "/finesse/api/Team/1/Users"} <= nodes

            assert server.rest("1001").put("LOGIN", "sign-in", extension="1001").status == 202
            pidgin.says("&lt;requestId&gt;sign-in&lt;/requestId&gt;")
            assert server.rest("1001").put("LOGOUT", "out").status == 202
            pidgin.says("&lt;requestId&gt;out&lt;/requestId&gt;")
            pidgin.child.terminate()
            pidgin.ended()
            server.until(lambda: '"code": "client-left"' in (server.data / "logs/poise/trace.jsonl").read_text("ascii"))
