"""Stories of discovery: what is there, what it can do, and long lists in pages (XEP-0030, XEP-0059)."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.host import HostPolicy
from poise.protocols.xmpp.xml import Element
from tests.unit.protocols.xmpp.host_story import PUBSUB, Stage, condition

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
RSM = "http://jabber.org/protocol/rsm"


def query(answer: Element) -> Element:
    child = answer.child("query")
    assert child is not None, condition(answer)
    return child


def features(answer: Element) -> set[str]:
    return {child.attrs["var"] for child in query(answer).elements() if child.name == "feature"}


def identities(answer: Element) -> list[tuple[str, str]]:
    found = [child for child in query(answer).elements() if child.name == "identity"]
    return [(identity.attrs["category"], identity.attrs["type"]) for identity in found]


@pytest.mark.parametrize(
    ("to", "identity"),
    [("", ("account", "registered")), ("localhost", ("server", "im")), (PUBSUB, ("pubsub", "service"))],
)
def test_everything_says_what_it_is(to: str, identity: tuple[str, str]) -> None:
    stage = Stage()
    answer = stage.ask(stage.join("1001"), "get", f"<query xmlns='{INFO}'/>", to)
    assert identities(answer) == [identity]
    assert {INFO, ITEMS, "urn:xmpp:ping"} <= features(answer)


def test_the_domain_leads_to_the_pubsub_service_and_an_account_to_nothing() -> None:
    stage = Stage()
    client = stage.join("1001")
    found = query(stage.ask(client, "get", f"<query xmlns='{ITEMS}'/>", "localhost"))
    assert [item.attrs["jid"] for item in found.elements()] == [PUBSUB]
    assert query(stage.ask(client, "get", f"<query xmlns='{ITEMS}'/>")).children == ()


@pytest.mark.parametrize("to", ["", "localhost", PUBSUB])
@pytest.mark.parametrize("ns", [INFO, ITEMS])
def test_a_node_that_is_not_there_is_not_found(to: str, ns: str) -> None:
    stage = Stage()
    answer = stage.ask(stage.join("1001"), "get", f"<query xmlns='{ns}' node='/nowhere'/>", to)
    assert condition(answer) == ("cancel", "item-not-found")


def test_every_user_sees_every_node() -> None:
    stage = Stage()
    stage.host.create_node("/finesse/api/User/1002", "Agent & <friend>")
    stage.host.create_node("/finesse/api/SystemInfo")
    found = query(stage.ask(stage.join("1001"), "get", f"<query xmlns='{ITEMS}'/>", PUBSUB))
    assert [dict(item.attrs) for item in found.elements()] == [
        {"jid": PUBSUB, "node": "/finesse/api/User/1002", "name": "Agent & <friend>"},
        {"jid": PUBSUB, "node": "/finesse/api/SystemInfo"},
    ]


def test_a_node_is_a_leaf_with_its_particulars_and_no_items() -> None:
    stage = Stage()
    node = "/finesse/api/User/1001"
    stage.host.create_node(node, "Agent 1001")
    stage.host.subscribe(node, "1001@localhost")
    client = stage.join("1001")
    answer = stage.ask(client, "get", f"<query xmlns='{INFO}' node='{node}'/>", PUBSUB)
    assert query(answer).attrs["node"] == node
    assert identities(answer) == [("pubsub", "leaf")]
    form = query(answer).child("x", "jabber:x:data")
    assert form is not None
    fields = {field.attrs["var"]: value.text for field in form.elements() if (value := field.child("value"))}
    assert fields == {
        "FORM_TYPE": "http://jabber.org/protocol/pubsub#meta-data",
        "pubsub#type": "http://jabber.org/protocol/pubsub",
        "pubsub#title": "Agent 1001",
        "pubsub#access_model": "whitelist",
        "pubsub#publish_model": "publishers",
        "pubsub#num_subscribers": "1",
    }
    items = query(stage.ask(client, "get", f"<query xmlns='{ITEMS}' node='{node}'/>", PUBSUB))
    assert (items.attrs["node"], items.children) == (node, ())


def test_who_created_a_node_is_told() -> None:
    stage = Stage()
    admin = stage.join("admin")
    stage.pubsub(admin, "set", "<create node='n'/>")
    form = query(stage.ask(admin, "get", f"<query xmlns='{INFO}' node='n'/>", PUBSUB)).child("x")
    assert form is not None
    creator = [field for field in form.elements() if field.attrs["var"] == "pubsub#creator"]
    assert [next(field.elements()).text for field in creator] == ["admin@localhost"]


def pages(stage: Stage, asked: str) -> tuple[list[str], dict[str, str], Element]:
    """Nodes of a page, what `<set/>` says, and the answer."""
    inside = f"<set xmlns='{RSM}'>{asked}</set>" if asked != "none" else ""
    answer = stage.ask(stage.join("1001"), "get", f"<query xmlns='{ITEMS}'>{inside}</query>", PUBSUB)
    child = answer.child("query")
    if child is None:
        return [], {}, answer
    nodes = [item.attrs["node"] for item in child.elements() if item.name == "item"]
    paging = child.child("set", RSM)
    told: dict[str, str] = {}
    if paging is not None:
        for part in paging.elements():
            told[part.name] = part.text
            if "index" in part.attrs:
                told["index"] = part.attrs["index"]
    return nodes, told, answer


@pytest.mark.parametrize(
    ("asked", "nodes", "index"),
    [
        ("<max>2</max>", "n0 n1", "0"),
        ("<max>2</max><after/>", "n0 n1", "0"),
        ("<max>2</max><after>n1</after>", "n2 n3", "2"),
        ("<max>2</max><after>n3</after>", "n4", "4"),
        ("<max>2</max><before/>", "n3 n4", "3"),
        ("<max>2</max><before>n3</before>", "n1 n2", "1"),
        ("<max>2</max><before>n1</before>", "n0", "0"),
        ("<max>3</max><index>2</index>", "n2 n3 n4", "2"),
        ("<max>99</max>", "n0 n1 n2 n3 n4", "0"),
        ("", "n0 n1 n2 n3 n4", "0"),
    ],
)
def test_the_list_of_nodes_can_be_asked_for_in_pages(asked: str, nodes: str, index: str) -> None:
    stage = Stage()
    for number in range(5):
        stage.host.create_node(f"n{number}")
    expected = nodes.split()
    found, told, _ = pages(stage, asked)
    assert found == expected
    assert told == {"first": expected[0], "last": expected[-1], "count": "5", "index": index}


@pytest.mark.parametrize("asked", ["<max>0</max>", "<max>2</max><after>n4</after>", "<max>2</max><before>n0</before>"])
def test_an_empty_page_still_tells_how_many_there_are(asked: str) -> None:
    stage = Stage()
    for number in range(5):
        stage.host.create_node(f"n{number}")
    found, told, _ = pages(stage, asked)
    assert (found, told) == ([], {"count": "5"})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("<max>2</max><after>gone</after>", ("cancel", "item-not-found")),
        ("<max>2</max><before>gone</before>", ("cancel", "item-not-found")),
        ("<max>2</max><index>5</index>", ("cancel", "item-not-found")),
        ("<max>-1</max>", ("modify", "bad-request")),
        ("<max>many</max>", ("modify", "bad-request")),
        (f"<max>{'9' * 5000}</max>", ("modify", "bad-request")),
        ("<max>2</max><after>' OR 1=1</after>", ("cancel", "item-not-found")),
    ],
)
def test_a_page_that_cannot_be_is_refused(asked: str, expected: tuple[str, str]) -> None:
    stage = Stage()
    for number in range(5):
        stage.host.create_node(f"n{number}")
    assert condition(pages(stage, asked)[2]) == expected


def test_who_does_not_know_pages_gets_all_of_a_short_list_and_the_start_of_a_long_one() -> None:
    stage = Stage(HostPolicy(disco_page_items=3))
    for number in range(3):
        stage.host.create_node(f"n{number}")
    assert pages(stage, "none")[:2] == (["n0", "n1", "n2"], {})
    stage.host.create_node("n3")
    found, told, _ = pages(stage, "none")
    assert (found, told["count"], told["last"]) == (["n0", "n1", "n2"], "4", "n2")
    assert pages(stage, "<max>99</max>")[0] == ["n0", "n1", "n2"]
