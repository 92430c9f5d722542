/** What each shortcut does; buttons do the same. A shortcut for which nothing is there does nothing. */
import type { Shortcut } from '../core/keys';
import { callFor } from './calls';
import { store } from './store.svelte';

const CALL_ACTIONS: Partial<Record<Shortcut, string>> = {
  answer: 'ANSWER',
  end: 'DROP',
  hold: 'HOLD',
  retrieve: 'RETRIEVE',
  transfer: 'TRANSFER',
  conference: 'CONFERENCE',
};
/** Shortcuts that open a field of a call: class of the button that opens it. */
const OPENS: Partial<Record<Shortcut, string>> = {
  directTransfer: 'TRANSFER_SST',
  consult: 'CONSULT_CALL',
  keypad: 'SEND_DTMF',
  wrapUp: 'UPDATE_CALL_DATA',
};

export function perform(name: Shortcut): void {
  const { user, dialogs } = store.view;
  if (user === null) return;
  const action = CALL_ACTIONS[name];
  const opens = OPENS[name];
  if (action !== undefined) {
    const dialog = callFor(dialogs, user.extension, action);
    if (dialog !== undefined) store.command({ do: 'call', dialogId: dialog.id, request: { action } });
  } else if (opens !== undefined) {
    const dialog = callFor(dialogs, user.extension, opens);
    if (dialog !== undefined) press(`[data-call="${CSS.escape(dialog.id)}"] [data-action="${opens}"]`);
  } else if (name === 'ready') store.command({ do: 'state', state: 'READY', reasonId: null });
  else if (name === 'notReady') press('[data-action="NOT_READY"]');
  else if (name === 'signOut') press('[data-action="LOGOUT"]');
  else if (name === 'makeCall') document.getElementById('make-number')?.focus();
  else if (name === 'shortcuts') press('[data-action="shortcuts"]');
  else if (name === 'health') press('[data-action="health"]');
  else store.report();
}

export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function press(selector: string): void {
  const button = document.querySelector<HTMLButtonElement>(selector);
  button?.focus();
  button?.click();
  // at once, not with the next event: fast hands press the next key before it
  const list = button?.popoverTargetElement;
  if (list instanceof HTMLElement && list.matches(':popover-open')) list.querySelector<HTMLElement>('button, input, select')?.focus();
}
