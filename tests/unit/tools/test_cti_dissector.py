"""The Wireshark dissector in tshark, on live captures of the simulated CTI server and on every message of the table."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import pytest

from poise.protocols.cti.codec import HEADER, encode
from poise.protocols.cti.layout import layout
from poise.protocols.cti.messages import FloatValue, Message, NamedArrayElement, NamedVariable
from poise.protocols.cti.outputs import Side
from poise.protocols.cti.settings import LinkSettings, open_request
from poise.tools.cti_dissector import lua
from poise.tools.cti_pcap import Endpoint, PcapWriter
from poise.tools.cti_sources import from_capture
from tests.unit.server.ctilink.harness import run
from tests.unit.tools.live import captured, lab, session_through


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dissector as a file."""
    file = tmp_path_factory.mktemp("dissector") / "ged188.lua"
    file.write_text(lua())
    return file


def dissected(tshark: str, script: Path, capture: Path, *options: str) -> Iterator[ElementTree.Element]:
    """Every message tshark saw, as its tree of fields."""
    command = [tshark, "-n", "-X", f"lua_script:{script}", "-r", str(capture), "-T", "pdml", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("Running as user")]
    assert not said, said
    for packet in ElementTree.fromstring(done.stdout).iter("packet"):
        yield from (proto for proto in packet.iter("proto") if proto.get("name") == "ged188")


def messages(tshark: str, script: Path, capture: Path, *options: str) -> list[ElementTree.Element]:
    """Trees of whole messages: branches of floats are of the same protocol, and lie within."""
    return [tree for tree in dissected(tshark, script, capture, *options) if named(tree, "ged188.type")]


