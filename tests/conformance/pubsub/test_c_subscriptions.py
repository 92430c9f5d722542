"""Subscribing, options, approval, and what subscribers are told (XEP-0060 sections 6, 8.6, 8.8)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.people import Element, Person, condition, ok, single
from tests.conformance.pubsub.story import (
    DATA,
    OWNER,
    RSM,
    Scene,
    entries,
    form,
    names,
    refusal,
    told,
    values,
    verb,
)
from tests.conformance.targets import BOSH, PUBSUB, Serve


def listed(scene: Scene, client: Person) -> list[tuple[str, str, str]]:
    answer = scene.get(client, "<subscriptions/>")
    return [(entry.get("node", ""), entry["jid"], entry["subscription"]) for entry in entries(answer)]


@pytest.mark.parametrize("binding", ["tcp", "bosh", "websocket"])
@pytest.mark.parametrize("jid", ["1001@localhost/desktop", "1001@localhost"])
def test_PS40_PS41_either_jid_is_subscribed_and_addressed(scene: Scene, jid: str, binding: str) -> None:
    scene.create()
    client = scene.join("1001", binding=binding)
    answer = verb(scene.subscribe(client, jid))
    assert (answer.name, answer.attrs["node"], answer.attrs["jid"]) == ("subscription", scene.n, jid)
    assert answer.attrs["subscription"] == "subscribed"
    scene.put(scene.admin, "i")
    message = single(client.messages())
    assert (message.attrs["to"], message.attrs["from"]) == (jid, PUBSUB)


def test_PS42_subscribing_again_changes_nothing(scene: Scene) -> None:
    scene.create(("send_last_published_item", "never"))
    client = scene.join("1001")
    assert scene.subscribe(client).children == scene.subscribe(client).children
    scene.put(scene.admin, "i")
    assert names(client) == ["item i"]


def test_PS43_bare_and_full_are_two_subscriptions(scene: Scene) -> None:
    scene.create()
    client = scene.join("1001")
    for jid in (client.bare, client.jid):
        scene.subscribe(client, jid)
    scene.put(scene.admin, "i")
    assert sorted(message.attrs["to"] for message in client.messages()) == [client.bare, client.jid]


@pytest.mark.parametrize("jid", ["1002@localhost", "1002@localhost/desktop", "finesse@localhost", "localhost"])
def test_PS44_nobody_subscribes_another(scene: Scene, jid: str) -> None:
    scene.create()
    assert refusal(scene.subscribe(scene.join("1001"), jid)) == ("bad-request", "invalid-jid")


@pytest.mark.parametrize("jid", ["", " jid=''", " jid='@'"])
def test_PS45_a_subscription_needs_a_jid(scene: Scene, jid: str) -> None:
    scene.create()
    answer = scene.set(scene.join("1001"), f"<subscribe node='{scene.n}'{jid}/>")
    assert refusal(answer) == ("bad-request", "invalid-jid")


def test_PS46_a_subscription_is_to_a_node_that_exists(scene: Scene) -> None:
    assert refusal(scene.subscribe(scene.join("1001")))[0] == "item-not-found"


def test_PS46_a_subscription_names_its_node(scene: Scene) -> None:
    client = scene.join("1001")
    assert refusal(scene.set(client, f"<subscribe jid='{client.jid}'/>")) == ("bad-request", "nodeid-required")


def test_PS47_outsiders_of_a_whitelist_are_kept_out(scene: Scene) -> None:
    scene.create(("access_model", "whitelist"))
    answer = scene.subscribe(scene.join("1001"))
    assert (condition(answer), refusal(answer)[1]) == (("cancel", "not-allowed"), "closed-node")


def test_PS48_outcasts_are_forbidden(scene: Scene) -> None:
    scene.create()
    scene.affiliate("1001", "outcast")
    assert condition(scene.subscribe(scene.join("1001"))) == ("auth", "forbidden")


def test_PS52_members_publishers_and_owners_may_always(scene: Scene) -> None:
    scene.persistent("i", config=(("access_model", "whitelist"),))
    for user, affiliation in (("1002", "member"), ("1003", "publisher"), ("1101", "owner")):
        scene.affiliate(user, affiliation)
    for client in (scene.join("1002"), scene.join("1003"), scene.join("1101"), scene.admin):
        assert ok(scene.subscribe(client))
        assert ok(scene.get(client, f"<items node='{scene.n}'/>"))


def asked(owner: Person) -> Element:
    """The one form an owner was sent."""
    return single(stanza for stanza in owner.messages() if stanza.child("x", DATA) is not None)


def answer_form(owner: Person, message: Element, allow: str, type_: str = "submit") -> None:
    found = values(message)
    answer = form(
        "subscribe_authorization",
        ("node", found["node"][0]),
        ("subscriber_jid", found["subscriber_jid"][0]),
        ("allow", allow),
        type_=type_,
    )
    owner.say(f"<message id='{message.attrs.get('id', '')}' to='{PUBSUB}'>{answer}</message>")
    owner.ask("get", "<ping xmlns='urn:xmpp:ping'/>")


def test_PS49_an_owner_is_asked_and_approves(scene: Scene) -> None:
    scene.persistent(config=(("access_model", "authorize"),))
    client = scene.join("1001")
    assert verb(scene.subscribe(client)).attrs["subscription"] == "pending"
    message = asked(scene.admin)
    found = values(message)
    assert (found["node"], found["subscriber_jid"]) == ([scene.n], [client.jid])
    scene.put(scene.admin, "early")
    assert names(client) == []
    assert not ok(scene.get(client, f"<items node='{scene.n}'/>"))
    answer_form(scene.admin, message, "true")
    change = single(told(client))
    assert (change.name, change.attrs["subscription"]) == ("subscription", "subscribed")
    scene.put(scene.admin, "late")
    assert names(client) == ["item late"]


def test_PS49_who_asks_again_while_waiting_is_told_so(scene: Scene) -> None:
    scene.create(("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client)
    assert refusal(scene.subscribe(client)) == ("not-authorized", "pending-subscription")


def test_PS49_an_owner_denies(scene: Scene) -> None:
    scene.create(("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client)
    message = asked(scene.admin)
    answer_form(scene.admin, message, "0", type_="cancel")
    assert (scene.n, client.jid, "pending") in listed(scene, client)
    answer_form(scene.admin, message, "0")
    change = single(told(client))
    assert change.attrs["subscription"] == "none"
    assert listed(scene, client) == []


def test_PS49_nobody_but_an_owner_approves(scene: Scene) -> None:
    scene.create(("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client)
    answer_form(client, asked(scene.admin), "1")
    assert (scene.n, client.jid, "pending") in listed(scene, client)


def test_PS51_there_are_only_so_many_subscriptions(serve: Serve) -> None:
    scene = Scene(serve(replace(BOSH, small=True)))
    client = scene.join("1001")
    for number in range(4):
        answer = scene.subscribe(client, node=scene.create(node=f"{scene.n}-{number}"))
        assert ok(answer) is (number < 3)
    assert refusal(answer) == ("policy-violation", "too-many-subscriptions")
    scene.go()


def test_PS53_after_unsubscribing_no_events_come(scene: Scene) -> None:
    scene.create()
    client = scene.subscribed("1001")
    assert ok(scene.unsubscribe(client))
    scene.put(scene.admin, "i")
    assert names(client) == []


def test_PS54_who_is_not_subscribed_cannot_unsubscribe(scene: Scene) -> None:
    scene.create()
    assert refusal(scene.unsubscribe(scene.join("1001"))) == ("unexpected-request", "not-subscribed")


def test_PS55_nobody_unsubscribes_another(scene: Scene) -> None:
    scene.create()
    client = scene.subscribed("1001")
    assert condition(scene.unsubscribe(scene.join("1002"), client.jid))[1] == "forbidden"
    scene.put(scene.admin, "i")
    assert names(client) == ["item i"]


def test_PS56_a_subid_that_was_never_given_out_is_not_looked_at(scene: Scene) -> None:
    scene.create()
    client = scene.join("1001")
    assert "subid" not in verb(scene.subscribe(client)).attrs
    assert ok(scene.set(client, f"<unsubscribe node='{scene.n}' jid='{client.jid}' subid='of another server'/>"))


def test_PS56_jabberwerx_unsubscribes_without_a_subid(scene: Scene) -> None:
    scene.create()
    client = scene.subscribed("1001")
    scene.subscribe(client, client.bare)
    assert ok(scene.unsubscribe(client))
    scene.put(scene.admin, "i")
    assert [message.attrs["to"] for message in client.messages()] == [client.bare]


def options_of(scene: Scene, client: Person, *fields: tuple[str, str]) -> Element:
    wanted = form("subscribe_options", *fields)
    return scene.set(client, f"<options node='{scene.n}' jid='{client.jid}'>{wanted}</options>")


def test_PS57_options_are_shown_and_changed(scene: Scene) -> None:
    scene.create()
    client = scene.subscribed("1001")
    found = values(verb(scene.get(client, f"<options node='{scene.n}' jid='{client.jid}'/>")))
    assert found["FORM_TYPE"] == ["http://jabber.org/protocol/pubsub#subscribe_options"]
    assert ok(options_of(scene, client, ("deliver", "0")))
    scene.put(scene.admin, "i")
    assert names(client) == []
    assert ok(options_of(scene, client, ("deliver", "1")))
    scene.put(scene.admin, "j")
    assert names(client) == ["item j"]


@pytest.mark.parametrize(("show", "hears"), [("", True), ("chat", False), ("away", True), ("dnd", False)])
def test_PS57_show_values_say_in_which_states_one_hears(scene: Scene, show: str, hears: bool) -> None:
    scene.create()
    client = scene.subscribed("1001")
    options_of(scene, client, ("show-values", "online"), ("show-values", "away"))
    client.say(f"<presence>{f'<show>{show}</show>' if show else ''}</presence>")
    client.take()
    scene.put(scene.admin, "i")
    assert bool(names(client)) is hears


@pytest.mark.parametrize("kind", ["get", "set"])
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("<options node='@'/>", ("bad-request", "jid-required")),
        ("<options node='@' jid='1001@localhost/desktop'/>", ("unexpected-request", "not-subscribed")),
        ("<options node='@' jid='1002@localhost'/>", ("forbidden", "")),
        ("<options jid='1001@localhost/desktop'/>", ("bad-request", "nodeid-required")),
    ],
    ids=["no jid", "not subscribed", "other", "no node"],
)
def test_PS57_options_of_what_is_not_there(scene: Scene, kind: str, wanted: str, expected: tuple[str, str]) -> None:
    scene.create()
    client = scene.join("1001")
    ask = scene.get if kind == "get" else scene.set
    inside = form("subscribe_options", ("deliver", "1")) if kind == "set" else ""
    answer = ask(client, wanted.replace("@'", f"{scene.n}'").replace("/>", f">{inside}</options>"))
    assert refusal(answer) == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (("show-values", "asleep"), ("bad-request", "invalid-options")),
        (("deliver", "maybe"), ("bad-request", "")),
        (("expire", "2031-01-01T00:00:00Z"), ("not-acceptable", "")),
    ],
    ids=["show", "deliver", "expire"],
)
def test_PS57_options_that_cannot_be_are_refused(
    scene: Scene, field: tuple[str, str], expected: tuple[str, str]
) -> None:
    scene.create()
    assert refusal(options_of(scene, scene.subscribed("1001"), field)) == expected


def test_PS58_own_subscriptions_are_listed_for_all_resources(scene: Scene) -> None:
    scene.create()
    client = scene.join("1001")
    assert listed(scene, client) == []
    scene.subscribe(client, "1001@localhost/elsewhere")
    scene.subscribe(client)
    scene.subscribed("1002")
    assert sorted(listed(scene, client)) == [
        (scene.n, client.jid, "subscribed"),
        (scene.n, "1001@localhost/elsewhere", "subscribed"),
    ]


def test_PS58_they_are_listed_by_node_and_in_pages(scene: Scene) -> None:
    first, second = (scene.create(node=f"{scene.n}-{name}") for name in "ab")
    client = scene.join("1001")
    for node in (first, second):
        scene.subscribe(client, node=node)
    answer = scene.get(client, f"<subscriptions node='{second}'/>")
    assert (verb(answer).attrs.get("node"), len(entries(answer))) == (second, 1)
    page = f"<subscriptions/><set xmlns='{RSM}'><max>1</max></set>"
    assert [entry.get("node") for entry in entries(scene.get(client, page))] == [first]


def test_PS59_own_affiliations_are_listed(scene: Scene) -> None:
    scene.create()
    client = scene.join("1001")
    assert entries(scene.get(client, "<affiliations/>")) == []
    scene.affiliate("1001", "publisher")
    assert entries(scene.get(client, "<affiliations/>")) == [{"node": scene.n, "affiliation": "publisher"}]
    assert ok(scene.affiliate("1001", "none"))
    assert entries(scene.get(client, "<affiliations/>")) == []


def manage(scene: Scene, **states: str) -> Element:
    inside = "".join(f"<subscription jid='{jid}' subscription='{state}'/>" for jid, state in states.items())
    return scene.own(scene.admin, f"<subscriptions node='{scene.n}'>{inside}</subscriptions>")


def test_PS60_an_owner_lists_and_changes_the_subscriptions_of_a_node(scene: Scene) -> None:
    scene.create()
    one, two = scene.subscribed("1001"), scene.join("1002")
    assert scene.subscribers() == [one.jid]
    assert ok(manage(scene, **{two.bare: "subscribed"}))
    two.take()
    scene.put(scene.admin, "i")
    assert (names(one), names(two)) == (["item i"], ["item i"])
    assert ok(manage(scene, **{one.jid: "none"}))
    assert scene.subscribers() == [two.bare]
    assert condition(scene.own(one, f"<subscriptions node='{scene.n}'/>", "get")) == ("auth", "forbidden")


def test_PS49_PS60_who_waits_is_listed_so_and_hears_of_being_let_in_and_put_out(scene: Scene) -> None:
    scene.create(("access_model", "authorize"))
    client = scene.join("1001")
    scene.subscribe(client)
    answer = scene.own(scene.admin, f"<subscriptions node='{scene.n}'/>", "get")
    assert [(entry["jid"], entry["subscription"]) for entry in entries(answer, OWNER)] == [(client.jid, "pending")]
    for state in ("subscribed", "none"):
        assert ok(manage(scene, **{client.jid: state}))
        assert [element.attrs["subscription"] for element in told(client)] == [state]


def test_PS60_entries_that_cannot_be_are_given_back_and_the_others_count(scene: Scene) -> None:
    scene.create()
    answer = manage(scene, **{"1001@localhost": "subscribed", "1003@localhost": "nonsense"})
    assert condition(answer) == ("modify", "not-acceptable")
    given_back = next(answer.the("pubsub", OWNER).elements())
    assert [entry.attrs["jid"] for entry in given_back.elements()] == ["1003@localhost"]
    assert scene.subscribers() == ["1001@localhost"]


@pytest.mark.parametrize(("error", "over"), [("gone", True), ("item-not-found", True), ("service-unavailable", False)])
def test_PS61_a_notification_that_comes_back_because_its_address_is_gone_ends_the_subscription(
    scene: Scene, error: str, over: bool
) -> None:
    scene.create()
    client, other = scene.subscribed("1001"), scene.subscribed("1002")
    scene.put(scene.admin, "i")
    message = single(client.messages())
    bounce = (
        f"<message type='error' to='{PUBSUB}' id='{message.attrs.get('id')}'><error type='cancel'>"
        f"<{error} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    )
    other.say(bounce)  # of another's notification: not his to bounce
    other.take()
    assert client.jid in scene.subscribers()
    client.say(bounce)
    client.take()
    assert (client.jid in scene.subscribers()) is not over
    assert other.jid in scene.subscribers()


def test_PS62_a_subscription_bound_to_presence_ends_with_it(scene: Scene) -> None:
    scene.create()
    desk, phone = scene.join("1001"), scene.join("1001", "phone")
    for jid in (desk.jid, desk.bare):
        beside = f"<options>{form('subscribe_options', ('expire', 'presence'))}</options>"
        assert ok(scene.set(desk, f"<subscribe node='{scene.n}' jid='{jid}'/>{beside}"))
    desk.say("<presence type='unavailable'/>")
    desk.take()
    assert scene.subscribers() == [desk.bare]
    phone.cut()
    scene.server.settle()
    assert scene.subscribers() == []
