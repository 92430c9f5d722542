"""Publishing, keeping, fetching and removing items (XEP-0060 sections 6.5, 7, 8.5; PS70-PS100)."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.delivery import StoredOffline
from poise.protocols.xmpp.host import HostPolicy, NodeRefused
from poise.protocols.xmpp.xml import Element
from tests.unit.protocols.xmpp.host_story import EVENT_NS, condition, item_ids
from tests.unit.protocols.xmpp.pubsub.story import (
    PS,
    Scene,
    entries,
    form,
    kept,
    names,
    ok,
    refusal,
    told,
    verb,
)

RSM = "http://jabber.org/protocol/rsm"


def persistent(scene: Scene, *items: str, config: tuple[tuple[str, str], ...] = ()) -> None:
    scene.create("n", ("persist_items", "1"), *config)
    for item in items:
        assert ok(scene.put(scene.admin, "n", item))


@pytest.mark.parametrize(
    ("affiliation", "may"),
    [("none", False), ("member", False), ("outcast", False), ("publisher", True), ("publish-only", True)],
)
def test_PS70_who_may_publish(affiliation: str, may: bool) -> None:
    scene = Scene()
    scene.create("n")
    scene.affiliate("n", "1001", affiliation)
    answer = scene.put(scene.join("1001"), "n", "i")
    assert ok(answer) is may
    if not may:
        assert condition(answer) == ("auth", "forbidden")


def test_PS71_PS72_PS98_every_subscriber_gets_each_item_once_under_an_id_of_its_own() -> None:
    scene = Scene()
    scene.create("n")
    one, two = scene.join("1001"), scene.join("1002")
    for client in (one, two):
        scene.subscribe(client, "n")
    answer = scene.put(scene.admin, "n", "i")
    assert next(verb(answer).elements()).attrs["id"] == "i"
    made = next(verb(scene.put(scene.admin, "n")).elements()).attrs["id"]
    messages = one.take() + two.take()
    assert [item_ids(message) for message in messages] == [["i"], [made]] * 2
    assert {message.attrs["from"] for message in messages} == {"pubsub.localhost"}
    assert len({message.attrs["id"] for message in messages}) == 4


def test_PS73_PS74_a_payload_arrives_and_is_kept_as_it_was() -> None:
    scene = Scene()
    persistent(scene)
    client = scene.join("1001")
    scene.subscribe(client, "n")
    for namespace in (PS, EVENT_NS, "custom"):
        words = "&lt;Update&gt;&#13;\n&lt;x y=&quot;]]&gt;&quot;/&gt;&amp;amp;&lt;/Update&gt;"
        item = f"<item id='i'><notification xmlns='{namespace}'>{words}</notification></item>"
        assert ok(scene.set(scene.admin, f"<publish node='n'>{item}</publish>"))
        expected = Element("notification", namespace, {}, ('<Update>\r\n<x y="]]>"/>&amp;</Update>',))
        (items,) = told(client)
        fetched = verb(scene.get(client, "<items node='n'/>"))
        for found in (items, fetched):
            assert next(found.elements()).children == (expected,)


def test_PS75_a_transient_node_keeps_nothing() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.put(scene.admin, "n", "i")
    assert names(client) == ["item i"]
    for asked in ("<items node='n'/>", "<items node='n' max_items='1'/>", "<items node='n'><item id='i'/></items>"):
        assert refusal(scene.get(client, asked)) == ("feature-not-implemented", "unsupported persistent-items")


def test_PS76_a_node_that_only_says_that_something_happened() -> None:
    scene = Scene()
    scene.create("n", ("deliver_payloads", "0"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    assert refusal(scene.put(scene.admin, "n", "i")) == ("bad-request", "item-forbidden")
    assert ok(scene.set(scene.admin, "<publish node='n'/>"))
    (items,) = told(client)
    assert (items.name, items.children) == ("items", ())


@pytest.mark.parametrize(
    ("inside", "app"),
    [
        ("", "item-required"),
        ("<item id='i'/>", "payload-required"),
        ("<item id='i'><a xmlns='b'/><a xmlns='b'/></item>", "invalid-payload"),
    ],
)
def test_PS77_a_persistent_node_wants_an_item_with_a_payload(inside: str, app: str) -> None:
    scene = Scene()
    persistent(scene)
    assert refusal(scene.set(scene.admin, f"<publish node='n'>{inside}</publish>")) == ("bad-request", app)
    assert kept(scene, "n") == []


def test_PS77_a_persistent_node_without_payloads_wants_an_item_too() -> None:
    scene = Scene()
    persistent(scene, config=(("deliver_payloads", "0"),))
    assert refusal(scene.set(scene.admin, "<publish node='n'/>")) == ("bad-request", "item-required")


def test_PS78_the_service_has_limits_of_its_own_to_the_last_byte() -> None:
    size = len('<entry xmlns="custom">xx</entry>')
    scene = Scene(HostPolicy(payload_bytes=size, item_id_bytes=4))
    scene.create("n")
    assert ok(scene.put(scene.admin, "n", "éé", "xx"))
    assert refusal(scene.put(scene.admin, "n", "i", "xxx")) == ("not-acceptable", "payload-too-big")
    assert condition(scene.put(scene.admin, "n", "éé1", "x"))[1] == "not-acceptable"


def test_PS78_a_payload_has_its_limit() -> None:
    scene = Scene()
    scene.create("n", ("max_payload_size", "100"))
    assert refusal(scene.put(scene.admin, "n", "i", "x" * 100)) == ("not-acceptable", "payload-too-big")
    assert ok(scene.put(scene.admin, "n", "i", "x" * 50))


def test_PS79_PS80_an_item_goes_to_a_node_that_exists() -> None:
    scene = Scene()
    assert condition(scene.put(scene.admin, "n", "i")) == ("cancel", "item-not-found")
    item = "<item><entry xmlns='custom'/></item>"
    assert refusal(scene.set(scene.admin, f"<publish>{item}</publish>")) == ("bad-request", "nodeid-required")
    assert scene.host.nodes() == ()


def test_PS81_an_item_published_again_replaces_itself_and_is_the_newest() -> None:
    scene = Scene()
    persistent(scene, "a", "b")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.put(scene.admin, "n", "a", "new")
    assert (kept(scene, "n"), names(client)) == (["b", "a"], ["item a"])
    fetched = list(verb(scene.get(client, "<items node='n'><item id='a'/></items>")).elements())
    assert [next(item.elements()).text for item in fetched] == ["new"]


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
    full: str, retractions: str, left: list[str], heard: list[str]
) -> None:
    scene = Scene()
    wanted = (("max_items", "2"), ("publish_node_full", full), ("notify_retract", retractions))
    persistent(scene, "a", "b", config=wanted)
    client = scene.join("1001")
    scene.subscribe(client, "n")
    answer = scene.put(scene.admin, "n", "c")
    assert (kept(scene, "n"), names(client)) == (left, heard)
    if full == "reject":
        assert refusal(answer) == ("conflict", "node-full")
        assert ok(scene.put(scene.admin, "n", "a"))  # in its own place there is room


def test_PS82_a_node_is_full_by_bytes_too() -> None:
    scene = Scene(HostPolicy(item_bytes_per_node=900))
    persistent(scene, "a", "b")
    scene.put(scene.admin, "n", "c", "x" * 300)
    assert kept(scene, "n") == ["c"]
    assert refusal(scene.put(scene.admin, "n", "d", "x" * 1000)) == ("not-acceptable", "payload-too-big")
    scene.configure("n", ("publish_node_full", "reject"))
    assert refusal(scene.put(scene.admin, "n", "d", "x" * 300)) == ("conflict", "node-full")
    assert kept(scene, "n") == ["c"]


def size_of(words: str, item_id: str) -> int:
    """What an item counts: its payload, its id, and 300 bytes for the rest."""
    return len(f'<entry xmlns="custom">{words}</entry>') + len(item_id) + 300


def test_PS82_room_is_used_to_the_last_byte() -> None:
    two = size_of("x" * 100, "a") + size_of("x" * 50, "b")
    scene = Scene(HostPolicy(item_bytes_per_node=two, item_bytes_total=two))
    persistent(scene, config=(("publish_node_full", "reject"),))
    assert ok(scene.put(scene.admin, "n", "a", "x" * 100))
    assert ok(scene.put(scene.admin, "n", "b", "x" * 50))
    assert scene.host._pubsub.items.total_bytes == two
    assert refusal(scene.put(scene.admin, "n", "b", "x" * 51)) == ("conflict", "node-full")
    scene.configure("n", ("publish_node_full", "discard-oldest"))
    assert ok(scene.put(scene.admin, "n", "b", "x" * 50))
    assert kept(scene, "n") == ["a", "b"]
    assert ok(scene.put(scene.admin, "n", "c", "x" * 50))  # 50 bytes less than the one that must go
    assert kept(scene, "n") == ["b", "c"]
    one = Scene(HostPolicy(item_bytes_per_node=size_of("x", "a")))
    persistent(one, "a", "b")
    assert kept(one, "n") == ["b"]
    assert refusal(one.put(one.admin, "n", "a", "xx")) == ("not-acceptable", "payload-too-big")


def test_PS82_as_many_go_as_are_in_the_way() -> None:
    scene = Scene(HostPolicy(item_bytes_per_node=4 * size_of("x", "a")))
    persistent(scene, *"abcd")
    words = "x" * (2 * size_of("x", "a") - size_of("", "e"))
    assert ok(scene.put(scene.admin, "n", "e", words))
    assert kept(scene, "n") == ["c", "d", "e"]


def test_PS82_nobody_hears_of_retractions_when_nothing_had_to_go() -> None:
    scene = Scene()
    persistent(scene, config=(("notify_retract", "1"),))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.put(scene.admin, "n", "a")
    assert names(client) == ["item a"]


def test_PS82_a_node_with_room_for_none_keeps_none() -> None:
    scene = Scene()
    persistent(scene, "a", config=(("max_items", "0"),))
    assert kept(scene, "n") == []


def test_PS82_all_nodes_together_keep_only_so_much() -> None:
    scene = Scene(HostPolicy(item_bytes_total=900))
    persistent(scene, "a", "b")
    assert condition(scene.put(scene.admin, "n", "c")) == ("wait", "resource-constraint")
    with pytest.raises(NodeRefused):
        scene.publish("n", "d")
    assert kept(scene, "n") == ["a", "b"]
    assert ok(scene.put(scene.admin, "n", "a"))
    scene.own(scene.admin, "<purge node='n'/>")
    assert ok(scene.put(scene.admin, "n", "c"))


def test_PS83_several_items_at_once_are_refused_whole() -> None:
    scene = Scene()
    persistent(scene)
    items = "".join(f"<item id='{number}'><entry xmlns='custom'/></item>" for number in range(2))
    answer = scene.set(scene.admin, f"<publish node='n'>{items}</publish>")
    assert refusal(answer) == ("bad-request", "invalid-payload")
    assert kept(scene, "n") == []


def test_PS84_who_published_is_not_for_the_publisher_to_say() -> None:
    scene = Scene()
    persistent(scene)
    client = scene.join("1001")
    scene.subscribe(client, "n")
    item = "<item id='i' publisher='boss@localhost'><entry xmlns='custom'/></item>"
    assert ok(scene.set(scene.admin, f"<publish node='n'>{item}</publish>"))
    (items,) = told(client)
    for found in (items, verb(scene.get(client, "<items node='n'/>"))):
        assert dict(next(found.elements()).attrs) == {"id": "i"}


def test_PS85_notifications_without_payload_and_none_at_all() -> None:
    scene = Scene()
    persistent(scene, config=(("deliver_payloads", "0"),))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.put(scene.admin, "n", "i")
    (items,) = told(client)
    assert items.children == (Element("item", EVENT_NS, {"id": "i"}),)
    assert ok(scene.set(scene.admin, "<publish node='n'><item id='j'/></publish>"))
    assert names(client) == ["item j"]
    scene.configure("n", ("deliver_notifications", "0"))
    scene.put(scene.admin, "n", "k")
    assert (names(client), kept(scene, "n")) == ([], ["i", "j", "k"])


def test_PS86_all_items_the_newest_or_those_named() -> None:
    scene = Scene()
    persistent(scene, *"abcde")
    assert kept(scene, "n") == list("abcde")
    assert kept(scene, "n", " max_items='2'") == ["d", "e"]
    assert kept(scene, "n", " max_items='99'") == list("abcde")
    assert kept(scene, "n", " max_items='0'") == []
    client = scene.join("1001")

    def named(*item_ids: str) -> list[str]:
        inside = "".join(f"<item id='{item_id}'/>" for item_id in item_ids)
        return [item["id"] for item in entries(scene.get(client, f"<items node='n'>{inside}</items>"))]

    assert named("d", "nobody", "b", "d") == ["d", "b"]
    assert named("nobody", "&apos; OR 1=1") == []
    for bad in ("x", "-1", "9" * 5000):
        assert condition(scene.get(client, f"<items node='n' max_items='{bad}'/>")) == ("modify", "bad-request")


@pytest.mark.parametrize(
    ("asked", "page", "index"),
    [
        ("<max>2</max>", "ab", "0"),
        ("<max>2</max><after>b</after>", "cd", "2"),
        ("<max>2</max><before/>", "de", "3"),
        ("<max>2</max><index>4</index>", "e", "4"),
    ],
)
def test_PS86_items_come_in_pages(asked: str, page: str, index: str) -> None:
    scene = Scene()
    persistent(scene, *"abcde")
    answer = scene.get(scene.admin, f"<items node='n'/><set xmlns='{RSM}'>{asked}</set>")
    wrapper = answer.child("pubsub", PS)
    assert wrapper is not None
    paging = wrapper.child("set", RSM)
    assert paging is not None
    assert [item["id"] for item in entries(answer)] == list(page)
    first = paging.child("first")
    assert first is not None
    assert (first.text, first.attrs["index"]) == (page[0], index)


def test_PS86_an_answer_that_would_be_too_big_is_cut_and_says_so() -> None:
    scene = Scene(HostPolicy(answer_bytes=100))
    persistent(scene, *"abcd")  # 31 bytes each
    answer = scene.get(scene.admin, "<items node='n'/>")
    wrapper = answer.child("pubsub", PS)
    assert wrapper is not None
    paging = wrapper.child("set", RSM)
    assert paging is not None
    told_of = {part.name: part.text for part in paging.elements()}
    assert [item["id"] for item in entries(answer)] == ["a", "b", "c"]
    assert told_of == {"first": "a", "last": "c", "count": "4"}
    last = scene.get(scene.admin, f"<items node='n'/><set xmlns='{RSM}'><before/></set>")
    assert [item["id"] for item in entries(last)] == ["b", "c", "d"]


def test_PS86_one_item_is_given_however_big_it_is() -> None:
    scene = Scene(HostPolicy(answer_bytes=1))
    persistent(scene, "a", "b")
    assert kept(scene, "n") == ["a"]


def test_PS87_who_may_fetch() -> None:
    scene = Scene()
    persistent(scene, "i", config=(("access_model", "whitelist"),))
    scene.affiliate("n", "1002", "outcast")
    scene.affiliate("n", "1003", "publish-only")
    scene.affiliate("n", "1101", "member")
    asked = "<items node='n'/>"
    assert refusal(scene.get(scene.join("1001"), asked)) == ("not-allowed", "closed-node")
    assert condition(scene.get(scene.join("1002"), asked)) == ("auth", "forbidden")
    assert condition(scene.get(scene.join("1003"), asked)) == ("auth", "forbidden")
    assert ok(scene.get(scene.join("1101"), asked))
    scene.configure("n", ("access_model", "authorize"))
    assert refusal(scene.get(scene.join("1001"), asked)) == ("not-authorized", "not-subscribed")
    assert refusal(scene.get(scene.admin, "<items node='m'/>"))[0] == "item-not-found"
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
def test_PS88_subscribers_are_told_of_a_retraction_when_somebody_says_so(notify: str, config: str, heard: bool) -> None:
    scene = Scene()
    persistent(scene, "a", "b", config=(("notify_retract", config),))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    assert ok(scene.set(scene.admin, f"<retract node='n'{notify}><item id='a'/></retract>"))
    assert (names(client), kept(scene, "n")) == (["retract a"] if heard else [], ["b"])


def test_PS89_who_may_retract_what() -> None:
    scene = Scene()
    persistent(scene, config=(("publish_model", "open"),))
    one, two, publisher = scene.join("1001"), scene.join("1002"), scene.join("1003")
    scene.affiliate("n", "1003", "publisher")
    scene.put(one, "n", "of-1001")
    retract = "<retract node='n'><item id='of-1001'/></retract>"
    assert condition(scene.set(two, retract)) == ("auth", "forbidden")
    assert ok(scene.set(one, retract))
    scene.put(one, "n", "of-1001")
    assert ok(scene.set(publisher, retract))
    scene.configure("n", ("publish_model", "publishers"))
    assert condition(scene.set(one, retract)) == ("auth", "forbidden")


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<item id='nobody'/>", ("item-not-found", "")),
        ("<item id='a'/><item id='nobody'/>", ("item-not-found", "")),
        ("<item/>", ("bad-request", "item-required")),
        ("<item id=''/>", ("bad-request", "item-required")),
        ("", ("bad-request", "item-required")),
        ("<thing id='a'/>", ("bad-request", "item-required")),
    ],
)
def test_PS89_a_retraction_that_cannot_be_removes_nothing(inside: str, expected: tuple[str, str]) -> None:
    scene = Scene()
    persistent(scene, "a")
    assert refusal(scene.set(scene.admin, f"<retract node='n'>{inside}</retract>")) == expected
    assert kept(scene, "n") == ["a"]


def test_PS89_several_items_are_retracted_in_one_notification() -> None:
    scene = Scene()
    persistent(scene, "a", "b", "c")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.set(scene.admin, "<retract node='n' notify='1'><item id='a'/><item id='c'/><item id='a'/></retract>")
    assert (len(client.raw), names(client), kept(scene, "n")) == (1, ["retract a", "retract c"], ["b"])


@pytest.mark.parametrize("verb_", ["<retract node='n'><item id='a'/></retract>", "<purge node='n'/>"])
def test_PS89_PS90_a_transient_node_has_nothing_to_remove(verb_: str) -> None:
    scene = Scene()
    scene.create("n")
    answer = scene.pubsub(scene.admin, "set", verb_, owner="purge" in verb_)
    assert refusal(answer) == ("feature-not-implemented", "unsupported persistent-items")


@pytest.mark.parametrize("owner", [True, False])
def test_PS90_PS91_all_items_go_at_once_in_either_namespace(owner: bool) -> None:
    scene = Scene()
    persistent(scene, "a", "b")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    assert condition(scene.pubsub(client, "set", "<purge node='n'/>", owner)) == ("auth", "forbidden")
    assert ok(scene.pubsub(scene.admin, "set", "<purge node='n'/>", owner))
    (purged,) = told(client)
    assert (purged.name, dict(purged.attrs), kept(scene, "n")) == ("purge", {"node": "n"}, [])
    assert (scene.host._pubsub.items.total_bytes, scene.host._pubsub.nodes["n"].item_bytes) == (0, 0)
    assert ok(scene.pubsub(scene.admin, "set", "<purge node='n'/>", owner))
    assert refusal(scene.pubsub(scene.admin, "set", "<purge/>", owner)) == ("bad-request", "nodeid-required")
    assert refusal(scene.pubsub(scene.admin, "set", "<purge node='m'/>", owner))[0] == "item-not-found"


@pytest.mark.parametrize(
    "wrong", ["", "text", "<dance/>", "<create node='m'/><create node='o'/>", "<items node='n'/>", "<publish/><x/>"]
)
def test_PS92_what_is_no_request_is_a_bad_request(wrong: str) -> None:
    scene = Scene()
    assert condition(scene.set(scene.admin, wrong)) == ("modify", "bad-request")


@pytest.mark.parametrize(("config", "sent"), [("never", 0), ("on_sub", 1), ("on_sub_and_presence", 1)])
def test_PS93_the_newest_item_follows_the_answer_to_the_subscription(config: str, sent: int) -> None:
    scene = Scene()
    persistent(scene, "a", "b", config=(("send_last_published_item", config),))
    client = scene.join("1001")
    scene.now += 60
    client.raw.clear()
    scene.send(
        client,
        "<iq xmlns='jabber:client' type='set' id='s' to='pubsub.localhost'>"
        f"<pubsub xmlns='{PS}'><subscribe node='n' jid='{client.jid}'/></pubsub></iq>",
    )
    stanzas = client.take()
    assert [stanza.name for stanza in stanzas] == ["iq"] + ["message"] * sent
    if sent:
        assert item_ids(stanzas[1]) == ["b"]
        delay = stanzas[1].child("delay", "urn:xmpp:delay")
        assert delay is not None
        assert dict(delay.attrs) == {"from": "pubsub.localhost", "stamp": "2023-11-14T22:13:20Z"}
    scene.subscribe(client, "n")
    assert client.take() == []  # already subscribed: nothing is new


def test_PS93_a_node_without_items_sends_none() -> None:
    scene = Scene()
    persistent(scene, config=(("send_last_published_item", "on_sub_and_presence"),))
    client = scene.join("1001")
    assert ok(scene.subscribe(client, "n", "1001@localhost"))
    assert client.take() == []
    assert scene.join("1001", "phone").take() == []


def test_PS93_a_newest_item_of_unknown_age_carries_no_invented_stamp() -> None:
    scene = Scene()
    scene.host.wall_offset = None
    persistent(scene, "a", config=(("send_last_published_item", "on_sub"),))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    message = client.only()
    assert (item_ids(message), message.child("delay")) == (["a"], None)


def test_PS94_the_newest_item_is_sent_once_a_session_where_the_node_does_so() -> None:
    scene = Scene()
    persistent(scene, "a", config=(("send_last_published_item", "on_sub_and_presence"),))
    first = scene.join("1001")
    scene.subscribe(first, "n", "1001@localhost")
    scene.subscribe(first, "n", "1001@localhost/phone")
    scene.put(scene.admin, "n", "b")
    scene.leave(first)
    desk, phone = scene.bind("1001"), scene.bind("1001", "phone")
    for client, sent in ((desk, ["b"]), (phone, ["b", "b"])):
        scene.send(client, "<presence xmlns='jabber:client'/>")
        assert client.items() == sent
        client.raw.clear()
        scene.send(client, "<presence xmlns='jabber:client' type='unavailable'/>")
        scene.send(client, "<presence xmlns='jabber:client'/>")
        assert client.items() == []
        client.raw.clear()


def test_PS94_by_default_nothing_is_sent_with_presence() -> None:
    scene = Scene()
    persistent(scene, "a")
    scene.subscribe(scene.join("1001"), "n", "1001@localhost")
    client = scene.bind("1001", "phone")
    scene.send(client, "<presence xmlns='jabber:client'/>")
    assert client.items() == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((("persist_items", "true"), ("access_model", "open")), None),
        ((("max_items", "max"), ("node_type", "leaf")), None),
        ((), None),
        ((("access_model", "whitelist"),), ("conflict", "precondition-not-met")),
        ((("access_model", "presence"),), ("conflict", "precondition-not-met")),
        ((("persist_items", "1"), ("max_items", "5")), ("conflict", "precondition-not-met")),
        ((("unheard_of", "1"),), ("bad-request", "")),
    ],
)
def test_PS95_a_publication_may_insist_on_the_configuration(
    fields: tuple[tuple[str, str], ...], expected: tuple[str, str] | None
) -> None:
    scene = Scene()
    persistent(scene)
    beside = f"<publish-options>{form('publish-options', *fields)}</publish-options>"
    answer = scene.put(scene.admin, "n", "i", beside=beside)
    assert (None if ok(answer) else refusal(answer)) == expected
    assert kept(scene, "n") == (["i"] if expected is None else [])


@pytest.mark.parametrize("beside", ["<publish-options/>", f"<publish-options>{form('node_config')}</publish-options>"])
def test_PS95_preconditions_are_a_form(beside: str) -> None:
    scene = Scene()
    persistent(scene)
    assert condition(scene.put(scene.admin, "n", "i", beside=beside)) == ("modify", "bad-request")


def test_PS96_every_subscriber_sees_the_order_of_publication() -> None:
    scene = Scene()
    persistent(scene)
    clients = [scene.join("1001"), scene.join("1002")]
    for client in clients:
        scene.subscribe(client, "n")
    for number in range(300):
        scene.put(scene.admin, "n", str(number))
    assert [client.items() for client in clients] == [[str(number) for number in range(300)]] * 2
    assert kept(scene, "n") == [str(number) for number in range(300)]


@pytest.mark.parametrize(("config", "expected"), [("normal", None), ("headline", "headline")])
def test_PS97_the_type_of_a_notification_is_the_nodes_to_choose(config: str, expected: str | None) -> None:
    scene = Scene()
    scene.create("n", ("notification_type", config))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.put(scene.admin, "n", "i")
    scene.own(scene.admin, "<delete node='n'/>")
    assert [stanza.attrs.get("type") for stanza in client.take()] == [expected] * 2


def test_PS99_presence_based_delivery_tells_those_who_are_there_and_counts_nobody_else() -> None:
    scene = Scene()
    scene.create("n", ("presence_based_delivery", "1"))
    shy, bound, away = scene.join("1001", priority=-1), scene.bind("1002"), scene.join("1003")
    for client in (shy, bound, away):
        scene.subscribe(client, "n")
    scene.leave(away)
    scene.events(StoredOffline)
    scene.put(scene.admin, "n", "i")
    assert (names(shy), names(bound), scene.events(StoredOffline)) == ([], [], [])
    assert scene.host.counters.notifications_lost == 0
    scene.send(shy, "<presence xmlns='jabber:client'/>")
    shy.raw.clear()
    scene.put(scene.admin, "n", "j")
    assert names(shy) == ["item j"]


def test_PS100_a_fan_out_is_one_entry_whatever_the_number_of_subscribers() -> None:
    scene = Scene()
    scene.create("n")
    for resource in ("a", "b", "c"):
        scene.subscribe(scene.join("1001", resource), "n")
    scene.host.outbox.clear()
    before = scene.host.counters.delivered
    scene.host.publish("n", "i", b"<a/>", scene.now)
    assert scene.host.counters.delivered == before + 3
    assert [len(fanout) for fanout in scene.fanouts()] == [3]


def test_notifications_for_who_is_absent_are_replayed_where_the_server_is_told_to() -> None:
    scene = Scene(HostPolicy(replay_notifications=True))
    scene.create("n")
    client = scene.join("1001")
    scene.subscribe(client, "n", "1001@localhost")
    scene.subscribe(client, "n")
    scene.leave(client)
    scene.put(scene.admin, "n", "i")
    assert [event.kept for event in scene.events(StoredOffline)] == [True, True]
    again = scene.bind("1001")
    scene.send(again, "<presence xmlns='jabber:client'/>")
    messages = [stanza for stanza in again.take() if stanza.name == "message"]
    assert [item_ids(message) for message in messages] == [["i"], ["i"]]
    assert all(message.child("delay", "urn:xmpp:delay") is not None for message in messages)
    undelivered = scene.publish("n", "j")
    assert undelivered == 2
    stanzas = [raw for raw in again.raw if b'id="j"' in raw]
    scene.leave(again, stanzas)
    third = scene.bind("1001")
    scene.send(third, "<presence xmlns='jabber:client'/>")
    assert third.items() == ["j", "j"]
