"""POST ClientLog and CompressedClientLog: stored, confirmed by an event, refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.server.serviceability.client_logs import ClientLogs
from poise.server.webservices.app import web_services
from poise.server.webservices.multipart import FormError, first_file
from tests.unit.server.serviceability.test_client_logs import archive
from tests.unit.server.webservices.stage import ORIGIN, Reply, Rest, play

LOG = "/finesse/api/User/1001/ClientLog"
ZIP = "/finesse/api/User/1001/CompressedClientLog"
BODY = "<ClientLog><logData>Mozilla/5.0&#10;a line</logData></ClientLog>"
Story = Callable[[Rest], Awaitable[None]]


def play_with(folder: Path, story: Story) -> None:
    """A server that keeps logs in the folder."""

    async def with_folder(rest: Rest) -> None:
        logs = ClientLogs(folder, rest.contact.clock.wall)
        rest.app = web_services(replace(rest.services, client_logs=logs))
        try:
            await story(rest)
        finally:
            logs.close()

    play(with_folder)


def form(content: bytes, name: str = 'name="logData"; filename="log.zip"') -> bytes:
    before = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'
    head = f"--b\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode()
    return before + head + content + b"\r\n--b--\r\n"


def stored(folder: Path) -> list[bytes]:
    """What lies in the folder."""
    return [path.read_bytes() for path in folder.iterdir()]


async def post(
    rest: Rest, path: str, body: bytes | str, content_type: str = "", who: str = "1001", **more: str
) -> Reply:
    headers = {"requestId": "r9", **({"Content-Type": content_type} if content_type else {}), **more}
    return await rest.ask("POST", path, who, body, headers=headers)


def test_a_log_is_stored_and_the_event_on_its_node_confirms_it(tmp_path: Path) -> None:
    async def story(rest: Rest) -> None:
        reply = await post(rest, LOG, "\n" + BODY)
        assert (reply.status, reply.body) == (202, "")
        (file,) = stored(tmp_path)
        assert file.decode() == "Mozilla/5.0\na line"
        (told,) = rest.contact.publisher.take()
        assert (told.node, told.value("source"), told.value("event"), told.value("requestId")) == (
            LOG,
            LOG,
            "POST",
            "r9",
        )
        assert f"<clientLog>\n<uri>{LOG}</uri>\n</clientLog>" in told.text

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    "content_type", ["application/zip", "application/octet-stream", "multipart/form-data; boundary=b"]
)
def test_a_compressed_log_is_stored_as_it_came(tmp_path: Path, content_type: str) -> None:
    async def story(rest: Rest) -> None:
        data = archive(b"a line\n" * 100)
        sent = form(data) if "multipart" in content_type else data
        assert (await post(rest, ZIP, sent, content_type)).status == 202
        assert stored(tmp_path) == [data]
        assert [told.node for told in rest.contact.publisher.take()] == [LOG]

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("who", "path", "body", "content_type", "error"),
    [
        ("1002", LOG, BODY, "", (401, "Invalid Authorization User Specified")),
        ("1101", LOG, BODY, "", (401, "Invalid Authorization User Specified")),
        ("admin", LOG, BODY, "", (401, "Invalid Authorization User Specified")),
        ("1001", LOG, "<ClientLog/>", "", (400, "Parameter Missing")),
        ("1001", LOG, b"x" * 3_145_729, "application/xml", (413, "Invalid Input")),
        ("1001", LOG, BODY, "text/plain", (400, "Invalid Input")),
        ("1001", ZIP, b"no archive", "application/zip", (400, "Invalid Input")),
        ("1001", ZIP, b"", "application/zip", (400, "Parameter Missing")),
        ("1001", ZIP, BODY, "application/xml", (400, "Invalid Input")),
        ("1001", ZIP, b"x" * 1_600_000, "application/zip", (413, "Invalid Input")),
        ("1001", ZIP, b"--b\r\n", "multipart/form-data; boundary=b", (400, "Invalid Input")),
        ("1001", ZIP, b"--b--", "multipart/form-data", (400, "Invalid Input")),
    ],
)
def test_what_is_refused_stores_nothing_and_tells_nobody(
    tmp_path: Path, who: str, path: str, body: bytes | str, content_type: str, error: tuple[int, str]
) -> None:
    async def story(rest: Rest) -> None:
        assert (await post(rest, path, body, content_type, who)).error[:2] == error
        assert stored(tmp_path) == []
        assert rest.contact.publisher.take() == []

    play_with(tmp_path, story)


def test_logs_are_only_sent(tmp_path: Path) -> None:
    async def story(rest: Rest) -> None:
        for path in (LOG, ZIP):
            for method in ("GET", "PUT"):
                reply = await rest.ask(method, path, "1001", "")
                assert (reply.status, reply.header("allow")) == (405, "POST")

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("origin", "status"),
    [(None, 202), (ORIGIN, 202), ("https://localhost:8445", 202), ("https://evil.example.com", 403), ("null", 403)],
)
def test_a_form_of_another_origins_page_is_refused(tmp_path: Path, origin: str | None, status: int) -> None:
    async def story(rest: Rest) -> None:
        more = {"Origin": origin} if origin is not None else {}
        reply = await post(rest, ZIP, form(archive(b"x")), "multipart/form-data; boundary=b", **more)
        assert reply.status == status

    play_with(tmp_path, story)


def test_a_form_without_a_file_gives_its_first_part() -> None:
    assert first_file(form(b"x", 'name="logData"'), "multipart/form-data; boundary=b") == b"1"
    assert first_file(b'--b\r\nA: "\r\n\r\n\r\n--b--', 'multipart/form-data; boundary="b"') == b""


@given(body=st.binary(max_size=200), content_type=st.text(max_size=60))
def test_no_form_breaks_the_reader(body: bytes, content_type: str) -> None:
    for header in (content_type, f"multipart/form-data; boundary={content_type}", "multipart/form-data; boundary=b"):
        try:
            found = first_file(b"--b\r\n" + body, header)
        except FormError:
            continue
        assert found in body
