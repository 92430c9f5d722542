"""The desktop's files: what is sent, under which headers, and what is said when there are none."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette

from poise.server.desktop import files, pages
from poise.server.desktop.pages import Desktop, RuntimeConfig

CONFIG = RuntimeConfig("a.example", "bosh", "/http-bind/", "/ws/", 0, 60.0, 60.0, "b.example")


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def get(desktop: Desktop, path: str, **headers: str) -> Answer:
    """One request, through the ASGI interface."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "a", **headers}.items()]
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": pairs, "http_version": "1.1", "scheme": "https", "root_path": "", "server": ("a", 8445),
    }  # fmt: skip
    asyncio.run(Starlette(routes=desktop.routes())(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], {n.decode(): v.decode() for n, v in sent[0]["headers"]}, body)


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Poise</title>" + " " * 500)
    (tmp_path / "assets" / "main-1a2b.js").write_text("export {};" * 100)
    (tmp_path / "assets" / "icon-1.svg").write_text("<svg/>")
    return Desktop(files.load(tmp_path), CONFIG)


@pytest.mark.parametrize("path", ["/", "/desktop"])
def test_the_way_to_the_desktop_is_shown(desktop: Desktop, path: str) -> None:
    answer = get(desktop, path)
    assert (answer.status, answer.headers["location"]) == (302, "/desktop/")


def test_the_page_is_asked_for_again_each_time(desktop: Desktop) -> None:
    answer = get(desktop, "/desktop/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    again = get(desktop, "/desktop/", if_none_match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_files_with_a_hash_in_their_name_are_kept_for_ever(desktop: Desktop) -> None:
    answer = get(desktop, "/desktop/assets/main-1a2b.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")


def test_files_are_compressed_for_those_who_understand_it(desktop: Desktop) -> None:
    plain = get(desktop, "/desktop/assets/main-1a2b.js")
    zipped = get(desktop, "/desktop/assets/main-1a2b.js", accept_encoding="br, gzip")
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert "content-encoding" not in get(desktop, "/desktop/assets/icon-1.svg", accept_encoding="gzip").headers


@pytest.mark.parametrize(
    "path",
    ["/desktop/nothing.js", "/desktop/../../etc/passwd", "/desktop/%2e%2e/secret", "/desktop/assets", "/desktop/\0"],
)
def test_there_is_nothing_but_the_built_files(desktop: Desktop, path: str) -> None:
    assert get(desktop, path).status == 404


@pytest.mark.parametrize("path", ["/desktop/", "/desktop/config.json", "/desktop/assets/main-1a2b.js", "/desktop/no"])
def test_every_answer_is_under_the_policy(desktop: Desktop, path: str) -> None:
    headers = get(desktop, path, host="a.example:8445").headers
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'self' wss://a.example:8445;" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil; script-src *", "a b", "a,b", "'none'", "a/", "[::1", ""])
def test_a_host_header_cannot_widen_the_policy(desktop: Desktop, host: str) -> None:
    assert "connect-src 'self'; " in get(desktop, "/desktop/", host=host).headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "named"), [("a.example:8445", "a.example"), ("a.example", "a.example"), ("[::1]:8445", "[::1]")]
)
def test_a_notification_service_on_another_port_is_allowed(desktop: Desktop, host: str, named: str) -> None:
    other = RuntimeConfig("a.example", "websocket", "/http-bind/", "/ws/", 7443, 60.0, 60.0, "")
    policy = get(Desktop(desktop.files, other), "/desktop/", host=host).headers["content-security-policy"]
    assert f"https://{named}:7443 wss://{named}:7443;" in policy


def test_the_page_is_told_about_its_server(desktop: Desktop) -> None:
    answer = get(desktop, "/desktop/config.json")
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(answer.body) == {
        "domain": "a.example",
        "transport": "bosh",
        "boshPath": "/http-bind/",
        "webSocketPath": "/ws/",
        "notificationPort": 0,
        "idleLimitS": 60.0,
        "graceS": 60.0,
        "alternate": "b.example",
        "locales": ["en", "pt-BR", "es"],
    }


def test_an_absent_desktop_says_so(tmp_path: Path) -> None:
    absent = Desktop(files.load(tmp_path), CONFIG)
    answer = get(absent, "/desktop/")
    assert answer.status == 503
    assert b"not part of this installation" in answer.body
    assert get(absent, "/desktop/config.json").status == 200


def test_the_built_page_has_nothing_inline() -> None:
    built = files.load()
    if not built:
        pytest.skip("the desktop was not built here: bash tools/build-desktop.sh")
    page = built[files.PAGE].plain.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    assert "style=" not in page
    assert re.findall(r"https?://", page) == []
    zipped = sum(len(file.zipped or file.plain) for file in built.values())
    assert zipped <= 150_000, f"{zipped} bytes: the first paint must stay under a second"


def test_every_language_has_a_catalogue() -> None:
    folder = Path(pages.__file__).parent / "locales"
    assert {path.stem for path in folder.glob("*.json")} == set(pages.LOCALES)
    keys = [list(json.loads((folder / f"{name}.json").read_text("utf-8"))) for name in pages.LOCALES]
    assert keys[0] == keys[1] == keys[2]


def test_no_text_of_the_catalogue_is_unused() -> None:
    web = Path(__file__).parents[4] / "web"
    sources = "\n".join(
        path.read_text("utf-8") for top in ("core", "ui") for path in (web / top).rglob("*") if path.is_file()
    )
    computed = re.compile(
        r"(?:state|language|keys|refused|signin\.mobile|call\.(?:state|cause|action|type)|health\.(?:worker|service)|"
        r"team\.column|queues|test\.(?:all|check|verdict|server|tls|clock|bosh|buffering|longPoll|webSocket|worker|timers|storage))\..+"
    )
    english = json.loads((Path(pages.__file__).parent / "locales" / "en.json").read_text("utf-8"))
    unused = [key for key in english if f"'{key}'" not in sources and not computed.fullmatch(key)]
    assert unused == []
