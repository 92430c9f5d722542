/** Every refusal in words: what the server said becomes a key of the catalogue and a code for IT. */
import type { ApiFault } from './finesse/objects';
import type { Refusal } from './view';

/** Wrong sign-ins in a row after which the server locks an account, and the client is not told (finesse-api.md 1.3). */
export const LOCK_AFTER = 5;

const SIGN_IN_TYPES: Readonly<Record<string, string>> = {
  'Invalid Device': 'refused.device',
  'Device Busy': 'refused.deviceBusy',
  'Mode Not Allowed': 'refused.mobileMode',
  'Invalid State': 'refused.alreadyElsewhere',
  'Invalid Input': 'refused.input',
  'User Not Found': 'refused.unknownUser',
  'Invalid Authorization User Specified': 'refused.otherUser',
};
const EVENT_TYPES: Readonly<Record<string, string>> = {
  'Invalid State': 'failed.state',
  'Invalid Input': 'failed.input',
  'Parameter Missing': 'failed.missing',
  'Invalid Destination': 'failed.destination',
  'Call Operation Failure': 'failed.call',
  'Device Busy': 'refused.deviceBusy',
  'Invalid Device': 'refused.device',
  'Call Variable is protected': 'failed.protected',
  'Dialog Not Found': 'failed.gone',
  'Invalid Supervisor': 'failed.supervisor',
};

export function codeOf(status: number, fault: ApiFault | null): string {
  if (fault === null) return `HTTP ${status}`;
  const what = [fault.type, fault.message, fault.data].filter(Boolean).join(' / ');
  return status ? `HTTP ${status}: ${what}` : what;
}

/** Why a sign-in was refused. `status` 0: by an event; `wrong`: wrong passwords in a row, this one included. */
export function signInRefusal(status: number, fault: ApiFault | null, wrong: number, user: string, extension: string): Refusal {
  const code = codeOf(status, fault);
  const params = { user, extension, reason: fault?.message ?? '', data: fault?.data ?? '' };
  if (status === 401 && fault?.type !== 'Invalid Authorization User Specified') {
    return { key: wrong >= LOCK_AFTER ? 'refused.locked' : 'refused.password', params, code };
  }
  if (status === 403) return { key: 'refused.forbidden', params, code };
  if (status === 503) return { key: 'refused.outOfService', params, code };
  if (status === 400 && fault?.data === 'extension') return { key: 'refused.extension', params, code };
  if (status >= 500) return { key: 'refused.server', params, code };
  const known = fault === null ? undefined : SIGN_IN_TYPES[fault.type];
  if (known !== undefined) return { key: known, params, code };
  return { key: status === 404 ? 'refused.unknownUser' : 'refused.other', params, code };
}

/** Why something an agent asked for was not done, at once or by an event. */
export function failure(status: number, fault: ApiFault | null): Refusal {
  const code = codeOf(status, fault);
  if (status === 503) return { key: 'failed.outOfService', code };
  if (status === 401 && fault?.type === 'Authorization Failure') return { key: 'failed.password', code };
  const known = fault === null ? undefined : EVENT_TYPES[fault.type];
  return { key: known ?? 'failed.other', params: { reason: fault?.message || code }, code };
}
