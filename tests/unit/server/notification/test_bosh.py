"""BOSH sessions as the service runs them: real sockets, hand-moved time, the real cores above."""

from __future__ import annotations

import re

import pytest

from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.timing import SIGN_IN_S
from tests.support.server import DOMAIN, Server, start
from tests.unit.server.notification.bosh_client import HTTPBIND, NOTIFICATION, BoshClient, Connection
from tests.unit.server.notification.recorder import Recorder

EMPTY = "<body xmlns='http://jabber.org/protocol/httpbind'></body>"
NODE = "/finesse/api/User/1001"
PING = "<iq type='get' id='p' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>"


def subscribe(server: Server, node: str, user: str) -> None:
    server.do(lambda service: service.create_node(node))
    server.do(lambda service: service.subscribe(node, f"{user}@{DOMAIN}"))


def test_a_desktop_signs_in_and_gets_its_notification_on_the_held_poll() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        subscribe(server, NODE, "1001")
        assert server.publish(NODE, NOTIFICATION) == 1
        body = client.connection.read().body
        assert f'<items node="{NODE}">' in body
        assert "&lt;Update/&gt;" in body
        assert re.search(rf'id="{NODE}__1001@{DOMAIN}__[A-Za-z0-9]{{5}}"', body)


def test_a_poll_without_news_is_answered_after_wait_with_the_seeds_57_bytes() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        server.pass_time(29.5)
        assert client.connection.silent()
        server.pass_time(0.5)
        answer = client.connection.read()
        assert (answer.body, answer.headers["content-length"]) == (EMPTY, "57")


def test_a_second_poll_releases_the_held_one_on_the_same_connection() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        server.pass_time(6)
        client.poll()
        assert client.connection.read().body == EMPTY
        server.settle()
        assert client.connection.silent()


def test_sids_are_long_unpredictable_and_url_safe() -> None:
    with start() as server:
        sids = set()
        for _ in range(50):
            client = BoshClient(server)
            client.create()
            assert re.fullmatch(r"[A-Za-z0-9_-]{22}", client.sid)
            sids.add(client.sid)
        assert len(sids) == 50


def test_a_password_that_is_known_is_checked_at_once_and_another_in_a_task() -> None:
    with start() as server:
        cold, warm = BoshClient(server), BoshClient(server)
        for client in (cold, warm):
            client.create()
            assert "<success" in client.auth().body
            assert client.jid in client.bind().body


def test_a_wrong_password_is_refused_and_may_be_tried_again() -> None:
    log = Recorder()
    with start(log=log) as server:
        client = BoshClient(server)
        client.create()
        assert "<not-authorized/>" in client.auth("wrong").body
        assert "<success" in client.auth().body
    failed = log.only("sign_in_failed")
    assert (failed["user"], failed["address"], failed["temporary"]) == ("1001", "127.0.0.1", False)


def test_a_login_name_becomes_the_agents_own_id() -> None:
    with start() as server:
        server.accounts.names["agent1"] = "1001"
        client = BoshClient(server, "agent1")
        client.create()
        assert "<success" in client.auth("1001").body
        assert "<jid>1001@localhost/desktop</jid>" in client.bind().body


def test_an_account_store_that_breaks_costs_the_one_who_signs_in() -> None:
    log = Recorder()
    with start(log=log) as server:
        other = BoshClient(server, "1002").settled()
        client = BoshClient(server)
        client.create()
        with server.broken_accounts():
            answer = client.auth()
        assert "internal-server-error" in answer.body
        assert log.only("session_ended")["closed"].ending.code == "fault"
        assert "broken on purpose" in str(log.only("fault")["error"])
        server.pass_time(30)
        assert other.connection.read().body == EMPTY


def test_an_exception_in_one_session_ends_that_session_alone() -> None:
    log = Recorder()
    with start(log=log) as server:
        other = BoshClient(server, "1002").settled()
        client = BoshClient(server).settled()
        with server.broken_stanzas():
            client.send(PING)
            answers = [client.connection.read().body, client.connection.read().body]
        assert "condition='internal-server-error'" in "".join(answers)
        assert log.only("fault")["jid"] == client.jid
        assert log.only("session_ended")["closed"].ending.code == "fault"
        other.send(PING)
        assert other.connection.read().body == EMPTY
        assert 'type="result"' in other.connection.read().body


def test_a_bind_that_the_host_refuses_is_a_stanza_error() -> None:
    with start() as server:
        clients = [BoshClient(server, resource=f"r{number}") for number in range(21)]
        for client in clients[:20]:
            client.sign_in()
        last = clients[20]
        last.create()
        last.auth()
        assert "<resource-constraint" in last.bind().body


