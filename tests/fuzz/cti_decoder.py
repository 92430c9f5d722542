"""What the CTI decoder, a listener and a link must do with any bytes: `check`.

The first byte of an input chooses the protocol version and how the rest is cut, the second who reads it. `cti_run.py`
searches for inputs that reach new code; what it found lies in `corpus_cti`.
"""

from __future__ import annotations

from poise.protocols.cti import codec, readable, seedform
from poise.protocols.cti.codec import CtiError, Framer, Malformed, encode
from poise.protocols.cti.conversation import Conversation
from poise.protocols.cti.layout import NEWEST_VERSION, OLDEST_VERSION
from poise.protocols.cti.link import Link
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import Side
from poise.protocols.cti.settings import LinkSettings

VERSIONS = NEWEST_VERSION - OLDEST_VERSION + 1
LINK = LinkSettings((Side("A", "a.example", 1),), versions=(20,), statistics_s=10.0)


def check(data: bytes) -> None:
    """Raises when something is wrong with how these bytes are treated."""
    if len(data) < 2:
        return
    version, step = OLDEST_VERSION + data[0] % VERSIONS, 1 + data[0] // VERSIONS
    wire = data[2:]
    pieces = [wire] if step > 10 else [wire[at : at + step] for at in range(0, len(wire), step)]
    if data[1] % 3 == 0:
        _frames(pieces, version)
    elif data[1] % 3 == 1:
        _overheard(pieces)
    else:
        _linked(pieces)


def _frames(pieces: list[bytes], version: int) -> None:
    """Messages and malformed ones together are the stream, byte for byte; every one can be logged."""
    framer, again = Framer(version), b""
    given = b""
    for piece in pieces:
        given += piece
        try:
            found = framer.feed(piece)
        except CtiError:
            return
        for item in found:
            if isinstance(item, Malformed):
                again += codec.HEADER.pack(len(item.body), item.number) + item.body
                continue
            again += encode(item, version)
            told = seedform.decoded_text(item, sequence_id=1, received_ms=1, dispatch_ms=1)
            assert told.startswith("CTI")
            seedform.request_text(item)
        assert given.startswith(again), "what was read is written differently"


def _overheard(pieces: list[bytes]) -> None:
    """A listener loses no byte, and can say everything."""
    listening = Conversation()
    size = 0
    for at, piece in enumerate(pieces):
        for said in listening.feed(piece, client=at % 2 == 0):
            size += said.size
            assert readable.lines(said)
            assert readable.as_json(said)
            assert readable.server_trace(said)
    for client in (True, False):
        size += sum(said.size for said in listening.ended(client=client))
    assert size == sum(map(len, pieces)), "bytes were lost"


def _linked(pieces: list[bytes]) -> None:
    """A link whose server says this is closed or waits; it never breaks, and something is always due."""
    tested = Link(LINK)
    tested.start(0.0)
    tested.connected(0.0)
    opened = Message("OPEN_CONF", {"InvokeID": 1, "PeripheralOnline": 1})
    tested.feed(encode(opened, 20), 0.0)
    for at, piece in enumerate(pieces):
        tested.feed(piece, at / 100)
        assert tested.deadline < float("inf")
        tested.due(at / 100)
