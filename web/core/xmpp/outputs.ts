/** What a client's stream asks of whoever carries it, and what it tells; and the names of the protocol. */
import type { Element } from '../xml';

export const CLIENT_NS = 'jabber:client';
export const STREAM_NS = 'http://etherx.jabber.org/streams';
export const STREAMS_NS = 'urn:ietf:params:xml:ns:xmpp-streams';
export const STANZAS_NS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
export const SASL_NS = 'urn:ietf:params:xml:ns:xmpp-sasl';
export const BIND_NS = 'urn:ietf:params:xml:ns:xmpp-bind';
export const SESSION_NS = 'urn:ietf:params:xml:ns:xmpp-session';
export const PING_NS = 'urn:xmpp:ping';
export const PUBSUB_NS = 'http://jabber.org/protocol/pubsub';
export const HTTPBIND_NS = 'http://jabber.org/protocol/httpbind';
export const XBOSH_NS = 'urn:xmpp:xbosh';
export const FRAMING_NS = 'urn:ietf:params:xml:ns:xmpp-framing';

/** Who signs in. The password stays in memory and is written nowhere. */
export interface Account {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly resource: string;
}

/** Why there is no stream, or none any more. */
export type Failure =
  | 'wrong-password'
  | 'sign-in-refused'
  | 'no-mechanism'
  | 'bind-refused'
  | 'stream-error'
  | 'not-xmpp'
  | 'unreachable';

export type Output =
  | { readonly out: 'post'; readonly rid: number; readonly data: string }
  | { readonly out: 'write'; readonly data: string }
  | { readonly out: 'stanza'; readonly element: Element }
  | { readonly out: 'ready'; readonly jid: string }
  | { readonly out: 'ended'; readonly failure: Failure | null; readonly detail: string };
