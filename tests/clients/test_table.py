"""The table of clients holds every one the notification service must serve, on every binding it has."""

from __future__ import annotations

import json
import re

import pytest

from tests.clients.packages import HERE
from tests.clients.table import AIOXMPP, CLIENTS, GLOOX, LIBPURPLE, SLIXMPP, STANZA, STROPHE, XMPPJS, AfterCut, Binding

DEMANDED = {
    **{f"Strophe {version}": {Binding.BOSH, Binding.WEBSOCKET} for version in ("1.2.16", "1.4.4", "1.6.2", "3.0.1")},
    "Strophe 5.0.0": {Binding.BOSH, Binding.WEBSOCKET},
    STANZA: {Binding.BOSH, Binding.WEBSOCKET},
    XMPPJS: {Binding.STARTTLS, Binding.WEBSOCKET},
    SLIXMPP: {Binding.STARTTLS},
    AIOXMPP: {Binding.STARTTLS},
    LIBPURPLE: {Binding.STARTTLS, Binding.BOSH},
    GLOOX: {Binding.STARTTLS},
}
"""Client -> the bindings on which it must go through a whole day, a cut network included."""


@pytest.mark.parametrize("name", DEMANDED)
def test_a_client_is_tried_on_every_binding_it_must_work_on(name: str) -> None:
    tried = {kind.binding for kind in CLIENTS if kind.name == name and kind.after_cut is not AfterCut.WAITS}
    assert tried >= DEMANDED[name]


def test_no_client_is_named_twice_on_a_binding() -> None:
    titles = [kind.title for kind in CLIENTS]
    assert len(titles) == len(set(titles))


def test_the_lock_files_pin_the_versions_the_table_names_and_no_address() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    pinned = {path.removeprefix("node_modules/"): package for path, package in lock.items() if path}
    assert {f"strophe-{key}": version for version, key in STROPHE.items()} == {
        name: package["version"] for name, package in pinned.items() if re.fullmatch("strophe-[0-9.]+", name)
    }
    for title in (STANZA, XMPPJS):
        name, _, version = title.partition(" ")
        assert pinned[name]["version"] == version
    assert all("integrity" in package and "resolved" not in package for package in pinned.values())
    requirements = (HERE / "requirements.txt").read_text("utf-8")
    for title in (SLIXMPP, AIOXMPP):
        assert "==".join(title.split()) in requirements
