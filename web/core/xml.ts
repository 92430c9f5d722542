/**
 * A small strict reader of XML, for what the server says: no DTD, no processing instructions, bounded in size and depth.
 *
 * Workers have no DOMParser, and the same reader serves REST answers and stanzas. Whatever is no XML - a proxy's HTML
 * page, half an answer - is an XmlError and never a guess.
 */

export interface Element {
  readonly name: string;
  /** Local name without its prefix. */
  readonly ns: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly children: readonly (Element | string)[];
}

export class XmlError extends Error {}

export const SIZE_MAX = 16 * 1024 * 1024;
/** Characters of one document: a listing for a large centre has some megabytes. */
const DEPTH_MAX = 256;
const XML_NS = 'http://www.w3.org/XML/1998/namespace';
const NAME = /[A-Za-z_\u00b7-\uffff][\w.\-\u00b7-\uffff]*(?::[A-Za-z_\u00b7-\uffff][\w.\-\u00b7-\uffff]*)?/y;
const SPACE = /[ \t\r\n]*/y;
// eslint-disable-next-line no-control-regex
const BAD = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

interface Open {
  readonly raw: string;
  readonly prefixes: Readonly<Record<string, string>>;
  readonly element: { name: string; ns: string; attrs: Record<string, string>; children: (Element | string)[] };
}

/** One complete document. `prefixes`: what is declared around it. Throws XmlError. */
export function parse(text: string, prefixes: Readonly<Record<string, string>> = {}): Element {
  return new Reader(text, { xml: XML_NS, ...prefixes }).document();
}

class Reader {
  private at = 0;
  private readonly text: string;

  constructor(
    text: string,
    private readonly outer: Readonly<Record<string, string>>,
  ) {
    if (text.length > SIZE_MAX) throw new XmlError('larger than allowed');
    this.text = text.replace(/\r\n?/g, '\n');
    BAD.lastIndex = 0;
    if (BAD.test(this.text)) throw new XmlError('a character that XML forbids');
  }

  document(): Element {
    if (this.text.startsWith('\ufeff')) this.at = 1;
    if (this.text.startsWith('<?xml ', this.at)) {
      const end = this.text.indexOf('?>', this.at);
      if (end < 0) throw new XmlError('an XML declaration without end');
      this.at = end + 2;
    }
    this.skip(SPACE);
    const stack: Open[] = [];
    for (;;) {
      const top = stack.at(-1);
      if (top === undefined) {
        if (this.text[this.at] !== '<') throw new XmlError('no element');
      } else {
        this.characters(top.element.children);
      }
      if (this.at >= this.text.length) throw new XmlError('the document ends too early');
      if (this.text.startsWith('</', this.at)) {
        const closed = this.close(stack);
        if (stack.length === 0) return this.end(closed);
      } else if (this.text.startsWith('<!', this.at) || this.text.startsWith('<?', this.at)) {
        throw new XmlError('comments, processing instructions and DTDs are refused');
      } else if (this.open(stack)) {
        const closed = stack.pop() as Open;
        if (stack.length === 0) return this.end(closed.element);
      }
    }
  }

  private end(root: Element): Element {
    this.skip(SPACE);
    if (this.at < this.text.length) throw new XmlError('something follows the root element');
    return root;
  }

  /** Character data up to the next tag, CDATA included. */
  private characters(into: (Element | string)[]): void {
    let text = '';
    for (;;) {
      const next = this.text.indexOf('<', this.at);
      const end = next < 0 ? this.text.length : next;
      const raw = this.text.slice(this.at, end);
      if (raw.includes(']]>')) throw new XmlError('"]]>" in text');
      text += unescape(raw);
      this.at = end;
      if (!this.text.startsWith('<![CDATA[', end)) break;
      const close = this.text.indexOf(']]>', end);
      if (close < 0) throw new XmlError('CDATA without end');
      text += this.text.slice(end + 9, close);
      this.at = close + 3;
    }
    if (text) into.push(text);
  }

  /** A start tag; whether it was an empty element. */
  private open(stack: Open[]): boolean {
    if (stack.length >= DEPTH_MAX) throw new XmlError('nested too deeply');
    this.at += 1;
    const raw = this.name();
    const given: [string, string][] = [];
    let empty = false;
    for (;;) {
      const spaced = this.skip(SPACE);
      if (this.text[this.at] === '>') {
        this.at += 1;
        break;
      }
      if (this.text.startsWith('/>', this.at)) {
        this.at += 2;
        empty = true;
        break;
      }
      if (!spaced) throw new XmlError('a start tag is broken');
      given.push(this.attribute());
    }
    const parent = stack.at(-1);
    const prefixes = declared(given, parent?.prefixes ?? this.outer);
    const element = { name: local(raw), ns: namespaceOf(raw, prefixes, true), attrs: attributes(given, prefixes), children: [] };
    parent?.element.children.push(element);
    stack.push({ raw, prefixes, element });
    if (empty && parent !== undefined) {
      stack.pop();
      return false;
    }
    return empty;
  }

