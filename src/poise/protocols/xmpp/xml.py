"""XML in and out: small immutable elements, a strict bounded parser, a serialiser that never emits a non-XML character.

One complete document at a time (a BOSH body, a WebSocket frame); the endless document of a TCP stream is `xml_stream`.
What is refused and why: RFC 6120 section 11, XEP-0124 (no DTD, PI, comments), and the measured weaknesses of the expats
in the field - bytes are bounded before expat sees them, a parser lives for one document only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from xml.parsers import expat

XML_NS: Final = "http://www.w3.org/XML/1998/namespace"


class Element:
    """An element that nobody changes after it was built.

    `attrs` keys: plain local name for unqualified attributes, "xml:lang" and the like for the xml namespace,
    "{uri}local" for any other namespace. `children` holds Elements and text in document order; two pieces of text
    are never neighbours in what the parser built.
    """

    __slots__ = ("attrs", "children", "name", "ns")

    def __init__(
        self, name: str, ns: str, attrs: Mapping[str, str] | None = None, children: tuple[Element | str, ...] = ()
    ) -> None:
        self.name = name
        self.ns = ns
        self.attrs: Mapping[str, str] = attrs if attrs is not None else {}
        self.children = children

    def elements(self) -> Iterator[Element]:
        """Child elements in document order."""
        return (child for child in self.children if isinstance(child, Element))

    def child(self, name: str, ns: str | None = None) -> Element | None:
        """First child element of that name (and namespace, when given)."""
        for child in self.children:
            if isinstance(child, Element) and child.name == name and (ns is None or child.ns == ns):
                return child
        return None

    @property
    def text(self) -> str:
        """The element's own character data, children's excluded."""
        return "".join(child for child in self.children if isinstance(child, str))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Element):
            return NotImplemented
        return (
            self.name == other.name
            and self.ns == other.ns
            and self.attrs == other.attrs
            and self.children == other.children
        )

    __hash__ = None  # type: ignore[assignment]  # compared by value, and its parts are not all hashable

    def __repr__(self) -> str:  # names only: text and attributes may be secrets
        return f"<Element {{{self.ns}}}{self.name} attrs={sorted(self.attrs)} children={len(self.children)}>"


class XmlFault(Enum):
    """Why XML was refused."""

    NOT_WELL_FORMED = "not-well-formed"
    RESTRICTED = "restricted-xml"
    """Comment, processing instruction, DTD or entity (RFC 6120 section 11.1)."""
    BAD_ENCODING = "unsupported-encoding"
    """UTF-16, another declared encoding, or another XML version than 1.0 (RFC 6120 section 11.6)."""
    TOO_BIG = "too-big"
    """A document, stanza or single tag over its size limit."""
    TOO_DEEP = "too-deep"
    TOO_WIDE = "too-wide"
    """Too many attributes or nodes, or too long a name."""
    STRAY_TEXT = "stray-text"
    """Character data between stanzas of a stream."""


class XmlError(ValueError):
    """The peer's XML was refused. `detail` is short, for logs, and never repeats what the peer sent."""

    def __init__(self, kind: XmlFault, detail: str) -> None:
        super().__init__(f"{kind.value}: {detail}")
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a peer may send. Too small breaks clients (RFC 6120 section 13.12 asks for 10,000 bytes at least);
    too large lets one peer hold the event loop or fill the memory."""

    size: int = 262_144
    """Bytes of one document (BOSH body, frame) or of one stanza of a stream."""
    token: int = 65_536
    """Bytes of one unfinished tag of a stream: some expats read it again from its start with every packet."""
    depth: int = 64
    """Levels of nesting, the root included. Trees are walked by recursion."""
    attributes: int = 128
    """Attributes of one element."""
    name: int = 512
    """Characters of one name together with its namespace."""
    nodes: int = 10_000
    """Elements of one document or stanza, empty ones counted half: about 10 ms of work."""


LIMITS: Final = Limits()

_BAD_URI: Final = re.compile(r"[\s\x00-\x20\x7f-\xa0{}]")
_BAD_CHARACTERS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL: Final = re.compile(r"[^ !#-%(-;=?-~]")
"""Anything that an attribute value cannot hold as it stands, and whatever is not ASCII."""
_BAD_ASCII: Final = bytes(code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D))
BOM: Final = b"\xef\xbb\xbf"


def check_encoding(head: bytes) -> None:
    """Refuse the first bytes of anything but UTF-8: expat sniffs UTF-16 even when told otherwise. Raises XmlError."""
    if b"\0" in head[:4] or head[:1] in (b"\xfe", b"\xff"):
        raise XmlError(XmlFault.BAD_ENCODING, "only UTF-8 is spoken here")


class TreeBuilder:
    """Handlers for one expat parser that build Elements within limits. The hot path of every request: few calls, no
    constructor."""

    __slots__ = ("children", "depth", "limits", "open")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.depth = 0
        self.children: list[Element | str] = []
        """Of the innermost open element; of the document itself when none is open."""
        self.open: list[tuple[list[Element | str], Element]] = []
        """Open elements from the root inwards, each after its elder siblings."""

    def start(self, raw: str, attrs: dict[str, str]) -> None:
        """expat's StartElementHandler; names arrive as `uri}local` or `local`."""
        limits = self.limits
        self.depth = depth = self.depth + 1
        if depth > limits.depth:
            raise XmlError(XmlFault.TOO_DEEP, f"more than {limits.depth} levels")
        if len(raw) > limits.name or len(attrs) > limits.attributes:
            raise XmlError(XmlFault.TOO_WIDE, "name too long or too many attributes")
        element = _new(Element)
        element.ns, element.name = _NAMES.get(raw) or _learn(raw)
        element.attrs = attrs if not attrs or _only_plain(attrs) else _qualified(attrs, limits.name)
        element.children = ()
        self.children.append(element)
        self.open.append((self.children, element))
        self.children = []

    def end(self, _raw: str) -> None:
        """expat's EndElementHandler."""
        self.depth -= 1
        children = self.children
        self.children, element = self.open.pop()
        if children:
            element.children = tuple(children)

    def text(self, data: str) -> None:
        """expat's CharacterDataHandler: pieces of one text become one."""
        children = self.children
        if children and type(children[-1]) is str:
            children[-1] += data
        else:
            children.append(data)


