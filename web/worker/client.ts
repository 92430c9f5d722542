/** The page's end: finds the best place for the session - shared worker, worker, page - and talks to it. */
import type { Config } from '../core/commands';
import { Engine } from './engine';
import type { FromPage, Place, ToPage } from './messages';

export interface Line {
  readonly place: Place;
  say(message: FromPage): void;
}

export function connect(config: Config, hear: (message: ToPage) => void): Line {
  const hello: FromPage = { type: 'hello', config };
  const line = shared(hear) ?? dedicated(hear);
  if (line !== null) {
    line.say(hello);
    return line;
  }
  const engine = new Engine(config);
  engine.attach(hear);
  return { place: 'page', say: (message) => { engine.receive(message, hear); } };
}

function shared(hear: (message: ToPage) => void): Line | null {
  if (typeof SharedWorker === 'undefined') return null;
  try {
    const { port } = new SharedWorker(new URL('./main.ts', import.meta.url), { type: 'module', name: 'poise-desktop' });
    port.onmessage = (event: MessageEvent<ToPage>) => { hear(event.data); };
    return { place: 'shared', say: (message) => { port.postMessage(message); } };
  } catch {
    return null;
  }
}

function dedicated(hear: (message: ToPage) => void): Line | null {
  if (typeof Worker === 'undefined') return null;
  try {
    const worker = new Worker(new URL('./main.ts', import.meta.url), { type: 'module' });
    worker.onmessage = (event: MessageEvent<ToPage>) => { hear(event.data); };
    return { place: 'dedicated', say: (message) => { worker.postMessage(message); } };
  } catch {
    return null;
  }
}
