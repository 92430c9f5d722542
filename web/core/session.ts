/**
 * One agent's session with the server, whole: sign-in, REST, notifications, what is lost and how it comes back. No I/O
 * and no clock: every input carries `now` (monotonic milliseconds) and `wall` (this computer's clock), what is to be done
 * leaves as effects, what is to be shown is `view`.
 *
 * Theory. SIGNED OUT -> SIGNING IN (server asked, password checked, notifications on, telephone signed in) -> SIGNED IN.
 * Notifications are on before the telephone is, so that no event is missed. When they are lost everything shown is stale
 * from then on; when they are back the whole picture is read again, because notifications are never replayed, and the
 * agent's state is put right by the table of `recovery`.
 */
import { Api, faultOf, readAs } from './api';
import { Board } from './board';
import { driftText, measured } from './clientlog';
import { Connection, type Chance, type Effect, type LinkEvent } from './connection';
import { callBody, signInBody, stateBody, type CallRequest, type Mobile } from './finesse/requests';
import { readDialog, readDialogs, readFault, readReason, readSystemInfo, readUser, type Reason, type SystemInfo, type User } from './finesse/objects';
import { readUpdate, type Update } from './finesse/update';
import { fromConnection, recovery, type Choice } from './recovery';
import { failure, signInRefusal } from './refusals';
import { ASLEEP_MS, CHECK_LOST_MS, CHECK_MS, OUTCOME_MS, TICK_MS } from './timing';
import type { Refusal, View } from './view';
import { elements, value, XmlError, type Element } from './xml';
import { notifications } from './xmpp/stream';

const HERE = 'here';
/** Id of the request behind the presence. */

/** What the server told the page about itself (`config.json`). */
export interface Config {
  readonly host: string;
  readonly domain: string;
  readonly transport: 'bosh' | 'websocket';
  readonly boshUrl: string;
  readonly webSocketUrl: string;
  /** Seconds of silence after which the server ends a session, and from there to the forced logout. */
  readonly idleLimitS: number;
  readonly graceS: number;
  /** Address of the other node's desktop; empty: none. */
  readonly alternate: string;
  readonly locales: readonly string[];
}

export type Command =
  | { readonly do: 'sign in'; readonly user: string; readonly password: string; readonly extension: string; readonly mobile: Mobile | null }
  | { readonly do: 'sign out'; readonly reasonId: number | null }
  | { readonly do: 'state'; readonly state: 'READY' | 'NOT_READY'; readonly reasonId: number | null }
  | { readonly do: 'call'; readonly dialogId: string; readonly request: Omit<CallRequest, 'extension'> }
  | { readonly do: 'dismiss'; readonly id: number }
  | { readonly do: 'online'; readonly online: boolean }
  | { readonly do: 'check' };

export class Session {
  private readonly board: Board;
  private readonly api: Api;
  private connection: Connection | null = null;
  private telephone: { readonly extension: string; readonly mobile: Mobile | null } = { extension: '', mobile: null };
  private wrong = 0;
  private lastTick: { now: number; wall: number } | null = null;
  private nextCheckAt = Infinity;
  private signInUntil = Infinity;
  private choice: Choice | null = null;
  private leaving = false;
  private again = false;
  private recovering = false;
  private round = 0;
  private before: User | null = null;
  private lostAt: number | null = null;
  /** A jump of this computer's clock that is a sleep, unless the clock turns out to have been set. */
  private jump: { ms: number; offsetMs: number | null } | null = null;

  constructor(
    private readonly config: Config,
    private readonly chance: Chance,
    private readonly effect: (effect: Effect) => void,
    onLine: (line: string) => void,
  ) {
    this.board = new Board(config.host, config.transport, onLine);
    this.api = new Api(this.board, chance, effect);
  }

  get view(): View {
    return this.board.view;
  }

  /** The client log, for a report. */
  get log(): string {
    return this.board.ring.text;
  }

  get deadline(): number {
    return Math.min(this.nextCheckAt, this.signInUntil, this.connection?.deadline ?? Infinity, this.api.deadline);
  }

  // -- inputs

