/**
 * The notification connection over time: attempts, held requests that break, pings, rests. It says what it needs as
 * effects and is told what came of them; `now` is monotonic milliseconds.
 *
 * Theory. A connection is IDLE until it is started, CONNECTING while a session is made, CONNECTED while it carries
 * stanzas, RESTING between two attempts, and STOPPED when it was left, or when coming back would be wrong: a password
 * that is not accepted any more, and a second sign-in of the same agent, which two desktops would take from each other
 * for ever.
 */
import type { Element } from './xml';
import { BoshStream, WAIT_S } from './xmpp/bosh';
import type { Account, Failure, Output } from './xmpp/outputs';
import { WebSocketStream } from './xmpp/websocket';
import { HELD_EXTRA_MS, JITTER, PING_MS, PING_RETRIES, REQUEST_MS, RESEND_MS, RETRY_MS } from './timing';

export type Effect =
  | { readonly do: 'http'; readonly id: number; readonly method: string; readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string; readonly timeoutMs: number }
  | { readonly do: 'abort'; readonly id: number }
  | { readonly do: 'wsOpen'; readonly id: number; readonly url: string }
  | { readonly do: 'wsSend'; readonly id: number; readonly data: string }
  | { readonly do: 'wsClose'; readonly id: number };

export type LinkState = 'idle' | 'connecting' | 'connected' | 'resting' | 'stopped';

export type LinkEvent =
  | { readonly ev: 'connected'; readonly jid: string }
  | { readonly ev: 'stanza'; readonly element: Element }
  | { readonly ev: 'failing' }
  | { readonly ev: 'lost'; readonly failure: Failure | null; readonly detail: string; readonly final: boolean };

export interface Route {
  readonly transport: 'bosh' | 'websocket';
  readonly boshUrl: string;
  readonly webSocketUrl: string;
}

export interface Chance {
  /** From 0 to below 1. */
  random(): number;
  uuid(): string;
}

export class Connection {
  state: LinkState = 'idle';
  /** Attempts since the last success; 0 while connected. */
  attempt = 0;
  /** When the next attempt is made; null unless resting. */
  nextAttemptAt: number | null = null;
  /** When the server was last heard on this connection; null before. */
  heardAt: number | null = null;
  /** How long the last held requests took, the newest last; the details sheet draws them. */
  readonly cycles: number[] = [];

  private bosh: BoshStream | null = null;
  private ws: WebSocketStream | null = null;
  private wsId = 0;
  private opened: number | null = null;
  private pings = 0;
  private pingAt = Infinity;
  private readonly posts = new Map<number, { rid: number; sentAt: number; last: boolean }>();
  private readonly tries = new Map<number, number>();
  private waiting: { at: number; rid: number; data: string }[] = [];

  constructor(
    private readonly account: Account,
    private readonly route: Route,
    private readonly chance: Chance,
    private readonly nextId: () => number,
    private readonly effect: (effect: Effect) => void,
    private readonly tell: (event: LinkEvent, now: number) => void,
  ) {}

  get deadline(): number {
    const waiting = this.waiting.map((one) => one.at);
    const opening = this.opened === null ? Infinity : this.opened + REQUEST_MS;
    return Math.min(this.nextAttemptAt ?? Infinity, this.pingAt, opening, ...waiting);
  }

  start(now: number): void {
    this.state = 'connecting';
    this.attempt += 1;
    this.nextAttemptAt = null;
    if (this.route.transport === 'bosh') {
      this.bosh = new BoshStream(this.account, 1 + Math.floor(this.chance.random() * 0xffff_fffe));
      this.carry(this.bosh.open(), now);
    } else {
      this.ws = new WebSocketStream(this.account);
      this.wsId = this.nextId();
      this.opened = now;
      this.effect({ do: 'wsOpen', id: this.wsId, url: this.route.webSocketUrl });
    }
  }

  /** Leave in good order. What is under way may still be answered; nobody waits for it. */
  stop(now: number): void {
    const stream = this.bosh ?? this.ws;
    const connected = this.state === 'connected';
    this.state = 'stopped';
    this.nextAttemptAt = null;
    if (stream !== null && connected) this.carry(stream.close(), now);
    this.forget();
  }

  /** The network is back, or the computer awake: do not wait any longer. */
  hurry(now: number): void {
    if (this.state === 'resting') {
      this.start(now);
      return;
    }
    for (const [id, post] of [...this.posts]) {
      this.posts.delete(id);
      this.effect({ do: 'abort', id });
      this.failed(post.rid, now, 0);
    }
    if (this.ws !== null && this.state === 'connected') {
      this.pings = PING_RETRIES;
      this.pingAt = now + REQUEST_MS / 5;
      this.ping(now, false);
    }
  }

  send(stanza: string, now: number): void {
    const stream = this.bosh ?? this.ws;
    if (stream !== null) this.carry(stream.send(stanza), now);
  }

  due(now: number): void {
    if (this.nextAttemptAt !== null && now >= this.nextAttemptAt) this.start(now);
    const ready = this.waiting.filter((one) => now >= one.at);
    this.waiting = this.waiting.filter((one) => now < one.at);
    for (const one of ready) this.post(one.rid, one.data, now);
    if (this.opened !== null && now >= this.opened + REQUEST_MS && this.ws !== null) this.wsClosed(this.wsId, now);
    if (now >= this.pingAt) this.ping(now, true);
  }

