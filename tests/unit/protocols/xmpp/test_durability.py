"""Stories of restarts: nothing that was acknowledged is lost, and nothing is acknowledged before it is stored."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.delivery import Unstored
from poise.protocols.xmpp.host import HostPolicy
from poise.protocols.xmpp.records import (
    AffiliationRecord,
    DocumentRecord,
    ItemRecord,
    MessageRecord,
    NodeRecord,
    Record,
    SubscriptionRecord,
)
from tests.unit.protocols.xmpp.host_story import PUBSUB, Recorder, Stage, condition, item_ids
from tests.unit.protocols.xmpp.pubsub.story import PS, USER, Scene, entries, form, kept, names, ok, told, values, verb
from tests.unit.protocols.xmpp.shelf import Shelf, restarted, save

INFO = "/finesse/api/SystemInfo"
PING = "<ping xmlns='urn:xmpp:ping'/>"


def durable(policy: HostPolicy | None = None) -> tuple[Scene, Shelf]:
    scene, shelf = Scene(policy, ready=False), Shelf()
    assert scene.host.restore([], scene.now) == 0
    scene.admin = scene.join("admin")
    return scene, shelf


def iq(stage: Stage, client: Recorder, number: str, inside: str, to: str = PUBSUB) -> None:
    """A request whose answer may have to wait."""
    stage.send(client, f"<iq xmlns='jabber:client' type='set' id='{number}' to='{to}'>{inside}</iq>")


def ping(stage: Stage, client: Recorder, number: str) -> None:
    stage.send(client, f"<iq xmlns='jabber:client' type='get' id='{number}' to='localhost'>{PING}</iq>")


def say(stage: Stage, client: Recorder, to: str, words: str) -> None:
    stage.send(
        client,
        f"<message xmlns='jabber:client' type='chat' id='m' to='{to}'><body>{words}</body></message>",
    )


def answers(client: Recorder) -> list[str]:
    """Ids of the answers that came since the last time, marked when they are errors."""
    return [
        stanza.attrs["id"] + ("!" if stanza.attrs.get("type") == "error" else "")
        for stanza in client.take()
        if stanza.name == "iq" or stanza.attrs.get("type") == "error"
    ]


def subscribe(node: str, jid: str) -> str:
    return f"<pubsub xmlns='{PS}'><subscribe node='{node}' jid='{jid}'/></pubsub>"


def test_the_result_of_a_request_waits_until_what_it_changed_is_stored() -> None:
    scene, shelf = durable()
    scene.host.create_node(USER)
    client = scene.join("1001")
    iq(scene, client, "s", subscribe(USER, client.jid))
    assert answers(client) == []
    assert list(scene.host.unstored) == [client]
    released = save(scene, shelf)
    assert (answers(client), [event.client for event in released]) == (["s"], [client])
    assert not scene.host.unstored
    assert shelf.of(SubscriptionRecord) == [SubscriptionRecord(USER, client.jid, "subscribed", "{}")]


def test_what_changes_nothing_is_answered_at_once() -> None:
    scene, _ = durable()
    client = scene.join("1001")
    ping(scene, client, "p")
    iq(scene, client, "s", subscribe("/nowhere", client.jid))
    assert answers(client) == ["p", "s!"]
    assert not any(isinstance(event, Unstored) for event in scene.host.events)


def test_the_pong_behind_a_message_that_is_kept_says_that_it_is_stored() -> None:
    scene, shelf = durable()
    sender, other = scene.join("1001"), scene.join("1003")
    say(scene, sender, "1002@localhost", "one")
    ping(scene, sender, "p")
    ping(scene, other, "o")
    assert (answers(sender), answers(other)) == ([], ["o"])  # nobody else waits
    save(scene, shelf)
    assert answers(sender) == ["p"]
    assert len(shelf.of(MessageRecord)) == 1


def test_answers_come_in_order_though_each_waits_for_something_else() -> None:
    scene, shelf = durable()
    for node in (USER, INFO):
        scene.host.create_node(node)
    client = scene.join("1001")
    iq(scene, client, "1", subscribe(USER, client.jid))
    iq(scene, client, "2", subscribe("/nowhere", client.jid))
    (first,) = [event for event in scene.host.events if isinstance(event, Unstored)]
    iq(scene, client, "3", subscribe(INFO, client.jid))
    ping(scene, client, "4")
    scene.host.stored(first.token, scene.now)
    scene.deliver()
    assert answers(client) == ["1", "2!"]
    assert client in scene.host.unstored
    assert [event.client for event in save(scene, shelf)] == [client]
    assert answers(client) == ["3", "4"]


def test_who_asked_is_told_when_it_could_not_be_stored() -> None:
    scene, shelf = durable()
    scene.host.create_node(USER)
    client = scene.join("1001")
    iq(scene, client, "s", subscribe(USER, client.jid))
    say(scene, client, "1002@localhost", "lost?")
    ping(scene, client, "p")
    assert [event.client for event in save(scene, shelf, durable=False)] == [client]
    refused = client.take()
    assert [condition(stanza) for stanza in refused] == [("wait", "internal-server-error")] * 3
    assert [(stanza.name, stanza.attrs["id"], stanza.attrs["from"]) for stanza in refused] == [
        ("iq", "s", PUBSUB),
        ("message", "m", "1002@localhost"),
        ("iq", "p", "localhost"),
    ]
    assert not scene.host.unstored


def test_the_answer_to_a_session_that_ended_meanwhile_is_not_missed() -> None:
    scene, shelf = durable()
    scene.host.create_node(USER)
    client = scene.join("1001")
    iq(scene, client, "s", subscribe(USER, client.jid))
    scene.leave(client)
    save(scene, shelf)
    assert not scene.host.unstored
    assert restarted(shelf, USER).host.subscriptions(USER) == (client.jid,)


def test_explicit_subscriptions_outlive_the_server_and_those_of_the_product_are_made_anew() -> None:
    scene, shelf = durable()
    for node in (USER, INFO):
        scene.host.create_node(node)
        scene.host.subscribe(node, "1001@localhost")
    client = scene.join("1001")
    iq(scene, client, "1", subscribe(USER, client.jid))
    iq(scene, client, "2", subscribe(INFO, "1001@localhost"))
    save(scene, shelf)
    again = restarted(shelf, USER, INFO)
    assert again.host.subscriptions(USER) == (client.jid,)
    assert again.host.subscriptions(INFO) == ("1001@localhost",)
    again.host.subscribe(INFO, "1001@localhost")
    returned = again.join("1001")
    assert again.publish(INFO) == 1
    assert names(returned) == ["item i1"]
    iq(again, returned, "3", f"<pubsub xmlns='{PS}'><unsubscribe node='{INFO}' jid='1001@localhost'/></pubsub>")
    assert answers(returned) == []
    save(again, shelf)
    assert answers(returned) == ["3"]
    assert restarted(shelf, USER, INFO).host.subscriptions(INFO) == ()


def test_subscriptions_wait_for_their_node_and_ask_its_rule() -> None:
    scene, shelf = durable()
    team = "/finesse/api/Team/1/Users"
    shelf.apply(SubscriptionRecord(team, "1001@localhost", "subscribed", "{}"))
    shelf.apply(SubscriptionRecord(USER, "1001@localhost", "subscribed", "{}"))
    shelf.apply(AffiliationRecord(INFO, "1002@localhost", "outcast"))
    shelf.apply(SubscriptionRecord("/finesse/api/User/gone", "1001@localhost", "subscribed", "{}"))
    scene = restarted(shelf)
    assert scene.host.nodes() == ()
    for node in (team, USER, INFO):
        scene.host.create_node(node)
    assert (scene.host.subscriptions(team), scene.host.subscriptions(USER)) == ((), ("1001@localhost",))
    assert condition(scene.subscribe(scene.join("1002"), INFO)) == ("auth", "forbidden")
    scene.host.nodes_complete(scene.now)
    save(scene, shelf)
    assert [record.node for record in shelf.of(SubscriptionRecord) if isinstance(record, SubscriptionRecord)] == [USER]


def test_an_administrators_node_comes_back_with_all_it_had() -> None:
    scene, shelf = durable()
    beside = form("node_config", ("title", "News"), ("persist_items", "1"), ("access_model", "whitelist"))
    iq(scene, scene.admin, "1", f"<pubsub xmlns='{PS}'><create node='n'/><configure>{beside}</configure></pubsub>")
    entry = "<affiliation jid='1001@localhost' affiliation='member'/>"
    own = f"<pubsub xmlns='{PS}#owner'><affiliations node='n'>{entry}</affiliations></pubsub>"
    iq(scene, scene.admin, "2", own)
    for number in range(3):
        item = f"<item id='i{number}'><entry xmlns='custom'>{number}</entry></item>"
        iq(scene, scene.admin, f"p{number}", f"<pubsub xmlns='{PS}'><publish node='n'>{item}</publish></pubsub>")
    iq(scene, scene.admin, "r", f"<pubsub xmlns='{PS}'><retract node='n'><item id='i1'/></retract></pubsub>")
    client = scene.join("1001")
    options = f"<options>{form('subscribe_options', ('show-values', 'online'))}</options>"
    iq(
        scene,
        client,
        "s",
        f"<pubsub xmlns='{PS}'><subscribe node='n' jid='{client.jid}'/>{options}</pubsub>",
    )
    save(scene, shelf)
    again = restarted(shelf, after_s=1000.0)
    asked = values(verb(again.own(again.admin, "<configure node='n'/>", "get"), f"{PS}#owner"))
    assert (asked["title"], asked["access_model"]) == (["News"], ["whitelist"])
    assert kept(again, "n") == ["i0", "i2"]
    returned = again.join("1001")
    assert entries(again.get(returned, "<affiliations/>")) == [{"node": "n", "affiliation": "member"}]
    found = values(verb(again.get(returned, f"<options node='n' jid='{client.jid}'/>")))
    assert found["show-values"] == ["online"]
    item = "<item id='i3'><entry xmlns='custom'/></item>"
    iq(again, again.admin, "p", f"<pubsub xmlns='{PS}'><publish node='n'>{item}</publish></pubsub>")
    assert names(returned) == ["item i3"]
    assert kept_when_stored(again, shelf) == ["i0", "i2", "i3"]


def kept_when_stored(scene: Scene, shelf: Shelf) -> list[str]:
    save(scene, shelf)
    return kept(restarted(shelf), "n")


def test_changes_of_configuration_and_affiliations_come_back_too() -> None:
    scene, shelf = durable()
    iq(scene, scene.admin, "1", f"<pubsub xmlns='{PS}'><create node='n'/></pubsub>")
    changed = form("node_config", ("title", "News"))
    iq(scene, scene.admin, "2", f"<pubsub xmlns='{PS}#owner'><configure node='n'>{changed}</configure></pubsub>")
    for number, affiliation in (("3", "member"), ("4", "publisher"), ("5", "none")):
        for user in ("1001", "1002") if affiliation != "none" else ("1002",):
            entry = f"<affiliation jid='{user}@localhost' affiliation='{affiliation}'/>"
            own = f"<pubsub xmlns='{PS}#owner'><affiliations node='n'>{entry}</affiliations></pubsub>"
            iq(scene, scene.admin, f"{number}{user}", own)
    save(scene, shelf)
    again = restarted(shelf)
    asked = values(verb(again.own(again.admin, "<configure node='n'/>", "get"), f"{PS}#owner"))
    assert asked["title"] == ["News"]
    known = entries(again.own(again.admin, "<affiliations node='n'/>", "get"), f"{PS}#owner")
    assert {entry["jid"]: entry["affiliation"] for entry in known} == {
        "admin@localhost": "owner",
        "1001@localhost": "publisher",
    }


def test_a_purged_node_is_empty_after_a_restart_and_items_are_numbered_on() -> None:
    scene, shelf = durable()
    beside = form("node_config", ("persist_items", "1"))
    iq(scene, scene.admin, "1", f"<pubsub xmlns='{PS}'><create node='n'/><configure>{beside}</configure></pubsub>")

    def publish(item_id: str) -> None:
        item = f"<item id='{item_id}'><entry xmlns='custom'/></item>"
        iq(scene, scene.admin, "p", f"<pubsub xmlns='{PS}'><publish node='n'>{item}</publish></pubsub>")

    publish("a")
    publish("b")
    save(scene, shelf)
    assert [record.number for record in shelf.of(ItemRecord) if isinstance(record, ItemRecord)] == [1, 2]
    iq(scene, scene.admin, "2", f"<pubsub xmlns='{PS}#owner'><purge node='n'/></pubsub>")
    save(scene, shelf)
    assert shelf.of(ItemRecord) == []
    publish("c")
    save(scene, shelf)
    assert kept(restarted(shelf), "n") == ["c"]


def test_options_make_a_subscription_of_the_product_ones_own() -> None:
    scene, shelf = durable()
    scene.host.create_node(INFO)
    scene.host.subscribe(INFO, "1001@localhost")
    client = scene.join("1001")
    inside = form("subscribe_options", ("deliver", "0"))
    options = f"<options node='{INFO}' jid='1001@localhost'>{inside}</options>"
    iq(scene, client, "o", f"<pubsub xmlns='{PS}'>{options}</pubsub>")
    save(scene, shelf)
    assert restarted(shelf, INFO).host.subscriptions(INFO) == ("1001@localhost",)
    iq(scene, client, "u", f"<pubsub xmlns='{PS}'><unsubscribe node='{INFO}' jid='1001@localhost'/></pubsub>")
    save(scene, shelf)
    assert restarted(shelf, INFO).host.subscriptions(INFO) == ()


def test_what_a_deleted_node_had_is_not_stored_any_more() -> None:
    scene, shelf = durable()
    beside = form("node_config", ("persist_items", "1"))
    iq(scene, scene.admin, "1", f"<pubsub xmlns='{PS}'><create node='n'/><configure>{beside}</configure></pubsub>")
    item = "<item id='i'><entry xmlns='custom'/></item>"
    iq(scene, scene.admin, "2", f"<pubsub xmlns='{PS}'><publish node='n'>{item}</publish></pubsub>")
    iq(scene, scene.admin, "3", subscribe("n", scene.admin.jid))
    save(scene, shelf)
    kinds: list[type[Record]] = [NodeRecord, AffiliationRecord, SubscriptionRecord, ItemRecord]
    assert all(shelf.of(kind) for kind in kinds)
    iq(scene, scene.admin, "4", f"<pubsub xmlns='{PS}#owner'><delete node='n'/></pubsub>")
    save(scene, shelf)
    assert not any(shelf.of(kind) for kind in kinds)


def test_an_approval_that_is_pending_still_is_after_a_restart() -> None:
    scene, shelf = durable()
    beside = form("node_config", ("access_model", "authorize"))
    iq(scene, scene.admin, "1", f"<pubsub xmlns='{PS}'><create node='n'/><configure>{beside}</configure></pubsub>")
    client = scene.join("1001")
    iq(scene, client, "s", subscribe("n", client.jid))
    save(scene, shelf)
    again = restarted(shelf)
    returned = again.join("1001")
    assert [entry["subscription"] for entry in entries(again.get(returned, "<subscriptions/>"))] == ["pending"]
    fields = (("node", "n"), ("subscriber_jid", client.jid), ("allow", "1"))
    inside = form("subscribe_authorization", *fields)
    again.send(again.admin, f"<message xmlns='jabber:client' to='{PUBSUB}'>{inside}</message>")
    assert [element.attrs["subscription"] for element in told(returned)] == ["subscribed"]
    save(again, shelf)
    last = restarted(shelf)
    assert [entry["subscription"] for entry in entries(last.get(last.join("1001"), "<subscriptions/>"))] == [
        "subscribed"
    ]


def test_a_subscription_bound_to_presence_ends_with_the_server() -> None:
    scene, shelf = durable()
    scene.host.create_node(USER)
    client = scene.join("1001")
    iq(scene, client, "s", subscribe(USER, client.jid))
    save(scene, shelf)
    inside = form("subscribe_options", ("expire", "presence"))
    iq(
        scene,
        client,
        "o",
        f"<pubsub xmlns='{PS}'><options node='{USER}' jid='{client.jid}'>{inside}</options></pubsub>",
    )
    save(scene, shelf)
    assert restarted(shelf, USER).host.subscriptions(USER) == ()


def test_messages_wait_through_a_restart_and_keep_their_time_and_order() -> None:
    scene, shelf = durable()
    sender = scene.join("1001")
    for words in ("one", "two"):
        say(scene, sender, "1002@localhost", words)
    save(scene, shelf)
    again = restarted(shelf, after_s=90.0)
    friend = again.bind("1002")
    again.send(friend, "<presence xmlns='jabber:client'/>")
    messages = [stanza for stanza in friend.take() if stanza.name == "message"]
    bodies = [stanza.child("body") for stanza in messages]
    assert [body.text for body in bodies if body is not None] == ["one", "two"]
    delays = [stanza.child("delay") for stanza in messages]
    assert {delay.attrs["stamp"] for delay in delays if delay is not None} == {"2023-11-14T22:13:20Z"}


def test_a_server_that_dies_just_after_handing_out_hands_out_again() -> None:
    scene, shelf = durable()
    say(scene, scene.join("1001"), "1002@localhost", "one")
    save(scene, shelf)
    friend = scene.bind("1002")
    scene.send(friend, "<presence xmlns='jabber:client'/>")
    save(scene, shelf)
    assert len(restarted(shelf).host._offline) == 1
    assert scene.host.deadline == scene.now + 60.0
    scene.now += 60.0
    scene.host.due(scene.now)
    save(scene, shelf)
    assert len(restarted(shelf).host._offline) == 0


def test_what_a_dead_session_gives_back_is_stored_again() -> None:
    scene, shelf = durable()
    say(scene, scene.join("1001"), "1002@localhost", "one")
    friend = scene.bind("1002")
    scene.send(friend, "<presence xmlns='jabber:client'/>")
    scene.leave(friend, [friend.raw[-1]])
    save(scene, shelf)
    scene.now += 61.0
    scene.host.due(scene.now)
    save(scene, shelf)
    assert [record.stamped for record in shelf.of(MessageRecord) if isinstance(record, MessageRecord)] == [True]


def test_a_server_that_ends_in_good_order_hands_nothing_out_twice() -> None:
    scene, shelf = durable()
    say(scene, scene.join("1001"), "1002@localhost", "one")
    friend = scene.bind("1002")
    scene.send(friend, "<presence xmlns='jabber:client'/>")
    scene.leave(friend)
    scene.host.close(scene.now)
    save(scene, shelf)
    assert shelf.of(MessageRecord) == []


def test_documents_are_there_after_a_restart() -> None:
    scene, shelf = durable()
    client = scene.join("1001")
    card = "<vCard xmlns='vcard-temp'><FN>Agent</FN></vCard>"
    iq(scene, client, "v", card, to="1001@localhost")
    iq(scene, client, "p", "<query xmlns='jabber:iq:private'><a xmlns='b'>c</a></query>", to="1001@localhost")
    assert answers(client) == []
    save(scene, shelf)
    assert answers(client) == ["v", "p"]
    again = restarted(shelf)
    found = again.ask(again.join("1001"), "get", "<vCard xmlns='vcard-temp'/>").child("vCard")
    assert found is not None
    assert next(found.elements()).text == "Agent"
    assert len(shelf.of(DocumentRecord)) == 2


def test_a_document_that_was_emptied_is_not_stored_any_more() -> None:
    scene, shelf = durable()
    client = scene.join("1001")
    for words in ("<FN>Agent</FN>", ""):
        iq(scene, client, "v", f"<vCard xmlns='vcard-temp'>{words}</vCard>", to="1001@localhost")
        save(scene, shelf)
        assert len(shelf.of(DocumentRecord)) == bool(words)


def test_what_a_user_had_is_forgotten_with_the_user() -> None:
    scene, shelf = durable()
    for node in (USER, INFO):
        scene.host.create_node(node)
    client = scene.join("1001")
    iq(scene, client, "v", "<vCard xmlns='vcard-temp'><FN>Agent</FN></vCard>", to="1001@localhost")
    iq(scene, client, "s", subscribe(USER, client.jid))
    entry = "<affiliation jid='1001@localhost' affiliation='outcast'/>"
    own = f"<pubsub xmlns='{PS}#owner'><affiliations node='{INFO}'>{entry}</affiliations></pubsub>"
    iq(scene, scene.admin, "a", own)
    scene.leave(client)
    say(scene, scene.join("1002"), "1001@localhost", "hello")
    save(scene, shelf)
    assert [kind for kind, rows in shelf.rows.items() if rows] == [
        AffiliationRecord,
        SubscriptionRecord,
        MessageRecord,
        DocumentRecord,
    ]
    scene.host.forget_user("1001", scene.now)
    save(scene, shelf)
    assert not any(rows for rows in shelf.rows.values())
    assert (len(scene.host._offline), scene.host._documents.get("1001@localhost", "vcard")) == (0, None)
    assert entries(scene.get(scene.join("1001"), "<affiliations/>")) == []


def test_a_notification_that_is_to_be_replayed_is_stored_too() -> None:
    scene, shelf = durable(HostPolicy(replay_notifications=True))
    scene.host.create_node(USER)
    scene.host.subscribe(USER, "1001@localhost")
    scene.publish(USER, "missed")
    save(scene, shelf)
    again = restarted(shelf)
    client = again.bind("1001")
    again.send(client, "<presence xmlns='jabber:client'/>")
    assert [item_ids(stanza) for stanza in client.take() if stanza.name == "message"] == [["missed"]]


@pytest.mark.parametrize(
    "record",
    [
        NodeRecord("", "admin@localhost", 0.0, "{}"),
        NodeRecord("n", "admin@localhost", 0.0, "no json"),
        NodeRecord("n", "admin@localhost", 0.0, "[]"),
        NodeRecord("n", "admin@localhost", 0.0, '{"pubsub#access_model": ["presence"]}'),
    ],
)
def test_a_record_that_cannot_be_read_costs_nothing_but_itself(record: NodeRecord) -> None:
    scene = Scene(ready=False)
    good = NodeRecord("good", "admin@localhost", 5.0, '{"pubsub#title": ["T"], "pubsub#unheard_of": ["x"]}')
    bad: list[Record] = [
        AffiliationRecord("good", "1001@localhost", "boss"),
        SubscriptionRecord("good", "@", "subscribed", "{}"),
    ]
    bad.append(SubscriptionRecord("good", "1001@localhost", "lost", "{}"))
    assert scene.host.restore([record, good, *bad], scene.now) == 4
    assert scene.host.nodes() == ("good",)
    assert ok(scene.ask(scene.join("1001"), "get", PING))


def test_before_there_is_a_store_nothing_waits() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    assert ok(scene.subscribe(client, "n"))
    assert not any(isinstance(event, Unstored) for event in scene.host.events)
