"""Who is what to a node, and the rule of the product (XEP-0060 sections 4.1, 8.9)."""

from __future__ import annotations

import time

import pytest

from tests.conformance.people import condition, ok
from tests.conformance.pubsub.story import EVENT, OWNER, PS, RSM, Scene, item_ids, names, refusal, told
from tests.conformance.targets import BOSH, PUBSUB, Serve, Server

USER = "/finesse/api/User/{}"
TEAM = "/finesse/api/Team/1/Users"


def test_PS110_owners_list_who_is_what_and_nobody_is_none(scene: Scene) -> None:
    scene.create()
    for user, affiliation in (("1001", "publisher"), ("1003", "member"), ("1101", "outcast")):
        assert ok(scene.affiliate(user, affiliation))
    scene.affiliate("1003", "none")
    found = scene.affiliations()
    assert (found.pop("finesse", "owner"), found) == ("owner", {"1001": "publisher", "1101": "outcast"})
    ask = f"<affiliations node='{scene.n}'/>"
    assert condition(scene.own(scene.join("1001"), ask, "get")) == ("auth", "forbidden")


def test_PS110_who_may_only_publish_neither_hears_nor_reads(scene: Scene) -> None:
    scene.persistent()
    client = scene.join("1001")
    assert ok(scene.affiliate("1001", "publish-only"))
    assert ok(scene.put(client, "mine"))
    assert condition(scene.subscribe(client)) == ("auth", "forbidden")
    assert condition(scene.get(client, f"<items node='{scene.n}'/>")) == ("auth", "forbidden")
    assert scene.kept() == ["mine"]


def test_PS111_a_change_counts_at_once(scene: Scene) -> None:
    scene.create(("access_model", "whitelist"))
    client = scene.join("1101")
    assert not ok(scene.subscribe(client))
    scene.affiliate("1101", "member")
    assert ok(scene.subscribe(client))


@pytest.mark.parametrize("value", ["boss", ""])
def test_PS111_an_affiliation_that_is_none_is_a_bad_request(scene: Scene, value: str) -> None:
    scene.create()
    assert condition(scene.affiliate("1101", value)) == ("modify", "bad-request")


def test_PS112_the_last_owner_stays(scene: Scene) -> None:
    scene.create()
    answer = scene.affiliate("finesse", "member")
    assert condition(answer) == ("modify", "not-acceptable")
    given_back = next(answer.the("pubsub", OWNER).elements())
    assert [dict(entry.attrs) for entry in given_back.elements()] == [{"jid": scene.owner, "affiliation": "owner"}]
    assert ok(scene.own(scene.admin, f"<configure node='{scene.n}'/>", "get"))


def test_PS113_entries_that_cannot_be_are_given_back_and_the_others_count(scene: Scene) -> None:
    scene.create()
    wanted = "".join(
        f"<affiliation jid='{jid}' affiliation='{affiliation}'/>"
        for jid, affiliation in (("finesse@localhost", "none"), ("1001@localhost", "publisher"), ("@", "member"))
    )
    answer = scene.own(scene.admin, f"<affiliations node='{scene.n}'>{wanted}</affiliations>")
    assert condition(answer) == ("modify", "not-acceptable")
    given_back = next(answer.the("pubsub", OWNER).elements())
    assert [entry.attrs["jid"] for entry in given_back.elements()] == ["finesse@localhost", "@"]
    assert scene.affiliations() == {"finesse": "owner", "1001": "publisher"}


def test_PS114_an_outcast_loses_the_subscription_and_hears_no_more(scene: Scene) -> None:
    scene.create()
    client = scene.subscribed("1001")
    scene.affiliate("1001", "outcast")
    client.take()
    scene.put(scene.admin, "i")
    assert (names(client), scene.subscribers()) == ([], [])


def test_PS114_it_is_told(scene: Scene) -> None:
    scene.create()
    client = scene.subscribed("1001")
    scene.affiliate("1001", "outcast")
    assert [element.attrs.get("subscription") for element in told(client)] == ["none"]


def test_PS115_PS119_an_affiliation_is_a_users_however_the_jid_is_written(scene: Scene) -> None:
    scene.create(("access_model", "whitelist"))
    entry = "<affiliation jid='1101@LocalHost/desktop' affiliation='member'/>"
    assert ok(scene.own(scene.admin, f"<affiliations node='{scene.n}'>{entry}</affiliations>"))
    assert ok(scene.subscribe(scene.join("1101", "elsewhere"), "1101@LOCALHOST"))
    assert scene.subscribers() == ["1101@localhost"]


