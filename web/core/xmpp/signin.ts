/**
 * A client's sign-in above any binding: features in, SASL PLAIN and bind out (RFC 6120 sections 5 to 7), as a table.
 *
 * Theory. A stream is OPENING until the server's features come and offer PLAIN; in SIGNING_IN the server says yes, after
 * which the stream is begun anew; SIGNED_IN waits for the second features, BINDING for a full JID, STARTING for the
 * session that servers before RFC 6121 want. READY carries stanzas. What does not belong to a state is passed over. The
 * same machine is `poise.protocols.xmpp.client` in Python; `tests/vectors` holds both to the same bytes.
 */
import { child, elements, escape, escapeAttr, textOf, value, type Element } from '../xml';
import { BIND_NS, CLIENT_NS, PING_NS, SASL_NS, SESSION_NS, STANZAS_NS, STREAM_NS, STREAMS_NS, type Account, type Failure } from './outputs';

export type State = 'opening' | 'signing in' | 'signed in' | 'binding' | 'starting' | 'ready' | 'closed';
type Input = 'features' | 'success' | 'failure' | 'challenge' | 'answer' | 'stream error' | 'other';
type Rule = 'choose' | 'respond' | 'restart' | 'refused' | 'bind' | 'bound' | 'ready' | 'error' | 'skip';

export const RULES: Readonly<Record<State, Partial<Record<Input, Rule>>>> = {
  opening: { features: 'choose', 'stream error': 'error' },
  'signing in': { challenge: 'respond', success: 'restart', failure: 'refused', 'stream error': 'error' },
  'signed in': { features: 'bind', 'stream error': 'error' },
  binding: { answer: 'bound', 'stream error': 'error' },
  starting: { answer: 'ready', 'stream error': 'error' },
  ready: { 'stream error': 'error' },
  closed: {},
};
/** What is done about every input in every state; absent: it is passed over. */

export type Step =
  | { readonly do: 'say'; readonly data: string }
  | { readonly do: 'restart' }
  | { readonly do: 'done'; readonly jid: string }
  | { readonly do: 'give up'; readonly failure: Failure; readonly detail: string };

const INPUTS: Readonly<Record<string, Input>> = {
  [`features ${STREAM_NS}`]: 'features',
  [`error ${STREAM_NS}`]: 'stream error',
  [`challenge ${SASL_NS}`]: 'challenge',
  [`success ${SASL_NS}`]: 'success',
  [`failure ${SASL_NS}`]: 'failure',
};

export class SignIn {
  state: State = 'opening';
  jid = '';
  private sessionWanted = false;
  private waitingFor = '';

  constructor(private readonly account: Account) {}

  /** One element of the server. */
  receive(element: Element): Step[] {
    const rule = RULES[this.state][this.input(element)] ?? 'skip';
    switch (rule) {
      case 'choose':
        return [this.choose(element)];
      case 'respond':
        return [{ do: 'say', data: `<response xmlns="${SASL_NS}"></response>` }];
      case 'restart':
        this.state = 'signed in';
        return [{ do: 'restart' }];
      case 'refused': {
        const condition = elements(element).find((one) => one.name !== 'text')?.name ?? 'not-authorized';
        return [this.giveUp(condition === 'not-authorized' ? 'wrong-password' : 'sign-in-refused', condition)];
      }
      case 'bind':
        return [this.bind(element)];
      case 'bound':
        return [this.bound(element)];
      case 'ready':
        return [this.ready()];
      case 'error':
        return [this.giveUp('stream-error', conditionOf(element))];
      case 'skip':
        return this.state === 'ready' ? reply(element) : [];
    }
  }

  close(): void {
    this.state = 'closed';
  }

  private input(element: Element): Input {
    if (element.name === 'iq' && (element.attrs['type'] === 'result' || element.attrs['type'] === 'error')) {
      return element.attrs['id'] === this.waitingFor ? 'answer' : 'other';
    }
    return INPUTS[`${element.name} ${element.ns}`] ?? 'other';
  }

