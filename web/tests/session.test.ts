import { describe, expect, it } from 'vitest';
import { banner, graceLeft, pill } from '../core/health';
import { event, fault, reason, Story, system, user } from './story';

describe('signing in', () => {
  it('asks the server, the password, the notifications and the telephone, in this order', () => {
    const story = new Story();
    story.signInCommand();
    expect(story.asked).toEqual(['GET /finesse/api/SystemInfo']);
    story.answer('/SystemInfo', 200, system());
    expect(story.request('GET /finesse/api/User/1001').headers['Authorization']).toBe('Basic MTAwMTpzZWNyZXQ=');
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('LOGOUT')}</User>`);
    expect(story.asked).toEqual(['POST https://a.example/http-bind/']);
    story.connect();
    expect(story.request('<state>LOGIN</state>').body).toBe('<User><state>LOGIN</state><extension>1001</extension></User>');
    story.answer('<state>LOGIN</state>', 202);
    expect(story.view.phase).toBe('signing in');
    story.hear(event(`<user>${user('NOT_READY')}</user>`, 'request-1'));
    expect(story.view.phase).toBe('signed in');
    expect(pill(story.view, story.wall).key).toBe('conn.connecting'.replace('connecting', 'ok'));
  });

  it('never sends the password to anybody without asking for the user, and keeps it out of the log', () => {
    const story = new Story();
    story.signIn();
    const quiet = story.effects.filter((one) => one.do === 'http' && one.url.includes('/SystemInfo'));
    expect(quiet.every((one) => one.do === 'http' && !('Authorization' in one.headers))).toBe(true);
    expect(story.lines.join('\n')).not.toContain('secret');
    expect(JSON.stringify(story.view)).not.toContain('secret');
  });

  const refusals: [string, (story: Story) => void, string][] = [
    ['nobody answers', (story) => { story.fail('/SystemInfo'); }, 'refused.unreachable'],
    ["a proxy's page answers", (story) => { story.answer('/SystemInfo', 200, '<html><body>Sign in</body></html>'); }, 'refused.noServer'],
    ['the server is out of service', (story) => { story.answer('/SystemInfo', 200, system('OUT_OF_SERVICE', 'starting')); }, 'refused.outOfService'],
    [
      'the CTI link is down',
      (story) => { story.answer('/SystemInfo', 200, system('OUT_OF_SERVICE', 'no link', '<lastCTIHeartbeatStatus>failure</lastCTIHeartbeatStatus>')); },
      'refused.ctiDown',
    ],
  ];
  it.each(refusals)('says why when %s', (_, act, key) => {
    const story = new Story();
    story.signInCommand();
    act(story);
    expect(story.view.phase).toBe('signed out');
    expect(story.view.refusal?.key).toBe(key);
  });

  const passwords: [number, string, string][] = [
    [401, fault('Authorization Failure', 'UNAUTHORIZED', '1001'), 'refused.password'],
    [401, fault('Invalid Authorization User Specified', '', '1001'), 'refused.otherUser'],
    [403, fault('Forbidden'), 'refused.forbidden'],
    [404, fault('User Not Found', 'UNKNOWN_USER', '1001'), 'refused.unknownUser'],
    [500, fault('Internal Server Error'), 'refused.server'],
    [503, fault('Service Unavailable', 'SERVER_OUT_OF_SERVICE'), 'refused.outOfService'],
  ];
  it.each(passwords)('says why when the user is answered with %i %s', (status, answer, key) => {
    const story = new Story();
    story.signInCommand();
    story.answer('/SystemInfo', 200, system());
    story.answer('GET /finesse/api/User/1001', status, answer);
    expect(story.view.refusal?.key).toBe(key);
    expect(story.view.refusal?.code).toContain(String(status));
  });

  it('warns of the lock after five wrong passwords in a row', () => {
    const story = new Story();
    const keys = [1, 2, 3, 4, 5].map(() => {
      story.signInCommand();
      story.answer('/SystemInfo', 200, system());
      story.answer('GET /finesse/api/User/1001', 401, fault('Authorization Failure'));
      return story.view.refusal?.key;
    });
    expect(keys).toEqual([...Array<string>(4).fill('refused.password'), 'refused.locked']);
  });

  const devices: [string, string][] = [
    ['Invalid Device', 'refused.device'],
    ['Device Busy', 'refused.deviceBusy'],
    ['Mode Not Allowed', 'refused.mobileMode'],
    ['Invalid State', 'refused.alreadyElsewhere'],
    ['Generic Error', 'refused.other'],
  ];
  it.each(devices)('says why when the telephone system answers with the event %s', (type, key) => {
    const story = new Story();
    story.signInCommand('9999');
    story.answer('/SystemInfo', 200, system());
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('LOGOUT')}</User>`);
    story.connect();
    story.answer('<state>LOGIN</state>', 202);
    const error = `<apiErrors><apiError><errorData>12</errorData><errorMessage>CF_X</errorMessage><errorType>${type}</errorType></apiError></apiErrors>`;
    story.hear(event(error, 'request-1'));
    expect(story.view.refusal).toMatchObject({ key, code: `${type} / CF_X / 12` });
    expect(story.view.phase).toBe('signed out');
    expect(story.asked.some((one) => one.includes('http-bind'))).toBe(true); // the farewell
  });

  it('looks itself when the event of the sign-in does not come', () => {
    const story = new Story();
    story.signInCommand();
    story.answer('/SystemInfo', 200, system());
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('LOGOUT')}</User>`);
    story.connect();
    story.answer('<state>LOGIN</state>', 202);
    story.pass(16);
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('NOT_READY')}</User>`);
    expect(story.view.phase).toBe('signed in');
  });
});

