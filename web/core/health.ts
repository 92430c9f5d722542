/** The health pill and the banner: what is said about the connection, as rules in order. `wall`: this computer's clock. */
import { SLOW_MS } from './timing';
import type { View, Words } from './view';

export type Tone = 'good' | 'warn' | 'bad';
export interface Pill extends Words {
  readonly tone: Tone;
}

const seconds = (ms: number): number => Math.max(0, Math.ceil(ms / 1000));

/** Time left until the server signs the agent out at the earliest, in seconds; null while it hears us. */
export function graceLeft(view: View, wall: number): number | null {
  const { signOutAt, state } = view.link;
  return signOutAt === null || state === 'connected' ? null : seconds(signOutAt - wall);
}

export function pill(view: View, wall: number): Pill {
  const { link } = view;
  const connected = link.state === 'connected' || link.state === 'failing';
  if (!link.online) return { tone: 'bad', key: 'conn.offline' };
  if (connected && link.service === 'out') return { tone: 'bad', key: 'conn.out' };
  if (!connected && link.lostAt !== null) return losing(view, wall);
  if (!connected) return { tone: 'warn', key: 'conn.connecting' };
  if (view.staleSince !== null) return { tone: 'warn', key: 'conn.refreshing' };
  if (link.state === 'failing') return { tone: 'warn', key: 'conn.failing' };
  if (link.service === 'unreachable') return { tone: 'warn', key: 'conn.restDown' };
  if (link.roundTripMs !== null && link.roundTripMs > SLOW_MS) return { tone: 'warn', key: 'conn.slow' };
  return { tone: 'good', key: 'conn.ok' };
}

function losing(view: View, wall: number): Pill {
  const { link } = view;
  const left = graceLeft(view, wall);
  if (link.service === 'in' && view.staleSince !== null) return { tone: 'bad', key: 'conn.stale', params: { at: view.staleSince } };
  if (left !== null && left > 0 && left <= 60) return { tone: 'bad', key: 'conn.gracePill', params: { t: left } };
  const rest = link.nextAttemptAt === null ? 0 : seconds(link.nextAttemptAt - wall);
  return rest > 0 ? { tone: 'bad', key: 'conn.retry', params: { n: link.attempt + 1, s: rest } } : { tone: 'bad', key: 'conn.retryNow', params: { n: Math.max(1, link.attempt) } };
}

export interface Banner {
  readonly lines: readonly Words[];
}

/** The red banner: only while what is shown cannot be relied upon. */
export function banner(view: View, wall: number): Banner | null {
  const { link } = view;
  if (view.phase !== 'signed in') return null;
  if (link.state === 'connected' && link.service === 'out') {
    return { lines: [{ key: 'banner.out', params: { reason: link.serviceReason } }, { key: 'banner.outMore' }] };
  }
  if (link.lostAt === null || link.state === 'connected') return null;
  const left = graceLeft(view, wall);
  const lines: Words[] = [{ key: 'banner.lost', params: { host: view.host } }];
  if (!link.online) lines.push({ key: 'conn.offline' });
  if (left !== null) lines.push(left > 0 ? { key: 'conn.grace', params: { t: left } } : { key: 'conn.graceOver' });
  return { lines };
}
