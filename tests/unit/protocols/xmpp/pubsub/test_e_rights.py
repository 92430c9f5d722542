"""Who is what to a node, and the rule of the product (XEP-0060 sections 4.1, 8.9; PS110-PS119, SEC24, SEC25)."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.host import HostPolicy
from tests.unit.protocols.xmpp.host_story import PUBSUB, condition
from tests.unit.protocols.xmpp.pubsub.story import (
    OWNER,
    USER,
    Scene,
    entries,
    kept,
    names,
    ok,
    refusal,
    told,
)

TEAM = "/finesse/api/Team/1/Users"


def affiliations(scene: Scene, node: str) -> dict[str, str]:
    answer = scene.own(scene.admin, f"<affiliations node='{node}'/>", "get")
    return {entry["jid"].partition("@")[0]: entry["affiliation"] for entry in entries(answer, OWNER)}


def test_PS110_owners_list_who_is_what_and_nobody_is_none() -> None:
    scene = Scene()
    scene.create("n")
    for user, affiliation in (("1001", "publisher"), ("1002", "publish-only"), ("1003", "member"), ("1101", "outcast")):
        assert ok(scene.affiliate("n", user, affiliation))
    scene.affiliate("n", "1003", "none")
    scene.affiliate("n", "1003", "none")
    assert affiliations(scene, "n") == {
        "admin": "owner",
        "1001": "publisher",
        "1002": "publish-only",
        "1101": "outcast",
    }
    assert condition(scene.own(scene.join("1001"), "<affiliations node='n'/>", "get")) == ("auth", "forbidden")
    assert condition(scene.own(scene.join("1002"), "<affiliations node='n'/>", "get")) == ("auth", "forbidden")


def test_PS110_who_may_only_publish_neither_hears_nor_reads() -> None:
    scene = Scene()
    scene.create("n", ("persist_items", "1"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.affiliate("n", "1001", "publish-only")
    assert [element.attrs["subscription"] for element in told(client)] == ["none"]
    assert ok(scene.put(client, "n", "mine"))
    scene.put(scene.admin, "n", "anothers")
    assert condition(scene.subscribe(client, "n")) == ("auth", "forbidden")
    assert condition(scene.get(client, "<items node='n'/>")) == ("auth", "forbidden")
    assert condition(scene.set(client, "<retract node='n'><item id='anothers'/></retract>")) == ("auth", "forbidden")
    assert ok(scene.set(client, "<retract node='n'><item id='mine'/></retract>"))
    assert kept(scene, "n") == ["anothers"]


def test_PS111_a_change_counts_at_once() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "whitelist"))
    client = scene.join("1101")
    assert not ok(scene.subscribe(client, "n"))
    scene.affiliate("n", "1101", "member")
    assert ok(scene.subscribe(client, "n"))
    assert condition(scene.affiliate("n", "1101", "boss")) == ("modify", "bad-request")
    assert condition(scene.affiliate("n", "1101", "")) == ("modify", "bad-request")


def test_PS112_the_last_owner_stays() -> None:
    scene = Scene()
    scene.create("n")
    answer = scene.affiliate("n", "admin", "member")
    assert condition(answer) == ("modify", "not-acceptable")
    wrapper = answer.child("pubsub", OWNER)
    assert wrapper is not None
    assert [dict(entry.attrs) for entry in next(wrapper.elements()).elements()] == [
        {"jid": "admin@localhost", "affiliation": "owner"}
    ]
    scene.affiliate("n", "1101", "owner")
    assert ok(scene.affiliate("n", "admin", "none"))
    assert affiliations(scene, "n") == {"1101": "owner"}


def test_PS113_entries_that_cannot_be_are_given_back_and_the_others_count() -> None:
    scene = Scene()
    scene.create("n")
    wanted = "".join(
        f"<affiliation jid='{jid}' affiliation='{affiliation}'/>"
        for jid, affiliation in (
            ("admin@localhost", "none"),
            ("1001@localhost", "publisher"),
            ("9999@localhost", "member"),
            ("x@elsewhere.example", "member"),
            ("@", "member"),
        )
    )
    answer = scene.own(scene.admin, f"<affiliations node='n'>{wanted}</affiliations>")
    assert condition(answer) == ("modify", "not-acceptable")
    wrapper = answer.child("pubsub", OWNER)
    assert wrapper is not None
    assert [tuple(entry.attrs.values()) for entry in next(wrapper.elements()).elements()] == [
        ("admin@localhost", "owner"),
        ("9999@localhost", "none"),
        ("x@elsewhere.example", "none"),
        ("@", "none"),
    ]
    assert affiliations(scene, "n") == {"admin": "owner", "1001": "publisher"}


def test_PS113_two_entries_for_one_user_are_a_contradiction() -> None:
    scene = Scene()
    scene.create("n")
    wanted = "".join(
        f"<affiliation jid='{jid}' affiliation='member'/>" for jid in ("1001@localhost", "1001@LOCALHOST/x")
    )
    answer = scene.own(scene.admin, f"<affiliations node='n'>{wanted}</affiliations>")
    assert condition(answer) == ("modify", "bad-request")
    assert condition(scene.own(scene.admin, "<affiliations node='n'/>")) == ("modify", "bad-request")
    assert affiliations(scene, "n") == {"admin": "owner"}


def test_PS114_an_outcast_loses_the_subscription_and_hears_no_more() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    for jid in (client.jid, "1001@localhost"):
        scene.subscribe(client, "n", jid)
    scene.affiliate("n", "1001", "outcast")
    assert [element.attrs["subscription"] for element in told(client)] == ["none", "none"]
    scene.put(scene.admin, "n", "i")
    assert (names(client), scene.host.subscriptions("n")) == ([], ())
    assert condition(scene.subscribe(client, "n")) == ("auth", "forbidden")


def test_PS115_PS119_an_affiliation_is_a_users_however_the_jid_is_written() -> None:
    scene = Scene()
    scene.create("n", ("access_model", "whitelist"))
    entry = "<affiliation jid='1101@LocalHost/desktop' affiliation='member'/>"
    assert ok(scene.own(scene.admin, f"<affiliations node='n'>{entry}</affiliations>"))
    client = scene.join("1101", "elsewhere")
    assert ok(scene.subscribe(client, "n", "1101@LOCALHOST"))
    assert scene.host.subscriptions("n") == ("1101@localhost",)


def test_PS116_rights_follow_the_rule_and_are_looked_at_anew_when_teams_change() -> None:
    teams = {"1101": {"1001"}}

    def rule(user: str, node: str) -> bool:
        team = teams.get(user, set()) | {user}
        return (node == TEAM and user in teams) or any(node == f"/finesse/api/User/{member}" for member in team)

    scene = Scene(may_subscribe=rule)
    for node in (USER, "/finesse/api/User/1002", TEAM):
        scene.host.create_node(node)
    agent, supervisor = scene.join("1001"), scene.join("1101")
    assert ok(scene.subscribe(agent, USER))
    assert refusal(scene.subscribe(agent, "/finesse/api/User/1002")) == ("not-allowed", "closed-node")
    assert refusal(scene.subscribe(agent, TEAM)) == ("not-allowed", "closed-node")
    for node in (USER, TEAM):
        assert ok(scene.subscribe(supervisor, node))
    teams["1101"] = {"1002"}
    scene.host.review_subscriptions("1101", scene.now)
    scene.deliver()
    assert [(element.attrs["node"], element.attrs["subscription"]) for element in told(supervisor)] == [(USER, "none")]
    assert (scene.publish(USER), scene.publish(TEAM)) == (1, 1)
    assert (names(agent), names(supervisor)) == (["item i1"], ["item i1"])
    del teams["1101"]
    scene.host.review_subscriptions("1101", scene.now)
    assert scene.publish(TEAM) == 0
    scene.host.review_subscriptions("nobody", scene.now)
    assert scene.host.subscriptions(USER) == (agent.jid,)


def test_PS116_a_user_who_is_no_administrator_any_more_leaves_closed_nodes() -> None:
    scene = Scene()
    administrators = scene.administrators
    scene.host.create_node(USER)
    assert ok(scene.subscribe(scene.admin, USER))
    administrators.clear()
    scene.host.review_subscriptions("admin", scene.now)
    assert scene.host.subscriptions(USER) == ()


def test_PS116_nobody_gets_past_the_rule_by_an_affiliation() -> None:
    scene = Scene()
    scene.host.create_node(USER)
    for affiliation in ("member", "publisher", "owner", "publish-only"):
        assert condition(scene.affiliate(USER, "1002", affiliation)) == ("modify", "not-acceptable")
    assert ok(scene.affiliate(USER, "1001", "outcast"))
    assert condition(scene.subscribe(scene.join("1001"), USER)) == ("auth", "forbidden")
    assert ok(scene.affiliate(USER, "1001", "none"))
    assert ok(scene.subscribe(scene.join("1001"), USER))


def test_PS116_the_rule_opens_nodes_of_the_product_alone() -> None:
    scene = Scene(may_subscribe=lambda user, node: True)
    scene.create("private", ("access_model", "whitelist"))
    assert refusal(scene.subscribe(scene.join("1001"), "private")) == ("not-allowed", "closed-node")


def test_PS117_agents_publish_nowhere_and_pass_for_nobody() -> None:
    scene = Scene()
    for node in (USER, "/finesse/api/SystemInfo"):
        scene.host.create_node(node)
    agent, victim = scene.join("1001"), scene.join("1002")
    for node in (USER, "/finesse/api/SystemInfo"):
        assert condition(scene.put(agent, node, "forged")) == ("auth", "forbidden")
    event = f"<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='{USER}'/></event>"
    scene.send(agent, f"<message xmlns='jabber:client' from='{PUBSUB}' to='{victim.jid}'>{event}</message>")
    assert victim.only().attrs["from"] == agent.jid


def test_PS118_administrators_own_every_node() -> None:
    scene = Scene()
    scene.create("n", ("persist_items", "1"), ("access_model", "whitelist"))
    scene.affiliate("n", "1001", "owner")
    scene.affiliate("n", "admin", "none")
    assert affiliations(scene, "n") == {"1001": "owner"}
    scene.affiliate("n", "admin", "outcast")
    assert ok(scene.put(scene.admin, "n", "i"))
    assert kept(scene, "n") == ["i"]
    assert ok(scene.own(scene.admin, "<delete node='n'/>"))


@pytest.mark.parametrize("nodes", [["'; DROP TABLE nodes", "../..", "%00", "*", "/finesse/api/User/%", "a/**"]])
def test_SEC24_a_name_is_a_name_and_matches_nothing_else(nodes: list[str]) -> None:
    scene = Scene()
    scene.host.create_node(USER)
    client = scene.join("1002")
    for node in nodes:
        assert refusal(scene.set(client, f'<subscribe node="{node}" jid="{client.jid}"/>'))[0] == "item-not-found"
    rsm = "<set xmlns='http://jabber.org/protocol/rsm'><after>' OR 1=1</after></set>"
    assert condition(scene.get(client, f"<subscriptions/>{rsm}"))[1] in ("item-not-found", "bad-request")


OWNERS_VERBS = [
    ("get", "<configure node='n'/>"),
    ("set", "<configure node='n'/>"),
    ("set", "<delete node='n'/>"),
    ("set", "<purge node='n'/>"),
    ("get", "<affiliations node='n'/>"),
    ("set", "<affiliations node='n'><affiliation jid='1001@localhost' affiliation='owner'/></affiliations>"),
    ("get", "<subscriptions node='n'/>"),
    ("set", "<subscriptions node='n'><subscription jid='1001@localhost' subscription='subscribed'/></subscriptions>"),
]


@pytest.mark.parametrize(("kind", "verb"), OWNERS_VERBS)
@pytest.mark.parametrize("affiliation", ["none", "member", "publish-only", "outcast"])
def test_SEC24_what_owners_do_nobody_else_does(kind: str, verb: str, affiliation: str) -> None:
    scene = Scene()
    scene.create("n", ("persist_items", "1"), ("access_model", "whitelist"))
    scene.affiliate("n", "1001", affiliation)
    before = affiliations(scene, "n")
    client = scene.join("1001")
    assert condition(scene.own(client, verb, kind)) == ("auth", "forbidden")
    assert (affiliations(scene, "n"), scene.host.subscriptions("n"), client.take()) == (before, (), [])


def test_SEC25_a_great_many_of_anything_ends_in_time() -> None:
    scene = Scene(HostPolicy(affiliations_per_node=3))
    scene.create("n", ("persist_items", "1"))
    items = "".join(f"<item id='{number}'/>" for number in range(3000))
    assert refusal(scene.set(scene.admin, f"<retract node='n'>{items}</retract>"))[0] == "item-not-found"
    assert kept(scene, "n") == []
    fields = "".join(f"<field var='f{number}'><value>x</value></field>" for number in range(3000))
    x = (
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
        f"<value>http://jabber.org/protocol/pubsub#node_config</value></field>{fields}</x>"
    )
    assert ok(scene.own(scene.admin, f"<configure node='n'>{x}</configure>"))
    for user in ("1001", "1002"):
        assert ok(scene.affiliate("n", user, "member"))
    assert condition(scene.affiliate("n", "1003", "member"))[1] == "not-acceptable"
    assert ok(scene.affiliate("n", "1002", "publisher"))
