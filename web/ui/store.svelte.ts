/** The page's one store: the session's view as it arrives, the ticking clock, and what this computer remembers. */
import en from '../../src/poise/server/desktop/locales/en.json';
import es from '../../src/poise/server/desktop/locales/es.json';
import ptBR from '../../src/poise/server/desktop/locales/pt-BR.json';
import { choose, Formatter, type Catalogue, type Params } from '../core/i18n';
import { DEFAULTS, type KeyMap } from '../core/keys';
import type { Command, Config } from '../core/commands';
import { emptyView, type View, type Words } from '../core/view';
import { connect, type Line } from '../worker/client';
import type { Place, ToPage } from '../worker/messages';
import { localLog } from './keep';
import { memory } from './memory';
import { routed, type ServerConfig } from './routes';

const CATALOGUES: Readonly<Record<string, Catalogue>> = { en, 'pt-BR': ptBR, es };
export const LOCALES = Object.keys(CATALOGUES);
export type Theme = 'auto' | 'light' | 'dark';

class Store {
  view = $state.raw<View>(emptyView(location.hostname, 'bosh'));
  /** This computer's clock, once a second. */
  wall = $state(Date.now());
  locale = $state(choose([memory.read('locale', ''), ...navigator.languages], LOCALES));
  theme = $state<Theme>(memory.read<Theme>('theme', 'auto'));
  sound = $state(memory.read('sound', true));
  keys = $state<KeyMap>({ ...DEFAULTS, ...memory.read<Partial<KeyMap>>('keys', {}) });
  place = $state<Place>('page');
  hiddenMs = $state(0);
  /** Why the page has no settings; empty when it has. */
  trouble = $state('');
  ready = $state(false);
  private line: Line | null = null;
  private taker: ((text: string) => void) | null = null;

  readonly words = $derived(new Formatter(this.locale, CATALOGUES[this.locale] ?? en, en));

  /** Milliseconds since the epoch on the server's clock. */
  get serverNow(): number {
    return this.wall + (this.view.link.offsetMs ?? 0);
  }

  t(key: string, params?: Params): string {
    return this.words.text(key, params);
  }

  say(words: Words): string {
    return this.words.text(words.key, words.params);
  }

  async start(): Promise<void> {
    setInterval(() => { this.wall = Date.now(); }, 1000);
    try {
      const answer = await fetch('config.json', { cache: 'no-store' });
      this.connect(routed((await answer.json()) as ServerConfig, location));
    } catch {
      this.trouble = 'refused.unreachable';
      setTimeout(() => void this.start(), 5000);
    }
  }

  command(command: Command): void {
    this.line?.say({ type: 'command', command });
  }

  /** Send Error Report. */
  report(): void {
    this.command({ do: 'report', about: navigator.userAgent });
  }

  /** The client log, for a report to be copied. */
  async log(): Promise<string> {
    return new Promise((resolve) => {
      this.taker = resolve;
      this.line?.say({ type: 'report' });
    });
  }

  setLocale(locale: string): void {
    this.locale = locale;
    memory.write('locale', locale);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    memory.write('theme', theme);
    this.applyTheme();
  }

  setSound(sound: boolean): void {
    this.sound = sound;
    memory.write('sound', sound);
  }

  setKeys(keys: KeyMap): void {
    this.keys = keys;
    memory.write('keys', keys);
  }

  applyTheme(): void {
    if (this.theme === 'auto') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.theme;
  }

  // -- inside

  private connect(config: Config): void {
    this.trouble = '';
    this.line = connect(config, (message) => { this.hear(message); });
    this.place = this.line.place;
    this.ready = true;
    const online = (): void => { this.command({ do: 'online', online: navigator.onLine }); };
    addEventListener('online', online);
    addEventListener('offline', online);
    addEventListener('pagehide', () => this.line?.say({ type: 'bye' }));
    addEventListener('pageshow', (event) => {
      if (event.persisted) location.reload();
    });
    let hiddenAt = document.hidden ? Date.now() : 0;
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) hiddenAt = Date.now();
      else if (hiddenAt) this.hiddenMs += Date.now() - hiddenAt;
      this.wall = Date.now();
    });
  }

  private hear(message: ToPage): void {
    if (message.type === 'view') this.view = { ...this.view, ...message.view };
    else if (message.type === 'line') console.info(localLog === null ? message.line : localLog(message.line));
    else {
      this.taker?.(message.text);
      this.taker = null;
    }
  }
}

export const store = new Store();
