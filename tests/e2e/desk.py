"""An agent's desktop as the server sees it: a BOSH session over TLS with a poll always held, and REST beside it.

All of its BOSH requests travel on one keep-alive connection, pipelined behind the held one. It works against any
running server (`Place`), in this process or another; it never sleeps, and every read has a limit.
"""

from __future__ import annotations

import base64
import itertools
import re
import ssl
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.dialogue import BIND, CLIENT, SASL, STREAM, bind, plain, wrap
from tests.conformance.wire import ANSWER_S, Headers, NoAnswer, Reply, Wire, http_request

DOMAIN = "localhost"
PUBSUB = "http://jabber.org/protocol/pubsub"
EVENT = f"{PUBSUB}#event"
_rids = itertools.count(7_000_001, 10_000)
_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a running server is."""

    ports: Mapping[str, int]
    """By listener name: https, notification, xmpp ..."""
    tls: ssl.SSLContext
    host: str = "127.0.0.1"

    def connect(self, listener: str) -> Wire:
        """A connection to a listener; over TLS, with its certificate checked, where the listener has TLS."""
        secure = listener in ("https", "notification")
        return Wire(self.host, self.ports[listener], self.tls if secure else None)


def trusting(ca: Path) -> ssl.SSLContext:
    """A client's TLS that trusts the server's development CA and nothing else."""
    return ssl.create_default_context(cafile=ca)


@dataclass(frozen=True, slots=True)
class Update:
    """One notification, taken apart as clients do it."""

    node: str
    message_id: str
    to: str
    item_id: str
    text: str
    """The Update document: the one text node of `<notification/>`."""

    def value(self, name: str) -> str:
        """Text of the first element of that name; empty when there is none."""
        return ET.fromstring(self.text).findtext(f".//{name}") or ""

    @property
    def state(self) -> str:
        """State of the user it is about."""
        return self.value("state")


def update_in(stanza: ET.Element) -> Update | None:
    """The notification a stanza carries, if it carries one."""
    items = stanza.find(f"{{{EVENT}}}event/{{{EVENT}}}items")
    if items is None or len(items) == 0:
        return None
    notification = items[0].find(f"{{{PUBSUB}}}notification")
    if notification is None:
        return None
    return Update(
        items.get("node", ""),
        stanza.get("id", ""),
        stanza.get("to", ""),
        items[0].get("id", ""),
        notification.text or "",
    )


def user_body(state: str, **values: str) -> bytes:
    """The body of PUT User."""
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in {"state": state, **values}.items())
    return f"<User>{inner}</User>".encode()


class Rest:
    """One user's REST calls, each on a connection of its own."""

    def __init__(self, place: Place, user: str, password: str | None = None, listener: str = "https") -> None:
        self.place = place
        self.user = user
        self.headers = basic(user, password)
        self._listener = listener

    def call(self, method: str, path: str, body: bytes = b"", headers: Headers = ()) -> Reply:
        """One request and its answer."""
        wanted = {**self.headers, "Content-Type": "application/xml" if body else "", **dict(headers)}
        wire = self.place.connect(self._listener)
        try:
            wire.write(http_request(method, path, body, wanted.items()))
            return wire.reply()
        finally:
            wire.close()

    def put(self, state: str, request_id: str = "", user: str = "", **values: str) -> Reply:
        """PUT User, of the caller or of somebody else."""
        headers = [("requestId", request_id)] if request_id else []
        return self.call("PUT", f"/finesse/api/User/{user or self.user}", user_body(state, **values), headers)

    def get(self, path: str) -> Reply:
        """GET below /finesse/api."""
        return self.call("GET", f"/finesse/api/{path}")

    def state_of(self, user: str) -> str:
        """A user's state now."""
        return self.get(f"User/{user}").root.findtext("state") or ""


