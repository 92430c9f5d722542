"""Discovery of the pubsub service and its nodes (XEP-0060 section 5)."""

from __future__ import annotations

import pytest

from tests.conformance.people import Element, condition, ok
from tests.conformance.pubsub.story import INFO, ITEMS, OWNER, PS, RSM, Scene, form, refusal, told, values
from tests.conformance.targets import DOMAIN, PUBSUB


def listed(found: Element) -> list[str]:
    return [item.attrs["node"] for item in found.elements() if item.name == "item"]


def features(found: Element) -> set[str]:
    return {feature.attrs["var"] for feature in found.elements() if feature.name == "feature"}


def test_PS01_the_domain_names_the_pubsub_service(scene: Scene) -> None:
    found = scene.discover(scene.admin, ITEMS, to=DOMAIN)
    assert PUBSUB in [item.attrs["jid"] for item in found.elements()]


NODE = "<create node='@'/><configure>" + form("node_config", ("persist_items", "1")) + "</configure>"
ITEM = "<item id='i'><entry xmlns='custom'/></item>"
TRIALS: dict[str, tuple[str, bool, str]] = {
    "create-nodes": ("set", False, "<create node='@m'/>"),
    "create-and-configure": ("set", False, NODE.replace("'@'", "'@c'")),
    "publish": ("set", False, f"<publish node='@'>{ITEM.replace(' id=', ' no=')}</publish>"),
    "item-ids": ("set", False, f"<publish node='@'>{ITEM}</publish>"),
    "publish-options": (
        "set",
        False,
        f"<publish node='@'>{ITEM}</publish><publish-options>"
        + form("publish-options", ("persist_items", "1"))
        + "</publish-options>",
    ),
    "persistent-items": ("get", False, "<items node='@'/>"),
    "multi-items": ("get", False, "<items node='@' max_items='2'/>"),
    "retrieve-items": ("get", False, "<items node='@'><item id='i'/></items>"),
    "rsm": ("get", False, f"<items node='@'/><set xmlns='{RSM}'><max>1</max></set>"),
    "retract-items": ("set", False, "<retract node='@'><item id='i'/></retract>"),
    "delete-items": ("set", False, "<retract node='@' notify='1'><item id='j'/></retract>"),
    "subscribe": ("set", False, "<subscribe node='@' jid='finesse@localhost'/>"),
    "subscription-notifications": (
        "set",
        True,
        "<subscriptions node='@'><subscription jid='1001@localhost' subscription='subscribed'/></subscriptions>",
    ),
    "retrieve-subscriptions": ("get", False, "<subscriptions/>"),
    "retrieve-affiliations": ("get", False, "<affiliations/>"),
    "subscription-options": ("get", False, "<options node='@' jid='finesse@localhost'/>"),
    "retrieve-default-sub": ("get", False, "<default/>"),
    "config-node": ("get", True, "<configure node='@'/>"),
    "config-node-max": ("set", True, f"<configure node='@'>{form('node_config', ('max_items', 'max'))}</configure>"),
    "publish-node-full": (
        "set",
        True,
        f"<configure node='@'>{form('node_config', ('publish_node_full', 'reject'))}</configure>",
    ),
    "presence-notifications": (
        "set",
        True,
        f"<configure node='@'>{form('node_config', ('presence_based_delivery', '1'))}</configure>",
    ),
    "retrieve-default": ("get", True, "<default/>"),
    "modify-affiliations": ("get", True, "<affiliations node='@'/>"),
    "manage-subscriptions": ("get", True, "<subscriptions node='@'/>"),
    **{
        f"{name}-affiliation": (
            "set",
            True,
            f"<affiliations node='@'><affiliation jid='1001@localhost' affiliation='{name}'/></affiliations>",
        )
        for name in ("member", "publisher", "publish-only", "outcast")
    },
    **{
        f"access-{name}": (
            "set",
            True,
            f"<configure node='@'>{form('node_config', ('access_model', name))}</configure>",
        )
        for name in ("open", "whitelist", "authorize")
    },
    "purge-nodes": ("set", True, "<purge node='@'/>"),
    "delete-nodes": ("set", True, "<delete node='@'/>"),
}
"""Feature -> a request that only a service which has it grants."""
WITHOUT_TRIAL = {"meta-data"}
"""Shown by PS05."""


def trial(scene: Scene, feature: str) -> Element:
    kind, owner, wanted = TRIALS[feature]
    ask = f"<pubsub xmlns='{OWNER if owner else PS}'>{wanted.replace('@', scene.n, 1)}</pubsub>"
    return scene.admin.ask(kind, ask.replace("'@", f"'{scene.n}"), PUBSUB)


def test_PS02_the_service_says_what_it_is(scene: Scene) -> None:
    found = scene.discover(scene.admin, INFO)
    identities = {(i.attrs["category"], i.attrs["type"]) for i in found.elements() if i.name == "identity"}
    assert ("pubsub", "service") in identities
    assert {PS, INFO, ITEMS} <= features(found)


def announced(scene: Scene) -> set[str]:
    """The features of pubsub that the service announces."""
    found = features(scene.discover(scene.admin, INFO))
    return {name.removeprefix(f"{PS}#") for name in found if name.startswith(f"{PS}#")}


def test_PS02_each_feature_announced_is_granted(scene: Scene) -> None:
    named = announced(scene)
    assert ok(scene.set(scene.admin, NODE.replace("@", scene.n)))
    scene.put(scene.admin, "j")
    assert [feature for feature in TRIALS if feature in named and not ok(trial(scene, feature))] == []


