/** What a session reads from the server: service and clock, the agent, the calls, the lists. It decides nothing. */
import { readAs, type Api } from './api';
import type { Board } from './board';
import { driftText, measured } from './clientlog';
import { readDialogs, readReason, readSystemInfo, readUser, type Reason, type SystemInfo, type User } from './finesse/objects';
import { ASLEEP_MS } from './timing';
import { elements, value, type Element } from './xml';

const TRIES = 4;
/** Times a question is asked while events keep overtaking its answer. */

type OnSystem = (info: SystemInfo | null, status: number, now: number) => void;
type OnUser = (user: User | null, status: number, body: string) => void;

export class Reader {
  private userEvents = 0;
  private dialogEvents = 0;
  /** A jump of this computer's clock that is a sleep, unless the clock turns out to have been set. */
  private jump: { ms: number; offsetMs: number | null } | null = null;

  constructor(
    private readonly board: Board,
    private readonly api: Api,
  ) {}

  // -- the server itself

  /** The whole SystemInfo; drift and latency are measured with it. */
  system(now: number, done: OnSystem): void {
    const sent = this.board.wall;
    this.api.get(`/SystemInfo?nocache=${sent}`, (status, body, then) => {
      const info = status === 200 ? readAs(body, (root) => (root.name === 'SystemInfo' ? readSystemInfo(root) : null)) : null;
      this.measure(info, sent, then - now);
      if (info !== null) this.takeSystem(info);
      done(info, status, then);
    });
  }

  /** The check of the minute: the server's clock, and that it answers. */
  clock(now: number, done: OnSystem): void {
    const sent = this.board.wall;
    this.api.get(`/SystemInfo?timestamponly&nocache=${sent}`, (status, body, then) => {
      const info = status === 200 ? readAs(body, readSystemInfo) : null;
      this.measure(info, sent, then - now);
      done(info, status, then);
    });
  }

  takeSystem(info: SystemInfo): void {
    this.board.link({ service: info.inService ? 'in' : 'out', serviceReason: info.reason, alternate: info.secondary });
  }

  /** This computer's clock has jumped: a sleep, or a page that was stopped, or a clock that was set. */
  jumped(gapMs: number, ranMs: number): void {
    if (ranMs >= ASLEEP_MS) this.slept(gapMs);
    else this.jump = { ms: gapMs, offsetMs: this.board.view.link.offsetMs };
  }

  private measure(info: SystemInfo | null, sent: number, roundTripMs: number): void {
    if (info === null) this.board.link({ service: 'unreachable' });
    if (info === null || info.timestamp === null) return;
    const offsetMs = measured(sent, roundTripMs, info.timestamp);
    const jump = this.jump;
    this.jump = null;
    if (jump !== null && Math.abs(offsetMs - (jump.offsetMs ?? offsetMs)) < jump.ms / 2) this.slept(jump.ms);
    this.board.serverZoneMin = info.zoneMin;
    this.board.link({ offsetMs, roundTripMs });
    this.board.log(driftText(sent + roundTripMs / 2, info.timestamp, offsetMs, roundTripMs));
  }

  private slept(gapMs: number): void {
    this.board.log(`This computer was asleep, or the browser stopped this page, for ${Math.round(gapMs / 1000)} s`);
    this.board.link({ asleepMs: this.board.view.link.asleepMs + gapMs });
    this.board.notice('info', { key: 'conn.asleep', params: { t: Math.round(gapMs / 1000) } });
  }

  // -- the agent and the calls

  /** An event of this kind has come: it may be newer than an answer under way, whose question is then asked again. */
  heard(kind: string): void {
    if (kind === 'user') this.userEvents += 1;
    if (kind.startsWith('dialog')) this.dialogEvents += 1;
  }

  user(done: OnUser, tries = TRIES): void {
    const seen = this.userEvents;
    this.api.get(this.path(), (status, body) => {
      if (seen !== this.userEvents && tries > 1) this.user(done, tries - 1);
      else done(status === 200 ? readAs(body, readUser) : null, status, body);
    });
  }

  dialogs(done: () => void, tries = TRIES): void {
    const seen = this.dialogEvents;
    this.api.get(this.path('/Dialogs'), (status, body) => {
      if (seen !== this.dialogEvents && tries > 1) {
        this.dialogs(done, tries - 1);
        return;
      }
      const dialogs = status === 200 ? readAs(body, readDialogs) : null;
      if (dialogs !== null) this.board.set({ dialogs });
      done();
    });
  }

  /** What is chosen from: reasons and wrap-up reasons. A server without such a list offers none. */
  lists(): void {
    const list = (path: string, take: (root: Element) => void): void => {
      this.api.get(this.path(path), (status, body) => {
        const root = status === 200 ? readAs(body, (one) => one) : null;
        if (root !== null) take(root);
      });
    };
    const reasons = (root: Element): Reason[] => elements(root).map(readReason).filter((one): one is Reason => one !== null);
    list('/ReasonCodes?category=NOT_READY', (root) => { this.board.set({ notReadyReasons: reasons(root) }); });
    list('/ReasonCodes?category=LOGOUT', (root) => { this.board.set({ logoutReasons: reasons(root) }); });
    list('/WrapUpReasons', (root) => {
      this.board.set({ wrapUpReasons: elements(root).map((one) => value(one, 'label')).filter(Boolean) });
    });
  }

  private path(below = ''): string {
    return `/User/${encodeURIComponent(this.board.view.user?.loginId ?? '')}${below}`;
  }
}