  command(command: Command, now: number, wall: number): void {
    this.board.wall = wall;
    switch (command.do) {
      case 'sign in':
        this.beginSignIn(command, now);
        break;
      case 'sign out':
        this.leaving = true;
        this.change(stateBody('LOGOUT', command.reasonId), 'state', now);
        break;
      case 'state':
        this.choice = { state: command.state, reasonId: command.reasonId };
        this.change(stateBody(command.state, command.reasonId), 'state', now);
        break;
      case 'call':
        this.call(command.dialogId, command.request, now);
        break;
      case 'dismiss':
        this.board.set({ notices: this.view.notices.filter((one) => one.id !== command.id) });
        break;
      case 'online':
        this.board.link({ online: command.online });
        if (command.online) this.hurry(now);
        break;
      case 'check':
        this.check(now);
        break;
    }
    this.board.refreshLink(this.connection, now);
  }

  /** Time passes. `zoneMin`: minutes east of UTC of this computer. */
  due(now: number, wall: number, zoneMin: number): void {
    const last = this.lastTick ?? { now, wall };
    this.lastTick = { now, wall };
    this.board.wall = wall;
    this.board.zoneMin = zoneMin;
    if (wall - last.wall >= ASLEEP_MS && this.view.phase === 'signed in') this.awake(wall - last.wall, now - last.now, now);
    this.connection?.due(now);
    if (now >= this.nextCheckAt) this.check(now);
    if (now >= this.signInUntil) this.lateSignIn(now);
    if (this.api.overdue(now)) this.board.notice('bad', { key: 'failed.silence' });
    this.board.refreshLink(this.connection, now);
  }

  httpAnswered(id: number, status: number, body: string, now: number, wall: number): void {
    this.board.wall = wall;
    if (this.connection?.httpAnswered(id, status, body, now) !== true) this.api.answered(id, status, body, now);
    this.board.refreshLink(this.connection, now);
  }

  /** No answer: the network, the server, its certificate, or time. The browser does not say which. */
  httpFailed(id: number, now: number, wall: number): void {
    this.board.wall = wall;
    if (this.connection?.httpFailed(id, now) !== true) this.api.answered(id, 0, '', now);
    this.board.refreshLink(this.connection, now);
  }

  wsOpened(id: number, now: number, wall: number): void {
    this.board.wall = wall;
    this.connection?.wsOpened(id, now);
    this.board.refreshLink(this.connection, now);
  }

  wsMessage(id: number, data: string, now: number, wall: number): void {
    this.board.wall = wall;
    this.connection?.wsMessage(id, data, now);
    this.board.refreshLink(this.connection, now);
  }

  wsClosed(id: number, now: number, wall: number): void {
    this.board.wall = wall;
    this.connection?.wsClosed(id, now);
    this.board.refreshLink(this.connection, now);
  }

  // -- signing in

  private beginSignIn(command: Extract<Command, { do: 'sign in' }>, now: number): void {
    if (this.view.phase !== 'signed out') return;
    const { user, password, extension, mobile } = command;
    this.api.credentials = { user: user.trim(), password };
    this.telephone = { extension: extension.trim(), mobile };
    this.leaving = this.again = this.recovering = false;
    this.choice = this.before = this.lostAt = null;
    this.board.set({ phase: 'signing in', refusal: null, notices: [], step: { key: 'signin.step.server' } });
    this.askSystem(now, (info, status) => {
      if (info === null) this.refuse(status === 0 ? { key: 'refused.unreachable', params: { host: this.config.host }, code: 'no answer' } : { key: 'refused.noServer', code: `HTTP ${status}` }, now);
      else if (!info.inService) this.refuse({ key: info.ctiOk ? 'refused.outOfService' : 'refused.ctiDown', params: { reason: info.reason }, code: `OUT_OF_SERVICE: ${info.reason}` }, now);
      else this.checkPassword(info);
    });
  }

  private checkPassword(info: SystemInfo): void {
    const name = this.api.credentials?.user ?? '';
    this.board.set({ step: { key: 'signin.step.password' } });
    this.api.get(`/User/${encodeURIComponent(name)}`, (status, body, then) => {
      const user = status === 200 ? readAs(body, readUser) : null;
      if (user === null || !user.loginId) {
        this.refuseSignIn(status, body, then);
        return;
      }
      this.wrong = 0;
      this.board.set({ user, step: { key: 'signin.step.notifications' } });
      this.connect(user.loginId, info.domain || this.config.domain, then);
    });
  }

