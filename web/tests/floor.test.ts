/** Teams, queues and team messages, as a session follows them. */
import { describe, expect, it } from 'vitest';
import type { Member } from '../core/finesse/floor';
import { counts, filtered, reveal, sorted, visible } from '../core/table';
import { event, fault, Story, user } from './story';

const TEAM = '/finesse/api/Team/1/Users';
const person = (id: string, state: string, at = '2026-11-24T10:00:00.000Z', tag = 'User'): string =>
  `<${tag}><loginId>${id}</loginId><firstName>Agent</firstName><lastName>${id}</lastName><extension>${id}</extension>` +
  `<state>${state}</state><stateChangeTime>${at}</stateChangeTime></${tag}>`;
const queue = (id: string, waiting: string): string =>
  `<uri>/finesse/api/Queue/${id}</uri><name>Sales</name><statistics><callsInQueue>${waiting}</callsInQueue>` +
  `<startTimeOfLongestCallInQueue>2026-11-24T09:59:00Z</startTimeOfLongestCallInQueue><agentsReady>2</agentsReady></statistics>`;
const message = (id: string, text: string): string =>
  `<TeamMessage><id>${id}</id><createdBy><id>1101</id><firstName>Supervisor</firstName><lastName>One</lastName></createdBy>` +
  `<createdAt>1795514400</createdAt><duration>300</duration><content>${text}</content><teams><team>1</team></teams></TeamMessage>`;

class Floor extends Story {
  /** A supervisor of team 1. */
  begin(): void {
    this.signIn();
    this.hear(event(`<user>${user('NOT_READY', '<teams><Team><id>1</id><name>Sales</name></Team></teams>')}</user>`));
  }

  /** The server confirms a subscription, as soon as it is sent: BOSH has two requests, and the rest waits. */
  confirm(node: string): void {
    const sent = new RegExp(`id="(node\\d+)"[^>]*><pubsub[^>]*><subscribe node="${node}"`);
    for (let i = 0; i < 5; i += 1) {
      const id = this.bodies.map((body) => sent.exec(body)?.[1]).find((one) => one !== undefined);
      this.hear(id === undefined ? '' : `<iq xmlns='jabber:client' type='result' id='${id}'/>`);
      if (id !== undefined) return;
    }
    throw new Error(`nobody subscribes ${node}`);
  }

  /** What was sent to the notification service, all of it. */
  get bodies(): string[] {
    return this.effects.flatMap((one) => (one.do === 'http' ? [one.body] : []));
  }

  watch(...members: string[]): void {
    this.session.command({ do: 'watch team', teamId: '1' }, this.now, this.wall);
    this.confirm(TEAM);
    this.answer('GET /finesse/api/Team/1', 200, `<Team><id>1</id><name>Sales</name><users>${members.join('')}</users></Team>`);
  }

  states(): Record<string, string> {
    return Object.fromEntries(this.view.members.map((one) => [one.loginId, one.state]));
  }
}