  // -- what came of the effects; whether it was one of ours

  httpAnswered(id: number, status: number, body: string, now: number): boolean {
    const post = this.posts.get(id);
    if (post === undefined) return false;
    this.posts.delete(id);
    this.tries.delete(post.rid);
    if (status === 200) this.heard(now);
    this.cycles.push(now - post.sentAt);
    if (this.cycles.length > 20) this.cycles.shift();
    if (this.bosh !== null) {
      if (status >= 500) this.failed(post.rid, now); // a proxy whose server is away: as good as no answer
      else this.carry(this.bosh.answered(post.rid, status, body), now);
    }
    return true;
  }

  httpFailed(id: number, now: number): boolean {
    const post = this.posts.get(id);
    if (post === undefined) return false;
    this.posts.delete(id);
    this.failed(post.rid, now);
    return true;
  }

  wsOpened(id: number, now: number): void {
    if (id !== this.wsId || this.ws === null) return;
    this.carry(this.ws.open(), now);
  }

  wsMessage(id: number, data: string, now: number): void {
    if (id !== this.wsId || this.ws === null) return;
    this.heard(now);
    this.pings = 0;
    this.pingAt = now + PING_MS;
    this.carry(this.ws.receive(data), now);
  }

  wsClosed(id: number, now: number): void {
    if (id !== this.wsId || this.ws === null) return;
    this.carry(this.ws.lost(), now);
  }

  // -- inside

  private heard(now: number): void {
    this.heardAt = now;
  }

  private failed(rid: number, now: number, rest?: number): void {
    if (this.bosh === null) return;
    const tries = this.tries.get(rid) ?? 0;
    this.tries.set(rid, tries + 1);
    const pause = rest ?? RESEND_MS[Math.min(tries, RESEND_MS.length - 1)] ?? 0;
    if (this.state === 'connected') this.tell({ ev: 'failing' }, now);
    this.carry(this.bosh.failed(rid), now, pause);
  }

  private post(rid: number, data: string, now: number): void {
    const id = this.nextId();
    this.posts.set(id, { rid, sentAt: now, last: data.includes(" type='terminate'") });
    const timeoutMs = this.state === 'connected' ? WAIT_S * 1000 + HELD_EXTRA_MS : REQUEST_MS;
    this.effect({ do: 'http', id, method: 'POST', url: this.route.boshUrl, headers: { 'Content-Type': 'text/xml; charset=utf-8' }, body: data, timeoutMs });
  }

  private ping(now: number, count: boolean): void {
    if (this.ws === null || this.state !== 'connected') {
      this.pingAt = Infinity;
      return;
    }
    if (count && this.pings > PING_RETRIES) {
      this.wsClosed(this.wsId, now);
      return;
    }
    if (count) {
      this.pings += 1;
      this.pingAt = now + PING_MS;
      if (this.pings > 1) this.tell({ ev: 'failing' }, now);
    }
    this.send(`<iq type="get" id="ping${this.nextId()}" to="${this.account.domain}"><ping xmlns="urn:xmpp:ping"/></iq>`, now);
  }

  private carry(outputs: readonly Output[], now: number, pause = 0): void {
    for (const output of outputs) {
      switch (output.out) {
        case 'post':
          if (pause > 0) this.waiting.push({ at: now + pause, rid: output.rid, data: output.data });
          else this.post(output.rid, output.data, now);
          break;
        case 'write':
          this.effect({ do: 'wsSend', id: this.wsId, data: output.data });
          break;
        case 'stanza':
          this.tell({ ev: 'stanza', element: output.element }, now);
          break;
        case 'ready':
          this.state = 'connected';
          this.attempt = 0;
          this.opened = null;
          this.pingAt = this.ws === null ? Infinity : now + PING_MS;
          this.tell({ ev: 'connected', jid: output.jid }, now);
          break;
        case 'ended':
          this.ended(output.failure, output.detail, now);
          break;
      }
    }
  }

  private ended(failure: Failure | null, detail: string, now: number): void {
    if (this.state === 'stopped') return;
    const final = failure === 'wrong-password' || (failure === 'stream-error' && detail.startsWith('conflict'));
    this.forget();
    if (final) {
      this.state = 'stopped';
    } else {
      this.state = 'resting';
      const rest = RETRY_MS[Math.min(this.attempt, RETRY_MS.length - 1)] ?? 0;
      this.nextAttemptAt = now + rest * (1 + JITTER * (2 * this.chance.random() - 1));
    }
    this.tell({ ev: 'lost', failure, detail, final }, now);
  }

  /** Nothing of the old session is of interest any more. */
  private forget(): void {
    for (const [id, post] of this.posts) if (!post.last) this.effect({ do: 'abort', id });
    if (this.ws !== null) this.effect({ do: 'wsClose', id: this.wsId });
    this.posts.clear();
    this.tries.clear();
    this.waiting = [];
    this.bosh = null;
    this.ws = null;
    this.opened = null;
    this.pings = 0;
    this.pingAt = Infinity;
  }
}
