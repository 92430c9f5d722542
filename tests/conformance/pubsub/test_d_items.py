"""Publishing, keeping, fetching and removing items (XEP-0060 sections 6.5, 7, 8.5)."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest

from tests.conformance.c2s.dialogue import Stream
from tests.conformance.people import BINDINGS, DELAY, Element, condition, ok, single
from tests.conformance.pubsub.story import (
    EVENT,
    PS,
    RSM,
    Scene,
    entries,
    form,
    item_ids,
    names,
    refusal,
    told,
    verb,
)
from tests.conformance.targets import BOSH, PUBSUB, Serve


@pytest.mark.parametrize(
    ("affiliation", "may"), [("none", False), ("member", False), ("outcast", False), ("publisher", True)]
)
def test_PS70_who_may_publish(scene: Scene, affiliation: str, may: bool) -> None:
    scene.create()
    scene.affiliate("1001", affiliation)
    answer = scene.put(scene.join("1001"), "i")
    assert ok(answer) is may
    if not may:
        assert condition(answer) == ("auth", "forbidden")


@pytest.mark.parametrize("binding", BINDINGS)
def test_PS71_every_subscriber_gets_each_item_once(scene: Scene, binding: str) -> None:
    scene.create()
    one, two = scene.subscribed("1001", binding=binding), scene.subscribed("1002")
    assert ok(scene.put(scene.admin, "i"))
    for client in (one, two):
        message = single(client.messages())
        assert (message.attrs["from"], message.attrs["to"], item_ids(message)) == (PUBSUB, client.jid, ["i"])
        items = single(message.the("event", EVENT).elements())
        assert (items.name, items.attrs) == ("items", {"node": scene.n})
        assert next(items.elements()).children == (Element("entry", "custom", {}, ("x",)),)


def test_PS71_the_event_is_literal_as_old_desktops_want_it(scene: Scene) -> None:
    scene.create()
    stream = Stream(scene.server).sign_in("1001", "raw")
    stream.come()
    stream.say(
        f"<iq type='set' id='s' to='{PUBSUB}'><pubsub xmlns='{PS}'><subscribe node='{scene.n}' jid='{stream.jid}'/>"
        "</pubsub></iq>"
    )
    stream.answer("s")
    scene.put(scene.admin, "i")
    stream.overheard()
    event = re.search(rb"<event[^>]*>", stream.raw)
    assert event is not None, stream.raw
    assert re.search(rb"xmlns=[\"']http://jabber.org/protocol/pubsub#event[\"']", event[0])


def test_PS72_an_item_without_an_id_gets_one(scene: Scene) -> None:
    scene.create()
    client = scene.subscribed("1001")
    made = [next(verb(scene.put(scene.admin)).elements()).attrs["id"] for _ in range(3)]
    assert [item_ids(message) for message in client.messages()] == [[item_id] for item_id in made]
    assert len(set(made)) == 3


WORDS = "&lt;Update&gt;\n&lt;x y=&quot;]]&gt;&quot;/&gt;&amp;amp;&lt;/Update&gt;"


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("namespace", [PS, EVENT, "custom"])
def test_PS73_PS74_a_payload_arrives_and_is_kept_as_it_was(scene: Scene, namespace: str, binding: str) -> None:
    scene.persistent()
    client = scene.subscribed("1001", binding=binding)
    item = f"<item id='i'><notification xmlns='{namespace}'>{WORDS}</notification></item>"
    assert ok(scene.set(scene.admin, f"<publish node='{scene.n}'>{item}</publish>"))
    expected = Element("notification", namespace, {}, ('<Update>\n<x y="]]>"/>&amp;</Update>',))
    items = single(told(client))
    fetched = verb(scene.get(client, f"<items node='{scene.n}'/>"))
    for found in (items, fetched):
        assert next(found.elements()).children == (expected,)


def test_PS74_a_carriage_return_survives(scene: Scene) -> None:
    scene.create()
    client = scene.subscribed("1001")
    assert ok(scene.put(scene.admin, "i", "a&#13;&#10;b"))
    items = single(told(client))
    assert next(next(items.elements()).elements()).text == "a\r\nb"


def test_PS75_a_transient_node_keeps_nothing_and_says_so(scene: Scene) -> None:
    scene.create(("persist_items", "0"))
    client = scene.subscribed("1001")
    scene.put(scene.admin, "i")
    assert names(client) == ["item i"]
    for asked in ("<items node='@'/>", "<items node='@' max_items='1'/>", "<items node='@'><item id='i'/></items>"):
        answer = scene.get(client, asked.replace("@", scene.n))
        assert refusal(answer)[0] == "feature-not-implemented"
        assert "persistent-items" in refusal(answer)[1]


def test_PS76_a_node_that_only_says_that_something_happened(scene: Scene) -> None:
    scene.create(("persist_items", "0"), ("deliver_payloads", "0"))
    client = scene.subscribed("1001")
    assert refusal(scene.put(scene.admin, "i")) == ("bad-request", "item-forbidden")
    assert ok(scene.set(scene.admin, f"<publish node='{scene.n}'/>"))
    items = single(told(client))
    assert (items.name, items.children) == ("items", ())


@pytest.mark.parametrize(
    ("inside", "app"),
    [
        ("", "item-required"),
        ("<item id='i'/>", "payload-required"),
        ("<item id='i'><a xmlns='b'/><a xmlns='b'/></item>", "invalid-payload"),
    ],
    ids=["no item", "no payload", "two payloads"],
)
def test_PS77_a_node_of_payloads_wants_an_item_with_one(scene: Scene, inside: str, app: str) -> None:
    scene.persistent()
    answer = scene.set(scene.admin, f"<publish node='{scene.n}'>{inside}</publish>")
    assert refusal(answer) == ("bad-request", app)
    assert scene.kept() == []


def test_PS78_a_payload_has_its_limit(scene: Scene) -> None:
    scene.create(("max_payload_size", "100"))
    assert ok(scene.put(scene.admin, "i", "x" * 50))
    assert refusal(scene.put(scene.admin, "i", "x" * 100)) == ("not-acceptable", "payload-too-big")


def test_PS79_an_unknown_node_is_not_made_by_publishing(scene: Scene) -> None:
    assert condition(scene.put(scene.admin, "i")) == ("cancel", "item-not-found")


def test_PS80_SEC25_a_publication_without_a_node_is_refused_at_once(scene: Scene) -> None:
    began = time.monotonic()
    item = "<item><entry xmlns='custom'/></item>"
    assert refusal(scene.set(scene.admin, f"<publish>{item}</publish>")) == ("bad-request", "nodeid-required")
    assert time.monotonic() - began < 2


def test_PS81_an_item_published_again_replaces_itself_and_is_the_newest(scene: Scene) -> None:
    scene.persistent("a", "b")
    client = scene.subscribed("1001")
    scene.put(scene.admin, "a", "new")
    assert (scene.kept(" max_items='1'"), names(client)) == (["a"], ["item a"])
    assert sorted(scene.kept()) == ["a", "b"]
    fetched = list(verb(scene.get(client, f"<items node='{scene.n}'><item id='a'/></items>")).elements())
    assert [next(item.elements()).text for item in fetched] == ["new"]


def test_PS82_the_newest_are_kept(scene: Scene) -> None:
    scene.persistent("a", "b", "c", config=(("max_items", "2"),))
    assert sorted(scene.kept()) == ["b", "c"]


@pytest.mark.parametrize(
    ("full", "retractions", "left", "heard"),
    [
        ("retract-oldest", "1", ["b", "c"], ["item c", "retract a"]),
        ("retract-oldest", "0", ["b", "c"], ["item c"]),
        ("discard-oldest", "1", ["b", "c"], ["item c"]),
        ("reject", "1", ["a", "b"], []),
    ],
)
def test_PS82_a_full_node_does_what_it_is_configured_to(
    scene: Scene, full: str, retractions: str, left: list[str], heard: list[str]
) -> None:
    wanted = (("max_items", "2"), ("publish_node_full", full), ("notify_retract", retractions))
    scene.persistent("a", "b", config=wanted)
    client = scene.subscribed("1001")
    answer = scene.put(scene.admin, "c")
    assert (scene.kept(), names(client)) == (left, heard)
    if full == "reject":
        assert refusal(answer) == ("conflict", "node-full")


def test_PS83_several_items_at_once_are_refused_whole(scene: Scene) -> None:
    scene.persistent()
    items = "".join(f"<item id='{number}'><entry xmlns='custom'/></item>" for number in range(2))
    answer = scene.set(scene.admin, f"<publish node='{scene.n}'>{items}</publish>")
    assert refusal(answer) == ("bad-request", "invalid-payload")
    assert scene.kept() == []


def test_PS84_who_published_is_not_for_the_publisher_to_say(scene: Scene) -> None:
    scene.persistent()
    client = scene.subscribed("1001")
    item = "<item id='i' publisher='boss@localhost'><entry xmlns='custom'/></item>"
    assert ok(scene.set(scene.admin, f"<publish node='{scene.n}'>{item}</publish>"))
    items = single(told(client))
    for found in (items, verb(scene.get(client, f"<items node='{scene.n}'/>"))):
        publisher = next(found.elements()).attrs.get("publisher", scene.admin.jid)
        assert publisher.startswith(scene.owner)


def test_PS85_notifications_without_payload_and_none_at_all(scene: Scene) -> None:
    scene.persistent(config=(("deliver_payloads", "0"),))
    client = scene.subscribed("1001")
    scene.put(scene.admin, "i")
    items = single(told(client))
    assert next(items.elements()).children == ()
    scene.configure(("deliver_notifications", "0"))
    scene.put(scene.admin, "k")
    assert (names(client), scene.kept()) == ([], ["i", "k"])


def test_PS86_all_items_the_newest_or_those_named(scene: Scene) -> None:
    scene.persistent(*"abcde")
    assert sorted(scene.kept()) == list("abcde")
    assert sorted(scene.kept(" max_items='2'")) == ["d", "e"]
    client = scene.join("1001")

    def named(*ids: str) -> list[str]:
        inside = "".join(f"<item id='{item_id}'/>" for item_id in ids)
        return [item["id"] for item in entries(scene.get(client, f"<items node='{scene.n}'>{inside}</items>"))]

    assert sorted(named("d", "nobody", "b")) == ["b", "d"]
    assert named("nobody") == []


def test_PS86_items_come_oldest_first(scene: Scene) -> None:
    scene.persistent(*"abcde")
    assert (scene.kept(), scene.kept(" max_items='2'")) == (list("abcde"), ["d", "e"])


@pytest.mark.parametrize(
    ("asked", "page", "index"),
    [
        ("<max>2</max>", "ab", "0"),
        ("<max>2</max><after>b</after>", "cd", "2"),
        ("<max>2</max><before/>", "de", "3"),
        ("<max>2</max><index>4</index>", "e", "4"),
    ],
    ids=["first", "after", "last", "index"],
)
def test_PS86_items_come_in_pages(scene: Scene, asked: str, page: str, index: str) -> None:
    scene.persistent(*"abcde")
    answer = scene.get(scene.admin, f"<items node='{scene.n}'/><set xmlns='{RSM}'>{asked}</set>")
    assert [item["id"] for item in entries(answer)] == list(page)
    paging = answer.the("pubsub", PS).the("set", RSM)
    assert (paging.the("count").text, paging.the("first").attrs["index"]) == ("5", index)


@pytest.mark.parametrize(
    ("affiliation", "access", "expected"),
    [
        ("none", "whitelist", ("not-allowed", "closed-node")),
        ("outcast", "open", ("forbidden", "")),
        ("none", "authorize", ("not-authorized", "not-subscribed")),
    ],
)
def test_PS87_who_may_not_fetch(scene: Scene, affiliation: str, access: str, expected: tuple[str, str]) -> None:
    scene.persistent("i", config=(("access_model", access),))
    scene.affiliate("1001", affiliation)
    assert refusal(scene.get(scene.join("1001"), f"<items node='{scene.n}'/>")) == expected


def test_PS87_items_are_some_nodes(scene: Scene) -> None:
    assert refusal(scene.get(scene.admin, f"<items node='{scene.n}'/>"))[0] == "item-not-found"
    assert refusal(scene.get(scene.admin, "<items/>")) == ("bad-request", "nodeid-required")


@pytest.mark.parametrize(
    ("notify", "config", "heard"),
    [
        (" notify='1'", "0", True),
        (" notify='true'", "0", True),
        (" notify='0'", "0", False),
        ("", "0", False),
        ("", "1", True),
    ],
)
def test_PS88_subscribers_are_told_of_a_retraction_when_somebody_says_so(
    scene: Scene, notify: str, config: str, heard: bool
) -> None:
    scene.persistent("a", "b", config=(("notify_retract", config),))
    client = scene.subscribed("1001")
    assert ok(scene.set(scene.admin, f"<retract node='{scene.n}'{notify}><item id='a'/></retract>"))
    assert (names(client), scene.kept()) == (["retract a"] if heard else [], ["b"])


def test_PS89_who_may_retract_what(scene: Scene) -> None:
    scene.persistent("i", config=(("publish_model", "open"),))
    one, two = scene.join("1001"), scene.join("1002")
    scene.put(one, "of-1001")
    retract = f"<retract node='{scene.n}'><item id='of-1001'/></retract>"
    assert condition(scene.set(two, retract)) == ("auth", "forbidden")
    assert condition(scene.set(one, retract.replace("of-1001", "i"))) == ("auth", "forbidden")
    assert ok(scene.set(one, retract))
    assert scene.kept() == ["i"]


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<item id='nobody'/>", ("item-not-found", "")),
        ("<item/>", ("bad-request", "item-required")),
        ("", ("bad-request", "item-required")),
    ],
    ids=["unknown", "no id", "none"],
)
def test_PS89_a_retraction_that_cannot_be_removes_nothing(scene: Scene, inside: str, expected: tuple[str, str]) -> None:
    scene.persistent("a")
    assert refusal(scene.set(scene.admin, f"<retract node='{scene.n}'>{inside}</retract>")) == expected
    assert scene.kept() == ["a"]


@pytest.mark.parametrize("wanted", ["<retract node='@'><item id='a'/></retract>", "<purge node='@'/>"])
def test_PS89_PS90_a_transient_node_has_nothing_to_remove(scene: Scene, wanted: str) -> None:
    scene.create(("persist_items", "0"))
    ask = scene.own if "purge" in wanted else scene.set
    answer = ask(scene.admin, wanted.replace("@", scene.n))
    assert refusal(answer) == ("feature-not-implemented", "unsupported persistent-items")


def test_PS90_all_items_go_at_once(scene: Scene) -> None:
    scene.persistent("a", "b")
    client = scene.subscribed("1001")
    assert condition(scene.own(client, f"<purge node='{scene.n}'/>")) == ("auth", "forbidden")
    assert ok(scene.own(scene.admin, f"<purge node='{scene.n}'/>"))
    purged = single(told(client))
    assert (purged.name, dict(purged.attrs), scene.kept()) == ("purge", {"node": scene.n}, [])
    assert refusal(scene.own(scene.admin, f"<purge node='{scene.n}-other'/>"))[0] == "item-not-found"


def test_PS91_a_purge_in_the_users_namespace_is_understood_or_refused(scene: Scene) -> None:
    scene.persistent("a")
    assert not ok(scene.set(scene.join("1001"), f"<purge node='{scene.n}'/>"))
    answer = scene.set(scene.admin, f"<purge node='{scene.n}'/>")
    assert ok(answer) or condition(answer)[1] in ("bad-request", "feature-not-implemented", "service-unavailable")
    assert scene.kept() == ([] if ok(answer) else ["a"])


@pytest.mark.parametrize("wrong", ["", "<dance/>", "<create node='@1'/><create node='@2'/>", "<items node='@'/>"])
def test_PS92_what_is_no_request_is_refused(scene: Scene, wrong: str) -> None:
    answer = scene.set(scene.admin, wrong.replace("@", scene.n))
    assert condition(answer)[1] in ("bad-request", "feature-not-implemented")


@pytest.mark.parametrize("binding", BINDINGS)
def test_PS93_the_newest_item_follows_the_answer_to_the_subscription(scene: Scene, binding: str) -> None:
    scene.persistent("a", "b", config=(("send_last_published_item", "on_sub"),))
    client = scene.join("1001", binding=binding)
    client.say(
        f"<iq type='set' id='s' to='{PUBSUB}'><pubsub xmlns='{PS}'>"
        f"<subscribe node='{scene.n}' jid='{client.jid}'/></pubsub></iq>"
    )
    stanzas = client.take()
    assert [stanza.name for stanza in stanzas] == ["iq", "message"]
    assert item_ids(stanzas[1]) == ["b"]


def test_PS93_it_bears_the_time_it_was_published(scene: Scene) -> None:
    scene.persistent("a", config=(("send_last_published_item", "on_sub"),))
    message = single(scene.subscribed("1001").messages())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", message.the("delay", DELAY).attrs["stamp"])


def test_PS94_the_newest_item_is_sent_once_a_session_where_the_node_does_so(scene: Scene) -> None:
    scene.persistent("a", config=(("send_last_published_item", "on_sub_and_presence"),))
    first = scene.join("1001")
    scene.subscribe(first, first.bare)
    first.take()
    phone = scene.bind("1001", "phone")
    phone.say("<presence/>")
    assert names(phone) == ["item a"]
    phone.say("<presence><status>x</status></presence>")
    assert names(phone) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((("persist_items", "true"), ("access_model", "open")), None),
        ((("access_model", "whitelist"),), ("conflict", "precondition-not-met")),
        ((("unheard_of", "1"),), ("bad-request", "")),
    ],
    ids=["met", "not met", "unknown"],
)
def test_PS95_a_publication_may_insist_on_the_configuration(
    scene: Scene, fields: tuple[tuple[str, str], ...], expected: tuple[str, str] | None
) -> None:
    scene.persistent()
    beside = f"<publish-options>{form('publish-options', *fields)}</publish-options>"
    answer = scene.put(scene.admin, "i", beside=beside)
    assert (None if ok(answer) else refusal(answer)) == expected
    assert scene.kept() == (["i"] if expected is None else [])


def test_PS96_every_subscriber_sees_the_order_of_publication(serve: Serve) -> None:
    scene = Scene(serve(replace(BOSH, inactivity=60)))
    scene.create(("persist_items", "0"), ("notify_retract", "0"))
    clients = [scene.subscribed(f"100{number}", binding=binding) for number, binding in enumerate(BINDINGS, 1)]
    count = 1000
    for number in range(count):
        item = f"<item id='{number}'><entry xmlns='custom'/></item>"
        publish = f"<pubsub xmlns='{PS}'><publish node='{scene.n}'>{item}</publish></pubsub>"
        scene.admin.say(f"<iq type='set' id='o{number}' to='{PUBSUB}'>{publish}</iq>")
        if number % 50 == 49:
            scene.admin.hear("iq", id_=f"o{number}")
            for client in clients:
                client.listen()
    for client in clients:
        heard = [item_ids(client.hear("message"))[0] for _ in range(count)]
        assert heard == [str(number) for number in range(count)]
        assert client.messages() == []
    scene.go()


def test_PS97_the_type_of_a_notification_is_told(scene: Scene) -> None:
    scene.create()
    client = scene.subscribed("1001")
    scene.put(scene.admin, "i")
    assert client.messages()[0].attrs.get("type", "normal") in ("normal", "headline")


@pytest.mark.parametrize(("config", "expected"), [("normal", "normal"), ("headline", "headline")])
def test_PS97_the_type_of_a_notification_is_the_nodes_to_choose(scene: Scene, config: str, expected: str) -> None:
    scene.create(("notification_type", config))
    client = scene.subscribed("1001")
    scene.put(scene.admin, "i")
    assert [stanza.attrs.get("type", "normal") for stanza in client.messages()] == [expected]


def test_PS97_an_event_for_who_is_absent_is_not_kept(scene: Scene) -> None:
    scene.create(("send_last_published_item", "never"))
    client = scene.join("1001")
    scene.subscribe(client, client.bare)
    client.leave()
    scene.server.settle()
    scene.put(scene.admin, "i")
    again = scene.bind("1001", "again")
    again.say("<presence/>")
    assert names(again) == []


def test_PS98_every_event_has_an_id_of_its_own(scene: Scene) -> None:
    scene.create()
    one, two = scene.subscribed("1001"), scene.subscribed("1002")
    for item in "abc":
        scene.put(scene.admin, item)
    for client in (one, two):
        assert len({message.attrs.get("id", "") for message in client.messages()} - {""}) == 3


def test_PS99_presence_based_delivery_tells_those_who_are_there(scene: Scene) -> None:
    scene.create(("presence_based_delivery", "1"), ("send_last_published_item", "never"))
    shy, bound, there = scene.join("1001", priority=-1), scene.bind("1002"), scene.join("1003")
    for client in (shy, bound, there):
        scene.subscribe(client, client.bare)
    scene.put(scene.admin, "i")
    assert (names(shy), names(bound), names(there)) == ([], [], ["item i"])
    bound.say("<presence/>")
    shy.say("<presence/>")
    assert (names(bound), names(shy)) == ([], [])


def test_PS100_a_subscriber_that_does_not_read_delays_nobody(scene: Scene) -> None:
    scene.create()
    scene.subscribed("1001")  # which never reads again
    quick = scene.subscribed("1002")
    for number in range(100):
        began = time.monotonic()
        assert ok(scene.put(scene.admin, str(number), "x" * 20_000))
        assert item_ids(quick.hear("message")) == [str(number)]
        assert time.monotonic() - began < 2


def test_SEC24_who_owns_a_node_alone_deletes_purges_and_rules_it(scene: Scene) -> None:
    scene.persistent("i")
    client = scene.join("1001")
    wanted = (
        "<delete node='@'/>",
        "<purge node='@'/>",
        "<affiliations node='@'><affiliation jid='1001@localhost' affiliation='owner'/></affiliations>",
        "<subscriptions node='@'><subscription jid='1001@localhost' subscription='subscribed'/></subscriptions>",
    )
    for verb_ in wanted:
        assert condition(scene.own(client, verb_.replace("node='@'", f"node='{scene.n}'"))) == ("auth", "forbidden")
    assert (scene.kept(), scene.subscribers()) == (["i"], [])
