"""Discovery of the pubsub service and its nodes (XEP-0060 section 5; PS01-PS08)."""

from __future__ import annotations

from poise.protocols.xmpp.pubsub.verbs import FEATURES, NOT_IMPLEMENTED, VERBS
from poise.protocols.xmpp.xml import Element
from tests.unit.protocols.xmpp.host_story import PUBSUB, Recorder, Stage, condition
from tests.unit.protocols.xmpp.pubsub.story import OWNER, PS, Scene, form, ok, refusal, told, values

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
RSM = "http://jabber.org/protocol/rsm"


def discover(stage: Stage, client: Recorder, ns: str, node: str = "", inside: str = "", to: str = PUBSUB) -> Element:
    at = f" node='{node}'" if node else ""
    answer = stage.ask(client, "get", f"<query xmlns='{ns}'{at}>{inside}</query>", to)
    child = answer.child("query", ns)
    assert child is not None, condition(answer)
    return child


def test_PS01_the_domain_names_the_pubsub_service() -> None:
    scene = Scene()
    found = discover(scene, scene.admin, ITEMS, to="localhost")
    assert PUBSUB in [item.attrs["jid"] for item in found.elements()]


NODE = "<create node='n'/><configure>" + form("node_config", ("persist_items", "1")) + "</configure>"
ITEM = "<item id='i'><entry xmlns='custom'/></item>"
TRIALS: dict[str, tuple[str, bool, str]] = {
    "create-nodes": ("set", False, "<create node='m'/>"),
    "create-and-configure": ("set", False, NODE.replace("'n'", "'c'")),
    "publish": ("set", False, f"<publish node='n'>{ITEM.replace(' id=', ' no=')}</publish>"),
    "item-ids": ("set", False, f"<publish node='n'>{ITEM}</publish>"),
    "publish-options": (
        "set",
        False,
        f"<publish node='n'>{ITEM}</publish><publish-options>"
        + form("publish-options", ("persist_items", "1"))
        + "</publish-options>",
    ),
    "persistent-items": ("get", False, "<items node='n'/>"),
    "multi-items": ("get", False, "<items node='n' max_items='2'/>"),
    "retrieve-items": ("get", False, "<items node='n'><item id='i'/></items>"),
    "rsm": ("get", False, f"<items node='n'/><set xmlns='{RSM}'><max>1</max></set>"),
    "retract-items": ("set", False, "<retract node='n'><item id='i'/></retract>"),
    "delete-items": ("set", False, "<retract node='n' notify='1'><item id='j'/></retract>"),
    "subscribe": ("set", False, "<subscribe node='n' jid='admin@localhost'/>"),
    "subscription-notifications": (
        "set",
        True,
        "<subscriptions node='n'><subscription jid='1001@localhost' subscription='subscribed'/></subscriptions>",
    ),
    "retrieve-subscriptions": ("get", False, "<subscriptions/>"),
    "retrieve-affiliations": ("get", False, "<affiliations/>"),
    "subscription-options": ("get", False, "<options node='n' jid='admin@localhost'/>"),
    "retrieve-default-sub": ("get", False, "<default/>"),
    "config-node": ("get", True, "<configure node='n'/>"),
    "config-node-max": (
        "set",
        True,
        "<configure node='n'>" + form("node_config", ("max_items", "max")) + "</configure>",
    ),
    "publish-node-full": (
        "set",
        True,
        "<configure node='n'>" + form("node_config", ("publish_node_full", "reject")) + "</configure>",
    ),
    "presence-notifications": (
        "set",
        True,
        "<configure node='n'>" + form("node_config", ("presence_based_delivery", "1")) + "</configure>",
    ),
    "retrieve-default": ("get", True, "<default/>"),
    "modify-affiliations": ("get", True, "<affiliations node='n'/>"),
    "manage-subscriptions": ("get", True, "<subscriptions node='n'/>"),
    **{
        f"{name}-affiliation": (
            "set",
            True,
            f"<affiliations node='n'><affiliation jid='1001@localhost' affiliation='{name}'/></affiliations>",
        )
        for name in ("member", "publisher", "publish-only", "outcast")
    },
    **{
        f"access-{name}": (
            "set",
            True,
            "<configure node='n'>" + form("node_config", ("access_model", name)) + "</configure>",
        )
        for name in ("open", "whitelist", "authorize")
    },
    "purge-nodes": ("set", True, "<purge node='n'/>"),
    "delete-nodes": ("set", True, "<delete node='n'/>"),
}
"""Feature -> a request that only a service which has it grants."""


def test_PS02_each_feature_announced_is_granted() -> None:
    scene = Scene()
    found = discover(scene, scene.admin, INFO)
    announced = {item.attrs["var"] for item in found.elements() if item.name == "feature"}
    features = {name.removeprefix(f"{PS}#") for name in announced if name.startswith(f"{PS}#")}
    assert {PS, INFO, ITEMS, RSM, "urn:xmpp:ping"} <= announced
    assert features - {"meta-data"} == set(TRIALS)
    assert ok(scene.set(scene.admin, NODE))
    scene.put(scene.admin, "n", "j")
    for feature, (kind, owner, verb) in TRIALS.items():
        assert ok(scene.pubsub(scene.admin, kind, verb, owner)), feature


