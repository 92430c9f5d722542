/** A client's stream over WebSocket, above the frames (RFC 7395): text messages in and out. No sockets, no time. */
import { escapeAttr, parse, XmlError, type Element } from '../xml';
import { FRAMING_NS, type Output } from './outputs';
import { ClientStream, parseElement } from './stream';

const CLOSE = `<close xmlns="${FRAMING_NS}"/>`;

export class WebSocketStream extends ClientStream {
  private closed = false;

  open(): Output[] {
    const outputs: Output[] = [];
    this.begin(outputs);
    return outputs;
  }

  /** One text message of the server. */
  receive(message: string): Output[] {
    const outputs: Output[] = [];
    if (this.ended || !message.trim()) return outputs;
    let element: Element;
    try {
      element = read(message);
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      this.giveUp('not-xmpp', error.message, outputs);
      return outputs;
    }
    if (element.ns !== FRAMING_NS) {
      this.hear(element, outputs);
    } else if (element.name === 'close') {
      const elsewhere = element.attrs['see-other-uri'];
      this.giveUp(elsewhere ? 'stream-error' : null, elsewhere ? `see-other-uri ${elsewhere}` : 'the server closed the stream', outputs);
    }
    return outputs;
  }

  /** The connection is gone. */
  lost(): Output[] {
    const outputs: Output[] = [];
    this.closed = true;
    this.giveUp('unreachable', 'it was closed without an end of stream', outputs);
    return outputs;
  }

  close(): Output[] {
    const outputs: Output[] = [];
    this.giveUp(null, 'we left', outputs);
    return outputs;
  }

  protected override begin(outputs: Output[]): void {
    const domain = escapeAttr(this.account.domain);
    outputs.push({ out: 'write', data: `<open xmlns="${FRAMING_NS}" to="${domain}" version="1.0" xml:lang="en"/>` });
  }

  protected override write(data: string, outputs: Output[]): void {
    outputs.push({ out: 'write', data });
  }

  protected override farewell(outputs: Output[]): void {
    if (!this.closed) outputs.push({ out: 'write', data: CLOSE });
  }
}

/** Servers that do not declare the prefix `stream` in each message are understood too. */
function read(message: string): Element {
  try {
    return parse(message);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    return parseElement(message);
  }
}
