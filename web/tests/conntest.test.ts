/** The connection test: what is sent, how measurements are judged, and reports that come back from a file. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as test from '../core/conntest';
import { Formatter } from '../core/i18n';

const en = JSON.parse(readFileSync(new URL('../../src/poise/server/desktop/locales/en.json', import.meta.url), 'utf8')) as Record<string, string>;
const BODY = "<body xmlns='http://jabber.org/protocol/httpbind' sid='abc'/>";

describe('what is asked', () => {
  it('is a session without a user, one empty request after the other, and its end', () => {
    expect(test.sessionRequest('a.example', 7)).toContain("rid='7' to='a.example' wait='30' hold='1'");
    expect(test.emptyRequest('abc', 8)).toBe("<body xmlns='http://jabber.org/protocol/httpbind' rid='8' sid='abc'/>");
    expect(test.emptyRequest("a'/><x>", 8, true)).toBe("<body xmlns='http://jabber.org/protocol/httpbind' rid='8' sid='ax' type='terminate'/>");
  });
  it('releases the held answer with something to say', () => {
    expect(test.releasingRequest('abc', 9)).toBe(
      "<body xmlns='http://jabber.org/protocol/httpbind' rid='9' sid='abc'><abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></body>",
    );
  });
  it('knows a session from whatever else answers', () => {
    expect(test.sessionId(200, BODY)).toBe('abc');
    expect(test.sessionId(200, '<html><body sid="x"/></html>')).toBe('');
    expect(test.sessionId(200, 'nonsense')).toBe('');
    expect(test.sessionId(502, BODY)).toBe('');
  });
});

const JUDGED: [string, test.Check, test.Verdict][] = [
  ['a server that answers', test.judgeServer(200, true, 20), 'pass'],
  ['a slow server', test.judgeServer(200, true, 3000), 'warn'],
  ["a proxy's page", test.judgeServer(200, false, 20), 'fail'],
  ['silence', test.judgeServer(0, false, 20), 'fail'],
  ['no encryption', test.judgeTls(false, false), 'warn'],
  ['a certificate that is not trusted', test.judgeTls(true, false), 'fail'],
  ['a trusted server', test.judgeTls(true, true), 'pass'],
  ['a clock that is right', test.judgeClock(-900), 'pass'],
  ['a clock an hour ahead', test.judgeClock(-3_600_000), 'warn'],
  ['a clock an hour behind', test.judgeClock(3_600_000), 'warn'],
  ['no time from the server', test.judgeClock(null), 'warn'],
  ['a session', test.judgeBosh(200, 'abc', 20), 'pass'],
  ['no session', test.judgeBosh(404, '', 20), 'fail'],
  ['a blocked port', test.judgeBosh(0, '', 20), 'fail'],
  ['an answer at once', test.judgeBuffering(40, false), 'pass'],
  ['a proxy that keeps answers back', test.judgeBuffering(29_000, false), 'fail'],
  ['a lost answer', test.judgeBuffering(null, false), 'fail'],
  ['an answer before its time', test.judgeBuffering(1, true), 'fail'],
  ['thirty seconds', test.judgeLongPoll(200, 30_040), 'pass'],
  ['a little late', test.judgeLongPoll(200, 38_000), 'warn'],
  ['half of the time', test.judgeLongPoll(200, 15_000), 'fail'],
  ['a cut after 20 s', test.judgeLongPoll(0, 20_000), 'fail'],
  ['a gateway that times out', test.judgeLongPoll(504, 25_000), 'fail'],
  ['a WebSocket', test.judgeWebSocket('answered'), 'pass'],
  ['a WebSocket through which nothing comes', test.judgeWebSocket('open'), 'warn'],
  ['no WebSocket', test.judgeWebSocket('refused'), 'warn'],
  ['a shared worker', test.judgeWorker('shared'), 'pass'],
  ['a worker of the tab', test.judgeWorker('dedicated'), 'warn'],
  ['no worker', test.judgeWorker('page'), 'fail'],
  ['a throttled page with a worker that is not', test.judgeTimers(59_000, 30, 70_000), 'pass'],
  ['a frozen worker', test.judgeTimers(59_000, 20_000, 70_000), 'fail'],
  ['a visible tab', test.judgeTimers(10, 10, 0), 'pass'],
  ['storage', test.judgeStorage(true), 'pass'],
  ['forbidden storage', test.judgeStorage(false), 'warn'],
];

describe('what is found', () => {
  it.each(JUDGED)('%s', (_, check, verdict) => {
    expect(check.verdict).toBe(verdict);
    const words = new Formatter('en', en);
    expect(words.has(check.key)).toBe(true);
    expect(words.text(check.key, check.params)).not.toMatch(/[{}]/);
  });
  it('has a text for every check and every key a case here', () => {
    const said = new Set(JUDGED.map(([, check]) => check.key));
    const all = Object.keys(en).filter((key) => test.CHECKS.some((id) => key.startsWith(`test.${id}.`)));
    expect([...said].sort()).toEqual(all.sort());
  });
  it('is as bad as its worst', () => {
    const [good, warning, bad] = [test.judgeStorage(true), test.judgeStorage(false), test.judgeBosh(0, '', 1)];
    expect(test.worst([good])).toBe('pass');
    expect(test.worst([good, warning])).toBe('warn');
    expect(test.worst([bad, warning])).toBe('fail');
  });
});

describe('a report', () => {
  const one = test.report('a.example', 'https://a.example/desktop/test', 'Browser/1.0', 1_795_514_400_000, JUDGED.map(([, check]) => check).slice(0, 10));
  it('is text for people', () => {
    const words = new Formatter('en', en);
    const text = test.asText(one, (key, params) => words.text(key, params));
    expect(text).toContain('Connection test: a.example\n2026-11-24T10:00:00.000Z');
    expect(text).toContain('[Wrong] Server: does not answer');
  });
  it('comes back from JSON as it was', () => {
    expect(test.fromJson(JSON.stringify(one))).toEqual(one);
    expect(test.fromJson(JSON.stringify({ ...one, more: 1, checks: [{ ...one.checks[0], params: { ms: 3, x: {} } }] }))?.checks[0]?.params).toEqual({ ms: 3 });
  });
  it.each(['', 'nonsense', 'null', '7', '[]', '{}', '{"poiseConnectionTest":1,"checks":[null]}', '{"poiseConnectionTest":1,"checks":[{"id":"x"}]}',
    '{"poiseConnectionTest":1,"checks":[{"id":"tls","verdict":"pass","key":"app.name"}]}', ' '.repeat(test.JSON_MAX + 1)])('is not %s', (text) => {
    expect(test.fromJson(text)).toBeNull();
  });
});
