"""What every request meets: sign-in, service state, methods, headers, CORS, faults."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from poise.server.webservices import resources, routes
from poise.server.webservices.resources import Answer, Call
from tests.unit.server.agents.stage import USER
from tests.unit.server.webservices.stage import ORIGIN, Rest, basic, play

UNAUTHORIZED = (401, "Authorization Failure", "UNAUTHORIZED")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic " + "QQ" * 5000,
        "Basic bm9jb2xvbg==",
        "Bearer eyJhbGciOi",
        basic("1001", "wrong"),
        basic("nobody"),
        basic("", ":"),
        "Basic //8=",
    ],
)
def test_without_good_credentials_there_is_a_plain_401(authorization: str | None) -> None:
    async def story(rest: Rest) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}
        reply = await rest.get(USER, None, headers=headers)
        assert reply.error[:3] == UNAUTHORIZED
        assert (reply.header("www-authenticate") or "").startswith("Basic ")
        assert reply.header("set-cookie") is None

    play(story)


def test_the_refusal_names_the_user_who_asked() -> None:
    async def story(rest: Rest) -> None:
        assert (await rest.get(USER, "1001", password="x")).value("ErrorData") == "1001"

    play(story)


def test_passwords_in_utf_8_and_latin_1_with_colons() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get("/finesse/api/User/2001", "2001", password="p:ä€")
        assert reply.status == 404  # signed in, but no agent

    play(story)


def test_after_five_failures_the_right_password_reads_like_a_wrong_one() -> None:
    async def story(rest: Rest) -> None:
        for n in range(5):
            await rest.get(USER, "1001", password=f"wrong{n}")
        wrong, right = await rest.get(USER, "1001", password="wrong"), await rest.get(USER)
        assert (right.status, right.body) == (wrong.status, wrong.body)
        assert set(right.headers) == set(wrong.headers)
        rest.contact.clock.advance(301)
        assert (await rest.get(USER)).status == 200

    play(story)


def test_when_accounts_cannot_be_read_the_answer_is_try_again_and_cached_users_go_on() -> None:
    async def story(rest: Rest) -> None:
        await rest.get(USER)
        rest.source.broken = True
        assert (await rest.get(USER)).status == 200
        reply = await rest.get("/finesse/api/User/1002", "1002")
        assert reply.error[:2] == (503, "Service Unavailable")
        assert reply.header("retry-after") is not None

    play(story)


def test_the_session_cookie_is_set_once_and_never_opens_the_door() -> None:
    async def story(rest: Rest) -> None:
        cookie = (await rest.get(USER)).header("set-cookie") or ""
        assert cookie.startswith("JSESSIONID=")
        assert "HttpOnly" in cookie
        assert "Secure" in cookie
        assert "Secure" not in ((await rest.get(USER, scheme="http")).header("set-cookie") or "Secure")
        sent = {"Cookie": cookie.partition(";")[0]}
        assert (await rest.get(USER, headers=sent)).header("set-cookie") is None
        assert (await rest.get(USER, None, headers=sent)).status == 401

    play(story)


def test_out_of_service_everything_answers_503_but_system_info() -> None:
    async def story(rest: Rest) -> None:
        rest.contact.link_down()
        for reply in (
            await rest.get(USER),
            await rest.put("1001", USER, "<User><state>READY</state></User>"),
            await rest.get(USER, None),
            await rest.get("/finesse/api/Nothing"),
        ):
            assert reply.error == (503, "Service Unavailable", "SERVER_OUT_OF_SERVICE", "")
        assert (await rest.get("/finesse/api/SystemInfo", None)).value("status") == "OUT_OF_SERVICE"

    play(story)


@pytest.mark.parametrize("path", ["SystemInfo", "Systeminfo", "systeminfo/", "SYSTEMINFO"])
def test_system_info_needs_no_sign_in_and_takes_any_case(path: str) -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get(f"/finesse/api/{path}", None)
        assert (reply.status, reply.value("status"), reply.value("xmppDomain")) == (200, "IN_SERVICE", "localhost")
        assert reply.value("xmppPubSubDomain") == "pubsub.localhost"

    play(story)


def test_the_clock_of_the_server_alone_has_the_166_bytes_of_the_seed() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get("/finesse/api/Systeminfo?timestamponly&nocache=1492185680998", None)
        assert reply.value("currentTimestamp") == "2023-11-14T22:13:20.000Z"
        assert len(reply.body.replace("<timezoneOffset>0<", "<timezoneOffset>330<")) == 166
        assert "<status>" not in reply.body

    play(story)


def test_a_method_that_is_not_offered_says_which_ones_are() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.ask("DELETE", USER, "1001")
        assert (reply.status, reply.header("allow")) == (405, "GET, PUT")
        assert (await rest.ask("PUT", "/finesse/api/SystemInfo", None, "<x/>")).header("allow") == "GET"

    play(story)


@pytest.mark.parametrize(
    "path", ["", "/", "/Nothing", "/User", "/User/1001/Nothing", "/User/1001/../1002", "/user/1001"]
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get(f"/finesse/api{path}")
        assert reply.error[:2] == (404, "Not Found")
        assert (await rest.get(f"/finesse/api{path}", None)).status == 401

    play(story)


def test_head_is_get() -> None:
    async def story(rest: Rest) -> None:
        assert (await rest.ask("HEAD", USER, "1001")).status == 200

    play(story)


@pytest.mark.parametrize(("sent", "echoed"), [("abc-1", "abc-1"), ("x" * 500, "x" * 128), ("a\x7fb", None), ("", None)])
def test_the_request_id_is_echoed_when_it_is_fit_for_a_header(sent: str, echoed: str | None) -> None:
    async def story(rest: Rest) -> None:
        for user in ("1001", "nobody"):
            assert (await rest.get(USER, user, headers={"requestId": sent})).header("requestid") == echoed

    play(story)


def test_answers_are_data_for_nobody_else() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get(USER)
        assert reply.header("cache-control") == "no-store"
        assert reply.header("x-content-type-options") == "nosniff"
        assert "frame-ancestors 'none'" in (reply.header("content-security-policy") or "")

    play(story)


def test_an_allowed_origin_may_call() -> None:
    async def story(rest: Rest) -> None:
        asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        preflight = await rest.ask("OPTIONS", USER, None, headers=asks)
        assert preflight.status == 200
        assert preflight.header("access-control-allow-origin") == ORIGIN
        assert "requestId" in (preflight.header("access-control-allow-headers") or "")
        assert "PUT" in (preflight.header("access-control-allow-methods") or "")
        reply = await rest.get(USER, headers={"Origin": ORIGIN})
        assert reply.header("access-control-allow-origin") == ORIGIN
        assert reply.header("access-control-allow-credentials") == "true"
        assert reply.header("vary") == "Origin"

    play(story)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", ORIGIN + ".evil.example", "*", "https://CRM.example.com"]
)
def test_other_origins_may_not(origin: str) -> None:
    async def story(rest: Rest) -> None:
        asks = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        preflight = await rest.ask("OPTIONS", USER, None, headers=asks)
        assert (preflight.status, preflight.header("access-control-allow-origin")) == (403, None)
        reply = await rest.get(USER, headers={"Origin": origin})
        assert (reply.status, reply.header("access-control-allow-origin"), reply.header("vary")) == (
            200,
            None,
            "Origin",
        )

    play(story)


def test_a_fault_of_ours_costs_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Call) -> Answer:
        raise ZeroDivisionError("secret detail")

    broken_one = resources.Resource("/User/{user}", {"GET": broken})
    monkeypatch.setattr(routes, "FORMS", routes.by_form((broken_one,)))

    async def story(rest: Rest) -> None:
        reply = await rest.get(USER)
        assert reply.error[:2] == (500, "Internal Server Error")
        assert "secret" not in reply.body
        assert [type(error) for error in rest.log.faults] == [ZeroDivisionError]

    play(story)


def test_every_request_is_told_to_the_log_without_passwords() -> None:
    async def story(rest: Rest) -> None:
        await rest.put("1001", USER, "<User/>", headers={"requestId": "r"})
        await rest.get(USER, "agent1", password="hunter2-secret")
        first, second = rest.log.requests
        assert first == {
            "method": "PUT",
            "path": USER,
            "user": "1001",
            "address": "10.0.0.9",
            "status": 400,
            "elapsed_ms": 0.0,
            "request_id": "r",
        }
        assert (second["user"], second["status"]) == ("agent1", 401)
        assert "secret" not in repr(rest.log.requests)

    play(story)


def test_a_client_that_goes_away_in_the_middle_of_its_body_is_forgotten() -> None:
    async def run() -> None:
        rest = Rest()
        rest.contact.in_service()
        messages: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": b"<User>", "more_body": True},
            {"type": "http.disconnect"},
        ]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return messages.pop(0)

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "PUT",
            "path": USER,
            "query_string": b"",
            "headers": [(b"authorization", basic("1001").encode())],
            "client": ("10.0.0.9", 1),
        }
        await rest.app(scope, receive, send)
        assert sent == []
        assert rest.log.faults == []
        await rest.accounts.close()

    asyncio.run(run())