def test_the_same_resource_again_replaces_the_older_session_with_conflict() -> None:
    log = Recorder()
    with start(log=log) as server:
        older = BoshClient(server).settled()
        newer = BoshClient(server).settled()
        body = older.connection.read().body
        assert "condition='remote-stream-error'" in body
        assert "<conflict" in body
        assert log.only("session_ended")["closed"].ending.code == "replaced"
        newer.send(PING)
        assert newer.connection.read().body == EMPTY
        assert 'type="result"' in newer.connection.read().body


def test_a_session_of_tls_is_not_served_in_the_clear_and_is_not_harmed() -> None:
    with start(tls=True) as server:
        client = BoshClient(server, tls=True).settled()
        intruder = Connection(server)
        intruder.send(client.body(client.rid + 1, attrs=" type='terminate'"))
        assert intruder.closed()
        again = Connection(server)
        again.send(client.body(client.rid + 1))
        assert again.closed()
        garbage = Connection(server)
        garbage.send(client.body(client.rid + 1, "<broken"))
        assert garbage.closed()
        server.pass_time(30)
        assert client.connection.read().body == EMPTY


def test_an_unknown_sid_is_item_not_found_whatever_is_asked() -> None:
    with start() as server:
        connection = Connection(server)
        for body in (
            f"<body xmlns='{HTTPBIND}' rid='7' sid='nobody'/>",
            f"<body xmlns='{HTTPBIND}' rid='7' sid='nobody' type='terminate'/>",
            f"<body xmlns='{HTTPBIND}' rid='7' sid=''/>",
        ):
            connection.send(body)
            answer = connection.read()
            assert (answer.status, answer.body) == (
                200,
                f"<body xmlns='{HTTPBIND}' type='terminate' condition='item-not-found'/>",
            )


def test_an_unknown_sid_is_404_where_openfires_habit_is_wanted() -> None:
    with start(compat_openfire_404=True) as server:
        connection = Connection(server)
        connection.send(f"<body xmlns='{HTTPBIND}' rid='7' sid='nobody'/>")
        assert connection.read().status == 404


@pytest.mark.parametrize("body", ["", "hello", "<foo/>", "<body", f"<body xmlns='{HTTPBIND}'>text</body>", "\x00\xff"])
def test_a_body_that_is_none_is_bad_request_and_harms_nobody(body: str) -> None:
    with start() as server:
        client = BoshClient(server).settled()
        connection = Connection(server)
        connection.send(body)
        assert "condition='bad-request'" in connection.read().body
        server.pass_time(30)
        assert client.connection.read().body == EMPTY


def test_a_broken_body_with_the_next_rid_ends_its_session() -> None:
    log = Recorder()
    with start(log=log) as server:
        client = BoshClient(server).settled()
        client.rid += 1
        client.connection.send(client.body(client.rid, "<message>&#1;</message>"))
        bodies = client.connection.read().body + client.connection.read().body
        assert "condition='bad-request'" in bodies
        assert log.only("session_ended")["closed"].ending.code == "bad-request"


def test_a_client_that_leaves_is_told_goodbye_and_its_presence_ends() -> None:
    presence: list[tuple[str, bool, int]] = []
    log = Recorder()
    with start(log=log) as server:
        server.do(lambda service: service.on_presence(lambda p: presence.append((p.user, p.available, p.remaining))))
        client = BoshClient(server).settled()
        client.send("<presence type='unavailable' xmlns='jabber:client'/>", " type='terminate'")
        assert "type='terminate'" in client.connection.read().body
        server.settle()
        assert presence == [("1001", True, 1), ("1001", False, 0)]
        assert log.only("session_ended")["closed"].ending.code == "client-left"


def test_a_notification_waits_for_a_client_whose_connection_broke() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        subscribe(server, NODE, "1001")
        client.connection.close()
        server.settle()
        assert server.publish(NODE, NOTIFICATION) == 1
        client.connection = Connection(server)
        client.connection.send(client.body(client.rid))
        assert "&lt;Update/&gt;" in client.connection.read().body


def test_a_session_that_never_signs_in_ends_at_an_absolute_deadline() -> None:
    log = Recorder()
    with start(log=log) as server:
        client = BoshClient(server)
        client.create()
        for _ in range(int(SIGN_IN_S / 10) - 1):
            client.poll()
            server.pass_time(10)
        client.poll()
        server.pass_time(10)
        bodies = "".join(client.connection.read().body for _ in range(6))
        assert "<connection-timeout" in bodies
        closed = log.only("session_ended")["closed"]
        assert (closed.ending.code, closed.timer_s) == ("auth-timeout", SIGN_IN_S)


