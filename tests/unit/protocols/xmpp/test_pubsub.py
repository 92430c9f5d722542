"""Stories of pubsub: nodes, subscriptions, items on their way, and who may do what (XEP-0060)."""

from __future__ import annotations

import re
from itertools import product

import pytest

from poise.protocols.xmpp.delivery import Published, StoredOffline
from poise.protocols.xmpp.host import HostPolicy, NodeRefused, UnknownNode
from poise.protocols.xmpp.pubsub.rights import (
    ADDED_BY_ACCESS,
    ADDED_TO_ALL,
    ADDED_TO_SUBSCRIBERS,
    RIGHTS,
    AccessModel,
    Affiliation,
    Capability,
    PublishModel,
    may,
)
from poise.protocols.xmpp.xml import Element
from tests.unit.protocols.xmpp.host_story import EVENT_NS, PUBSUB, Recorder, Stage, app_condition, condition

USER = "/finesse/api/User/1001"
PUBSUB_NS = "http://jabber.org/protocol/pubsub"
ITEM = f"<item id='i1'><notification xmlns='{PUBSUB_NS}'>&lt;Update/&gt;</notification></item>"


def stage_with_node(node: str = USER, *subscribers: str) -> Stage:
    stage = Stage()
    stage.host.create_node(node)
    for jid in subscribers:
        stage.host.subscribe(node, jid)
    return stage


def subscribe(stage: Stage, client: Recorder, node: str, jid: str) -> Element:
    return stage.pubsub(client, "set", f"<subscribe node='{node}' jid='{jid}'/>")


def configure(*fields: tuple[str, str], form_type: str = f"{PUBSUB_NS}#node_config", kind: str = "submit") -> str:
    hidden = f"<field var='FORM_TYPE' type='hidden'><value>{form_type}</value></field>" if form_type else ""
    rest = "".join(f"<field var='pubsub#{name}'><value>{value}</value></field>" for name, value in fields)
    return f"<configure><x xmlns='jabber:x:data' type='{kind}'>{hidden}{rest}</x></configure>"


def listed(stage: Stage, client: Recorder, verb: str) -> list[tuple[str, str]]:
    wrapper = stage.pubsub(client, "get", verb).child("pubsub", PUBSUB_NS)
    assert wrapper is not None
    return [(entry.attrs["node"], entry.attrs["jid"]) for entry in next(wrapper.elements()).elements()]


# The notification


def test_a_notification_has_exactly_the_form_of_the_seed() -> None:
    stage = stage_with_node(USER, "1001@localhost")
    client = stage.join("1001")
    payload = (
        b'<notification xmlns="http://jabber.org/protocol/pubsub">'
        b"&lt;Update&gt;\n&lt;event&gt;PUT&lt;/event&gt;\n&lt;/Update&gt;</notification>"
    )
    assert stage.host.publish(USER, "26a3e421-4752-8a1d-5adbdc74a7717", payload, stage.now) == 1
    stage.deliver()
    (raw,) = client.raw
    suffix = re.search(rb"__([A-Za-z0-9]{5})\"", raw)
    assert suffix is not None
    assert raw == (
        b'<message xmlns="jabber:client" from="pubsub.localhost" to="1001@localhost"'
        b' id="/finesse/api/User/1001__1001@localhost__' + suffix[1] + b'">'
        b'<event xmlns="http://jabber.org/protocol/pubsub#event"><items node="/finesse/api/User/1001">'
        b'<item id="26a3e421-4752-8a1d-5adbdc74a7717">' + payload + b"</item></items></event></message>"
    )


def test_a_publisher_over_xmpp_makes_the_same_notification_and_is_told_the_item() -> None:
    stage = stage_with_node(USER, "1001@localhost")
    client, admin = stage.join("1001"), stage.join("admin")
    answer = stage.pubsub(admin, "set", f"<publish node='{USER}'>{ITEM}</publish>")
    over_xmpp = client.raw.pop()
    stage.host.publish(USER, "i1", f'<notification xmlns="{PUBSUB_NS}">&lt;Update/&gt;</notification>'.encode(), 0.0)
    stage.deliver()
    by_product = client.raw.pop()
    blank = re.compile(rb"__[A-Za-z0-9]{5}\"")
    assert blank.sub(b"", over_xmpp) == blank.sub(b"", by_product)
    told = answer.child("pubsub", PUBSUB_NS)
    assert told == Element(
        "pubsub",
        PUBSUB_NS,
        {},
        (Element("publish", PUBSUB_NS, {"node": USER}, (Element("item", PUBSUB_NS, {"id": "i1"}),)),),
    )


