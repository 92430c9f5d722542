/** Texts, log lines, keys and times. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { driftText, iso, logLine, Ring, RING_MAX } from '../core/clientlog';
import { stamp } from '../core/finesse/objects';
import { choose, duration, Formatter } from '../core/i18n';
import { combination, conflicts, DEFAULTS, shortcut, spelt, type Press } from '../core/keys';

describe('lines of the client log', () => {
  const wall = 1_510_739_768_879; // 2017-11-15T09:56:08.879Z
  it('have the grammar of the original', () => {
    const clock = { offsetMs: 491, serverZoneMin: 330 };
    expect(logLine(wall, -180, 'fin.example', clock, 'Header', driftText(wall, wall + 491, 491, 14))).toBe(
      '2017-11-15T06:56:08.879 -03:00: : fin.example: Nov 15 2017 15:26:09.370 +0530: Header : ' +
        'Client: 2017-11-15T09:56:08.879Z, Server: 2017-11-15T09:56:09.370Z, Drift: 491 ms, Network Latency (round trip): 14 ms',
    );
  });
  it('have dashes for the server time until it is known, and the key of a persistent log', () => {
    expect(logLine(wall, 0, 'h', { offsetMs: null, serverZoneMin: 0 }, 'Container', 'one\ntwo', 'abc123')).toBe(
      '2017-11-15T09:56:08.879 +00:00: abc123: h: --- -- ---- --:--:--.--- -----: Container : one two',
    );
  });
  it('keep to their bound, the oldest go', () => {
    const ring = new Ring();
    const line = 'x'.repeat(99_999);
    for (let i = 0; i < 20; i += 1) ring.add(`${line}${i}`);
    expect(ring.text.length).toBeLessThanOrEqual(RING_MAX);
    expect(ring.text.endsWith('19')).toBe(true);
  });
  it('know the calendar as the platform does', () => {
    for (let ms = -2_000_000_000_000; ms < 4_000_000_000_000; ms += 86_399_999_937) {
      expect(iso(ms)).toBe(new Date(ms).toISOString());
      expect(stamp(iso(ms))).toBe(ms);
    }
    expect(stamp('')).toBeNull();
    expect(stamp('yesterday')).toBeNull();
  });
});

describe('catalogues', () => {
  const read = (name: string): Record<string, string> =>
    JSON.parse(readFileSync(new URL(`../../src/poise/server/desktop/locales/${name}.json`, import.meta.url), 'utf8')) as Record<string, string>;
  const en = read('en');
  const params = (text: string): string[] => [...text.matchAll(/\{(@?\w+)(:\w+)?(?=[}|])/g)].map((match) => match[0]).sort();
  it.each(['pt-BR', 'es'])('%s says all that en says, with the same parameters', (name) => {
    const other = read(name);
    expect(Object.keys(other)).toEqual(Object.keys(en));
    for (const [key, text] of Object.entries(en)) expect([key, ...new Set(params(other[key] ?? ''))]).toEqual([key, ...new Set(params(text))]);
  });
  it('leave nothing untranslated but names', () => {
    const same = (name: string): string[] => Object.entries(read(name)).filter(([key, text]) => text === en[key] && /[a-z]{3} [a-z]/.test(text)).map(([key]) => key);
    expect(same('pt-BR')).toEqual([]);
    expect(same('es')).toEqual([]);
  });
  it('are formatted', () => {
    const t = new Formatter('en', { ...en, calls: '{n|{n} call|{n} calls}', nested: 'Now {@state}' });
    expect(t.text('conn.grace', { t: 47 })).toBe('You will be signed out in 0:47 unless the connection returns');
    expect(t.text('calls', { n: 1 })).toBe('1 call');
    expect(t.text('calls', { n: 2000 })).toBe('2,000 calls');
    expect(t.text('nested', { state: 'state.READY' })).toBe('Now Ready');
    expect(t.text('no.such.key')).toBe('no.such.key');
  });
  it('count seconds as clocks do', () => {
    expect([0, 9, 60, 3599, 3600, 36_061, -5].map(duration)).toEqual(['0:00', '0:09', '1:00', '59:59', '1:00:00', '10:01:01', '0:00']);
  });
  it('are chosen by the wishes of the browser', () => {
    const offered = ['en', 'pt-BR', 'es'];
    expect(choose(['pt-PT', 'en'], offered)).toBe('pt-BR');
    expect(choose(['fr', 'es-MX'], offered)).toBe('es');
    expect(choose(['', 'xx'], offered)).toBe('en');
  });
});

describe('shortcuts', () => {
  const press = (change: Partial<Press>): Press => ({
    key: 'r', code: 'KeyR', ctrl: true, alt: true, shift: false, meta: false, altGraph: false, typing: false, ...change,
  });
  it('are those of the original', () => {
    expect(shortcut(press({}), DEFAULTS)).toBe('ready');
    expect(shortcut(press({ key: 'n', code: 'KeyN' }), DEFAULTS)).toBe('notReady');
    expect(spelt(DEFAULTS.answer)).toBe('Ctrl+Alt+A');
    expect(conflicts(DEFAULTS)).toEqual([]);
  });
  it('need Ctrl with Alt or Shift, and nothing else', () => {
    expect(combination(press({ alt: false }))).toBe('');
    expect(combination(press({ ctrl: false }))).toBe('');
    expect(combination(press({ meta: true }))).toBe('');
    expect(combination(press({ shift: true }))).toBe('');
    expect(combination(press({ alt: false, shift: true, key: '"', code: 'Digit2' }))).toBe('CS+2');
  });
  it.each([
    ['ABNT2: AltGr+Q is a slash', { key: '/', code: 'KeyQ' }],
    ['Spanish: AltGr+E is the euro', { key: '€', code: 'KeyE' }],
    ['US international: AltGr+A is an a with acute', { key: 'á', code: 'KeyA' }],
  ])('are never typed by chance - %s', (_, keys) => {
    expect(combination(press({ ...keys, altGraph: true }))).toBe('');
    expect(combination(press({ ...keys, typing: true }))).toBe(''); // layouts on which AltGr only looks like Ctrl+Alt
  });
  it('work while typing when they cannot mean a character', () => {
    expect(combination(press({ typing: true }))).toBe('CA+R');
  });
  it('can be changed, and clashes are found', () => {
    const map = { ...DEFAULTS, ready: 'CA+N' };
    expect(conflicts(map)).toEqual(['ready', 'notReady']);
  });
});
