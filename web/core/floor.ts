/**
 * What goes on around an agent: the team on a supervisor's screen, queues, team messages. No I/O and no clock; the session
 * gives it hands.
 *
 * Theory. Each feed is a node and a resource of the same things. The node is subscribed first and the resource read when
 * the server has confirmed it, so that no change falls between the two; of two pictures of one member the one with the
 * later change of state is kept, because answers and events travel on different connections. After every new
 * notification connection all of it is done again. Changes are collected for a moment before they are shown: a team of
 * 2,000 changes many times a second, and every showing copies all of it to the page.
 */
import { readAbsence, readMember, readQueue, readQueues, readTeam, readTeamMessages, type Absence, type Member, type Queue, type TeamMessage } from './finesse/floor';
import { stateBody } from './finesse/requests';
import type { Update } from './finesse/update';
import { absencesOf, disconnectsOf, type Disconnect } from './poise';
import { escape, type Element } from './xml';

const API = '/finesse/api';
/** Time in which changes are collected; below the 200 ms within which an event must be on the screen. */
export const COLLECT_MS = 80;
/** Queues whose figures are followed; more fit no screen, and each is a subscription. */
export const QUEUES_MAX = 200;
/** Team messages shown; the server keeps fewer for one team. */
const MESSAGES_MAX = 200;

export interface FloorView {
  /** The team that is watched; empty: none. */
  readonly teamId: string;
  readonly members: readonly Member[];
  readonly queues: readonly Queue[];
  readonly teamMessages: readonly TeamMessage[];
  /** Members of the team whose screen is gone. */
  readonly absences: readonly Absence[];
  /** Who of the team was disconnected in the last 24 hours, the latest first; null: not read yet. */
  readonly disconnects: readonly Disconnect[] | null;
}

export const EMPTY_FLOOR: FloorView = { teamId: '', members: [], queues: [], teamMessages: [], absences: [], disconnects: null };

export type FloorCommand =
  | { readonly do: 'watch team'; readonly teamId: string }
  | { readonly do: 'watch queues'; readonly on: boolean }
  | { readonly do: 'read disconnects' }
  | { readonly do: 'agent state'; readonly loginId: string; readonly state: 'READY' | 'NOT_READY' | 'LOGOUT' }
  | { readonly do: 'team message'; readonly text: string; readonly durationS: number; readonly teams: readonly string[] }
  | { readonly do: 'delete team message'; readonly id: string };

/** What the session does for it. */
export interface Hands {
  /** Subscribe a node, or end the subscription; `done` when the server has answered, whatever it said. */
  subscribe(node: string, on: boolean, done: () => void): void;
  /** The root of the answer; null when there is none. */
  get(path: string, done: (root: Element | null) => void): void;
  /** The text of the answer; null when there is none. */
  getText(path: string, done: (text: string | null) => void): void;
  ask(method: string, path: string, body: string, what: string, eventless: boolean): void;
  show(change: Partial<FloorView>): void;
}

export class Floor {
  private loginId = '';
  private teamId = '';
  private queuesWatched = false;
  private messageTeams: readonly string[] = [];
  private readonly members = new Map<string, Member>();
  private readonly absences = new Map<string, Absence>();
  private readonly queues = new Map<string, Queue>();
  private readonly followed = new Set<string>();
  private messages: readonly TeamMessage[] = [];
  private dirty: { members: boolean; queues: boolean } = { members: false, queues: false };
  private flushAt = Infinity;
  private round = 0;

  constructor(private readonly hands: Hands) {}

  get deadline(): number {
    return this.flushAt;
  }

  /** The user is signed in, or its notifications are on again: `teams`, whose messages it reads. */
  start(loginId: string, teams: readonly string[]): void {
    this.loginId = loginId;
    this.messageTeams = [...new Set(teams.filter(Boolean))];
    this.round += 1;
    this.followed.clear();
    this.openMessages();
    if (this.teamId) {
      this.openTeam();
      this.openAbsences();
    }
    if (this.queuesWatched) this.openQueues();
  }

  /** Everything is forgotten: another user may sign in. */
  stop(): void {
    this.round += 1;
    this.leaveTeam();
    for (const id of this.followed) this.hands.subscribe(queueNode(id), false, () => undefined);
    this.loginId = this.teamId = '';
    this.queuesWatched = false;
    this.members.clear();
    this.absences.clear();
    this.queues.clear();
    this.followed.clear();
    this.messages = [];
    this.flushAt = Infinity;
  }

