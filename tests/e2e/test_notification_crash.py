"""kill -9 at any moment loses nothing that was acknowledged: subscriptions, nodes, items, messages, documents."""

from __future__ import annotations

import signal
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple, cast

from tests.e2e.desk import DOMAIN, PUBSUB, Desk
from tests.e2e.process import Lab, serve_beside
from tests.e2e.stage import copy_of
from tests.support.server import Server
from tests.unit.server.notification.test_tcp import Stream

TEAM = "/finesse/api/Team/1/Users"
CLIENT = "jabber:client"
FORM = (
    "<configure><x xmlns='jabber:x:data' type='submit'>"
    f"<field var='FORM_TYPE'><value>{PUBSUB}#node_config</value></field>"
    "<field var='pubsub#persist_items'><value>1</value></field></x></configure>"
)


class Where(NamedTuple):
    """As much of a server as a stream needs to know."""

    host: str
    tcp_port: int


def pubsub(inside: str) -> str:
    return f"<pubsub xmlns='{PUBSUB}'>{inside}</pubsub>"


def granted(answer: ET.Element) -> ET.Element:
    assert answer.get("type") == "result", ET.tostring(answer)
    return answer


def message(words: str) -> str:
    return f"<message xmlns='{CLIENT}' type='chat' to='1003@{DOMAIN}'><body>{words}</body></message>"


def acknowledge(desk: Desk) -> None:
    """Have everything sent so far acknowledged: the answer to a ping behind it."""
    granted(desk.ask("<ping xmlns='urn:xmpp:ping'/>", to=DOMAIN))


def test_what_was_acknowledged_is_there_after_kill_9(prepared: Path, tmp_path: Path) -> None:
    copy_of(prepared, tmp_path / "data")
    with Lab(tmp_path) as lab:
        with serve_beside(lab, tmp_path, {}) as first:
            supervisor = first.desk("1101", resource="watcher").come()
            granted(supervisor.subscribe(TEAM))
            admin = first.desk("admin", resource="console").come()
            granted(admin.ask(pubsub(f"<create node='news'/>{FORM}"), "set"))
            for number in range(20):
                item = f"<item id='{number}'><entry xmlns='custom'>{number}</entry></item>"
                granted(admin.ask(pubsub(f"<publish node='news'>{item}</publish>"), "set"))
            agent = first.desk("1001").come()
            granted(agent.ask("<vCard xmlns='vcard-temp'><FN>Agent</FN></vCard>", "set", to=f"1001@{DOMAIN}"))
            for number in range(20):
                agent.say(message(str(number)))
            acknowledge(agent)
            first.signal(signal.SIGKILL)
            assert first.ended() == -signal.SIGKILL

        with serve_beside(lab, tmp_path, {}) as second:
            supervisor = second.desk("1101", resource="watcher").come()
            listed = granted(supervisor.ask(pubsub("<subscriptions/>")))
            assert (TEAM, supervisor.jid) in [
                (entry.get("node"), entry.get("jid")) for entry in listed.iter(f"{{{PUBSUB}}}subscription")
            ]
            agent = second.desk("1001").come()
            agent.log_in()
            assert supervisor.update(TEAM, loginId="1001").state == "NOT_READY"
            items = granted(agent.ask(pubsub("<items node='news'/>")))
            assert [item.get("id") for item in items.iter(f"{{{PUBSUB}}}item")] == [str(n) for n in range(20)]
            card = granted(agent.ask("<vCard xmlns='vcard-temp'/>", to=f"1001@{DOMAIN}"))
            assert card.findtext("{vcard-temp}vCard/{vcard-temp}FN") == "Agent"
            friend = second.desk("1003").come()
            bodies = [friend.hear(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") for _ in range(20)]
            assert bodies == [str(number) for number in range(20)]
            second.signal(signal.SIGTERM)
            assert second.ended() == 0


def test_kill_9_in_the_middle_of_a_burst_loses_nothing_that_was_acknowledged(prepared: Path, tmp_path: Path) -> None:
    copy_of(prepared, tmp_path / "data")
    settings = {"ports.insecure": "true"}
    with Lab(tmp_path) as lab:
        with serve_beside(lab, tmp_path, settings) as first:
            stream = Stream(cast(Server, Where(first.place.host, first.place.ports["xmpp"])), "admin").sign_in()
            stream.send(iq("c", f"<create node='news'/>{FORM}"))
            stream.until('id="c"')
            for number in range(450):
                item = f"<item id='{number}'><entry xmlns='custom'>{'x' * 300}</entry></item>"
                stream.send(iq(f"p{number}", f"<publish node='news'>{item}</publish>"))
            stream.until('id="p100"')  # by now many more are under way
            first.signal(signal.SIGKILL)
            assert first.ended() == -signal.SIGKILL
            acknowledged = {f"{number}" for number in range(450) if f'id="p{number}"' in stream.rest()} | {"100"}

        with serve_beside(lab, tmp_path, settings) as second:
            desk = second.desk("1001").come()
            items = granted(desk.ask(pubsub("<items node='news'/>")))
            stored = [item.get("id") or "" for item in items.iter(f"{{{PUBSUB}}}item")]
            assert {f"{number}" for number in range(100)} | acknowledged <= set(stored)
            assert stored == [str(number) for number in range(len(stored))]
            second.signal(signal.SIGTERM)
            assert second.ended() == 0


def iq(number: str, inside: str) -> str:
    return f"<iq type='set' id='{number}' to='pubsub.{DOMAIN}'>{pubsub(inside)}</iq>"
