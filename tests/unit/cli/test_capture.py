"""`poise capture`: commands that are right, a list that is the seed's, and real recordings that can be analysed."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from poise.tools import mitm_addon
from poise.tools.capturing import CaptureError, ProxyPlan, TcpPlan, certificate_steps, mitmdump
from tests.support.needs import need
from tests.unit.cli.demo_server import POISE, demo, environment, free_port

MITMDUMP = os.environ.get("POISE_MITMDUMP") or shutil.which("mitmdump") or ""


def test_packets_are_filtered_as_the_seed_does() -> None:
    assert TcpPlan(Path("x"), "fin1").filter == "host fin1 and (tcp port 7443 or tcp port 8445 or tcp port 443)"
    assert TcpPlan(Path("x"), ports=(7443,)).filter == "tcp port 7443"


def test_a_ring_keeps_ten_files_of_a_tenth_each() -> None:
    need("dumpcap")
    command = TcpPlan(Path("x"), ring_mb=50).command()
    assert command[command.index("-b") + 1] == "filesize:5000"
    assert "files:10" in command


def test_the_proxy_writes_har_and_flows_and_stands_in_for_every_port() -> None:
    plan = ProxyPlan("fin1", Path("out"), reverse=True, ports=(7443, 8445), shift=10_000, ca=Path("ca.pem"))
    command = plan.command(Path("mitmdump"), Path("authority"))
    assert [part for part in command if part.startswith("reverse:")] == [
        "reverse:https://fin1:7443@127.0.0.1:17443",
        "reverse:https://fin1:8445@127.0.0.1:18445",
    ]
    assert {"hardump=out/capture.har", "confdir=authority", "ssl_verify_upstream_trusted_ca=ca.pem"} <= set(command)


def test_without_mitmproxy_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CaptureError, match="--install"):
        mitmdump()


def test_the_steps_name_every_browser_and_how_to_take_the_trust_back() -> None:
    text = certificate_steps(Path("authority"))
    assert all(word in text for word in ("Firefox", "Chrome", "Edge", "remove it afterwards", "authority"))


@pytest.mark.parametrize(
    ("request_body", "answer", "told"),
    [
        ("<body rid='7'/>", "<body xmlns='x'></body>", "rid 7; empty; held 30.0 s"),
        ("<body rid='7'/>", "<body type='terminate' condition='item-not-found'/>", "server ends it: item-not-found"),
        ("<body rid='7'/>", "<body><message><event><items node='/finesse/api/User/1001'>", "event /finesse/api/User"),
        ("<body rid='7' type='terminate'><presence/></body>", "<body/>", "client says goodbye"),
        ("<body rid='7'/>", "<html>504 Gateway Time-out", "no BOSH"),
    ],
)
def test_bosh_is_decoded_in_the_comments(request_body: str, answer: str, told: str) -> None:
    assert told in mitm_addon.comments(request_body, answer, 30.0, poll=True)


def poll(port: int, body: str) -> bytes:
    """One request through the proxy, whose certificate is not looked at."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), 20) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as secured,
    ):
        head = f"POST /http-bind/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        secured.sendall(f"{head}Content-Type: text/xml\r\n\r\n{body}".encode())
        answer = b""
        while part := secured.recv(65_536):
            answer += part
        return answer


@pytest.mark.skipif(not MITMDUMP, reason="needs mitmproxy: poise capture proxy --install, or POISE_MITMDUMP")
def test_a_recording_through_the_proxy_shows_polls_and_is_analysed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with demo(tmp_path / "data") as server:
        port, shift = server.facts["ports"]["notification"], 0
        listen = free_port()
        shift = listen - port
        command = [*POISE, "capture", "proxy", "localhost", "--reverse", f"--server-port={port}", f"--shift={shift}"]
        command += [f"--folder={out}", f"--mitmdump={MITMDUMP}", "--insecure"]
        more = environment(XDG_DATA_HOME=str(tmp_path / "share"))
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=more) as child:
            assert child.stdout is not None
            assert "Result" in child.stdout.readline()
            opening = "<body xmlns='http://jabber.org/protocol/httpbind' rid='7' to='localhost' hold='1' wait='30'"
            assert b"sid=" in poll(listen, f"{opening} ver='1.6' content='text/xml'/>")
            line = child.stdout.readline()
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=30)
    assert "200 HTTPS" in line
    assert "rid 7; came stream:features" in line
    done = subprocess.run([*POISE, "analyze", str(out)], capture_output=True, text=True, env=environment())
    assert "capture.har: HAR, 1 lines, 1 understood" in done.stdout
    assert "capture.mitm: mitmproxy flows, 1 lines, 1 understood" in done.stdout


def until(descriptor: int, pattern: bytes) -> None:
    """Read what a program says until it has said this."""
    said = b""
    while not re.search(pattern, said):
        assert select.select([descriptor], [], [], 20)[0], said
        part = os.read(descriptor, 65_536)
        assert part, said
        said += part


def may_capture() -> bool:
    if shutil.which("dumpcap") is None:
        return False
    done = subprocess.run(["dumpcap", "-D"], capture_output=True)
    return done.returncode == 0 and b"lo" in done.stdout and os.geteuid() == 0


@pytest.mark.skipif(not may_capture(), reason="needs the right to capture on the loopback interface")
def test_a_recording_of_packets_is_analysed_with_the_keys_beside_it(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as server:
        port, capture, keys = server.facts["ports"]["notification"], tmp_path / "a.pcapng", tmp_path / "keys.log"
        command = [*POISE, "capture", "tcp", "--interface=lo", f"--port={port}", f"--output={capture}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment()) as child:
            assert child.stderr is not None
            until(child.stderr.fileno(), rb"File: ")
            context = ssl.create_default_context(cafile=server.facts["ca"])
            context.keylog_filename = str(keys)
            with (
                socket.create_connection(("127.0.0.1", port), 20) as raw,
                context.wrap_socket(raw, server_hostname="localhost") as secured,
            ):
                body = "<body xmlns='http://jabber.org/protocol/httpbind' rid='7' to='localhost' sid='gone'/>"
                head = f"POST /http-bind/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
                secured.sendall(f"{head}{body}".encode())
                assert b"item-not-found" in secured.recv(65_536)
            until(child.stderr.fileno(), rb"Packets: [1-9]\d")
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=30)
    done = subprocess.run(
        [*POISE, "analyze", str(capture), str(keys), "--json"], capture_output=True, text=True, env=environment()
    )
    (disconnect,) = json.loads(done.stdout)["disconnects"]
    polls = [event["text"] for event in disconnect["timeline"] if event["kind"] == "long poll"]
    assert "POST https://localhost/http-bind/ 200" in polls[0]