  command(command: FloorCommand): void {
    switch (command.do) {
      case 'watch team':
        this.watchTeam(command.teamId);
        break;
      case 'watch queues':
        this.watchQueues(command.on);
        break;
      case 'read disconnects':
        this.readDisconnects();
        break;
      case 'agent state':
        this.hands.ask('PUT', `/User/${encodeURIComponent(command.loginId)}`, stateBody(command.state, null), `agent ${command.loginId}`, false);
        break;
      case 'team message':
        this.hands.ask('POST', '/TeamMessage', teamMessageBody(command.text, command.durationS, command.teams), 'team message', true);
        break;
      case 'delete team message':
        this.hands.ask('DELETE', `/TeamMessage/${encodeURIComponent(command.id)}`, '', 'team message', true);
        break;
    }
  }

  /** Show a team; empty: none any more. */
  private watchTeam(teamId: string): void {
    if (teamId === this.teamId) return;
    this.leaveTeam();
    this.teamId = teamId;
    this.members.clear();
    this.absences.clear();
    this.hands.show({ teamId, members: [], absences: [], disconnects: null });
    if (!teamId || !this.loginId) return;
    this.openTeam();
    this.openAbsences();
  }

  /** Follow the user's queues, or cease to. */
  private watchQueues(on: boolean): void {
    if (on === this.queuesWatched) return;
    this.queuesWatched = on;
    if (on && this.loginId) this.openQueues();
    if (on) return;
    this.hands.subscribe(`${API}/User/${this.loginId}/Queues`, false, () => undefined);
    for (const id of this.followed) this.hands.subscribe(queueNode(id), false, () => undefined);
    this.followed.clear();
    this.queues.clear();
    this.hands.show({ queues: [] });
  }

  /** Whether the event was about one of the feeds. */
  notification(update: Update, node: string, now: number): boolean {
    const data = update.data;
    if (data === undefined) return false;
    const name = data.name.toLowerCase();
    if (name === 'user') return this.memberEvent(data, update, node, now);
    if (name === 'queue') this.queueEvent(data, update, now);
    else if (name === 'queues') this.openQueues();
    else if (name === 'absence') this.absenceEvent(data, update, node);
    else if (name === 'teammessages' || name === 'teammessage') this.messageEvent(data, update);
    else return false;
    return true;
  }

  due(now: number, serverNow: number): void {
    const active = this.messages.filter((one) => one.until > serverNow);
    if (active.length !== this.messages.length) this.showMessages(active);
    if (now < this.flushAt) return;
    this.flushAt = Infinity;
    if (this.dirty.members) this.hands.show({ members: [...this.members.values()] });
    if (this.dirty.queues) this.hands.show({ queues: [...this.queues.values()] });
    this.dirty = { members: false, queues: false };
  }

  // -- the team

  private openTeam(): void {
    const { teamId, round } = this;
    this.hands.subscribe(teamNode(teamId), true, () => {
      if (round !== this.round || teamId !== this.teamId) return;
      this.hands.get(`/Team/${encodeURIComponent(teamId)}`, (root) => {
        if (root !== null && round === this.round && teamId === this.teamId) this.takeTeam(root);
      });
    });
  }

  private leaveTeam(): void {
    if (!this.teamId) return;
    for (const node of [teamNode(this.teamId), absenceNode(this.teamId)]) this.hands.subscribe(node, false, () => undefined);
  }

  private openAbsences(): void {
    const { teamId, round } = this;
    this.hands.subscribe(absenceNode(teamId), true, () => {
      this.hands.getText(`/poise/api/absences?team=${encodeURIComponent(teamId)}`, (text) => {
        if (text === null || round !== this.round || teamId !== this.teamId) return;
        this.absences.clear();
        for (const one of absencesOf(text)) this.absences.set(one.loginId, one);
        this.hands.show({ absences: [...this.absences.values()] });
      });
    });
  }

  private absenceEvent(data: Element, update: Update, node: string): void {
    if (!this.teamId || node !== absenceNode(this.teamId)) return;
    const absence = readAbsence(data);
    if (update.event === 'DELETE') this.absences.delete(absence.loginId);
    else this.absences.set(absence.loginId, absence);
    this.hands.show({ absences: [...this.absences.values()] });
  }