def test_PS116_SEC24_agents_and_supervisors_reach_what_the_rule_of_the_product_gives_them(scene: Scene) -> None:
    server = scene.server
    teams = {"1101": {"1001"}}

    def rule(user: str, node: str) -> bool:
        mine = teams.get(user, set()) | {user}
        return (node == TEAM and user in teams) or any(node == USER.format(member) for member in mine)

    own, others = USER.format("1001"), USER.format("1002")
    server.product_rule(rule)
    for node in (own, others, TEAM):
        server.product_node(node)
    agent, supervisor = scene.join("1001"), scene.join("1101")
    assert ok(scene.subscribe(agent, node=own))
    for node in (others, TEAM):
        assert refusal(scene.subscribe(agent, node=node)) == ("not-allowed", "closed-node")
    for node in (own, TEAM):
        assert ok(scene.subscribe(supervisor, node=node))
    server.product_event(own, b"<notification xmlns='http://jabber.org/protocol/pubsub'>x</notification>")
    assert [len(client.messages()) for client in (agent, supervisor)] == [1, 1]
    teams["1101"] = set()
    server.product_rule(rule)
    ended = told(supervisor)
    assert [(end.attrs["node"], end.attrs["subscription"]) for end in ended] == [(own, "none")]
    server.product_event(own, b"<notification xmlns='http://jabber.org/protocol/pubsub'>x</notification>")
    assert [len(client.messages()) for client in (agent, supervisor)] == [1, 0]
    for client in (agent, supervisor):
        assert condition(scene.put(client, "forged", node=own)) == ("auth", "forbidden")
        assert condition(scene.own(client, f"<configure node='{own}'/>", "get")) == ("auth", "forbidden")
    server.product_rule(lambda user, node: True)


def test_PS117_SEC23_a_forged_event_bears_its_senders_name(scene: Scene) -> None:
    scene.create()
    agent, victim = scene.join("1001"), scene.join("1002")
    assert condition(scene.put(agent, "forged")) == ("auth", "forbidden")
    event = f"<event xmlns='{EVENT}'><items node='{scene.n}'><item id='f'/></items></event>"
    agent.say(f"<message to='{victim.jid}'>{event}</message>")
    assert victim.only().attrs["from"] == agent.jid


def test_PS117_SEC23_naming_the_service_as_sender_helps_nobody(scene: Scene) -> None:
    agent, victim = scene.join("1001"), scene.join("1002")
    agent.say(f"<message from='{PUBSUB}' to='{victim.jid}'><body>x</body></message>")
    assert [message.attrs["from"] for message in victim.take()] in ([], [agent.jid])


def test_PS118_administrators_own_every_node(scene: Scene) -> None:
    scene.persistent(config=(("access_model", "whitelist"),))
    scene.affiliate("1001", "owner")
    assert ok(scene.affiliate("finesse", "none"))
    assert ok(scene.put(scene.admin, "i"))
    assert scene.kept() == ["i"]


@pytest.mark.parametrize("node", ["'; DROP TABLE nodes", "../..", "%00", "*", "/finesse/api/User/%", "a/**"])
def test_SEC24_a_name_is_a_name_and_matches_nothing_else(scene: Scene, node: str) -> None:
    scene.create()
    client = scene.join("1002")
    assert refusal(scene.set(client, f'<subscribe node="{node}" jid="{client.jid}"/>'))[0] == "item-not-found"
    assert not ok(scene.set(client, f'<publish node="{node}"><item><a xmlns="b"/></item></publish>'))


def test_SEC24_paging_by_the_words_of_a_database_is_refused(scene: Scene) -> None:
    scene.persistent("a")
    page = f"<set xmlns='{RSM}'><max>1</max><after>' OR 1=1 --</after></set>"
    answer = scene.get(scene.admin, f"<items node='{scene.n}'/>{page}")
    assert condition(answer)[1] in ("item-not-found", "bad-request")


def timely(server: Server, work: float) -> None:
    assert time.monotonic() - work < 5
    assert server.alive()


def test_SEC25_a_great_many_of_anything_ends_in_time(fresh: Serve) -> None:
    scene = Scene(fresh(BOSH))  # a server that takes minutes shall not spoil other tests
    scene.persistent("kept")
    began = time.monotonic()
    items = "".join(f"<item id='{number}'/>" for number in range(3000))
    assert not ok(scene.set(scene.admin, f"<retract node='{scene.n}'>{items}</retract>"))
    assert scene.kept() == ["kept"]
    fields = "".join(f"<field var='f{number}'><value>x</value></field>" for number in range(2500))
    named = f"<field var='FORM_TYPE'><value>{PS}#node_config</value></field>"
    x = f"<x xmlns='jabber:x:data' type='submit'>{named}{fields}</x>"
    scene.own(scene.admin, f"<configure node='{scene.n}'>{x}</configure>")
    many = "".join(f"<affiliation jid='u{n}@localhost' affiliation='member'/>" for n in range(2500))
    scene.own(scene.admin, f"<affiliations node='{scene.n}'>{many}</affiliations>")
    timely(scene.server, began)
    client = scene.subscribed("1001")
    assert ok(scene.put(scene.admin, "i"))
    assert item_ids(client.messages()[-1]) == ["i"]
