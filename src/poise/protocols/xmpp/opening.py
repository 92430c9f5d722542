"""What a client says when it opens or restarts a stream, whatever carries it (RFC 6120 sections 4.7 to 4.9)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from poise.protocols.xmpp.c2s import C2S
from poise.protocols.xmpp.c2s_states import State
from poise.protocols.xmpp.jid import JidError, prepare

_VERSION: Final = re.compile(r"([0-9]{1,3})\.[0-9]{1,3}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,3}")


def adopt_language(c2s: C2S, attrs: Mapping[str, str]) -> None:
    """Take over the stream's xml:lang; one that is none is passed over (S20)."""
    lang = attrs.get("xml:lang", "")
    if _LANGUAGE.fullmatch(lang):
        c2s.lang = lang


def opening_problem(c2s: C2S, attrs: Mapping[str, str], *, newest: int | None = None) -> str | None:
    """The stream error condition that the attributes of an opening deserve; None for good ones. Versions above major
    `newest` are refused; without it they are answered with our own, which is lower."""
    version = _VERSION.fullmatch(attrs.get("version", ""))
    if version is None or int(version[1]) < 1 or (newest is not None and int(version[1]) > newest):
        return "unsupported-version"
    if c2s.state is State.AUTHENTICATED:
        sender = attrs.get("from")
        return "invalid-from" if sender is not None and not _is_own(c2s, sender) else None
    if "to" not in attrs:
        return "improper-addressing"
    if c2s.answers_to(attrs["to"]):
        return None
    return "host-gone" if attrs["to"].lower() in c2s.policy.former_hosts else "host-unknown"


def _is_own(c2s: C2S, sender: str) -> bool:
    try:
        return prepare(sender).bare == f"{c2s.user}@{c2s.domain}"
    except JidError:
        return False
