/** A session in a test: time moves by hand, and the test is the server. */
import type { Effect } from '../core/connection';
import type { Config } from '../core/commands';
import { Session } from '../core/session';

export const CONFIG: Config = {
  host: 'a.example',
  domain: 'a.example',
  transport: 'bosh',
  boshUrl: 'https://a.example/http-bind/',
  webSocketUrl: 'wss://a.example/ws/',
  idleLimitS: 60,
  graceS: 60,
  alternate: '',
  locales: ['en'],
};
const BODY = 'http://jabber.org/protocol/httpbind';
const FEATURES = (inside: string): string => `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${inside}</stream:features>`;
const PLAIN = FEATURES("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>");

export function body(inside: string, attributes = ''): string {
  return `<body xmlns='${BODY}'${attributes}>${inside}</body>`;
}

export function user(state: string, more = ''): string {
  return (
    `<loginId>1001</loginId><loginName>agent1</loginName><firstName>Agent</firstName><lastName>One</lastName><extension>1001</extension>` +
    `<state>${state}</state><stateChangeTime>2026-11-24T10:00:00.000Z</stateChangeTime><teamName>Sales</teamName>${more}`
  );
}

export function reason(code: number, label: string, category = 'LOGOUT', id = -1): string {
  return `<reasonCode><category>${category}</category><code>${code}</code><label>${label}</label><systemCode>${id < 0}</systemCode><id>${id}</id></reasonCode>`;
}

export function event(data: string, requestId = '', kind = 'PUT', node = '/finesse/api/User/1001'): string {
  const update = `<Update><data>${data}</data><event>${kind}</event><requestId>${requestId}</requestId><source>${node}</source></Update>`;
  const text = update.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return (
    `<message xmlns='jabber:client'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='${node}'><item id='1'>` +
    `<notification xmlns='http://jabber.org/protocol/pubsub'>${text}</notification></item></items></event></message>`
  );
}

export function system(status = 'IN_SERVICE', why = '', more = ''): string {
  return (
    `<SystemInfo><currentTimestamp>2026-11-24T10:00:00.000Z</currentTimestamp><timezoneOffset>0</timezoneOffset><status>${status}</status>` +
    `<statusReason>${why}</statusReason><xmppDomain>a.example</xmppDomain>${more}</SystemInfo>`
  );
}

export function fault(type: string, message = '', data = ''): string {
  return `<ApiErrors><ApiError><ErrorType>${type}</ErrorType><ErrorMessage>${message}</ErrorMessage><ErrorData>${data}</ErrorData></ApiError></ApiErrors>`;
}

type Http = Extract<Effect, { do: 'http' }>;

export class Story {
  now = 1000;
  /** 2026-11-24T10:00:00Z on the client's clock too. */
  wall = 1_795_514_400_000;
  readonly lines: string[] = [];
  readonly effects: Effect[] = [];
  readonly session: Session;
  private open: Http[] = [];
  private ids = 0;

  constructor(config: Partial<Config> = {}) {
    const chance = { random: () => 0.5, uuid: () => `request-${(this.ids += 1)}` };
    this.session = new Session({ ...CONFIG, ...config }, chance, (effect) => { this.take(effect); }, (line) => this.lines.push(line));
    this.session.due(this.now, this.wall, 0);
  }

  get view(): Session['view'] {
    return this.session.view;
  }

  /** Requests under way, as "METHOD url". */
  get asked(): string[] {
    return this.open.map((one) => `${one.method} ${one.url.replace(/\?nocache=\d+/, '').replace(/&nocache=\d+/, '')}`);
  }

  /** Let time pass second by second. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i += 1) {
      this.now += 1000;
      this.wall += 1000;
      this.session.due(this.now, this.wall, 0);
    }
  }

  /** The computer sleeps: time passes and nobody looks at it. */
  sleep(seconds: number): void {
    this.now += seconds * 1000;
    this.wall += seconds * 1000;
    this.session.due(this.now, this.wall, 0);
  }

