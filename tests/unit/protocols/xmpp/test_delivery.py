"""Message id suffixes and fan-outs, by themselves."""

from __future__ import annotations

import re

from poise.protocols.xmpp.delivery import SUFFIXES, Fanout, StoredOffline, suffix
from tests.unit.protocols.xmpp.host_story import Recorder


def test_a_suffix_is_five_letters_and_digits() -> None:
    for number in (0, 1, 61, 62, 3843, 3844, SUFFIXES // 2, SUFFIXES - 1):
        assert re.fullmatch(rb"[A-Za-z0-9]{5}", suffix(number))
    assert (suffix(0), suffix(1), suffix(SUFFIXES - 1)) == (b"AAAAA", b"AAAAB", b"99999")


def test_different_numbers_have_different_suffixes() -> None:
    numbers = [*range(10_000), *range(SUFFIXES - 10_000, SUFFIXES)]
    assert len({suffix(number) for number in numbers}) == len(numbers)


def test_a_fan_out_counts_its_suffixes_up_and_over_the_end() -> None:
    client = Recorder()
    targets = tuple((client, b"<%d " % number) for number in range(8000))
    fanout = Fanout(targets, b">", SUFFIXES - 100)
    stanzas = [stanza for _, stanza in fanout]
    assert len(fanout) == len(stanzas) == 8000
    assert stanzas == [b"<%d %b>" % (n, suffix((SUFFIXES - 100 + n) % SUFFIXES)) for n in range(8000)]


def test_a_fan_out_makes_stanzas_only_when_asked_for() -> None:
    client = Recorder()
    pairs = iter(Fanout(((client, b"a"), (client, b"b")), b"!", 0))
    assert next(pairs) == (client, b"aAAAAA!")
    assert next(pairs) == (client, b"bAAAAB!")


def test_an_offline_notice_shows_the_whole_message() -> None:
    notice = StoredOffline("1001@localhost", False, b"<a>", b"b", b"</a>")
    assert notice.stanza == b"<a>b</a>"
    assert repr(notice) == "StoredOffline(to='1001@localhost', kept=False, stanza=b'<a>b</a>')"