describe('working', () => {
  it('measures drift and latency once a minute, in the line of the runbooks', () => {
    const story = new Story();
    story.signIn();
    const before = story.lines.length;
    story.pass(61);
    story.answer('timestamponly', 200, system());
    const line = story.lines.slice(before).find((one) => one.includes('Drift'));
    expect(line).toMatch(/: Header : Client: 2026-11-24T10:01:00\.\d{3}Z, Server: 2026-11-24T10:00:00\.000Z, Drift: -?\d+ ms, Network Latency \(round trip\): \d+ ms$/);
  });

  it('waits for the outcome of a request and tells what went wrong', () => {
    const story = new Story();
    story.signIn();
    story.session.command({ do: 'state', state: 'READY', reasonId: null }, story.now, story.wall);
    expect(story.view.busy).toEqual(['state']);
    story.answer('<state>READY</state>', 202);
    const error = '<apiErrors><apiError><errorData>265</errorData><errorMessage>CF_INVALID_AGENT_WORKMODE</errorMessage><errorType>Invalid State</errorType></apiError></apiErrors>';
    story.hear(event(error, 'request-2'));
    expect(story.view.busy).toEqual([]);
    expect(story.view.notices.at(-1)).toMatchObject({ tone: 'bad', key: 'failed.state' });
  });

  it('says so when nothing comes of an accepted request', () => {
    const story = new Story();
    story.signIn();
    story.session.command({ do: 'state', state: 'READY', reasonId: null }, story.now, story.wall);
    story.answer('<state>READY</state>', 202);
    story.pass(16);
    expect(story.view.notices.at(-1)?.key).toBe('failed.silence');
    expect(story.view.busy).toEqual([]);
  });

  it('does not wait for events that never come: digits have none, but may be refused', () => {
    const story = new Story();
    story.signIn();
    story.session.command({ do: 'call', dialogId: '7', request: { action: 'SEND_DTMF', digits: '5' } }, story.now, story.wall);
    story.answer('dtmfString', 202);
    expect(story.view.busy).toEqual([]);
    story.hear(event('<apiErrors><apiError><errorType>Generic Error</errorType></apiError></apiErrors>', 'request-2'));
    expect(story.view.notices.at(-1)?.tone).toBe('bad');
    story.pass(20);
    expect(story.view.notices).toHaveLength(1);
  });

  it('takes calls as they come, change and go, and remembers them', () => {
    const story = new Story();
    story.signIn('READY');
    const dialog = (state: string, action: string): string =>
      `<Dialog><id>7</id><fromAddress>5551234</fromAddress><toAddress>8010</toAddress><mediaProperties><callType>ACD_IN</callType><queueName>Sales</queueName></mediaProperties>` +
      `<participants><Participant><actions><action>${action}</action></actions><mediaAddress>1001</mediaAddress><state>${state}</state><startTime>2026-11-24T10:00:00.000Z</startTime></Participant></participants><state>${state}</state></Dialog>`;
    const node = '/finesse/api/User/1001/Dialogs';
    story.hear(event(`<dialogs>${dialog('ALERTING', 'ANSWER')}</dialogs>`, '', 'POST', node));
    expect(story.view.dialogs[0]).toMatchObject({ id: '7', queueName: 'Sales' });
    story.session.command({ do: 'call', dialogId: '7', request: { action: 'ANSWER' } }, story.now, story.wall);
    expect(story.request('/Dialog/7').body).toBe('<Dialog><requestedAction>ANSWER</requestedAction><targetMediaAddress>1001</targetMediaAddress></Dialog>');
    story.hear(event(dialog('ACTIVE', 'DROP').replaceAll('Dialog>', 'dialog>'), 'request-2', 'PUT', node));
    expect(story.view.busy).toEqual([]);
    story.pass(5);
    story.hear(event(`<dialogs>${dialog('DROPPED', 'X')}</dialogs>`, '', 'DELETE', node));
    expect(story.view.dialogs).toEqual([]);
    expect(story.view.calls[0]).toMatchObject({ number: '5551234', incoming: true, missed: false, talkedMs: 5000 });
  });

  it('asks again when an event overtakes the answer: the answer may be older', () => {
    const story = new Story();
    story.signInCommand();
    story.answer('/SystemInfo', 200, system());
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('LOGOUT')}</User>`);
    story.connect();
    story.answer('<state>LOGIN</state>', 202);
    story.hear(event(`<user>${user('NOT_READY')}</user>`, 'request-1'));
    const gone = '<dialogs><Dialog><id>7</id><state>DROPPED</state></Dialog></dialogs>';
    story.hear(event(gone, '', 'DELETE', '/finesse/api/User/1001/Dialogs'));
    story.answer('/Dialogs', 200, '<Dialogs><Dialog><id>7</id><state>ACTIVE</state></Dialog></Dialogs>');
    expect(story.view.dialogs).toEqual([]);
    story.answer('/Dialogs', 200, '<Dialogs/>');
    expect(story.view.dialogs).toEqual([]);
    expect(story.asked.filter((one) => one.includes('/Dialogs'))).toEqual([]);
  });

  it('tells of a call that was missed', () => {
    const story = new Story();
    story.signIn('READY');
    const ringing =
      '<dialogs><Dialog><id>7</id><fromAddress>5551234</fromAddress><participants><Participant><actions/><mediaAddress>1001</mediaAddress><state>ALERTING</state></Participant></participants><state>ALERTING</state></Dialog></dialogs>';
    story.hear(event(ringing, '', 'POST', '/finesse/api/User/1001/Dialogs'));
    story.hear(event(ringing, '', 'DELETE', '/finesse/api/User/1001/Dialogs'));
    expect(story.view.notices.at(-1)).toMatchObject({ key: 'call.missed', params: { number: '5551234' } });
  });

  it('survives a notification that cannot be read', () => {
    const story = new Story();
    story.signIn();
    story.hear(event('<user>').replace('&lt;/data>', ''));
    expect(story.view.phase).toBe('signed in');
    expect(story.lines.at(-1)).toContain('cannot be read');
  });

  it('goes to the sign-in page, with the reason, when a supervisor signs the agent out', () => {
    const story = new Story();
    story.signIn();
    story.hear(event(`<user>${user('LOGOUT', reason(999, 'Logged Out - Supervisor Initiated'))}</user>`));
    expect(story.view.refusal).toMatchObject({ key: 'refused.signedOut', params: { reason: 'Logged Out - Supervisor Initiated' } });
  });

  it('leaves without a word of complaint when the agent signs out', () => {
    const story = new Story();
    story.signIn();
    story.session.command({ do: 'sign out', reasonId: null }, story.now, story.wall);
    story.answer('<state>LOGOUT</state>', 202);
    story.hear(event(`<user>${user('LOGOUT')}</user>`, 'request-2'));
    expect(story.view).toMatchObject({ phase: 'signed out', refusal: null, user: null });
    expect(story.request("type='terminate'").url).toContain('http-bind');
  });

  it('does not fight with a second sign-in of the same agent', () => {
    const story = new Story();
    story.signIn();
    story.hear("<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
    expect(story.view.refusal?.key).toBe('refused.elsewhere');
    story.pass(120);
    expect(story.effects.filter((one) => one.do === 'http' && one.body.includes("ver='1.11'"))).toHaveLength(1);
  });
});

describe('losing the connection', () => {
  function ready(): Story {
    const story = new Story();
    story.signIn();
    story.session.command({ do: 'state', state: 'READY', reasonId: null }, story.now, story.wall);
    story.answer('<state>READY</state>', 202);
    story.hear(event(`<user>${user('READY')}</user>`, 'request-2'));
    return story;
  }

  it('tries three times, then shows the banner with the time that is left', () => {
    const story = ready();
    story.fail('/http-bind/');
    expect(pill(story.view, story.wall).key).toBe('conn.failing');
    expect(banner(story.view, story.wall)).toBeNull();
    story.outage(6);
    expect(banner(story.view, story.wall)?.lines[0]).toEqual({ key: 'banner.lost', params: { host: 'a.example' } });
    expect(graceLeft(story.view, story.wall)).toBeLessThanOrEqual(120);
    expect(story.view.staleSince).not.toBeNull();
    const left = graceLeft(story.view, story.wall) ?? 0;
    story.outage(10);
    expect(graceLeft(story.view, story.wall)).toBe(left - 10);
  });

  it('asks for SystemInfo every 20 s meanwhile', () => {
    const story = ready();
    story.outage(70);
    const checks = story.effects.filter((one) => one.do === 'http' && one.url.includes('/SystemInfo?nocache'));
    expect(checks.length).toBeGreaterThanOrEqual(4);
    expect(checks.length).toBeLessThanOrEqual(6);
  });

  it('keeps the state when the server has done nothing', () => {
    const story = ready();
    story.outage(20);
    story.pass(9);
    story.connect();
    story.inService();
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('READY')}</User>`);
    story.answer('/Dialogs', 200, '<Dialogs/>');
    expect(story.view.notices.at(-1)).toMatchObject({ tone: 'good', key: 'conn.kept', params: { state: 'state.READY' } });
    expect(story.view.staleSince).toBeNull();
    expect(banner(story.view, story.wall)).toBeNull();
  });

  it('restores READY when the server had made the agent Not Ready for the lost connection', () => {
    const story = ready();
    story.outage(20);
    story.pass(9);
    story.connect();
    story.inService();
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('NOT_READY', reason(50_002, 'Connection Failure', 'NOT_READY'))}</User>`);
    story.answer('/Dialogs', 200, '<Dialogs/>');
    expect(story.request('<state>READY</state>').method).toBe('PUT');
  });

  it('signs in again when the server knows nobody any more', () => {
    const story = ready();
    story.outage(20);
    story.pass(9);
    story.connect();
    story.inService();
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('LOGOUT')}</User>`);
    story.answer('/Dialogs', 200, '<Dialogs/>');
    story.answer('<state>LOGIN</state>', 202);
    story.hear(event(`<user>${user('NOT_READY')}</user>`, 'request-3'));
    expect(story.request('<state>READY</state>').method).toBe('PUT');
    expect(story.view.notices.map((one) => one.key)).toEqual(['conn.again', 'conn.kept']);
  });

  it('does not make somebody READY who has been away for long', () => {
    const story = ready();
    story.outage(300);
    story.pass(9);
    story.connect();
    story.inService();
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('LOGOUT', reason(50_002, 'System Failure'))}</User>`);
    story.answer('/Dialogs', 200, '<Dialogs/>');
    story.answer('<state>LOGIN</state>', 202);
    story.hear(event(`<user>${user('NOT_READY')}</user>`, 'request-3'));
    expect(story.asked.filter((one) => one.startsWith('PUT'))).toEqual([]);
    expect(story.view.notices.map((one) => one.key)).toContain('conn.lost255');
    expect(story.view.user?.state).toBe('NOT_READY');
  });

  it('respects what a supervisor did meanwhile', () => {
    const story = ready();
    story.outage(20);
    story.pass(9);
    story.connect();
    story.inService();
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('LOGOUT', reason(999, 'Supervisor'))}</User>`);
    story.answer('/Dialogs', 200, '<Dialogs/>');
    expect(story.view.refusal?.key).toBe('refused.signedOut');
  });

  it('says how long the computer slept and asks at once', () => {
    const story = ready();
    const held = story.request('/http-bind/').id;
    story.sleep(600);
    expect(story.effects).toContainEqual({ do: 'abort', id: held });
    expect(story.request('/http-bind/').id).not.toBe(held);
    expect(story.view.notices.at(-1)).toMatchObject({ key: 'conn.asleep', params: { t: 600 } });
  });

  it('tries at once when the computer has a network again', () => {
    const story = ready();
    story.session.command({ do: 'online', online: false }, story.now, story.wall);
    expect(pill(story.view, story.wall).key).toBe('conn.offline');
    story.outage(30);
    story.session.command({ do: 'online', online: true }, story.now, story.wall);
    expect(story.request("ver='1.11'").method).toBe('POST');
  });

  it('says that calls still come when only the notifications are lost', () => {
    const story = ready();
    story.outage(6);
    story.pass(20);
    story.answer('/SystemInfo', 200, system());
    expect(pill(story.view, story.wall).key).toBe('conn.stale');
  });

  it('shows the outage of the telephone system and recovers from it', () => {
    const story = ready();
    story.hear(event(system('OUT_OF_SERVICE', 'CTI link lost').replaceAll('SystemInfo>', 'systemInfo>'), '', 'PUT', '/finesse/api/SystemInfo'));
    expect(banner(story.view, story.wall)?.lines[0]).toEqual({ key: 'banner.out', params: { reason: 'CTI link lost' } });
    story.hear(event(system().replaceAll('SystemInfo>', 'systemInfo>'), '', 'PUT', '/finesse/api/SystemInfo'));
    story.answer('/SystemInfo', 200, system());
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('READY')}</User>`);
    story.answer('/Dialogs', 200, '<Dialogs/>');
    expect(banner(story.view, story.wall)).toBeNull();
    expect(story.view.notices.at(-1)?.key).toBe('conn.kept');
  });

  it('goes to the sign-in page when the password is not accepted any more', () => {
    const story = ready();
    story.outage(20);
    story.pass(9);
    story.answer("ver='1.11'", 200, "<body xmlns='http://jabber.org/protocol/httpbind' sid='s'><stream:features xmlns:stream='http://etherx.jabber.org/streams'><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features></body>");
    story.answer('<auth', 200, "<body xmlns='http://jabber.org/protocol/httpbind'><failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure></body>");
    expect(story.view.refusal?.key).toBe('refused.password');
  });
});

describe('the error report', () => {
  it('carries the browser and the lines, and says when the server has it', () => {
    const story = new Story();
    story.signIn();
    story.session.command({ do: 'report', about: 'Browser "X" & Co' }, story.now, story.wall);
    const { body } = story.request('/ClientLog');
    expect(body).toMatch(/^<ClientLog><logData>Browser &quot;X&quot; &amp; Co&#10;2026-11-24T/);
    expect(body).not.toContain('secret');
    story.answer('/ClientLog', 202);
    expect(story.view.notices.at(-1)?.key).toBe('report.sent');
    story.session.command({ do: 'report', about: '' }, story.now, story.wall);
    story.fail('/ClientLog');
    expect(story.view.notices.at(-1)).toMatchObject({ tone: 'bad', key: 'report.failed' });
  });
});

describe('odd clocks and networks', () => {
  it('does not call a clock that was set a sleep', () => {
    const story = new Story();
    story.signIn();
    story.wall += 3_600_000;
    story.session.due((story.now += 1000), (story.wall += 1000), 0);
    story.answer('timestamponly', 200, system());
    expect(story.view.notices).toEqual([]);
    expect(Math.round((story.view.link.offsetMs ?? 0) / 60_000)).toBe(-60);
  });

  it('tells of a sleep during which the monotonic clock stood still', () => {
    const story = new Story();
    story.signIn();
    const before = story.view.link.offsetMs ?? 0;
    story.wall += 600_000;
    story.session.due((story.now += 1000), (story.wall += 1000), 0);
    const slept = system().replace('10:00:00', '10:10:01');
    story.answer('timestamponly', 200, slept);
    expect(Math.abs((story.view.link.offsetMs ?? 0) - before)).toBeLessThan(1000);
    expect(story.view.notices.at(-1)).toMatchObject({ key: 'conn.asleep', params: { t: 601 } });
  });

  it('ends in the right state after a network that flaps every five seconds', () => {
    const story = new Story();
    story.signIn();
    for (let round = 0; round < 12; round += 1) {
      story.outage(5);
      story.pass(9);
      story.connect();
      story.inService();
      story.answer('GET /finesse/api/User/1001', 200, `<User>${user('NOT_READY')}</User>`);
      story.answer('/Dialogs', 200, '<Dialogs/>');
      expect(pill(story.view, story.wall).key).toBe('conn.ok');
      expect(story.view.staleSince).toBeNull();
      story.pass(5);
    }
    expect(story.view.phase).toBe('signed in');
    expect(story.asked.filter((one) => one.includes('http-bind'))).toHaveLength(1);
    expect(story.view.notices.length).toBeLessThanOrEqual(60);
  });

  it('waits through answers of a proxy whose server is away', () => {
    const story = new Story();
    story.signIn();
    for (let i = 0; i < 3; i += 1) {
      story.answer('/http-bind/', 502, '<html>Bad Gateway</html>');
      story.pass(2);
    }
    expect(story.view.phase).toBe('signed in');
    expect(banner(story.view, story.wall)).not.toBeNull();
  });
});

describe('over WebSocket', () => {
  function connected(): { story: Story; id: number } {
    const story = new Story({ transport: 'websocket' });
    story.signInCommand();
    story.answer('/SystemInfo', 200, system());
    story.answer('GET /finesse/api/User/1001', 200, `<User>${user('LOGOUT')}</User>`);
    const opening = story.effects.find((one) => one.do === 'wsOpen');
    const id = opening?.do === 'wsOpen' ? opening.id : -1;
    story.session.wsOpened(id, story.now, story.wall);
    const features = (inside: string): string => `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${inside}</stream:features>`;
    const say = (text: string): void => { story.session.wsMessage(id, text, story.now, story.wall); };
    say(features("<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"));
    say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    say(features("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"));
    say("<iq xmlns='jabber:client' type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>1001@a.example/desktop</jid></bind></iq>");
    say("<iq xmlns='jabber:client' type='result' id='here'/>");
    story.answer('<state>LOGIN</state>', 202);
    say(event(`<user>${user('NOT_READY')}</user>`, 'request-1'));
    story.loaded();
    return { story, id };
  }
  const pings = (story: Story): number => story.effects.filter((one) => one.do === 'wsSend' && one.data.includes('id="ping')).length;

  it('pings every 10 s of silence and gives up after two more without an answer', () => {
    const { story, id } = connected();
    story.pass(10);
    expect(pings(story)).toBe(1);
    story.session.wsMessage(id, "<iq xmlns='jabber:client' type='result' id='ping1'/>", story.now, story.wall);
    story.pass(31);
    expect(pings(story)).toBe(4);
    expect(pill(story.view, story.wall).key).toBe('conn.failing');
    story.pass(10);
    expect(banner(story.view, story.wall)).not.toBeNull();
    expect(story.effects.filter((one) => one.do === 'wsOpen')).toHaveLength(2);
  });

  it('opens a new connection when the old one breaks', () => {
    const { story, id } = connected();
    story.session.wsClosed(id, story.now, story.wall);
    story.pass(1);
    expect(story.effects.filter((one) => one.do === 'wsOpen')).toHaveLength(2);
    expect(story.view.phase).toBe('signed in');
  });
});