describe('the team', () => {
  it('is read when the server has confirmed the subscription, and follows its events', () => {
    const floor = new Floor();
    floor.begin();
    expect(floor.view.user?.supervised).toEqual([{ id: '1', name: 'Sales' }]);
    floor.watch(person('1001', 'READY'), person('1002', 'LOGOUT'));
    expect(floor.states()).toEqual({ '1001': 'READY', '1002': 'LOGOUT' });
    floor.hear(event(person('1002', 'NOT_READY', '2026-11-24T10:01:00.000Z', 'user'), '', 'PUT', TEAM));
    floor.pass(1);
    expect(floor.states()).toEqual({ '1001': 'READY', '1002': 'NOT_READY' });
    floor.hear(event(person('1002', 'NOT_READY', '2026-11-24T10:01:00.000Z', 'user'), '', 'DELETE', TEAM));
    floor.pass(1);
    expect(floor.states()).toEqual({ '1001': 'READY' });
  });

  it('shows a burst of changes at once, and within 100 ms', () => {
    const floor = new Floor();
    floor.begin();
    floor.watch(person('1001', 'READY'), person('1002', 'READY'));
    const before = floor.view.members;
    floor.hear(['1001', '1002'].map((id) => event(person(id, 'TALKING', '2026-11-24T10:02:00.000Z', 'user'), '', 'PUT', TEAM)).join(''));
    expect(floor.view.members).toBe(before);
    expect(floor.session.deadline - floor.now).toBeLessThanOrEqual(100);
    floor.now += 100;
    floor.session.due(floor.now, floor.wall + 100, 0);
    expect(floor.states()).toEqual({ '1001': 'TALKING', '1002': 'TALKING' });
  });

  it('keeps an event that is newer than the answer which it overtook', () => {
    const floor = new Floor();
    floor.begin();
    floor.session.command({ do: 'watch team', teamId: '1' }, floor.now, floor.wall);
    floor.confirm(TEAM);
    floor.hear(event(person('1001', 'TALKING', '2026-11-24T10:03:00.000Z', 'user'), '', 'PUT', TEAM));
    floor.answer('GET /finesse/api/Team/1', 200, `<Team><id>1</id><users>${person('1001', 'READY')}</users></Team>`);
    expect(floor.states()).toEqual({ '1001': 'TALKING' });
  });

  it('never touches the own state with what the team says of the own user', () => {
    const floor = new Floor();
    floor.begin();
    floor.watch(person('1001', 'READY'));
    floor.hear(event(person('1001', 'TALKING', '2026-11-24T10:03:00.000Z', 'user'), '', 'PUT', TEAM));
    expect(floor.view.user?.state).toBe('NOT_READY');
    expect(floor.view.user?.supervised).toHaveLength(1);
  });

  it('is left: the subscription ends, and late events change nothing', () => {
    const floor = new Floor();
    floor.begin();
    floor.watch(person('1001', 'READY'));
    floor.session.command({ do: 'watch team', teamId: '' }, floor.now, floor.wall);
    floor.hear('');
    expect(floor.bodies.join('')).toContain(`<unsubscribe node="${TEAM}"`);
    floor.hear(event(person('1002', 'READY', undefined, 'user'), '', 'PUT', TEAM));
    floor.pass(1);
    expect(floor.view.members).toEqual([]);
  });

  it('has its members changed by the supervisor, whose screen waits for the event', () => {
    const floor = new Floor();
    floor.begin();
    floor.watch(person('1002', 'READY'));
    floor.session.command({ do: 'agent state', loginId: '1002', state: 'LOGOUT' }, floor.now, floor.wall);
    const request = floor.request('PUT /finesse/api/User/1002');
    expect(request.body).toBe('<User><state>LOGOUT</state></User>');
    floor.answer('PUT /finesse/api/User/1002', 202);
    expect(floor.view.busy).toEqual(['agent 1002']);
    floor.hear(event(person('1002', 'LOGOUT', '2026-11-24T10:04:00.000Z', 'user'), request.headers['requestId'], 'PUT', TEAM));
    expect(floor.view.busy).toEqual([]);
  });

  it('says when the supervisor may not', () => {
    const floor = new Floor();
    floor.begin();
    floor.session.command({ do: 'agent state', loginId: '1005', state: 'READY' }, floor.now, floor.wall);
    floor.answer('PUT /finesse/api/User/1005', 401, fault('Invalid Supervisor'));
    expect(floor.view.notices.at(-1)?.key).toBe('failed.supervisor');
  });
});