def test_message_ids_of_one_node_differ_every_time() -> None:
    stage = stage_with_node(USER, "1001@localhost")
    client = stage.join("1001")
    for _ in range(500):
        stage.publish(USER)
    assert len({message.attrs["id"] for message in client.got}) == 500


def test_an_item_without_an_id_gets_a_uuid_and_a_digit() -> None:
    stage = stage_with_node(USER, "1001@localhost")
    client, admin = stage.join("1001"), stage.join("admin")
    stage.publish(USER, "")
    answer = stage.pubsub(admin, "set", f"<publish node='{USER}'>{ITEM.replace(' id=', ' no=')}</publish>")
    given = client.items()
    assert len(set(given)) == 2
    for item_id in given:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}[0-9]", item_id)
    told = answer.child("pubsub")
    assert told is not None
    assert next(next(told.elements()).elements()).attrs["id"] == given[1]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("<update xmlns='custom'><a/>x</update>", Element("update", "custom", {}, (Element("a", "custom"), "x"))),
        ("<entry/>", Element("entry", PUBSUB_NS)),
        (f"<event xmlns='{EVENT_NS}'/>", Element("event", EVENT_NS)),
        ("<a xmlns='b'>]]&gt;&amp;&#13;</a>", Element("a", "b", {}, ("]]>&\r",))),
    ],
)
def test_a_payload_keeps_its_namespace_and_every_character(payload: str, expected: Element) -> None:
    stage = stage_with_node(USER, "1001@localhost")
    client, admin = stage.join("1001"), stage.join("admin")
    stage.pubsub(admin, "set", f"<publish node='{USER}'><item id='1'>{payload}</item></publish>")
    event = client.only().child("event", EVENT_NS)
    assert event is not None
    assert next(next(event.elements()).elements()).children == (expected,)


# Who receives


def test_a_bare_subscription_reaches_every_resource_that_is_not_negative() -> None:
    stage = stage_with_node(USER, "1001@localhost")
    desk, phone, shy = stage.join("1001"), stage.join("1001", "phone", 7), stage.join("1001", "shy", -1)
    bound = stage.bind("1001", "bound")
    for client in (desk, phone, shy):
        client.raw.clear()
    assert stage.publish(USER) == 2
    assert [len(client.raw) for client in (desk, phone, shy, bound)] == [1, 1, 0, 0]
    ids = {desk.got[0].attrs["id"], phone.got[0].attrs["id"]}
    assert len(ids) == 2
    assert desk.got[0].attrs["to"] == phone.got[0].attrs["to"] == "1001@localhost"


def test_a_full_subscription_reaches_only_its_resource_even_when_it_is_shy() -> None:
    stage = stage_with_node(USER, "1001@localhost/shy")
    desk, shy = stage.join("1001"), stage.join("1001", "shy", -1)
    desk.raw.clear()
    stage.publish(USER)
    assert desk.take() == []
    message = shy.only()
    assert message.attrs["to"] == "1001@localhost/shy"
    assert message.attrs["id"].startswith(f"{USER}__1001@localhost/shy__")


def test_both_subscriptions_of_a_user_make_two_notifications() -> None:
    stage = stage_with_node(USER, "1001@localhost", "1001@localhost/desktop")
    desk = stage.join("1001")
    assert stage.publish(USER) == 2
    assert [message.attrs["to"] for message in desk.take()] == ["1001@localhost", "1001@localhost/desktop"]


def test_who_is_not_there_is_counted_and_hears_nothing_later() -> None:
    stage = stage_with_node(USER, "1001@localhost", "1002@localhost/x")
    assert stage.publish(USER, "lost") == 0
    assert list(stage.host.events)[-1] == Published(USER, "lost", 0, 2)
    notices = stage.events(StoredOffline)
    assert [(notice.to, notice.kept) for notice in notices] == [("1001@localhost", False), ("1002@localhost/x", False)]
    assert notices[0].stanza.startswith(
        b'<message xmlns="jabber:client" from="pubsub.localhost" to="1001@localhost" id="'
    )
    assert notices[0].stanza.endswith(b"</message>")
    assert stage.host.counters.notifications_lost == 2
    assert stage.join("1001").items() == []


