"""Checks from the agent's own computer: name, certificates, proxy, clock, a long poll, the way, and the machine itself.

Theory: what the seed tells people to look at one by one, done at once while one poll is held: if the poll comes back
after its wait, everything between this computer and the server lets long polls live. Whatever fails is a fact of the
report; no check ends the others. `poise analyze` reads the report.

Source: the seed's list of client-side problems; BOSH by XEP-0124 and XEP-0206.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from poise.tools.probe_machine import Sampler, browsers, commands
from poise.tools.probe_poll import Account, PollError, hold
from poise.tools.trust import Trust, trouble

FORMAT = 1
"""Version of the report; `poise analyze` says so when it is newer than itself."""
PATIENCE_S = 10.0
"""Seconds until a connection that is not made counts as failed."""
SOON_DAYS = 30
"""Days before a certificate's end from which on it is a warning."""
DRIFT_MAX_S = 5.0
"""Difference of clocks from which on it is a warning; the header it is read from resolves one second."""
ANSWER_HEADERS = ("via", "x-cache", "x-forwarded-for", "x-squid-error", "proxy-agent", "x-bluecoat-via")
"""Headers that only something between adds."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is probed."""

    host: str
    https: int = 8445
    notification: int = 7443
    trust: Trust = field(default_factory=Trust)
    account: Account | None = None
    wait_s: int = 30
    """How long the poll asks to be held."""
    route: bool = True
    """Whether to ask the system's ping and traceroute."""


@dataclass(frozen=True, slots=True)
class Check:
    """One answer."""

    name: str
    good: bool | None
    """None: could not be told."""
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def run(target: Target, say: Callable[[Check], None]) -> dict[str, Any]:
    """Do all checks; `say` hears each as it is known. Returns the report."""
    began = datetime.now(UTC)
    checks: list[Check] = []
    polls: list[Mapping[str, Any]] = []
    with Sampler() as sampler:
        for check in _checks(target, polls):
            checks.append(check)
            say(check)
        asked = list(commands(target.host)) if target.route else []
    for measured in sampler.checks():
        checks.append(Check(*measured))
        say(checks[-1])
    return {
        "poise_probe": FORMAT,
        "began": _iso(began),
        "ended": _iso(datetime.now(UTC)),
        "host": target.host,
        "agent": target.account.user if target.account else "",
        "browsers": browsers(),
        "checks": [{"name": c.name, "good": c.good, "sentence": c.sentence, "facts": dict(c.facts)} for c in checks],
        "polls": polls,
        "samples": sampler.samples,
        "pauses": sampler.pauses,
        "commands": [{"command": command, "text": text} for command, text in asked],
    }


def _checks(target: Target, polls: list[Mapping[str, Any]]) -> Iterator[Check]:
    yield _name(target)
    yield _proxy(target)
    for port in dict.fromkeys((target.https, target.notification)):
        yield from _tls(target, port)
    yield _clock(target)
    yield _poll(target, polls)