_new: Final = object.__new__
_NAMES: Final[dict[str, tuple[str, str]]] = {}
"""expat's name -> (namespace, local name), for names seen before and found good; bounded by _NAMES_MAX."""
_NAMES_MAX: Final = 1024
# fmt: off
_only_plain: Final = frozenset((
    "ack", "affiliation", "ask", "category", "from", "hash", "hold", "id", "inactivity", "jid", "key", "maxpause",
    "mechanism", "name", "newkey", "node", "notify", "pause", "polling", "requests", "rid", "route", "secure",
    "seconds", "sid", "stamp", "subid", "subscription", "to", "type", "var", "ver", "version", "wait",
)).issuperset
"""Whether all attribute names are among the usual ones, which need no check."""
# fmt: on


def _learn(raw: str) -> tuple[str, str]:
    """(namespace, local name) of expat's name. Raises XmlError."""
    ns, _, name = raw.rpartition("}")
    if _BAD_URI.search(ns):
        raise XmlError(XmlFault.NOT_WELL_FORMED, "a namespace that is no URI")
    if len(_NAMES) < _NAMES_MAX:
        _NAMES[raw] = ns, name
    return ns, name


def _qualified(attrs: dict[str, str], longest: int) -> dict[str, str]:
    """Attributes by names in our notation. Raises XmlError."""
    result: dict[str, str] = {}
    for key, value in attrs.items():
        if len(key) > longest:
            raise XmlError(XmlFault.TOO_WIDE, "attribute name too long")
        ns, brace, name = key.rpartition("}")
        if not brace:
            result[key] = value
        elif ns == XML_NS:
            result["xml:" + name] = value
        elif _BAD_URI.search(ns):
            raise XmlError(XmlFault.NOT_WELL_FORMED, "a namespace that is no URI")
        else:
            result["{" + key] = value
    return result


def _declaration(version: str, encoding: str | None, _standalone: int) -> None:
    if version != "1.0":
        raise XmlError(XmlFault.BAD_ENCODING, "only XML 1.0 is spoken here")
    if encoding is not None and encoding.lower() != "utf-8":
        raise XmlError(XmlFault.BAD_ENCODING, "only UTF-8 is spoken here")


def _restricted(*_: Any) -> None:
    raise XmlError(XmlFault.RESTRICTED, "comments, processing instructions, DTDs and entities are not allowed")


