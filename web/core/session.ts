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
import { clientLogBody, driftText, logLine, measured, Ring, type Clock } from './clientlog';
import { Connection, type Chance, type Effect, type LinkEvent } from './connection';
import { Floor, teamMessageBody } from './floor';
import { callBody, signInBody, stateBody, type CallRequest, type Mobile } from './finesse/requests';
import { readDialog, readDialogs, readFault, readReason, readSystemInfo, readUser, type Dialog, type Reason, type SystemInfo, type User } from './finesse/objects';
import { readUpdate, type Update } from './finesse/update';
import { fromConnection, recovery, type Choice } from './recovery';
import { failure, signInRefusal } from './refusals';
import { ASLEEP_MS, CHECK_LOST_MS, CHECK_MS, OUTCOME_MS, REQUEST_MS, TICK_MS } from './timing';
import { emptyView, type Link, type Notice, type Refusal, type View, type Words } from './view';
import { elements, escapeAttr, parse, value, XmlError, type Element } from './xml';
import { base64 } from './xmpp/signin';
import { notifications } from './xmpp/stream';

const API = '/finesse/api';
const NOTICES_MAX = 60;
const HISTORY_MAX = 100;
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
  /** The browser, for the first line of an error report. */
  readonly userAgent: string;
}

export type Command =
  | { readonly do: 'sign in'; readonly user: string; readonly password: string; readonly extension: string; readonly mobile: Mobile | null }
  | { readonly do: 'sign out'; readonly reasonId: number | null }
  | { readonly do: 'state'; readonly state: 'READY' | 'NOT_READY'; readonly reasonId: number | null }
  | { readonly do: 'call'; readonly dialogId: string; readonly request: Omit<CallRequest, 'extension'> }
  | { readonly do: 'watch team'; readonly teamId: string }
  | { readonly do: 'watch queues'; readonly on: boolean }
  | { readonly do: 'agent state'; readonly loginId: string; readonly state: 'READY' | 'NOT_READY' | 'LOGOUT' }
  | { readonly do: 'team message'; readonly text: string; readonly durationS: number; readonly teams: readonly string[] }
  | { readonly do: 'delete team message'; readonly id: string }
  | { readonly do: 'send log' }
  | { readonly do: 'dismiss'; readonly id: number }
  | { readonly do: 'online'; readonly online: boolean }
  | { readonly do: 'check' };

interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly extension: string;
  readonly mobile: Mobile | null;
}

type Done = (status: number, body: string, now: number) => void;

export class Session {
  view: View;
  readonly ring = new Ring();
  private readonly floor: Floor;
  /** Ids of subscriptions under way -> what waits for their answer. */
  private readonly subscribing = new Map<string, () => void>();
  private domain = '';
  private connection: Connection | null = null;
  private credentials: Credentials | null = null;
  private ids = 0;
  private noticeIds = 0;
  private wrong = 0;
  private wall = 0;
  /** The time of the last input. */
  private now = 0;
  private zoneMin = 0;
  private lastTick: number | null = null;
  private readonly requests = new Map<number, { sentAt: number; method: string; url: string; done: Done }>();
  /** requestId -> what waits for its event. */
  private readonly asked = new Map<string, { what: string; until: number; silent: boolean }>();
  private nextCheckAt = Infinity;
  private signInUntil = Infinity;
  private choice: Choice | null = null;
  private leaving = false;
  private again = false;
  private recovering = false;
  private round = 0;
  private before: User | null = null;
  private lostAt: number | null = null;
  private serverZoneMin = 0;

  constructor(
    private readonly config: Config,
    private readonly chance: Chance,
    private readonly effect: (effect: Effect) => void,
    private readonly onLine: (line: string) => void,
  ) {
    this.view = emptyView(config.host, config.transport);
    this.floor = new Floor({
      subscribe: (node, on, done) => { this.subscribe(node, on, done); },
      get: (path, done) => {
        this.rest('GET', path, '', '', this.now, (status, body) => { done(status === 200 ? this.read(body, (root) => root) : null); });
      },
      show: (change) => { this.set(change); },
    });
  }

  get deadline(): number {
    const outcomes = [...this.asked.values()].map((one) => one.until);
    return Math.min(this.nextCheckAt, this.signInUntil, this.connection?.deadline ?? Infinity, this.floor.deadline, ...outcomes);
  }