  private readDisconnects(): void {
    const { teamId, round } = this;
    if (!teamId) return;
    this.hands.getText(`/poise/api/disconnects?team=${encodeURIComponent(teamId)}`, (text) => {
      if (text !== null && round === this.round && teamId === this.teamId) this.hands.show({ disconnects: disconnectsOf(text) });
    });
  }

  private takeTeam(root: Element): void {
    const listed = readTeam(root).members;
    const known = new Map(this.members);
    this.members.clear();
    for (const member of listed) {
      const ours = known.get(member.loginId);
      const newer = ours !== undefined && (ours.since ?? 0) > (member.since ?? 0);
      this.members.set(member.loginId, newer ? ours : member);
    }
    this.hands.show({ members: [...this.members.values()] });
  }

  private memberEvent(data: Element, update: Update, node: string, now: number): boolean {
    if (!this.teamId || node !== teamNode(this.teamId)) return node.startsWith(`${API}/Team/`);
    const member = readMember(data);
    if (update.event === 'DELETE') this.members.delete(member.loginId);
    else this.members.set(member.loginId, member);
    this.dirty.members = true;
    this.flushAt = Math.min(this.flushAt, now + COLLECT_MS);
    return true;
  }

  // -- queues

  private openQueues(): void {
    if (!this.queuesWatched || !this.loginId) return;
    const { round } = this;
    const base = `/User/${encodeURIComponent(this.loginId)}/Queues`;
    this.hands.subscribe(`${API}/User/${this.loginId}/Queues`, true, () => undefined);
    this.hands.get(base, (root) => {
      if (root === null || round !== this.round || !this.queuesWatched) return;
      const listed = readQueues(root).slice(0, QUEUES_MAX);
      this.queues.clear();
      for (const queue of listed) this.queues.set(queue.id, queue);
      this.hands.show({ queues: listed });
      for (const queue of listed) this.followQueue(queue.id);
    });
  }

  /** The figures that change before the subscription holds come with the next event, ten seconds later at most. */
  private followQueue(id: string): void {
    if (this.followed.has(id)) return;
    this.followed.add(id);
    this.hands.subscribe(queueNode(id), true, () => undefined);
  }

  private queueEvent(data: Element, update: Update, now: number): void {
    const queue = readQueue(data);
    if (!this.queues.has(queue.id)) return;
    if (update.event === 'DELETE') this.queues.delete(queue.id);
    else this.queues.set(queue.id, queue);
    this.dirty.queues = true;
    this.flushAt = Math.min(this.flushAt, now + COLLECT_MS);
  }

  // -- team messages

  private openMessages(): void {
    const { round } = this;
    let missing = this.messageTeams.length;
    for (const team of this.messageTeams) {
      this.hands.subscribe(`${API}/Team/${team}/TeamMessages`, true, () => {
        missing -= 1;
        if (missing > 0 || round !== this.round) return;
        this.hands.get(`/User/${encodeURIComponent(this.loginId)}/TeamMessages`, (root) => {
          if (root !== null && round === this.round) this.showMessages(readTeamMessages(root));
        });
      });
    }
  }

  private messageEvent(data: Element, update: Update): void {
    const told = data.name.toLowerCase() === 'teammessage' ? readTeamMessages({ ...data, children: [data] }) : readTeamMessages(data);
    const others = this.messages.filter((one) => told.every((other) => other.id !== one.id));
    this.showMessages(update.event === 'DELETE' ? others : [...others, ...told]);
  }

  private showMessages(messages: readonly TeamMessage[]): void {
    this.messages = messages.slice(-MESSAGES_MAX);
    this.hands.show({ teamMessages: this.messages });
  }
}

const teamNode = (teamId: string): string => `${API}/Team/${teamId}/Users`;
const absenceNode = (teamId: string): string => `/poise/api/absences/Team/${teamId}`;
const queueNode = (id: string): string => `${API}/Queue/${id}`;

/** The body of POST TeamMessage. */
export function teamMessageBody(text: string, durationS: number, teams: readonly string[]): string {
  const listed = teams.map((team) => `<team>${escape(team)}</team>`).join('');
  return `<TeamMessage><duration>${Math.round(durationS)}</duration><content>${escape(text)}</content><teams>${listed}</teams></TeamMessage>`;
}
