"""Stories of presence: who hears that somebody came or went, and how often."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.delivery import PresenceChanged, Replace
from poise.protocols.xmpp.host import BindRefused, HostPolicy
from poise.protocols.xmpp.presence import TRANSITIONS, Signal, State
from poise.registry import ENDINGS, Closed
from tests.unit.protocols.xmpp.host_story import Stage, condition

AVAILABLE = "<presence xmlns='jabber:client'/>"
GONE = "<presence xmlns='jabber:client' type='unavailable'/>"


def test_every_state_but_gone_knows_every_signal() -> None:
    assert set(TRANSITIONS) == {(state, signal) for state in (State.CONNECTED, State.AVAILABLE) for signal in Signal}


def test_initial_presence_comes_back_and_the_server_user_is_there() -> None:
    stage = Stage()
    desk = stage.bind("1001")
    stage.send(desk, "<presence xmlns='jabber:client'><show>away</show></presence>")
    echo, server = desk.take()
    assert (echo.attrs["from"], echo.attrs["to"]) == ("1001@localhost/desktop", "1001@localhost")
    assert "type" not in echo.attrs
    assert echo.child("show") is not None
    assert (server.attrs["from"], server.attrs["to"]) == ("finesse@localhost", "1001@localhost/desktop")
    assert "type" not in server.attrs
    assert stage.events(PresenceChanged) == [PresenceChanged("1001", "desktop", True, 1)]


def test_a_second_resource_learns_of_the_first_and_the_first_of_the_second() -> None:
    stage = Stage()
    desk = stage.join("1001")
    phone = stage.bind("1001", "phone")
    stage.send(phone, AVAILABLE)
    assert desk.only().attrs["from"] == "1001@localhost/phone"
    assert [stanza.attrs["from"] for stanza in phone.take()] == [
        "1001@localhost/phone",
        "1001@localhost/desktop",
        "finesse@localhost",
    ]
    assert [event.remaining for event in stage.events(PresenceChanged)] == [1, 2]


def test_a_change_of_status_is_heard_but_is_no_event() -> None:
    stage = Stage()
    desk = stage.join("1001")
    stage.events(PresenceChanged)
    stage.send(desk, "<presence xmlns='jabber:client'><status>lunch</status></presence>")
    assert desk.only().child("status") is not None
    assert stage.events(PresenceChanged) == []


def test_only_the_last_resource_to_leave_has_none_remaining() -> None:
    stage = Stage()
    desk = stage.join("1001")
    phone = stage.join("1001", "phone")
    stage.events(PresenceChanged)
    stage.leave(desk)
    assert stage.events(PresenceChanged) == [PresenceChanged("1001", "desktop", False, 1)]
    left = phone.take()[-1]
    assert (left.attrs["type"], left.attrs["from"]) == ("unavailable", "1001@localhost/desktop")
    stage.leave(phone)
    assert stage.events(PresenceChanged) == [PresenceChanged("1001", "phone", False, 0)]


def test_the_ending_of_the_session_travels_with_the_event() -> None:
    stage = Stage()
    desk = stage.join("1001")
    stage.events(PresenceChanged)
    closed = Closed(ENDINGS["idle"], 940.0, 940.0, 1000.0, timer_s=60.0)
    stage.host.detach(desk, closed, [], stage.now)
    assert [event.closed for event in stage.events(PresenceChanged)] == [closed]


def test_unavailable_then_disconnect_is_one_departure() -> None:
    stage = Stage()
    desk = stage.join("1001")
    phone = stage.join("1001", "phone")
    stage.events(PresenceChanged)
    desk.raw.clear()
    stage.send(desk, "<presence xmlns='jabber:client' type='unavailable'><status>bye</status></presence>")
    stage.leave(desk)
    stage.leave(desk)
    assert phone.only().child("status") is not None
    assert stage.events(PresenceChanged) == [PresenceChanged("1001", "desktop", False, 1)]


def test_a_session_that_never_was_available_leaves_without_a_word() -> None:
    stage = Stage()
    phone = stage.join("1001", "phone")
    stage.events(PresenceChanged)
    desk = stage.bind("1001")
    stage.send(desk, GONE)
    stage.leave(desk)
    assert phone.take() == []
    assert stage.events(PresenceChanged) == []


def test_an_unavailable_client_may_come_back_on_the_same_session() -> None:
    stage = Stage()
    desk = stage.join("1001")
    stage.send(desk, GONE)
    stage.send(desk, AVAILABLE)
    assert [event.available for event in stage.events(PresenceChanged)] == [True, False, True]


@pytest.mark.parametrize("priority", ["200", "-129", "abc", "", "1.5", "٣", "--1", "1" * 5000])
def test_a_priority_out_of_range_is_a_bad_request_and_changes_nothing(priority: str) -> None:
    stage = Stage()
    desk = stage.bind("1001")
    stage.send(desk, f"<presence xmlns='jabber:client'><priority>{priority}</priority></presence>")
    assert condition(desk.only()) == ("modify", "bad-request")
    assert not stage.host.sessions()[0].available
    assert stage.events(PresenceChanged) == []


@pytest.mark.parametrize(("text", "value"), [("-128", -128), ("127", 127), (" 5 ", 5), ("+1", 1), ("0", 0)])
def test_priorities_from_minus_128_to_127_count(text: str, value: int) -> None:
    stage = Stage()
    desk = stage.bind("1001")
    stage.send(desk, f"<presence xmlns='jabber:client'><priority>{text}</priority></presence>")
    assert stage.host.sessions()[0].priority == value


def test_directed_presence_reaches_its_target_and_ends_exactly_once() -> None:
    stage = Stage()
    desk = stage.join("1001")
    friend = stage.join("1002")
    stage.send(desk, "<presence xmlns='jabber:client' to='1002@localhost'/>")
    assert friend.only().attrs["from"] == "1001@localhost/desktop"
    stage.send(desk, GONE)
    assert friend.only().attrs["type"] == "unavailable"
    stage.leave(desk)
    assert friend.take() == []


def test_after_directed_unavailable_the_target_hears_no_more() -> None:
    stage = Stage()
    desk = stage.join("1001")
    friend = stage.join("1002")
    stage.send(desk, "<presence xmlns='jabber:client' to='1002@localhost/desktop'/>")
    stage.send(desk, "<presence xmlns='jabber:client' type='unavailable' to='1002@localhost/desktop'/>")
    assert [stanza.attrs.get("type", "") for stanza in friend.take()] == ["", "unavailable"]
    stage.leave(desk)
    assert friend.take() == []


def test_presence_directed_to_a_resource_goes_nowhere_else() -> None:
    stage = Stage()
    desk = stage.join("1001")
    friend = stage.join("1002")
    other = stage.join("1002", "phone")
    friend.raw.clear()
    stage.send(desk, "<presence xmlns='jabber:client' to='1002@localhost/phone'/>")
    assert friend.take() == []
    assert other.only().attrs["to"] == "1002@localhost/phone"


def test_a_lost_session_tells_whom_it_had_directed_presence_to_even_when_it_never_was_available() -> None:
    stage = Stage()
    desk = stage.bind("1001")
    friend = stage.join("1002")
    own = stage.join("1001", "phone")
    stage.send(desk, "<presence xmlns='jabber:client' to='1002@localhost'/>")
    stage.send(desk, "<presence xmlns='jabber:client' to='1001@localhost'/>")
    friend.raw.clear()
    own.raw.clear()
    stage.leave(desk)
    assert friend.only().attrs["type"] == "unavailable"
    assert own.only().attrs["type"] == "unavailable"


def test_own_resources_hear_once_of_a_departure_although_presence_was_directed_to_them_too() -> None:
    stage = Stage()
    desk = stage.join("1001")
    own = stage.join("1001", "phone")
    stage.send(desk, "<presence xmlns='jabber:client' to='1001@localhost/phone'/>")
    own.raw.clear()
    stage.leave(desk)
    assert own.only().attrs["type"] == "unavailable"


def test_directed_presence_is_bounded() -> None:
    stage = Stage(HostPolicy(directed_per_session=1))
    desk = stage.join("1001")
    stage.send(desk, "<presence xmlns='jabber:client' to='1002@localhost'/>")
    stage.send(desk, "<presence xmlns='jabber:client' to='1002@localhost'/>")
    assert desk.take() == []
    stage.send(desk, "<presence xmlns='jabber:client' to='1003@localhost'/>")
    assert condition(desk.only()) == ("wait", "resource-constraint")


@pytest.mark.parametrize("to", ["localhost", "pubsub.localhost", "finesse@localhost", "9999@localhost"])
def test_presence_directed_to_the_server_or_nobody_is_taken_in_silence(to: str) -> None:
    stage = Stage()
    desk = stage.join("1001")
    stage.send(desk, f"<presence xmlns='jabber:client' to='{to}'/>")
    stage.leave(desk)
    assert desk.take() == []


def test_subscribing_to_the_server_user_is_granted() -> None:
    stage = Stage()
    desk = stage.join("1001")
    stage.send(desk, "<presence xmlns='jabber:client' type='subscribe' to='finesse@localhost'/>")
    granted = desk.only()
    assert (granted.attrs["type"], granted.attrs["from"]) == ("subscribed", "finesse@localhost")


@pytest.mark.parametrize("kind", ["subscribe", "subscribed", "unsubscribe", "unsubscribed"])
def test_rosters_cannot_be_changed_by_subscriptions(kind: str) -> None:
    stage = Stage()
    desk = stage.join("1001")
    friend = stage.join("1002")
    stage.send(desk, f"<presence xmlns='jabber:client' type='{kind}' to='1002@localhost'/>")
    assert condition(desk.only()) == ("cancel", "not-allowed")
    assert friend.take() == []
    stage.send(desk, f"<presence xmlns='jabber:client' type='{kind}'/>")
    assert condition(desk.only()) == ("modify", "bad-request")


def test_a_probe_leaks_nothing_and_an_error_gets_no_answer() -> None:
    stage = Stage()
    desk = stage.join("1001")
    friend = stage.join("1002")
    stage.send(desk, "<presence xmlns='jabber:client' type='probe' to='1002@localhost'/>")
    stage.send(desk, "<presence xmlns='jabber:client' type='error' to='1002@localhost'/>")
    assert (desk.take(), friend.take()) == ([], [])


def test_an_unknown_type_of_presence_is_a_bad_request() -> None:
    stage = Stage()
    desk = stage.join("1001")
    stage.send(desk, "<presence xmlns='jabber:client' type='here'/>")
    assert condition(desk.only()) == ("modify", "bad-request")


def test_the_newer_session_of_a_resource_replaces_the_older_one() -> None:
    stage = Stage()
    old = stage.join("1001")
    phone = stage.join("1001", "phone")
    stage.events(PresenceChanged)
    phone.raw.clear()
    old.raw.clear()
    new = stage.bind("1001")
    stage.deliver()
    assert new.jid == "1001@localhost/desktop"
    assert stage.host.events[0] == PresenceChanged("1001", "desktop", False, 1)
    assert stage.host.events[1] == Replace(old)
    assert phone.only().attrs["type"] == "unavailable"
    stage.events(PresenceChanged)
    stage.send(old, AVAILABLE)
    stage.leave(old)
    assert (old.take(), phone.take()) == ([], [])
    assert stage.events(PresenceChanged) == []
    stage.send(new, AVAILABLE)
    assert stage.events(PresenceChanged) == [PresenceChanged("1001", "desktop", True, 2)]


def test_case_and_form_of_the_user_name_do_not_make_two_users() -> None:
    stage = Stage()
    first = stage.bind("Admin", "x")
    second = stage.bind("admin", "x")
    assert first.jid == second.jid == "admin@localhost/x"
    assert stage.events(Replace) == [Replace(first)]


def test_a_client_without_a_resource_gets_one_of_its_own() -> None:
    stage = Stage()
    first, second = stage.bind("1001", None), stage.bind("1001", None)
    assert first.jid != second.jid
    assert first.jid.startswith("1001@localhost/")
    assert stage.events(Replace) == []


def test_a_resource_that_is_none_is_refused() -> None:
    with pytest.raises(BindRefused) as refused:
        Stage().bind("1001", "a\u2028b")
    assert refused.value.condition == "bad-request"


def test_sessions_of_one_user_are_bounded_but_a_bound_resource_can_always_be_taken_over() -> None:
    stage = Stage(HostPolicy(resources_per_user=2))
    stage.bind("1001", "a")
    stage.bind("1001", "b")
    with pytest.raises(BindRefused) as refused:
        stage.bind("1001", "c")
    assert refused.value.condition == "resource-constraint"
    stage.bind("1001", "a")
    stage.bind("1002", "c")
    assert len(stage.host.sessions()) == 3


def test_presence_of_the_server_user_says_whether_the_web_services_are_there() -> None:
    stage = Stage()
    desk = stage.join("1001")
    silent = stage.bind("1002")
    stage.host.announce(False, stage.now)
    stage.host.announce(False, stage.now)
    stage.deliver()
    gone = desk.only()
    assert (gone.attrs["from"], gone.attrs["type"]) == ("finesse@localhost", "unavailable")
    assert silent.take() == []
    stage.send(silent, AVAILABLE)
    assert [stanza.attrs["from"] for stanza in silent.take()] == ["1002@localhost/desktop"]
    stage.host.announce(True, stage.now)
    stage.deliver()
    assert "type" not in desk.only().attrs
    assert "type" not in silent.only().attrs