  private choose(features: Element): Step {
    const listed = child(features, 'mechanisms', SASL_NS);
    const offered = listed === undefined ? [] : elements(listed).map((one) => textOf(one).trim().toUpperCase());
    if (!offered.includes('PLAIN')) {
      return this.giveUp('no-mechanism', `the server offers ${offered.sort().join(', ') || 'nothing'}`);
    }
    this.state = 'signing in';
    const initial = base64(`\0${this.account.user}\0${this.account.password}`);
    return { do: 'say', data: `<auth xmlns="${SASL_NS}" mechanism="PLAIN">${initial}</auth>` };
  }

  private bind(features: Element): Step {
    const session = child(features, 'session', SESSION_NS);
    this.sessionWanted = session !== undefined && child(session, 'optional') === undefined;
    this.state = 'binding';
    this.waitingFor = 'bind';
    const resource = this.account.resource ? `<resource>${escape(this.account.resource)}</resource>` : '';
    return { do: 'say', data: request('bind', `<bind xmlns="${BIND_NS}">${resource}</bind>`) };
  }

  private bound(answer: Element): Step {
    const jid = value(child(answer, 'bind', BIND_NS), 'jid');
    if (answer.attrs['type'] === 'error' || !jid) {
      return this.giveUp('bind-refused', conditionOf(child(answer, 'error') ?? answer));
    }
    this.jid = jid;
    if (!this.sessionWanted) return this.ready();
    this.state = 'starting';
    this.waitingFor = 'session';
    return { do: 'say', data: request('session', `<session xmlns="${SESSION_NS}"/>`) };
  }

  private ready(): Step {
    this.waitingFor = '';
    this.state = 'ready';
    return { do: 'done', jid: this.jid };
  }

  private giveUp(failure: Failure, detail: string): Step {
    this.state = 'closed';
    return { do: 'give up', failure, detail };
  }
}

/** Condition and text of an `<error/>`, of a stream or a stanza. */
export function conditionOf(error: Element): string {
  const name = elements(error).find((one) => one.name !== 'text')?.name ?? 'undefined-condition';
  const text = textOf(child(error, 'text', STREAMS_NS) ?? child(error, 'text')).trim();
  return text ? `${name}: ${text}` : name;
}

function request(id: string, payload: string): string {
  return `<iq xmlns="${CLIENT_NS}" type="set" id="${id}">${payload}</iq>`;
}

/** What RFC 6120 section 8.2.3 asks of whoever is asked: pings get a result, other requests an error. */
function reply(element: Element): Step[] {
  const type = element.attrs['type'];
  if (element.name !== 'iq' || (type !== 'get' && type !== 'set')) return [];
  const from = element.attrs['from'] ?? '';
  const addresses = [
    ['id', element.attrs['id'] ?? ''],
    ['from', element.attrs['to'] || from.split('/', 1)[0] || ''],
    ['to', from],
  ] as const;
  const head = addresses.filter(([, text]) => text).map(([name, text]) => ` ${name}="${escapeAttr(text)}"`);
  const tag = (kind: string): string => `<iq xmlns="${CLIENT_NS}" type="${kind}"${head.join('')}`;
  if (child(element, 'ping', PING_NS) !== undefined) return [{ do: 'say', data: `${tag('result')}/>` }];
  const error = `<error type="cancel"><service-unavailable xmlns="${STANZAS_NS}"/></error>`;
  return [{ do: 'say', data: `${tag('error')}>${error}</iq>` }];
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 of the text in UTF-8 (RFC 4648). */
export function base64(text: string): string {
  const bytes = utf8(text);
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = bytes.slice(i, i + 3);
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    out += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
    out += b === undefined ? '=' : ALPHABET.charAt((bits >> 6) & 63);
    out += c === undefined ? '=' : ALPHABET.charAt(bits & 63);
  }
  return out;
}

/** The text's bytes in UTF-8. Half a surrogate pair becomes U+FFFD. */
export function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0) ?? 0;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return bytes;
}
