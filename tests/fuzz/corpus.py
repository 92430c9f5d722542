"""The inputs every run of the CTI fuzzing begins with: vectors of others, a session, and what earlier runs found.

`python -m tests.fuzz.corpus FOLDER` keeps the inputs of a folder (the corpus of a run).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from poise.lab.data import DEMO
from poise.lab.server import LabServer, LabSettings, Send
from poise.protocols.cti.layout import OLDEST_VERSION
from poise.protocols.cti.link import Link
from poise.protocols.cti.outputs import Output, SendBytes
from poise.protocols.cti.states import LinkState
from tests.fuzz.cti_decoder import LINK, VERSIONS

KEPT = Path(__file__).parent / "corpus_cti.txt"
VECTORS = Path(__file__).parents[1] / "unit" / "protocols" / "cti" / "vectors"
LONGEST = 300
"""Bytes of the longest input that is kept."""
_UNCUT = 240 // VERSIONS * VERSIONS


def seeds() -> list[bytes]:
    """An input for every vector of others and every reader."""
    found = []
    for file in ("ucce-ctidriver.json", "uccertweb.json"):
        source = json.loads((VECTORS / file).read_text("utf-8"))
        for vector in source["vectors"]:
            raw = bytes.fromhex(vector["hex"])
            wire = (len(raw) - 4).to_bytes(4, "big") + raw
            found += [bytes((source["version"] - OLDEST_VERSION + _UNCUT, reader)) + wire for reader in range(3)]
    return [*found, *(bytes((_UNCUT + 20 - OLDEST_VERSION, reader)) + lab_session() for reader in range(3))]


def lab_session() -> bytes:
    """What a simulated CTI server of four agents says until a link of `cti_decoder` is up, version 20."""
    data = replace(DEMO, people=DEMO.people[:4])
    server, link = LabServer(LabSettings(data)), Link(LINK)
    session = server.connected(0.0)
    link.start(0.0)
    outputs: Sequence[Output] = link.connected(0.0)
    heard = b""
    while link.state is not LinkState.UP:
        asked = [output.data for output in outputs if isinstance(output, SendBytes)]
        said = b"".join(out.data for wire in asked for out in server.feed(session, wire, 0.0) if isinstance(out, Send))
        assert said, f"the simulated CTI server says nothing in {link.state}"
        heard += said
        outputs = link.feed(said, 0.0)
    return heard


def kept() -> list[bytes]:
    """What earlier runs found."""
    return [bytes.fromhex(line) for line in KEPT.read_text("ascii").splitlines()]


def unpack(folder: Path) -> None:
    """Every input as a file, named as libFuzzer names its own."""
    for data in seeds() + kept():
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def main() -> None:
    """Keep a folder's inputs."""
    known = set(seeds())
    found = {file.read_bytes() for file in Path(sys.argv[1]).iterdir()} | set(kept())
    lines = sorted(data.hex() for data in found - known if len(data) <= LONGEST)
    KEPT.write_text("".join(f"{line}\n" for line in lines), "ascii")


if __name__ == "__main__":
    main()