def test_a_subscription_of_a_resource_that_is_gone_is_silent_while_its_user_is_there_with_another() -> None:
    stage = stage_with_node(USER, "1001@localhost/old")
    desk = stage.join("1001")
    assert stage.publish(USER) == 0
    assert (desk.take(), stage.events(StoredOffline)) == ([], [])


def test_a_user_who_became_unavailable_gets_no_more_although_still_connected() -> None:
    stage = stage_with_node(USER, "1001@localhost")
    desk = stage.join("1001")
    stage.send(desk, "<presence xmlns='jabber:client' type='unavailable'/>")
    assert stage.publish(USER) == 0
    stage.send(desk, "<presence xmlns='jabber:client'/>")
    assert stage.publish(USER) == 1


def test_the_receivers_are_those_of_the_moment_of_publishing() -> None:
    stage = stage_with_node("/finesse/api/SystemInfo", "1001@localhost", "1002@localhost")
    node = "/finesse/api/SystemInfo"
    first, second = stage.join("1001"), stage.join("1002")
    stage.host.publish(node, "one", b"<a/>", stage.now)
    (fanout,) = stage.fanouts()
    drained = iter(fanout)
    client, stanza = next(drained)
    first.raw.append(stanza)
    assert client is first
    stage.host.unsubscribe(node, "1001@localhost")
    stage.host.unsubscribe(node, "1002@localhost")
    stage.host.subscribe(node, "1001@localhost")
    stage.host.publish(node, "two", b"<a/>", stage.now)
    for _, stanza in drained:
        second.raw.append(stanza)
    stage.host.outbox.popleft()
    stage.deliver()
    assert (first.items(), second.items()) == (["one", "two"], ["one"])


def test_a_publication_to_nobody_is_still_an_event() -> None:
    stage = stage_with_node(USER)
    assert stage.publish(USER, "x") == 0
    assert stage.events(Published) == [Published(USER, "x", 0, 0)]
    assert stage.host.counters.published == 1


# Subscribing


@pytest.mark.parametrize(
    "jid", ["1001@localhost", "1001@localhost/desktop", "1001@localhost/elsewhere", "1001@LOCALHOST"]
)
def test_an_agent_subscribes_to_an_own_node_with_either_jid(jid: str) -> None:
    stage = stage_with_node()
    client = stage.join("1001")
    answer = subscribe(stage, client, USER, jid)
    assert answer.attrs["from"] == PUBSUB
    told = answer.child("pubsub", PUBSUB_NS)
    assert told is not None
    assert dict(next(told.elements()).attrs) == {"node": USER, "jid": jid.lower(), "subscription": "subscribed"}
    assert stage.host.subscriptions(USER) == (jid.lower(),)


def test_subscribing_twice_is_subscribing_once() -> None:
    stage = stage_with_node()
    client = stage.join("1001")
    assert subscribe(stage, client, USER, client.jid).attrs["type"] == "result"
    assert subscribe(stage, client, USER, client.jid).attrs["type"] == "result"
    assert stage.publish(USER) == 1
    assert listed(stage, client, "<subscriptions/>") == [(USER, client.jid)]


def test_a_change_of_subscriptions_counts_from_the_next_item_on() -> None:
    stage = stage_with_node()
    client = stage.join("1001")
    counts = [stage.publish(USER)]
    subscribe(stage, client, USER, client.jid)
    counts.append(stage.publish(USER))
    stage.pubsub(client, "set", f"<unsubscribe node='{USER}' jid='{client.jid}'/>")
    counts.append(stage.publish(USER))
    assert counts == [0, 1, 0]


@pytest.mark.parametrize("jid", ["1002@localhost", "admin@localhost/x", "", "@", "1001@elsewhere.example", "localhost"])
def test_nobody_subscribes_another(jid: str) -> None:
    stage = stage_with_node()
    answer = subscribe(stage, stage.join("1001"), USER, jid)
    assert (condition(answer), app_condition(answer)) == (("modify", "bad-request"), "invalid-jid")


def test_unsubscribing_ends_exactly_that_subscription() -> None:
    stage = stage_with_node()
    client = stage.join("1001")
    subscribe(stage, client, USER, client.jid)
    subscribe(stage, client, USER, "1001@localhost")
    assert stage.pubsub(client, "set", f"<unsubscribe node='{USER}' jid='{client.jid}'/>").attrs["type"] == "result"
    assert stage.host.subscriptions(USER) == ("1001@localhost",)
    again = stage.pubsub(client, "set", f"<unsubscribe node='{USER}' jid='{client.jid}'/>")
    assert (condition(again), app_condition(again)) == (("cancel", "unexpected-request"), "not-subscribed")


