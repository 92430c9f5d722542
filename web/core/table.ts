/** The team as a table: which rows, in which order, and which of them are on the screen. */
import type { Absence, Member } from './finesse/floor';
import type { AgentState } from './finesse/objects';

export type Column = 'name' | 'state' | 'time' | 'extension' | 'screen';

export interface Filter {
  /** Part of a name, an id or an extension; case and accents do not matter. */
  readonly text: string;
  /** Empty: every state; `in`: everybody who is signed in; `gone`: whose screen is gone. */
  readonly state: AgentState | '' | 'in' | 'gone';
}

/** Order of states: who may need help comes first. */
const STATE_ORDER: readonly AgentState[] = [
  'HOLD', 'TALKING', 'RESERVED', 'RESERVED_OUTBOUND', 'RESERVED_OUTBOUND_PREVIEW', 'WORK', 'WORK_READY', 'READY', 'NOT_READY', 'UNKNOWN', 'LOGIN', 'LOGOUT',
];
/** The same, in the order of the list from which a state is chosen. */
export const STATES: readonly AgentState[] = ['READY', 'NOT_READY', 'TALKING', 'HOLD', 'RESERVED', 'WORK', 'WORK_READY', 'LOGOUT'];

export const signedIn = (member: Member): boolean => member.state !== 'LOGOUT' && member.state !== 'LOGIN';

const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

export type Gone = ReadonlyMap<string, Absence>;
const NOBODY: Gone = new Map();

export function filtered(members: readonly Member[], filter: Filter, gone: Gone = NOBODY): Member[] {
  const wanted = plain(filter.text.trim());
  return members.filter((one) => {
    if (filter.state === 'gone') {
      if (!gone.has(one.loginId)) return false;
    } else if (filter.state === 'in' ? !signedIn(one) : filter.state !== '' && filter.state !== one.state) return false;
    return !wanted || [one.name, one.loginId, one.extension].some((text) => plain(text).includes(wanted));
  });
}

/** A new list; rows that are equal by the column stand in the order of their names, then ids. */
export function sorted(members: readonly Member[], column: Column, descending: boolean, collator: Intl.Collator, gone: Gone = NOBODY): Member[] {
  const goneSince = (one: Member): number => gone.get(one.loginId)?.since ?? Infinity;
  const by: Record<Column, (a: Member, b: Member) => number> = {
    name: () => 0,
    state: (a, b) => STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state),
    // the longest time is the earliest beginning; who has none comes last
    time: (a, b) => (b.since ?? Infinity) - (a.since ?? Infinity) || 0,
    screen: (a, b) => goneSince(b) - goneSince(a) || 0,
    extension: (a, b) => collator.compare(a.extension, b.extension),
  };
  const sign = descending ? -1 : 1;
  const name = (a: Member, b: Member): number => collator.compare(a.name, b.name) || collator.compare(a.loginId, b.loginId);
  return [...members].sort((a, b) => {
    const first = by[column](a, b);
    if (Number.isNaN(first) || first === 0) return column === 'name' ? sign * name(a, b) : name(a, b);
    return sign * first;
  });
}

export interface Span {
  readonly from: number;
  /** Behind the last one. */
  readonly to: number;
}

/** Rows to draw: those on the screen and some around them, so that scrolling shows no gaps. */
export function visible(count: number, rowHeight: number, scrolled: number, height: number, around = 6): Span {
  const first = Math.floor(Math.max(0, scrolled) / rowHeight);
  const shown = Math.ceil(height / rowHeight) + 1;
  const from = Math.max(0, Math.min(first, count - shown) - around);
  return { from, to: Math.min(count, Math.max(first, 0) + shown + around) };
}

/** Where to scroll so that a row is whole on the screen; null: it is. */
export function reveal(index: number, rowHeight: number, scrolled: number, height: number): number | null {
  const top = index * rowHeight;
  if (top < scrolled) return top;
  if (top + rowHeight > scrolled + height) return top + rowHeight - height;
  return null;
}

/** How many are in each state. */
export function counts(members: readonly Member[]): ReadonlyMap<AgentState, number> {
  const found = new Map<AgentState, number>();
  for (const one of members) found.set(one.state, (found.get(one.state) ?? 0) + 1);
  return found;
}