  private close(stack: Open[]): Element {
    this.at += 2;
    const raw = this.name();
    this.skip(SPACE);
    const open = stack.pop();
    if (open?.raw !== raw || this.text[this.at] !== '>') throw new XmlError('tags do not match');
    this.at += 1;
    return open.element;
  }

  private attribute(): [string, string] {
    const name = this.name();
    this.skip(SPACE);
    if (this.text[this.at] !== '=') throw new XmlError('an attribute without value');
    this.at += 1;
    this.skip(SPACE);
    const quote = this.text[this.at];
    if (quote !== '"' && quote !== "'") throw new XmlError('an attribute without quotes');
    const end = this.text.indexOf(quote, this.at + 1);
    if (end < 0) throw new XmlError('an attribute without end');
    const raw = this.text.slice(this.at + 1, end);
    if (raw.includes('<')) throw new XmlError('"<" in an attribute');
    this.at = end + 1;
    return [name, unescape(raw.replace(/[\t\n]/g, ' '))];
  }

  private name(): string {
    NAME.lastIndex = this.at;
    const match = NAME.exec(this.text);
    if (match === null) throw new XmlError('a name is missing');
    this.at = NAME.lastIndex;
    return match[0];
  }

  private skip(pattern: RegExp): boolean {
    const before = this.at;
    pattern.lastIndex = before;
    pattern.exec(this.text);
    this.at = pattern.lastIndex;
    return this.at > before;
  }
}

function declared(given: readonly [string, string][], outer: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const own = given.filter(([name]) => name === 'xmlns' || name.startsWith('xmlns:'));
  if (own.length === 0) return outer;
  return { ...outer, ...Object.fromEntries(own.map(([name, value]) => [name.slice(6), value])) };
}

function namespaceOf(raw: string, prefixes: Readonly<Record<string, string>>, element: boolean): string {
  const colon = raw.indexOf(':');
  if (colon < 0) return element ? (prefixes[''] ?? '') : '';
  const ns = prefixes[raw.slice(0, colon)];
  if (ns === undefined) throw new XmlError('a prefix is not declared');
  return ns;
}

/** Attributes by name; those with a prefix as `{namespace}name`, but `xml:lang`. */
function attributes(given: readonly [string, string][], prefixes: Readonly<Record<string, string>>): Record<string, string> {
  const attrs: Record<string, string> = {};
  for (const [name, value] of given) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
    const ns = namespaceOf(name, prefixes, false);
    const key = ns && ns !== XML_NS ? `{${ns}}${local(name)}` : name;
    if (key in attrs) throw new XmlError('an attribute stands twice');
    attrs[key] = value;
  }
  return attrs;
}

function local(raw: string): string {
  return raw.slice(raw.indexOf(':') + 1);
}

function unescape(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(/&([^;&]*);?/g, (whole, body: string) => {
    if (!whole.endsWith(';')) throw new XmlError('"&" without reference');
    const known = ENTITIES[body];
    if (known !== undefined) return known;
    const code = /^#x[0-9a-fA-F]{1,6}$/.test(body) ? parseInt(body.slice(2), 16) : /^#[0-9]{1,7}$/.test(body) ? Number(body.slice(1)) : NaN;
    if (!(code <= 0x10ffff)) throw new XmlError('an unknown entity');
    const character = String.fromCodePoint(code);
    BAD.lastIndex = 0;
    if (BAD.test(character)) throw new XmlError('a character that XML forbids');
    return character;
  });
}

/** Text as character data: safe, and read back as it was, but for what XML cannot carry, which becomes U+FFFD. */
export function escape(text: string): string {
  return text.replace(BAD, '\ufffd').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\r', '&#13;');
}

/** Text for an attribute value in either kind of quotes. */
export function escapeAttr(text: string): string {
  return escape(text).replaceAll('"', '&quot;').replaceAll("'", '&apos;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}

export function elements(parent: Element): Element[] {
  return parent.children.filter((child): child is Element => typeof child !== 'string');
}

/** The first child element of that name; of any namespace unless one is given. */
export function child(parent: Element | undefined, name: string, ns?: string): Element | undefined {
  return parent === undefined ? undefined : elements(parent).find((one) => one.name === name && (ns === undefined || one.ns === ns));
}

/** The text directly inside. */
export function textOf(element: Element | undefined): string {
  return element === undefined ? '' : element.children.filter((one) => typeof one === 'string').join('');
}

/** The text of a child, without white space around it; empty when there is none. */
export function value(parent: Element | undefined, name: string): string {
  return textOf(child(parent, name)).trim();
}

/** The element as XML; namespaces are written where they change. */
export function serialise(element: Element, outer = ''): string {
  const ns = element.ns === outer ? '' : ` xmlns="${escapeAttr(element.ns)}"`;
  const attrs = Object.entries(element.attrs).map(([name, text]) => ` ${name}="${escapeAttr(text)}"`);
  const inside = element.children.map((one) => (typeof one === 'string' ? escape(one) : serialise(one, element.ns)));
  const head = `<${element.name}${ns}${attrs.join('')}`;
  return inside.length ? `${head}>${inside.join('')}</${element.name}>` : `${head}/>`;
}
