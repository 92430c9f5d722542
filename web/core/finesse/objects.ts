/** The objects of the Finesse API as this desktop uses them (finesse-api.md 2.1, 3.1, 4.5, 1.6), read tolerantly. */
import { child, elements, textOf, value, type Element } from '../xml';

export type AgentState =
  | 'LOGIN' | 'LOGOUT' | 'NOT_READY' | 'READY' | 'RESERVED' | 'RESERVED_OUTBOUND' | 'RESERVED_OUTBOUND_PREVIEW'
  | 'TALKING' | 'HOLD' | 'WORK' | 'WORK_READY' | 'UNKNOWN';

export interface Reason {
  /** Database id, which requests name; -1 for reasons that only the system gives. */
  readonly id: number;
  readonly code: number;
  readonly label: string;
  readonly category: 'NOT_READY' | 'LOGOUT';
  readonly system: boolean;
}

export interface User {
  readonly loginId: string;
  readonly loginName: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly extension: string;
  readonly state: AgentState;
  /** Milliseconds since the epoch on the server's clock; null when the server does not know. */
  readonly stateSince: number | null;
  readonly pendingState: AgentState | '';
  readonly reason: Reason | null;
  readonly roles: readonly string[];
  readonly teamId: string;
  readonly teamName: string;
  readonly mobile: { readonly mode: string; readonly dialNumber: string } | null;
  readonly wrapUpOnIncoming: string;
  /** Teams of a supervisor. */
  readonly supervised: readonly { readonly id: string; readonly name: string }[];
}

export interface Participant {
  readonly address: string;
  readonly addressType: string;
  readonly state: string;
  readonly cause: string;
  readonly actions: readonly string[];
  readonly startedAt: number | null;
  readonly since: number | null;
}

export interface Dialog {
  readonly id: string;
  readonly uri: string;
  readonly state: string;
  readonly from: string;
  readonly to: string;
  readonly callType: string;
  readonly queueName: string;
  readonly wrapUpReason: string;
  readonly associated: string;
  readonly variables: readonly { readonly name: string; readonly value: string }[];
  readonly participants: readonly Participant[];
}

export interface SystemInfo {
  readonly inService: boolean;
  readonly reason: string;
  readonly timestamp: number | null;
  readonly zoneMin: number;
  readonly ctiOk: boolean;
  readonly deployment: string;
  readonly domain: string;
  readonly primary: string;
  readonly secondary: string;
}

export interface ApiFault {
  readonly type: string;
  readonly message: string;
  readonly data: string;
}

/** Milliseconds since the epoch of an ISO stamp; null for none. */
export function stamp(text: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?Z?$/.exec(text.trim());
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const days = daysBefore(year, month) + day - 1;
  return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + Number((match[7] ?? '0').padEnd(3, '0'));
}

/** Days from 1970-01-01 to the first of a month (Gregorian). */
function daysBefore(year: number, month: number): number {
  const y = month <= 2 ? year - 1 : year;
  const m = (month + 9) % 12;
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + Math.floor((m * 306 + 5) / 10) - 719_468;
}

function named(parent: Element | undefined, ...names: string[]): Element | undefined {
  return parent === undefined ? undefined : elements(parent).find((one) => names.includes(one.name));
}

export function readReason(element: Element | undefined): Reason | null {
  if (element === undefined) return null;
  const category = value(element, 'category') === 'LOGOUT' ? 'LOGOUT' : 'NOT_READY';
  const uri = value(element, 'uri');
  const id = value(element, 'id') || uri.slice(uri.lastIndexOf('/') + 1);
  return {
    id: Number(id || -1),
    code: Number(value(element, 'code') || 0),
    label: value(element, 'label'),
    category,
    system: value(element, 'systemCode') === 'true',
  };
}

export function readUser(element: Element): User {
  const mobile = child(element, 'mobileAgent');
  return {
    loginId: value(element, 'loginId'),
    loginName: value(element, 'loginName'),
    firstName: value(element, 'firstName'),
    lastName: value(element, 'lastName'),
    extension: value(element, 'extension'),
    state: (value(element, 'state') || 'UNKNOWN') as AgentState,
    stateSince: stamp(value(element, 'stateChangeTime')),
    pendingState: value(element, 'pendingState') as AgentState | '',
    reason: readReason(named(element, 'reasonCode', 'ReasonCode')),
    roles: elements(child(element, 'roles') ?? element).filter((one) => one.name === 'role').map((one) => textOf(one).trim()),
    teamId: value(element, 'teamId'),
    teamName: value(element, 'teamName'),
    mobile: mobile === undefined ? null : { mode: value(mobile, 'mode'), dialNumber: value(mobile, 'dialNumber') },
    wrapUpOnIncoming: value(child(element, 'settings'), 'wrapUpOnIncoming'),
    supervised: elements(child(element, 'teams') ?? element)
      .filter((one) => one.name.toLowerCase() === 'team')
      .map((one) => ({ id: value(one, 'id'), name: value(one, 'name') }))
      .filter((one) => one.id),
  };
}

export function readDialog(element: Element): Dialog {
  const properties = child(element, 'mediaProperties');
  const variables = named(properties, 'callvariables', 'callVariables');
  const participants = child(element, 'participants');
  return {
    id: value(element, 'id'),
    uri: value(element, 'uri'),
    state: value(element, 'state'),
    from: value(element, 'fromAddress'),
    to: value(element, 'toAddress'),
    callType: value(properties, 'callType'),
    queueName: value(properties, 'queueName'),
    wrapUpReason: value(properties, 'wrapUpReason'),
    associated: value(element, 'associatedDialogUri'),
    variables: (variables === undefined ? [] : elements(variables))
      .map((one) => ({ name: value(one, 'name'), value: textOf(child(one, 'value')) }))
      .filter((one) => one.name),
    participants: (participants === undefined ? [] : elements(participants)).map((one) => ({
      address: value(one, 'mediaAddress'),
      addressType: value(one, 'mediaAddressType'),
      state: value(one, 'state'),
      cause: value(one, 'stateCause'),
      actions: elements(child(one, 'actions') ?? one).filter((action) => action.name === 'action').map((action) => textOf(action).trim()),
      startedAt: stamp(value(one, 'startTime')),
      since: stamp(value(one, 'stateChangeTime')),
    })),
  };
}

/** All dialogs inside `<Dialogs>` or `<dialogs>`. */
export function readDialogs(element: Element): Dialog[] {
  return elements(element).filter((one) => one.name.toLowerCase() === 'dialog').map(readDialog);
}

export function readSystemInfo(element: Element): SystemInfo {
  return {
    inService: value(element, 'status') === 'IN_SERVICE',
    reason: value(element, 'statusReason'),
    timestamp: stamp(value(element, 'currentTimestamp')),
    zoneMin: Number(value(element, 'timezoneOffset') || 0),
    ctiOk: value(element, 'lastCTIHeartbeatStatus') !== 'failure',
    deployment: value(element, 'deploymentType'),
    domain: value(element, 'xmppDomain'),
    primary: value(child(element, 'primaryNode'), 'host'),
    secondary: value(child(element, 'secondaryNode'), 'host'),
  };
}

/** The first error of `<ApiErrors>`, or of `<apiErrors>` in an event, whose tags are in lower case. */
export function readFault(element: Element | undefined): ApiFault | null {
  const error = named(element, 'ApiError', 'apiError');
  if (error === undefined) return null;
  return {
    type: value(error, 'ErrorType') || value(error, 'errorType'),
    message: value(error, 'ErrorMessage') || value(error, 'errorMessage'),
    data: value(error, 'ErrorData') || value(error, 'errorData'),
  };
}
