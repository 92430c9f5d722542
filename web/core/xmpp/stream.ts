/** What the client's streams have in common, whatever carries them: sign-in, stanzas out, stanzas in. */
import { child, elements, parse, XmlError, type Element } from '../xml';
import { CLIENT_NS, STREAM_NS, type Account, type Failure, type Output } from './outputs';
import { SignIn } from './signin';

const STANZAS = ['message', 'presence', 'iq'];

/** One connection. Subclasses carry it: they write, begin the stream anew, and end it. */
export abstract class ClientStream {
  readonly signIn: SignIn;
  ended = false;

  constructor(readonly account: Account) {
    this.signIn = new SignIn(account);
  }

  get ready(): boolean {
    return this.signIn.state === 'ready' && !this.ended;
  }

  get jid(): string {
    return this.signIn.jid;
  }

  /** A whole element. Nothing happens once the stream is over. Throws XmlError for what is no element. */
  send(stanza: string): Output[] {
    const element = parseElement(stanza);
    const head = stanza.slice(0, stanza.indexOf('>') + 1);
    const named = element.ns === CLIENT_NS && !head.includes('xmlns') ? stanza.replace(/^<[^\s/>]+/, `$& xmlns="${CLIENT_NS}"`) : stanza;
    const outputs: Output[] = [];
    if (!this.ended) this.write(named, outputs);
    return outputs;
  }

  protected abstract write(data: string, outputs: Output[]): void;
  protected abstract begin(outputs: Output[]): void;
  protected abstract farewell(outputs: Output[]): void;

  protected hear(element: Element, outputs: Output[]): void {
    if (element.ns === CLIENT_NS && STANZAS.includes(element.name)) outputs.push({ out: 'stanza', element });
    for (const step of this.signIn.receive(element)) {
      if (step.do === 'say') this.write(step.data, outputs);
      else if (step.do === 'restart') this.begin(outputs);
      else if (step.do === 'done') outputs.push({ out: 'ready', jid: step.jid });
      else this.giveUp(step.failure, step.detail, outputs);
    }
  }

  protected giveUp(failure: Failure | null, detail: string, outputs: Output[]): void {
    if (this.ended) return;
    this.farewell(outputs);
    this.ended = true;
    this.signIn.close();
    outputs.push({ out: 'ended', failure, detail });
  }
}

/** One element as it stands in a client's stream: without a namespace of its own it is in `jabber:client`. */
export function parseElement(data: string): Element {
  const root = parse(`<w>${data}</w>`, { '': CLIENT_NS, stream: STREAM_NS });
  const inside = elements(root);
  const [only] = inside;
  if (only === undefined || inside.length > 1 || root.children.length > 1) throw new XmlError('not one element');
  return only;
}

/** The payloads of a message from the notification service: node and text of each item. */
export function notifications(message: Element): { node: string; payload: string }[] {
  const found: { node: string; payload: string }[] = [];
  for (const event of elements(message).filter((one) => one.name === 'event')) {
    const items = child(event, 'items');
    for (const item of items === undefined ? [] : elements(items)) {
      const notification = child(item, 'notification');
      if (notification !== undefined) {
        const payload = notification.children.filter((one) => typeof one === 'string').join('');
        found.push({ node: items?.attrs['node'] ?? '', payload });
      }
    }
  }
  return found;
}