  private connect(loginId: string, domain: string, now: number): void {
    const account = { user: loginId.toLowerCase(), domain, password: this.api.credentials?.password ?? '', resource: 'desktop' };
    this.board.log('FailoverMonitor.init(): Establishing BOSH connection...'.replace('BOSH', this.config.transport === 'bosh' ? 'BOSH' : 'WebSocket'));
    this.connection = new Connection(account, this.config, this.chance, () => this.api.nextId(), this.effect, (event, at) => {
      this.linkEvent(event, at);
    });
    this.nextCheckAt = now + CHECK_MS;
    this.board.logStatus('connecting');
    this.connection.start(now);
  }

  /** The telephone is signed in: once at sign-in, and again when the server has signed the agent out meanwhile. */
  private signInTelephone(now: number): void {
    const { extension, mobile } = this.telephone;
    if (this.view.phase === 'signing in') this.board.set({ step: { key: 'signin.step.telephone' } });
    this.signInUntil = now + OUTCOME_MS;
    this.change(signInBody(extension, mobile), 'sign in', now);
  }

  /** The event of the sign-in has not come: look. */
  private lateSignIn(now: number): void {
    this.signInUntil = Infinity;
    this.readUserNow((user) => {
      if (user !== null && user.state !== 'LOGOUT') this.signedIn(user, now);
      else if (this.view.phase === 'signing in') this.refuse({ key: 'refused.silence', code: 'no event' }, now);
      else this.recover(now);
    });
  }

  private signedIn(user: User, now: number): void {
    this.signInUntil = Infinity;
    this.board.takeUser(user);
    if (this.view.phase !== 'signed in') {
      this.board.set({ phase: 'signed in', step: null, refusal: null });
      this.board.log(`[ClientServices] Signed in as ${user.loginId} at extension ${user.extension}`);
      this.load();
      this.check(now);
    } else if (this.again) {
      this.put(user, now);
    }
  }

  private load(): void {
    const base = `/User/${encodeURIComponent(this.view.user?.loginId ?? '')}`;
    const list = (path: string, take: (root: Element) => void): void => {
      this.api.get(base + path, (status, body) => {
        const root = status === 200 ? readAs(body, (one) => one) : null;
        if (root !== null) take(root);
      });
    };
    const reasons = (root: Element): Reason[] => elements(root).map(readReason).filter((one): one is Reason => one !== null);
    list('/ReasonCodes?category=NOT_READY', (root) => this.board.set({ notReadyReasons: reasons(root) }));
    list('/ReasonCodes?category=LOGOUT', (root) => this.board.set({ logoutReasons: reasons(root) }));
    list('/WrapUpReasons', (root) => this.board.set({ wrapUpReasons: elements(root).map((one) => value(one, 'label')).filter(Boolean) }));
    this.readDialogsNow(() => undefined);
  }

  private refuseSignIn(status: number, body: string, now: number): void {
    const fault = faultOf(body);
    if (status === 401) this.wrong += 1;
    const user = this.api.credentials?.user ?? '';
    if (status === 0) this.refuse({ key: 'refused.unreachable', params: { host: this.config.host }, code: 'no answer' }, now);
    else if (status === 200) this.refuse({ key: 'refused.noServer', code: 'no User in the answer' }, now);
    else this.refuse(signInRefusal(status, fault, this.wrong, user, this.telephone.extension), now);
  }

  /** Back to the page of the sign-in, with the reason. */
  private refuse(refusal: Refusal | null, now: number): void {
    if (refusal !== null) this.board.log(`Sign-in ended: ${refusal.code}`);
    this.connection?.stop(now);
    this.connection = null;
    this.api.forget();
    this.nextCheckAt = this.signInUntil = Infinity;
    this.board.clear(refusal);
  }

  // -- the notification connection

  private linkEvent(event: LinkEvent, now: number): void {
    switch (event.ev) {
      case 'connected':
        this.board.logStatus('connected');
        this.connected(now);
        break;
      case 'stanza':
        if (event.element.name === 'iq' && event.element.attrs['id'] === HERE) this.here(now);
        for (const one of event.element.name === 'message' ? notifications(event.element) : []) this.notification(one.payload, now);
        break;
      case 'failing':
        this.board.link({ state: 'failing', failures: this.view.link.failures + 1 });
        this.nextCheckAt = Math.min(this.nextCheckAt, now + 2 * TICK_MS);
        break;
      case 'lost':
        this.board.logStatus('disconnected');
        this.lost(event, now);
        break;
    }
  }

