/** The Update envelope of every notification (finesse-api.md 5.3). Children may come in any order. */
import { child, elements, parse, value, XmlError, type Element } from '../xml';

export interface Update {
  readonly event: 'POST' | 'PUT' | 'DELETE';
  readonly requestId: string;
  readonly source: string;
  /** What has changed: `user`, `dialog`, `dialogs`, `apiErrors`, `systemInfo` ... */
  readonly data: Element | undefined;
}

/** Throws XmlError for a payload that is no Update. */
export function readUpdate(payload: string): Update {
  const root = parse(payload.trim());
  const event = value(root, 'event').toUpperCase();
  if (root.name !== 'Update' || (event !== 'POST' && event !== 'PUT' && event !== 'DELETE')) throw new XmlError('no Update');
  const data = child(root, 'data');
  return {
    event,
    requestId: value(root, 'requestId'),
    source: value(root, 'source'),
    data: data === undefined ? undefined : elements(data)[0],
  };
}
