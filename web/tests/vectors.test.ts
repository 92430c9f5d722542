/** The conformance vectors that the Python client core plays as well (`tests/unit/protocols/xmpp/client/test_vectors.py`). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readUpdate } from '../core/finesse/update';
import { escape, escapeAttr, parse, XmlError, type Element } from '../core/xml';
import { BoshStream } from '../core/xmpp/bosh';
import type { Account, Output } from '../core/xmpp/outputs';
import { notifications, parseElement } from '../core/xmpp/stream';
import { WebSocketStream } from '../core/xmpp/websocket';

interface Step {
  do: string;
  rid: number;
  status: number;
  body: string;
  stanza: string;
  message: string;
  expect: unknown[];
}
interface Vector {
  name: string;
  account: Account;
  first_rid: number;
  steps: Step[];
}

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../tests/vectors/${name}`, import.meta.url), 'utf8')) as T;
}

function tree(element: Element): unknown[] {
  return [element.name, element.ns, element.attrs, element.children.map((one) => (typeof one === 'string' ? one : tree(one)))];
}

function shown(output: Output): unknown {
  switch (output.out) {
    case 'post':
      return { post: output.rid, data: output.data };
    case 'write':
      return { write: output.data };
    case 'stanza':
      return { stanza: tree(output.element) };
    case 'ready':
      return { ready: output.jid };
    case 'ended':
      return { ended: output.failure ?? '' };
  }
}

describe('over BOSH', () => {
  it.each(vectors<Vector[]>('bosh.json'))('$name', ({ account, first_rid, steps }) => {
    const stream = new BoshStream(account, first_rid);
    for (const step of steps) {
      const outputs =
        step.do === 'open' ? stream.open()
        : step.do === 'answer' ? stream.answered(step.rid, step.status, step.body)
        : step.do === 'fail' ? stream.failed(step.rid)
        : step.do === 'send' ? stream.send(step.stanza)
        : stream.close();
      expect(outputs.map(shown)).toEqual(step.expect);
    }
  });
});

describe('over WebSocket', () => {
  it.each(vectors<Vector[]>('websocket.json'))('$name', ({ account, steps }) => {
    const stream = new WebSocketStream(account);
    for (const step of steps) {
      const outputs =
        step.do === 'open' ? stream.open()
        : step.do === 'receive' ? stream.receive(step.message)
        : step.do === 'send' ? stream.send(step.stanza)
        : step.do === 'lost' ? stream.lost()
        : stream.close();
      expect(outputs.map(shown)).toEqual(step.expect);
    }
  });
});

interface Xml {
  escapes: { text: string; escaped: string; escaped_attr: string }[];
  trees: { xml: string; tree: unknown }[];
  refused: string[];
}
const xml = vectors<Xml>('xml.json');

describe('XML', () => {
  it.each(xml.escapes)('escapes $text', (vector) => {
    expect(escape(vector.text)).toBe(vector.escaped);
    expect(escapeAttr(vector.text)).toBe(vector.escaped_attr);
  });
  it.each(xml.trees)('reads $xml', (vector) => {
    expect(tree(parse(vector.xml))).toEqual(vector.tree);
  });
  it.each(xml.refused)('refuses %s', (document) => {
    expect(() => parse(document)).toThrow(XmlError);
  });
});

interface UpdateVector {
  name: string;
  message: string;
  node: string;
  event: string;
  requestId: string;
  source: string;
  data: unknown;
}

describe('updates', () => {
  it.each(vectors<UpdateVector[]>('updates.json'))('$name', (vector) => {
    const [notification] = notifications(parseElement(vector.message));
    expect(notification?.node).toBe(vector.node);
    const update = readUpdate(notification?.payload ?? '');
    expect(update).toMatchObject({ event: vector.event, requestId: vector.requestId, source: vector.source });
    expect(update.data === undefined ? undefined : tree(update.data)).toEqual(vector.data);
  });
});
