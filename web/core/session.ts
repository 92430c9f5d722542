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
import type { Command, Config } from './commands';
import { Connection, type Chance, type Effect, type LinkEvent } from './connection';
import { Floor } from './floor';
import { callBody, clientLogBody, signInBody, stateBody, type CallRequest, type Mobile } from './finesse/requests';
import { readDialog, readDialogs, readFault, readSystemInfo, readUser, type SystemInfo, type User } from './finesse/objects';
import { readUpdate, type Update } from './finesse/update';
import { Reader } from './reader';
import { fromConnection, recovery, type Choice } from './recovery';
import { failure, signInRefusal } from './refusals';
import { Subscriptions } from './subscriptions';
import { ASLEEP_MS, CHECK_LOST_MS, CHECK_MS, OUTCOME_MS, TICK_MS } from './timing';
import type { Refusal, View } from './view';
import { XmlError, type Element } from './xml';
import { notifications } from './xmpp/stream';

const REPORT_MAX = 900_000;
/** Characters of a report: the server takes 1,048,576, and some are needed for what stands before the lines. */
const HERE = 'here';
/** Id of the request behind the presence. */

export class Session {
  private readonly board: Board;
  private readonly api: Api;
  private readonly floor: Floor;
  private readonly subscriptions: Subscriptions;
  private domain = '';
  /** The present input. */
  private now = 0;
  private readonly reader: Reader;
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

  constructor(
    private readonly config: Config,
    private readonly chance: Chance,
    private readonly effect: (effect: Effect) => void,
    onLine: (line: string) => void,
  ) {
    this.board = new Board(config.host, config.transport, onLine);
    this.api = new Api(this.board, chance, effect);
    this.subscriptions = new Subscriptions(
      () => this.api.nextId(),
      (stanza) => {
        if (this.connection?.state !== 'connected') return false;
        this.connection.send(stanza, this.now);
        return true;
      },
    );
    this.floor = new Floor({
      subscribe: (node, on, done) => { this.subscriptions.set(node, on, this.view.user?.loginId ?? '', this.domain, done); },
      get: (path, done) => { this.api.get(path, (status, body) => { done(status === 200 ? readAs(body, (root) => root) : null); }); },
      getText: (path, done) => { this.api.get(path, (status, body) => { done(status === 200 ? body : null); }); },
      ask: (method, path, body, what, eventless) => { this.ask(method, path, body, what, this.now, eventless); },
      show: (change) => { this.board.set(change); },
    });
    this.reader = new Reader(this.board, this.api);
  }

  get view(): View {
    return this.board.view;
  }

  /** The client log, for a report. */
  get log(): string {
    return this.board.ring.text;
  }

  get deadline(): number {
    return Math.min(this.nextCheckAt, this.signInUntil, this.connection?.deadline ?? Infinity, this.api.deadline, this.floor.deadline);
  }

  // -- inputs