  /** The request under way whose address and body contain the text. */
  request(part: string): Http {
    const found = this.open.find((one) => `${one.method} ${one.url} ${one.body}`.includes(part));
    if (found === undefined) throw new Error(`nobody asks for ${part}; under way: ${this.asked.join(', ')}`);
    return found;
  }

  answer(part: string, status: number, text = ''): void {
    const request = this.request(part);
    this.open = this.open.filter((one) => one !== request);
    this.session.httpAnswered(request.id, status, text, this.now, this.wall);
  }

  /** Every question about the service is answered with yes. */
  inService(): void {
    while (this.asked.includes('GET /finesse/api/SystemInfo')) this.answer('/SystemInfo', 200, system());
  }

  fail(part: string): void {
    const request = this.request(part);
    this.open = this.open.filter((one) => one !== request);
    this.session.httpFailed(request.id, this.now, this.wall);
  }

  /** Nothing answers any more: every request breaks, as often as it is sent, for that long. */
  outage(seconds: number): void {
    for (let i = 0; i < seconds; i += 1) {
      for (const one of [...this.open]) if (this.open.includes(one)) this.fail(one.body || one.url);
      this.pass(1);
    }
    for (const one of [...this.open]) if (this.open.includes(one)) this.fail(one.body || one.url);
  }

  /** A stanza comes with the answer to the held request. */
  hear(stanza: string): void {
    this.answer("/http-bind/", 200, body(stanza));
  }

  private take(effect: Effect): void {
    this.effects.push(effect);
    if (effect.do === 'http') this.open.push(effect);
    if (effect.do === 'abort') this.open = this.open.filter((one) => one.id !== effect.id);
  }

  // -- chapters

  signInCommand(extension = '1001'): void {
    this.session.command({ do: 'sign in', user: '1001', password: 'secret', extension, mobile: null }, this.now, this.wall);
  }

  /** The notification connection comes up, to where the server has our presence. */
  connect(): void {
    this.answer("ver='1.11'", 200, body(PLAIN, " sid='s' requests='2'"));
    this.answer('<auth', 200, body("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"));
    this.answer('xmpp:restart', 200, body(FEATURES("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")));
    const bound = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>1001@a.example/desktop</jid></bind>";
    this.answer('<resource>', 200, body(`<iq xmlns='jabber:client' type='result' id='bind'>${bound}</iq>`));
    this.presence();
  }

  private presence(): void {
    for (const one of this.open.filter((request) => request.url.endsWith('/http-bind/')).sort((a, b) => rid(a) - rid(b))) {
      if (one.body.includes('<presence') && !one.body.includes('id="here"')) this.answer(one.body, 200, body(''));
    }
    const held = this.open.filter((request) => request.url.endsWith('/http-bind/')).sort((a, b) => rid(a) - rid(b));
    const [first] = held;
    if (first !== undefined) this.answer(first.body, 200, body("<iq xmlns='jabber:client' type='result' id='here'/>"));
  }

  signIn(state = 'NOT_READY'): void {
    this.signInCommand();
    this.answer('/SystemInfo', 200, system());
    this.answer('GET /finesse/api/User/1001', 200, `<User>${user('LOGOUT')}</User>`);
    this.connect();
    this.answer('<state>LOGIN</state>', 202);
    this.hear(event(`<user>${user(state)}</user>`, `request-${this.ids}`));
    this.loaded();
  }

  loaded(): void {
    this.answer('category=NOT_READY', 200, `<ReasonCodes>${reason(12, 'Lunch', 'NOT_READY', 1).replaceAll('reasonCode>', 'ReasonCode>')}</ReasonCodes>`);
    this.answer('category=LOGOUT', 200, '<ReasonCodes/>');
    this.answer('/WrapUpReasons', 404, fault('Not Found'));
    this.answer('/Dialogs', 200, '<Dialogs/>');
    this.answer('timestamponly', 200, system());
  }
}

function rid(request: Http): number {
  return Number(/rid='(\d+)'/.exec(request.body)?.[1] ?? 0);
}
