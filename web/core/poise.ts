/** Answers of the server's own JSON resources, read tolerantly: what is missing is empty, what is no JSON is nothing. */
import { stamp } from './finesse/objects';
import type { Absence } from './finesse/floor';

/** One disconnection, as the server explains it. Times are milliseconds since the epoch on the server's clock. */
export interface Disconnect {
  readonly loginId: string;
  readonly name: string;
  readonly at: number | null;
  readonly code: string;
  /** client, network, server or nobody's fault: the word of the server's registry of endings. */
  readonly side: string;
  readonly client: string;
  readonly evidence: string;
  /** Last contact lies between these two. */
  readonly heardAfter: number | null;
  readonly heardBefore: number | null;
  /** Language -> one sentence. */
  readonly sentence: Readonly<Record<string, string>>;
}

type Json = Readonly<Record<string, unknown>>;

const object = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {});
const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const moment = (value: unknown): number | null => (typeof value === 'string' ? stamp(value) : null);

function listed(body: string, name: string): Json[] {
  try {
    const list = object(JSON.parse(body))[name];
    return Array.isArray(list) ? list.map(object) : [];
  } catch {
    return [];
  }
}

export function absencesOf(body: string): Absence[] {
  return listed(body, 'absences')
    .map((one) => ({ loginId: text(one['agent']), state: text(one['state']), since: moment(one['gone_since']), until: moment(one['signs_out_at']) }))
    .filter((one) => one.loginId);
}

export function disconnectsOf(body: string): Disconnect[] {
  return listed(body, 'disconnects').map((one) => {
    const contact = object(one['last_contact']);
    const sentences = Object.entries(object(one['sentence'])).map(([language, words]) => [language, text(words)]);
    return {
      loginId: text(one['agent']),
      name: [text(one['first_name']), text(one['last_name'])].filter(Boolean).join(' '),
      at: moment(one['at']),
      code: text(one['code']),
      side: text(one['side']),
      client: text(one['client']),
      evidence: text(one['evidence']),
      heardAfter: moment(contact['since']),
      heardBefore: moment(contact['until']),
      sentence: Object.fromEntries(sentences) as Record<string, string>,
    };
  });
}
