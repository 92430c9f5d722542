/** What one session shows and writes down: the view, the notices, the histories, the client log. It decides nothing. */
import { logLine, Ring, type Clock } from './clientlog';
import type { Connection } from './connection';
import type { Dialog, User } from './finesse/objects';
import type { Update } from './finesse/update';
import { emptyView, type Link, type Notice, type Refusal, type View, type Words } from './view';

const NOTICES_MAX = 60;
const HISTORY_MAX = 100;
const CLOCKS_MS = 50;

export class Board {
  view: View;
  readonly ring = new Ring();
  /** This computer's clock at the present input. */
  wall = 0;
  /** Minutes east of UTC of this computer, and of the server. */
  zoneMin = 0;
  serverZoneMin = 0;
  private noticeIds = 0;

  constructor(
    private readonly host: string,
    private readonly transport: 'bosh' | 'websocket',
    private readonly onLine: (line: string) => void,
  ) {
    this.view = emptyView(host, transport);
  }

  set(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
  }

  link(change: Partial<Link>): void {
    this.view = { ...this.view, link: { ...this.view.link, ...change } };
  }

  /** Nobody is signed in any more; what is known about this computer stays. */
  clear(refusal: Refusal | null): void {
    const { online, offsetMs } = this.view.link;
    const empty = emptyView(this.host, this.transport);
    this.view = { ...empty, refusal, link: { ...empty.link, online, offsetMs } };
  }

  takeUser(user: User): void {
    this.set({ user });
    const last = this.view.states[0];
    if (last?.state === user.state && last.since === (user.stateSince ?? last.since)) return;
    const entry = { state: user.state, label: user.reason?.label ?? '', since: user.stateSince ?? this.wall };
    this.set({ states: [entry, ...this.view.states].slice(0, HISTORY_MAX) });
  }

  notice(tone: Notice['tone'], words: Words, code?: string): void {
    this.noticeIds += 1;
    const { key, params } = words;
    const notice: Notice = { id: this.noticeIds, tone, key, at: this.wall, ...(params && { params }), ...(code !== undefined && { code }) };
    this.set({ notices: [...this.view.notices, notice].slice(-NOTICES_MAX) });
  }

  takeDialog(dialog: Dialog, event: Update['event']): void {
    const others = this.view.dialogs.filter((one) => one.id !== dialog.id);
    const known = this.view.dialogs.find((one) => one.id === dialog.id);
    if (event === 'DELETE') {
      this.set({ dialogs: others, busy: this.view.busy.filter((one) => one !== dialog.id) });
      this.remember(known ?? dialog);
    } else {
      this.set({ dialogs: known === undefined ? [...others, dialog] : this.view.dialogs.map((one) => (one.id === dialog.id ? dialog : one)) });
    }
  }

  private remember(dialog: Dialog): void {
    const own = dialog.participants.find((one) => one.address === this.view.user?.extension);
    const incoming = dialog.from !== this.view.user?.extension;
    const missed = incoming && own?.state === 'ALERTING';
    const number = incoming ? dialog.from : dialog.to;
    const began = own?.startedAt ?? null;
    const talkedMs = began === null || missed ? 0 : Math.max(0, this.wall + (this.view.link.offsetMs ?? 0) - began);
    const call = { id: dialog.id, number, incoming, missed, at: this.wall, talkedMs, queue: dialog.queueName };
    this.set({ calls: [call, ...this.view.calls.filter((one) => one.id !== dialog.id)].slice(0, HISTORY_MAX) });
    if (missed) this.notice('info', { key: 'call.missed', params: { number } });
  }

  /** What the connection knows, in the view; times become those of this computer's clock. */
  refreshLink(connection: Connection | null, now: number): void {
    const before = this.view.link;
    const onWall = (at: number | null | undefined): number | null => (at === null || at === undefined ? null : Math.round(at - now + this.wall));
    const state = connection === null || connection.state === 'idle' ? 'none' : connection.state;
    const heard = connection?.state === 'connected' || before.heardAt === null ? (onWall(connection?.heardAt) ?? before.heardAt) : before.heardAt;
    // the two clocks are read one after the other: a few milliseconds are no news
    const steady = (at: number | null, was: number | null): number | null => (at !== null && was !== null && Math.abs(at - was) < CLOCKS_MS ? was : at);
    const heardAt = steady(heard, before.heardAt);
    const failing = state === 'connected' && before.state === 'failing' && heardAt === before.heardAt;
    const next: Link = {
      ...before,
      state: failing ? 'failing' : state,
      attempt: connection?.attempt ?? 0,
      nextAttemptAt: steady(onWall(connection?.nextAttemptAt), before.nextAttemptAt),
      heardAt,
      cycles: before.cycles.length === connection?.cycles.length && before.cycles.at(-1) === connection.cycles.at(-1) ? before.cycles : [...(connection?.cycles ?? [])],
    };
    if ((Object.keys(next) as (keyof Link)[]).some((key) => next[key] !== before[key])) this.set({ link: next });
  }

  logStatus(status: string): void {
    this.log(`[ClientServices] MasterPublisher._connInfoHandler() - Connection status: ${status}`);
  }

  log(text: string): void {
    const clock: Clock = { offsetMs: this.view.link.offsetMs, serverZoneMin: this.serverZoneMin };
    const origin = this.view.phase === 'signed in' ? 'Header' : 'Container';
    const line = logLine(this.wall, this.zoneMin, this.host, clock, origin, text);
    this.ring.add(line);
    this.onLine(line);
  }
}