@pytest.mark.parametrize(
    ("jid", "expected"),
    [("1002@localhost", ("auth", "forbidden")), ("@", ("modify", "bad-request")), ("", ("modify", "bad-request"))],
)
def test_nobody_unsubscribes_another(jid: str, expected: tuple[str, str]) -> None:
    stage = stage_with_node(USER, "1002@localhost")
    answer = stage.pubsub(stage.join("1001"), "set", f"<unsubscribe node='{USER}' jid='{jid}'/>")
    assert condition(answer) == expected
    assert stage.host.subscriptions(USER) == ("1002@localhost",)


def test_a_user_lists_own_subscriptions_of_all_resources() -> None:
    stage = stage_with_node(USER, "1001@localhost", "1002@localhost", "1001@localhost/x")
    stage.host.create_node("/finesse/api/SystemInfo")
    stage.host.subscribe("/finesse/api/SystemInfo", "1001@localhost")
    client = stage.join("1001")
    assert listed(stage, client, "<subscriptions/>") == [
        (USER, "1001@localhost"),
        (USER, "1001@localhost/x"),
        ("/finesse/api/SystemInfo", "1001@localhost"),
    ]
    assert listed(stage, client, f"<subscriptions node='{USER}'/>") == [
        (USER, "1001@localhost"),
        (USER, "1001@localhost/x"),
    ]
    nowhere = stage.pubsub(client, "get", "<subscriptions node='/nowhere'/>")
    assert condition(nowhere) == ("cancel", "item-not-found")


def test_without_subscriptions_the_list_is_empty() -> None:
    wrapper = Stage()
    answer = wrapper.pubsub(wrapper.join("1001"), "get", "<subscriptions/>").child("pubsub")
    assert answer is not None
    assert next(answer.elements()).children == ()


def test_subscriptions_outlive_the_session_until_they_are_ended() -> None:
    stage = stage_with_node()
    client = stage.join("1001")
    subscribe(stage, client, USER, client.jid)
    stage.leave(client)
    again = stage.bind("1001")
    assert stage.publish(USER) == 1
    assert again.only().attrs["to"] == again.jid


def test_subscriptions_of_one_user_are_bounded_and_those_of_dead_sessions_give_way() -> None:
    stage = Stage(HostPolicy(subscriptions_per_user=2))
    for node in ("/finesse/api/User/1001", "/finesse/api/User/1001/Dialogs", "/finesse/api/SystemInfo"):
        stage.host.create_node(node)
    client = stage.join("1001")
    subscribe(stage, client, USER, "1001@localhost/dead")
    subscribe(stage, client, USER, "1001@localhost")
    assert subscribe(stage, client, USER + "/Dialogs", client.jid).attrs["type"] == "result"
    assert stage.host.subscriptions(USER) == ("1001@localhost",)
    refused = subscribe(stage, client, "/finesse/api/SystemInfo", "1001@localhost")
    assert (condition(refused), app_condition(refused)) == (
        ("modify", "policy-violation"),
        "too-many-subscriptions",
    )
    with pytest.raises(NodeRefused):
        stage.host.subscribe("/finesse/api/SystemInfo", "1001@localhost")


def test_subscriptions_of_one_node_are_bounded() -> None:
    stage = Stage(HostPolicy(subscriptions_per_node=1))
    stage.host.create_node(USER)
    client = stage.join("1001")
    subscribe(stage, client, USER, "1001@localhost")
    assert app_condition(subscribe(stage, client, USER, client.jid)) == "too-many-subscriptions"


# Rights


def test_agents_subscribe_to_own_nodes_and_system_info_only() -> None:
    stage = Stage()
    nodes = [USER, "/finesse/api/User/1002", "/finesse/api/Team/1/Users", "/finesse/api/SystemInfo"]
    for node in nodes:
        stage.host.create_node(node)
    client = stage.join("1001")
    answers = [subscribe(stage, client, node, client.jid) for node in nodes]
    assert [answer.attrs["type"] for answer in answers] == ["result", "error", "error", "result"]
    assert (condition(answers[1]), app_condition(answers[1])) == (("cancel", "not-allowed"), "closed-node")
    assert [len(stage.host.subscriptions(node)) for node in nodes] == [1, 0, 0, 1]


