/**
 * The connection test: what was measured on this computer, judged, as text and as JSON that can be loaded again. No I/O.
 *
 * Theory. A desktop lives on answers that the server holds for 30 s and then gives at once. Whatever is in between can
 * spoil it in four ways: refuse (TLS, blocked ports), end held requests early, keep answers back (buffering), or forbid
 * WebSocket. The browser spoils it in two: timers of hidden pages, and storage that is forbidden. Each is one check, and
 * none needs a user.
 */
import { iso } from './clientlog';
import { parse, XmlError } from './xml';

export type CheckId = 'server' | 'tls' | 'clock' | 'bosh' | 'buffering' | 'longPoll' | 'webSocket' | 'worker' | 'timers' | 'storage';
export type Verdict = 'pass' | 'warn' | 'fail';

export interface Check {
  readonly id: CheckId;
  readonly verdict: Verdict;
  /** Key of the catalogue: what it means; its parameters. */
  readonly key: string;
  readonly params: Readonly<Record<string, string | number>>;
}

export interface TestReport {
  readonly poiseConnectionTest: 1;
  readonly host: string;
  readonly page: string;
  readonly browser: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly checks: readonly Check[];
}

export const CHECKS: readonly CheckId[] = ['server', 'tls', 'clock', 'bosh', 'buffering', 'longPoll', 'webSocket', 'worker', 'timers', 'storage'];
export const WAIT_S = 30;
/** A held answer that is released takes this long at most, above the round trip. */
const AT_ONCE_MS = 2_000;
/** A clock that is wrong by more confuses logs; the desktop itself reckons with the server's. */
const CLOCK_OK_S = 5;
/** Worst gap between ticks of a second that lets a session live; the server's patience is longer. */
const GAP_OK_MS = 5_000;

const HTTPBIND = 'http://jabber.org/protocol/httpbind';

function check(id: CheckId, verdict: Verdict, key: string, params: Check['params'] = {}): Check {
  return { id, verdict, key: `test.${key}`, params };
}

// -- what is sent

export function sessionRequest(domain: string, rid: number): string {
  const safe = domain.replace(/[^A-Za-z0-9.:_-]/g, '');
  return (
    `<body xmlns='${HTTPBIND}' rid='${rid}' to='${safe}' wait='${WAIT_S}' hold='1' ver='1.11' xml:lang='en'` +
    ` content='text/xml; charset=utf-8' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'/>`
  );
}

export function emptyRequest(sid: string, rid: number, last = false): string {
  return `<body xmlns='${HTTPBIND}' rid='${rid}' sid='${sid.replace(/[^\w.:-]/g, '')}'${last ? " type='terminate'" : ''}/>`;
}

/** A request to which the server has something to say at once, in the answer that it holds: a sign-in given up. */
export function releasingRequest(sid: string, rid: number): string {
  const abort = "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
  return emptyRequest(sid, rid).replace('/>', `>${abort}</body>`);
}

export function webSocketOpen(domain: string): string {
  return `<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="${domain.replace(/[^A-Za-z0-9.:_-]/g, '')}" version="1.0"/>`;
}

/** The session id in the answer to a session request; empty when the answer is something else. */
export function sessionId(status: number, body: string): string {
  if (status !== 200) return '';
  try {
    const root = parse(body);
    return root.ns === HTTPBIND && root.name === 'body' ? (root.attrs['sid'] ?? '') : '';
  } catch (error) {
    if (error instanceof XmlError) return '';
    throw error;
  }
}

// -- what came of it

export function judgeServer(status: number, isXml: boolean, ms: number): Check {
  if (status === 0) return check('server', 'fail', 'server.silent');
  if (status !== 200 || !isXml) return check('server', 'fail', 'server.foreign', { status });
  return check('server', ms > 1_500 ? 'warn' : 'pass', ms > 1_500 ? 'server.slow' : 'server.ok', { ms: Math.round(ms) });
}

export function judgeTls(https: boolean, secure: boolean): Check {
  if (!https) return check('tls', 'warn', 'tls.none');
  return secure ? check('tls', 'pass', 'tls.ok') : check('tls', 'fail', 'tls.insecure');
}

/** `offsetMs`: what the server's clock is ahead of ours; null: not known. */
export function judgeClock(offsetMs: number | null): Check {
  if (offsetMs === null) return check('clock', 'warn', 'clock.unknown');
  const s = Math.abs(offsetMs) / 1000;
  if (s <= CLOCK_OK_S) return check('clock', 'pass', 'clock.ok', { ms: Math.round(offsetMs) });
  return check('clock', 'warn', offsetMs < 0 ? 'clock.ahead' : 'clock.behind', { t: Math.round(s) });
}

