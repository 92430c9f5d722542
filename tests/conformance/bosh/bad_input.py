"""Bodies that a server must refuse: name -> bytes for request n of a session.

One table for section B and for the bystander's tests.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.conformance.dialogue import Session, message
from tests.conformance.wire import HTTPBIND

Maker = Callable[[Session, int], bytes]


def _around(payload: str | bytes) -> Maker:
    """The payload as a stanza's text, inside an otherwise right body."""

    def make(session: Session, n: int) -> bytes:
        text = payload.encode() if isinstance(payload, str) else payload
        return session.B(n, message(session.jid or "1002@localhost", "@@")).replace(b"@@", text)

    return make


def _child(payload: str | bytes) -> Maker:
    """The payload as a child of `<body/>`."""

    def make(session: Session, n: int) -> bytes:
        child = payload.encode() if isinstance(payload, str) else payload
        return session.B(n, "@@").replace(b"@@", child)

    return make


def _before(prolog: str) -> Maker:
    """The prolog in front of an empty request."""
    return lambda session, n: prolog.encode() + session.B(n)


def _attribute(text: bytes) -> Maker:
    """Bytes inserted into the start tag of the body."""
    return lambda session, n: session.B(n).replace(b"<body ", b"<body %b " % text, 1)


ROOTS: dict[str, Maker] = {
    "other root": lambda session, n: session.B(n).replace(b"<body ", b"<foo ", 1),
    "other namespace": lambda session, n: session.B(n).replace(HTTPBIND.encode(), b"urn:x"),
    "no namespace": lambda session, n: session.B(n).replace(b"xmlns='%b'" % HTTPBIND.encode(), b"", 1),
}
BROKEN: dict[str, Maker] = {
    "empty": lambda session, n: b"",
    "white space": lambda session, n: b" \n ",
    "no XML": lambda session, n: b"hello",
    "truncated": lambda session, n: session.B(n, message("1002@localhost", "x"))[:-9],
    "two roots": lambda session, n: session.B(n) * 2,
    "attribute twice": _attribute(b"rid='1'"),
    "undeclared prefix": _child("<p:iq/>"),
    "wrong nesting": _child("<iq><query></iq></query>"),
    "unquoted attribute": _child("<iq type=get/>"),
}
RESTRICTED_PROLOG: dict[str, Maker] = {
    "comment before": _before("<!-- c -->"),
    "instruction before": _before("<?php x ?>"),
    "doctype": _before("<!DOCTYPE body>"),
    "doctype with entity": _before("<!DOCTYPE body [<!ENTITY e 'x'>]>"),
    "external doctype": _before("<!DOCTYPE body SYSTEM 'http://127.0.0.1:9/x.dtd'>"),
    "billion laughs": _before(
        "<!DOCTYPE body [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join(f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(9))
        + "]>"
    ),
    "many ATTLIST": _before(
        "<!DOCTYPE body [<!ATTLIST body " + " ".join(f"a{i} CDATA 'x'" for i in range(4000)) + ">]>"
    ),
}
RESTRICTED_PAYLOAD: dict[str, Maker] = {
    "comment inside": _around("a<!-- c -->b"),
    "instruction inside": _around("a<?php x ?>b"),
    "entity inside": _around("a&nbsp;b"),
}
ENCODINGS: dict[str, Maker] = {
    "UTF-16 with BOM": lambda session, n: session.B(n).decode().encode("utf-16"),
    "UTF-16LE without BOM": lambda session, n: session.B(n).decode().encode("utf-16-le"),
    "UTF-16BE without BOM": lambda session, n: session.B(n).decode().encode("utf-16-be"),
    "UTF-32": lambda session, n: session.B(n).decode().encode("utf-32"),
    "declared latin-1": _before("<?xml version='1.0' encoding='ISO-8859-1'?>"),
    "declared UTF-16": _before("<?xml version='1.0' encoding='UTF-16'?>"),
}
VERSIONS: dict[str, Maker] = {"XML 1.1": _before("<?xml version='1.1'?>")}
CHARACTERS: dict[str, Maker] = {
    "reference 1": _around("a&#1;b"),
    "reference 1F": _around("a&#x1F;b"),
    "reference D800": _around("a&#xD800;b"),
    "reference FFFE": _around("a&#xFFFE;b"),
    "reference 110000": _around("a&#x110000;b"),
    "NUL": _around(b"a\x00b"),
    "raw control": _around(b"a\x01b"),
    "raw substitute": _around(b"a\x1ab"),
    "raw FFFF": _around("a\uffffb"),
    "lone surrogate": _around(b"a\xed\xa0\x80b"),
    "CESU pair": _around(b"a\xed\xa0\xbd\xed\xb8\x80b"),
    "overlong": _around(b"a\xc0\xbcb"),
    "overlong NUL": _around(b"a\xc0\x80b"),
    "five bytes": _around(b"a\xf8\x88\x80\x80\x80b"),
    "above 10FFFF": _around(b"a\xf4\x90\x80\x80b"),
    "cut sequence": _around(b"a\xe2\x82b"),
    "control in attribute": lambda session, n: session.B(n, "<message to='10\x0202@localhost' xmlns='jabber:client'/>"),
}
LIMITS: dict[str, Maker] = {
    "depth": _child("<a>" * 20_000 + "</a>" * 20_000),
    "giant attribute": _attribute(b"x='" + b"a" * 4_000_000 + b"'"),
    "giant name": _child("<" + "n" * 300_000 + "/>"),
    "many attributes": _child("<iq xmlns='jabber:client' " + " ".join(f"a{i}=''" for i in range(20_000)) + "/>"),
    "many children": _child("<iq xmlns='jabber:client' id='w' type='get'>" + "<c/>" * 100_000 + "</iq>"),
    "many names": _child(
        "<iq xmlns='jabber:client' id='w' type='get'>" + "".join(f"<n{i}/>" for i in range(50_000)) + "</iq>"
    ),
    "endless start tag": lambda session, n: session.B(n)[:-2] + b" a" + b"a" * 3_000_000,
    "namespace with brace": _child("<iq xmlns='jabber}client' id='w' type='get'/>"),
}
RIDS: dict[str, str | None] = {
    "empty": "",
    "zero": "0",
    "negative": "-5",
    "letters": "abc",
    "2^53": str(2**53),
    "2^63": str(2**63),
    "10^26": str(10**26),
    "10^5000": "1" + "0" * 5000,
    "exponent": "1e3",
    "spaces": " 7 ",
    "plus": "+5",
    "fraction": "5.0",
    "underscore": "1_0",
    "arabic digit": "٣",
}
EVERYTHING: dict[str, Maker] = (
    ROOTS | BROKEN | RESTRICTED_PROLOG | RESTRICTED_PAYLOAD | ENCODINGS | VERSIONS | CHARACTERS | LIMITS
)
