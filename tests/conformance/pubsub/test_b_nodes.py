"""Making, configuring and deleting nodes (XEP-0060 sections 8.1-8.4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.people import condition, ok, single
from tests.conformance.pubsub.story import DATA, ITEMS, OWNER, Scene, entries, form, names, refusal, told, values, verb
from tests.conformance.targets import BOSH, Serve


def test_PS10_PS11_PS12_who_may_creates_nodes_and_each_once(scene: Scene) -> None:
    assert condition(scene.set(scene.join("1001"), f"<create node='{scene.n}'/>")) == ("auth", "forbidden")
    assert ok(scene.set(scene.admin, f"<create node='{scene.n}'/>"))
    assert condition(scene.set(scene.admin, f"<create node='{scene.n}'/>")) == ("cancel", "conflict")


@pytest.mark.parametrize(
    "name", ["?&amp;&lt;&gt;&quot;%20", "/finesse/api/x/1001", "n" * 1000], ids=["odd", "path", "long"]
)
def test_PS11_SEC24_a_name_may_be_anything_printable(scene: Scene, name: str) -> None:
    scene.create(node=name)
    assert ok(scene.subscribe(scene.admin, node=name))
    assert ok(scene.put(scene.admin, "i", node=name))
    items = single(told(scene.admin))
    decoded = name.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert items.attrs["node"] == decoded


@pytest.mark.parametrize("node", ["", " node=''"])
def test_PS13_PS14_nodes_have_names(scene: Scene, node: str) -> None:
    before = scene.discover(scene.admin, ITEMS)
    assert refusal(scene.set(scene.admin, f"<create{node}/>")) == ("not-acceptable", "nodeid-required")
    assert scene.discover(scene.admin, ITEMS) == before


def test_PS15_a_node_is_made_as_configured_beside_it(scene: Scene) -> None:
    scene.create(("title", "News"), ("max_items", "7"), ("access_model", "whitelist"))
    found = scene.configuration()
    assert (found["title"], found["max_items"], found["access_model"]) == (["News"], ["7"], ["whitelist"])


@pytest.mark.parametrize("request_", ["<create node='@-m'/><configure node='@'/>", "<configure/><create node='@-m'/>"])
def test_PS15_configure_stands_behind_create_and_names_no_node(scene: Scene, request_: str) -> None:
    assert condition(scene.set(scene.admin, request_.replace("@", scene.n)))[1] == "bad-request"


@pytest.mark.parametrize("model", ["nonsense", ""])
def test_PS16_an_access_model_that_cannot_be_is_refused_by_name(scene: Scene, model: str) -> None:
    scene.create()
    assert refusal(scene.configure(("access_model", model))) == ("not-acceptable", "unsupported-access-model")


@pytest.mark.parametrize("model", ["presence", "roster"])
def test_PS50_access_by_presence_or_roster_is_refused_or_kept(scene: Scene, model: str) -> None:
    scene.create()
    answer = scene.configure(("access_model", model))
    if not ok(answer):
        assert refusal(answer)[0] == "not-acceptable"
        return
    expected = "presence-subscription-required" if model == "presence" else "not-in-roster-group"
    assert refusal(scene.subscribe(scene.join("1001"))) == ("not-authorized", expected)


def test_PS17_fields_that_nobody_knows_are_ignored(scene: Scene) -> None:
    scene.create()
    assert ok(scene.configure(("unheard_of", "1"), ("title", "T")))
    assert scene.configuration()["title"] == ["T"]


@pytest.mark.parametrize(
    "bad",
    [
        form("node_config", ("title", "T"), form_type=""),
        form("publish-options", ("title", "T")),
        form("node_config", ("title", "T"), type_="form"),
        form("node_config", ("title", "T"), type_="result"),
    ],
    ids=["without", "other", "form", "result"],
)
def test_PS18_a_form_of_another_kind_is_a_bad_request(scene: Scene, bad: str) -> None:
    scene.create(("title", "before"))
    answer = scene.own(scene.admin, f"<configure node='{scene.n}'>{bad}</configure>")
    assert condition(answer) == ("modify", "bad-request")
    assert scene.configuration()["title"] == ["before"]


def test_PS19_there_are_only_so_many_nodes(serve: Serve) -> None:
    scene = Scene(serve(replace(BOSH, small=True)))
    answers = [scene.set(scene.admin, f"<create node='{scene.n}-{number}'/>") for number in range(9)]
    assert [ok(answer) for answer in answers] == [True] * 8 + [False]
    assert refusal(answers[-1]) == ("conflict", "max-nodes-exceeded")
    scene.go()


def test_PS20_the_form_of_a_node_holds_what_is_so(scene: Scene) -> None:
    scene.create(("title", "<News> & more"), ("persist_items", "true"), ("access_model", "whitelist"))
    configure = verb(scene.own(scene.admin, f"<configure node='{scene.n}'/>", "get"), OWNER)
    assert configure.attrs["node"] == scene.n
    shown = configure.the("x", DATA)
    assert shown.attrs["type"] == "form"
    found = values(configure)
    assert (found["title"], found["access_model"]) == (["<News> & more"], ["whitelist"])
    assert found["persist_items"] in (["1"], ["true"])
    assert {"deliver_payloads", "publish_model", "max_items", "send_last_published_item", "notify_retract"} <= set(
        found
    )
    kinds = {field.attrs["var"]: field.attrs.get("type") for field in shown.elements() if field.name == "field"}
    assert (kinds["pubsub#persist_items"], kinds["pubsub#access_model"]) == ("boolean", "list-single")


def test_PS20_what_a_form_shows_can_be_sent_back_unchanged(scene: Scene) -> None:
    scene.create(("title", "T"), ("persist_items", "1"), ("publish_model", "open"))
    before = scene.configuration()
    fields = [(name, value) for name, found in before.items() if name != "FORM_TYPE" for value in found]
    assert ok(scene.configure(*fields))
    assert scene.configuration() == before


def test_PS21_only_owners_see_and_change_the_configuration(scene: Scene) -> None:
    scene.create()
    scene.affiliate("1002", "publisher")
    for user in ("1001", "1002"):
        client = scene.join(user)
        assert condition(scene.own(client, f"<configure node='{scene.n}'/>", "get")) == ("auth", "forbidden")
        wanted = f"<configure node='{scene.n}'>{form('node_config', ('title', 'mine'))}</configure>"
        assert condition(scene.own(client, wanted)) == ("auth", "forbidden")


def test_PS21_a_user_who_is_made_an_owner_does(scene: Scene) -> None:
    scene.create()
    scene.affiliate("1001", "owner")
    assert ok(scene.own(scene.join("1001"), f"<configure node='{scene.n}'/>", "get"))


@pytest.mark.parametrize("kind", ["get", "set"])
def test_PS22_a_configuration_is_some_nodes(scene: Scene, kind: str) -> None:
    inside = form("node_config", ("title", "T")) if kind == "set" else ""
    unknown = f"<configure node='{scene.n}'>{inside}</configure>"
    assert refusal(scene.own(scene.admin, unknown, kind))[0] == "item-not-found"
    nameless = f"<configure>{inside}</configure>"
    assert refusal(scene.own(scene.admin, nameless, kind)) == ("bad-request", "nodeid-required")


def test_PS23_fields_left_out_stay(scene: Scene) -> None:
    scene.create(("title", "T"), ("max_items", "5"))
    assert ok(scene.configure(("max_items", "6")))
    found = scene.configuration()
    assert (found["title"], found["max_items"]) == (["T"], ["6"])


def test_PS24_a_cancelled_form_changes_nothing(scene: Scene) -> None:
    scene.create(("title", "T"))
    cancelled = form("node_config", ("title", "X"), type_="cancel")
    assert ok(scene.own(scene.admin, f"<configure node='{scene.n}'>{cancelled}</configure>"))
    assert scene.configuration()["title"] == ["T"]


@pytest.mark.parametrize(("text", "shown"), [("1", "1"), ("true", "1"), ("0", "0"), ("false", "0")])
def test_PS25_a_boolean_has_four_spellings(scene: Scene, text: str, shown: str) -> None:
    scene.create(("persist_items", "1" if shown == "0" else "0"))
    assert ok(scene.configure(("persist_items", text)))
    assert scene.configuration()["persist_items"] in ([shown], ["true" if shown == "1" else "false"])


@pytest.mark.parametrize("payloads", ["1", "0"])
def test_PS26_subscribers_are_told_of_a_new_configuration_when_it_says_so(scene: Scene, payloads: str) -> None:
    scene.create(("notify_config", "0"))
    client = scene.subscribed("1001")
    scene.configure(("title", "silent"))
    assert told(client) == []
    scene.configure(("notify_config", "1"), ("title", "loud"), ("deliver_payloads", payloads))
    configuration = single(told(client))
    assert (configuration.name, configuration.attrs["node"]) == ("configuration", scene.n)
    if payloads == "1":
        assert values(configuration)["title"] == ["loud"]
    else:
        assert configuration.children == ()


def test_PS27_a_smaller_number_drops_the_oldest(scene: Scene) -> None:
    scene.persistent(*"abcd")
    scene.configure(("max_items", "2"))
    assert scene.kept() == ["c", "d"]


def test_PS27_items_go_with_persistence(scene: Scene) -> None:
    scene.persistent(*"ab")
    scene.configure(("persist_items", "0"))
    assert not ok(scene.get(scene.admin, f"<items node='{scene.n}'/>"))
    scene.configure(("persist_items", "1"))
    assert scene.kept() == []


def test_PS28_a_node_that_closes_ends_the_subscriptions_of_outsiders_and_tells_them(scene: Scene) -> None:
    scene.create()
    outsider, member = scene.subscribed("1001"), scene.subscribed("1002")
    scene.affiliate("1002", "member")
    scene.configure(("access_model", "whitelist"))
    change = single(told(outsider))
    assert (change.name, change.attrs["subscription"]) == ("subscription", "none")
    assert scene.subscribers() == [member.jid]
    scene.put(scene.admin, "i")
    assert (names(outsider), names(member)) == ([], ["item i"])


def test_PS29_the_end_of_a_node_is_told_and_a_new_one_of_its_name_is_empty(scene: Scene) -> None:
    scene.persistent()
    client = scene.subscribed("1001")
    scene.affiliate("1002", "outcast")
    scene.put(scene.admin, "i")
    assert names(client) == ["item i"]
    assert ok(scene.own(scene.admin, f"<delete node='{scene.n}'/>"))
    deleted = single(told(client))
    assert (deleted.name, dict(deleted.attrs)) == ("delete", {"node": scene.n})
    scene.persistent()
    assert (scene.kept(), scene.subscribers()) == ([], [])
    assert "1002" not in scene.affiliations()
    assert entries(scene.get(client, "<subscriptions/>")) == []


def test_PS30_nobody_else_deletes_and_nothing_is_deleted_twice(scene: Scene) -> None:
    scene.create()
    scene.affiliate("1001", "publisher")
    assert condition(scene.own(scene.join("1001"), f"<delete node='{scene.n}'/>")) == ("auth", "forbidden")
    assert ok(scene.own(scene.admin, f"<delete node='{scene.n}'/>"))
    assert condition(scene.own(scene.admin, f"<delete node='{scene.n}'/>")) == ("cancel", "item-not-found")


def test_PS30_a_node_to_delete_has_a_name(scene: Scene) -> None:
    assert refusal(scene.own(scene.admin, "<delete/>")) == ("bad-request", "nodeid-required")


def test_PS31_the_default_configuration_is_what_a_new_node_has(scene: Scene) -> None:
    default = values(verb(scene.own(scene.admin, "<default/>", "get"), OWNER))
    scene.create()
    assert scene.configuration() == default


def test_PS32_collections_are_not_made_in_silence(scene: Scene) -> None:
    beside = f"<configure>{form('node_config', ('node_type', 'collection'))}</configure>"
    answer = scene.set(scene.admin, f"<create node='{scene.n}'/>{beside}")
    assert refusal(answer) == ("feature-not-implemented", "unsupported collections")
    assert scene.n not in [item.attrs.get("node") for item in scene.discover(scene.admin, ITEMS).elements()]
