"""The host under every order of events: each item once per matching resource, in order; every request answered once."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from poise.protocols.xmpp.delivery import Client, PresenceChanged, Replace, To
from poise.protocols.xmpp.host_limits import HostPolicy
from poise.protocols.xmpp.pubsub.config import NODE_CONFIG, NODE_FIELDS, OPTION_FIELDS, SUBSCRIBE_OPTIONS
from poise.protocols.xmpp.pubsub.verbs import NOT_IMPLEMENTED, VERBS
from poise.protocols.xmpp.records import NodeRecord
from poise.protocols.xmpp.xml import Element, parse
from tests.unit.protocols.xmpp.host_story import USERS, Recorder, Stage, item_ids
from tests.unit.protocols.xmpp.shelf import Shelf, save

NODES = ("/finesse/api/User/1001", "/finesse/api/SystemInfo")
PEOPLE = st.sampled_from(("1001", "1002"))
RESOURCES = st.sampled_from(("desktop", "phone"))
SUBSCRIBERS = st.sampled_from(
    [f"{user}@localhost{tail}" for user in ("1001", "1002") for tail in ("", "/desktop", "/phone")]
)


class Interleavings(RuleBasedStateMachine):
    """A model beside the host: who is there, who subscribes, and what each client must therefore have received."""

    def __init__(self) -> None:
        super().__init__()
        # time stands still here, so that nobody's tokens come back: the rates have stories of their own
        unhurried = HostPolicy(replacement_burst=1_000_000, presence_burst=1_000_000)
        self.stage = Stage(unhurried, may_subscribe=lambda user, node: True)
        self.there: dict[str, tuple[Recorder, int | None]] = {}
        self.subscribed: dict[str, dict[str, None]] = {node: {} for node in NODES}
        self.expected: dict[Recorder, list[tuple[str, str]]] = {}
        self.draining: Iterator[tuple[Client, bytes]] | None = None
        self.published = 0

    @initialize()
    def nodes_exist(self) -> None:
        for node in NODES:
            self.stage.host.create_node(node)

    @rule(user=PEOPLE, resource=RESOURCES)
    def bind(self, user: str, resource: str) -> None:
        client = Recorder()
        jid = self.stage.host.attach(client, user, resource, 0.0)
        self.there[jid] = (client, None)
        self.expected[client] = []

    @rule(user=PEOPLE, resource=RESOURCES, priority=st.integers(-1, 1))
    def available(self, user: str, resource: str, priority: int) -> None:
        self._presence(
            user, resource, f"<presence xmlns='jabber:client'><priority>{priority}</priority></presence>", priority
        )

    @rule(user=PEOPLE, resource=RESOURCES)
    def unavailable(self, user: str, resource: str) -> None:
        self._presence(user, resource, "<presence xmlns='jabber:client' type='unavailable'/>", None)

    def _presence(self, user: str, resource: str, stanza: str, priority: int | None) -> None:
        jid = f"{user}@localhost/{resource}"
        if jid in self.there:
            client, _ = self.there[jid]
            self.stage.host.receive(client, parse(stanza.encode()), 0.0)
            self.there[jid] = (client, priority)

    @rule(user=PEOPLE, resource=RESOURCES)
    def detach(self, user: str, resource: str) -> None:
        known = self.there.pop(f"{user}@localhost/{resource}", None)
        if known is not None:
            self.stage.host.detach(known[0], None, [], 0.0)

    @rule(node=st.sampled_from(NODES), jid=SUBSCRIBERS)
    def subscribe(self, node: str, jid: str) -> None:
        self.stage.host.subscribe(node, jid)
        self.subscribed[node].setdefault(jid)

    @rule(node=st.sampled_from(NODES), jid=SUBSCRIBERS)
    def unsubscribe(self, node: str, jid: str) -> None:
        self.stage.host.unsubscribe(node, jid)
        self.subscribed[node].pop(jid, None)

    @rule(node=st.sampled_from(NODES))
    def publish(self, node: str) -> None:
        self.published += 1
        item = f"i{self.published}"
        count = 0
        for jid in self.subscribed[node]:
            for full, (client, priority) in self.there.items():
                matches = full == jid or (full.startswith(f"{jid}/") and priority is not None and priority >= 0)
                if matches:
                    self.expected[client].append((item, jid))
                    count += 1
        assert self.stage.host.publish(node, item, b"<a/>", 0.0) == count

    @rule(most=st.integers(1, 3))
    def drain_a_little(self, most: int) -> None:
        for _ in range(most):
            self._drain_one()

    def _drain_one(self) -> bool:
        outbox = self.stage.host.outbox
        while self.draining is None and outbox:
            entry = outbox.popleft()
            self.draining = iter([entry] if isinstance(entry, To) else entry)
        if self.draining is None:
            return False
        pair = next(self.draining, None)
        if pair is None:
            self.draining = None
            return True
        client, stanza = pair
        assert isinstance(client, Recorder)
        client.raw.append(stanza)
        return True

    @invariant()
    def views_agree(self) -> None:
        told = {session.jid: session.available for session in self.stage.host.sessions()}
        assert told == {jid: priority is not None for jid, (_, priority) in self.there.items()}

    def teardown(self) -> None:
        while self._drain_one():
            pass
        for client, expected in self.expected.items():
            received = [(item, stanza.attrs["to"]) for stanza in client.got for item in item_ids(stanza)]
            assert received == expected
            ids = [stanza.attrs["id"] for stanza in client.got if stanza.name == "message"]
            assert len(set(ids)) == len(ids)
        self._presence_events_alternate()

    def _presence_events_alternate(self) -> None:
        here: dict[tuple[str, str], bool] = {}
        for event in self.stage.host.events:
            if isinstance(event, PresenceChanged):
                key = (event.user, event.resource)
                assert here.get(key, False) is not event.available
                here[key] = event.available
                assert event.remaining == sum(there for (user, _), there in here.items() if user == event.user)
        replaced = [event.client for event in self.stage.host.events if isinstance(event, Replace)]
        assert len(set(map(id, replaced))) == len(replaced)


Interleavings.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestInterleavings = Interleavings.TestCase


TEXT = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="".join(map(chr, range(32))) + "\ufffe\uffff"), max_size=8
)
ADDRESSES = (
    st.sampled_from(
        (
            "",
            "localhost",
            "pubsub.localhost",
            "1001@localhost",
            "1002@localhost/desktop",
            "9999@localhost",
            "@",
            "far.example",
        )
    )
    | TEXT
)
KINDS = st.sampled_from(
    ("get", "set", "result", "error", "chat", "headline", "groupchat", "unavailable", "subscribe", "probe", "x")
)
NAMES = st.sampled_from(
    (
        *(
            "query",
            "ping",
            "pubsub",
            "create",
            "configure",
            "publish",
            "item",
            "subscribe",
            "unsubscribe",
            "items",
            "delete",
        ),
        *("subscriptions", "body", "priority", "set", "max", "x", "field", "value", "delay", "notification"),
    )
)
SPACES = st.sampled_from(
    (
        "jabber:client",
        "jabber:x:data",
        "jabber:iq:roster",
        "urn:xmpp:ping",
        "http://jabber.org/protocol/rsm",
        "http://jabber.org/protocol/pubsub",
        "http://jabber.org/protocol/pubsub#owner",
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/disco#items",
    )
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(("node", "jid", "id", "type", "var")), TEXT | ADDRESSES | st.just(NODES[0]), max_size=3
)


def elements(children: st.SearchStrategy[Element | str]) -> st.SearchStrategy[Element | str]:
    """Elements with up to three of these inside."""
    return st.builds(Element, NAMES, SPACES, ATTRIBUTES, st.lists(children, max_size=3).map(tuple))


TREES: st.SearchStrategy[Element | str] = st.recursive(TEXT, elements, max_leaves=8)

FIELDS = st.builds(
    lambda var, value: Element(
        "field", "jabber:x:data", {"var": var}, (Element("value", "jabber:x:data", {}, (value,)),)
    ),
    st.sampled_from(("FORM_TYPE", *NODE_FIELDS, *OPTION_FIELDS)),
    st.sampled_from(
        (NODE_CONFIG, SUBSCRIBE_OPTIONS, "0", "1", "true", "open", "whitelist", "never", "leaf", "nonsense")
    ),
)


@st.composite
def anything(draw: st.DrawFn) -> Element:
    """Stanzas as a client could send them: the names of the protocol in any order and nonsense between them."""
    attrs = draw(st.fixed_dictionaries({}, optional={"type": KINDS, "id": TEXT, "to": ADDRESSES, "from": ADDRESSES}))
    children = tuple(draw(st.lists(TREES, max_size=2)))
    return Element(draw(st.sampled_from(("iq", "message", "presence"))), "jabber:client", attrs, children)


@st.composite
def pubsub_requests(draw: st.DrawFn) -> Element:
    """Requests that get as far as a verb, with whatever inside."""
    kind, ns, verb = draw(st.sampled_from(sorted({*VERBS, *(("set", *key) for key in NOT_IMPLEMENTED)})))
    attrs = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "node": st.sampled_from((*NODES, "kept", "new", "")),
                "jid": SUBSCRIBERS | ADDRESSES,
                "notify": st.sampled_from(("1", "false", "x")),
                "max_items": st.sampled_from(("1", "0", "-1", "99999999999")),
            },
        )
    )
    form = Element("x", "jabber:x:data", {"type": "submit"}, tuple(draw(st.lists(FIELDS, max_size=3))))
    item = Element("item", ns, draw(st.sampled_from(({}, {"id": "1"}))), tuple(draw(st.lists(TREES, max_size=2))))
    known = draw(st.sampled_from(("owner", "outcast", "none", "subscribed", "pending", "x")))
    jid = draw(SUBSCRIBERS | ADDRESSES)
    entries = [Element(name, ns, {"jid": jid, name: known}) for name in ("affiliation", "subscription")]
    choices: list[tuple[Element | str, ...]] = [(), (item,), (item, item), ("text",), (form,), *((e,) for e in entries)]
    inside = draw(st.sampled_from(choices))
    name = draw(st.sampled_from(("configure", "options", "publish-options", "set")))
    rsm = Element("set", "http://jabber.org/protocol/rsm", {}, (Element(draw(NAMES), ns, {}, ("1",)),))
    beside = draw(st.sampled_from(((), (Element(name, ns, {}, (form,)),), (Element(name, ns),), (rsm,))))
    wrapper = Element("pubsub", ns, {}, (Element(verb, ns, attrs, inside), *beside))
    return Element("iq", "jabber:client", {"type": kind, "id": "p", "to": "pubsub.localhost"}, (wrapper,))


@settings(max_examples=400, deadline=None)
@given(st.lists(anything() | pubsub_requests(), max_size=6), st.sampled_from(("1001", "admin")), st.booleans())
def test_no_stanza_harms_the_host_or_others_and_every_request_gets_one_answer(
    sent: list[Element], user: str, durable: bool
) -> None:
    stage, shelf = Stage(), Shelf()
    if durable:
        stage.host.restore([NodeRecord("kept", "", 0.0, '{"pubsub#persist_items": ["1"]}')], 0.0)
    for node in NODES:
        stage.host.create_node(node)
        stage.host.subscribe(node, "1002@localhost")
    sender, other = stage.join(user), stage.join("1002")
    for stanza in sent:
        before = len(sender.raw)
        stage.host.receive(sender, stanza, 0.0)
        stage.deliver()
        save(stage, shelf)
        answers = [parse(raw) for raw in sender.raw[before:]]
        if stanza.name == "iq" and stanza.attrs.get("type") in ("get", "set"):
            mine = [a for a in answers if a.name == "iq" and a.attrs["type"] in ("result", "error")]
            passed_on = stanza.attrs.get("to") == "1002@localhost/desktop"
            assert len(mine) == 1 or (passed_on and other.got[-1].name == "iq")
    for received in other.got:
        assert received.attrs["from"].partition("/")[0] in {f"{user}@localhost", "pubsub.localhost"}
    other.raw.clear()
    node = "/finesse/api/SystemInfo"
    if node in stage.host.nodes() and "1002@localhost" in stage.host.subscriptions(node):  # an owner may end either
        assert stage.publish("/finesse/api/SystemInfo", "still-alive") >= 1
        assert "still-alive" in other.items()
    assert {session.user for session in stage.host.sessions()} <= USERS


@settings(max_examples=200, deadline=None)
@given(node=st.text(min_size=1, max_size=20), item=st.text(max_size=20), words=st.binary(max_size=60))
def test_whatever_the_product_publishes_is_xml_or_refused_to_the_product(node: str, item: str, words: bytes) -> None:
    stage = Stage()
    stage.host.create_node(node)
    stage.host.subscribe(node, "1001@localhost")
    client = stage.join("1001")
    text = words.replace(b"<", b"&lt;")
    try:
        stage.host.publish(node, item, b"<notification>" + text + b"</notification>", 0.0)
    except ValueError:
        assert b"&#" in text
        return
    stage.deliver()
    if b"&" not in text.replace(b"&lt;", b""):
        assert len(client.items()) == 1
