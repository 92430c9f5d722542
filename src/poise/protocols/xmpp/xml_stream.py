"""The endless document of a TCP connection, cut into what matters: opened, one element after the other, closed.

Theory. expat keeps every name for ever, reads an unfinished tag again from its start with every packet, and newer ones
put off reading such a tag at all. So bytes wait here until a token is whole, a tag's length is bounded while it waits,
and the parser is replaced between two stanzas once it has seen enough. What waits is bounded by one stanza's limit.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from xml.parsers import expat

from poise.protocols.xmpp.errors import STREAM_NS
from poise.protocols.xmpp.xml import (
    BOM,
    LIMITS,
    Element,
    Limits,
    TreeBuilder,
    XmlError,
    XmlFault,
    check_encoding,
    from_expat,
    new_parser,
)

RECYCLE_BYTES: Final = 65_536
"""Bytes after which a parser is replaced at the next chance: bounds the names it keeps to a few megabytes (measured:
about 200 bytes a name). Larger saves some microseconds per 64 KiB."""

TEXT_BUFFER_BYTES: Final = 2048
"""Of one connection's parser, for text in pieces; the usual 8 KiB make an idle connection 3 kB bigger (measured)."""

_WHITESPACE: Final = b" \t\r\n"
_CDATA: Final = b"<![CDATA["
_TAG: Final = re.compile(rb"""<[^>"']*(?:(?:"[^"]*"|'[^']*')[^>"']*)*>""")
"""One whole tag; a `>` inside quotes does not end it. Linear, as no two parts can begin with the same byte. (Possessive
quantifiers would say so, but Python 3.11.2 gets them wrong.)"""
_MARK: Final = re.compile(rb"""[>"']""")
_TAG_START: Final = re.compile(rb"</?[A-Za-z_:\x80-\xff]|<[!?]|</$")


class StreamOpened(NamedTuple):
    """The start tag of the stream."""

    name: str
    ns: str
    content_ns: str
    """The default namespace it declares; empty when it declares none."""
    attrs: dict[str, str]
    """As in Element."""


class StreamClosed(NamedTuple):
    """The end tag of the stream."""


StreamEvent = StreamOpened | Element | StreamClosed | XmlError


class _StreamBuilder(TreeBuilder):
    """Builds the children of a root that never ends."""

    __slots__ = ("chunk", "chunk_at", "closed", "content_ns", "events", "nodes", "parser", "resumed", "started_at")

    def __init__(self, limits: Limits, parser: expat.XMLParserType, events: list[StreamEvent]) -> None:
        super().__init__(limits)
        self.parser = parser
        self.events = events
        self.closed = False
        self.resumed = False
        """Whether the root's start tag is a repetition for a fresh parser, not news."""
        self.content_ns = ""
        self.nodes = 0
        self.started_at = 0
        """Byte index at which the open stanza began."""
        self.chunk: bytes | None = None
        """What is being parsed, when a tag in it may be too long, and"""
        self.chunk_at = 0
        """the byte index at which it begins."""

    def declare(self, prefix: str | None, uri: str | None) -> None:
        """expat's StartNamespaceDeclHandler; only the root's default namespace matters."""
        if self.depth == 0 and prefix is None:
            self.content_ns = uri or ""

    def start(self, raw: str, attrs: dict[str, str]) -> None:
        if self.chunk is not None:
            self._check_length(self.chunk)
        if self.depth == 1:
            if raw == _STREAM_TAG:
                raise XmlError(XmlFault.NOT_WELL_FORMED, "a stream inside a stream")
            self.started_at = self.parser.CurrentByteIndex
            self.nodes = 0
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise XmlError(XmlFault.TOO_WIDE, f"more than {self.limits.nodes} elements")
        super().start(raw, attrs)
        if self.depth == 1 and not self.resumed:
            _, root = self.open[0]
            self.events.append(StreamOpened(root.name, root.ns, self.content_ns, dict(root.attrs)))

    def end(self, raw: str) -> None:
        if self.chunk is None:
            self._end(raw)
            return
        start = self.parser.CurrentByteIndex - self.chunk_at
        empty = self.chunk[start - 2 : start] == b"/>"  # then expat stands behind the tag, before the next one
        if not empty:
            self._check_length(self.chunk)
        self._end(raw)
        if empty:
            self._check_length(self.chunk)

    def _end(self, raw: str) -> None:
        if self.depth == 1:
            self.depth = 0
            self.closed = True
            self.events.append(StreamClosed())
            return
        super().end(raw)
        if self.depth == 1:
            if self.parser.CurrentByteIndex - self.started_at > self.limits.size:
                raise XmlError(XmlFault.TOO_BIG, f"a stanza of more than {self.limits.size} bytes")
            stanza = self.children.pop()
            assert isinstance(stanza, Element)
            self.events.append(stanza)

    def _check_length(self, chunk: bytes) -> None:
        """A tag that would be too long in small packets is so in a large one."""
        start = self.parser.CurrentByteIndex - self.chunk_at
        tag = _TAG.match(chunk, start)
        if tag is not None and tag.end() - start > self.limits.token + 1:
            raise XmlError(XmlFault.TOO_BIG, f"a tag of more than {self.limits.token} bytes")

    def text(self, data: str) -> None:
        if self.depth > 1:
            super().text(data)
        elif not self.closed and data.strip(" \t\r\n"):
            raise XmlError(XmlFault.STRAY_TEXT, "text between stanzas")