  /** Requests travel on other connections and may overtake the presence: what follows waits until the server has it. */
  private connected(now: number): void {
    this.connection?.send('<presence/>', now);
    this.connection?.send(`<iq type="get" id="${HERE}"><ping xmlns="urn:xmpp:ping"/></iq>`, now);
  }

  /** The server has our presence: from now on no notification is missed. */
  private here(now: number): void {
    this.board.link({ connectedAt: this.board.wall, detail: '' });
    if (this.view.phase === 'signing in') {
      this.signInTelephone(now);
    } else {
      this.recovering = true;
      this.recover(now);
    }
  }

  private lost(event: Extract<LinkEvent, { ev: 'lost' }>, now: number): void {
    const detail = [event.failure, event.detail].filter(Boolean).join(': ');
    if (event.final) {
      const key = event.failure === 'wrong-password' ? 'refused.password' : 'refused.elsewhere';
      this.refuse({ key, params: { user: this.view.user?.loginId ?? '' }, code: detail }, now);
      return;
    }
    if (this.view.phase === 'signing in') {
      this.refuse({ key: 'refused.notifications', code: detail }, now);
      return;
    }
    if (this.lostAt === null) {
      this.lostAt = this.board.wall;
      this.before = this.view.user;
      const heard = this.view.link.heardAt ?? this.board.wall;
      this.board.set({ staleSince: heard });
      this.board.link({ lostAt: this.board.wall, signOutAt: heard + (this.config.idleLimitS + this.config.graceS) * 1000 });
      this.nextCheckAt = now;
    }
    this.recovering = false;
    this.board.link({ detail });
  }

  /** The clock has jumped: a sleep, or a page that was stopped, or a clock that was set. Only the first two were long. */
  private awake(gapMs: number, ranMs: number, now: number): void {
    if (ranMs >= ASLEEP_MS) this.slept(gapMs);
    else this.jump = { ms: gapMs, offsetMs: this.view.link.offsetMs };
    this.hurry(now);
    this.nextCheckAt = now;
  }

  private slept(gapMs: number): void {
    this.board.log(`This computer was asleep, or the browser stopped this page, for ${Math.round(gapMs / 1000)} s`);
    this.board.link({ asleepMs: this.view.link.asleepMs + gapMs });
    this.board.notice('info', { key: 'conn.asleep', params: { t: Math.round(gapMs / 1000) } });
  }

  private hurry(now: number): void {
    if (this.view.phase === 'signed in') this.connection?.hurry(now);
  }

  /** Notifications are on again: read everything, and put the agent's state right. */
  private recover(now: number): void {
    if (this.signInUntil !== Infinity) return; // its outcome goes on from here
    const round = (this.round += 1); // a later one makes this one idle
    this.askSystem(now, (info, _, then) => {
      if (round !== this.round || info === null || !info.inService) return; // the next check or a SystemInfo event goes on from here
      this.readUserNow((user, status, body) => {
        if (round !== this.round) return;
        if (user === null) {
          if (status === 401) this.refuseSignIn(status, body, then);
          return;
        }
        this.readDialogsNow(() => {
          if (round === this.round) this.put(user, then);
        });
      });
    });
  }

  private put(user: User, now: number): void {
    const away = this.lostAt === null ? 0 : this.board.wall - this.lostAt;
    const what = recovery(this.before ?? this.view.user, user, this.choice, away, this.again);
    this.board.log(`Recovery after ${Math.round(away / 1000)} s: ${user.state} -> ${what}`);
    if (what === 'sign in') {
      this.again = true;
      this.board.takeUser(user);
      this.signInTelephone(now);
      return;
    }
    if (what === 'signed out') {
      this.signedOut(user, now);
      return;
    }
    this.board.takeUser(user);
    if (what === 'ready') this.change(stateBody('READY', null), 'state', now);
    if (what === 'not ready') this.change(stateBody('NOT_READY', this.choice?.reasonId ?? null), 'state', now);
    this.restored(user, what, away, now);
  }

