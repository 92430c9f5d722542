/** Persistent logging, when the address asks for it: keeps each line and gives it back with the session's key. */
import { keyed, LocalLog, wantsLocalLog } from '../core/locallog';
import { shelf } from './shelf';

const KEY_LENGTH = 6;

function start(): ((line: string) => string) | null {
  if (!wantsLocalLog(location.search)) return null;
  const letters = crypto.getRandomValues(new Uint8Array(KEY_LENGTH));
  const key = [...letters].map((one) => (one % 36).toString(36)).join('');
  const log = new LocalLog(shelf);
  log.add(key, navigator.userAgent, Date.now());
  return (line) => {
    const written = keyed(line, key);
    log.add(key, written, Date.now());
    return written;
  };
}

export const localLog = start();
