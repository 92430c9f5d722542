/** The session's hands: fetch, WebSocket, timers and chance. Thin: it decides nothing. Runs in a worker or in the page. */
import type { Effect } from '../core/connection';
import type { Config } from '../core/commands';
import { Session } from '../core/session';
import { TICK_MS } from '../core/timing';
import type { View } from '../core/view';
import type { FromPage, ToPage } from './messages';

type Tell = (message: ToPage) => void;

export class Engine {
  private readonly pages = new Set<Tell>();
  private readonly session: Session;
  private readonly fetches = new Map<number, AbortController>();
  private socket: { id: number; socket: WebSocket } | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private told: View;

  constructor(config: Config) {
    const chance = { random: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32, uuid: () => crypto.randomUUID() };
    this.session = new Session(
      config,
      chance,
      (effect) => {
        this.perform(effect);
      },
      (line) => {
        this.broadcast({ type: 'line', line });
      },
    );
    this.told = this.session.view;
    this.after();
  }

  attach(tell: Tell): void {
    this.pages.add(tell);
    tell({ type: 'view', view: this.session.view });
  }

  detach(tell: Tell): void {
    this.pages.delete(tell);
  }

  receive(message: FromPage, tell: Tell): void {
    if (message.type === 'command') this.input((now, wall) => { this.session.command(message.command, now, wall); });
    else if (message.type === 'report') tell({ type: 'report', text: this.session.log });
    else if (message.type === 'bye') this.detach(tell);
  }

  // -- inside

  private input(act: (now: number, wall: number) => void): void {
    act(performance.now(), Date.now());
    this.after();
  }

  /** Tell the pages what has changed, and be back when something is due. */
  private after(): void {
    const view = this.session.view;
    if (view !== this.told) {
      const keys = (Object.keys(view) as (keyof View)[]).filter((key) => view[key] !== this.told[key]);
      this.told = view;
      if (keys.length) this.broadcast({ type: 'view', view: Object.fromEntries(keys.map((key) => [key, view[key]])) });
    }
    clearTimeout(this.timer);
    const rest = Math.max(0, Math.min(this.session.deadline - performance.now(), TICK_MS));
    this.timer = setTimeout(() => {
      this.input((now, wall) => { this.session.due(now, wall, -new Date(wall).getTimezoneOffset()); });
    }, rest);
  }

  private broadcast(message: ToPage): void {
    for (const tell of this.pages) tell(message);
  }

  private perform(effect: Effect): void {
    switch (effect.do) {
      case 'http':
        void this.fetch(effect);
        break;
      case 'abort':
        this.fetches.get(effect.id)?.abort();
        break;
      case 'wsOpen':
        this.open(effect.id, effect.url);
        break;
      case 'wsSend':
        if (this.socket?.id === effect.id && this.socket.socket.readyState === WebSocket.OPEN) this.socket.socket.send(effect.data);
        break;
      case 'wsClose':
        if (this.socket?.id === effect.id) this.socket.socket.close();
        break;
    }
  }

  private async fetch(effect: Extract<Effect, { do: 'http' }>): Promise<void> {
    const controller = new AbortController();
    this.fetches.set(effect.id, controller);
    const timer = setTimeout(() => { controller.abort(); }, effect.timeoutMs);
    try {
      // Without credentials of the browser's own: a 401 would make it ask for a password in a window of its own.
      const answer = await fetch(effect.url, {
        method: effect.method,
        headers: effect.headers,
        ...(effect.body && { body: effect.body }),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        signal: controller.signal,
      });
      const body = await answer.text();
      this.input((now, wall) => { this.session.httpAnswered(effect.id, answer.status, body, now, wall); });
    } catch {
      this.input((now, wall) => { this.session.httpFailed(effect.id, now, wall); });
    } finally {
      clearTimeout(timer);
      this.fetches.delete(effect.id);
    }
  }

  private open(id: number, url: string): void {
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, 'xmpp');
    } catch {
      setTimeout(() => { this.input((now, wall) => { this.session.wsClosed(id, now, wall); }); });
      return;
    }
    this.socket = { id, socket };
    socket.onopen = () => { this.input((now, wall) => { this.session.wsOpened(id, now, wall); }); };
    socket.onmessage = (event: MessageEvent<unknown>) => { this.input((now, wall) => { this.session.wsMessage(id, String(event.data), now, wall); }); };
    socket.onclose = () => { this.input((now, wall) => { this.session.wsClosed(id, now, wall); }); };
  }
}
