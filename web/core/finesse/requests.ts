/** Bodies of requests (finesse-api.md 2.2-2.4, 3.3). */
import { escape, escapeAttr } from '../xml';

const leaf = (name: string, text: string | number | undefined): string =>
  text === undefined || text === '' ? '' : `<${name}>${escape(String(text))}</${name}>`;

export interface Mobile {
  readonly mode: 'CALL_BY_CALL' | 'NAILED_CONNECTION';
  readonly dialNumber: string;
}

export function signInBody(extension: string, mobile: Mobile | null): string {
  const away = mobile === null ? '' : `<mobileAgent>${leaf('mode', mobile.mode)}${leaf('dialNumber', mobile.dialNumber)}</mobileAgent>`;
  return `<User>${leaf('state', 'LOGIN')}${leaf('extension', extension)}${away}</User>`;
}

export function stateBody(state: string, reasonId: number | null): string {
  return `<User>${leaf('state', state)}${leaf('reasonCodeId', reasonId ?? undefined)}</User>`;
}

/** The body of a client log: five characters and the line break are escaped, as the original does (finesse-api.md 9). */
export function clientLogBody(text: string): string {
  return `<ClientLog><logData>${escapeAttr(text)}</logData></ClientLog>`;
}

/** What can be asked of a call; which of it a call allows, its participants' actions say. */
export interface CallRequest {
  readonly action: string;
  readonly extension: string;
  readonly toAddress?: string;
  readonly digits?: string;
  readonly wrapUpReason?: string;
  readonly variables?: readonly { readonly name: string; readonly value: string }[];
  /** Of BARGE_CALL and INTERCEPT: URI of the dialog in which the supervisor listens. */
  readonly associated?: string;
  /** Of PARTICIPANT_DROP: whom. */
  readonly participant?: string;
}

const MAKES_A_DIALOG = ['MAKE_CALL', 'SILENT_MONITOR', 'BARGE_CALL', 'INTERCEPT'];

export function callBody(request: CallRequest): string {
  const { action, extension, variables = [], wrapUpReason } = request;
  const made = MAKES_A_DIALOG.includes(action);
  const where = made ? leaf('fromAddress', extension) : leaf('targetMediaAddress', request.participant ?? extension);
  const data = variables.map((one) => `<CallVariable>${leaf('name', one.name)}<value>${escape(one.value)}</value></CallVariable>`).join('');
  const reason = wrapUpReason === undefined ? '' : `<wrapUpReason>${escape(wrapUpReason)}</wrapUpReason>`;
  const properties = data || reason ? `<mediaProperties>${reason}${data && `<callvariables>${data}</callvariables>`}</mediaProperties>` : '';
  const params = request.digits
    ? `<actionParams><ActionParam>${leaf('name', 'dtmfString')}${leaf('value', request.digits)}</ActionParam></actionParams>`
    : '';
  return `<Dialog>${leaf('requestedAction', action)}${where}${leaf('toAddress', request.toAddress)}${leaf('associatedDialogUri', request.associated)}${properties}${params}</Dialog>`;
}
