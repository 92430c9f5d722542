/**
 * A client's stream over BOSH (XEP-0124, XEP-0206): request ids, held requests, answers in order. No HTTP, no time.
 *
 * Theory. One request waits at the server as long as there is nothing to say; what is to be said goes in a further one,
 * as many as the server allows. Answers may come in any order and are read in the order of the request ids. A request
 * whose connection broke is sent again, the same text: the server answers it again. After TRIES_MAX the session is
 * given up. Twin of `poise.protocols.xmpp.client.bosh`.
 */
import { elements, escapeAttr, parse, XmlError, type Element } from '../xml';
import { CLIENT_NS, HTTPBIND_NS, XBOSH_NS, type Account, type Failure, type Output } from './outputs';
import { ClientStream } from './stream';

export const WAIT_S = 30;
/** Seconds a request may be held (the seed: the desktop asks every 30 s). */
const HOLD = 1;
export const TRIES_MAX = 3;
/** Times one request is sent, if its connections break. */
const MEANINGS: Readonly<Record<number, string>> = {
  400: 'HTTP status 400 (bad request)',
  403: 'HTTP status 403 (policy violation, or not allowed here)',
  404: 'HTTP status 404 (no such session, or no BOSH service at this address)',
};

export class BoshStream extends ClientStream {
  private rid: number;
  private next: number;
  private sid = '';
  private requests = 1;
  private readonly open_ = new Map<number, { data: string; tries: number }>();
  private readonly early = new Map<number, { status: number; body: string }>();
  private queue: string[] = [];
  private leaving = false;

  /** `firstRid`: unpredictable, above 0 and below 2^32 (XEP-0124 section 14.1). */
  constructor(account: Account, firstRid: number) {
    super(account);
    this.rid = firstRid - 1;
    this.next = firstRid;
  }

  /** How many requests are under way. */
  get underWay(): number {
    return this.open_.size;
  }

  /** Ask for a session. */
  open(): Output[] {
    const outputs: Output[] = [];
    const domain = escapeAttr(this.account.domain);
    this.request(
      ` to='${domain}' wait='${WAIT_S}' hold='${HOLD}' ver='1.11' xml:lang='en' content='text/xml; charset=utf-8'` +
        ` xmpp:version='1.0' xmlns:xmpp='${XBOSH_NS}'`,
      [],
      outputs,
    );
    return outputs;
  }

  /** The answer to a request. */
  answered(rid: number, status: number, body: string): Output[] {
    const outputs: Output[] = [];
    if (this.ended || !this.open_.delete(rid)) return outputs;
    this.early.set(rid, { status, body });
    for (;;) {
      const answer = this.early.get(this.next);
      if (answer === undefined || this.ended) break;
      this.early.delete(this.next);
      this.read(answer.status, answer.body, outputs);
      this.next += 1;
    }
    this.goOn(outputs);
    return outputs;
  }

  /** The connection of a request broke before its answer was there. */
  failed(rid: number): Output[] {
    const outputs: Output[] = [];
    const request = this.open_.get(rid);
    if (this.ended || request === undefined) return outputs;
    if (request.tries >= TRIES_MAX || this.leaving) {
      this.lose(this.leaving ? null : 'unreachable', 'no answer', outputs);
    } else {
      request.tries += 1;
      outputs.push({ out: 'post', rid, data: request.data });
    }
    return outputs;
  }

  /** Leave in good order; `ended` follows with the server's answer. */
  close(): Output[] {
    const outputs: Output[] = [];
    if (this.ended || this.leaving) return outputs;
    this.leaving = true;
    if (!this.sid) {
      this.lose(null, 'we left', outputs);
    } else {
      const last = this.queue;
      this.queue = [];
      this.request(" type='terminate'", last, outputs);
    }
    return outputs;
  }

  protected override write(data: string, outputs: Output[]): void {
    this.queue.push(data);
    this.goOn(outputs);
  }

  protected override begin(outputs: Output[]): void {
    const domain = escapeAttr(this.account.domain);
    this.request(` to='${domain}' xml:lang='en' xmpp:restart='true' xmlns:xmpp='${XBOSH_NS}'`, [], outputs);
  }

  protected override farewell(outputs: Output[]): void {
    if (this.sid && !this.leaving) {
      this.leaving = true;
      this.request(" type='terminate'", [], outputs);
    }
  }

  /** The session is over on the other side: nothing more can be said. */
  private lose(failure: Failure | null, detail: string, outputs: Output[]): void {
    this.leaving = true;
    this.giveUp(failure, detail, outputs);
  }

  /** Say what is to be said if a request is free for it; see that one is always under way. */
  private goOn(outputs: Output[]): void {
    if (this.ended || this.leaving || !this.sid) return;
    if (this.queue.length && this.open_.size < this.requests) {
      const stanzas = this.queue;
      this.queue = [];
      this.request('', stanzas, outputs);
    } else if (this.open_.size === 0) {
      this.request('', [], outputs);
    }
  }

  private request(attributes: string, stanzas: readonly string[], outputs: Output[]): void {
    this.rid += 1;
    const sid = this.sid ? ` sid='${escapeAttr(this.sid)}'` : '';
    const head = `<body rid='${this.rid}'${sid} xmlns='${HTTPBIND_NS}'${attributes}`;
    const content = stanzas.join('');
    const data = content ? `${head}>${content}</body>` : `${head}/>`;
    this.open_.set(this.rid, { data, tries: 1 });
    outputs.push({ out: 'post', rid: this.rid, data });
  }

  private read(status: number, body: string, outputs: Output[]): void {
    if (status !== 200) {
      this.lose(this.sid ? 'stream-error' : 'not-xmpp', MEANINGS[status] ?? `HTTP status ${status}`, outputs);
      return;
    }
    let root: Element;
    try {
      root = parse(body);
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      this.lose('not-xmpp', error.message, outputs);
      return;
    }
    if (root.name !== 'body' || root.ns !== HTTPBIND_NS) {
      this.lose('not-xmpp', 'the answer is no BOSH body', outputs);
      return;
    }
    const left = this.leaving;
    const over = root.attrs['type'] === 'terminate' || root.attrs['type'] === 'terminal';
    this.leaving = left || over; // then nothing more can be said
    if (!this.sid) this.agree(root);
    for (const one of elements(root)) {
      this.hear(one.ns === HTTPBIND_NS ? asClient(one) : one, outputs);
      if (this.ended) return;
    }
    if (over) this.over(root.attrs['condition'] ?? '', left, outputs);
    else if (!this.sid) this.lose('not-xmpp', 'the answer names no session', outputs);
  }

  private over(condition: string, left: boolean, outputs: Output[]): void {
    if (left) this.lose(null, 'we left', outputs);
    else this.lose(condition ? 'stream-error' : null, condition || 'the server ended the session', outputs);
  }

  private agree(creation: Element): void {
    this.sid = creation.attrs['sid'] ?? '';
    const requests = creation.attrs['requests'] ?? '';
    this.requests = /^[0-9]+$/.test(requests) ? Math.max(1, Math.min(Number(requests), 10)) : HOLD + 1;
  }
}

/** An element that got the body's namespace only because its author wrote none. */
function asClient(element: Element): Element {
  const children = element.children.map((one) => (typeof one !== 'string' && one.ns === HTTPBIND_NS ? asClient(one) : one));
  return { ...element, ns: CLIENT_NS, children };
}