def test_half_open_sessions_are_bounded_and_room_comes_back_with_sign_in() -> None:
    with start(admission=AdmissionPolicy(unauthenticated_max=3)) as server:
        clients = [BoshClient(server, str(1001 + number)) for number in range(5)]
        for client in clients[:3]:
            client.create()
            assert client.sid
        assert "condition='policy-violation'" in clients[3].create().body
        clients[0].auth()
        clients[0].bind()
        assert "condition='policy-violation'" not in clients[3].create().body
        assert "condition='policy-violation'" in clients[4].create().body


def test_one_address_creates_only_so_many_sessions_a_minute() -> None:
    with start(admission=AdmissionPolicy(creations_per_minute=6)) as server:
        answers = [BoshClient(server).create().body for _ in range(7)]
        assert ["policy-violation" in answer for answer in answers] == [False] * 6 + [True]
        server.pass_time(10)
        assert "policy-violation" not in BoshClient(server).create().body
        assert server.do(lambda service: service.hub.admission.refused) == 1


def test_a_refused_legacy_client_gets_its_http_status() -> None:
    with start(admission=AdmissionPolicy(creations_per_minute=0)) as server:
        connection = Connection(server)
        connection.send(f"<body xmlns='{HTTPBIND}' to='{DOMAIN}' rid='1' wait='1' hold='1'/>")
        assert connection.read().status == 403


def test_the_client_chooses_the_content_type_from_a_list() -> None:
    with start() as server:
        client = BoshClient(server)
        assert client.create(" content='text/html'").headers["content-type"] == "text/html; charset=utf-8"
        assert client.auth().headers["content-type"] == "text/html; charset=utf-8"
        other = Connection(server)
        other.send(f"<body xmlns='{HTTPBIND}' to='{DOMAIN}' rid='1' content='a&#13;&#10;X: y' ver='1.6'/>")
        answer = other.read()
        assert "bad-request" in answer.body
        assert "x" not in answer.headers


def test_overactivity_is_only_said_where_policy_wants_so() -> None:
    from poise.protocols.xmpp.bosh.timing import Overactivity

    log = Recorder()
    with start(log=log, overactivity=Overactivity.LOG) as server:
        client = BoshClient(server).settled()
        client.poll()
        assert client.connection.read().body == EMPTY
        assert log.all("overactive")[0]["count"] == 1


def test_an_answer_of_a_polling_session_and_its_silence_follow_the_wheel() -> None:
    with start(wait_max_s=0) as server:
        client = BoshClient(server)
        assert " requests='1'" in client.create().body
        client.poll()
        assert client.connection.read().body == EMPTY


class TestDebugLog:
    """What the seed's debug.log needs, told in order."""

    def test_bodies_in_and_out_are_told_and_nothing_secret(self) -> None:
        log = Recorder()
        with start(log=log) as server:
            client = BoshClient(server).settled()
            received = log.all("http_recv")
            assert received[0]["sid"] == ""
            assert b"***</auth>" in received[1]["body"]
            assert received[-1] == {
                "sid": client.sid,
                "body": f"<body xmlns='{HTTPBIND}' sid='{client.sid}' rid='{client.rid}'/>".encode(),
            }
            assert log.all("http_sent")[0]["sid"] == client.sid
        assert b"AG" not in b"".join(values["body"] for values in received if b"<auth" in values["body"])

    def test_an_answer_with_data_is_a_consumed_response(self) -> None:
        log = Recorder()
        with start(log=log) as server:
            client = BoshClient(server).settled()
            subscribe(server, NODE, "1001")
            server.publish(NODE, NOTIFICATION)
            client.connection.read()
            told = log.all("consume_response")[-1]
            assert (told["status"], told["jid"], told["rid"]) == (3, f"1001@{DOMAIN}", client.rid)
            assert f'from="{client.jid}"'.encode() in told["presence"]
            assert log.all("consume_response")[0]["status"] == 1

    def test_nothing_is_prepared_while_debug_is_off(self) -> None:
        log = Recorder(debug=False)
        with start(log=log) as server:
            BoshClient(server).settled()
            assert not log.names("http_recv", "http_sent", "consume_response")
            assert log.names("session_created", "session_bound") == ["session_created", "session_bound"]

    def test_a_terminal_condition_is_told(self) -> None:
        log = Recorder()
        with start(log=log) as server:
            connection = Connection(server)
            connection.send(f"<body xmlns='{HTTPBIND}' rid='7' sid='nobody'/>")
            connection.read()
            connection.send(f"<body xmlns='{HTTPBIND}' rid='7' to='elsewhere.test'/>")
            connection.read()
            client = BoshClient(server).settled()
            client.rid += 50
            client.connection.send(client.body(client.rid))
            client.connection.read()
            client.connection.read()
        assert [(values["sid"], values["condition"]) for values in log.all("http_error")] == [
            ("nobody", "item-not-found"),
            ("", "host-unknown"),
            (client.sid, "item-not-found"),
        ]
