"""Where a domain's endpoints are, as clients look it up (XEP-0156)."""

from __future__ import annotations

import json
import socket
import xml.etree.ElementTree as ET

import pytest

from poise.server.notification.host_meta import host_meta
from tests.support.server import start
from tests.support.websocket import PATIENCE_S, Answer, WebSocket

XRD = "{http://docs.oasis-open.org/ns/xri/xrd-1.0}"
XML, JSON = "/.well-known/host-meta", "/.well-known/host-meta.json"
BOSH, WEBSOCKET = "urn:xmpp:alt-connections:xbosh", "urn:xmpp:alt-connections:websocket"


def links(domain: str, *listeners: tuple[bool, int]) -> list[tuple[str, str]]:
    """The links of both forms, which must be the same."""
    pages = host_meta(domain, listeners)
    root = ET.fromstring(pages[XML.encode()].body)
    assert root.tag == f"{XRD}XRD"
    of_xml = [(link.attrib["rel"], link.attrib["href"]) for link in root.iter(f"{XRD}Link")]
    of_json = [(link["rel"], link["href"]) for link in json.loads(pages[JSON.encode()].body)["links"]]
    assert of_xml == of_json
    return of_xml


def test_both_endpoints_of_each_port_are_named() -> None:
    assert links("desk.example", (True, 8445), (True, 7443)) == [
        (BOSH, "https://desk.example:8445/http-bind/"),
        (WEBSOCKET, "wss://desk.example:8445/ws/"),
        (BOSH, "https://desk.example:7443/http-bind/"),
        (WEBSOCKET, "wss://desk.example:7443/ws/"),
    ]


def test_ports_without_tls_are_named_only_where_there_is_no_other() -> None:
    assert all(href.startswith(("https:", "wss:")) for _, href in links("desk.example", (True, 7443), (False, 7071)))
    assert links("desk.example", (False, 7071))[1] == (WEBSOCKET, "ws://desk.example:7071/ws/")
    assert links("desk.example") == []


def test_an_address_of_ip_version_6_is_put_in_brackets() -> None:
    assert links("::1", (True, 7443))[0] == (BOSH, "https://[::1]:7443/http-bind/")


def ask(port: int, method: str, path: str) -> Answer:
    client = WebSocket(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))
    with client.socket:
        client.send(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://any.example\r\n\r\n".encode())
        if method != "HEAD":
            return client.answer()
        client.socket.shutdown(socket.SHUT_WR)
        head = client.rest().decode().partition("\r\n\r\n")
        assert head[2] == ""
        return Answer(int(head[0].split()[1]), {"head": head[0].lower()}, b"")


@pytest.mark.parametrize(("path", "kind"), [(XML, "application/xrd+xml; charset=utf-8"), (JSON, "application/json")])
def test_a_running_service_serves_it_to_pages_of_any_origin(path: str, kind: str) -> None:
    with start(tls=True) as server:
        answer = ask(server.port, "GET", path)
        assert (answer.status, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert f"wss://localhost:{server.tls_port}/ws/".encode() in answer.body
        assert f":{server.port}/".encode() not in answer.body
        assert f"content-length: {len(answer.body)}" in ask(server.port, "HEAD", path + "?x=1").headers["head"]
        refused = ask(server.port, "POST", path)
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def test_other_well_known_paths_are_not_there() -> None:
    with start() as server:
        assert ask(server.port, "GET", "/.well-known/other").status == 404
