"""The offline store, by itself."""

from __future__ import annotations

from poise.protocols.xmpp.host_limits import HostPolicy
from poise.protocols.xmpp.offline import OfflineStore

MESSAGE = b'<message xmlns="jabber:client"><body>x</body></message>'


def test_what_is_taken_is_forgotten_and_its_room_is_free_again() -> None:
    store = OfflineStore(HostPolicy(offline_bytes_total=2 * len(MESSAGE)))
    for _ in range(3):
        assert store.put("a@d", MESSAGE, 0.0, stamped=False)
        assert store.put("b@d", MESSAGE, 0.0, stamped=False)
        assert not store.put("c@d", MESSAGE, 0.0, stamped=False)
        assert len(store) == 2
        assert store.take("a@d", b"d", None) == [MESSAGE]
        assert store.take("a@d", b"d", None) == []
        assert store.take("b@d", b"d", None) == [MESSAGE]
        assert len(store) == 0


def test_one_absent_user_cannot_use_up_what_is_there_for_all() -> None:
    store = OfflineStore(HostPolicy(offline_messages_per_user=1))
    assert store.put("a@d", MESSAGE, 0.0, stamped=False)
    assert not store.put("a@d", MESSAGE, 0.0, stamped=False)
    assert store.put("b@d", MESSAGE, 0.0, stamped=False)


def test_the_stamp_is_the_wall_time_of_storing() -> None:
    store = OfflineStore(HostPolicy())
    store.put("a@d", MESSAGE, 10.5, stamped=False)
    store.put("a@d", MESSAGE, 11.0, stamped=True)
    delay = b'<delay xmlns="urn:xmpp:delay" from="d" stamp="1970-01-01T00:01:50Z"/>'
    assert store.take("a@d", b"d", 100.0) == [MESSAGE.replace(b"</message>", delay + b"</message>"), MESSAGE]