  command(command: Command, now: number, wall: number): void {
    this.now = now;
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
      case 'report':
        this.sendReport(command.about);
        break;
      default:
        this.floor.command(command);
    }
    this.board.refreshLink(this.connection, now);
  }

  /** Time passes. `zoneMin`: minutes east of UTC of this computer. */
  due(now: number, wall: number, zoneMin: number): void {
    this.now = now;
    const last = this.lastTick ?? { now, wall };
    this.lastTick = { now, wall };
    this.board.wall = wall;
    this.board.zoneMin = zoneMin;
    if (wall - last.wall >= ASLEEP_MS && this.view.phase === 'signed in') this.awake(wall - last.wall, now - last.now, now);
    this.connection?.due(now);
    if (now >= this.nextCheckAt) this.check(now);
    if (now >= this.signInUntil) this.lateSignIn(now);
    this.floor.due(now, wall + (this.view.link.offsetMs ?? 0));
    if (this.api.overdue(now)) this.board.notice('bad', { key: 'failed.silence' });
    this.board.refreshLink(this.connection, now);
  }

  httpAnswered(id: number, status: number, body: string, now: number, wall: number): void {
    this.now = now;
    this.board.wall = wall;
    if (this.connection?.httpAnswered(id, status, body, now) !== true) this.api.answered(id, status, body, now);
    this.board.refreshLink(this.connection, now);
  }

  /** No answer: the network, the server, its certificate, or time. The browser does not say which. */
  httpFailed(id: number, now: number, wall: number): void {
    this.now = now;
    this.board.wall = wall;
    if (this.connection?.httpFailed(id, now) !== true) this.api.answered(id, 0, '', now);
    this.board.refreshLink(this.connection, now);
  }

  wsOpened(id: number, now: number, wall: number): void {
    this.now = now;
    this.board.wall = wall;
    this.connection?.wsOpened(id, now);
    this.board.refreshLink(this.connection, now);
  }

  wsMessage(id: number, data: string, now: number, wall: number): void {
    this.now = now;
    this.board.wall = wall;
    this.connection?.wsMessage(id, data, now);
    this.board.refreshLink(this.connection, now);
  }

  wsClosed(id: number, now: number, wall: number): void {
    this.now = now;
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
    this.reader.system(now, (info, status) => {
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
    this.domain = domain;
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
    this.reader.user((user) => {
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
      this.reader.lists();
      this.openFloor();
      this.reader.dialogs(() => undefined);
      this.check(now);
    } else if (this.again) {
      this.put(user, now);
    }
  }

  private openFloor(): void {
    const user = this.view.user;
    if (user !== null) this.floor.start(user.loginId, [user.teamId, ...user.supervised.map((one) => one.id)]);
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
    this.floor.stop();
    this.subscriptions.clear();
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
        else if (event.element.name === 'iq') this.subscriptions.answered(event.element.attrs['id'] ?? '');
        for (const one of event.element.name === 'message' ? notifications(event.element) : []) this.notification(one.payload, one.node, now);
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
      this.openFloor();
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
    this.subscriptions.clear();
    this.board.link({ detail });
  }

  private awake(gapMs: number, ranMs: number, now: number): void {
    this.reader.jumped(gapMs, ranMs);
    this.hurry(now);
    this.nextCheckAt = now;
  }

  private hurry(now: number): void {
    if (this.view.phase === 'signed in') this.connection?.hurry(now);
  }

  /** Notifications are on again: read everything, and put the agent's state right. */
  private recover(now: number): void {
    if (this.signInUntil !== Infinity) return; // its outcome goes on from here
    const round = (this.round += 1); // a later one makes this one idle
    this.reader.system(now, (info, _, then) => {
      if (round !== this.round || info === null || !info.inService) return; // the next check or a SystemInfo event goes on from here
      this.reader.user((user, status, body) => {
        if (round !== this.round) return;
        if (user === null) {
          if (status === 401) this.refuseSignIn(status, body, then);
          return;
        }
        this.reader.dialogs(() => {
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

  private notification(payload: string, node: string, now: number): void {
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
    if (this.floor.notification(update, node, now)) return;
    const name = data.name.toLowerCase();
    this.reader.heard(name);
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
    this.reader.takeSystem(info);
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

  private check(now: number): void {
    if (this.view.phase !== 'signed in') {
      this.nextCheckAt = Infinity;
      return;
    }
    const well = this.connection?.state === 'connected' && this.view.link.service === 'in' && this.lostAt === null;
    this.nextCheckAt = now + (well ? CHECK_MS : CHECK_LOST_MS);
    if (!well) {
      this.reader.system(now, (info, _, then) => {
        if (info?.inService && this.connection?.state === 'connected' && this.lostAt !== null && this.signInUntil === Infinity) this.recover(then);
        else if (info?.inService && this.connection?.state === 'resting') this.connection.hurry(then);
      });
      return;
    }
    this.reader.clock(now, (info, _, then) => {
      if (info === null) this.nextCheckAt = Math.min(this.nextCheckAt, then + CHECK_LOST_MS);
      else if (this.view.link.state === 'failing') this.board.link({ state: 'connected' }); // the network is there
    });
  }

  // -- asking for things

  private call(dialogId: string, request: Omit<CallRequest, 'extension'>, now: number): void {
    const user = this.view.user;
    if (user === null) return;
    const body = callBody({ ...request, extension: user.extension });
    const path = dialogId ? `/Dialog/${encodeURIComponent(dialogId)}` : `/User/${encodeURIComponent(user.loginId)}/Dialogs`;
    this.ask(dialogId ? 'PUT' : 'POST', path, body, dialogId || 'call', now, request.action === 'SEND_DTMF');
  }

  /** The newest lines that fit; 202 means that the server has stored them. */
  private sendReport(about: string): void {
    const all = this.board.ring.text;
    const lines = all.length <= REPORT_MAX ? all : all.slice(all.indexOf('\n', all.length - REPORT_MAX) + 1);
    const path = `/User/${encodeURIComponent(this.view.user?.loginId ?? '')}/ClientLog`;
    this.api.request('POST', path, clientLogBody(`${about}\n${lines}`), this.chance.uuid(), (status) => {
      if (status === 202 || status === 200) this.board.notice('info', { key: 'report.sent' });
      else this.board.notice('bad', { key: 'report.failed' }, `HTTP ${status}`);
    });
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
}
