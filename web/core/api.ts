/**
 * Requests of one session to the REST services, and the outcomes it waits for. 202 is a promise: what came of it arrives
 * as an event, or as an error event, with the same requestId.
 */
import type { Board } from './board';
import type { Chance, Effect } from './connection';
import { readFault, type ApiFault } from './finesse/objects';
import { OUTCOME_MS, REQUEST_MS } from './timing';
import { parse, XmlError, type Element } from './xml';
import { base64 } from './xmpp/signin';

const ROOT = '/finesse/api';

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export type Done = (status: number, body: string, now: number) => void;

interface Asked {
  /** `state`, `sign in`, `call`, or a dialog's id. */
  readonly what: string;
  readonly until: number;
  /** Nobody waits any longer, but an error may still come. */
  readonly silent: boolean;
}

export class Api {
  /** Whose requests these are; they stay in memory and are written nowhere. */
  credentials: Credentials | null = null;
  private ids = 0;
  private readonly requests = new Map<number, { method: string; url: string; done: Done }>();
  private readonly asked = new Map<string, Asked>();

  constructor(
    private readonly board: Board,
    private readonly chance: Chance,
    private readonly effect: (effect: Effect) => void,
  ) {}

  get deadline(): number {
    return Math.min(Infinity, ...[...this.asked.values()].map((one) => one.until));
  }

  nextId(): number {
    this.ids += 1;
    return this.ids;
  }

  /** `done` gets status 0 when nothing answered. */
  request(method: string, path: string, body: string, requestId: string, done: Done): void {
    const id = this.nextId();
    const url = path.startsWith('/poise/') ? path : ROOT + path;
    const headers: Record<string, string> = {};
    if (this.credentials !== null && !path.startsWith('/SystemInfo')) {
      headers['Authorization'] = `Basic ${base64(`${this.credentials.user}:${this.credentials.password}`)}`;
    }
    if (body) headers['Content-Type'] = 'application/xml';
    if (requestId) headers['requestId'] = requestId;
    this.requests.set(id, { method, url, done });
    this.board.log(`[ClientServices] requestId='${requestId}', Making REST request: method=${method}, url='${url}'`);
    this.effect({ do: 'http', id, method, url, headers, body, timeoutMs: REQUEST_MS });
  }

  get(path: string, done: Done): void {
    this.request('GET', path, '', '', done);
  }

  /** Ask for a change. `refused` hears what was refused at once; `eventless`: success has no event to wait for. */
  ask(method: string, path: string, body: string, what: string, now: number, refused: Done, eventless = false): void {
    const requestId = this.chance.uuid();
    this.asked.set(requestId, { what, until: now + OUTCOME_MS, silent: false });
    this.board.set({ busy: [...this.board.view.busy, what] });
    this.request(method, path, body, requestId, (status, answer, then) => {
      const good = status === 202 || status === 200;
      if (!good || eventless) this.settle(requestId, eventless && good);
      if (!good) refused(status, answer, then);
    });
  }

  /** What a request was about, if its outcome is waited for; nothing waits any longer. */
  settle(requestId: string, errorsMayCome = false): string | undefined {
    const asked = this.asked.get(requestId);
    if (asked === undefined) return undefined;
    if (errorsMayCome) this.asked.set(requestId, { ...asked, silent: true });
    else this.asked.delete(requestId);
    const at = this.board.view.busy.indexOf(asked.what);
    if (!asked.silent && at >= 0) this.board.set({ busy: this.board.view.busy.filter((_, index) => index !== at) });
    return asked.what;
  }

  /** Whether something was promised and has not come in time. */
  overdue(now: number): boolean {
    let found = false;
    for (const [requestId, asked] of this.asked) {
      if (now < asked.until) continue;
      this.settle(requestId);
      found ||= !asked.silent;
    }
    return found;
  }

  answered(id: number, status: number, body: string, now: number): void {
    const request = this.requests.get(id);
    if (request === undefined) return;
    this.requests.delete(id);
    this.board.log(`[ClientServices] Returned with status=${status}, method=${request.method}, url='${request.url}'`);
    request.done(status, body, now);
  }

  /** Nobody is signed in any more; late answers are nobody's. */
  forget(): void {
    this.credentials = null;
    this.asked.clear();
    this.requests.clear();
  }
}

/** What a reader makes of an answer; null for one that is no XML. */
export function readAs<T>(body: string, reader: (root: Element) => T): T | null {
  try {
    return reader(parse(body));
  } catch (error) {
    if (error instanceof XmlError) return null;
    throw error;
  }
}

export function faultOf(body: string): ApiFault | null {
  return readAs(body, readFault);
}