def test_a_supervisor_may_do_what_the_rule_says_at_the_moment_of_asking() -> None:
    teams = {"/finesse/api/Team/1/Users"}
    stage = Stage(may_subscribe=lambda user, node: user == "1101" and node in teams)
    stage.host.create_node("/finesse/api/Team/1/Users")
    supervisor, agent = stage.join("1101"), stage.join("1001")
    assert subscribe(stage, supervisor, "/finesse/api/Team/1/Users", supervisor.jid).attrs["type"] == "result"
    assert app_condition(subscribe(stage, agent, "/finesse/api/Team/1/Users", agent.jid)) == "closed-node"
    teams.clear()
    again = f"{supervisor.jid}2"
    assert app_condition(subscribe(stage, supervisor, "/finesse/api/Team/1/Users", again)) == "closed-node"


def test_only_administrators_create_publish_and_delete() -> None:
    stage = stage_with_node()
    agent = stage.join("1001")
    assert condition(stage.pubsub(agent, "set", "<create node='mine'/>")) == ("auth", "forbidden")
    assert condition(stage.pubsub(agent, "set", f"<publish node='{USER}'>{ITEM}</publish>")) == ("auth", "forbidden")
    assert condition(stage.pubsub(agent, "set", f"<delete node='{USER}'/>", owner=True)) == ("auth", "forbidden")
    admin = stage.join("admin")
    assert stage.pubsub(admin, "set", "<create node='mine'/>").attrs["type"] == "result"
    assert stage.pubsub(admin, "set", f"<publish node='{USER}'>{ITEM}</publish>").attrs["type"] == "result"
    assert stage.pubsub(admin, "set", f"<delete node='{USER}'/>", owner=True).attrs["type"] == "result"
    assert stage.host.nodes() == ("mine",)


def test_a_node_of_an_administrator_is_open_by_default_and_closed_when_told_so() -> None:
    stage = Stage()
    admin, agent = stage.join("admin"), stage.join("1001")
    stage.pubsub(admin, "set", "<create node='open'/>")
    stage.pubsub(admin, "set", f"<create node='closed'/>{configure(('access_model', 'whitelist'))}")
    assert subscribe(stage, agent, "open", agent.jid).attrs["type"] == "result"
    assert app_condition(subscribe(stage, agent, "closed", agent.jid)) == "closed-node"
    assert app_condition(stage.pubsub(agent, "get", "<items node='closed'/>")) == "closed-node"
    assert subscribe(stage, admin, "closed", admin.jid).attrs["type"] == "result"


def test_the_publish_model_opens_a_node_to_subscribers_or_to_all() -> None:
    stage = Stage()
    admin, agent = stage.join("admin"), stage.join("1001")
    for model in PublishModel:
        node = model.value
        stage.pubsub(admin, "set", f"<create node='{node}'/>{configure(('publish_model', node))}")
    may_publish = {}
    for subscribed in (False, True):
        for model in PublishModel:
            if subscribed:
                subscribe(stage, agent, model.value, "1001@localhost")
            answer = stage.pubsub(agent, "set", f"<publish node='{model.value}'>{ITEM}</publish>")
            may_publish[model.value, subscribed] = answer.attrs["type"] == "result"
    assert [key for key, value in may_publish.items() if value] == [
        ("open", False),
        ("subscribers", True),
        ("open", True),
    ]


def test_every_affiliation_and_model_has_its_row_and_outcasts_may_nothing_anywhere() -> None:
    assert (set(RIGHTS), set(ADDED_BY_ACCESS)) == (set(Affiliation), set(AccessModel))
    assert set(ADDED_TO_ALL) == set(ADDED_TO_SUBSCRIBERS) == set(PublishModel)
    for capability, access, publish, subscribed in product(Capability, AccessModel, PublishModel, (False, True)):
        assert not may(capability, Affiliation.OUTCAST, access, publish, subscribed)
        assert may(capability, Affiliation.OWNER, access, publish, subscribed)
        assert may(capability, Affiliation.NONE, access, publish, subscribed) <= may(
            capability, Affiliation.MEMBER, access, publish, subscribed
        )