describe('members whose screen is gone', () => {
  const node = '/poise/api/absences/Team/1';
  const absence = (at: string): string =>
    `<absence><uri>x</uri><loginId>1002</loginId><state>GRACE</state><goneSince>2026-11-24T10:00:00.000Z</goneSince><signsOutAt>${at}</signsOutAt></absence>`;
  it('are read, come and go before the logout', () => {
    const floor = new Floor();
    floor.begin();
    floor.watch(person('1002', 'READY'));
    floor.confirm(node);
    const one = { agent: '1002', state: 'GRACE', gone_since: '2026-11-24T10:00:00.000Z', signs_out_at: '2026-11-24T10:01:00.000Z', left_s: 60 };
    floor.answer('GET /poise/api/absences?team=1', 200, JSON.stringify({ now: '', absences: [one] }));
    expect(floor.view.absences).toEqual([{ loginId: '1002', state: 'GRACE', since: 1_795_514_400_000, until: 1_795_514_460_000 }]);
    floor.hear(event(absence(''), '', 'PUT', node));
    expect(floor.view.absences[0]?.until).toBeNull();
    floor.hear(event(absence(''), '', 'DELETE', node));
    expect(floor.view.absences).toEqual([]);
  });

  it('and why they were disconnected is read when somebody asks', () => {
    const floor = new Floor();
    floor.begin();
    floor.watch();
    floor.session.command({ do: 'read disconnects' }, floor.now, floor.wall);
    const entry = {
      agent: '1002', first_name: 'Agent', last_name: 'Two', at: '2026-11-24T09:00:00.000Z', code: 'idle', side: 'client', client: 'desktop',
      last_contact: { since: '2026-11-24T08:58:00.000Z', until: '2026-11-24T08:59:00.000Z' }, evidence: '', sentence: { en: 'Nothing was heard.' },
    };
    floor.answer('GET /poise/api/disconnects?team=1', 200, JSON.stringify({ disconnects: [entry, null, 7] }));
    expect(floor.view.disconnects?.[0]).toMatchObject({ loginId: '1002', name: 'Agent Two', code: 'idle', sentence: { en: 'Nothing was heard.' } });
    expect(floor.view.disconnects).toHaveLength(3); // rows of rubbish are empty rows, not a broken page
    floor.session.command({ do: 'read disconnects' }, floor.now, floor.wall);
    floor.answer('GET /poise/api/disconnects?team=1', 200, '<html>');
    expect(floor.view.disconnects).toEqual([]);
  });
});

describe('listening in', () => {
  it('names the dialog in which the supervisor listens', () => {
    const floor = new Floor();
    floor.begin();
    const request = { action: 'BARGE_CALL', toAddress: '1002', associated: '/finesse/api/Dialog/7' };
    floor.session.command({ do: 'call', dialogId: '', request }, floor.now, floor.wall);
    expect(floor.request('POST /finesse/api/User/1001/Dialogs').body).toBe(
      '<Dialog><requestedAction>BARGE_CALL</requestedAction><fromAddress>1001</fromAddress><toAddress>1002</toAddress>' +
        '<associatedDialogUri>/finesse/api/Dialog/7</associatedDialogUri></Dialog>',
    );
  });
});

describe('queues', () => {
  it('are read and followed while somebody looks', () => {
    const floor = new Floor();
    floor.begin();
    floor.session.command({ do: 'watch queues', on: true }, floor.now, floor.wall);
    floor.answer('GET /finesse/api/User/1001/Queues', 200, `<Queues><Queue>${queue('10', '3')}</Queue></Queues>`);
    expect(floor.view.queues[0]?.figures.callsInQueue).toBe(3);
    expect(floor.view.queues[0]?.figures.agentsBusyOther).toBe(-1);
    floor.hear(event(`<queue>${queue('10', '4')}</queue>`, '', 'PUT', '/finesse/api/Queue/10'));
    floor.pass(1);
    expect(floor.view.queues[0]?.figures.callsInQueue).toBe(4);
    floor.session.command({ do: 'watch queues', on: false }, floor.now, floor.wall);
    expect(floor.view.queues).toEqual([]);
  });
});