export function judgeBosh(status: number, sid: string, ms: number): Check {
  if (status === 0) return check('bosh', 'fail', 'bosh.silent');
  return sid ? check('bosh', 'pass', 'bosh.ok', { ms: Math.round(ms) }) : check('bosh', 'fail', 'bosh.foreign', { status });
}

/** `ms`: from the request that releases the held answer to that answer; null: it never came. */
export function judgeBuffering(ms: number | null, early: boolean): Check {
  if (early) return check('buffering', 'fail', 'buffering.early');
  if (ms === null) return check('buffering', 'fail', 'buffering.never');
  return ms <= AT_ONCE_MS ? check('buffering', 'pass', 'buffering.ok', { ms: Math.round(ms) }) : check('buffering', 'fail', 'buffering.late', { ms: Math.round(ms) });
}

export function judgeLongPoll(status: number, ms: number): Check {
  const s = Math.round(ms / 1000);
  if (status === 200 && ms >= (WAIT_S - 2) * 1000 && ms <= (WAIT_S + 5) * 1000) return check('longPoll', 'pass', 'longPoll.ok', { s });
  if (status === 200 && ms > WAIT_S * 1000) return check('longPoll', 'warn', 'longPoll.late', { s });
  return check('longPoll', 'fail', status === 200 ? 'longPoll.early' : 'longPoll.cut', { s, status });
}

export function judgeWebSocket(how: 'open' | 'answered' | 'refused'): Check {
  if (how === 'answered') return check('webSocket', 'pass', 'webSocket.ok');
  return how === 'open' ? check('webSocket', 'warn', 'webSocket.mute') : check('webSocket', 'warn', 'webSocket.refused');
}

export function judgeWorker(place: 'shared' | 'dedicated' | 'page'): Check {
  if (place === 'shared') return check('worker', 'pass', 'worker.shared');
  return place === 'dedicated' ? check('worker', 'warn', 'worker.dedicated') : check('worker', 'fail', 'worker.page');
}

/** Worst gaps between ticks of a second, of the page and of the worker, and how long the tab was hidden. */
export function judgeTimers(pageMs: number, workerMs: number, hiddenMs: number): Check {
  const params = { page: Math.round(pageMs), worker: Math.round(workerMs), s: Math.round(hiddenMs / 1000) };
  if (workerMs > GAP_OK_MS) return check('timers', 'fail', 'timers.stopped', params);
  return check('timers', 'pass', hiddenMs > 0 ? 'timers.hidden' : 'timers.visible', params);
}

export function judgeStorage(works: boolean): Check {
  return works ? check('storage', 'pass', 'storage.ok') : check('storage', 'warn', 'storage.forbidden');
}

// -- the report

export function report(host: string, page: string, browser: string, wall: number, checks: readonly Check[]): TestReport {
  return { poiseConnectionTest: 1, host, page, browser, startedAt: iso(wall), checks };
}

export function worst(checks: readonly Check[]): Verdict {
  if (checks.some((one) => one.verdict === 'fail')) return 'fail';
  return checks.some((one) => one.verdict === 'warn') ? 'warn' : 'pass';
}

/** The report as text; `say` gives a key in words. */
export function asText(one: TestReport, say: (key: string, params?: Check['params']) => string): string {
  const head = [`${say('test.title')}: ${one.host}`, one.startedAt, one.page, one.browser, ''];
  return [...head, ...one.checks.map((row) => `[${say(`test.verdict.${row.verdict}`)}] ${say(`test.check.${row.id}`)}: ${say(row.key, row.params)}`)].join('\n');
}

export const JSON_MAX = 100_000;

/** A report that somebody saved; null for what is none. Whatever it holds beyond a report is dropped. */
export function fromJson(text: string): TestReport | null {
  if (text.length > JSON_MAX) return null;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null) return null;
  const one = found as Partial<Record<keyof TestReport, unknown>>;
  if (one.poiseConnectionTest !== 1 || !Array.isArray(one.checks)) return null;
  const text_ = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 500) : '');
  const checks: Check[] = [];
  for (const row of one.checks.slice(0, 50) as Partial<Record<keyof Check, unknown>>[]) {
    const { id, verdict, key, params } = row ?? {};
    if (!CHECKS.includes(id as CheckId) || !['pass', 'warn', 'fail'].includes(verdict as string) || typeof key !== 'string') return null;
    if (!key.startsWith(`test.${id as string}.`)) return null;
    const entries = Object.entries(typeof params === 'object' && params !== null ? params : {}).slice(0, 10);
    const clean = entries.filter((pair): pair is [string, string | number] => typeof pair[1] === 'number' || typeof pair[1] === 'string');
    checks.push({ id: id as CheckId, verdict: verdict as Verdict, key, params: Object.fromEntries(clean) });
  }
  return { poiseConnectionTest: 1, host: text_(one.host), page: text_(one.page), browser: text_(one.browser), startedAt: text_(one.startedAt), checks };
}
