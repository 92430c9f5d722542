"""The way from a node to its subscribers.

A notification is serialised once. What a subscriber's copy starts with (addresses and all but five characters of the
message id) is prepared when the node's receivers are resolved, which happens at the first publication after somebody
came, went, subscribed or unsubscribed; a delivery joins four byte strings.
"""

from __future__ import annotations

from collections.abc import Callable

from poise.protocols.xmpp.delivery import SUFFIXES, Client, Fanout, Output, StoredOffline, To, suffix
from poise.protocols.xmpp.moment import stamp
from poise.protocols.xmpp.presence import Session
from poise.protocols.xmpp.pubsub.nodes import Item, Node, Receivers, Subscription, SubscriptionState
from poise.protocols.xmpp.shared import Shared
from poise.protocols.xmpp.stanzas import DELAY_NS, quote

END = b"</items></event></message>"
_END_EVENT = b"</event></message>"


class Notifier:
    """Makes notifications and finds out whom they are for."""

    def __init__(self, jid: str, shared: Shared, keep: Callable[[str, bytes], bool]) -> None:
        """`keep(bare JID, message)` stores a notification for an absent user; used only where the policy says so."""
        self._jid = quote(jid)
        self._presence = shared.presence
        self._rng = shared.rng
        self._outbox = shared.outbox
        self._events = shared.events
        self._counters = shared.counters
        self._keep = keep if shared.policy.replay_notifications else None
        self.lead = b'<message xmlns="jabber:client" from="%b" to="' % self._jid
        """How every notification starts."""

    def send(self, node: Node, tail: bytes) -> tuple[int, int]:
        """Put a notification into the outbox: `tail` is everything after the message id. Returns (delivered,
        absent)."""
        receivers = node.receivers
        if receivers is None:
            receivers = node.receivers = self._resolve(node)
        targets, absent = receivers
        number = self._rng.getrandbits(30) % SUFFIXES
        if len(targets) == 1:
            client, lead = targets[0]
            self._outbox.append(To(client, b"".join((lead, suffix(number), tail))))
        elif targets:
            self._outbox.append(Fanout(targets, tail, number))
        self._counters.delivered += len(targets)
        if absent:
            self._absent(absent, suffix(number), tail)
        return len(targets), len(absent)

    def event(self, node: Node, inside: bytes) -> None:
        """Tell subscribers of something that is no item."""
        self.send(node, node.event + inside + _END_EVENT)

    def subscription_changed(self, node: Node, jid: str, state: str) -> None:
        """Tell a subscriber what became of the subscription (XEP-0060 section 8.8.4)."""
        self._to_jid(node, jid, node.event + _state(node, jid, state) + _END_EVENT)

    def to_owners(self, node: Node, owners: list[str], subscription: Subscription, state: str) -> None:
        """Tell owners that a subscriber came or went."""
        for owner in owners:
            self._to_jid(node, owner, node.event + _state(node, subscription.jid, state) + _END_EVENT)

    def message(self, node: Node, jid: str, inside: bytes) -> None:
        """A message of another kind to somebody, about a node."""
        self._to_jid(node, jid, b'">%b</message>' % inside)

    def last_item(self, node: Node, subscription: Subscription, item: Item, to: Session | None = None) -> list[Output]:
        """The newest item once more, for one subscriber, with the time it was published (XEP-0060 section 6.1.7)."""
        delay = b""
        if item.at:
            delay = b'<delay xmlns="%b" from="%b" stamp="%b"/>' % (DELAY_NS.encode(), self._jid, stamp(item.at))
        inside = item.xml(node.config.deliver_payloads)
        tail = b"%b%b</items></event>%b</message>" % (node.opening, inside, delay)
        sessions = (to,) if to is not None else self._reached(subscription)
        lead = self._lead(node, subscription.jid)
        return [To(session.client, lead + self._suffix() + tail) for session in sessions]

    def _to_jid(self, node: Node, jid: str, tail: bytes) -> None:
        """One message for one JID; nobody hears it later who is not there now."""
        lead = self._lead(node, jid)
        session = self._presence.session(jid)
        account = self._presence.account(jid)
        for receiver in (session,) if session is not None else account.routable if account is not None else ():
            self._outbox.append(To(receiver.client, lead + self._suffix() + tail))

    def _lead(self, node: Node, jid: str) -> bytes:
        to = quote(jid)
        return b'%b%b" id="%b__%b__' % (self.lead, to, node.quoted, to)

    def _suffix(self) -> bytes:
        return suffix(self._rng.getrandbits(30) % SUFFIXES)

    def _absent(self, absent: tuple[tuple[str, bytes], ...], ending: bytes, tail: bytes) -> None:
        for jid, lead in absent:
            kept = self._keep is not None and self._keep(jid.partition("/")[0], b"".join((lead, ending, tail)))
            if not kept:
                self._counters.notifications_lost += 1
            self._events.append(StoredOffline(jid, kept, lead, ending, tail))

    def _reached(self, subscription: Subscription) -> tuple[Session, ...]:
        """Sessions that a subscription leads to now."""
        options = subscription.options
        if subscription.state is not SubscriptionState.SUBSCRIBED or not options.deliver:
            return ()
        if subscription.resource:
            session = self._presence.session(subscription.jid)
            found: tuple[Session, ...] = (session,) if session is not None else ()
            if subscription.node.config.presence_based_delivery:
                found = tuple(session for session in found if session in session.account.routable)
        else:
            account = self._presence.account(subscription.bare)
            found = account.routable if account is not None else ()
        if len(options.show_values) < _ALL_SHOWS:
            found = tuple(session for session in found if session.show in options.show_values)
        return found

    def _resolve(self, node: Node) -> Receivers:
        """Where each subscription leads now. A subscription of a resource that is gone leads nowhere while its user
        is here with another (RFC 6121 section 8.5.3.2.1: never to another resource)."""
        targets: list[tuple[Client, bytes]] = []
        absent: list[tuple[str, bytes]] = []
        infix = b'" id="%b__' % node.quoted
        for subscription in node.subscriptions.values():
            reached = self._reached(subscription)
            jid = quote(subscription.jid)
            lead = b"%b%b%b%b__" % (self.lead, jid, infix, jid)
            if reached:
                targets += [(session.client, lead) for session in reached]
            elif self._counts(subscription):
                absent.append((subscription.jid, lead))
        return Receivers(tuple(targets), tuple(absent))

    def _counts(self, subscription: Subscription) -> bool:
        """Whether a notification that reaches nobody is one its user misses."""
        if (
            subscription.state is not SubscriptionState.SUBSCRIBED
            or not subscription.options.deliver
            or subscription.node.config.presence_based_delivery
        ):
            return False
        account = self._presence.account(subscription.bare)
        return account is None or not account.routable


_ALL_SHOWS = 5


def _state(node: Node, jid: str, state: str) -> bytes:
    return b'<subscription node="%b" jid="%b" subscription="%b"/>' % (node.quoted, quote(jid), state.encode())
