"""Making, configuring and deleting nodes (XEP-0060 sections 8.1-8.4; PS10-PS32)."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.host import HostPolicy
from poise.protocols.xmpp.pubsub.config import NODE_FIELDS
from tests.unit.protocols.xmpp.host_story import condition
from tests.unit.protocols.xmpp.pubsub.story import (
    DATA,
    OWNER,
    USER,
    Scene,
    entries,
    form,
    kept,
    names,
    ok,
    refusal,
    told,
    values,
    verb,
)


def test_PS10_PS11_PS12_administrators_create_nodes_and_each_once() -> None:
    scene = Scene()
    assert condition(scene.set(scene.join("1001"), "<create node='n'/>")) == ("auth", "forbidden")
    answer = scene.set(scene.admin, "<create node='n'/>")
    assert (ok(answer), answer.children) == (True, ())
    assert condition(scene.set(scene.admin, "<create node='n'/>")) == ("cancel", "conflict")


@pytest.mark.parametrize("node", ["", " node=''"])
def test_PS13_PS14_nodes_have_names(node: str) -> None:
    scene = Scene()
    assert refusal(scene.set(scene.admin, f"<create{node}/>")) == ("not-acceptable", "nodeid-required")
    assert scene.host.nodes() == ()


def test_PS15_a_node_is_made_as_configured_beside_it() -> None:
    scene = Scene()
    scene.create("n", ("title", "News"), ("max_items", "7"), ("access_model", "authorize"))
    form_ = values(verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER))
    assert (form_["title"], form_["max_items"], form_["access_model"]) == (["News"], ["7"], ["authorize"])
    for beside in ("<configure node='m'/>", "<configure/><create node='m'/>"):
        assert condition(scene.set(scene.admin, f"<create node='m'/>{beside}"))[1] == "bad-request"
    assert condition(scene.set(scene.admin, "<configure/><create node='m'/>"))[1] == "bad-request"


@pytest.mark.parametrize("model", ["presence", "roster", "nonsense", ""])
def test_PS16_PS50_an_access_model_that_cannot_be_is_refused_by_name(model: str) -> None:
    scene = Scene()
    scene.create("n")
    assert refusal(scene.configure("n", ("access_model", model))) == ("not-acceptable", "unsupported-access-model")


def test_PS17_fields_that_nobody_knows_are_ignored() -> None:
    scene = Scene()
    scene.create("n")
    assert ok(scene.configure("n", ("unheard_of", "1"), ("title", "T")))
    assert values(verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER))["title"] == ["T"]


@pytest.mark.parametrize(
    "bad",
    [
        form("node_config", ("title", "T"), form_type=""),
        form("publish-options", ("title", "T")),
        form("node_config", ("title", "T"), type_="form"),
        form("node_config", ("title", "T"), type_="result"),
    ],
)
def test_PS18_a_form_of_another_kind_is_a_bad_request(bad: str) -> None:
    scene = Scene()
    scene.create("n")
    answer = scene.own(scene.admin, f"<configure node='n'>{bad}</configure>")
    assert condition(answer) == ("modify", "bad-request")
    assert values(verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER))["title"] == [""]


def test_PS19_there_are_only_so_many_nodes() -> None:
    scene = Scene(HostPolicy(nodes=1))
    scene.create("n")
    assert refusal(scene.set(scene.admin, "<create node='m'/>")) == ("conflict", "max-nodes-exceeded")


def test_PS20_the_form_of_a_node_holds_every_field_with_what_is_so() -> None:
    scene = Scene()
    scene.create("n", ("title", "<News> & more"), ("notify_retract", "true"))
    configure = verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER)
    assert configure.attrs["node"] == "n"
    shown = configure.child("x", DATA)
    assert shown is not None
    assert shown.attrs["type"] == "form"
    found = values(configure)
    assert set(found) == {"FORM_TYPE"} | {name.removeprefix("pubsub#") for name in NODE_FIELDS}
    assert (found["title"], found["notify_retract"], found["max_items"]) == (["<News> & more"], ["1"], ["max"])
    kinds = {field.attrs["var"]: field.attrs["type"] for field in shown.elements()}
    assert kinds["pubsub#persist_items"] == "boolean"
    options = {
        field.attrs["var"]: [option.text or next(option.elements()).text for option in field.elements()]
        for field in shown.elements()
        if field.attrs["type"] == "list-single"
    }
    assert options["pubsub#access_model"][:3] == ["open", "whitelist", "authorize"]


def test_PS20_what_a_form_shows_can_be_sent_back_unchanged() -> None:
    scene = Scene()
    scene.create("n", ("title", "T"), ("max_payload_size", "77"), ("publish_model", "open"))
    before = values(verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER))
    fields = [(name, value) for name, found in before.items() if name != "FORM_TYPE" for value in found]
    assert ok(scene.configure("n", *fields))
    assert values(verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER)) == before


def test_PS21_only_owners_see_and_change_the_configuration() -> None:
    scene = Scene()
    scene.create("n")
    scene.affiliate("n", "1002", "publisher")
    for user in ("1001", "1002"):
        client = scene.join(user)
        assert condition(scene.own(client, "<configure node='n'/>", "get")) == ("auth", "forbidden")
        wanted = f"<configure node='n'>{form('node_config', ('title', 'mine'))}</configure>"
        assert condition(scene.own(client, wanted)) == ("auth", "forbidden")
    scene.affiliate("n", "1001", "owner")
    assert ok(scene.own(scene.join("1001", "again"), "<configure node='n'/>", "get"))


def test_PS22_a_configuration_is_some_nodes() -> None:
    scene = Scene()
    for kind in ("get", "set"):
        assert refusal(scene.own(scene.admin, "<configure/>", kind)) == ("bad-request", "nodeid-required")
        assert refusal(scene.own(scene.admin, "<configure node='n'/>", kind))[0] == "item-not-found"


def test_PS23_PS24_fields_left_out_stay_and_a_cancelled_form_changes_nothing() -> None:
    scene = Scene()
    scene.create("n", ("title", "T"), ("description", "D"))
    scene.configure("n", ("description", "E"))
    cancelled = form("node_config", ("title", "X"), type_="cancel")
    assert ok(scene.own(scene.admin, f"<configure node='n'>{cancelled}</configure>"))
    assert ok(scene.own(scene.admin, "<configure node='n'/>"))
    found = values(verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER))
    assert (found["title"], found["description"]) == (["T"], ["E"])


@pytest.mark.parametrize(("text", "shown"), [("1", "1"), ("true", "1"), ("0", "0"), ("false", "0")])
def test_PS25_a_boolean_has_four_spellings(text: str, shown: str) -> None:
    scene = Scene()
    scene.create("n", ("notify_sub", "1" if shown == "0" else "0"))
    assert ok(scene.configure("n", ("notify_sub", text)))
    assert values(verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER))["notify_sub"] == [shown]
    assert condition(scene.configure("n", ("notify_sub", "yes")))[1] == "bad-request"


@pytest.mark.parametrize("payloads", ["1", "0"])
def test_PS26_subscribers_are_told_of_a_new_configuration_when_it_says_so(payloads: str) -> None:
    scene = Scene()
    client = scene.join("1001")
    scene.create("n")
    scene.subscribe(client, "n")
    scene.configure("n", ("title", "silent"))
    assert told(client) == []
    scene.configure("n", ("notify_config", "1"), ("title", "loud"), ("deliver_payloads", payloads))
    (configuration,) = told(client)
    assert (configuration.name, configuration.attrs["node"]) == ("configuration", "n")
    if payloads == "1":
        assert values(configuration)["title"] == ["loud"]
    else:
        assert configuration.children == ()


def test_PS27_items_go_with_persistence_and_with_the_number_kept() -> None:
    scene = Scene()
    scene.create("n", ("persist_items", "1"))
    for item in "abcd":
        scene.put(scene.admin, "n", item)
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.configure("n", ("max_items", "3"))
    assert (kept(scene, "n"), told(client)) == (["b", "c", "d"], [])
    scene.configure("n", ("max_items", "1"), ("notify_retract", "1"))
    assert (kept(scene, "n"), names(client)) == (["d"], ["retract b", "retract c"])
    scene.configure("n", ("max_items", "2"))
    assert names(client) == []  # nothing had to go
    scene.configure("n", ("persist_items", "0"))
    assert refusal(scene.get(scene.admin, "<items node='n'/>")) == (
        "feature-not-implemented",
        "unsupported persistent-items",
    )
    scene.configure("n", ("persist_items", "1"))
    assert kept(scene, "n") == []
    assert scene.host._pubsub.items.total_bytes == 0


def test_PS27_a_node_cannot_be_told_to_keep_more_than_the_service_does() -> None:
    scene = Scene()
    scene.create("n", ("persist_items", "1"))
    assert condition(scene.configure("n", ("max_items", "1001"), ("title", "T"))) == ("modify", "not-acceptable")
    found = values(verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER))
    assert (found["max_items"], found["title"]) == (["max"], [""])
    assert ok(scene.configure("n", ("max_items", "1000")))


def test_PS28_a_node_that_closes_ends_the_subscriptions_of_outsiders_and_tells_them() -> None:
    scene = Scene()
    scene.create("n")
    outsider, member = scene.join("1001"), scene.join("1002")
    scene.affiliate("n", "1002", "member")
    for client in (outsider, member, scene.admin):
        scene.subscribe(client, "n")
    scene.configure("n", ("access_model", "whitelist"))
    (change,) = told(outsider)
    assert dict(change.attrs) == {"node": "n", "jid": outsider.jid, "subscription": "none"}
    assert (told(member), scene.host.subscriptions("n")) == ([], (member.jid, scene.admin.jid))
    scene.put(scene.admin, "n", "i")
    assert (names(outsider), names(member)) == ([], ["item i"])


def test_PS28_a_node_that_will_be_asked_keeps_whom_it_has() -> None:
    scene = Scene()
    scene.create("n")
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.configure("n", ("access_model", "authorize"))
    assert (told(client), scene.host.subscriptions("n")) == ([], (client.jid,))
    other = scene.join("1002")
    scene.subscribe(other, "n")
    scene.configure("n", ("access_model", "open"))
    (change,) = told(other)
    assert change.attrs["subscription"] == "subscribed"


def test_PS29_the_end_of_a_node_is_told_and_a_new_one_of_its_name_is_empty() -> None:
    scene = Scene()
    scene.create("n", ("persist_items", "1"))
    client = scene.join("1001")
    scene.subscribe(client, "n")
    scene.affiliate("n", "1002", "outcast")
    scene.put(scene.admin, "n", "i")
    client.raw.clear()
    assert ok(scene.own(scene.admin, "<delete node='n'/>"))
    (deleted,) = told(client)
    assert (deleted.name, dict(deleted.attrs)) == ("delete", {"node": "n"})
    assert scene.host._pubsub.items.total_bytes == 0
    scene.create("n", ("persist_items", "1"))
    assert (kept(scene, "n"), scene.host.subscriptions("n")) == ([], ())
    assert [entry["jid"] for entry in entries(scene.own(scene.admin, "<affiliations node='n'/>", "get"), OWNER)] == [
        "admin@localhost"
    ]
    assert entries(scene.get(scene.join("1002"), "<affiliations/>")) == []


def test_PS30_nobody_else_deletes_and_nothing_is_deleted_twice() -> None:
    scene = Scene()
    scene.create("n")
    scene.affiliate("n", "1001", "publisher")
    assert condition(scene.own(scene.join("1001"), "<delete node='n'/>")) == ("auth", "forbidden")
    assert refusal(scene.own(scene.admin, "<delete/>")) == ("bad-request", "nodeid-required")
    assert ok(scene.own(scene.admin, "<delete node='n'/>"))
    assert condition(scene.own(scene.admin, "<delete node='n'/>")) == ("cancel", "item-not-found")


def test_PS31_the_default_configuration_is_what_a_new_node_has() -> None:
    scene = Scene()
    default = values(verb(scene.own(scene.admin, "<default/>", "get"), OWNER))
    scene.create("n")
    assert values(verb(scene.own(scene.admin, "<configure node='n'/>", "get"), OWNER)) == default


def test_PS32_collections_are_not_made() -> None:
    scene = Scene()
    beside = f"<configure>{form('node_config', ('node_type', 'collection'))}</configure>"
    assert refusal(scene.set(scene.admin, f"<create node='n'/>{beside}")) == (
        "feature-not-implemented",
        "unsupported collections",
    )
    assert scene.host.nodes() == ()
    assert ok(scene.set(scene.admin, f"<create node='n'/>{beside.replace('collection', 'leaf')}"))


def test_the_products_nodes_are_configured_by_the_product_alone() -> None:
    scene = Scene()
    scene.host.create_node(USER)
    assert ok(scene.own(scene.admin, f"<configure node='{USER}'/>", "get"))
    assert condition(scene.configure(USER, ("access_model", "open"))) == ("cancel", "not-allowed")
    assert refusal(scene.subscribe(scene.join("1002"), USER)) == ("not-allowed", "closed-node")


def test_the_product_takes_the_name_of_a_node_that_an_administrator_made() -> None:
    scene = Scene()
    scene.create(USER)
    spy, agent = scene.join("1002"), scene.join("1001")
    scene.subscribe(spy, USER)
    scene.host.create_node(USER)
    scene.deliver()
    assert [element.name for element in told(spy)] == ["delete"]
    scene.host.create_node(USER)
    assert ok(scene.subscribe(agent, USER))
    assert scene.publish(USER) == 1