def basic(user: str, password: str | None = None) -> dict[str, str]:
    """HTTP Basic."""
    token = base64.b64encode(f"{user}:{user if password is None else password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


class Desk:
    """One desktop. Signed in over BOSH from the start; `rest` is its REST side."""

    def __init__(
        self,
        place: Place,
        user: str,
        *,
        resource: str = "desktop",
        listener: str = "notification",
        wait: int = 30,
        headers: Headers = (),
    ) -> None:
        self.place = place
        self.user = user
        self.resource = resource
        self.rest = Rest(place, user)
        self.patience_s = ANSWER_S
        """How long an answer may take that is waited for."""
        self.alive = True
        self.jid = ""
        self.sid = ""
        self._listener = listener
        self._headers = tuple(headers)
        self._rid = next(_rids)
        self._open = 0  # requests whose answer has not been read
        self._inbox: list[ET.Element] = []
        self.replies: list[Reply] = []
        """Every answer of the BOSH session, as it came."""
        self.ended = ""
        """Condition with which the server ended the session; "-" for none given; empty while it lives."""
        self.wire = place.connect(listener)
        self._sign_in(wait)

    # -- signing in and out ----------------------------------------------------------------------------------------

    def _sign_in(self, wait: int) -> None:
        creation = wrap(to=DOMAIN, rid=self._rid, ver="1.9", wait=wait, hold=1, xml_lang="en", xmpp_version="1.0")
        self._write(creation.replace(b"<body ", b"<body xmlns:xmpp='urn:xmpp:xbosh' ", 1))
        self.sid = self._read().sid
        self.say(plain(self.user))
        self.hear(f"{{{SASL}}}success")
        self._restart()
        self.hear(f"{{{STREAM}}}features")
        self.say(bind(self.resource))
        bound = self.hear(f"{{{CLIENT}}}iq")
        self.jid = bound.findtext(f"{{{BIND}}}bind/{{{BIND}}}jid") or ""
        assert self.jid.startswith(f"{self.user}@{DOMAIN}/"), self.jid

    def come(self) -> Desk:
        """Send presence, and wait until the server has it."""
        self.say("<presence xmlns='jabber:client'/>")
        self.hear(f"{{{CLIENT}}}presence", from_=self.jid)
        return self

    def log_in(self, **values: str) -> Update:
        """REST LOGIN; the NOT_READY that follows."""
        assert self.rest.put("LOGIN", extension=self.user, **values).status == 202
        return self.user_update("NOT_READY")

    def go(self, state: str, request_id: str = "", **values: str) -> Update:
        """Ask for a state by REST and wait for the event that says it."""
        assert self.rest.put(state, request_id, **values).status == 202
        return self.user_update(state)

    def die(self) -> None:
        """The browser is gone without a word: its connections break, its session does not know."""
        self.alive = False
        self.wire.kill()

    def leave(self) -> None:
        """The browser is closed properly: the session ends by the client's own word."""
        self.alive = False
        self._post("<presence type='unavailable' xmlns='jabber:client'/>", type="terminate")
        while self._open:
            self._read()
        self.wire.close()

    def close(self) -> None:
        """Let go of the connections, whatever happened."""
        self.alive = False
        self.wire.close()

    # -- speaking and hearing --------------------------------------------------------------------------------------

    def say(self, stanza: str) -> None:
        """Send a stanza, pipelined behind the held poll."""
        self._post(stanza)

    def ask(self, payload: str, kind: str = "get", to: str = f"pubsub.{DOMAIN}") -> ET.Element:
        """An iq and its answer."""
        id_ = f"ask{next(_ids)}"
        self.say(f"<iq type='{kind}' id='{id_}' to='{to}' xmlns='jabber:client'>{payload}</iq>")
        return self.hear(f"{{{CLIENT}}}iq", id_=id_)

    def subscribe(self, node: str) -> ET.Element:
        """Subscribe to a node; the answer."""
        return self.ask(f"<pubsub xmlns='{PUBSUB}'><subscribe node='{node}' jid='{self.jid}'/></pubsub>", "set")

    def hear(self, tag: str, *, from_: str | None = None, id_: str | None = None) -> ET.Element:
        """The next stanza of that Clark name; others stay for later."""
        while True:
            for stanza in self._inbox:
                if stanza.tag == tag and from_ in (None, stanza.get("from")) and id_ in (None, stanza.get("id")):
                    self._inbox.remove(stanza)
                    return stanza
            self.listen()

    def update(self, node: str, **values: str) -> Update:
        """The next notification of a node with these element values; earlier ones of the node are dropped."""
        while True:
            for stanza in list(self._inbox):
                update = update_in(stanza)
                if update is not None and update.node == node:
                    self._inbox.remove(stanza)
                    if all(update.value(name) == value for name, value in values.items()):
                        return update
            self.listen()

    def user_update(self, state: str, user: str = "") -> Update:
        """The next notification of a user's own node with this state."""
        return self.update(f"/finesse/api/User/{user or self.user}", state=state)

    def heard(self) -> list[ET.Element]:
        """Every stanza that has come and was not asked for; they are forgotten then."""
        self.keep_up()
        heard, self._inbox = self._inbox, []
        return heard

    def updates(self) -> list[Update]:
        """The notifications among `heard`."""
        return [update for update in map(update_in, self.heard()) if update is not None]

    def hold(self) -> None:
        """Make sure that a poll is held."""
        if not self._open and not self.ended:
            self._post()

    def listen(self) -> Reply:
        """Read one answer, which must come; a poll is held afterwards."""
        if self.ended:
            raise NoAnswer(f"the session of {self.user} is over ({self.ended})")
        self.hold()
        reply = self._read()
        self.hold()
        return reply

    def keep_up(self) -> None:
        """Read what has arrived and poll again, as a living desktop does."""
        self.hold()
        while not self.ended and not self.wire.silent(0):
            self.listen()

    def _post(self, payload: str = "", **attributes: str) -> None:
        self._rid += 1
        self._write(wrap(payload, rid=self._rid, sid=self.sid, **attributes))

    def _restart(self) -> None:
        self._rid += 1
        body = wrap(rid=self._rid, sid=self.sid, to=DOMAIN, xmpp_restart="true")
        self._write(body.replace(b"<body ", b"<body xmlns:xmpp='urn:xmpp:xbosh' ", 1))

    def _write(self, body: bytes) -> None:
        self._open += 1
        self.wire.post(body, "/http-bind/", self._headers)

    def _read(self) -> Reply:
        reply = self.wire.reply(self.patience_s)
        self._open -= 1
        self.replies.append(reply)
        assert reply.status == 200, reply
        root = reply.root
        self._inbox += list(root)
        if root.get("type") == "terminate":
            self.ended = root.get("condition") or "-"
        return reply


MESSAGE_ID = re.compile(r"(?P<node>/finesse/api/.+)__(?P<jid>[^_]+@[^_]+)__(?P<random>[A-Za-z0-9]{5})")
"""A notification's id, as in the seed."""
