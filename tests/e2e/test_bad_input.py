"""Characters that XML forbids never go out, whoever brought them in: the CTI server, REST, or a client.

This is the defect the seed names: one such character in an agent's name brought the original down. Every answer and
every event is parsed here by expat, as every subscriber does.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from urllib.parse import quote

import pytest

from poise.lab.data import DEMO, LabData, SkillGroup, Team
from tests.conformance.wire import http_request
from tests.e2e.conftest import OpenStage
from tests.e2e.desk import Desk, basic, user_body
from tests.e2e.stage import Stage

TEAM = "/finesse/api/Team/1/Users"
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters outside XML 1.0's Char; references to them are refused by the parser."""

NAMES = {
    "control characters": "A\x01\x08\x0b\x0c\x1fx",
    "non-characters": "A\ufffe\uffffx",
    "escape and delete": "A\x1b[2J\x7fx",
    "markup": "<b>]]>&amp;\"'",
    "C1 controls": "A\u0080\u0085x",
    "line breaks": "A\r\n\tx",
}


def people(name: str) -> LabData:
    """The demo's data, agent 1001, his team and his queue all with such a name."""
    agents = tuple(
        replace(person, first_name=name, last_name=name, login_name=f"agent{name}")
        if person.agent_id == "1001"
        else person
        for person in DEMO.people
    )
    return LabData(agents, (Team(1, name), *DEMO.teams[1:]), (SkillGroup(10, name, (1,)), *DEMO.skill_groups[1:]))


def check_clean(*desks: Desk) -> None:
    """Everything the desks ever received is XML, inside and out."""
    for desk in desks:
        for reply in desk.replies:
            text = reply.body.decode("utf-8")
            assert not FORBIDDEN.search(text), text
            for message in ET.fromstring(text):
                for notification in message.iter("{http://jabber.org/protocol/pubsub}notification"):
                    ET.fromstring(notification.text or "")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_from_the_cti_server_go_out_as_xml_or_not_at_all(open_stage: OpenStage, name: str) -> None:
    stage = open_stage(people=people(name))
    watcher = stage.watcher()
    desk = stage.agent("1001")
    update = watcher.update(TEAM, loginId="1001", state="READY")
    desk.ask("<query xmlns='http://jabber.org/protocol/disco#items'/>")
    for path in ("User/1001", "SystemInfo", "User/1001/ReasonCodes?category=NOT_READY"):
        answer = desk.rest.get(path)
        assert answer.status == 200
        assert not FORBIDDEN.search(answer.body.decode())
        ET.fromstring(answer.body)
    users = watcher.rest.get("Users")
    assert not FORBIDDEN.search(users.body.decode())
    shown = desk.rest.get("User/1001").root.findtext("firstName") or ""
    assert update.value("firstName") == shown, "events and answers show the same name"
    assert shown[0] == name[0]
    assert shown[-1] == name[-1]
    check_clean(desk, watcher)


def test_a_name_that_is_plain_comes_through_unharmed(open_stage: OpenStage) -> None:
    stage = open_stage(people=people("Zoë Müller-Łęcka 李 🎧"[:9]))
    assert stage.agent("1001").rest.get("User/1001").root.findtext("firstName") == "Zoë Mülle"


@pytest.mark.parametrize("request_id", ["a\x01b", "a\ufffeb", "a\x7fb", "<&>]]>", "\xff\xfe", "x" * 5000, "a\tb"])
def test_request_ids_come_back_as_xml_or_not_at_all(stage: Stage, request_id: str) -> None:
    desk = stage.agent("1001")
    wire = stage.place.connect("https")
    headers = {**basic("1001"), "Content-Type": "application/xml"}
    raw = http_request("PUT", "/finesse/api/User/1001", user_body("NOT_READY"), headers.items())
    line = b"requestId: " + request_id.encode("utf-8") + b"\r\n"
    head, _, rest = raw.partition(b"\r\n")
    wire.write(head + b"\r\n" + line + rest)
    assert wire.reply().status in (202, 400)
    wire.close()
    stage.settle()
    desk.rest.put("READY")
    desk.user_update("READY")
    check_clean(desk)


BODIES = {
    "reference to a control character": b"<User><state>LOGIN</state><extension>10&#1;01</extension></User>",
    "control character": b"<User><state>LOGIN</state><extension>10\x0101</extension></User>",
    "reference to U+FFFE": b"<User><state>LOGIN</state><extension>10&#xFFFE;01</extension></User>",
    "U+FFFE": "<User><state>LOGIN</state><extension>10\ufffe01</extension></User>".encode(),
    "broken UTF-8": b"<User><state>LOGIN</state><extension>\xc3\x28</extension></User>",
    "surrogates": b"<User><state>LOGIN</state><extension>\xed\xa0\x80</extension></User>",
    "a DTD": b"<!DOCTYPE User [<!ENTITY x 'READY'>]><User><state>&x;</state></User>",
    "NUL": b"<User><state>READY\0</state></User>",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bad_bodies_are_refused_and_reach_nobody(stage: Stage, body: bytes) -> None:
    watcher = stage.watcher()
    watcher.heard()
    rest = stage.rest("1001")
    answer = rest.call("PUT", "/finesse/api/User/1001", body)
    assert answer.status == 400
    assert not FORBIDDEN.search(answer.body.decode())
    assert answer.root.findtext("ApiError/ErrorType")
    stage.settle()
    assert not watcher.updates()
    assert stage.state_at_the_cti_server("1001")[0] == "LOGOUT"


@pytest.mark.parametrize("odd", ["\x01", "\ufffe", "<&>", "\u202e", "\ud800"])
def test_odd_paths_are_answered_with_xml(stage: Stage, odd: str) -> None:
    escaped = quote(odd.encode("utf-8", "surrogatepass"))
    for path in (f"User/{escaped}", f"User/1001/ReasonCode/{escaped}", escaped, f"User/1001?{escaped}"):
        answer = stage.rest("1001").get(path)
        assert answer.status in (200, 400, 401, 404), answer
        assert not FORBIDDEN.search(answer.body.decode())
        ET.fromstring(answer.body)


def test_others_do_not_notice_an_agent_with_a_hostile_name(open_stage: OpenStage) -> None:
    stage = open_stage(people=people("A\x00\ufffe".replace("\x00", "\x02")))
    two = stage.agent("1002")
    stage.agent("1001")
    two.go("NOT_READY", "still-here")
    stage.pass_time(65)
    assert two.rest.state_of("1002") == "NOT_READY"
    assert not two.ended
