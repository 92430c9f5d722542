/** Teams, queues and team messages of the Finesse API (finesse-api.md 4.1-4.3), read tolerantly. */
import { child, elements, textOf, value, type Element } from '../xml';
import { readReason, stamp, type AgentState } from './objects';

/** What lists and team events show of a user. */
export interface Member {
  readonly loginId: string;
  readonly name: string;
  readonly extension: string;
  readonly state: AgentState;
  /** Milliseconds since the epoch on the server's clock; null when the server does not know. */
  readonly since: number | null;
  readonly pending: AgentState | '';
  readonly reason: string;
  readonly reasonCode: number | null;
  /** A reason that the system gave. */
  readonly system: boolean;
}

export interface Queue {
  /** Its number, as text. */
  readonly id: string;
  readonly name: string;
  /** Figures by the name they have in the API; -1: not known. */
  readonly figures: Readonly<Record<Figure, number>>;
  /** Since when the longest call waits, milliseconds on the server's clock; null: none waits. */
  readonly longestSince: number | null;
}

export const FIGURES = [
  'callsInQueue', 'agentsLoggedOn', 'agentsReady', 'agentsNotReady', 'agentsTalkingInbound', 'agentsTalkingOutbound', 'agentsTalkingInternal',
  'agentsWrapUpReady', 'agentsWrapUpNotReady', 'agentsBusyOther',
] as const;
export type Figure = (typeof FIGURES)[number];

export interface TeamMessage {
  readonly id: string;
  readonly author: string;
  readonly authorId: string;
  /** Milliseconds since the epoch on the server's clock. */
  readonly at: number;
  readonly until: number;
  readonly text: string;
  readonly teams: readonly string[];
}

/** An agent whose screen is gone: the countdown to the logout that follows. No part of Finesse. */
export interface Absence {
  readonly loginId: string;
  /** GRACE, RETURNING, ON_CALL, LINK_DOWN, SENT or UNSENT. */
  readonly state: string;
  /** Milliseconds since the epoch on the server's clock. */
  readonly since: number | null;
  /** When it ends in a logout; null while that waits for something else. */
  readonly until: number | null;
}

export interface Team {
  readonly id: string;
  readonly name: string;
  readonly members: readonly Member[];
}

const lastPart = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1);
const named = (parent: Element | undefined, name: string): Element[] =>
  parent === undefined ? [] : elements(parent).filter((one) => one.name.toLowerCase() === name);

export function readMember(element: Element): Member {
  const reason = readReason(child(element, 'reasonCode') ?? child(element, 'ReasonCode'));
  const loginId = value(element, 'loginId');
  return {
    loginId,
    name: [value(element, 'firstName'), value(element, 'lastName')].filter(Boolean).join(' ') || loginId,
    extension: value(element, 'extension'),
    state: (value(element, 'state') || 'UNKNOWN') as AgentState,
    since: stamp(value(element, 'stateChangeTime')),
    pending: value(element, 'pendingState') as AgentState | '',
    reason: reason?.label ?? '',
    reasonCode: reason?.code ?? null,
    system: reason?.system ?? false,
  };
}

export function readTeam(element: Element): Team {
  const members = named(child(element, 'users'), 'user').map(readMember).filter((one) => one.loginId);
  return { id: value(element, 'id') || lastPart(value(element, 'uri')), name: value(element, 'name'), members };
}

export function readQueue(element: Element): Queue {
  const statistics = child(element, 'statistics');
  const figure = (name: string): number => {
    const text = value(statistics, name);
    return /^\d{1,9}$/.test(text) ? Number(text) : -1;
  };
  return {
    id: lastPart(value(element, 'uri')),
    name: value(element, 'name'),
    figures: Object.fromEntries(FIGURES.map((name) => [name, figure(name)])) as Record<Figure, number>,
    longestSince: stamp(value(statistics, 'startTimeOfLongestCallInQueue')),
  };
}

export function readQueues(element: Element): Queue[] {
  return named(element, 'queue').map(readQueue).filter((one) => one.id);
}

/** All messages in `<TeamMessages>`, or in an event's `<teamMessages>`. */
export function readTeamMessages(element: Element): TeamMessage[] {
  return named(element, 'teammessage').map((one) => {
    const by = child(one, 'createdBy');
    const at = Number(value(one, 'createdAt')) * 1000;
    return {
      id: value(one, 'id'),
      author: [value(by, 'firstName'), value(by, 'lastName')].filter(Boolean).join(' ') || value(by, 'id'),
      authorId: value(by, 'id'),
      at,
      until: at + Number(value(one, 'duration')) * 1000,
      text: textOf(child(one, 'content')).trim(),
      teams: named(child(one, 'teams'), 'team').map((team) => textOf(team).trim()),
    };
  }).filter((one) => one.id);
}

export function readAbsence(element: Element): Absence {
  return {
    loginId: value(element, 'loginId'),
    state: value(element, 'state'),
    since: stamp(value(element, 'goneSince')),
    until: stamp(value(element, 'signsOutAt')),
  };
}