def _name(target: Target) -> Check:
    before = time.monotonic()
    try:
        found = socket.getaddrinfo(target.host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return Check("name", False, trouble(error, target.host))
    took = (time.monotonic() - before) * 1000
    addresses = sorted({str(entry[4][0]) for entry in found})
    return Check(
        "name",
        True,
        f"{target.host} is {', '.join(addresses)} ({took:.0f} ms)",
        {"addresses": addresses, "ms": round(took)},
    )


def _proxy(target: Target) -> Check:
    proxies = urllib.request.getproxies()
    used = proxies.get("https") or proxies.get("all")
    if not used or urllib.request.proxy_bypass(target.host):
        return Check("proxy", True, "this computer uses no proxy for the server", {"proxies": sorted(proxies)})
    return Check("proxy", False, f"this computer sends HTTPS through a proxy: {used}", {"proxy": used})


def _tls(target: Target, port: int) -> Iterator[Check]:
    name, where = f"certificate {port}", f"{target.host}:{port}"
    before = time.monotonic()
    try:
        with socket.create_connection((target.host, port), PATIENCE_S) as raw:
            connected = (time.monotonic() - before) * 1000
            with _anything().wrap_socket(raw, server_hostname=target.host) as secured:
                shown = secured.getpeercert(binary_form=True) or b""
                version = secured.version()
    except OSError as error:
        yield Check(name, False, trouble(error, where), {"port": port})
        return
    certificate = x509.load_der_x509_certificate(shown)
    issuer, subject = certificate.issuer.rfc4514_string(), certificate.subject.rfc4514_string()
    days = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    until = _iso(certificate.not_valid_after_utc)
    facts: dict[str, Any] = {
        "port": port,
        "connect_ms": round(connected, 1),
        "tls": version,
        "subject": subject,
        "issuer": issuer,
        "names": _names(certificate),
        "not_before": _iso(certificate.not_valid_before_utc),
        "not_after": until,
    }
    try:
        with (
            socket.create_connection((target.host, port), PATIENCE_S) as raw,
            target.trust.context().wrap_socket(raw, server_hostname=target.host),
        ):
            pass
    except ssl.SSLCertVerificationError as error:
        sentence = f"{where} is not trusted by this computer: {error.verify_message} (issuer {issuer})"
        yield Check(name, False, sentence, {**facts, "error": error.verify_message})
        return
    except OSError as error:
        yield Check(name, False, trouble(error, where), facts)
        return
    soon = f", which is in {days} days" if days < SOON_DAYS else ""
    yield Check(name, days >= SOON_DAYS, f"{where} is good until {until[:10]}{soon}, issuer {issuer}", facts)


def _anything() -> ssl.SSLContext:
    """Looks at a certificate without trusting it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in found] if isinstance(found, x509.SubjectAlternativeName) else []


def _clock(target: Target) -> Check:
    where = f"{target.host}:{target.https}"
    before, mine = time.monotonic(), datetime.now(UTC)
    try:
        with closing(
            http.client.HTTPSConnection(target.host, target.https, timeout=PATIENCE_S, context=_anything())
        ) as asked:
            asked.connect()
            before, mine = time.monotonic(), datetime.now(UTC)
            asked.request("GET", "/finesse/api/SystemInfo", headers={"Accept": "*/*"})
            answer = asked.getresponse()
            answer.read(65_536)
    except (OSError, http.client.HTTPException) as error:
        return Check("clock", None, trouble(error if isinstance(error, OSError) else OSError(repr(error)), where))
    trip = (time.monotonic() - before) * 1000
    between = {name: answer.headers[name] for name in ANSWER_HEADERS if answer.headers[name]}
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (TypeError, ValueError):
        return Check("clock", None, f"{where} tells no time", {"ms": round(trip), "between": between})
    drift = (theirs - mine).total_seconds() - trip / 2000 + 0.5  # the header is cut to whole seconds
    good = abs(drift) <= DRIFT_MAX_S
    sentence = f"the clocks differ by {abs(drift):.0f} s; a request took {trip:.0f} ms"
    if between:
        sentence += f"; something between answered or forwarded it: {', '.join(between)}"
    facts = {"drift_ms": round(drift * 1000), "ms": round(trip), "between": between, "at": _iso(mine)}
    return Check("clock", good and not between, sentence, facts)


def _poll(target: Target, polls: list[Mapping[str, Any]]) -> Check:
    began = datetime.now(UTC)
    try:
        held = hold(target.host, target.notification, _anything(), target.account, target.wait_s)
    except PollError as error:
        if error.poll:
            polls.append(error.poll)
        return Check("long poll", False, str(error), {"at": _iso(began)})
    polls.append({"at": held.at, "took_ms": round(held.seconds * 1000), "status": 200, "word": "empty"})
    good = target.wait_s - 1 <= held.seconds <= target.wait_s + 5
    sentence = f"a poll was held {held.seconds:.1f} s of {target.wait_s} s and answered"
    if held.seconds > target.wait_s + 5:
        sentence += ": late, something holds answers back"
    elif not good:
        sentence += ": early, something ends long polls"
    return Check("long poll", good, sentence, {"seconds": round(held.seconds, 2), "wait": target.wait_s})


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
