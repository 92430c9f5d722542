"""Who is here: bound sessions of each user, which of them are available, and which a message should go to (RFC 6121).

Theory. A session is CONNECTED once its resource is bound, AVAILABLE after a broadcast `<presence/>`, CONNECTED again
after `<presence type='unavailable'/>`, and GONE when its stream ends or a newer session takes its resource. The table
below says what others must hear: that it CAME, was UPDATED, or LEFT. GONE has no way out, which is why nobody can
leave twice.

A negative priority keeps a session out of everything addressed to the bare JID (RFC 6121 section 8.5.2.1). This
module makes and reads no stanzas except for the priority.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Final

from poise.protocols.xmpp.delivery import Client
from poise.protocols.xmpp.rates import Bucket
from poise.protocols.xmpp.stanzas import StanzaRefused, quote
from poise.protocols.xmpp.xml import Element


class State(Enum):
    """What a bound session is."""

    __hash__ = (
        object.__hash__
    )  # keys of the tables: a member is one object, and the enum's own hash is ten times dearer

    CONNECTED = "connected"
    AVAILABLE = "available"
    GONE = "gone"


class Signal(Enum):
    """What can happen to it."""

    __hash__ = object.__hash__

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    END = "end"


class Change(Enum):
    """What others must hear."""

    NOTHING = "nothing"
    CAME = "came"
    UPDATED = "updated"
    LEFT = "left"


TRANSITIONS: Final[Mapping[tuple[State, Signal], tuple[State, Change]]] = {
    (State.CONNECTED, Signal.AVAILABLE): (State.AVAILABLE, Change.CAME),
    (State.CONNECTED, Signal.UNAVAILABLE): (State.CONNECTED, Change.NOTHING),
    (State.CONNECTED, Signal.END): (State.GONE, Change.NOTHING),
    (State.AVAILABLE, Signal.AVAILABLE): (State.AVAILABLE, Change.UPDATED),
    (State.AVAILABLE, Signal.UNAVAILABLE): (State.CONNECTED, Change.LEFT),
    (State.AVAILABLE, Signal.END): (State.GONE, Change.LEFT),
}


class Account:
    """A user with at least one session."""

    __slots__ = ("available", "bare", "replacements", "routable", "sessions", "to", "user")

    def __init__(self, user: str, bare: str) -> None:
        self.user = user
        self.bare = bare
        self.to = quote(bare)
        """The bare JID as the bytes of an attribute."""
        self.sessions: tuple[Session, ...] = ()
        self.available: tuple[Session, ...] = ()
        self.routable: tuple[Session, ...] = ()
        """Available with a priority of 0 or more: receivers of what is addressed to the bare JID."""
        self.replacements: Bucket | None = None
        """How many sessions may be replaced by newer ones now; None until the first is."""

    def best(self) -> Session | None:
        """The most available resource: highest priority, then latest presence (RFC 6121 section 8.5.2.1.1)."""
        return max(self.routable, key=lambda session: (session.priority, session.order), default=None)

    def refresh(self) -> None:
        """Bring the lists up to date after a session changed."""
        self.available = tuple(session for session in self.sessions if session.state is State.AVAILABLE)
        self.routable = tuple(session for session in self.available if session.priority >= 0)


class Session:
    """One bound resource."""

    __slots__ = (
        "account",
        "client",
        "directed",
        "greeted",
        "jid",
        "merged",
        "order",
        "presence",
        "priority",
        "rate",
        "resource",
        "show",
        "state",
        "to",
    )

    def __init__(self, client: Client, account: Account, resource: str, jid: str) -> None:
        self.client = client
        self.account = account
        self.resource = resource
        self.jid = jid
        self.to = quote(jid)
        """The full JID as the bytes of an attribute."""
        self.state = State.CONNECTED
        self.priority = 0
        self.order = 0
        """Counts presences of the whole host: a higher one is more recent."""
        self.presence = b""
        """The last available presence as it was broadcast; means nothing in another state."""
        self.show = "online"
        """State of availability, `online` when the presence names none (RFC 6121 section 4.7.2.1)."""
        self.directed: dict[str, None] = {}
        """JIDs it sent directed presence to, in order."""
        self.greeted = False
        """Whether it has been available before: what a session gets once, it gets the first time."""
        self.rate: Bucket | None = None
        """How many presences it may broadcast now; None until its second one."""
        self.merged: Element | None = None
        """The latest presence that came above the rate, until its turn comes."""


class Presence:
    """All sessions, by JID and by user."""

    def __init__(self, resources_per_user: int, changed: Callable[[str, bool], None]) -> None:
        """`changed(bare_jid, left)` is called whenever the receivers of a user's messages may have changed; `left`:
        because a resource is not available any more."""
        self._limit = resources_per_user
        self._changed = changed
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[str, Session] = {}
        self._order = 0

    def session(self, jid: str) -> Session | None:
        """The session with this full JID."""
        return self._sessions.get(jid)

    def account(self, bare: str) -> Account | None:
        """The user with this bare JID, when it has any session."""
        return self._accounts.get(bare)

    def sessions(self) -> Iterator[Session]:
        """Every session, oldest first."""
        return iter(self._sessions.values())

    def room_for(self, bare: str) -> bool:
        """Whether the user may have one more session."""
        account = self._accounts.get(bare)
        return account is None or len(account.sessions) < self._limit

    def add(self, client: Client, user: str, bare: str, resource: str, jid: str) -> Session:
        """A newly bound session; its full JID must be free."""
        assert jid not in self._sessions, "the older session of a resource must be ended first"
        account = self._accounts.get(bare)
        if account is None:
            account = self._accounts[bare] = Account(user, bare)
        session = self._sessions[jid] = Session(client, account, resource, jid)
        account.sessions += (session,)
        self._changed(bare, False)
        return session

    def signal(self, session: Session, signal: Signal, priority: int = 0, show: str = "online") -> Change:
        """Apply what happened to a session and say what others must hear."""
        session.state, change = TRANSITIONS[session.state, signal]
        if change is Change.NOTHING and signal is not Signal.END:
            return change
        account = session.account
        same = change is Change.UPDATED and show == session.show and (priority < 0) is (session.priority < 0)
        if signal is Signal.AVAILABLE:
            self._order += 1
            session.order = self._order
            session.priority = priority
            session.show = show
        if signal is Signal.END:
            del self._sessions[session.jid]
            account.sessions = tuple(other for other in account.sessions if other is not session)
            if not account.sessions:
                del self._accounts[account.bare]
        if not same:
            account.refresh()
            self._changed(account.bare, change is Change.LEFT)
        return change


def priority_of(presence: Element) -> int:
    """The priority a presence carries, 0 when it names none (RFC 6121 section 4.7.2.3). Raises StanzaRefused."""
    child = presence.child("priority")
    if child is None:
        return 0
    text = child.text.strip()
    digits = text.removeprefix("-") if text[:1] == "-" else text.removeprefix("+")
    if digits.isascii() and digits.isdigit() and len(digits) <= 3:
        value = -int(digits) if text[:1] == "-" else int(digits)
        if -128 <= value <= 127:
            return value
    raise StanzaRefused("bad-request", text="priority is a whole number from -128 to 127")


def show_of(presence: Element) -> str:
    """The state of availability a presence tells; an unknown one counts as none (RFC 6121 section 4.7.2.1)."""
    child = presence.child("show")
    show = child.text.strip() if child is not None else ""
    return show if show in ("away", "chat", "dnd", "xa") else "online"
