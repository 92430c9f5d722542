/** The log in local storage: what is kept, what goes, and what a damaged store does. */
import { describe, expect, it } from 'vitest';
import { logLine } from '../core/clientlog';
import { keyed, LocalLog, wantsLocalLog, type Shelf } from '../core/locallog';

class Store implements Shelf {
  readonly items = new Map<string, string>();
  full = false;
  get(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  set(key: string, value: string): void {
    if (this.full) throw new Error('QuotaExceededError');
    this.items.set(key, value);
  }
  remove(key: string): void {
    this.items.delete(key);
  }
  get lines(): number {
    return [...this.items].filter(([key]) => /_\d+$/.test(key)).reduce((sum, [, value]) => sum + value.length, 0);
  }
}

describe('a persistent log', () => {
  it('has the places of the original', () => {
    const store = new Store();
    const log = new LocalLog(store);
    log.add('abc123', 'one', 5);
    log.add('abc123', 'two', 6);
    expect(JSON.parse(store.get('FinesseSessionsInfo') ?? '')).toEqual({ total: 6, sessions: { abc123: 5 }, lastWrittenBy: 'abc123' });
    expect(JSON.parse(store.get('Fiabc123') ?? '')).toEqual({ name: 'abc123', size: 6, head: 0, tail: 2, startTime: 5 });
    expect(store.get('Fiabc123_1')).toBe('two');
    expect(log.text('abc123')).toBe('one\ntwo');
  });

  it('goes on after the page was loaded anew, and lists the latest session first', () => {
    const store = new Store();
    new LocalLog(store).add('a', 'one', 5);
    new LocalLog(store).add('a', 'two', 6);
    new LocalLog(store).add('b', 'three', 9);
    expect(new LocalLog(store).sessions().map((one) => [one.name, one.size])).toEqual([['b', 5], ['a', 6]]);
    expect(new LocalLog(store).text('a')).toBe('one\ntwo');
  });

  it('is purged from 75 % to 50 %, the oldest session first', () => {
    const store = new Store();
    const log = new LocalLog(store, 1000);
    for (let n = 0; n < 30; n += 1) log.add('old', 'x'.repeat(10), 1);
    for (let n = 0; n < 45; n += 1) log.add('new', 'y'.repeat(10), 2);
    expect(store.lines).toBe(750);
    log.add('new', 'y'.repeat(10), 2);
    expect(store.lines).toBe(500);
    expect(log.text('new').split('\n')).toHaveLength(46);
    expect(log.text('old').split('\n')).toHaveLength(4);
    for (let n = 0; n < 100; n += 1) log.add('new', 'z'.repeat(10), 2);
    expect(store.lines).toBeLessThanOrEqual(750);
    expect(log.sessions().map((one) => one.name)).toEqual(['new']);
    expect(log.text('new').endsWith('z')).toBe(true);
  });

  it('is removed without a trace', () => {
    const store = new Store();
    const log = new LocalLog(store);
    log.add('a', 'one', 5);
    log.remove('a');
    log.remove('never there');
    expect([...store.items.keys()]).toEqual(['FinesseSessionsInfo']);
    expect(log.text('a')).toBe('');
    expect(log.sessions()).toEqual([]);
  });

  it('survives a store that is damaged or full', () => {
    const store = new Store();
    const log = new LocalLog(store);
    for (const damage of ['nonsense', '7', 'null', '{"total":"x","sessions":7}']) {
      store.items.set('FinesseSessionsInfo', damage);
      store.items.set('Fia', damage);
      expect(log.sessions()).toEqual([]);
      expect(log.add('a', 'one', 5)).toBe(true);
    }
    store.full = true;
    expect(log.add('a', 'two', 5)).toBe(false);
    store.full = false;
    expect(log.add('a', 'three', 5)).toBe(true);
    expect(log.text('a').endsWith('three')).toBe(true);
  });
});

describe('the address', () => {
  it.each([['?lls', true], ['?lls=true', true], ['?locale=en_US&lls=true', true], ['?lls=false', false], ['', false], ['?alls=1', false]])('%s', (search, wanted) => {
    expect(wantsLocalLog(search)).toBe(wanted);
  });
});

describe('the key of a session', () => {
  it('stands where the grammar has it', () => {
    const line = logLine(0, -180, 'h', { offsetMs: null, serverZoneMin: 0 }, 'Header', 'a: : b');
    expect(keyed(line, 'abc123')).toBe(logLine(0, -180, 'h', { offsetMs: null, serverZoneMin: 0 }, 'Header', 'a: : b', 'abc123'));
  });
});