def new_parser(guarded: bool) -> expat.XMLParserType:
    """A namespace-aware expat parser; `guarded` when the input may hold `<!` or `<?`."""
    parser = expat.ParserCreate("utf-8", "}")
    parser.buffer_text = True
    if guarded:
        parser.XmlDeclHandler = _declaration
        parser.StartDoctypeDeclHandler = _restricted
        parser.EntityDeclHandler = _restricted
        parser.SkippedEntityHandler = _restricted
        parser.CommentHandler = _restricted
        parser.ProcessingInstructionHandler = _restricted
    return parser


def from_expat(error: expat.ExpatError) -> XmlError:
    """Our error for expat's."""
    if error.code == _UNDEFINED_ENTITY:
        return XmlError(XmlFault.RESTRICTED, "an entity that XML does not define")
    return XmlError(XmlFault.NOT_WELL_FORMED, f"{expat.ErrorString(error.code)}, line {error.lineno}")


_UNDEFINED_ENTITY: Final = expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]


def parse(data: bytes, limits: Limits = LIMITS) -> Element:
    """The root element of one complete document in UTF-8. Raises XmlError for anything else (RFC 6120 section 11)."""
    if len(data) > limits.size:
        raise XmlError(XmlFault.TOO_BIG, f"more than {limits.size} bytes")
    if len(data) > limits.nodes and data.count(b"<") > 2 * limits.nodes:
        raise XmlError(XmlFault.TOO_WIDE, f"more than {limits.nodes} elements")
    head = data[:4]
    if head[:1] != b"<" or b"\0" in head:
        check_encoding(head)  # expat itself takes a byte order mark off
    # In UTF-8 no comment, PI, DTD, CDATA or declaration comes without these: most bodies need three handlers only.
    # One byte is found much faster than two (measured: 3 microseconds on 1.5 kB).
    parser = new_parser((b"!" in data and b"<!" in data) or (b"?" in data and b"<?" in data))
    tree = TreeBuilder(limits)
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise from_expat(error) from None
    root = tree.children[0]
    assert isinstance(root, Element)  # expat refuses a document without a root
    return root


def xml_safe(text: str) -> str:
    """The text with every character that XML 1.0 cannot carry (C0 controls, surrogates, U+FFFE, U+FFFF) as U+FFFD."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return _BAD_CHARACTERS.sub("\ufffd", text)
    if len(raw.translate(None, _BAD_ASCII)) == len(raw) and (
        text.isascii() or ("\ufffe" not in text and "\uffff" not in text)
    ):
        return text
    return _BAD_CHARACTERS.sub("\ufffd", text)


def escape(text: str) -> str:
    """Text as character data: safe, `]]>` included, and read back as it was (a carriage return as a reference)."""
    text = xml_safe(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;") if "\r" in text else text


def escape_attr(text: str) -> str:
    """Text for an attribute value in either kind of quotes: safe and read back as it was."""
    if _SPECIAL.search(text) is None:
        return text
    text = escape(text).replace('"', "&quot;").replace("'", "&apos;")
    if "\n" in text or "\t" in text:
        return text.replace("\n", "&#10;").replace("\t", "&#9;")
    return text


def to_bytes(element: Element, parent_ns: str = "") -> bytes:
    """The element in UTF-8. Its namespace is written literally as `xmlns="..."` wherever it changes (browser clients
    select by that attribute), never with a prefix; `parent_ns` is the default namespace where the bytes will stand."""
    parts: list[str] = []
    _write(element, parent_ns, parts)
    return "".join(parts).encode()


def _write(element: Element, parent_ns: str, parts: list[str]) -> None:
    name, ns = element.name, element.ns
    parts.append(f"<{name}" if ns == parent_ns else f'<{name} xmlns="{escape_attr(ns)}"')
    prefixes = 0
    for key, value in element.attrs.items():
        if key[0] == "{":
            uri, _, local = key[1:].rpartition("}")
            prefixes += 1
            key = f'xmlns:ns{prefixes}="{escape_attr(uri)}" ns{prefixes}:{local}'
        parts.append(f' {key}="{escape_attr(value)}"')
    if not element.children:
        parts.append("/>")
        return
    parts.append(">")
    for child in element.children:
        if isinstance(child, str):
            parts.append(escape(child))
        else:
            _write(child, ns, parts)
    parts.append(f"</{name}>")