def test_PS02_all_features_announced_are_tried_here(scene: Scene) -> None:
    assert announced(scene) - WITHOUT_TRIAL == set(TRIALS)


def test_PS02_what_is_not_announced_is_not_done(scene: Scene) -> None:
    named = announced(scene)
    scene.persistent("j")
    if "instant-nodes" not in named:
        assert not ok(scene.set(scene.admin, "<create/>"))
    if "auto-create" not in named:
        assert refusal(scene.put(scene.admin, "i", node=f"{scene.n}-unheard-of"))[0] == "item-not-found"
    if "last-published" not in named:
        assert told(scene.subscribed("1001")) == []
    for model in ("presence", "roster"):
        if f"access-{model}" not in named:
            assert not ok(scene.configure(("access_model", model)))


def test_PS03_every_user_lists_every_node_by_name_and_title(scene: Scene) -> None:
    scene.create(("title", "A & B"))
    scene.create(("access_model", "whitelist"), node=f"{scene.n}/closed?&amp;x")
    found = {item.attrs["node"]: item.attrs for item in scene.discover(scene.join("1001"), ITEMS).elements()}
    assert found[scene.n] == {"jid": PUBSUB, "node": scene.n, "name": "A & B"}
    assert found[f"{scene.n}/closed?&x"]["jid"] == PUBSUB


def paged(scene: Scene, asked: str) -> tuple[list[str], dict[str, str]]:
    """Nodes of a page, and what its `<set/>` says."""
    found = scene.discover(scene.admin, ITEMS, beside=f"<set xmlns='{RSM}'>{asked}</set>")
    paging: dict[str, str] = {}
    for part in found.the("set", RSM).elements():
        paging[part.name] = part.text
        paging |= {key: value for key, value in part.attrs.items() if key == "index"}
    return listed(found), paging


def test_PS04_the_list_of_nodes_comes_in_pages(scene: Scene) -> None:
    for number in range(5):
        scene.create(node=f"{scene.n}-{number}")
    every, whole = paged(scene, "<max>999</max>")
    count = len(every)
    assert int(whole["count"]) == count >= 5
    page, paging = paged(scene, "<max>1</max>")
    assert page == every[:1]
    assert (paging["first"], paging["last"], paging["index"]) == (every[0], every[0], "0")
    assert paged(scene, f"<max>2</max><after>{every[1]}</after>")[0] == every[2:4]
    assert paged(scene, "<max>2</max><before/>")[0] == every[-2:]
    assert paged(scene, f"<max>2</max><before>{every[3]}</before>")[0] == every[1:3]
    assert paged(scene, "<max>3</max><index>1</index>")[0] == every[1:4]
    assert paged(scene, "<max>0</max>") == ([], {"count": str(count)})


@pytest.mark.parametrize("asked", ["<after>gone</after>", "<before>gone</before>", "<index>99999</index>"])
def test_PS04_SEC24_a_page_that_cannot_be_is_not_found(scene: Scene, asked: str) -> None:
    scene.create()
    for odd in (asked, asked.replace("gone", "' OR 1=1 --")):
        paging = f"<set xmlns='{RSM}'><max>2</max>{odd}</set>"
        answer = scene.admin.ask("get", f"<query xmlns='{ITEMS}'>{paging}</query>", PUBSUB)
        assert condition(answer) == ("cancel", "item-not-found")


def test_PS05_a_node_tells_its_particulars(scene: Scene) -> None:
    scene.create(("title", "News"), ("type", "custom"), ("description", "What is new"))
    scene.subscribe(scene.admin)
    found = scene.discover(scene.join("1001"), INFO, scene.n)
    identities = [(i.attrs["category"], i.attrs["type"]) for i in found.elements() if i.name == "identity"]
    assert identities == [("pubsub", "leaf")]
    assert PS in features(found)
    told_of = values(found)
    assert told_of["FORM_TYPE"] == [f"{PS}#meta-data"]
    assert (told_of["title"], told_of["type"], told_of["num_subscribers"]) == (["News"], ["custom"], ["1"])


def test_PS05_a_node_tells_who_created_it_and_when(scene: Scene) -> None:
    scene.create()
    told_of = values(scene.discover(scene.join("1001"), INFO, scene.n))
    assert told_of["FORM_TYPE"] == [f"{PS}#meta-data"]
    assert "creator" in told_of, told_of
    assert told_of["creator"] == [scene.owner]
    assert told_of["creation_date"][0].endswith("Z")


def test_PS06_a_node_that_is_not_there_is_not_found(scene: Scene) -> None:
    for ns in (INFO, ITEMS):
        answer = scene.admin.ask("get", f"<query xmlns='{ns}' node='/nowhere'/>", PUBSUB)
        assert condition(answer) == ("cancel", "item-not-found")


def test_PS07_the_items_of_a_node_are_named_without_a_node(scene: Scene) -> None:
    scene.persistent("a", "b", "c")
    found = scene.discover(scene.join("1001"), ITEMS, scene.n)
    named = sorted((dict(item.attrs) for item in found.elements()), key=lambda attrs: attrs.get("name", ""))
    assert named == [{"jid": PUBSUB, "name": name} for name in "abc"]


def test_PS08_the_items_of_a_closed_node_are_not_named_to_an_outsider(scene: Scene) -> None:
    scene.persistent("secret", config=(("access_model", "whitelist"),))
    answer = scene.join("1001").ask("get", f"<query xmlns='{ITEMS}' node='{scene.n}'/>", PUBSUB)
    assert answer.attrs["type"] == "error" or list(answer.the("query").elements()) == []
    assert len(list(scene.discover(scene.admin, ITEMS, scene.n).elements())) == 1
