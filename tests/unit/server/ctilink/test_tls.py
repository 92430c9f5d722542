"""The link to a CTI server that speaks TLS: a TLS front before the simulated CTI server, real sockets."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from poise.lab.shell import LabShell
from poise.protocols.cti.outputs import LinkUp
from poise.server.certificates import Files, context, ensure
from tests.unit.server.ctilink.harness import lab, linked, run

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """An authority, and a certificate for localhost."""
    return ensure(tmp_path_factory.mktemp("certificates"), ["localhost"], NOW)


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes from one connection to another until the first ends."""
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@asynccontextmanager
async def front(files: Files) -> AsyncIterator[tuple[LabShell, int]]:
    """A TLS port before a simulated CTI server."""
    async with lab() as (shell, port):

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            back, forth = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pour(reader, forth), pour(back, writer))

        server = await asyncio.start_server(serve, "localhost", 0, ssl=context(files))
        async with server:
            yield shell, server.sockets[0].getsockname()[1]
            await shell.stop()  # ends both directions of every connection


def test_a_cti_server_with_a_trusted_certificate_is_linked(files: Files) -> None:
    async def story() -> None:
        trust = ssl.create_default_context(cafile=str(files.ca))
        async with front(files) as (shell, port), linked(port, host="localhost", tls=trust) as world:
            assert isinstance(await world.heard.ups(1), LinkUp)
            assert len(shell.connections) == 1

    run(story)


def test_a_certificate_of_an_unknown_authority_is_refused_by_name(files: Files) -> None:
    async def story() -> None:
        trust = ssl.create_default_context()
        async with front(files) as (_, port), linked(port, host="localhost", tls=trust) as world:
            await world.heard.failures(1)
            (reason,) = [entry[3] for entry in world.heard.told if entry[0] == "down"][:1]
            assert reason.startswith("no connection: the certificate is not trusted: ")

    run(story)


def test_a_certificate_for_another_host_is_refused_by_name(files: Files, tmp_path: Path) -> None:
    async def story() -> None:
        trust = ssl.create_default_context(cafile=str(files.ca))
        async with front(files) as (_, port), linked(port, tls=trust) as world:
            await world.heard.failures(1)
            (reason,) = [entry[3] for entry in world.heard.told if entry[0] == "down"][:1]
            assert "certificate is not valid for" in reason

    run(story)


def test_a_cti_server_that_speaks_no_tls_is_refused_by_name(files: Files) -> None:
    async def story() -> None:
        trust = ssl.create_default_context(cafile=str(files.ca))
        async with lab() as (_, port), linked(port, host="localhost", tls=trust) as world:
            await world.heard.failures(1)
            (reason,) = [entry[3] for entry in world.heard.told if entry[0] == "down"][:1]
            assert reason.startswith("no connection: ")

    run(story)
