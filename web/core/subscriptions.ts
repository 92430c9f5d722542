/** Nodes that the server does not subscribe by itself (XEP-0060 sections 6.1, 6.2), by the user's bare JID. */
import { escapeAttr } from './xml';

export class Subscriptions {
  private readonly waiting = new Map<string, () => void>();

  constructor(
    private readonly nextId: () => number,
    /** Whether there is a connection to send on. */
    private readonly send: (stanza: string) => boolean,
  ) {}

  /** Subscribe a node, or end that; `done` when the server has answered, whatever it said. Without a connection nothing
   * happens: all is subscribed again when there is one. */
  set(node: string, on: boolean, user: string, domain: string, done: () => void): void {
    const id = `node${this.nextId()}`;
    const what = `<${on ? 'subscribe' : 'unsubscribe'} node="${escapeAttr(node)}" jid="${escapeAttr(`${user.toLowerCase()}@${domain}`)}"/>`;
    const pubsub = `<pubsub xmlns="http://jabber.org/protocol/pubsub">${what}</pubsub>`;
    if (this.send(`<iq type="set" id="${id}" to="${escapeAttr(`pubsub.${domain}`)}">${pubsub}</iq>`)) this.waiting.set(id, done);
  }

  /** An iq with this id has been answered. */
  answered(id: string): void {
    const done = this.waiting.get(id);
    this.waiting.delete(id);
    done?.();
  }

  /** The connection is gone: nothing will be answered. */
  clear(): void {
    this.waiting.clear();
  }
}