_STREAM_TAG: Final = STREAM_NS + "}stream"


class StreamParser:
    """Feed bytes as they come; any split of the same bytes gives the same events."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self.stepwise = True
        """Whether `feed` returns after each event, keeping the rest: before bind every element may change what
        follows. Call `feed(b"")` to go on."""
        self.paused = False
        """Whether bytes are only kept for later."""
        self._tail = bytearray()
        self._over = False
        self._events: list[StreamEvent] = []
        self._head = b""
        """The root's start tag, to be repeated to a fresh parser."""
        self._looked = 0
        """How far the unfinished tag or section at the head of the tail has been looked at."""
        self._quote = b""
        """The quote that is open there."""
        self._checked = False
        """Whether the first bytes of the connection were looked at."""
        self._marked = False
        """Whether something in the tail may be a declaration, CDATA or what is refused."""
        self._new_stream()

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Events in order; an XmlError is the last one ever."""
        events = self._events = self._tree.events = []
        if self._over:
            return events
        if not self._marked and (b"!" in data or b"?" in data):
            seam = self._tail[-1:] + data
            self._marked = b"<!" in seam or b"<?" in seam
        self._tail += data
        try:
            if self.paused:
                self._check_tail(self.limits.size)
            else:
                self._work()
        except XmlError as error:
            self._fail(error)
        except expat.ExpatError as error:
            self._fail(from_expat(error))
        self._events = self._tree.events = []
        return events

    def restart(self) -> None:
        """A new stream begins on the same connection (RFC 6120 section 4.3.3); bytes not yet read belong to it."""
        self.close()
        self._new_stream()

    def close(self) -> None:
        """Nothing more is read. Parser and builder know each other: parted, they go at once, and not when the garbage
        collector finds them."""
        parser = self._parser
        parser.StartElementHandler = parser.EndElementHandler = None
        parser.CharacterDataHandler = parser.StartNamespaceDeclHandler = None

    @property
    def waiting(self) -> bool:
        """Whether bytes are kept that no event came of yet."""
        return bool(self._tail)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            tree = self._tree
            if tree.depth <= 1 and not self._skip_whitespace():
                return
            cut = self._cut()
            if cut == 0:
                break
            chunk = bytes(self._tail[:cut])
            del self._tail[:cut]
            tree.chunk = chunk if cut > self.limits.token else None
            tree.chunk_at = self._fed
            self._fed += cut
            self._looked = 0
            self._quote = b""
            self._marked = self._marked and bool(self._tail)
            was_outside = tree.depth == 0
            self._parser.Parse(chunk, False)
            if was_outside and tree.depth:
                self._head = chunk
            if tree.closed:
                self._over = True
                self._tail.clear()
                return
            if tree.depth == 1 and self._fed > RECYCLE_BYTES:
                self._recycle()
            if self.stepwise and self._events:
                return
        open_bytes = self._fed - self._tree.started_at if self._tree.depth > 1 else 0
        self._check_tail(self.limits.size - open_bytes)

    def _skip_whitespace(self) -> bool:
        """Between stanzas only white space (keep-alives) and markup may stand. False when nothing else is there yet."""
        tail = self._tail
        if tail and tail[0] in _WHITESPACE:
            tail[:] = tail.lstrip(_WHITESPACE)
        if not self._checked and not self._check_start():
            return False
        if tail and tail[0] != 0x3C:  # "<"
            if self._tree.depth:
                raise XmlError(XmlFault.STRAY_TEXT, "text between stanzas")
            raise XmlError(XmlFault.NOT_WELL_FORMED, "not XML")
        return bool(tail)

    def _check_start(self) -> bool:
        """Whether the first bytes are there and may be UTF-8; a byte order mark is taken off. Raises XmlError."""
        tail = self._tail
        if len(tail) < 4:
            return False
        check_encoding(bytes(tail[:4]))
        if tail.startswith(BOM):
            tail[:] = tail[3:].lstrip(_WHITESPACE)
        self._checked = True
        return True

    def _cut(self) -> int:
        """How many of the waiting bytes may be read: up to the end of the last tag, or to the start of an unfinished
        one. Text waits for the tag after it."""
        if self._marked or self.stepwise or self._tree.depth == 0:
            return self._walk()
        tail = self._tail
        last = tail.rfind(b"<")  # "<" stands nowhere but at the start of a tag
        if last < 0:
            return 0
        end = self._tag_end(last)
        if end >= 0:
            return end
        while (elder := tail.rfind(b"<", 0, last)) >= 0 and not _TAG.match(tail, elder, last):
            last = elder  # "<<": a tag that can never be finished; what comes before it still counts
        return last

    def _walk(self) -> int:
        """The same, token by token: one only when stepwise or before the root, and up to what may not be there."""
        tail = self._tail
        one_only = self.stepwise or self._tree.depth == 0
        position = 0
        while True:
            start = tail.find(b"<", position)
            if start < 0:
                return position
            if tail.startswith(_CDATA, start):
                end = self._cdata_end(start)
            elif tail.startswith((b"<!", b"<?"), start):
                end = self._declaration_end(start) if start == 0 else -1
            else:
                end = self._tag_end(start)
            if end < 0:
                return start
            position = end
            if one_only:
                return position

    def _tag_end(self, start: int) -> int:
        """End of the tag that begins at `start`; -1 while it is unfinished. The tag at the head of what waits is looked
        at again with every packet: that goes on where the last look ended."""
        tail = self._tail
        if start:
            match = _TAG.match(tail, start)
            return match.end() if match else -1
        while True:
            if self._quote:
                found = tail.find(self._quote, self._looked)
                if found < 0:
                    break
                self._quote = b""
                self._looked = found + 1
            mark = _MARK.search(tail, self._looked)
            if mark is None:
                break
            self._looked = mark.end()
            if mark[0] == b">":
                return mark.end()
            self._quote = bytes(mark[0])
        self._looked = len(tail)
        return -1

    def _cdata_end(self, start: int) -> int:
        """The same for a CDATA section."""
        found = self._tail.find(b"]]>", start or max(0, self._looked - 2))
        if found < 0 and start == 0:
            self._looked = len(self._tail)
        return found + 3 if found >= 0 else -1

    def _declaration_end(self, start: int) -> int:
        """End of the XML declaration at the very start; -1 for what is not whole yet. Anything else is refused."""
        tail = self._tail
        head = bytes(tail[start : start + len(_CDATA)])
        if _CDATA.startswith(head) or b"<?xml".startswith(head):
            return -1
        is_declaration = head.startswith(b"<?xml") and head[5:6] in (b" ", b"\t", b"\r", b"\n")
        if is_declaration and start == 0 and self._fed == 0:
            found = tail.find(b"?>")
            return found + 2 if found >= 0 else -1
        if is_declaration:
            raise XmlError(XmlFault.NOT_WELL_FORMED, "an XML declaration inside the stream")
        raise XmlError(XmlFault.RESTRICTED, "comments, processing instructions and DTDs are not allowed")

    def _check_tail(self, room: int) -> None:
        """Bounds on what waits. Raises XmlError."""
        size = len(self._tail)
        if size > room:
            raise XmlError(XmlFault.TOO_BIG, f"a stanza of more than {self.limits.size} bytes")
        if self.paused:
            return
        start = self._tail.find(b"<")
        if start < 0 or self._tail.startswith(_CDATA, start):
            return
        if size - start > self.limits.token:
            raise XmlError(XmlFault.TOO_BIG, f"a tag of more than {self.limits.token} bytes")
        # What can become no tag is refused now: it might never come to an end.
        if self._tail.rfind(b"<") > start or (size > start + 1 and not _TAG_START.match(self._tail, start)):
            raise XmlError(XmlFault.NOT_WELL_FORMED, "not a tag")

    def _fail(self, error: XmlError) -> None:
        self._over = True
        self._tail.clear()
        if not self._tree.closed:
            self._events.append(error)

    def _new_stream(self) -> None:
        self._parser = new_parser(guarded=True)
        self._parser.buffer_size = TEXT_BUFFER_BYTES
        self._tree = _StreamBuilder(self.limits, self._parser, self._events)
        self._fed = 0
        self._parser.StartElementHandler = self._tree.start
        self._parser.EndElementHandler = self._tree.end
        self._parser.CharacterDataHandler = self._tree.text
        self._parser.StartNamespaceDeclHandler = self._tree.declare

    def _recycle(self) -> None:
        """A fresh parser in the same place: inside the same root."""
        self.close()
        self._new_stream()
        self._tree.resumed = True
        self._parser.Parse(self._head, False)
        self._fed = len(self._head)
