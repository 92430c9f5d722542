"""The running server on its XMPP ports: who may sign in how, certificates read again, agents seen to go."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.c2s.dialogue import FEATURES, OPEN, SASL, TLS, Stream, plain
from tests.conformance.c2s.test_a_sasl import Scram
from tests.conformance.targets import client_tls
from tests.e2e.process import Lab, Process, Server, demo, poise, serve_beside
from tests.e2e.stage import read_log


class Ports:
    """A running server as `Stream` wants it."""

    host = "localhost"
    name = "poise"

    def __init__(self, server: Server) -> None:
        self.tcp_port: int = server.facts["ports"]["xmpp"]
        self.xmpps_port: int = server.facts["ports"]["xmpp_tls"]

    def stream(self) -> Stream:
        """A connection to the port with STARTTLS."""
        return Stream(self)  # type: ignore[arg-type]  # only what a connection needs

    def direct(self) -> Stream:
        """A connection in TLS."""
        return Stream(self, self.xmpps_port).handshake()  # type: ignore[arg-type]

    def shown(self) -> bytes:
        """The certificate of the TLS port."""
        connection = self.direct().socket
        assert isinstance(connection, ssl.SSLSocket)
        certificate = connection.getpeercert(True)
        assert certificate is not None
        return certificate

    def shown_after_starttls(self) -> bytes:
        """That of the other one."""
        stream = self.stream()
        stream.features()
        stream.say(f"<starttls xmlns='{TLS}'/>")
        stream.hear(f"{{{TLS}}}proceed")
        connection = stream.handshake(client_tls()).socket
        assert isinstance(connection, ssl.SSLSocket)
        certificate = connection.getpeercert(True)
        assert certificate is not None
        return certificate


@pytest.fixture(autouse=True)
def hang_up_streams() -> Iterator[None]:
    """Close the connections a test left open."""
    yield
    while OPEN:
        OPEN.pop().close()


def mechanisms(stream: Stream) -> list[str | None]:
    return [element.text for element in stream.features().iter(f"{{{SASL}}}mechanism")]


def test_sighup_shows_the_renewed_certificate_and_keeps_the_old_one_when_the_new_is_no_good(tmp_path: Path) -> None:
    with demo(tmp_path) as server:
        ports = Ports(server)
        open_before = ports.direct().sign_in("1001")
        before = ports.shown()
        files = server.data / "tls"
        (files / "server.pem").unlink()
        server.signal(signal.SIGHUP)
        server.until(lambda: "CERTIFICATES_READ" in read_log(server.data, "webservices"))
        renewed = ports.shown()
        assert renewed != before
        assert ports.shown_after_starttls() == renewed
        assert open_before.alive()

        (files / "server.pem").unlink()
        (files / "ca.key").write_text("no key")
        server.signal(signal.SIGHUP)
        server.until(lambda: "CERTIFICATES_REFUSED" in read_log(server.data, "webservices"))
        assert ports.shown() == renewed
        assert open_before.alive()


def test_without_the_insecure_switch_nobody_signs_in_before_tls(tmp_path: Path) -> None:
    with Lab(tmp_path) as lab, demo(tmp_path) as seeded:
        seeded.signal(signal.SIGTERM)
        assert seeded.ended() == 0  # it leaves its accounts behind
        with serve_beside(lab, tmp_path, {}) as server:
            ports = Ports(server)
            stream = ports.stream()
            features = stream.features()
            assert features.find(f"{{{TLS}}}starttls/{{{TLS}}}required") is not None
            assert features.find(f"{{{SASL}}}mechanisms") is None
            stream.say(plain("1001"))
            assert stream.failure() == "encryption-required"
            stream.secure()
            assert mechanisms(stream) == ["PLAIN"]
            assert stream.sign_in("1001").alive()
            assert mechanisms(ports.direct()) == ["PLAIN"]


def test_starttls_can_be_switched_off(tmp_path: Path) -> None:
    with demo(tmp_path, settings={"xmpp.starttls": "false", "ports.xmpp_tls": "-1"}) as server:
        assert "xmpp_tls" not in server.facts["ports"]
        stream = Stream(_only_tcp(server))  # type: ignore[arg-type]
        features = stream.open().hear(FEATURES)
        assert features.find(f"{{{TLS}}}starttls") is None
        assert stream.sign_in("1001").alive()


def _only_tcp(server: Server) -> object:
    class OneQuietPort:
        host = "localhost"
        tcp_port = server.facts["ports"]["xmpp"]

    return OneQuietPort()


def test_an_agent_whose_connection_dies_in_silence_is_unavailable_after_the_idle_time(tmp_path: Path) -> None:
    with demo(tmp_path, settings={"xmpp.idle_limit_s": "2", "presence.grace_s": "1"}) as server:
        rest = server.rest("1001")
        dead = Ports(server).direct().sign_in("1001").come()
        assert rest.put("LOGIN", "in", extension="1001").status == 202
        server.until(lambda: rest.state_of("1001") == "NOT_READY")
        assert rest.put("READY", "ready").status == 202
        server.until(lambda: rest.state_of("1001") == "READY")
        server.until(lambda: rest.state_of("1001") != "READY")  # it answers no ping, and is signed out for it
        assert b"urn:xmpp:ping" in dead.rest()
        assert dead.raw.endswith(b"</stream:error></stream:stream>")


def test_wrong_passwords_over_xmpp_lock_the_account_for_rest_too(tmp_path: Path) -> None:
    with demo(tmp_path) as server:
        stream = Ports(server).direct()
        stream.features()
        for n in range(5):
            stream.say(plain("1006", f"wrong{n}"))
            assert stream.failure() == "not-authorized"
        assert stream.refused() == "policy-violation"
        again = Ports(server).direct()
        again.features()
        again.say(plain("1006"))  # the right one: nobody is told of the lock
        assert again.failure() == "not-authorized"
        assert server.rest("1006").get("User/1006").status == 401
        assert server.rest("1005").get("User/1005").status == 200
        server.written()
        assert "1006" in read_log(server.data, "webservices")


def test_scram_works_for_accounts_imported_for_it_and_for_others_from_their_first_sign_in_on(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("login_id,password,roles\n2001,secret,agent\nadmin,admin,administrator\n")
    data = str(tmp_path / "data")
    others = tmp_path / "others.csv"
    others.write_text("login_id,password,roles\n2002,secret,agent\n")
    for arguments in ((str(accounts), "--scram"), (str(others),)):
        command = poise("admin", "import", *arguments, "--data", data)
        with Process(command, tmp_path / "import.err") as importing:
            assert importing.ended(30) == 0
    with Lab(tmp_path) as lab, serve_beside(lab, tmp_path, {"xmpp.scram": "true"}) as server:
        ports = Ports(server)
        for user, before in (("2001", True), ("2002", False)):
            assert signs_in_by_scram(ports, user, "secret") is before
            assert ports_sign_in(ports, user)
            assert signs_in_by_scram(ports, user, "secret")
            assert not signs_in_by_scram(ports, user, "wrong")


def ports_sign_in(ports: Ports, user: str) -> bool:
    """By PLAIN."""
    stream = ports.direct()
    assert mechanisms(stream) == ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
    stream.say(plain(user, "secret"))
    return stream.hear(f"{{{SASL}}}success") is not None


def signs_in_by_scram(ports: Ports, user: str, password: str) -> bool:
    """Whether SCRAM-SHA-256 lets the user in."""
    stream = ports.direct()
    stream.features()
    scram = Scram(stream, "SCRAM-SHA-256", user).challenge()
    stream.raw = b""
    scram.say(scram.final(password))
    stream._wait(lambda: stream.raw.endswith((b"</success>", b"</failure>")), "no verdict")
    return b"<success" in stream.raw
