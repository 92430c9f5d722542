"""Recognise a file by its content and give it to its reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

import pyzipper

from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import DAMAGE, Budget, lines, members
from poise.diagnosis.readers import (
    access,
    client_log,
    commands,
    flows,
    har,
    openfire,
    packets,
    plain,
    probe,
    saz,
    trace,
    webservices,
)

Progress = Callable[[str], None]


class Captures(Protocol):
    """Who can read packet captures (`poise.tools.dissecting`); it may do so later, when all key logs were seen."""

    def keys(self, stream: BinaryIO) -> None:
        """A key log."""

    def capture(self, file: int, stream: BinaryIO) -> None:
        """A capture, that is `Evidence.files[file]`."""


def _log(reader: Callable[[Evidence, int], Any]) -> Callable[[Evidence, int, BinaryIO], None]:
    def read(evidence: Evidence, file: int, stream: BinaryIO) -> None:
        reader(evidence, file).read(lines(stream))

    return read


def _plain(form: str) -> Callable[[Evidence, int, BinaryIO], None]:
    return _log(lambda evidence, file: plain.PlainReader(evidence, file, plain.FORMS[form]))


def _unnamed(pattern: bytes) -> bytes:
    return re.sub(rb"\?P<\w+>", b"?:", pattern)


FORMS: tuple[tuple[re.Pattern[bytes], str, Callable[[Evidence, int, BinaryIO], None]], ...] = (
    (re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:\s*\{'), har.FORM, har.read),
    (re.compile(rb'\s*\{\s*"poise_probe"\s*:'), probe.FORM, probe.read),
    (re.compile(rb'\{"time": ?"[^"]+", ?"kind": ?"'), trace.FORM, _log(trace.TraceReader)),
    (re.compile(rb"\d{1,8}:\d{1,8}:[a-z_]{2,30}[;,]"), flows.FORM, flows.read),
    (
        re.compile(rb"(?:# [^\n]*\n)*(?:" + access.CISCO.pattern + rb"|" + _unnamed(access.COMBINED.pattern) + rb")"),
        access.FORM,
        _log(access.AccessReader),
    ),
    (re.compile(_unnamed(access.NGINX_ERROR.pattern)), access.ERROR_FORM, _log(access.NginxErrorReader)),
    (re.compile(rb"(?s).*?%CCBU_[^\n]*-[0-7]-"), webservices.FORM, _log(webservices.WebServicesReader)),
    (
        re.compile(rb"(?s).*?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d: "),
        client_log.FORM,
        _log(client_log.ClientLogReader),
    ),
    (
        re.compile(rb"(?s)(?:.*\n)?\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d(?:\.\d{3})? "),
        openfire.FORM,
        _log(openfire.OpenfireReader),
    ),
    (
        re.compile(rb"(?s)(?:.*\n)?[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [A-Z]{2,5} \d{4}: HTTP "),
        openfire.FORM,
        _log(openfire.OpenfireReader),
    ),
    (
        re.compile(
            rb"(?s).*?(?:request id [\d.]+|request errored|Strophe|_throttledRequestHandler|"
            rb"BOSH-Connection|network timeout retry|(?:send|recv): <body)"
        ),
        "browser console",
        _plain("browser console"),
    ),
    (
        re.compile(
            rb"(?s).*?\b(?:CTI_(?:CONNECTION|SOCKET|OPEN)_\w+|(?:UNABLE_TO_CONNECT|CONNECTED)_TO_XMPP_SERVER|OF_STATE_CHANGED)\b"
        ),
        "syslog",
        _plain("syslog"),
    ),
    (
        re.compile(
            rb"(?si).*?(?:\[(?:STARTED|STOPPED)\]|stratum|unsynchroni[sz]ed|core\.\d+\.\d+\.|packets input|"
            rb"\d+% (?:loss|packet loss|de perda|perdidos)|LISTEN|output drops|%Cpu\(s\)|CPU usage:|processor time|"
            rb"CounterSamples|Tracing route|traceroute to|[RT]X packets)"
        ),
        commands.FORM,
        _log(commands.CommandReader),
    ),
)
"""In the order of trying: the surest sign first."""


def recognise(head: bytes) -> tuple[str, Callable[[Evidence, int, BinaryIO], None]] | None:
    """What a file that begins so is, or None."""
    for pattern, form, reader in FORMS:
        if pattern.match(head):
            return form, reader
    return None


def read(
    evidence: Evidence,
    name: str,
    stream: BinaryIO,
    budget: Budget,
    *,
    password: bytes | None = None,
    progress: Progress | None = None,
    captures: Captures | None = None,
) -> None:
    """Read one file of evidence, whatever it is; what cannot be read is said in `File.trouble`. Without `captures`
    packet captures are named and not read."""

    def found(inner: str, data: BinaryIO) -> None:
        if progress is not None:
            progress(inner)
        if isinstance(data, pyzipper.ZipFile):
            saz.read(evidence, evidence.open(inner, saz.FORM), data)
            return
        head = data.peek(65_536)[:65_536]  # type: ignore[attr-defined]
        if head.startswith(packets.MAGIC):
            file = evidence.open(inner, packets.FORM)
            if captures is None:
                evidence.files[file].trouble = "packet captures are not read here"
            else:
                captures.capture(file, data)
            return
        if any(mark in head for mark in packets.KEY_LOG_MARKS):
            evidence.open(inner, packets.KEY_LOG_FORM)
            if captures is not None:
                captures.keys(data)
            return
        known = recognise(head)
        if known is None:
            why = (
                "empty" if not head else "binary, of no form known here" if b"\0" in head else "no line of it is known"
            )
            evidence.files[evidence.open(inner, "")].trouble = why
            return
        file = evidence.open(inner, known[0])
        try:
            known[1](evidence, file, data)
        except DAMAGE as error:
            evidence.files[file].trouble = f"damaged from here on: {error}"

    def trouble(inner: str, why: str) -> None:
        evidence.files[evidence.open(inner, "")].trouble = why

    members(name, stream, found, trouble, budget, password=password)
