/**
 * What is done about the agent's state once the connection is back, as a table.
 *
 * Theory. While the screen was away the server may have done nothing, have made the agent Not Ready, or have signed the
 * agent out; a restarted telephone system knows nobody. What the agent had chosen on this screen is restored, as long as
 * the agent can be expected to be there; what a person decided, a supervisor for instance, is left as it is.
 */
import type { AgentState, Reason, User } from './finesse/objects';
import { RESTORE_READY_MS } from './timing';

/** Codes of the system that say "the connection was lost" or "the telephone system began anew" (finesse-api.md 6.7). */
const CONNECTION_CODES = new Set([-1, -2, 255, 20_003, 50_001, 50_002, 32_764, 32_765, 32_740]);
const OUT_OF_CALLS: readonly AgentState[] = ['NOT_READY', 'WORK'];

export type Recovery = 'keep' | 'sign in' | 'ready' | 'not ready' | 'signed out';

/** What the agent last chose on this screen. */
export interface Choice {
  readonly state: 'READY' | 'NOT_READY';
  readonly reasonId: number | null;
}

export function fromConnection(reason: Reason | null): boolean {
  return reason === null || (reason.system && CONNECTION_CODES.has(reason.code));
}

/** `awayMs`: how long the screen was away; `again`: the agent has just been signed in again by this desktop. */
export function recovery(before: User | null, now: User, choice: Choice | null, awayMs: number, again: boolean): Recovery {
  if (now.state === 'LOGOUT') return before !== null && fromConnection(now.reason) ? 'sign in' : 'signed out';
  if (!OUT_OF_CALLS.includes(now.state) || choice === null) return 'keep';
  const lost = again || (now.reason !== null && now.reason.system && CONNECTION_CODES.has(now.reason.code));
  if (!lost) return 'keep';
  if (choice.state === 'READY') return awayMs <= RESTORE_READY_MS ? 'ready' : 'keep';
  return choice.reasonId !== null && now.reason?.id !== choice.reasonId ? 'not ready' : 'keep';
}
