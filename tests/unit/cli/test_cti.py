"""`poise cti` as a person uses it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from typer.testing import CliRunner

from poise.cli.main import app
from poise.protocols.cti.codec import encode
from poise.protocols.cti.messages import Message
from poise.tools.cti_dissector import lua
from tests.unit.server.ctilink.harness import run
from tests.unit.tools.live import lab, session_through

REFUSED = "0000000a0000002300000008002200004e97"
RUNNER = CliRunner()


def test_hex_is_decoded_field_by_field() -> None:
    done = RUNNER.invoke(app, ["cti", "decode", "--hex", REFUSED])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "server > client  CONTROL_FAILURE_CONF (35)  18 bytes, version 25",
        "    InvokeID: 8",
        "    FailureCode: 34 (RESOURCE_OUT_OF_SERVICE)",
        "    PeripheralErrorCode: 20119 (CM_DEVICE_OUT_OF_SERVICE)",
    ]


def test_hex_comes_from_standard_input_as_well_and_json_goes_out() -> None:
    done = RUNNER.invoke(app, ["cti", "decode", "--json", "--cti-version", "15"], input=REFUSED)
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["message"], told["version"], told["symbols"]["FailureCode"]) == (
        "CONTROL_FAILURE_CONF",
        15,
        "RESOURCE_OUT_OF_SERVICE",
    )


def test_the_other_forms() -> None:
    brief = RUNNER.invoke(app, ["cti", "decode", "--hex", REFUSED, "--form", "brief", "--from-client"])
    assert brief.stdout == "client > server  CONTROL_FAILURE_CONF (35)  18 bytes, version 25\n"
    own = RUNNER.invoke(app, ["cti", "decode", "--hex", REFUSED, "--form", "server"])
    assert own.stdout.startswith("MsgType:CONTROL_FAILURE_CONF (InvokeID:0x8 FailureCode:RESOURCE_OUT_OF_SERVICE ")


def test_what_is_not_sound_is_told_and_ends_with_1(tmp_path: Path) -> None:
    torn = RUNNER.invoke(app, ["cti", "decode", "--hex", REFUSED[:-2]])
    assert torn.exit_code == 1
    assert "the stream ends within a message" in torn.stdout
    assert RUNNER.invoke(app, ["cti", "decode", "--hex", "0g"]).exit_code == 1
    missing = RUNNER.invoke(app, ["cti", "decode", str(tmp_path / "none")])
    assert missing.exit_code == 1
    assert "No such file or directory" in missing.stderr
    (tmp_path / "cut.pcap").write_bytes(b"\xd4\xc3\xb2\xa1\2\0\4\0")
    cut = RUNNER.invoke(app, ["cti", "decode", str(tmp_path / "cut.pcap")])
    assert cut.exit_code == 1
    assert "tshark" in cut.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["decode", "some.file", "--hex", "00"],
        ["decode", "--cti-version", "12"],
        ["trace", "nohost"],
        ["trace", "localhost:42027", "--listen", "42027"],
        ["trace", "localhost:70000"],
    ],
)
def test_wrong_use_ends_with_2(arguments: list[str]) -> None:
    assert RUNNER.invoke(app, ["cti", *arguments]).exit_code == 2


def test_a_trace_that_cannot_write_ends_with_1(tmp_path: Path) -> None:
    done = RUNNER.invoke(app, ["cti", "trace", "localhost:1", "--write", str(tmp_path / "no" / "file.pcap")])
    assert done.exit_code == 1
    assert "The trace cannot begin" in done.stderr


def test_the_dissector_is_printed_or_written(tmp_path: Path) -> None:
    assert RUNNER.invoke(app, ["cti", "dissector"]).stdout == lua()
    assert RUNNER.invoke(app, ["cti", "dissector", "--write", str(tmp_path / "ged188.lua")]).exit_code == 0
    assert (tmp_path / "ged188.lua").read_text("utf-8") == lua()
    nowhere = RUNNER.invoke(app, ["cti", "dissector", "--write", str(tmp_path / "no" / "ged188.lua")])
    assert nowhere.exit_code == 1
    assert "cannot be written: No such file or directory" in nowhere.stderr


def test_a_proxy_prints_what_passes_writes_it_down_and_stops_when_told(tmp_path: Path) -> None:
    file = tmp_path / "passed.pcap"

    async def story() -> None:
        async with lab() as (_, port):
            command = [sys.executable, "-m", "poise.cli.main", "cti", "trace", f"127.0.0.1:{port}"]
            command += ["--listen", "127.0.0.1:0", "--json", "--write", str(file)]
            process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
            assert process.stdout is not None
            assert process.stderr is not None
            ready = (await process.stderr.readline()).decode().strip()
            assert ready.startswith("Listening on 127.0.0.1:")
            await session_through(int(ready.rpartition(":")[2]), 20)
            told = [json.loads(await process.stdout.readline())]
            while told[-1].get("message") != "CLOSE_CONF":
                told.append(json.loads(await process.stdout.readline()))
            assert told[0]["message"] == "OPEN_REQ"
            process.send_signal(signal.SIGINT)
            await process.communicate()
            assert process.returncode == 0

    run(story)
    assert file.read_bytes().startswith(b"\xd4\xc3\xb2\xa1")
    assert encode(Message("HEARTBEAT_CONF", {"InvokeID": 0}), 20)[:4] in file.read_bytes()


def test_a_reader_who_has_seen_enough_does_not_disturb_the_session(tmp_path: Path) -> None:
    async def story() -> None:
        async with lab() as (_, port):
            command = [sys.executable, "-m", "poise.cli.main", "cti", "trace", f"127.0.0.1:{port}"]
            command += ["--listen", "127.0.0.1:0"]
            reading, writing = os.pipe()
            process = await asyncio.create_subprocess_exec(*command, stdout=writing, stderr=PIPE)
            os.close(writing)
            os.close(reading)
            assert process.stderr is not None
            ready = (await process.stderr.readline()).decode().strip()
            for _ in range(2):
                await session_through(int(ready.rpartition(":")[2]), 20, busy=False)
            process.send_signal(signal.SIGINT)
            _, said = await process.communicate()
            assert said.decode().count("Nobody reads the trace any more") == 1
            assert process.returncode == 0

    run(story)
