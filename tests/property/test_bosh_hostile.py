"""Foreign bytes at the border of BOSH, and clients that keep to no rule: nothing but answers may come of it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from poise.protocols.xmpp.bosh import (
    Answer,
    BodyError,
    BoshPolicy,
    BoshSession,
    Effect,
    Ended,
    Inactivity,
    Overactivity,
    Refused,
    State,
    match_poll,
    parse_body,
)
from poise.protocols.xmpp.xml import parse

NS = "http://jabber.org/protocol/httpbind"
STANZA = "<message xmlns='jabber:client' id='a'/>"
GOOD = f"<?xml version='1.0'?><body rid='1001' sid='s' xmlns='{NS}'>{STANZA}</body>".encode()
POLL = f"<body rid='1001' sid='s' xmlns='{NS}'/>".encode()


def spoilt(data: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with some of them replaced, doubled or left out."""
    place = st.integers(0, len(data))
    return st.tuples(place, place, st.binary(max_size=6)).map(lambda cut: data[: cut[0]] + cut[2] + data[cut[1] :])


@given(st.one_of(st.binary(max_size=300), spoilt(GOOD), spoilt(POLL)))
@example(b"<body")
@example(b"\xff\xfe<\x00b\x00")
def test_any_bytes_are_a_body_or_a_body_error(data: bytes) -> None:
    poll = match_poll(data)
    try:
        body = parse_body(data)
    except BodyError as error:
        refusal = error.answer
    else:
        if poll is not None:
            assert poll == (body.sid, body.rid, body.ack)
            assert not body.children
            assert not body.restart
            assert set(body.attrs) <= {"rid", "sid", "ack"}
        return
    assert parse(refusal).attrs["type"] == "terminate"
    assert poll is None


attribute = st.sampled_from(
    ["wait", "hold", "ver", "to", "content", "xml:lang", "ack", "sid", "from", "route", "charsets", "type", "secure"]
)
value = st.one_of(
    st.sampled_from(["0", "1", "2", "1.6", "a.test", "text/xml", "text/html; charset=utf-8", "de", ""]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>&'\"\ufffe\uffff"), max_size=12),
)


@given(st.dictionaries(attribute, value), st.booleans())
def test_any_creation_request_makes_a_session_or_is_refused(attrs: dict[str, str], secure: bool) -> None:
    words = " ".join(f"{name}='{text}'" for name, text in ({"to": "a.test"} | attrs).items())
    body = parse_body(f"<body xmlns='{NS}' rid='1000' {words}/>".encode())
    try:
        session, effects = BoshSession.create(
            body,
            sid="s",
            stream_id="i",
            domain="a.test",
            secure=secure,
            policy=BoshPolicy(),
            now=0.0,
            channel=0,
            features=b"",
        )
    except Refused as error:
        refused = error
    else:
        (answer,) = effects
        assert isinstance(answer, Answer)
        granted = parse(answer.body).attrs
        assert int(granted["requests"]) == session.requests == int(granted["hold"]) + 1
        assert int(granted["wait"]) <= 60
        assert session.content_type.endswith("; charset=utf-8")
        return
    assert parse(refused.body).attrs["condition"] == refused.condition
    assert refused.status == 200 or "ver" not in attrs or session_is_legacy(attrs["ver"])


def session_is_legacy(ver: str) -> bool:
    """Whether `ver` is no version."""
    major, _, minor = ver.partition(".")
    return not (major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit())


step = st.one_of(
    st.tuples(st.just("poll"), st.integers(-4, 5)),
    st.tuples(
        st.just("post"),
        st.integers(-2, 4),
        st.sampled_from(
            ["", "<message/>", "text", "<", "<!-- -->", "<a/>" * 3],
        ),
        st.sampled_from(
            ["", "type='terminate'", "pause='5'", "pause='x'", "pause='999'", "x:restart='true'", "ack='1001'"]
        ),
    ),
    st.tuples(st.just("send"), st.integers(1, 30)),
    st.tuples(st.just("drop"), st.integers(1, 40)),
    st.tuples(st.just("time"), st.sampled_from([0.0, 0.5, 3.0, 31.0, 100.0])),
    st.tuples(st.just("forgive"), st.sampled_from([5.0, 500.0])),
    st.tuples(st.just("end"), st.sampled_from(["killed", "idle", "shutdown"])),
)


@settings(max_examples=300)
@given(
    st.lists(step, max_size=40),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(list(Overactivity)),
    st.sampled_from(list(Inactivity)),
)
def test_whatever_a_client_does_every_request_is_answered_once_and_the_session_ends_once(
    steps: Sequence[tuple[object, ...]], hold: int, modern: bool, overactivity: Overactivity, inactivity: Inactivity
) -> None:
    policy = BoshPolicy(hold_max=3, overactivity=overactivity, inactivity=inactivity, queue_max_stanzas=40)
    ver = " ver='1.11' ack='1'" if modern else ""
    body = parse_body(f"<body xmlns='{NS}' rid='1000' to='a.test' wait='30' hold='{hold}'{ver}/>".encode())
    session, _ = BoshSession.create(
        body,
        sid="s",
        stream_id="i",
        domain="a.test",
        secure=True,
        policy=policy,
        now=0.0,
        channel=0,
        features=b"",
    )
    now, last, channel = 0.0, 1000, 0
    effects: list[Effect] = []
    dropped: set[object] = set()

    def post(rid: int, stanza: str, attrs: str) -> Sequence[Effect]:
        data = f"<body xmlns='{NS}' xmlns:x='urn:xmpp:xbosh' sid='s' rid='{rid}' {attrs}>{stanza}</body>".encode()
        try:
            return session.request(parse_body(data), channel, now)
        except BodyError as error:
            return session.malformed(error, channel, now)

    for kind, *arguments in steps:
        match kind, arguments:
            case "poll", [int(ahead)]:
                channel += 1
                effects += session.poll(last + ahead, channel, now)
                last = session._last
            case "post", [int(ahead), str(stanza), str(attrs)]:
                channel += 1
                effects += post(last + ahead, stanza, attrs)
                last = session._last
            case "send", [int(count)]:
                for _ in range(count):
                    effects += session.send(b"<message xmlns='jabber:client'/>", now)
            case "drop", [int(which)] if which <= channel:
                dropped.add(which)
                effects += session.channel_closed(which, now)
            case "time", [float(seconds)]:
                now += seconds
                effects += session.due(now)
            case "forgive", [float(seconds)]:
                session.forgive(seconds)
            case "end", [str(code)]:
                effects += session.end(code, now)
    still_alive = session.state is not State.CLOSED
    effects += session.end("shutdown", now)
    endings = [effect for effect in effects if isinstance(effect, Ended)]
    assert len(endings) == 1
    assert endings[0].closed.heard_after <= endings[0].closed.heard_before <= endings[0].closed.at
    answered = [effect.channel for effect in effects if isinstance(effect, Answer)]
    assert len(answered) == len(set(answered)), "a request was answered twice"
    assert set(range(1, channel + 1)) - set(answered) <= dropped, "a request was never answered"
    assert still_alive or session.deadline == float("inf")
    for effect in effects:
        if isinstance(effect, Answer):
            parse(effect.body)
            assert effect.status == 200 or not modern
