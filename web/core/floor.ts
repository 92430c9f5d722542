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
import { readMember, readQueue, readQueues, readTeam, readTeamMessages, type Member, type Queue, type TeamMessage } from './finesse/floor';
import type { Update } from './finesse/update';
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
}

export const EMPTY_FLOOR: FloorView = { teamId: '', members: [], queues: [], teamMessages: [] };

/** What the session does for it. */
export interface Hands {
  /** Subscribe a node, or end the subscription; `done` when the server has answered, whatever it said. */
  subscribe(node: string, on: boolean, done: () => void): void;
  /** The root of the answer; null when there is none. */
  get(path: string, done: (root: Element | null) => void): void;
  show(change: Partial<FloorView>): void;
}

export class Floor {
  private loginId = '';
  private teamId = '';
  private queuesWatched = false;
  private messageTeams: readonly string[] = [];
  private readonly members = new Map<string, Member>();
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
    if (this.teamId) this.openTeam();
    if (this.queuesWatched) this.openQueues();
  }

  /** Everything is forgotten: another user may sign in. */
  stop(): void {
    this.round += 1;
    if (this.teamId) this.hands.subscribe(teamNode(this.teamId), false, () => undefined);
    for (const id of this.followed) this.hands.subscribe(queueNode(id), false, () => undefined);
    this.loginId = this.teamId = '';
    this.queuesWatched = false;
    this.members.clear();
    this.queues.clear();
    this.followed.clear();
    this.messages = [];
    this.flushAt = Infinity;
  }

  /** Show a team; empty: none any more. */
  watchTeam(teamId: string): void {
    if (teamId === this.teamId) return;
    if (this.teamId) this.hands.subscribe(teamNode(this.teamId), false, () => undefined);
    this.teamId = teamId;
    this.members.clear();
    this.hands.show({ teamId, members: [] });
    if (teamId && this.loginId) this.openTeam();
  }

  /** Follow the user's queues, or cease to. */
  watchQueues(on: boolean): void {
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
const queueNode = (id: string): string => `${API}/Queue/${id}`;

/** The body of POST TeamMessage. */
export function teamMessageBody(text: string, durationS: number, teams: readonly string[]): string {
  const listed = teams.map((team) => `<team>${escape(team)}</team>`).join('');
  return `<TeamMessage><duration>${Math.round(durationS)}</duration><content>${escape(text)}</content><teams>${listed}</teams></TeamMessage>`;
}