  // -- inputs

  command(command: Command, now: number, wall: number): void {
    this.now = now;
    this.wall = wall;
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
      case 'watch team':
        this.floor.watchTeam(command.teamId);
        break;
      case 'watch queues':
        this.floor.watchQueues(command.on);
        break;
      case 'agent state':
        this.ask('PUT', `/User/${encodeURIComponent(command.loginId)}`, stateBody(command.state, null), `agent ${command.loginId}`, now);
        break;
      case 'team message':
        this.ask('POST', '/TeamMessage', teamMessageBody(command.text, command.durationS, command.teams), 'team message', now, true);
        break;
      case 'delete team message':
        this.ask('DELETE', `/TeamMessage/${encodeURIComponent(command.id)}`, '', 'team message', now, true);
        break;
      case 'send log':
        this.sendLog(now);
        break;
      case 'dismiss':
        this.set({ notices: this.view.notices.filter((one) => one.id !== command.id) });
        break;
      case 'online':
        this.link({ online: command.online });
        if (command.online) this.hurry(now);
        break;
      case 'check':
        this.check(now);
        break;
    }
    this.refreshLink(now);
  }

  /** Time passes. `zoneMin`: minutes east of UTC of this computer. */
  due(now: number, wall: number, zoneMin: number): void {
    this.now = now;
    const gap = this.lastTick === null ? 0 : wall - this.lastTick;
    this.lastTick = wall;
    this.wall = wall;
    this.zoneMin = zoneMin;
    if (gap >= ASLEEP_MS && this.view.phase === 'signed in') this.awake(gap, now);
    this.connection?.due(now);
    if (now >= this.nextCheckAt) this.check(now);
    if (now >= this.signInUntil) this.lateSignIn(now);
    for (const [requestId, asked] of this.asked) {
      if (now < asked.until) continue;
      this.settle(requestId);
      if (!asked.silent) this.notice('bad', { key: 'failed.silence' });
    }
    this.floor.due(now, wall + (this.view.link.offsetMs ?? 0));
    this.refreshLink(now);
  }

  httpAnswered(id: number, status: number, body: string, now: number, wall: number): void {
    this.now = now;
    this.wall = wall;
    if (this.connection?.httpAnswered(id, status, body, now) !== true) {
      const request = this.requests.get(id);
      if (request !== undefined) {
        this.requests.delete(id);
        this.log(`[ClientServices] Returned with status=${status}, method=${request.method}, url='${request.url}'`);
        request.done(status, body, now);
      }
    }
    this.refreshLink(now);
  }

  /** No answer: the network, the server, its certificate, or time. The browser does not say which. */
  httpFailed(id: number, now: number, wall: number): void {
    this.now = now;
    this.wall = wall;
    if (this.connection?.httpFailed(id, now) !== true) {
      const request = this.requests.get(id);
      if (request !== undefined) {
        this.requests.delete(id);
        this.log(`[ClientServices] Returned with status=0, method=${request.method}, url='${request.url}'`);
        request.done(0, '', now);
      }
    }
    this.refreshLink(now);
  }

  wsOpened(id: number, now: number, wall: number): void {
    this.now = now;
    this.wall = wall;
    this.connection?.wsOpened(id, now);
    this.refreshLink(now);
  }

  wsMessage(id: number, data: string, now: number, wall: number): void {
    this.now = now;
    this.wall = wall;
    this.connection?.wsMessage(id, data, now);
    this.refreshLink(now);
  }

  wsClosed(id: number, now: number, wall: number): void {
    this.now = now;
    this.wall = wall;
    this.connection?.wsClosed(id, now);
    this.refreshLink(now);
  }

  // -- signing in

  private beginSignIn(command: Credentials, now: number): void {
    if (this.view.phase !== 'signed out') return;
    const { user, password, extension, mobile } = command;
    this.credentials = { user: user.trim(), password, extension: extension.trim(), mobile };
    this.leaving = this.again = this.recovering = false;
    this.choice = this.before = this.lostAt = null;
    this.set({ phase: 'signing in', refusal: null, notices: [], step: { key: 'signin.step.server' } });
    this.askSystem(now, (info, status) => {
      if (info === null) this.refuse(status === 0 ? { key: 'refused.unreachable', params: { host: this.config.host }, code: 'no answer' } : { key: 'refused.noServer', code: `HTTP ${status}` }, now);
      else if (!info.inService) this.refuse({ key: info.ctiOk ? 'refused.outOfService' : 'refused.ctiDown', params: { reason: info.reason }, code: `OUT_OF_SERVICE: ${info.reason}` }, now);
      else this.checkPassword(info, now);
    });
  }

  private checkPassword(info: SystemInfo, now: number): void {
    const name = this.credentials?.user ?? '';
    this.set({ step: { key: 'signin.step.password' } });
    this.rest('GET', `/User/${encodeURIComponent(name)}`, '', '', now, (status, body, then) => {
      const user = status === 200 ? this.read(body, readUser) : null;
      if (user === null || !user.loginId) {
        this.refuseSignIn(status, body, then);
        return;
      }
      this.wrong = 0;
      this.set({ user, step: { key: 'signin.step.notifications' } });
      this.connect(user.loginId, info.domain || this.config.domain, then);
    });
  }

  private connect(loginId: string, domain: string, now: number): void {
    this.domain = domain;
    const account = { user: loginId.toLowerCase(), domain, password: this.credentials?.password ?? '', resource: 'desktop' };
    this.log('FailoverMonitor.init(): Establishing BOSH connection...'.replace('BOSH', this.config.transport === 'bosh' ? 'BOSH' : 'WebSocket'));
    this.connection = new Connection(account, this.config, this.chance, () => this.nextId(), this.effect, (event, at) => {
      this.linkEvent(event, at);
    });
    this.nextCheckAt = now + CHECK_MS;
    this.logStatus('connecting');
    this.connection.start(now);
  }

  /** The telephone is signed in: once at sign-in, and again when the server has signed the agent out meanwhile. */
  private signInTelephone(now: number): void {
    const { extension = '', mobile = null } = this.credentials ?? {};
    if (this.view.phase === 'signing in') this.set({ step: { key: 'signin.step.telephone' } });
    this.signInUntil = now + OUTCOME_MS;
    this.change(signInBody(extension, mobile), 'sign in', now);
  }

  /** The event of the sign-in has not come: look. */
  private lateSignIn(now: number): void {
    this.signInUntil = Infinity;
    this.readUserNow(now, (user) => {
      if (user !== null && user.state !== 'LOGOUT') this.signedIn(user, now);
      else if (this.view.phase === 'signing in') this.refuse({ key: 'refused.silence', code: 'no event' }, now);
      else this.recover(now);
    });
  }

  private signedIn(user: User, now: number): void {
    this.signInUntil = Infinity;
    this.takeUser(user);
    if (this.view.phase !== 'signed in') {
      this.set({ phase: 'signed in', step: null, refusal: null });
      this.log(`[ClientServices] Signed in as ${user.loginId} at extension ${user.extension}`);
      this.load(now);
      this.watchFloor();
      this.check(now);
    } else if (this.again) {
      this.put(user, now);
    }
  }

  private load(now: number): void {
    const base = `/User/${encodeURIComponent(this.view.user?.loginId ?? '')}`;
    const list = (path: string, take: (root: Element) => void): void => {
      this.rest('GET', base + path, '', '', now, (status, body) => {
        const root = status === 200 ? this.read(body, (one) => one) : null;
        if (root !== null) take(root);
      });
    };
    const reasons = (root: Element): Reason[] => elements(root).map(readReason).filter((one): one is Reason => one !== null);
    list('/ReasonCodes?category=NOT_READY', (root) => this.set({ notReadyReasons: reasons(root) }));
    list('/ReasonCodes?category=LOGOUT', (root) => this.set({ logoutReasons: reasons(root) }));
    list('/WrapUpReasons', (root) => this.set({ wrapUpReasons: elements(root).map((one) => value(one, 'label')).filter(Boolean) }));
    this.readDialogsNow(now, () => undefined);
  }

  private refuseSignIn(status: number, body: string, now: number): void {
    const fault = this.faultOf(body);
    if (status === 401) this.wrong += 1;
    const { user = '', extension = '' } = this.credentials ?? {};
    if (status === 0) this.refuse({ key: 'refused.unreachable', params: { host: this.config.host }, code: 'no answer' }, now);
    else if (status === 200) this.refuse({ key: 'refused.noServer', code: 'no User in the answer' }, now);
    else this.refuse(signInRefusal(status, fault, this.wrong, user, extension), now);
  }

  /** Back to the page of the sign-in, with the reason. */
  private refuse(refusal: Refusal | null, now: number): void {
    if (refusal !== null) this.log(`Sign-in ended: ${refusal.code}`);
    this.floor.stop();
    this.subscribing.clear();
    this.connection?.stop(now);
    this.connection = null;
    this.credentials = null;
    this.nextCheckAt = this.signInUntil = Infinity;
    this.asked.clear();
    const { host, link } = this.view;
    this.view = { ...emptyView(host, this.config.transport), refusal, link: { ...emptyView(host, this.config.transport).link, online: link.online, offsetMs: link.offsetMs } };
  }

  // -- the notification connection

  private linkEvent(event: LinkEvent, now: number): void {
    switch (event.ev) {
      case 'connected':
        this.logStatus('connected');
        this.connected(now);
        break;
      case 'stanza':
        if (event.element.name === 'iq') this.answered(event.element.attrs['id'] ?? '', now);
        for (const one of event.element.name === 'message' ? notifications(event.element) : []) this.notification(one.payload, one.node, now);
        break;
      case 'failing':
        this.link({ state: 'failing', failures: this.view.link.failures + 1 });
        this.nextCheckAt = Math.min(this.nextCheckAt, now + 2 * TICK_MS);
        break;
      case 'lost':
        this.logStatus('disconnected');
        this.lost(event, now);
        break;
    }
  }

  /** Requests travel on other connections and may overtake the presence: what follows waits until the server has it. */
  private connected(now: number): void {
    this.connection?.send('<presence/>', now);
    this.connection?.send(`<iq type="get" id="${HERE}"><ping xmlns="urn:xmpp:ping"/></iq>`, now);
  }

  private answered(id: string, now: number): void {
    const done = this.subscribing.get(id);
    this.subscribing.delete(id);
    if (id === HERE) this.here(now);
    else done?.();
  }

  private subscribe(node: string, on: boolean, done: () => void): void {
    if (this.connection?.state !== 'connected') return; // all is subscribed again when it is back
    const id = `node${this.nextId()}`;
    this.subscribing.set(id, done);
    const jid = `${this.view.user?.loginId.toLowerCase() ?? ''}@${this.domain}`;
    this.connection.send(subscription(id, `pubsub.${this.domain}`, node, jid, on), this.now);
  }

  private watchFloor(): void {
    const user = this.view.user;
    if (user !== null) this.floor.start(user.loginId, [user.teamId, ...user.supervised.map((one) => one.id)]);
  }

  /** The server has our presence: from now on no notification is missed. */
  private here(now: number): void {
    this.link({ connectedAt: this.wall, detail: '' });
    if (this.view.phase === 'signing in') {
      this.signInTelephone(now);
    } else {
      this.recovering = true;
      this.recover(now);
      this.watchFloor();
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
      this.lostAt = this.wall;
      this.before = this.view.user;
      const heard = this.view.link.heardAt ?? this.wall;
      this.set({ staleSince: heard });
      this.link({ lostAt: this.wall, signOutAt: heard + (this.config.idleLimitS + this.config.graceS) * 1000 });
      this.nextCheckAt = now;
    }
    this.recovering = false;
    this.subscribing.clear();
    this.link({ detail });
  }

  private awake(gap: number, now: number): void {
    this.log(`This computer was asleep, or the browser stopped this page, for ${Math.round(gap / 1000)} s`);
    this.link({ asleepMs: this.view.link.asleepMs + gap });
    this.notice('info', { key: 'conn.asleep', params: { t: Math.round(gap / 1000) } });
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
    this.askSystem(now, (info, _, then) => {
      if (round !== this.round || info === null || !info.inService) return; // the next check or a SystemInfo event goes on from here
      this.readUserNow(then, (user, status, body) => {
        if (round !== this.round) return;
        if (user === null) {
          if (status === 401) this.refuseSignIn(status, body, then);
          return;
        }
        this.readDialogsNow(then, () => {
          if (round === this.round) this.put(user, then);
        });
      });
    });
  }

  private put(user: User, now: number): void {
    const away = this.lostAt === null ? 0 : this.wall - this.lostAt;
    const what = recovery(this.before ?? this.view.user, user, this.choice, away, this.again);
    this.log(`Recovery after ${Math.round(away / 1000)} s: ${user.state} -> ${what}`);
    if (what === 'sign in') {
      this.again = true;
      this.takeUser(user);
      this.signInTelephone(now);
      return;
    }
    if (what === 'signed out') {
      this.signedOut(user, now);
      return;
    }
    this.takeUser(user);
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
      if (this.again) this.notice('info', silent ? { key: 'conn.lost255', params: { s: this.config.idleLimitS } } : { key: 'conn.again' });
      this.notice('good', { key: was === undefined || was === state ? 'conn.kept' : 'conn.changed', params: { state: `state.${state}`, was: `state.${was ?? state}` } });
    }
    this.again = this.recovering = false;
    this.before = this.lostAt = null;
    this.nextCheckAt = now + CHECK_MS;
    this.set({ staleSince: null });
    this.link({ lostAt: null, signOutAt: null, failures: 0 });
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
      this.log(`A notification that cannot be read: ${error.message}`);
      return;
    }
    const data = update.data;
    if (data === undefined) return;
    const asked = this.settle(update.requestId);
    if (this.floor.notification(update, node, now)) return;
    const name = data.name.toLowerCase();
    if (name === 'user') this.userEvent(readUser(data), update, now);
    else if (name === 'dialogs') for (const dialog of readDialogs(data)) this.dialogEvent(dialog, update.event);
    else if (name === 'dialog') this.dialogEvent(readDialog(data), update.event);
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
      this.takeUser(user);
    }
  }

  private logoutEvent(user: User, now: number): void {
    if (this.leaving || (user.reason !== null && !fromConnection(user.reason)) || this.view.link.service === 'out') {
      if (this.leaving || user.reason !== null) this.signedOut(user, now);
      else this.takeUser(user); // the telephone system begins anew: the end of the outage brings everybody back
      return;
    }
    this.before = this.view.user;
    this.lostAt ??= this.wall;
    this.put(user, now);
  }

  private faultEvent(data: Element, asked: string | undefined, now: number): void {
    const fault = readFault(data);
    if (asked === 'sign in') {
      const { user = '', extension = '' } = this.credentials ?? {};
      this.refuse(signInRefusal(0, fault, 0, user, extension), now);
    } else if (asked !== undefined) {
      if (asked === 'state') this.leaving = false;
      const refused = failure(0, fault);
      this.notice('bad', refused, refused.code);
    }
  }

  private systemEvent(info: SystemInfo, now: number): void {
    const was = this.view.link.service;
    this.takeSystem(info);
    if (!info.inService) {
      this.before ??= this.view.user;
      this.lostAt ??= this.wall;
      if (this.view.staleSince === null) this.set({ staleSince: this.wall });
      this.nextCheckAt = now + CHECK_LOST_MS;
    } else if (was !== 'in' && this.view.phase === 'signed in' && this.connection?.state === 'connected') {
      this.recover(now);
    }
  }

  private dialogEvent(dialog: Dialog, event: Update['event']): void {
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

  // -- SystemInfo

  private askSystem(now: number, done: (info: SystemInfo | null, status: number, now: number) => void): void {
    const sent = this.wall;
    this.rest('GET', `/SystemInfo?nocache=${sent}`, '', '', now, (status, body, then) => {
      const info = status === 200 ? this.read(body, (root) => (root.name === 'SystemInfo' ? readSystemInfo(root) : null)) : null;
      if (info === null) this.link({ service: 'unreachable' });
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
    const sent = this.wall;
    this.rest('GET', `/SystemInfo?timestamponly&nocache=${sent}`, '', '', now, (status, body, then) => {
      const info = status === 200 ? this.read(body, readSystemInfo) : null;
      if (info === null) this.link({ service: 'unreachable' });
      else this.measure(info, sent, then - now);
      if (info !== null && this.view.link.state === 'failing') this.link({ state: 'connected' }); // the network is there
      if (info === null) this.nextCheckAt = Math.min(this.nextCheckAt, then + CHECK_LOST_MS);
    });
  }

  private measure(info: SystemInfo, sent: number, roundTripMs: number): void {
    if (info.timestamp === null) return;
    const offsetMs = measured(sent, roundTripMs, info.timestamp);
    this.serverZoneMin = info.zoneMin;
    this.link({ offsetMs, roundTripMs });
    this.log(driftText(sent + roundTripMs / 2, info.timestamp, offsetMs, roundTripMs));
  }

  private takeSystem(info: SystemInfo): void {
    this.link({ service: info.inService ? 'in' : 'out', serviceReason: info.reason, alternate: info.secondary });
  }

  // -- asking for things

  private call(dialogId: string, request: Omit<CallRequest, 'extension'>, now: number): void {
    const user = this.view.user;
    if (user === null) return;
    const body = callBody({ ...request, extension: user.extension });
    const path = dialogId ? `/Dialog/${encodeURIComponent(dialogId)}` : `/User/${encodeURIComponent(user.loginId)}/Dialogs`;
    this.ask(dialogId ? 'PUT' : 'POST', path, body, dialogId || 'call', now, request.action === 'SEND_DTMF');
  }

  /** The error report; the ring is kept, so that a second one tells more and not less. */
  private sendLog(now: number): void {
    const loginId = this.view.user?.loginId ?? '';
    const requestId = this.chance.uuid();
    this.set({ busy: [...this.view.busy, 'log'] });
    this.rest('POST', `/User/${encodeURIComponent(loginId)}/ClientLog`, clientLogBody(this.ring.text, this.config.userAgent), requestId, now, (status, answer) => {
      this.set({ busy: this.view.busy.filter((one) => one !== 'log') });
      const refused = status === 0 ? { key: 'failed.network', code: 'no answer' } : failure(status, this.faultOf(answer));
      if (status === 202) this.notice('good', { key: 'report.sent' });
      else this.notice('bad', { key: 'report.failed' }, refused.code);
    });
  }

  private change(body: string, what: string, now: number): void {
    this.ask('PUT', `/User/${encodeURIComponent(this.view.user?.loginId ?? '')}`, body, what, now);
  }

  /** Ask for a change: 202 is a promise, its event or error event the outcome. `eventless`: success has no event. */
  private ask(method: string, path: string, body: string, what: string, now: number, eventless = false): void {
    const requestId = this.chance.uuid();
    this.asked.set(requestId, { what, until: now + OUTCOME_MS, silent: false });
    this.set({ busy: [...this.view.busy, what] });
    this.rest(method, path, body, requestId, now, (status, answer, then) => {
      const good = status === 202 || status === 200;
      if (!good || eventless) this.settle(requestId, eventless && good);
      if (good) return;
      if (what === 'sign in' && (this.view.phase === 'signing in' || status === 401)) {
        this.refuseSignIn(status, answer, then);
      } else if (what === 'sign in') {
        this.signInUntil = Infinity; // out of service again: the next check goes on from here
      } else {
        if (what === 'state') this.leaving = false;
        const refused = status === 0 ? { key: 'failed.network', code: 'no answer' } : failure(status, this.faultOf(answer));
        this.notice('bad', refused, refused.code);
      }
    });
  }

  /** What the request was about, if we wait for it; nothing waits any longer. */
  private settle(requestId: string, errorsMayCome = false): string | undefined {
    const asked = this.asked.get(requestId);
    if (asked === undefined) return undefined;
    if (errorsMayCome) this.asked.set(requestId, { ...asked, silent: true });
    else this.asked.delete(requestId);
    if (asked.silent) return asked.what;
    const busy = [...this.view.busy];
    busy.splice(busy.indexOf(asked.what), 1);
    this.set({ busy });
    return asked.what;
  }

  private readUserNow(now: number, done: (user: User | null, status: number, body: string) => void): void {
    this.rest('GET', `/User/${encodeURIComponent(this.view.user?.loginId ?? '')}`, '', '', now, (status, body) => {
      done(status === 200 ? this.read(body, readUser) : null, status, body);
    });
  }

  private readDialogsNow(now: number, done: () => void): void {
    const loginId = encodeURIComponent(this.view.user?.loginId ?? '');
    this.rest('GET', `/User/${loginId}/Dialogs`, '', '', now, (status, body) => {
      const dialogs = status === 200 ? this.read(body, readDialogs) : null;
      if (dialogs !== null) this.set({ dialogs });
      done();
    });
  }

  private rest(method: string, path: string, body: string, requestId: string, now: number, done: Done): void {
    const id = this.nextId();
    const url = API + path;
    const { user = '', password = '' } = this.credentials ?? {};
    const headers: Record<string, string> = {};
    if (user && !path.startsWith('/SystemInfo')) headers['Authorization'] = `Basic ${base64(`${user}:${password}`)}`;
    if (body) headers['Content-Type'] = 'application/xml';
    if (requestId) headers['requestId'] = requestId;
    this.requests.set(id, { sentAt: now, method, url, done });
    this.log(`[ClientServices] requestId='${requestId}', Making REST request: method=${method}, url='${url}'`);
    this.effect({ do: 'http', id, method, url, headers, body, timeoutMs: REQUEST_MS });
  }

  private nextId(): number {
    this.ids += 1;
    return this.ids;
  }

  private read<T>(body: string, reader: (root: Element) => T): T | null {
    try {
      return reader(parse(body));
    } catch (error) {
      if (error instanceof XmlError) return null;
      throw error;
    }
  }

  private faultOf(body: string): ReturnType<typeof readFault> {
    return this.read(body, readFault);
  }

  // -- the view

  private takeUser(user: User): void {
    this.set({ user });
    const last = this.view.states[0];
    if (last?.state === user.state && last.since === (user.stateSince ?? last.since)) return;
    const entry = { state: user.state, label: user.reason?.label ?? '', since: user.stateSince ?? this.wall };
    this.set({ states: [entry, ...this.view.states].slice(0, HISTORY_MAX) });
  }

  private notice(tone: Notice['tone'], words: Words, code?: string): void {
    this.noticeIds += 1;
    const { key, params } = words;
    const notice: Notice = { id: this.noticeIds, tone, key, at: this.wall, ...(params && { params }), ...(code !== undefined && { code }) };
    this.set({ notices: [...this.view.notices, notice].slice(-NOTICES_MAX) });
  }

  private set(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
  }

  private link(change: Partial<Link>): void {
    this.view = { ...this.view, link: { ...this.view.link, ...change } };
  }

  /** What the connection knows, in the view; times become those of this computer's clock. */
  private refreshLink(now: number): void {
    const connection = this.connection;
    const before = this.view.link;
    const onWall = (at: number | null | undefined): number | null => (at === null || at === undefined ? null : Math.round(at - now + this.wall));
    const state = connection === null || connection.state === 'idle' ? 'none' : connection.state;
    const heardAt = connection?.state === 'connected' || before.heardAt === null ? (onWall(connection?.heardAt) ?? before.heardAt) : before.heardAt;
    const failing = state === 'connected' && before.state === 'failing' && heardAt === before.heardAt;
    const next: Link = {
      ...before,
      state: failing ? 'failing' : state,
      attempt: connection?.attempt ?? 0,
      nextAttemptAt: onWall(connection?.nextAttemptAt),
      heardAt,
      cycles: before.cycles.length === connection?.cycles.length && before.cycles.at(-1) === connection.cycles.at(-1) ? before.cycles : [...(connection?.cycles ?? [])],
    };
    if ((Object.keys(next) as (keyof Link)[]).some((key) => next[key] !== before[key])) this.set({ link: next });
  }

  // -- the log

  private logStatus(status: string): void {
    this.log(`[ClientServices] MasterPublisher._connInfoHandler() - Connection status: ${status}`);
  }

  private log(text: string): void {
    const clock: Clock = { offsetMs: this.view.link.offsetMs, serverZoneMin: this.serverZoneMin };
    const origin = this.view.phase === 'signed in' ? 'Header' : 'Container';
    const line = logLine(this.wall, this.zoneMin, this.config.host, clock, origin, text);
    this.ring.add(line);
    this.onLine(line);
  }
}

/** The subscription of a node that the server does not subscribe by itself, or its end (XEP-0060 sections 6.1, 6.2). */
function subscription(id: string, service: string, node: string, jid: string, on: boolean): string {
  const what = `<${on ? 'subscribe' : 'unsubscribe'} node="${escapeAttr(node)}" jid="${escapeAttr(jid)}"/>`;
  return `<iq type="set" id="${escapeAttr(id)}" to="${escapeAttr(service)}"><pubsub xmlns="http://jabber.org/protocol/pubsub">${what}</pubsub></iq>`;
}