def test_PS02_each_verb_that_is_granted_belongs_to_a_feature_announced() -> None:
    assert len(FEATURES) == len(set(FEATURES))
    related = {  # a verb that is the other half of one with a feature
        ("set", PS, "unsubscribe"): "subscribe",
        ("set", PS, "options"): "subscription-options",
        ("set", PS, "purge"): "purge-nodes",
        ("get", OWNER, "affiliations"): "modify-affiliations",
        ("set", OWNER, "subscriptions"): "manage-subscriptions",
    }
    for key, verb in VERBS.items():
        features = verb.features or (related[key],)
        assert set(features) <= set(FEATURES)
    assert not set(NOT_IMPLEMENTED.values()) & set(FEATURES)
    assert not {key[1:] for key in VERBS} & set(NOT_IMPLEMENTED)


def test_PS02_what_is_not_announced_is_not_done() -> None:
    scene = Scene()
    scene.create("n", ("persist_items", "1"))
    scene.put(scene.admin, "n", "j")
    assert refusal(scene.set(scene.admin, "<create/>"))[1] == "nodeid-required"  # instant-nodes
    assert refusal(scene.put(scene.admin, "unheard-of", "i"))[0] == "item-not-found"  # auto-create
    client = scene.join("1001")
    scene.subscribe(client, "n")
    assert told(client) == []  # last-published: by default
    for _ in range(2):
        scene.subscribe(client, "n")  # multi-subscribe
    scene.put(scene.admin, "n", "i")
    assert len(told(client)) == 1
    leased = form("subscribe_options", ("expire", "2030-01-01T00:00:00Z"))
    answer = scene.set(client, f"<options node='n' jid='{client.jid}'>{leased}</options>")
    assert refusal(answer)[0] == "not-acceptable"  # leased-subscription
    for model in ("presence", "roster"):
        assert refusal(scene.configure("n", ("access_model", model))) == ("not-acceptable", "unsupported-access-model")
    answer = scene.own(scene.admin, "<redirect uri='xmpp:elsewhere'/>")
    assert refusal(answer)[0] == "feature-not-implemented"


def test_PS03_every_user_lists_every_node_by_name_and_title() -> None:
    scene = Scene()
    scene.create("open", ("title", "A & B"))
    scene.create("closed", ("access_model", "whitelist"))
    scene.host.create_node("/finesse/api/User/1002")
    found = discover(scene, scene.join("1001"), ITEMS)
    assert [dict(item.attrs) for item in found.elements()] == [
        {"jid": PUBSUB, "node": "open", "name": "A & B"},
        {"jid": PUBSUB, "node": "closed"},
        {"jid": PUBSUB, "node": "/finesse/api/User/1002"},
    ]


def test_PS04_a_page_of_one_says_where_it_stands_and_how_many_there_are() -> None:
    scene = Scene()
    for number in range(3):
        scene.create(f"n{number}")
    found = discover(scene, scene.admin, ITEMS, inside=f"<set xmlns='{RSM}'><max>1</max><after>n0</after></set>")
    assert [item.attrs["node"] for item in found.elements() if item.name == "item"] == ["n1"]
    paging = found.child("set", RSM)
    assert paging is not None
    assert {part.name: part.text for part in paging.elements()} == {"first": "n1", "last": "n1", "count": "3"}


def test_PS05_a_node_tells_its_particulars() -> None:
    scene = Scene()
    scene.create("n", ("title", "News"), ("type", "custom"), ("description", "What is new"))
    scene.subscribe(scene.admin, "n")
    found = discover(scene, scene.join("1001"), INFO, "n")
    identities = [(i.attrs["category"], i.attrs["type"]) for i in found.elements() if i.name == "identity"]
    assert identities == [("pubsub", "leaf")]
    assert values(found) == {
        "FORM_TYPE": [f"{PS}#meta-data"],
        "type": ["custom"],
        "title": ["News"],
        "access_model": ["open"],
        "publish_model": ["publishers"],
        "num_subscribers": ["1"],
        "description": ["What is new"],
        "creation_date": ["2023-11-14T22:13:20Z"],
        "creator": ["admin@localhost"],
    }


def test_PS06_a_node_that_is_not_there_is_not_found() -> None:
    scene = Scene()
    for ns in (INFO, ITEMS):
        answer = scene.ask(scene.admin, "get", f"<query xmlns='{ns}' node='/nowhere'/>", PUBSUB)
        assert condition(answer) == ("cancel", "item-not-found")


def test_PS07_the_items_of_a_node_are_named_without_a_node() -> None:
    scene = Scene()
    scene.create("n", ("persist_items", "1"))
    for item in ("a", "b", "c"):
        scene.put(scene.admin, "n", item)
    found = discover(scene, scene.join("1001"), ITEMS, "n")
    assert found.attrs["node"] == "n"
    assert [dict(item.attrs) for item in found.elements()] == [{"jid": PUBSUB, "name": name} for name in "abc"]
    page = f"<set xmlns='{RSM}'><max>1</max><before/></set>"
    found = discover(scene, scene.admin, ITEMS, "n", page)
    assert [item.attrs["name"] for item in found.elements() if item.name == "item"] == ["c"]


def test_PS08_the_items_of_a_closed_node_are_not_named_to_an_outsider() -> None:
    scene = Scene()
    scene.create("n", ("persist_items", "1"), ("access_model", "whitelist"))
    scene.put(scene.admin, "n", "secret")
    assert list(discover(scene, scene.join("1001"), ITEMS, "n").elements()) == []
    assert len(list(discover(scene, scene.admin, ITEMS, "n").elements())) == 1
