/** What a call is to the agent at this telephone. */
import type { Dialog, Participant } from '../core/finesse/objects';

export function own(dialog: Dialog, extension: string): Participant | undefined {
  return dialog.participants.find((one) => one.address === extension);
}

/** The number to show for a call: the other party, or whoever called. */
export function party(dialog: Dialog, extension: string): string {
  const others = dialog.participants.filter((one) => one.address !== extension && one.state !== 'DROPPED');
  if (others.length === 1 && others[0]) return others[0].address;
  return dialog.from === extension ? dialog.to : dialog.from;
}

/** The state in which the agent has the call; a call without the agent's telephone shows its own. */
export function stateOf(dialog: Dialog, extension: string): string {
  return own(dialog, extension)?.state ?? dialog.state;
}

export function actions(dialog: Dialog, extension: string): readonly string[] {
  return own(dialog, extension)?.actions ?? [];
}

/** The call a shortcut is about: the first that allows the action, the one being talked on before others. */
export function callFor(dialogs: readonly Dialog[], extension: string, action: string): Dialog | undefined {
  const able = dialogs.filter((one) => actions(one, extension).includes(action));
  return able.find((one) => stateOf(one, extension) === 'ACTIVE') ?? able[0];
}

export const ORDER = [
  'ANSWER', 'ACCEPT', 'REJECT', 'CLOSE', 'RETRIEVE', 'HOLD', 'CONSULT_CALL', 'TRANSFER', 'CONFERENCE', 'TRANSFER_SST', 'SEND_DTMF',
  'START_RECORDING', 'BARGE_CALL', 'DROP',
];
/** Buttons of a call, in this order; what the server does not allow is not shown. */