def named(tree: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [field for field in tree if field.get("name") == name]


def value(tree: ElementTree.Element, name: str) -> str:
    return named(tree, name)[0].get("value") or ""


def floats_of(tree: ElementTree.Element) -> list[tuple[int, str]]:
    """Tag numbers and titles of a message's floats."""
    branches = [field for field in tree if field.find("field[@name='ged188.tag']") is not None]
    found = []
    for branch in branches:
        tag = branch.find("field[@name='ged188.tag']")
        assert tag is not None
        found.append((int(tag.get("show") or ""), branch.get("show") or branch.get("showname") or ""))
    return found


def agrees(tree: ElementTree.Element, message: Message) -> None:
    """Every field and float of a message is in the tree, by name, in order, with its bytes."""
    shown = named(tree, "ged188.message")[0].get("show")
    assert shown == message.name
    for name, number in message.fields.items():
        size = next(f for f in layout().message_by_name[message.name].fixed if f.name == name)
        width = {"UCHAR": 1, "USHORT": 2, "BOOL": 2}.get(size.type, 4)
        keys = (f"ged188.{name}", f"ged188.{name}_{size.type}")
        fields = [field for key in keys for field in named(tree, key)]
        assert fields, f"{name} of {message.name} is not named"
        assert int(fields[0].get("value") or "", 16) == number % (1 << 8 * width), name
    told = floats_of(tree)
    assert len(told) == len(message.floats), f"{message.name}: {told} for {message.floats}"
    for (number, title), (name, _) in zip(told, message.floats, strict=True):
        known = layout().tag_by_name.get(name)
        assert number == (int(name.removeprefix("TAG_")) if known is None else known.number)
        assert title.startswith(f"[{number}] {f'Unknown tag {number}' if known is None else name}"), title


@pytest.mark.parametrize("version", [15, 18, 20, 24])
def test_a_live_capture_of_the_lab_is_shown_with_every_field_named(
    tshark: str, script: Path, tmp_path: Path, version: int
) -> None:
    file = tmp_path / "live.pcap"
    run(lambda: _capture(file, version))
    said = [heard.said.item for heard in from_capture(file)]
    trees = messages(tshark, script, file)
    assert len(trees) == len(said) > 10
    by_name = {item.name for item in said if isinstance(item, Message)}
    assert {"OPEN_REQ", "CONFIG_AGENT_EVENT", "AGENT_STATE_EVENT", "BEGIN_CALL_EVENT", "CALL_CLEARED_EVENT"} <= by_name
    for tree in trees:  # frames hold both directions' messages in the order in which they were captured
        assert named(tree, "ged188.version")[0].get("show") == str(version)
    for item in said:
        assert isinstance(item, Message)
        twins = [tree for tree in trees if named(tree, "ged188.message")[0].get("show") == item.name]
        assert twins, item.name
    for tree, item in zip(trees, said, strict=True):
        assert isinstance(item, Message)
        agrees(tree, item)


async def _capture(file: Path, version: int) -> None:
    await captured(file, version)


def example(tag: str, version: int) -> tuple[str, FloatValue]:
    """A value a tag can hold."""
    known = layout().tag_by_name[tag]
    if known.type == "STRING":
        return tag, "a" if (known.max or 2) < 4 else "é1"
    if known.type == "NAMEDVAR":
        return tag, NamedVariable("user.a", "b")
    if known.type == "NAMEDARRAY":
        return tag, NamedArrayElement(3, "user.a", "b")
    return tag, b"\1\2" if known.packer is None else 1


def everything(version: int) -> list[Message]:
    """Every message of the table, each with the floats it may carry."""
    found = []
    for known in layout().messages.values():
        if known.opaque:
            found.append(Message(known.name, raw=b"\1\2\3"))
            continue
        fields = {field.name: index % 200 for index, field in enumerate(known.fixed) if field.since <= version}
        if known.name == "OPEN_REQ":
            fields["VersionNumber"] = version
        tags = [name for name in (*known.floats, *known.lists) if layout().tag_by_name[name].since <= version]
        found.append(Message(known.name, fields, tuple(example(name, version) for name in tags)))
    return found


@pytest.mark.parametrize("version", [13, 19, 25])
def test_every_message_of_the_table_is_shown_across_small_segments(
    tshark: str, script: Path, tmp_path: Path, version: int
) -> None:
    file = tmp_path / "all.pcap"
    told = everything(version)
    told.append(Message("HEARTBEAT_CONF", {"InvokeID": 1}, (("TAG_98", b"\7"),)))
    opening = open_request(LinkSettings((Side("A", "a.example", 1),)), version, 1)
    with file.open("wb") as opened:
        PcapWriter.begin(opened)
        writer = PcapWriter(opened, Endpoint("10.0.0.1", 50001), Endpoint("10.0.0.2", 42027), segment_bytes=100)
        writer.opened(1.0)
        writer.data(1.0, encode(opening, version), client=True)
        writer.data(2.0, b"".join(encode(message, version) for message in told), client=False)
    _, *trees = messages(tshark, script, file)
    assert len(trees) == len(told)
    for tree, message in zip(trees, told, strict=True):
        agrees(tree, message)
        if message.raw:
            assert value(tree, "ged188.body") == message.raw.hex()


def test_lengths_that_lie_are_marked_and_the_next_message_is_read(tshark: str, script: Path, tmp_path: Path) -> None:
    file = tmp_path / "lies.pcap"
    wrong = HEADER.pack(9, 6) + b"\0\0\0\1\0\5\0\x09a"
    short = HEADER.pack(3, 30) + b"abc"
    with file.open("wb") as opened:
        PcapWriter.begin(opened)
        writer = PcapWriter(opened, Endpoint("10.0.0.1", 50001), Endpoint("10.0.0.2", 42027))
        writer.opened(1.0)
        writer.data(1.0, wrong + short + encode(Message("HEARTBEAT_CONF", {"InvokeID": 7}), 20), client=False)
    first, second, third = messages(tshark, script, file)
    assert first.find(".//field[@name='ged188.lengths']") is not None
    assert second.find(".//field[@name='ged188.lengths']") is not None
    assert int(value(third, "ged188.InvokeID"), 16) == 7


def test_a_session_on_another_port_is_found_by_how_it_begins(tshark: str, script: Path, tmp_path: Path) -> None:
    file = tmp_path / "port.pcap"
    with file.open("wb") as opened:
        PcapWriter.begin(opened)
        writer = PcapWriter(opened, Endpoint("10.0.0.1", 50001), Endpoint("10.0.0.2", 5555))
        writer.opened(1.0)
        writer.data(1.0, encode(Message("HEARTBEAT_REQ", {"InvokeID": 7}), 20), client=True)
    assert len(messages(tshark, script, file)) == 1


def test_a_capture_on_the_loopback_while_a_session_runs(tshark: str, script: Path, tmp_path: Path) -> None:
    file = tmp_path / "loopback.pcap"

    async def story() -> None:
        async with lab() as (_, port):
            command = [tshark, "-n", "-i", "lo", "-f", f"tcp port {port}", "-w", str(file), "-P", "-l"]
            command += ["-X", f"lua_script:{script}", "-T", "fields", "-e", "ged188.message"]
            process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
            assert process.stdout is not None
            assert process.stderr is not None
            while line := await process.stderr.readline():
                if b"Capturing on" in line:
                    break
            else:
                pytest.skip("capturing is not permitted here")
            seen = ""
            while "CLOSE_CONF" not in seen:  # the capture begins a moment after it is announced
                await session_through(port, 20)
                seen += await _until_quiet(process.stdout)
            process.send_signal(signal.SIGINT)
            await process.communicate()

    run(story)
    said = [heard.said.item for heard in from_capture(file)]
    trees = messages(tshark, script, file)
    assert len(trees) == len(said) > 10
    for tree, item in zip(trees, said, strict=True):
        assert isinstance(item, Message)
        agrees(tree, item)


async def _until_quiet(stream: asyncio.StreamReader) -> str:
    """Everything that is said until nothing comes for a second."""
    said = b""
    try:
        while not said.rstrip().endswith(b"CLOSE_CONF"):
            async with asyncio.timeout(1):
                said += await stream.readline()
    except TimeoutError:
        pass
    return said.decode()
