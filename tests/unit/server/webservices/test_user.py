"""GET and PUT User, and its reason codes: documented answers and refusals."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from poise.contact.states import Deployment
from poise.protocols.cti.constants import AgentState as Cti
from poise.protocols.cti.outputs import Outcome
from tests.unit.server.agents.stage import UPPER, USER
from tests.unit.server.webservices.stage import Rest, play

LOGIN = "<User><state>LOGIN</state><extension>1001</extension></User>"
READY = "<User><state>READY</state></User>"


def test_an_agent_reads_herself() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get(USER)
        assert reply.status == 200
        assert reply.header("content-type") == "application/xml;charset=UTF-8"
        user = ET.fromstring(reply.body)
        assert user.tag == "User"
        assert user.findtext("uri") == USER
        assert user.findtext("loginName") == "agent1"
        assert user.findtext("state") == "LOGOUT"
        assert user.findtext("teamName") == "Sales"

    play(story)


@pytest.mark.parametrize("target", [f"{USER}/", f"{USER}?nocache=1492185680998&bypassServerCache=true&x", f"{USER}//"])
def test_trailing_slashes_and_unknown_query_parameters_are_ignored(target: str) -> None:
    async def story(rest: Rest) -> None:
        assert (await rest.get(target)).value("loginId") == "1001"

    play(story)


def test_a_login_name_names_a_user_in_get_on_ucce_and_uri_repeats_it() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get("/finesse/api/User/agent1")
        assert (reply.status, reply.value("loginId"), reply.value("uri")) == (200, "1001", "/finesse/api/User/agent1")
        assert (await rest.put("1001", "/finesse/api/User/agent1", READY)).status == 401

    async def express(rest: Rest) -> None:
        assert (await rest.get("/finesse/api/User/agent1")).status == 401

    play(story)
    play(express, Deployment.UCCX)


def test_signing_in_with_the_login_name_is_the_same_user() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get(USER, "Agent1", password="1001")
        assert reply.value("loginId") == "1001"

    play(story)


def test_who_may_read_whom() -> None:
    async def story(rest: Rest) -> None:
        statuses = {
            (caller, target): (await rest.get(f"/finesse/api/User/{target}", caller)).error[:2]
            for caller in ("1001", "1101", "admin")
            for target in ("1002", "9999")
        }
        assert statuses == {
            ("1001", "1002"): (401, "Invalid Authorization User Specified"),
            ("1001", "9999"): (401, "Invalid Authorization User Specified"),  # nobody learns who exists
            ("1101", "1002"): (200, None),
            ("1101", "9999"): (404, "User Not Found"),
            ("admin", "1002"): (200, None),
            ("admin", "9999"): (404, "User Not Found"),
        }

    play(story)


def test_an_account_that_the_cti_server_does_not_know_is_an_unknown_user() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.put("2001", "/finesse/api/User/2001", LOGIN, password="p:ä€")
        assert reply.error == (404, "User Not Found", "UNKNOWN_USER", "2001")

    play(story)


def test_sign_in_is_accepted_with_an_empty_body_and_passed_on_with_its_request_id() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.put("1001", USER, LOGIN, headers={"requestId": "5f9d-1"})
        assert (reply.status, reply.body, reply.header("requestid")) == (202, "", "5f9d-1")
        assert reply.header("content-type") is None
        assert rest.contact.asked() == [("1001", "LOGIN", 0, 0)]
        rest.contact.answer()
        rest.contact.event(Cti.NOT_READY)
        told = rest.contact.publisher.take()[0]
        assert (told.node, told.value("state"), told.value("requestId")) == (USER, "NOT_READY", "5f9d-1")

    play(story)


def test_a_chosen_reason_is_sent_as_the_cti_servers_number() -> None:
    async def story(rest: Rest) -> None:
        rest.contact.event(Cti.AVAILABLE)
        body = "<User><state>NOT_READY</state><reasonCodeId>1</reasonCodeId></User>"
        assert (await rest.put("1001", USER, body)).status == 202
        assert rest.contact.asked() == [("1001", "NOT_READY", 12, 0)]

    play(story)


def test_a_supervisor_changes_a_member_of_her_team() -> None:
    async def story(rest: Rest) -> None:
        rest.contact.event(Cti.AVAILABLE)
        assert (await rest.put("1101", USER, "<User><state>LOGOUT</state></User>")).status == 202
        assert rest.contact.asked() == [("1001", "LOGOUT", 999, 0)]

    play(story)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("<User><state>READY</state>", (400, "Bad Request")),
        ("not xml", (400, "Bad Request")),
        ("", (400, "Bad Request")),
        ("<!DOCTYPE User [<!ENTITY a 'READY'>]><User><state>&a;</state></User>", (400, "Bad Request")),
        ("<User><state>READY</state><!-- hidden --></User>", (400, "Bad Request")),
        ("<User><state>\x01</state></User>", (400, "Bad Request")),
        ("<Dialog><state>READY</state></Dialog>", (400, "Bad Request")),
        ("<User></User>", (400, "Parameter Missing")),
        ("<User><state/></User>", (400, "Parameter Missing")),
        ("<User><state>LOGIN</state></User>", (400, "Parameter Missing")),
        ("<User><state>LOGIN</state><extension>12a</extension></User>", (400, "Invalid Input")),
        ("<User><state>DANCING</state></User>", (400, "Invalid Input")),
        ("<User><state>TALKING</state></User>", (400, "Invalid Input")),
        ("<User><state>NOT_READY</state><state>READY</state></User>", (400, "Invalid Input")),
        ("<User><state>READY</state><reasonCodeId>77</reasonCodeId></User>", (400, "Invalid Input")),
        ("<User><state>READY</state><reasonCodeId>1</reasonCodeId></User>", (400, "Invalid Input")),
        (
            "<User><state>LOGIN</state><extension>1</extension><reasonCodeId>1</reasonCodeId></User>",
            (400, "Invalid Input"),
        ),
        ("<User><state>NOT_READY</state><reasonCodeId>77</reasonCodeId></User>", (400, "Invalid Input")),
        ("<User><state>NOT_READY</state><reasonCodeId>2</reasonCodeId></User>", (400, "Invalid Input")),
        ("<User><state>NOT_READY</state><reasonCodeId>3</reasonCodeId></User>", (400, "Invalid Input")),
        ("<User><state>LOGOUT</state></User>", (400, "Invalid State")),
        ("<User>" + "<a>" * 100 + "</a>" * 100 + "</User>", (413, "Invalid Input")),
        ("<User>" + " " * 70_000 + "</User>", (413, "Invalid Input")),
    ],
)
def test_a_bad_change_is_refused_with_the_documented_status(body: str, error: tuple[int, str]) -> None:
    async def story(rest: Rest) -> None:
        rest.contact.event(Cti.AVAILABLE)
        reply = await rest.put("1001", USER, body)
        assert reply.error[:2] == error
        assert ET.fromstring(reply.body).tag == "ApiErrors"
        assert rest.contact.asked() == []
        assert rest.log.faults == []

    play(story)


@pytest.mark.parametrize("none", ["<reasonCodeId>-1</reasonCodeId>", "<reasonCodeId/>"])
def test_a_client_that_always_sends_the_reason_says_none_with_it(none: str) -> None:
    async def story(rest: Rest) -> None:
        rest.contact.event(Cti.NOT_READY)
        assert (await rest.put("1001", USER, f"<User><state>READY</state>{none}</User>")).status == 202
        assert rest.contact.asked() == [("1001", "READY", 0, 0)]

    play(story)


def test_a_wrong_root_is_named() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.put("1001", USER, "<Dialog><state>READY</state></Dialog>")
        assert reply.value("ErrorData") == "Dialog instead of User"

    play(story)


def test_an_agent_whose_id_is_in_upper_case_is_served_in_any_case() -> None:
    """The CTI server says AGENT7, the account and the JID agent7, and people type what they like."""

    async def story(rest: Rest) -> None:
        rest.contact.configure(UPPER)
        rest.contact.clock.advance(0)
        for typed, named in (("AGENT7", "AGENT7"), ("agent7", "agent7"), ("Agent7", "aGENT7")):
            reply = await rest.get(f"/finesse/api/User/{named}", typed, password="secret7")
            assert reply.status == 200
            assert (reply.value("loginId"), reply.value("uri")) == ("AGENT7", "/finesse/api/User/AGENT7")
        assert (await rest.get("/finesse/api/User/AGENT7", "1101")).status == 200
        assert (await rest.get("/finesse/api/User/AGENT7", "1001")).error[:2] == (
            401,
            "Invalid Authorization User Specified",
        )
        body = "<User><state>LOGIN</state><extension>7007</extension></User>"
        assert (await rest.put("agent7", "/finesse/api/User/agent7", body, password="secret7")).status == 202
        assert rest.contact.asked() == [("AGENT7", "LOGIN", 0, 0)]

    play(story)


def test_utf_16_is_refused() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.ask("PUT", USER, "1001", READY.encode("utf-16"))
        assert reply.error[:2] == (400, "Bad Request")

    play(story)


def test_a_body_may_come_in_pieces() -> None:
    async def story(rest: Rest) -> None:
        assert (await rest.put("1001", USER, LOGIN, chunks=7)).status == 202

    play(story)


def test_a_body_of_a_type_that_browsers_send_unasked_is_refused() -> None:
    async def story(rest: Rest) -> None:
        for content_type, status in (("text/plain", 400), ("text/xml; charset=utf-8", 202)):
            reply = await rest.put("1001", USER, LOGIN, headers={"Content-Type": content_type})
            assert reply.status == status

    play(story)


def test_ready_without_sign_in_is_accepted_and_fails_as_an_event() -> None:
    async def story(rest: Rest) -> None:
        assert (await rest.put("1001", USER, READY, headers={"requestId": "r"})).status == 202
        rest.contact.answer(Outcome.REFUSED, 257)
        told = rest.contact.publisher.take()[0]
        assert (told.value("errorData"), told.value("requestId")) == ("257", "r")

    play(story)


def test_reason_codes_of_a_user_are_those_offered_to_the_team() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get(f"{USER}/ReasonCodes?category=NOT_READY&nocache=1")
        reasons = ET.fromstring(reply.body)
        assert reasons.attrib == {"category": "NOT_READY"}
        assert [reason.findtext("label") for reason in reasons] == ["Lunch"]
        everything = ET.fromstring((await rest.get(f"{USER}/ReasonCodes?category=ALL")).body)
        assert [reason.findtext("label") for reason in everything] == ["Lunch", "End of shift"]

    play(story)


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("ReasonCodes", (400, "Parameter Missing", "category")),
        ("ReasonCodes?category=", (400, "Parameter Missing", "category")),
        ("ReasonCodes?category=LUNCH", (400, "Invalid Input", "category")),
        ("ReasonCode/99", (404, "Not Found", "99")),
        ("ReasonCode/3", (404, "Not Found", "3")),
        ("ReasonCode/x", (404, "Not Found", "x")),
        ("ReasonCode/٣", (404, "Not Found", "٣")),
        ("ReasonCode/" + "9" * 5000, (404, "Not Found", "9" * 64)),
    ],
)
def test_reason_codes_that_are_not_there(target: str, error: tuple[int, str, str]) -> None:
    async def story(rest: Rest) -> None:
        status, kind, _, data = (await rest.get(f"{USER}/{target}")).error
        assert (status, kind, data) == error

    play(story)


def test_one_reason_code() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get(f"{USER}/ReasonCode/1")
        assert (reply.value("label"), reply.value("uri")) == ("Lunch", "/finesse/api/ReasonCode/1")

    play(story)


def test_a_foreign_users_reason_codes_are_not_shown() -> None:
    async def story(rest: Rest) -> None:
        for target in ("ReasonCodes?category=ALL", "ReasonCode/1"):
            assert (await rest.get(f"{USER}/{target}", "1002")).status == 401

    play(story)


def test_the_list_of_users_is_for_administrators() -> None:
    async def story(rest: Rest) -> None:
        reply = await rest.get("/finesse/api/Users", "admin")
        assert [user.findtext("loginId") for user in ET.fromstring(reply.body)] == ["1001", "1002", "1101"]
        assert (await rest.get("/finesse/api/Users", "1101")).status == 401

    play(story)