def test_an_outcast_is_forbidden() -> None:
    stage = Stage()
    admin, agent = stage.join("admin"), stage.join("1001")
    stage.pubsub(admin, "set", "<create node='n'/>")
    stage.host._pubsub.nodes["n"].affiliations["1001@localhost"] = Affiliation.OUTCAST
    assert condition(subscribe(stage, agent, "n", agent.jid)) == ("auth", "forbidden")


# Creating and deleting


def test_a_node_is_created_with_what_the_form_says() -> None:
    stage = Stage()
    admin = stage.join("admin")
    form = configure(
        ("title", "Queue 10"),
        ("access_model", "open"),
        ("persist_items", "0"),
        ("send_last_published_item", "never"),
        ("deliver_notifications", "false"),
        ("deliver_payloads", "true"),
        ("max_items", "max"),
        ("max_payload_size", "5000"),
        ("unheard_of", "ignored"),
    )
    assert stage.pubsub(admin, "set", f"<create node='n'/>{form}").attrs["type"] == "result"
    config = stage.host._pubsub.nodes["n"].config
    assert (config.title, config.deliver_notifications, config.max_payload_size) == ("Queue 10", False, 5000)


@pytest.mark.parametrize(
    ("form", "expected", "app"),
    [
        (configure(("access_model", "presence")), ("modify", "not-acceptable"), "unsupported-access-model"),
        (configure(("access_model", "roster")), ("modify", "not-acceptable"), "unsupported-access-model"),
        (configure(("access_model", "nonsense")), ("modify", "not-acceptable"), "unsupported-access-model"),
        (configure(("publish_model", "nonsense")), ("modify", "not-acceptable"), ""),
        (configure(("max_items", "1001")), ("modify", "not-acceptable"), ""),
        (configure(("title", "x" * 1001)), ("modify", "not-acceptable"), ""),
        (configure(("send_last_published_item", "maybe")), ("modify", "not-acceptable"), ""),
        (configure(("node_type", "collection")), ("cancel", "feature-not-implemented"), "unsupported collections"),
        (configure(("deliver_payloads", "yes")), ("modify", "bad-request"), ""),
        (configure(("max_payload_size", "-1")), ("modify", "bad-request"), ""),
        (configure(("max_items", "9" * 5000)), ("modify", "bad-request"), ""),
        (configure(("title", "x"), form_type=""), ("modify", "bad-request"), ""),
        (configure(("title", "x"), form_type="other"), ("modify", "bad-request"), ""),
        (configure(("title", "x"), kind="form"), ("modify", "bad-request"), ""),
        ("<configure node='n'/>", ("modify", "bad-request"), ""),
        ("<configure/><configure node='n'/>", ("modify", "bad-request"), ""),
        ("<surprise/>", ("modify", "bad-request"), ""),
    ],
)
def test_a_form_that_cannot_be_honoured_creates_nothing(form: str, expected: tuple[str, str], app: str) -> None:
    stage = Stage()
    answer = stage.pubsub(stage.join("admin"), "set", f"<create node='n'/>{form}")
    assert (condition(answer), app_condition(answer)) == (expected, app)
    assert stage.host.nodes() == ()


@pytest.mark.parametrize("form", ["<configure/>", configure(("title", "x"), kind="cancel")])
def test_an_empty_or_cancelled_form_leaves_the_defaults(form: str) -> None:
    stage = Stage()
    assert stage.pubsub(stage.join("admin"), "set", f"<create node='n'/>{form}").attrs["type"] == "result"
    assert stage.host._pubsub.nodes["n"].config.title == ""


def test_a_node_exists_once() -> None:
    stage = stage_with_node()
    answer = stage.pubsub(stage.join("admin"), "set", f"<create node='{USER}'/>")
    assert condition(answer) == ("cancel", "conflict")
    stage.host.create_node(USER)
    assert stage.host.nodes() == (USER,)


@pytest.mark.parametrize("node", ["", " node=''"])
def test_a_node_without_a_name_is_not_made(node: str) -> None:
    stage = Stage()
    answer = stage.pubsub(stage.join("admin"), "set", f"<create{node}/>")
    assert (condition(answer), app_condition(answer)) == (("modify", "not-acceptable"), "nodeid-required")


