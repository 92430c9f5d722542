/**
 * The client log that survives the browser: lines in local storage, in the places and under the bounds of the original
 * (finesse-api.md 9), whose tools and pages can read it.
 *
 *     FinesseSessionsInfo   {total, sessions: {name: start}, lastWrittenBy}
 *     Fi<session>           {name, size, head, tail, startTime}
 *     Fi<session>_<n>       one line; n from head to below tail
 *
 * Theory. Local storage holds 5 million characters of one origin. At 75 % the oldest lines of the oldest session go, until
 * 50 % are left; the session that is being written loses its own oldest lines only when there is no other.
 */
export interface Shelf {
  get(key: string): string | null;
  /** Throws when there is no room. */
  set(key: string, value: string): void;
  remove(key: string): void;
}

export const CHARACTERS_MAX = 5_000_000;
const PURGE_FROM = 0.75;
const PURGE_TO = 0.5;
const INFO = 'FinesseSessionsInfo';

interface Info {
  total: number;
  sessions: Record<string, number>;
  lastWrittenBy: string;
}

export interface LoggedSession {
  readonly name: string;
  /** Characters. */
  readonly size: number;
  readonly head: number;
  readonly tail: number;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
}

const NUMBER = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0);

export class LocalLog {
  constructor(
    private readonly shelf: Shelf,
    private readonly max = CHARACTERS_MAX,
  ) {}

  /** Add a line to a session, which begins with its first. Whether it was kept: storage may be full of other things. */
  add(name: string, line: string, wall: number): boolean {
    const session = this.session(name) ?? { name, size: 0, head: 0, tail: 0, startTime: wall };
    try {
      this.shelf.set(`Fi${name}_${session.tail}`, line);
      this.write({ ...session, tail: session.tail + 1, size: session.size + line.length });
      const info = this.info();
      info.total += line.length;
      info.sessions[name] = session.startTime;
      info.lastWrittenBy = name;
      this.shelf.set(INFO, JSON.stringify(info));
    } catch {
      this.shelf.remove(`Fi${name}_${session.tail}`);
      this.makeRoom(name);
      return false;
    }
    if (this.info().total > this.max * PURGE_FROM) this.purge(name, this.max * PURGE_TO);
    return true;
  }

  /** The sessions, the latest first. */
  sessions(): LoggedSession[] {
    return Object.keys(this.info().sessions)
      .map((name) => this.session(name))
      .filter((one): one is LoggedSession => one !== null)
      .sort((a, b) => b.startTime - a.startTime);
  }

  /** Its lines; empty for one that there is none of. */
  text(name: string): string {
    const session = this.session(name);
    if (session === null) return '';
    const lines: string[] = [];
    for (let n = session.head; n < session.tail; n += 1) lines.push(this.shelf.get(`Fi${name}_${n}`) ?? '');
    return lines.join('\n');
  }

  remove(name: string): void {
    const session = this.session(name);
    if (session !== null) this.drop(session, session.size);
    this.forget(name);
  }

  // -- inside

  /** Other things fill the storage: half of the log goes. */
  private makeRoom(name: string): void {
    try {
      this.purge(name, this.info().total * PURGE_TO);
    } catch {
      // not even what is shorter can be written: the log ends here, the desktop goes on
    }
  }

  private info(): Info {
    const found = this.json(INFO);
    const sessions = typeof found['sessions'] === 'object' && found['sessions'] !== null ? found['sessions'] : {};
    const starts = Object.entries(sessions).map(([name, start]) => [name, NUMBER(start)] as const);
    return { total: NUMBER(found['total']), sessions: Object.fromEntries(starts), lastWrittenBy: String(found['lastWrittenBy'] ?? '') };
  }

  private session(name: string): LoggedSession | null {
    if (this.shelf.get(`Fi${name}`) === null) return null;
    const found = this.json(`Fi${name}`);
    const head = NUMBER(found['head']);
    return { name, size: NUMBER(found['size']), head, tail: Math.max(head, NUMBER(found['tail'])), startTime: NUMBER(found['startTime']) };
  }

  private json(key: string): Record<string, unknown> {
    try {
      const found: unknown = JSON.parse(this.shelf.get(key) ?? '{}');
      return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};
    } catch {
      return {}; // somebody else's, or damaged: it counts as empty
    }
  }

  private write(session: LoggedSession): void {
    this.shelf.set(`Fi${session.name}`, JSON.stringify(session));
  }

  private purge(writing: string, target: number): void {
    const oldest = this.sessions().reverse().filter((one) => one.name !== writing);
    const own = this.session(writing);
    for (const session of own === null ? oldest : [...oldest, own]) {
      const over = this.info().total - target;
      if (over <= 0) return;
      this.drop(session, over);
      if (session.name !== writing && session.size <= over) this.forget(session.name);
    }
  }

  /** Remove its oldest lines until that many characters are free, or none is left. */
  private drop(session: LoggedSession, over: number): void {
    let { head, size } = session;
    let freed = 0;
    for (; head < session.tail && freed < over; head += 1) {
      freed += (this.shelf.get(`Fi${session.name}_${head}`) ?? '').length;
      this.shelf.remove(`Fi${session.name}_${head}`);
    }
    size = Math.max(0, size - freed);
    this.write({ ...session, head, size });
    const info = this.info();
    info.total = Math.max(0, info.total - freed);
    this.shelf.set(INFO, JSON.stringify(info));
  }

  private forget(name: string): void {
    const info = this.info();
    this.shelf.set(INFO, JSON.stringify({ ...info, sessions: Object.fromEntries(Object.entries(info.sessions).filter(([one]) => one !== name)) }));
    this.shelf.remove(`Fi${name}`);
  }
}

/** Whether an address asks for persistent logging: `lls`, with no value or any but "false". */
export function wantsLocalLog(search: string): boolean {
  const match = /[?&]lls(?:=([^&]*))?(?:&|$)/.exec(search);
  return match !== null && match[1] !== 'false';
}

/** The line with the key of its session, where the grammar has a blank (diagnosis.md 1.3). */
export function keyed(line: string, key: string): string {
  return line.replace(/^(\S+ [+-]\d\d:\d\d: ): /, `$1${key}: `);
}