  private restored(user: User, what: 'keep' | 'ready' | 'not ready', away: number, now: number): void {
    const state = what === 'ready' ? 'READY' : what === 'not ready' ? 'NOT_READY' : user.state;
    const was = this.before?.state;
    if (this.lostAt !== null) {
      const seconds = Math.round(away / 1000);
      const silent = seconds > this.config.idleLimitS;
      if (this.again) this.board.notice('info', silent ? { key: 'conn.lost255', params: { s: this.config.idleLimitS } } : { key: 'conn.again' });
      this.board.notice('good', { key: was === undefined || was === state ? 'conn.kept' : 'conn.changed', params: { state: `state.${state}`, was: `state.${was ?? state}` } });
    }
    this.again = this.recovering = false;
    this.before = this.lostAt = null;
    this.nextCheckAt = now + CHECK_MS;
    this.board.set({ staleSince: null });
    this.board.link({ lostAt: null, signOutAt: null, failures: 0 });
  }

  /** The server has signed the agent out, and a person or the telephone system meant it. */
  private signedOut(user: User, now: number): void {
    const reason = user.reason;
    if (this.leaving) this.refuse(null, now);
    else this.refuse({ key: 'refused.signedOut', params: { reason: reason?.label || '—' }, code: `LOGOUT ${reason?.code ?? ''}`.trim() }, now);
  }

  // -- notifications

  private notification(payload: string, now: number): void {
    let update: Update;
    try {
      update = readUpdate(payload);
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      this.board.log(`A notification that cannot be read: ${error.message}`);
      return;
    }
    const data = update.data;
    if (data === undefined) return;
    const asked = this.api.settle(update.requestId);
    const name = data.name.toLowerCase();
    if (name === 'user') this.userEvent(readUser(data), update, now);
    else if (name === 'dialogs') for (const dialog of readDialogs(data)) this.board.takeDialog(dialog, update.event);
    else if (name === 'dialog') this.board.takeDialog(readDialog(data), update.event);
    else if (name === 'apierrors') this.faultEvent(data, asked, now);
    else if (name === 'systeminfo') this.systemEvent(readSystemInfo(data), now);
  }

  private userEvent(user: User, update: Update, now: number): void {
    if (user.loginId.toLowerCase() !== this.view.user?.loginId.toLowerCase()) return;
    if (update.event === 'DELETE') {
      this.refuse({ key: 'refused.unknownUser', params: { user: user.loginId }, code: 'user removed' }, now);
    } else if (this.view.phase === 'signing in') {
      if (user.state !== 'LOGOUT') this.signedIn(user, now);
    } else if (this.signInUntil !== Infinity && user.state !== 'LOGOUT') {
      this.signedIn(user, now);
    } else if (user.state === 'LOGOUT' && !this.recovering && !this.again) {
      this.logoutEvent(user, now);
    } else {
      this.board.takeUser(user);
    }
  }

  private logoutEvent(user: User, now: number): void {
    if (this.leaving || (user.reason !== null && !fromConnection(user.reason)) || this.view.link.service === 'out') {
      if (this.leaving || user.reason !== null) this.signedOut(user, now);
      else this.board.takeUser(user); // the telephone system begins anew: the end of the outage brings everybody back
      return;
    }
    this.before = this.view.user;
    this.lostAt ??= this.board.wall;
    this.put(user, now);
  }

  private faultEvent(data: Element, asked: string | undefined, now: number): void {
    const fault = readFault(data);
    if (asked === 'sign in') {
      const user = this.api.credentials?.user ?? '';
      this.refuse(signInRefusal(0, fault, 0, user, this.telephone.extension), now);
    } else if (asked !== undefined) {
      if (asked === 'state') this.leaving = false;
      const refused = failure(0, fault);
      this.board.notice('bad', refused, refused.code);
    }
  }

  private systemEvent(info: SystemInfo, now: number): void {
    const was = this.view.link.service;
    this.takeSystem(info);
    if (!info.inService) {
      this.before ??= this.view.user;
      this.lostAt ??= this.board.wall;
      if (this.view.staleSince === null) this.board.set({ staleSince: this.board.wall });
      this.nextCheckAt = now + CHECK_LOST_MS;
    } else if (was !== 'in' && this.view.phase === 'signed in' && this.connection?.state === 'connected') {
      this.recover(now);
    }
  }

  // -- SystemInfo

  private askSystem(now: number, done: (info: SystemInfo | null, status: number, now: number) => void): void {
    const sent = this.board.wall;
    this.api.get(`/SystemInfo?nocache=${sent}`, (status, body, then) => {
      const info = status === 200 ? readAs(body, (root) => (root.name === 'SystemInfo' ? readSystemInfo(root) : null)) : null;
      if (info === null) this.board.link({ service: 'unreachable' });
      else {
        this.measure(info, sent, then - now);
        this.takeSystem(info);
      }
      done(info, status, then);
    });
  }

