"""The offline store, by itself."""

from __future__ import annotations

import random
from collections import deque

from poise.protocols.xmpp.delivery import Alarm, Counters, Event, Output, Unstored
from poise.protocols.xmpp.host_limits import HostPolicy
from poise.protocols.xmpp.journal import Journal
from poise.protocols.xmpp.moment import Moment
from poise.protocols.xmpp.offline import OfflineStore
from poise.protocols.xmpp.presence import Presence
from poise.protocols.xmpp.records import Change, MessageRecord, Removed
from poise.protocols.xmpp.shared import Rules, Shared

MESSAGE = b'<message xmlns="jabber:client"><body>x</body></message>'


class Shelf:
    """A store with its surroundings."""

    def __init__(self, policy: HostPolicy | None = None, durable: bool = False) -> None:
        outbox: deque[Output] = deque()
        self.events: deque[Event] = deque()
        self.moment = Moment()
        self.counters = Counters()
        self.journal = Journal(outbox, self.events)
        self.journal.enabled = durable
        self.store = OfflineStore(
            Shared(
                Presence(1, lambda bare, left: None),
                Rules((), lambda user: True, lambda user, node: True),
                policy or HostPolicy(),
                random.Random(1),
                outbox,
                self.events,
                self.counters,
                self.journal,
                self.moment,
            )
        )

    def changes(self) -> list[Change]:
        """What was to be stored since the last time."""
        self.journal.seal()
        found = [change for event in self.events if isinstance(event, Unstored) for change in event.changes]
        self.events.clear()
        return found


def test_what_is_taken_is_forgotten_and_its_room_is_free_again() -> None:
    store = Shelf(HostPolicy(offline_bytes_total=2 * len(MESSAGE))).store
    for _ in range(3):
        assert store.put("a@d", MESSAGE, stamped=False)
        assert store.put("b@d", MESSAGE, stamped=False)
        assert not store.put("c@d", MESSAGE, stamped=False)
        assert len(store) == 2
        assert store.take("a@d", b"d") == [MESSAGE]
        assert store.take("a@d", b"d") == []
        assert store.take("b@d", b"d") == [MESSAGE]
        assert len(store) == 0


def test_one_absent_user_cannot_use_up_what_is_there_for_all() -> None:
    store = Shelf(HostPolicy(offline_messages_per_user=1)).store
    assert store.put("a@d", MESSAGE, stamped=False)
    assert not store.put("a@d", MESSAGE, stamped=False)
    assert store.put("b@d", MESSAGE, stamped=False)


def test_the_stamp_is_the_wall_time_of_storing() -> None:
    shelf = Shelf()
    shelf.moment.now = 10.5
    shelf.store.put("a@d", MESSAGE, stamped=False)
    shelf.moment.now = 11.0
    shelf.store.put("a@d", MESSAGE, stamped=True)
    shelf.moment.offset = 100.0
    delay = b'<delay xmlns="urn:xmpp:delay" from="d" stamp="1970-01-01T00:01:50Z"/>'
    assert shelf.store.take("a@d", b"d") == [MESSAGE.replace(b"</message>", delay + b"</message>"), MESSAGE]


def test_a_store_is_full_at_the_last_byte_and_what_has_expired_makes_room() -> None:
    shelf = Shelf(HostPolicy(offline_bytes_per_user=2 * len(MESSAGE), offline_keep_s=100.0))
    assert [shelf.store.put("a@d", MESSAGE, stamped=False) for _ in range(3)] == [True, True, False]
    assert [shelf.store.put("b@d", MESSAGE, stamped=False) for _ in range(1)] == [True]
    shelf.moment.now = 100.0
    assert shelf.store.put("a@d", MESSAGE, stamped=False)
    assert len(shelf.store) == 2


def test_the_store_says_when_it_wants_to_be_called() -> None:
    shelf = Shelf(durable=True)
    shelf.store.put("a@d", MESSAGE, stamped=False)
    assert [event.at for event in shelf.events if isinstance(event, Alarm)] == [3600.0]
    shelf.events.clear()
    shelf.store.take("b@d", b"d")
    assert not shelf.events
    shelf.store.take("a@d", b"d")
    assert [event.at for event in shelf.events if isinstance(event, Alarm)] == [60.0]
    passing = Shelf()
    passing.store.put("a@d", MESSAGE, stamped=False)
    passing.store.take("a@d", b"d")
    assert passing.store.deadline == 3600.0  # nothing to be remembered of what was handed out


def test_what_nobody_fetched_in_time_is_gone_and_counted() -> None:
    shelf = Shelf(HostPolicy(offline_keep_s=100.0), durable=True)
    for at in (0.0, 50.0):
        shelf.moment.now = at
        shelf.store.put("a@d", MESSAGE, stamped=False)
    shelf.moment.now = 120.0
    shelf.changes()
    assert len(shelf.store.take("a@d", b"d")) == 1
    assert shelf.changes() == [Removed(MessageRecord, ("a@d", 1))]
    assert shelf.counters.messages_expired == 1


def test_messages_of_users_who_never_come_are_swept_out_by_the_hour() -> None:
    shelf = Shelf(HostPolicy(offline_keep_s=100.0))
    shelf.store.put("a@d", MESSAGE, stamped=False)
    assert shelf.store.deadline == 3600.0
    shelf.moment.now = 3550.0
    shelf.store.put("b@d", MESSAGE, stamped=False)
    shelf.moment.now = 3600.0
    shelf.store.due(3600.0)
    assert (len(shelf.store), shelf.store.deadline) == (1, 7200.0)
    shelf.moment.now = 7200.0
    shelf.store.due(7200.0)
    assert (len(shelf.store), shelf.store.deadline) == (0, float("inf"))


def test_a_message_handed_out_is_forgotten_for_good_a_minute_later() -> None:
    shelf = Shelf(durable=True)
    shelf.store.put("a@d", MESSAGE, stamped=False)
    assert shelf.changes() == [MessageRecord("a@d", 1, 0.0, False, MESSAGE)]
    shelf.store.take("a@d", b"d")
    assert (shelf.changes(), shelf.store.deadline) == ([], 60.0)
    shelf.store.due(59.9)
    assert shelf.changes() == []
    shelf.store.due(60.0)
    assert shelf.changes() == [Removed(MessageRecord, ("a@d", 1))]


def test_what_was_stored_before_the_server_started_is_as_old_as_it_is() -> None:
    shelf = Shelf(HostPolicy(offline_keep_s=100.0))
    shelf.moment.now, shelf.moment.offset = 5.0, 1000.0
    shelf.store.restore(MessageRecord("a@d", 7, 930.0, False, MESSAGE))
    shelf.store.restore(MessageRecord("b@d", 8, 800.0, False, MESSAGE))
    (stamped,) = shelf.store.take("a@d", b"d")
    assert b'stamp="1970-01-01T00:15:30Z"' in stamped
    assert shelf.store.take("b@d", b"d") == []
    shelf.journal.enabled = True
    shelf.store.put("a@d", MESSAGE, stamped=False)
    assert shelf.changes() == [MessageRecord("a@d", 9, 1005.0, False, MESSAGE)]
