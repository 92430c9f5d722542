"""Section C of the checklist: what is agreed when a session is created. Also A03, I07 and M02 for creation
requests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poise.protocols.xmpp.bosh import Answer, BodyError, BoshPolicy, BoshSession, Payload, Refused, parse_body
from poise.protocols.xmpp.xml import Element, parse
from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    DOMAIN,
    EXACT,
    FEATURES,
    HTTPBIND,
    R,
    body_xml,
    create,
    creation,
    empty,
    holding,
    message,
    said,
)


def answered(policy: BoshPolicy = EXACT, secure: bool = True, **attrs: str | None) -> Element:
    """The creation answer, parsed."""
    _, effects = create(creation(**attrs), policy, secure)
    answer = effects[0]
    assert isinstance(answer, Answer)
    assert (answer.channel, answer.final, answer.status) == ("creation", False, 200)
    return parse(answer.body)


def refusal(policy: BoshPolicy = EXACT, *stanzas: str, secure: bool = True, **attrs: str | None) -> Refused:
    """How a creation request is refused."""
    with pytest.raises(Refused) as refused:
        create(creation(*stanzas, **attrs), policy, secure)
    return refused.value


def test_C02_C10_C11_C20_N01_N11_the_answer_is_openfires_with_what_xep_0206_adds() -> None:
    _, effects = create(creation(ack="1"), BoshPolicy())
    assert effects == [
        Answer(
            "creation",
            f"<body xmlns='{HTTPBIND}' xmlns:stream='http://etherx.jabber.org/streams' from='{DOMAIN}' authid='7a51'"
            f" sid='9f2c4a' secure='true' requests='2' inactivity='60' polling='5' wait='30' hold='1' ack='{R}'"
            " maxpause='300' ver='1.11' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'"
            " xmpp:restartlogic='true'>".encode()
            + FEATURES
            + b"</body>",
        )
    ]


@pytest.mark.parametrize(("asked", "granted"), [("1", "1"), ("30", "30"), ("99999", "60"), ("0", "0"), (None, "60")])
def test_C03_C04_wait_is_at_most_what_was_asked_and_what_the_server_grants(asked: str | None, granted: str) -> None:
    assert answered(wait=asked).attrs["wait"] == granted


def test_C04_the_default_of_wait_is_a_setting_and_bounded_by_the_maximum() -> None:
    assert answered(replace(EXACT, wait_default_s=45), wait=None).attrs["wait"] == "45"
    assert answered(replace(EXACT, wait_max_s=20), wait=None).attrs["wait"] == "20"


@pytest.mark.parametrize("text", ["-1", "abc", "", "1.5", "1e1", "+1", " 1", "٣", "1" * 5000])
@pytest.mark.parametrize("name", ["wait", "hold"])
def test_C04_wait_and_hold_that_are_no_numbers_are_a_bad_request(name: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        create(parse_body(body_xml(0, to=DOMAIN, **{name: text})))
    assert refused.value.condition == "bad-request"


@pytest.mark.parametrize(
    ("asked", "hold", "requests"), [("1", "1", "2"), ("2", "2", "3"), ("5", "3", "4"), (None, "1", "2")]
)
def test_C05_C06_hold_is_bounded_and_requests_is_one_more(asked: str | None, hold: str, requests: str) -> None:
    attrs = answered(hold=asked).attrs
    assert (attrs["hold"], attrs["requests"]) == (hold, requests)


@pytest.mark.parametrize(("hold", "wait"), [("0", "30"), ("1", "0"), ("0", "0")])
def test_C07_hold_or_wait_of_zero_makes_a_polling_session(hold: str, wait: str) -> None:
    attrs = answered(BoshPolicy(), hold=hold, wait=wait).attrs
    assert (attrs["hold"], attrs["requests"], attrs["wait"]) == ("0", "1", wait)
    assert int(attrs["inactivity"]) == 70
    assert "inactivity" not in answered(BoshPolicy(inactivity_s=None), hold=hold, wait=wait).attrs


def test_C07_a_polling_session_answers_at_once(tell: Teller) -> None:
    story = tell(hold="0")
    story.poll(1, "a")
    story.expect(empty("a"))
    story.send("one", "two")
    story.poll(2, "b")
    story.expect(holding("b", "one", "two"))


def test_C07_in_a_polling_session_a_reply_travels_with_the_answer_to_its_request(tell: Teller) -> None:
    story = tell(hold="0")
    story.post(1, "a", message("question"))
    story.expect(said("question"))
    story.send("reply")
    story.expect(holding("a", "reply"))
    story.post(2, "b", message("no question"))
    story.expect(said("no question"))
    assert story.session.deadline == story.now
    story.wait(0)
    story.expect(empty("b"))


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("1.6", "1.6"),
        ("1.8", "1.8"),
        ("1.9", "1.9"),
        ("1.10", "1.10"),
        ("1.11", "1.11"),
        ("1.12", "1.11"),
        ("2.0", "1.11"),
        ("3.5", "1.11"),
        ("0.9", "0.9"),
    ],
)
def test_C08_the_lower_version_is_found_by_integers(asked: str, granted: str) -> None:
    assert answered(ver=asked).attrs["ver"] == granted


@pytest.mark.parametrize("ver", [None, "", "abc", "1", "1.", "1.6.1", "1.-6", "01.6", "1.٦", "1.999999"])
def test_C09_without_a_proper_version_the_client_is_a_legacy_client(ver: str | None) -> None:
    session, _ = create(creation(ver=ver))
    assert session.legacy
    assert "ver" not in answered(ver=ver).attrs


def test_C10_limits_that_are_not_set_are_not_announced() -> None:
    attrs = answered(BoshPolicy(inactivity_s=None, polling_s=None, maxpause_s=None)).attrs
    assert not {"inactivity", "polling", "maxpause", "ack"} & set(attrs)


def test_C11_secure_is_said_only_where_it_is_true() -> None:
    assert "secure" not in answered(secure=False).attrs


@pytest.mark.parametrize("to", [None, ""])
def test_C12_a_request_without_a_domain_is_improperly_addressed(to: str | None) -> None:
    assert refusal(to=to).condition == "improper-addressing"


def test_C13_an_unknown_domain_is_host_unknown_and_a_former_one_host_gone() -> None:
    policy = replace(EXACT, former_domains=frozenset(("old.test",)))
    assert refusal(policy, to="other.test").condition == "host-unknown"
    assert refusal(policy, to="Old.Test").condition == "host-gone"


def test_C14_domains_are_compared_prepared_and_answered_in_lower_case() -> None:
    assert answered(to="FINESSE.Test").attrs["from"] == DOMAIN
    assert refusal(to=f"pubsub.{DOMAIN}").condition == "host-unknown"
    for to in (f"1001@{DOMAIN}", f"{DOMAIN}/desktop", "a b", "x" * 2000):
        assert refusal(to=to).condition == "improper-addressing"


def test_C15_C16_K02_L06_what_we_do_not_support_or_trust_is_ignored() -> None:
    ignored = answered(
        route="xmpp:169.254.169.254:80", from_=f"admin@{DOMAIN}", newkey="ca393b51", stream="x", charsets="UTF-16"
    )
    assert ignored.attrs == answered().attrs


def test_C17_charsets_and_accept_are_not_offered() -> None:
    assert not {"charsets", "accept", "stream"} & set(answered().attrs)


def test_C18_a_creation_request_with_a_session_id_finds_nothing() -> None:
    assert refusal(sid="").condition == "item-not-found"
    assert refusal(sid="9f2c4a").condition == "item-not-found"


def test_C19_stanzas_in_a_creation_request_are_refused_unless_policy_allows_them() -> None:
    assert refusal(EXACT, message("one")).condition == "bad-request"
    _, effects = create(creation(message("one")), replace(EXACT, allow_creation_payload=True))
    assert [type(effect) for effect in effects] == [Answer, Payload]
    assert effects[1] == said("one")


def test_C20_C21_features_that_are_late_travel_with_a_later_answer(tell: Teller) -> None:
    body = creation()
    session, effects = BoshSession.create(
        body,
        sid="s",
        stream_id="i",
        domain=DOMAIN,
        secure=True,
        policy=EXACT,
        now=0.0,
        channel="creation",
        features=b"",
    )
    assert isinstance(effects[0], Answer)
    assert parse(effects[0].body).children == ()
    assert session.poll(R + 1, "a", 1.0) == ()
    (later,) = session.send(FEATURES, 2.0)
    assert isinstance(later, Answer)
    assert FEATURES in later.body


def test_C22_a_client_without_xmpp_version_gets_features_too() -> None:
    assert [child.name for child in answered(xmpp__version=None).elements()] == ["features"]


@pytest.mark.parametrize(
    ("text", "lang"), [("de", "de"), ("pt-BR", "pt-BR"), (None, None), ("x" * 40, None), ("'", None)]
)
def test_C23_the_language_of_the_session_is_kept_when_it_is_one(text: str | None, lang: str | None) -> None:
    session, _ = create(creation(xml__lang=None if text is None else text.replace("'", "&apos;")))
    assert session.lang == lang


def test_C24_attributes_of_the_creation_appear_in_no_later_answer(tell: Teller) -> None:
    story = tell(ack="1")
    story.poll(1, "a")
    story.send("one")
    story.expect(holding("a", "one"))
    story.poll(2, "b", ack=1)
    story.wait(30)
    story.expect(empty("b"))


@pytest.mark.parametrize(
    ("content", "granted"),
    [
        (None, "text/xml; charset=utf-8"),
        ("text/xml", "text/xml; charset=utf-8"),
        ("text/xml; charset=utf-8", "text/xml; charset=utf-8"),
        ("Text/HTML;charset=UTF-8", "text/html; charset=utf-8"),
        ("application/xml; charset=utf-8", "application/xml; charset=utf-8"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
    ],
)
def test_A03_the_content_type_is_the_clients_when_it_is_on_the_list(content: str | None, granted: str) -> None:
    session, _ = create(creation(content=content))
    assert session.content_type == granted


@pytest.mark.parametrize(
    "content", ["a&#13;&#10;X: y", "text/javascript", "text/xml; charset=latin-1", "text/xml&#10;", "", "text/\u017fml"]
)
def test_A03_any_other_content_type_is_a_bad_request(content: str) -> None:
    assert refusal(content=content).condition == "bad-request"


def test_D02_D09_a_creation_request_needs_a_rid_and_may_have_a_tiny_one() -> None:
    with pytest.raises(BodyError):
        parse_body(body_xml(None, to=DOMAIN))
    session, _ = create(parse_body(body_xml(None, rid="1", to=DOMAIN)))
    assert session.poll(2, "a", 1000.0) == ()


def test_F08_a_repeated_creation_request_makes_another_session() -> None:
    first, _ = create(creation())
    second, _ = create(creation())
    assert first is not second


def test_I07_a_client_without_tls_is_sent_elsewhere_where_policy_says_so() -> None:
    policy = replace(EXACT, redirect_uri="https://finesse.test:7443/http-bind/?a&b")
    assert refusal(policy, secure=False).body == (
        f"<body xmlns='{HTTPBIND}' type='terminate' condition='see-other-uri'>"
        "<uri>https://finesse.test:7443/http-bind/?a&amp;b</uri></body>".encode()
    )
    create(creation(), policy, secure=True)


@pytest.mark.parametrize(("ver", "status"), [("1.6", 200), (None, 400)])
def test_M01_M02_M03_a_refusal_is_a_body_and_a_status_only_for_legacy_clients(ver: str | None, status: int) -> None:
    refused = refusal(ver=ver, wait="abc")
    assert refused.status == status
    assert refused.body == f"<body xmlns='{HTTPBIND}' type='terminate' condition='bad-request'/>".encode()