def test_names_and_numbers_of_nodes_are_bounded() -> None:
    stage = Stage(HostPolicy(nodes=2, node_name_bytes=10))
    admin = stage.join("admin")
    assert stage.pubsub(admin, "set", f"<create node='{'é' * 5}'/>").attrs["type"] == "result"
    assert condition(stage.pubsub(admin, "set", f"<create node='{'é' * 6}'/>")) == ("modify", "not-acceptable")
    stage.host.create_node("two")
    answer = stage.pubsub(admin, "set", "<create node='three'/>")
    assert (condition(answer), app_condition(answer)) == (("cancel", "conflict"), "max-nodes-exceeded")
    with pytest.raises(NodeRefused):
        stage.host.create_node("three")
    with pytest.raises(NodeRefused):
        stage.host.create_node("")


@pytest.mark.parametrize("node", ["/a?&<>\"'%20", "x" * 1024, "日本/😀", "'; DROP TABLE nodes", "../..", "%00"])
def test_strange_names_are_names(node: str) -> None:
    stage = Stage(may_subscribe=lambda user, node: True)
    stage.host.create_node(node)
    stage.host.subscribe(node, "1001@localhost")
    client = stage.join("1001")
    stage.publish(node, "id<&'\">")
    message = client.only()
    event = message.child("event")
    assert event is not None
    items = next(event.elements())
    assert (items.attrs["node"], next(items.elements()).attrs["id"]) == (node, "id<&'\">")
    assert message.attrs["id"].startswith(f"{node}__1001@localhost__")


@pytest.mark.parametrize(
    ("kind", "verb", "owner"),
    [
        ("set", "<subscribe{} jid='1001@localhost'/>", False),
        ("set", "<unsubscribe{} jid='1001@localhost'/>", False),
        ("set", "<publish{}><item/></publish>", False),
        ("get", "<items{}/>", False),
        ("set", "<delete{}/>", True),
    ],
)
def test_a_verb_without_a_node_or_with_one_that_is_not_there_is_told_so(kind: str, verb: str, owner: bool) -> None:
    stage = Stage()
    client = stage.join("1001")
    for node in ("", " node=''"):
        answer = stage.pubsub(client, kind, verb.format(node), owner)
        assert (condition(answer), app_condition(answer)) == (("modify", "bad-request"), "nodeid-required")
    answer = stage.pubsub(client, kind, verb.format(" node='/nowhere'"), owner)
    assert condition(answer) == ("cancel", "item-not-found")


@pytest.mark.parametrize(
    ("kind", "verb", "owner"),
    [
        ("set", "", False),
        ("set", "text", False),
        ("set", "<dance/>", False),
        ("get", "<create node='n'/>", False),
        ("set", "<subscriptions/>", False),
        ("set", "<delete node='n'/>", False),
        ("set", "<create node='n'/>", True),
        ("set", f"<subscribe xmlns='{PUBSUB_NS}' node='n' jid='1001@localhost'/>", True),
        ("set", "<create node='n'/><create node='m'/>", False),
        ("set", "<configure/><create node='n'/>", False),
    ],
)
def test_what_is_no_request_of_pubsub_is_a_bad_request(kind: str, verb: str, owner: bool) -> None:
    stage = Stage()
    answer = stage.pubsub(stage.join("admin"), kind, verb, owner)
    assert condition(answer) == ("modify", "bad-request")
    assert stage.host.nodes() == ()


def test_subscribers_are_told_of_the_end_of_a_node_and_a_new_one_starts_empty() -> None:
    stage = stage_with_node(USER, "1001@localhost")
    client = stage.join("1001")
    stage.host.delete_node(USER)
    stage.host.delete_node(USER)
    stage.deliver()
    event = client.only().child("event", EVENT_NS)
    assert event is not None
    assert event.children == (Element("delete", EVENT_NS, {"node": USER}),)
    assert listed(stage, client, "<subscriptions/>") == []
    stage.host.create_node(USER)
    assert stage.host.subscriptions(USER) == ()
    subscribe(stage, client, USER, client.jid)
    assert stage.publish(USER) == 1


def test_a_node_can_be_told_to_die_in_silence() -> None:
    stage = Stage()
    admin, agent = stage.join("admin"), stage.join("1001")
    stage.pubsub(admin, "set", f"<create node='n'/>{configure(('notify_delete', '0'))}")
    subscribe(stage, agent, "n", agent.jid)
    stage.pubsub(admin, "set", "<delete node='n'/>", owner=True)
    assert agent.take() == []


def test_the_product_hears_at_once_of_a_node_it_forgot_to_create() -> None:
    stage = Stage()
    with pytest.raises(UnknownNode):
        stage.publish("/nowhere")
    with pytest.raises(UnknownNode):
        stage.host.subscribe("/nowhere", "1001@localhost")
    with pytest.raises(UnknownNode):
        stage.host.subscriptions("/nowhere")


