"""Where presence goes (RFC 6121 section 4): to the user's own resources, to whom it is directed, and to nobody else.

Theory. Rosters here hold the server's user only, so a broadcast reaches the sender's own available resources, the
sending one included, and the room above by an event. Presence directed to a JID is remembered, and whoever got it
hears `unavailable` exactly once: with the broadcast, when directed, or when the session ends.

A session may broadcast so many presences a second (`rates`). What comes faster waits, and only the latest of it is told
when its turn comes: others hear a slower client, and always its last word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Final

from poise.protocols.xmpp.delivery import Alarm, PresenceChanged, To
from poise.protocols.xmpp.jid import Jid, prepare
from poise.protocols.xmpp.presence import Change, Session, Signal, State, priority_of, show_of
from poise.protocols.xmpp.rates import Bucket
from poise.protocols.xmpp.roster import SERVER_USER
from poise.protocols.xmpp.shared import Shared
from poise.protocols.xmpp.stanzas import CLIENT_NS, StanzaRefused, quote, relayed
from poise.protocols.xmpp.xml import Element
from poise.registry import Closed

_UNAVAILABLE: Final = Element("presence", CLIENT_NS, {"type": "unavailable"})


class PresenceRouting:
    """Carries out what presence stanzas and ends of sessions ask for."""

    def __init__(
        self,
        domain: str,
        shared: Shared,
        came: Callable[[Session], None],
        hand_out: Callable[[Session], None],
    ) -> None:
        """`came(session)` is called when a session is available for the first time, `hand_out(session)` when it has
        become a receiver of messages to its user."""
        self._presence = shared.presence
        self._policy = shared.policy
        self._moment = shared.moment
        self._counters = shared.counters
        self._came = came
        self._hand_out = hand_out
        self._outbox = shared.outbox
        self._events = shared.events
        self._late: dict[Session, float] = {}
        server = quote(f"{SERVER_USER}@{domain}")
        self._server_here = b'<presence xmlns="jabber:client" from="%b" to="' % server
        self._server_gone = b'<presence xmlns="jabber:client" type="unavailable" from="%b" to="' % server
        self._server_subscribed = b'<presence xmlns="jabber:client" type="subscribed" from="%b" to="' % server
        self._server_available = True

    def receive(self, session: Session, presence: Element, to: Jid | None) -> None:
        """A presence stanza of a session; `to` None: a broadcast. Raises StanzaRefused."""
        handler = _TYPES.get(presence.attrs.get("type", ""))
        if handler is None:
            raise StanzaRefused("bad-request", text="unknown type of presence")
        if to is None and handler in _BROADCASTS and not self._in_turn(session, presence):
            return
        handler(self, session, presence, to)

    @property
    def deadline(self) -> float:
        """When `due` has something to do, in monotonic seconds."""
        return min(self._late.values(), default=inf)

    def due(self, now: float) -> None:
        """Tell the presences whose turn has come."""
        for session in [session for session, at in self._late.items() if at <= now]:
            presence = session.merged
            del self._late[session]
            session.merged = None
            if presence is not None:
                self.receive(session, presence, None)

    def end(self, session: Session, closed: Closed | None) -> None:
        """The session is over; others hear of it here and never again."""
        self._late.pop(session, None)
        change = self._presence.signal(session, Signal.END)
        self._left(session, _UNAVAILABLE, change, closed)

    def announce(self, available: bool) -> None:
        """Tell everybody that the server's own user, which stands for the web services, has come or gone."""
        if available is self._server_available:
            return
        self._server_available = available
        head = self._server_here if available else self._server_gone
        for session in self._presence.sessions():
            if session.state is State.AVAILABLE:
                self._outbox.append(To(session.client, head + session.to + b'"/>'))

    def _in_turn(self, session: Session, presence: Element) -> bool:
        """Whether a broadcast may go out now; otherwise it is kept until its turn. Raises StanzaRefused."""
        if not session.greeted:
            return True
        policy, now = self._policy, self._moment.now
        rate = session.rate
        if rate is None:
            rate = session.rate = Bucket()
        if session.merged is None and rate.take(now, policy.presence_burst, policy.presence_per_s):
            return True
        priority_of(presence)
        if session.merged is None:
            at = rate.ready_at(now, policy.presence_burst, policy.presence_per_s)
            self._late[session] = at
            self._events.append(Alarm(at))
        else:
            self._counters.presences_merged += 1
        session.merged = presence
        return False

    def _available(self, session: Session, presence: Element, to: Jid | None) -> None:
        if to is not None:
            self._direct(session, presence, to)
            return
        priority = priority_of(presence)
        account = session.account
        was_routable = session in account.routable
        change = self._presence.signal(session, Signal.AVAILABLE, priority, show_of(presence))
        stanza = session.presence = relayed(presence, session.jid, account.bare)
        outbox = self._outbox
        for other in account.available:
            outbox.append(To(other.client, stanza))
        if change is Change.CAME:
            for other in account.available:
                if other is not session:
                    outbox.append(To(session.client, other.presence))
            if self._server_available:
                outbox.append(To(session.client, self._server_here + session.to + b'"/>'))
            self._events.append(PresenceChanged(account.user, session.resource, True, len(account.available)))
            if not session.greeted:
                session.greeted = True
                self._came(session)
        if priority >= 0 and not was_routable:
            self._hand_out(session)

    def _unavailable(self, session: Session, presence: Element, to: Jid | None) -> None:
        if to is None:
            self._left(session, presence, self._presence.signal(session, Signal.UNAVAILABLE), None)
        elif to.full in session.directed:
            del session.directed[to.full]
            self._deliver(relayed(presence, session.jid, to.full), to)

    def _direct(self, session: Session, presence: Element, to: Jid) -> None:
        if not to.local or to.local == SERVER_USER:
            return  # the server has no use for it, and needs no word when it ends
        if to.full not in session.directed:
            if len(session.directed) >= self._policy.directed_per_session:
                raise StanzaRefused("resource-constraint", text="too many receivers of directed presence")
            session.directed[to.full] = None
        self._deliver(relayed(presence, session.jid, to.full), to)

    def _deliver(self, stanza: bytes, to: Jid) -> None:
        if to.resource:
            session = self._presence.session(to.full)
            if session is not None:
                self._outbox.append(To(session.client, stanza))
            return
        account = self._presence.account(to.bare)
        if account is not None:
            self._outbox.extend(To(session.client, stanza) for session in account.available)

    def _left(self, session: Session, presence: Element, change: Change, closed: Closed | None) -> None:
        """Tell everybody who has seen the session available. Own resources hear of a broadcast; those that only had
        directed presence hear of it like anybody else."""
        account = session.account
        broadcast = change is Change.LEFT
        if broadcast:
            stanza = relayed(presence, session.jid, account.bare)
            self._outbox.extend(To(other.client, stanza) for other in account.available)
        for jid in session.directed:
            to = prepare(jid)
            if not (broadcast and to.bare == account.bare):
                self._deliver(relayed(presence, session.jid, jid), to)
        session.directed.clear()
        if broadcast:
            self._events.append(PresenceChanged(account.user, session.resource, False, len(account.available), closed))

    def _subscribe(self, session: Session, presence: Element, to: Jid | None) -> None:
        if to is None:
            raise StanzaRefused("bad-request", text="a subscription names whom it is about")
        if to.local != SERVER_USER:
            raise StanzaRefused("not-allowed", text="rosters are managed by the server")
        if presence.attrs["type"] == "subscribe":
            self._outbox.append(To(session.client, self._server_subscribed + session.account.to + b'"/>'))

    def _drop(self, session: Session, presence: Element, to: Jid | None) -> None:
        """Probes are for servers (RFC 6121 section 4.3), and nothing is answered to an error."""


_TYPES: Final[Mapping[str, Callable[[PresenceRouting, Session, Element, Jid | None], None]]] = {
    "": PresenceRouting._available,
    "unavailable": PresenceRouting._unavailable,
    "subscribe": PresenceRouting._subscribe,
    "subscribed": PresenceRouting._subscribe,
    "unsubscribe": PresenceRouting._subscribe,
    "unsubscribed": PresenceRouting._subscribe,
    "probe": PresenceRouting._drop,
    "error": PresenceRouting._drop,
}

_BROADCASTS: Final = (PresenceRouting._available, PresenceRouting._unavailable)
"""What goes to others when it is addressed to nobody."""