  private check(now: number): void {
    if (this.view.phase !== 'signed in') {
      this.nextCheckAt = Infinity;
      return;
    }
    const well = this.connection?.state === 'connected' && this.view.link.service === 'in' && this.lostAt === null;
    this.nextCheckAt = now + (well ? CHECK_MS : CHECK_LOST_MS);
    if (!well) {
      this.askSystem(now, (info, _, then) => {
        if (info?.inService && this.connection?.state === 'connected' && this.lostAt !== null && this.signInUntil === Infinity) this.recover(then);
        else if (info?.inService && this.connection?.state === 'resting') this.connection.hurry(then);
      });
      return;
    }
    const sent = this.board.wall;
    this.api.get(`/SystemInfo?timestamponly&nocache=${sent}`, (status, body, then) => {
      const info = status === 200 ? readAs(body, readSystemInfo) : null;
      if (info === null) this.board.link({ service: 'unreachable' });
      else this.measure(info, sent, then - now);
      if (info !== null && this.view.link.state === 'failing') this.board.link({ state: 'connected' }); // the network is there
      if (info === null) this.nextCheckAt = Math.min(this.nextCheckAt, then + CHECK_LOST_MS);
    });
  }

  private measure(info: SystemInfo, sent: number, roundTripMs: number): void {
    if (info.timestamp === null) return;
    const offsetMs = measured(sent, roundTripMs, info.timestamp);
    const jump = this.jump;
    this.jump = null;
    if (jump !== null && Math.abs(offsetMs - (jump.offsetMs ?? offsetMs)) < jump.ms / 2) this.slept(jump.ms);
    this.board.serverZoneMin = info.zoneMin;
    this.board.link({ offsetMs, roundTripMs });
    this.board.log(driftText(sent + roundTripMs / 2, info.timestamp, offsetMs, roundTripMs));
  }

  private takeSystem(info: SystemInfo): void {
    this.board.link({ service: info.inService ? 'in' : 'out', serviceReason: info.reason, alternate: info.secondary });
  }

  // -- asking for things

  private call(dialogId: string, request: Omit<CallRequest, 'extension'>, now: number): void {
    const user = this.view.user;
    if (user === null) return;
    const body = callBody({ ...request, extension: user.extension });
    const path = dialogId ? `/Dialog/${encodeURIComponent(dialogId)}` : `/User/${encodeURIComponent(user.loginId)}/Dialogs`;
    this.ask(dialogId ? 'PUT' : 'POST', path, body, dialogId || 'call', now, request.action === 'SEND_DTMF');
  }

  private change(body: string, what: string, now: number): void {
    this.ask('PUT', `/User/${encodeURIComponent(this.view.user?.loginId ?? '')}`, body, what, now);
  }

  private ask(method: string, path: string, body: string, what: string, now: number, eventless = false): void {
    const refused = (status: number, answer: string, then: number): void => {
      if (what === 'sign in' && (this.view.phase === 'signing in' || status === 401)) {
        this.refuseSignIn(status, answer, then);
      } else if (what === 'sign in') {
        this.signInUntil = Infinity; // out of service again: the next check goes on from here
      } else {
        if (what === 'state') this.leaving = false;
        const words = status === 0 ? { key: 'failed.network', code: 'no answer' } : failure(status, faultOf(answer));
        this.board.notice('bad', words, words.code);
      }
    };
    this.api.ask(method, path, body, what, now, refused, eventless);
  }

  private readUserNow(done: (user: User | null, status: number, body: string) => void): void {
    this.api.get(`/User/${encodeURIComponent(this.view.user?.loginId ?? '')}`, (status, body) => {
      done(status === 200 ? readAs(body, readUser) : null, status, body);
    });
  }

  private readDialogsNow(done: () => void): void {
    const loginId = encodeURIComponent(this.view.user?.loginId ?? '');
    this.api.get(`/User/${loginId}/Dialogs`, (status, body) => {
      const dialogs = status === 200 ? readAs(body, readDialogs) : null;
      if (dialogs !== null) this.board.set({ dialogs });
      done();
    });
  }
}