# Publishing over XMPP


@pytest.mark.parametrize(
    ("inside", "app"),
    [
        ("", "item-required"),
        ("<item/>", "payload-required"),
        ("<item id='1'>text</item>", "payload-required"),
        ("<item><a xmlns='b'/><a xmlns='b'/></item>", "invalid-payload"),
        ("<item><a xmlns='b'/></item><item><a xmlns='b'/></item>", "invalid-payload"),
        ("<thing/>", "invalid-payload"),
    ],
)
def test_a_publication_holds_one_item_with_one_payload(inside: str, app: str) -> None:
    stage = stage_with_node(USER, "1001@localhost")
    client, admin = stage.join("1001"), stage.join("admin")
    answer = stage.pubsub(admin, "set", f"<publish node='{USER}'>{inside}</publish>")
    assert (condition(answer), app_condition(answer)) == (("modify", "bad-request"), app)
    assert client.take() == []


def test_a_node_without_payloads_takes_no_item_and_tells_that_something_happened() -> None:
    stage = Stage()
    admin, agent = stage.join("admin"), stage.join("1001")
    stage.pubsub(admin, "set", f"<create node='n'/>{configure(('deliver_payloads', '0'))}")
    subscribe(stage, agent, "n", agent.jid)
    refused = stage.pubsub(admin, "set", f"<publish node='n'>{ITEM}</publish>")
    assert app_condition(refused) == "item-forbidden"
    assert stage.pubsub(admin, "set", "<publish node='n'/>").attrs["type"] == "result"
    event = agent.only().child("event", EVENT_NS)
    assert event is not None
    assert event.children == (Element("items", EVENT_NS, {"node": "n"}),)
    stage.publish("n", "by-product")
    event = agent.only().child("event", EVENT_NS)
    assert event is not None
    assert next(event.elements()).children == (Element("item", EVENT_NS, {"id": "by-product"}),)


def test_a_node_that_delivers_nothing_takes_items_in_silence() -> None:
    stage = Stage()
    admin, agent = stage.join("admin"), stage.join("1001")
    stage.pubsub(admin, "set", f"<create node='n'/>{configure(('deliver_notifications', '0'))}")
    subscribe(stage, agent, "n", agent.jid)
    assert stage.pubsub(admin, "set", f"<publish node='n'>{ITEM}</publish>").attrs["type"] == "result"
    assert agent.take() == []


def test_payloads_and_item_ids_are_bounded_by_the_service_and_the_node() -> None:
    stage = Stage(HostPolicy(payload_bytes=100, item_id_bytes=10))
    admin = stage.join("admin")
    stage.pubsub(admin, "set", "<create node='n'/>")
    stage.pubsub(admin, "set", f"<create node='small'/>{configure(('max_payload_size', '50'))}")

    def put(node: str, size: int, item_id: str = "1") -> Element:
        payload = f"<a xmlns='b'>{'x' * size}</a>"
        return stage.pubsub(admin, "set", f"<publish node='{node}'><item id='{item_id}'>{payload}</item></publish>")

    assert put("n", 60).attrs["type"] == "result"
    assert app_condition(put("n", 99)) == app_condition(put("small", 60)) == "payload-too-big"
    assert condition(put("n", 1, "é" * 6)) == ("modify", "not-acceptable")
    with pytest.raises(ValueError, match="the limit is 100"):
        stage.publish("n", "1", "x" * 200)


def test_items_are_not_kept_and_nobody_is_told_they_were() -> None:
    stage = stage_with_node()
    answer = stage.pubsub(stage.join("1001"), "get", f"<items node='{USER}' max_items='1'/>")
    assert condition(answer) == ("cancel", "feature-not-implemented")
    assert app_condition(answer) == "unsupported persistent-items"


def test_a_thousand_items_arrive_in_order_at_every_subscriber() -> None:
    stage = stage_with_node("/finesse/api/SystemInfo", "1001@localhost", "1002@localhost")
    clients = [stage.join("1001"), stage.join("1002")]
    for number in range(1000):
        stage.host.publish("/finesse/api/SystemInfo", str(number), b"<a/>", stage.now)
    stage.deliver()
    assert [client.items() for client in clients] == [[str(number) for number in range(1000)]] * 2
