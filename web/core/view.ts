/** What the pages show: one value, made by the session and sent to every page as it changes. No page changes it. */
import { EMPTY_FLOOR, type FloorView } from './floor';
import type { AgentState, Dialog, Reason, User } from './finesse/objects';

export interface Words {
  /** Key of the catalogue. */
  readonly key: string;
  readonly params?: Readonly<Record<string, string | number>>;
}

/** Why somebody is not signed in: a sentence for the agent, a code for IT. */
export interface Refusal extends Words {
  readonly code: string;
}

export interface Notice extends Words {
  readonly id: number;
  readonly tone: 'info' | 'good' | 'bad';
  /** Milliseconds since the epoch on this computer's clock. */
  readonly at: number;
  readonly code?: string;
}

/** All times are milliseconds since the epoch on this computer's clock. */
export interface Link {
  readonly state: 'none' | 'connecting' | 'connected' | 'failing' | 'resting' | 'stopped';
  readonly transport: 'bosh' | 'websocket';
  readonly attempt: number;
  readonly nextAttemptAt: number | null;
  readonly connectedAt: number | null;
  readonly heardAt: number | null;
  readonly lostAt: number | null;
  /** When the server signs the agent out, at the earliest; null while it hears us. */
  readonly signOutAt: number | null;
  readonly service: 'unknown' | 'in' | 'out' | 'unreachable';
  readonly serviceReason: string;
  readonly roundTripMs: number | null;
  readonly offsetMs: number | null;
  readonly online: boolean;
  /** Durations of the last answers of the notification service, in milliseconds. */
  readonly cycles: readonly number[];
  readonly failures: number;
  readonly asleepMs: number;
  readonly alternate: string;
  readonly detail: string;
}

export interface StateEntry {
  readonly state: AgentState;
  readonly label: string;
  readonly since: number;
}

export interface RecentCall {
  readonly id: string;
  readonly number: string;
  readonly incoming: boolean;
  readonly missed: boolean;
  readonly at: number;
  readonly talkedMs: number;
  readonly queue: string;
}

export interface View extends FloorView {
  readonly phase: 'signed out' | 'signing in' | 'signed in';
  /** Which step of signing in is under way. */
  readonly step: Words | null;
  readonly refusal: Refusal | null;
  readonly user: User | null;
  readonly dialogs: readonly Dialog[];
  readonly notReadyReasons: readonly Reason[];
  readonly logoutReasons: readonly Reason[];
  readonly wrapUpReasons: readonly string[];
  /** What was asked and has not come true yet: `state`, or a dialog's id. */
  readonly busy: readonly string[];
  readonly notices: readonly Notice[];
  readonly states: readonly StateEntry[];
  readonly calls: readonly RecentCall[];
  readonly link: Link;
  readonly host: string;
  /** Whether what is shown may be out of date, and since when. */
  readonly staleSince: number | null;
}

export function emptyView(host: string, transport: 'bosh' | 'websocket'): View {
  return {
    ...EMPTY_FLOOR,
    phase: 'signed out',
    step: null,
    refusal: null,
    user: null,
    dialogs: [],
    notReadyReasons: [],
    logoutReasons: [],
    wrapUpReasons: [],
    busy: [],
    notices: [],
    states: [],
    calls: [],
    host,
    staleSince: null,
    link: {
      state: 'none',
      transport,
      attempt: 0,
      nextAttemptAt: null,
      connectedAt: null,
      heardAt: null,
      lostAt: null,
      signOutAt: null,
      service: 'unknown',
      serviceReason: '',
      roundTripMs: null,
      offsetMs: null,
      online: true,
      cycles: [],
      failures: 0,
      asleepMs: 0,
      alternate: '',
      detail: '',
    },
  };
}
