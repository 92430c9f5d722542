/** The connection test's hands: asks the server, opens sockets, watches clocks. What is found is judged in the core. */
import { readAs } from '../core/api';
import {
  emptyRequest, judgeBosh, judgeBuffering, judgeClock, judgeLongPoll, judgeServer, judgeStorage, judgeTimers, judgeTls, judgeWebSocket, judgeWorker, releasingRequest, sessionId,
  sessionRequest, webSocketOpen, WAIT_S, type Check,
} from '../core/conntest';
import { measured } from '../core/clientlog';
import { readSystemInfo } from '../core/finesse/objects';
import type { Config } from '../core/commands';

interface Answer {
  /** 0: nothing answered. */
  readonly status: number;
  readonly body: string;
  readonly ms: number;
}

async function ask(url: string, body: string | null, limitMs: number): Promise<Answer> {
  const began = performance.now();
  const controller = new AbortController();
  const timer = setTimeout(() => { controller.abort(); }, limitMs);
  try {
    const options: RequestInit = { cache: 'no-store', credentials: 'omit', redirect: 'error', signal: controller.signal };
    const post: RequestInit = body === null ? {} : { method: 'POST', body, headers: { 'Content-Type': 'text/xml; charset=utf-8' } };
    const answer = await fetch(url, { ...options, ...post });
    return { status: answer.status, body: await answer.text(), ms: performance.now() - began };
  } catch {
    return { status: 0, body: '', ms: performance.now() - began };
  } finally {
    clearTimeout(timer);
  }
}

/** The server, its certificate, its clock. */
export async function basics(): Promise<Check[]> {
  const sent = Date.now();
  const answer = await ask(`/finesse/api/SystemInfo?nocache=${sent}`, null, 10_000);
  const info = readAs(answer.body, (root) => (root.name === 'SystemInfo' ? readSystemInfo(root) : null));
  const offsetMs = info === null || info.timestamp === null ? null : measured(sent, answer.ms, info.timestamp);
  return [judgeServer(answer.status, info !== null, answer.ms), judgeTls(location.protocol === 'https:', isSecureContext), judgeClock(offsetMs)];
}

/** A session without a user: is it made, is a held answer given at once, is one held for 30 s? */
export async function notifications(config: Config, tell: (check: Check) => void): Promise<void> {
  let rid = 1 + Math.floor(Math.random() * 2 ** 31);
  const limit = (WAIT_S + 15) * 1000;
  const made = await ask(config.boshUrl, sessionRequest(config.domain, rid), 15_000);
  const sid = sessionId(made.status, made.body);
  tell(judgeBosh(made.status, sid, made.ms));
  if (!sid) return;
  const next = (make: (sid: string, rid: number) => string): Promise<Answer> => ask(config.boshUrl, make(sid, (rid += 1)), limit);

  let answered = false;
  const held = next(emptyRequest).then((answer) => {
    answered = true;
    return { ...answer, at: performance.now() };
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const early = answered;
  const releasedAt = performance.now();
  const second = next(releasingRequest);
  const first = await held;
  tell(judgeBuffering(first.status === 200 ? first.at - releasedAt : null, early));

  await second;
  const long = await next(emptyRequest);
  tell(judgeLongPoll(long.status, long.ms));
  void next((session, number) => emptyRequest(session, number, true));
}

export function webSocket(config: Config): Promise<Check> {
  return new Promise((resolve) => {
    let how: 'open' | 'answered' | 'refused' = 'refused';
    let socket: WebSocket;
    const done = (): void => {
      clearTimeout(timer);
      resolve(judgeWebSocket(how));
      if (socket.readyState <= WebSocket.OPEN) socket.close();
    };
    const timer = setTimeout(() => { done(); }, 10_000);
    try {
      socket = new WebSocket(config.webSocketUrl, 'xmpp');
    } catch {
      clearTimeout(timer);
      resolve(judgeWebSocket('refused'));
      return;
    }
    socket.onopen = () => {
      how = 'open';
      socket.send(webSocketOpen(config.domain));
    };
    socket.onmessage = () => {
      how = 'answered';
      done();
    };
    socket.onclose = done;
  });
}

/** Watches the seconds of the page and of a worker, until it is asked. */
export class Timers {
  private readonly began = Date.now();
  private page = { last: Date.now(), worst: 0 };
  private worker = { last: Date.now(), worst: 0 };
  private hiddenMs = 0;
  private hiddenAt = document.hidden ? Date.now() : 0;
  private readonly interval = setInterval(() => { step(this.page); }, 1000);
  private place: 'shared' | 'dedicated' | 'page' = 'page';

  constructor() {
    document.addEventListener('visibilitychange', this.visibility);
    try {
      const { port } = new SharedWorker(new URL('../worker/ticker.ts', import.meta.url), { type: 'module', name: 'poise-ticker' });
      port.onmessage = () => { this.ticked('shared'); };
    } catch {
      this.dedicated();
    }
  }

  stop(): Check[] {
    clearInterval(this.interval);
    document.removeEventListener('visibilitychange', this.visibility);
    if (this.hiddenAt) this.hiddenMs += Date.now() - this.hiddenAt;
    const worker = this.place === 'page' ? Date.now() - this.began : Math.max(this.worker.worst, Date.now() - this.worker.last);
    return [judgeWorker(this.place), judgeTimers(Math.max(0, this.page.worst - 1000), Math.max(0, worker - 1000), this.hiddenMs)];
  }

  private readonly visibility = (): void => {
    if (document.hidden) this.hiddenAt = Date.now();
    else if (this.hiddenAt) {
      this.hiddenMs += Date.now() - this.hiddenAt;
      this.hiddenAt = 0;
    }
  };

  private dedicated(): void {
    try {
      const worker = new Worker(new URL('../worker/ticker.ts', import.meta.url), { type: 'module' });
      worker.onmessage = () => { this.ticked('dedicated'); };
    } catch {
      this.place = 'page';
    }
  }

  private ticked(place: 'shared' | 'dedicated'): void {
    this.place = place;
    step(this.worker);
  }
}

function step(clock: { last: number; worst: number }): void {
  clock.worst = Math.max(clock.worst, Date.now() - clock.last);
  clock.last = Date.now();
}

export function storage(): Check {
  try {
    localStorage.setItem('poise.test', '1');
    const works = localStorage.getItem('poise.test') === '1';
    localStorage.removeItem('poise.test');
    return judgeStorage(works);
  } catch {
    return judgeStorage(false);
  }
}
