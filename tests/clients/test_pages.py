"""What a page does beyond signing in: reload, a second page, an early request, the other port."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.clients.conftest import StartClient
from tests.clients.cutting import CuttingProxy
from tests.clients.table import CLIENTS, STANZA, STROPHE, Binding, ClientKind
from tests.e2e.process import Server

FIRST_AND_LAST = [f"Strophe {version}" for version in (min(STROPHE), max(STROPHE))]


def over(binding: Binding) -> pytest.MarkDecorator:
    """Strophe's first and last generation over this binding."""
    kinds = [kind for kind in CLIENTS if kind.name in FIRST_AND_LAST and kind.binding is binding]
    return pytest.mark.parametrize("kind", kinds, ids=lambda kind: kind.title)


@over(Binding.BOSH)
def test_a_reloaded_page_goes_on_with_the_session_of_the_page_before(
    kind: ClientKind, running_demo: Server, start_client: StartClient
) -> None:
    page = start_client(kind, "1005")
    page.signed_in()
    rest = running_demo.rest("1005")
    assert rest.put("LOGIN", "before", extension="1005").status == 202
    page.update("before")
    session = page.reload()

    assert rest.put("READY", "meanwhile").status == 202
    reloaded = start_client(kind, "1005", *session)
    assert reloaded.update("meanwhile").findtext("data/user/state") == "READY"
    assert rest.put("NOT_READY", "after").status == 202
    reloaded.update("after")
    assert reloaded.updates("before") == 0
    assert rest.put("LOGOUT", "out").status == 202
    reloaded.update("out")
    assert reloaded.leave() == 0


REPEATING = [kind for kind in CLIENTS if kind.binding is Binding.BOSH and kind.name in {*FIRST_AND_LAST, STANZA}]
"""Clients that ask again for an answer they did not get. libpurple does not: what was on its way to it is lost."""


@pytest.mark.parametrize("kind", REPEATING, ids=lambda kind: kind.title)
def test_an_event_that_was_lost_on_its_way_is_delivered_again_and_once(
    kind: ClientKind, running_demo: Server, start_client: StartClient, network: Callable[[str], CuttingProxy]
) -> None:
    wire = network("notification")
    page = start_client(kind, "1001", port=wire.port)
    page.signed_in()
    rest = running_demo.rest("1001")
    assert rest.put("LOGIN", "before", extension="1001").status == 202
    page.update("before")
    wire.lose_next_answer()
    assert rest.put("READY", "lost").status == 202
    assert page.update("lost").findtext("data/user/state") == "READY"
    assert wire.lost > len(page.seen[-1]["text"]), "it was not the event that was lost"
    assert rest.put("NOT_READY", "after").status == 202
    page.update("after")
    assert rest.put("LOGOUT", "out").status == 202
    page.update("out")
    assert page.leave() == 0
    assert [page.updates(name) for name in ("before", "lost", "after", "out")] == [1, 1, 1, 1]


@over(Binding.BOSH)
def test_two_clients_of_one_agent_both_hold_each_event(
    kind: ClientKind, running_demo: Server, start_client: StartClient
) -> None:
    pages = [start_client(kind, "1004", resource=name) for name in ("desk", "phone")]
    for page in pages:
        page.signed_in()
    rest = running_demo.rest("1004")
    assert rest.put("LOGIN", "both", extension="1004").status == 202
    for page in pages:
        assert page.update("both").findtext("data/user/state") == "NOT_READY"
    assert pages[0].leave() == 0
    assert rest.put("LOGOUT", "out").status == 202
    pages[1].update("out")
    assert pages[1].leave() == 0


@over(Binding.BOSH)
def test_ready_without_sign_in_is_accepted_and_then_refused_by_an_event(
    kind: ClientKind, running_demo: Server, start_client: StartClient
) -> None:
    page = start_client(kind, "1002")
    page.signed_in()
    rest = running_demo.rest("1002")
    answer = rest.put("READY", "too early")
    assert (answer.status, answer.body) == (202, b"")
    update = page.update("too early")
    assert update.findtext("data/apiErrors/apiError/errorData") == "257"
    assert update.findtext("data/apiErrors/apiError/errorType") == "Invalid State"
    assert rest.state_of("1002") == "LOGOUT"
    assert page.leave() == 0


@pytest.mark.parametrize("binding", [Binding.BOSH, Binding.WEBSOCKET], ids=lambda binding: binding.title)
def test_the_port_of_the_desktop_serves_the_notification_service_too(
    binding: Binding, running_demo: Server, start_client: StartClient
) -> None:
    kind = next(kind for kind in CLIENTS if kind.name == FIRST_AND_LAST[0] and kind.binding is binding)
    page = start_client(kind, "1003", port=running_demo.facts["ports"]["https"])
    page.signed_in()
    rest = running_demo.rest("1003")
    assert rest.put("LOGIN", "in", extension="1003").status == 202
    page.update("in")
    assert rest.put("LOGOUT", "out").status == 202
    page.update("out")
    assert page.leave() == 0