describe('team messages', () => {
  it('come, go, and end by themselves', () => {
    const floor = new Floor();
    floor.begin();
    const node = '/finesse/api/Team/1/TeamMessages';
    floor.hear(event(`<teamMessages>${message('a', 'All hands')}${message('b', 'Later')}</teamMessages>`, '', 'POST', node));
    expect(floor.view.teamMessages.map((one) => one.text)).toEqual(['All hands', 'Later']);
    floor.hear(event(`<teamMessages>${message('a', 'All hands')}</teamMessages>`, '', 'DELETE', node));
    expect(floor.view.teamMessages.map((one) => one.id)).toEqual(['b']);
    floor.pass(301);
    expect(floor.view.teamMessages).toEqual([]);
  });

  it('are sent as the text stands there', () => {
    const floor = new Floor();
    floor.begin();
    floor.session.command({ do: 'team message', text: 'R&D <now>', durationS: 300, teams: ['1'] }, floor.now, floor.wall);
    expect(floor.request('POST /finesse/api/TeamMessage').body).toBe(
      '<TeamMessage><duration>300</duration><content>R&amp;D &lt;now&gt;</content><teams><team>1</team></teams></TeamMessage>',
    );
  });
});

describe('the table of the team', () => {
  const row = (id: string, name: string, state: Member['state'], since: number | null): Member => ({
    loginId: id, name, extension: id, state, since, pending: '', reason: '', reasonCode: null, system: false,
  });
  const rows = [row('3', 'Zoe', 'READY', 30), row('1', 'Álvaro', 'TALKING', 10), row('2', 'Bea', 'LOGOUT', null), row('4', 'Ana', 'READY', 20)];
  const collator = new Intl.Collator('pt-BR');
  const ids = (list: readonly Member[]): string => list.map((one) => one.loginId).join('');

  it('is filtered by name without accents, by id, by state', () => {
    expect(ids(filtered(rows, { text: 'alv', state: '' }))).toBe('1');
    expect(ids(filtered(rows, { text: ' 4', state: '' }))).toBe('4');
    expect(ids(filtered(rows, { text: '', state: 'READY' }))).toBe('34');
    expect(ids(filtered(rows, { text: '', state: 'in' }))).toBe('314');
    expect(counts(rows).get('READY')).toBe(2);
  });

  it('is sorted by each column, both ways', () => {
    expect(ids(sorted(rows, 'name', false, collator))).toBe('1423');
    expect(ids(sorted(rows, 'name', true, collator))).toBe('3241');
    expect(ids(sorted(rows, 'state', false, collator))).toBe('1432');
    expect(ids(sorted(rows, 'time', true, collator))).toBe('1432');
    expect(ids(sorted(rows, 'extension', false, collator))).toBe('1234');
    const gone = new Map([['4', { loginId: '4', state: 'GRACE', since: 5, until: null }]]);
    expect(ids(sorted(rows, 'screen', true, collator, gone))).toBe('4123');
    expect(ids(filtered(rows, { text: '', state: 'gone' }, gone))).toBe('4');
  });

  it('draws a screenful of 2,000 rows and never a gap', () => {
    for (const scrolled of [-50, 0, 7, 4_000, 79_600, 90_000]) {
      const { from, to } = visible(2000, 40, scrolled, 400);
      expect(to - from).toBeLessThanOrEqual(24);
      const bottom = Math.min(2000 * 40, Math.max(0, scrolled) + 400);
      expect(from * 40).toBeLessThanOrEqual(Math.max(0, Math.min(scrolled, 2000 * 40 - 400)));
      expect(to * 40).toBeGreaterThanOrEqual(bottom);
    }
    expect(visible(0, 40, 0, 400)).toEqual({ from: 0, to: 0 });
    expect(reveal(3, 40, 0, 400)).toBeNull();
    expect(reveal(10, 40, 0, 400)).toBe(40);
    expect(reveal(2, 40, 100, 400)).toBe(80);
  });
});
