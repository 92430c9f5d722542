"""Subscribing, options, approval, and what subscribers are told (XEP-0060 sections 6, 8.6, 8.8; PS40-PS62)."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.host import HostPolicy
from poise.protocols.xmpp.pubsub.approval import AUTHORIZATION
from poise.protocols.xmpp.xml import Element
from tests.unit.protocols.xmpp.host_story import Recorder, condition
from tests.unit.protocols.xmpp.pubsub.story import (
    DATA,
    OWNER,
    PS,
    USER,
    Scene,
    entries,
    form,
    names,
    ok,
    refusal,
    told,
    values,
    verb,
)


def listed(scene: Scene, client: Recorder) -> list[tuple[str, str, str]]:
    answer = scene.get(client, "<subscriptions/>")
    return [(entry["node"], entry["jid"], entry["subscription"]) for entry in entries(answer)]


@pytest.mark.parametrize("jid", ["1001@localhost/desktop", "1001@localhost"])
def test_PS40_PS41_either_jid_is_subscribed_and_addressed(jid: str) -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    answer = scene.subscribe(client, "n", jid)
    assert dict(verb(answer).attrs) == {"node": "n", "jid": jid, "subscription": "subscribed"}
    scene.put(scene.admin, "n", "i")
    assert client.only().attrs["to"] == jid


def test_PS42_subscribing_again_changes_nothing() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    assert scene.subscribe(client, "n").children == scene.subscribe(client, "n").children
    scene.put(scene.admin, "n", "i")
    assert names(client) == ["item i"]


def test_PS43_bare_and_full_are_two_subscriptions() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    for jid in ("1001@localhost", client.jid):
        scene.subscribe(client, "n", jid)
    scene.put(scene.admin, "n", "i")
    assert [stanza.attrs["to"] for stanza in client.take()] == ["1001@localhost", client.jid]


@pytest.mark.parametrize("jid", ["1002@localhost", "1002@localhost/desktop", "admin@localhost", "", "@", "localhost"])
def test_PS44_PS45_nobody_subscribes_another_or_nobody(jid: str) -> None:
    scene = Scene()
    scene.create("n")
    answer = scene.set(scene.join("1001"), f"<subscribe node='n' jid='{jid}'/>")
    assert refusal(answer) == ("bad-request", "invalid-jid")
    assert refusal(scene.set(scene.join("1002"), "<subscribe node='n'/>")) == ("bad-request", "invalid-jid")


def test_PS46_a_subscription_is_to_a_node_that_exists() -> None:
    scene = Scene()
    client = scene.join("1001")
    assert refusal(scene.set(client, f"<subscribe jid='{client.jid}'/>")) == ("bad-request", "nodeid-required")
    assert refusal(scene.subscribe(client, "n"))[0] == "item-not-found"


def test_PS47_PS48_PS52_affiliations_open_and_close_a_whitelisted_node() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "whitelist"), ("persist_items", "1"))
    for user, affiliation in (("1002", "member"), ("1003", "publisher"), ("1101", "outcast")):
        scene.affiliate("n", user, affiliation)
    answers = {user: scene.subscribe(scene.join(user, "x"), "n") for user in ("1001", "1002", "1003", "1101", "admin")}
    assert [user for user, answer in answers.items() if ok(answer)] == ["1002", "1003", "admin"]
    assert (condition(answers["1001"]), refusal(answers["1001"])[1]) == (("cancel", "not-allowed"), "closed-node")
    assert condition(answers["1101"]) == ("auth", "forbidden")
    assert ok(scene.get(scene.join("1003", "x"), "<items node='n'/>"))
    scene.affiliate("n", "1001", "publish-only")
    assert condition(scene.subscribe(scene.join("1001"), "n")) == ("auth", "forbidden")


def asked(owner: Recorder) -> Element:
    """The one form an owner was sent."""
    (message,) = [stanza for stanza in owner.take() if stanza.child("x", DATA) is not None]
    return message


def answer_form(scene: Scene, owner: Recorder, message: Element, allow: str, type_: str = "submit") -> None:
    found = values(message)
    inside = form(
        "subscribe_authorization",
        ("node", found["node"][0]),
        ("subscriber_jid", found["subscriber_jid"][0]),
        ("allow", allow),
        type_=type_,
    )
    scene.send(
        owner,
        f"<message xmlns='jabber:client' id='{message.attrs['id']}' to='pubsub.localhost'>{inside}</message>",
    )


def test_PS49_an_owner_is_asked_and_approves() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"), ("persist_items", "1"))
    client = scene.join("1001")
    answer = scene.subscribe(client, "n")
    assert verb(answer).attrs["subscription"] == "pending"
    message = asked(scene.admin)
    found = values(message)
    assert (message.attrs["from"], found["FORM_TYPE"]) == ("pubsub.localhost", [AUTHORIZATION])
    assert (found["node"], found["subscriber_jid"], found["allow"]) == (["n"], [client.jid], ["false"])
    assert refusal(scene.subscribe(client, "n")) == ("not-authorized", "pending-subscription")
    scene.put(scene.admin, "n", "early")
    assert client.take() == []
    assert refusal(scene.get(client, "<items node='n'/>")) == ("not-authorized", "not-subscribed")
    answer_form(scene, scene.admin, message, "true")
    (change,) = told(client)
    assert dict(change.attrs) == {"node": "n", "jid": client.jid, "subscription": "subscribed"}
    scene.put(scene.admin, "n", "late")
    assert names(client) == ["item late"]
    assert ok(scene.get(client, "<items node='n'/>"))
    other = scene.join("1001", "phone")
    client.raw.clear()
    assert verb(scene.subscribe(other, "n")).attrs["subscription"] == "subscribed"  # the user is approved


def test_PS49_an_owner_denies() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    message = asked(scene.admin)
    answer_form(scene, scene.admin, message, "0", type_="cancel")
    assert listed(scene, client) == [("n", client.jid, "pending")]
    answer_form(scene, scene.admin, message, "0")
    (change,) = told(client)
    assert change.attrs["subscription"] == "none"
    assert listed(scene, client) == []
    answer_form(scene, scene.admin, message, "1")  # too late: there is nothing to approve
    assert (client.take(), scene.admin.take()) == ([], [])


def test_PS49_a_pending_subscriber_may_think_better_of_it() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    assert ok(scene.set(client, f"<unsubscribe node='n' jid='{client.jid}'/>"))
    assert scene.host.subscriptions("n") == ()


def test_PS49_who_waits_goes_on_waiting_when_rights_are_looked_at_anew() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.host.review_subscriptions("1001", scene.now)
    scene.affiliate("n", "1001", "none")
    scene.deliver()
    assert (listed(scene, client), told(client)) == ([("n", client.jid, "pending")], [])
    scene.affiliate("n", "1001", "member")
    assert [element.attrs["subscription"] for element in told(client)] == ["subscribed"]


def test_PS49_an_answer_that_comes_too_late_ends_nothing() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    message = asked(scene.admin)
    answer_form(scene, scene.admin, message, "1")
    client.raw.clear()
    answer_form(scene, scene.admin, message, "0")
    assert (told(client), listed(scene, client)) == ([], [("n", client.jid, "subscribed")])


def test_PS49_the_product_approves_by_subscribing() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.host.subscribe("n", client.jid)
    assert listed(scene, client) == [("n", client.jid, "subscribed")]


def test_PS49_nobody_but_an_owner_approves() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    message = asked(scene.admin)
    answer_form(scene, client, message, "1")
    assert condition(client.only()) == ("auth", "forbidden")
    assert listed(scene, client) == [("n", client.jid, "pending")]


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<body>hello</body>", "service-unavailable"),
        (form("node_config", ("node", "n")), "bad-request"),
        (form("subscribe_authorization"), "item-not-found"),
        (form("subscribe_authorization", ("node", "n")), "bad-request"),
        (form("subscribe_authorization", ("node", "n"), ("subscriber_jid", "@")), "bad-request"),
    ],
)
def test_PS49_a_message_that_answers_nothing_is_refused(inside: str, expected: str) -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"))
    scene.send(scene.admin, f"<message xmlns='jabber:client' to='pubsub.localhost'>{inside}</message>")
    assert condition(scene.admin.only())[1] == expected


def test_PS49_owners_who_are_affiliated_are_asked_and_others_not() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"))
    owner, member = scene.join("1101"), scene.join("1002")
    scene.affiliate("n", "1101", "owner")
    scene.affiliate("n", "1002", "member")
    assert verb(scene.subscribe(member, "n")).attrs["subscription"] == "subscribed"
    scene.subscribe(scene.join("1001"), "n")
    assert values(asked(owner)) == values(asked(scene.admin))


def test_PS51_there_are_only_so_many_subscriptions() -> None:
    scene = Scene(HostPolicy(subscriptions_per_user=1))
    for node in ("n", "m"):
        scene.create(node)
    client = scene.join("1001")
    scene.subscribe(client, "n")
    assert refusal(scene.subscribe(client, "m")) == ("policy-violation", "too-many-subscriptions")


def test_PS53_PS54_PS55_unsubscribing() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    assert condition(scene.set(scene.join("1002"), f"<unsubscribe node='n' jid='{client.jid}'/>"))[1] == "forbidden"
    assert ok(scene.set(client, f"<unsubscribe node='n' jid='{client.jid}'/>"))
    scene.put(scene.admin, "n", "i")
    assert names(client) == []
    again = scene.set(client, f"<unsubscribe node='n' jid='{client.jid}'/>")
    assert refusal(again) == ("unexpected-request", "not-subscribed")


def test_PS56_a_subid_that_was_never_given_out_is_not_looked_at() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    assert "subid" not in verb(scene.subscribe(client, "n")).attrs
    assert ok(scene.set(client, f"<unsubscribe node='n' jid='{client.jid}' subid='of another server'/>"))


def options_of(scene: Scene, client: Recorder, *fields: tuple[str, str]) -> Element:
    wanted = form("subscribe_options", *fields)
    return scene.set(client, f"<options node='n' jid='{client.jid}'>{wanted}</options>")


def test_PS57_options_are_shown_and_changed() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    asked_for = f"<options node='n' jid='{client.jid}'/>"
    found = values(verb(scene.get(client, asked_for)))
    assert (found["deliver"], found["expire"]) == (["1"], [""])
    assert found["show-values"] == ["away", "chat", "dnd", "online", "xa"]
    assert values(verb(scene.get(client, "<default/>"))) == found
    assert verb(scene.get(client, "<default node='n'/>")).attrs["node"] == "n"
    assert ok(options_of(scene, client, ("deliver", "0")))
    scene.put(scene.admin, "n", "i")
    assert names(client) == []
    assert ok(options_of(scene, client, ("deliver", "1")))
    scene.put(scene.admin, "n", "j")
    assert names(client) == ["item j"]


@pytest.mark.parametrize(("show", "hears"), [("", True), ("chat", False), ("away", True), ("dnd", False)])
def test_PS57_show_values_say_in_which_states_one_hears(show: str, hears: bool) -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    options_of(scene, client, ("show-values", "online"), ("show-values", "away"))
    inside = f"<show>{show}</show>" if show else ""
    scene.send(client, f"<presence xmlns='jabber:client'>{inside}</presence>")
    client.raw.clear()
    scene.put(scene.admin, "n", "i")
    assert bool(names(client)) is hears


def test_PS57_options_stand_beside_the_subscription_too() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    beside = f"<options>{form('subscribe_options', ('deliver', 'false'))}</options>"
    assert ok(scene.set(client, f"<subscribe node='n' jid='{client.jid}'/>{beside}"))
    assert values(verb(scene.get(client, f"<options node='n' jid='{client.jid}'/>")))["deliver"] == ["0"]


def test_PS57_options_of_what_is_not_there() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    for kind in ("get", "set"):
        asks = {
            "<options node='n'/>": ("bad-request", "jid-required"),
            "<options node='n' jid='@'/>": ("bad-request", "invalid-jid"),
            f"<options node='n' jid='{client.jid}'/>": ("unexpected-request", "not-subscribed"),
            "<options node='n' jid='1002@localhost'/>": ("forbidden", ""),
            f"<options jid='{client.jid}'/>": ("bad-request", "nodeid-required"),
        }
        for asked_for, expected in asks.items():
            assert refusal(scene.pubsub(client, kind, asked_for)) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (("show-values", "asleep"), ("bad-request", "invalid-options")),
        (("deliver", "maybe"), ("bad-request", "")),
        (("expire", "2031-01-01T00:00:00Z"), ("not-acceptable", "")),
    ],
)
def test_PS57_options_that_cannot_be_are_refused(field: tuple[str, str], expected: tuple[str, str]) -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    assert refusal(options_of(scene, client, field)) == expected


def test_PS58_own_subscriptions_are_listed_for_all_resources() -> None:
    scene = Scene()
    scene.create("n")
    scene.create("m", ("access_model", "authorize"))
    client = scene.join("1001")
    assert listed(scene, client) == []
    scene.subscribe(client, "n", "1001@localhost/elsewhere")
    scene.subscribe(client, "m")
    scene.subscribe(scene.join("1002"), "n")
    assert listed(scene, client) == [("n", "1001@localhost/elsewhere", "subscribed"), ("m", client.jid, "pending")]
    assert verb(scene.get(client, "<default node='m'/>")).attrs["node"] == "m"
    answer = scene.get(client, "<subscriptions node='m'/>")
    assert (verb(answer).attrs["node"], [entry["node"] for entry in entries(answer)]) == ("m", ["m"])
    page = "<subscriptions/><set xmlns='http://jabber.org/protocol/rsm'><max>1</max><after>0</after></set>"
    assert [entry["node"] for entry in entries(scene.get(client, page))] == ["m"]


def test_PS59_own_affiliations_are_listed() -> None:
    scene = Scene()
    scene.create("n")
    scene.create("m")
    client = scene.join("1001")
    assert entries(scene.get(client, "<affiliations/>")) == []
    scene.affiliate("m", "1001", "publisher")
    assert entries(scene.get(client, "<affiliations/>")) == [{"node": "m", "affiliation": "publisher"}]
    assert entries(scene.get(client, "<affiliations node='n'/>")) == []
    assert ok(scene.affiliate("m", "1001", "publisher"))  # as it is already
    assert ok(scene.affiliate("m", "1001", "none"))
    assert entries(scene.get(client, "<affiliations/>")) == []
    assert [entry["affiliation"] for entry in entries(scene.get(scene.admin, "<affiliations/>"))] == ["owner"] * 2


def manage(scene: Scene, node: str, **states: str) -> Element:
    inside = "".join(f"<subscription jid='{jid}' subscription='{state}'/>" for jid, state in states.items())
    return scene.own(scene.admin, f"<subscriptions node='{node}'>{inside}</subscriptions>")


def test_PS60_an_owner_lists_and_changes_the_subscriptions_of_a_node() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "authorize"))
    one, two = scene.join("1001"), scene.join("1002")
    scene.subscribe(one, "n")
    scene.admin.raw.clear()
    answer = scene.own(scene.admin, "<subscriptions node='n'/>", "get")
    assert entries(answer, OWNER) == [{"jid": one.jid, "subscription": "pending"}]
    assert ok(manage(scene, "n", **{one.jid: "subscribed", "1002@localhost": "subscribed"}))
    assert [element.attrs["subscription"] for element in told(one) + told(two)] == ["subscribed"] * 2
    scene.put(scene.admin, "n", "i")
    assert (names(one), names(two)) == (["item i"], ["item i"])
    assert ok(manage(scene, "n", **{one.jid: "none", "1003@localhost": "none"}))
    assert [element.attrs["subscription"] for element in told(one)] == ["none"]
    assert scene.host.subscriptions("n") == ("1002@localhost",)
    assert condition(scene.own(one, "<subscriptions node='n'/>", "get")) == ("auth", "forbidden")


def test_PS60_entries_that_cannot_be_are_given_back_and_the_others_count() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "whitelist"))
    scene.affiliate("n", "1002", "member")
    answer = manage(
        scene,
        "n",
        **{
            "1001@localhost": "subscribed",  # no member
            "1002@localhost": "subscribed",
            "9999@localhost": "subscribed",  # nobody
            "1003@elsewhere.example": "subscribed",
            "1003@localhost": "unconfigured",
        },
    )
    assert condition(answer) == ("modify", "not-acceptable")
    wrapper = answer.child("pubsub", OWNER)
    assert wrapper is not None
    assert [dict(entry.attrs) for entry in next(wrapper.elements()).elements()] == [
        {"jid": jid, "subscription": "none"}
        for jid in ("1001@localhost", "9999@localhost", "1003@elsewhere.example", "1003@localhost")
    ]
    assert scene.host.subscriptions("n") == ("1002@localhost",)
    twice = "<subscription jid='1002@localhost' subscription='none'/>" * 2
    answer = scene.own(scene.admin, f"<subscriptions node='n'>{twice}</subscriptions>")
    assert condition(answer)[1] == "bad-request"


def test_PS60_a_subscription_for_which_there_is_no_room_is_given_back() -> None:
    scene = Scene(HostPolicy(subscriptions_per_node=1))
    scene.create("n")
    answer = manage(scene, "n", **{"1001@localhost": "subscribed", "1002@localhost": "subscribed"})
    assert condition(answer) == ("modify", "not-acceptable")
    assert scene.host.subscriptions("n") == ("1001@localhost",)


def test_PS60_nobody_is_subscribed_to_a_node_of_the_product_that_the_rule_keeps_from_him() -> None:
    scene = Scene()
    scene.host.create_node(USER)
    assert condition(manage(scene, USER, **{"1002@localhost": "subscribed"}))[1] == "not-acceptable"
    assert ok(manage(scene, USER, **{"1001@localhost": "subscribed"}))
    assert scene.host.subscriptions(USER) == ("1001@localhost",)


@pytest.mark.parametrize(("error", "over"), [("gone", True), ("item-not-found", True), ("service-unavailable", False)])
def test_PS61_a_notification_that_comes_back_because_its_address_is_gone_ends_the_subscription(
    error: str, over: bool
) -> None:
    scene = Scene()
    scene.create("n")
    client, other = scene.join("1001"), scene.join("1002")
    for subscriber in (client, other):
        scene.subscribe(subscriber, "n")
    scene.put(scene.admin, "n", "i")
    came = client.only().attrs["id"]
    bounce = (
        "<message xmlns='jabber:client' type='error' to='pubsub.localhost' id='{}'><error type='cancel'>"
        f"<{error} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    scene.send(other, bounce.format(came))  # of another's notification: not his to bounce
    assert client.jid in scene.host.subscriptions("n")
    scene.send(client, bounce.format(came))
    assert (client.jid in scene.host.subscriptions("n")) is not over
    for junk in ("", "x", "n__", "n__nobody__aaaaa", "m__1__2"):
        scene.send(client, bounce.format(junk))
    scene.send(client, "<message xmlns='jabber:client' type='error' to='pubsub.localhost'/>")
    assert scene.host.subscriptions("n")[-1] == other.jid


def test_PS61_a_user_who_is_no_more_leaves_nothing_behind() -> None:
    scene = Scene()
    scene.create("n")
    scene.affiliate("n", "1001", "publisher")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.leave(client)
    scene.host.forget_user("1001", scene.now)
    assert scene.host.subscriptions("n") == ()
    answer = scene.own(scene.admin, "<affiliations node='n'/>", "get")
    assert [entry["jid"] for entry in entries(answer, OWNER)] == ["admin@localhost"]


def test_PS62_a_subscription_bound_to_presence_ends_with_it() -> None:
    scene = Scene()
    scene.create("n")
    desk, phone = scene.join("1001"), scene.join("1001", "phone")
    for jid in (desk.jid, "1001@localhost"):
        beside = f"<options>{form('subscribe_options', ('expire', 'presence'))}</options>"
        assert ok(scene.set(desk, f"<subscribe node='n' jid='{jid}'/>{beside}"))
    scene.subscribe(desk, "n", "1001@localhost/other")
    scene.send(desk, "<presence xmlns='jabber:client' type='unavailable'/>")
    assert scene.host.subscriptions("n") == ("1001@localhost", "1001@localhost/other")
    scene.leave(phone)
    assert scene.host.subscriptions("n") == ("1001@localhost/other",)


def test_PS62_such_a_subscription_waits_for_presence_that_never_came() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.bind("1001")
    beside = f"<options>{form('subscribe_options', ('expire', 'presence'))}</options>"
    assert ok(scene.set(client, f"<subscribe node='n' jid='{client.jid}'/>{beside}"))
    scene.join("1001", "phone")
    assert scene.host.subscriptions("n") == (client.jid,)
    scene.leave(scene.join("1001", "phone"))
    assert scene.host.subscriptions("n") == ()


def test_nothing_is_remembered_of_who_has_no_subscription_and_no_affiliation() -> None:
    scene = Scene()
    scene.create("n")
    clients = [scene.join(user) for user in ("1001", "1002")]
    for client in clients:
        for jid in (client.jid, client.jid.partition("/")[0]):
            scene.subscribe(client, "n", jid)
    for client in clients:
        scene.affiliate("n", client.jid.partition("@")[0], "member")
    for client in clients:
        for jid in (client.jid, client.jid.partition("/")[0]):
            scene.set(client, f"<unsubscribe node='n' jid='{jid}'/>")
        scene.affiliate("n", client.jid.partition("@")[0], "none")
    assert scene.host._pubsub._of_user == {}
    assert set(scene.host._pubsub.affiliated) == {"admin@localhost"}
    scene.own(scene.admin, "<delete node='n'/>")
    assert scene.host._pubsub.affiliated == {}


def test_owners_hear_of_subscribers_where_the_node_says_so() -> None:
    scene = Scene()
    scene.create("n", ("notify_sub", "1"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.set(client, f"<unsubscribe node='n' jid='{client.jid}'/>")
    assert [(element.attrs["jid"], element.attrs["subscription"]) for element in told(scene.admin)] == [
        (client.jid, "subscribed"),
        (client.jid, "none"),
    ]


def test_the_namespace_of_what_subscribers_are_told_is_that_of_events() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    manage(scene, "n", **{client.jid: "none"})
    message = client.only()
    assert (message.attrs["from"], message.attrs["to"]) == ("pubsub.localhost", client.jid)
    assert message.child("event", f"{PS}#event") is not None
