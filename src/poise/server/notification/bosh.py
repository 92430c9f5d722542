"""BOSH sessions on the HTTP listener: finds the session of a request, carries out what the session core asks for.

The empty poll, nearly all traffic, goes straight from bytes to the core and back (`request`); everything else is
parsed. Effects are carried out in the order in which cores give them, also those that arise meanwhile, so that
answers leave in request order.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Sequence

from poise.protocols.xmpp.bosh.creation import Refused
from poise.protocols.xmpp.bosh.effects import Answer, Effect, Ended, Overactive, Payload, Restart
from poise.protocols.xmpp.bosh.session import BoshSession
from poise.protocols.xmpp.bosh.timing import BoshPolicy
from poise.protocols.xmpp.bosh.wire import EMPTY, Body, BodyError, match_poll, parse_body, terminate, unknown_session
from poise.protocols.xmpp.c2s import C2S, C2SPolicy, StreamError
from poise.protocols.xmpp.errors import stream_error
from poise.protocols.xmpp.stream import Finished
from poise.registry import ENDINGS, Who
from poise.server.notification.client import ClientSession, Load, Output
from poise.server.notification.exchange import BoshExchange
from poise.server.notification.hub import Hub, Verdict
from poise.server.notification.log import STATUS_AUTHENTICATED, STATUS_CONNECTED, masked
from poise.server.notification.timing import SIGN_IN_S

SID_BYTES = 16
"""128 random bits of a session id, as XEP-0124 section 14.3 wants it unpredictable (C01, SEC13)."""
STREAM_ID_BYTES = 8
"""Random bytes of `authid`; nothing here depends on it, old clients made digests of it."""


class BoshClient(ClientSession):
    """One BOSH session."""

    __slots__ = ("_service", "core", "held_back", "secure")

    transport = "bosh"

    def __init__(self, service: BoshService, core: BoshSession, c2s: C2S, secure: bool, address: str, now: float):
        super().__init__(service.hub, c2s, address, now)
        self._service = service
        self.core = core
        self.secure = secure
        """Whether it was created over TLS; it is never served over anything less (A21)."""
        self.held_back: list[Answer] = []
        """Answers that would acknowledge what is not durable yet."""

    @property
    def name(self) -> str:
        """The sid."""
        return self.core.sid

    @property
    def deadline(self) -> float:
        """For the timer wheel."""
        return min(self.core.deadline, self.sign_in_by)

    def due(self, now: float) -> None:
        """A held request's wait is over, or the session's patience is."""
        try:
            if now >= self.sign_in_by:
                self.end("auth-timeout", now, timer_s=SIGN_IN_S)
            else:
                self._service.carry_out(self, self.core.due(now), now)
        except Exception as error:  # noqa: BLE001 - this session's end and nobody else's
            self.hub.fault(self, error, now)
        self.hub.settle()

    def deliver(self, stanza: bytes, now: float) -> None:
        """A stanza from the host."""
        self.sent += 1
        try:
            effects = self.core.send(stanza, now)
            if effects:
                self._service.carry_out(self, effects, now)
        except Exception as error:  # noqa: BLE001 - this session's end and nobody else's
            self.hub.fault(self, error, now)

    def deliver_all(self, stanzas: list[bytes], now: float) -> None:
        """Several stanzas from the host, in one answer where a request is held."""
        self.sent += len(stanzas)
        try:
            self._service.carry_out(self, self.core.send_all(stanzas, now), now)
        except Exception as error:  # noqa: BLE001 - this session's end and nobody else's
            self.hub.fault(self, error, now)

    def idle_s(self, now: float) -> float:
        """0 while a request is held."""
        return self.core.idle_s(now)

    def heard(self, now: float) -> tuple[float, float]:
        """While a request is held the client may have gone at any moment since it came."""
        return self.core.heard(now)

    @property
    def load(self) -> Load:
        """Held requests and what waits for the next one."""
        return Load(self.core.open_requests, self.core.queued, self.core.queued_bytes)

    def end(self, code: str, now: float, *, evidence: str = "", timer_s: float | None = None) -> None:
        """End the session by a code of the registry."""
        self._service.carry_out(self, self.core.end(code, now, evidence=evidence, timer_s=timer_s), now)

    def released(self, now: float) -> None:
        """Give out the answers that were held back."""
        answers, self.held_back = self.held_back, []
        self._service.carry_out(self, answers, now)

    def _send(self, data: bytes, now: float) -> None:
        self._service.carry_out(self, self.core.send(data, now), now)

    def _over(self, output: StreamError | Finished, unsent: bytes, now: float) -> None:
        assert isinstance(output, StreamError)
        extra = b""
        if ENDINGS[output.ending_code].bosh == "remote-stream-error":
            extra = unsent + stream_error(output.condition, output.text, declare=False)
        evidence = f"{output.condition}: {output.text}" if output.text else output.condition
        self._service.carry_out(self, self.core.end(output.ending_code, now, extra, evidence=evidence), now)

    def _checked(self, verdict: Verdict, now: float) -> Sequence[Output]:
        user = verdict.account.login_id if verdict.account is not None else None
        return self.c2s.password_checked(verdict.ok, verdict.temporary, user)

    def _bound(self, jid: str, now: float) -> Sequence[Output]:
        return self.c2s.bound(jid)

    def _bind_refused(self, condition: str, now: float) -> Sequence[Output]:
        return self.c2s.bind_refused(condition)


class BoshService:
    """All BOSH sessions; the handler of POSTs to `/http-bind`."""

    def __init__(
        self,
        hub: Hub,
        policy: BoshPolicy,
        *,
        plain_in_clear: bool = False,
        scram: bool = False,
        hosts: frozenset[str] = frozenset(),
    ) -> None:
        self.hub = hub
        self.policy = policy
        self.sessions: dict[str, BoshClient] = {}
        self._streams = {
            secure: C2SPolicy(secure=secure, plain_in_clear=plain_in_clear, scram=scram, hosts=hosts)
            for secure in (False, True)
        }
        self._unstored = hub.host.unstored
        self._work: deque[tuple[BoshClient, Sequence[Effect]]] = deque()
        self._working = False

    # -- requests (BoshHandler) ------------------------------------------------------------------------------------

    def request(self, body: bytes, exchange: BoshExchange, now: float) -> None:
        """A POST to `/http-bind`."""
        client: BoshClient | None = None
        try:
            poll = match_poll(body)
            if poll is None:
                client = self._parse(body, exchange, now)
            else:
                sid, rid, ack = poll
                client = self.sessions.get(sid)
                if client is not None and (not client.secure or exchange.secure):
                    exchange.session = client
                    exchange.rid = rid
                    if self.hub.log.debug_enabled:
                        self.hub.log.http_recv(sid, body)
                    effects = client.core.poll(rid, exchange, now, ack)
                    if effects:
                        self.carry_out(client, effects, now)
                    elif client.core.deadline < client.armed:
                        self.hub.wheel.watch(client)
                else:
                    self._misdirected(sid, body, client, exchange)
        except Exception as error:  # noqa: BLE001 - this session's end and nobody else's
            client = exchange.session if isinstance(exchange.session, BoshClient) else client
            self.hub.fault(client, error, now)
            if not exchange.answered:
                exchange.answer(terminate("internal-server-error"))
        host = self.hub.host
        if host.outbox or host.events:
            self.hub.settle()

    def lost(self, exchange: BoshExchange, now: float) -> None:
        """The client closed the connection of an open request."""
        client = exchange.session
        if not isinstance(client, BoshClient) or client.gone:
            return
        try:
            self.carry_out(client, client.core.channel_closed(exchange, now), now)
        except Exception as error:  # noqa: BLE001 - this session's end and nobody else's
            self.hub.fault(client, error, now)
        self.hub.settle()

    def _parse(self, data: bytes, exchange: BoshExchange, now: float) -> BoshClient | None:
        try:
            body = parse_body(data)
        except BodyError as error:
            return self._malformed(data, error, exchange, now)
        if body.sid is None:
            return self._create(data, body, exchange, now)
        client = self.sessions.get(body.sid)
        if client is None or (client.secure and not exchange.secure):
            self._misdirected(body.sid, data, client, exchange)
            return None
        exchange.session = client
        exchange.rid = body.rid
        self._received(client, data)
        self.carry_out(client, client.core.request(body, exchange, now), now)
        if client.core.deadline < client.armed:
            self.hub.wheel.watch(client)
        return client

    def _malformed(self, data: bytes, error: BodyError, exchange: BoshExchange, now: float) -> BoshClient | None:
        """What is no BOSH body ends a session only when it proves to come from its client (B13)."""
        client = self.sessions.get(error.sid) if error.sid is not None else None
        if client is not None and client.secure and not exchange.secure:
            exchange.drop()
            return None
        if client is None:
            if self.hub.log.debug_enabled:
                self.hub.log.http_recv("", masked(data))
                self.hub.log.http_error("", error.condition)
            exchange.answer(error.answer)
            return None
        exchange.session = client
        exchange.rid = error.rid or 0
        self._received(client, data)
        self.carry_out(client, client.core.malformed(error, exchange, now), now)
        return client

    def _misdirected(self, sid: str, data: bytes, client: BoshClient | None, exchange: BoshExchange) -> None:
        """A session that is not there, or one of TLS asked for in the clear: close, and leave it alone (A21)."""
        if client is not None:
            exchange.drop()
            return
        status, answer = unknown_session(self.policy.compat_openfire_404)
        if self.hub.log.debug_enabled:
            self.hub.log.http_recv(sid, masked(data))
            self.hub.log.http_error(sid, "item-not-found")
        exchange.answer(answer, status=status)

    # -- creation --------------------------------------------------------------------------------------------------

    def _create(self, data: bytes, body: Body, exchange: BoshExchange, now: float) -> BoshClient | None:
        hub = self.hub
        debug = hub.log.debug_enabled
        if debug:
            hub.log.http_recv("", masked(data))
        try:
            if hub.stopping:
                raise Refused("system-shutdown", "the service stops", legacy="ver" not in body.attrs)
            client = self._admit(body, exchange, now)
        except Refused as refused:
            if debug:
                hub.log.http_error("", refused.condition)
            exchange.answer(refused.body, status=refused.status)
            return None
        return client

    def _admit(self, body: Body, exchange: BoshExchange, now: float) -> BoshClient:
        hub, secure, address = self.hub, exchange.secure, exchange.address
        c2s = C2S(hub.host.domain, self._streams[secure])
        random = os.urandom(SID_BYTES + STREAM_ID_BYTES)
        core, effects = BoshSession.create(
            body,
            sid=urlsafe_b64encode(random[:SID_BYTES]).rstrip(b"=").decode(),
            stream_id=random[SID_BYTES:].hex(),
            domain=hub.host.domain,
            secure=secure,
            policy=self.policy,
            now=now,
            channel=exchange,
            features=c2s.features(),
        )
        refused = hub.admission.enter(address, now)
        if refused is not None:
            raise Refused("policy-violation", refused, legacy=core.legacy)
        c2s.lang = core.lang or ""
        client = BoshClient(self, core, c2s, secure, address, now)
        self.sessions[core.sid] = client
        exchange.session = client
        exchange.rid = body.rid
        hub.begun(client)
        self.carry_out(client, effects, now)
        return client

    # -- effects -----------------------------------------------------------------------------------------------------

    def carry_out(self, client: BoshClient, effects: Sequence[Effect], now: float) -> None:
        """Do what a session's core asks for; while that is under way already, after it."""
        if not effects:
            return
        if self._working:
            self._work.append((client, effects))
            return
        only = effects[0]
        if len(effects) == 1 and isinstance(only, Answer) and not (self.hub.log.debug_enabled or self._unstored):
            # all there is to do for a poll that releases a held one, or for a stanza that finds one
            channel = only.channel
            assert isinstance(channel, BoshExchange)
            channel.answer(only.body, client.core.content_type, only.status)
            if client.core.deadline < client.armed:
                self.hub.wheel.watch(client)
            return
        if len(effects) > 1:  # an answer may acknowledge the stanzas beside it: first see whether they must be stored
            effects = sorted(effects, key=_after_stanzas)
        self._work.append((client, effects))
        self._working = True
        try:
            while self._work:
                owner, wanted = self._work.popleft()
                for effect in wanted:
                    try:
                        self._do(owner, effect, now)
                    except Exception as error:  # noqa: BLE001 - this session's end and nobody else's
                        self.hub.fault(owner, error, now)
                if owner.core.deadline < owner.armed:
                    self.hub.wheel.watch(owner)
        finally:
            self._working = False

    def _do(self, client: BoshClient, effect: Effect, now: float) -> None:
        if isinstance(effect, Answer):
            if client in self._unstored:
                client.held_back.append(effect)
                return
            channel = effect.channel
            assert isinstance(channel, BoshExchange)
            channel.answer(effect.body, client.core.content_type, effect.status)
            if self.hub.log.debug_enabled:
                self._sent(client, channel, effect)
        elif isinstance(effect, Payload):
            for element in effect.children:
                if client.gone:
                    return
                client.obey(client.c2s.receive(element, now), now)
        elif isinstance(effect, Restart):
            client.obey(client.c2s.restart(effect.to), now)
        elif isinstance(effect, Overactive):
            self.hub.log.overactive(sid=client.name, jid=client.jid, evidence=effect.evidence, count=effect.count)
        else:
            self._ended(client, effect, now)

    def _ended(self, client: BoshClient, ended: Ended, now: float) -> None:
        """Forget a session. Of a client that vanished nobody knows whether it read its last answers: what they
        carried counts as undelivered."""
        self.sessions.pop(client.core.sid, None)
        undelivered = ended.undelivered
        if ended.closed.ending.who is Who.NETWORK:
            undelivered = ended.unconfirmed + undelivered
        if self.hub.log.debug_enabled and ended.closed.ending.bosh is not None:
            self.hub.log.http_error(client.name, ended.closed.ending.bosh)
        self.hub.ended(client, ended.closed, undelivered, now)

    # -- debug log -----------------------------------------------------------------------------------------------------

    def _received(self, client: BoshClient, data: bytes) -> None:
        if self.hub.log.debug_enabled:
            self.hub.log.http_recv(client.name, masked(data))

    def _sent(self, client: BoshClient, exchange: BoshExchange, answer: Answer) -> None:
        log = self.hub.log
        if answer.body != EMPTY and not answer.final:
            log.consume_response(
                sid=client.name,
                status=STATUS_AUTHENTICATED if client.jid else STATUS_CONNECTED,
                jid=client.jid.partition("/")[0],
                presence=client.presence,
                rid=exchange.rid,
            )
        log.http_sent(client.name, masked(answer.body))


def _after_stanzas(effect: Effect) -> bool:
    """For sorting: stanzas come first. What they bring about is carried out behind all of these effects anyway."""
    return not isinstance(effect, Payload)
