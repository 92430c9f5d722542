/**
 * The keyboard map (those of the original from 12.5 on, for hands that know them), with a guard for AltGr.
 *
 * Theory. Ctrl+Alt is AltGr on many layouts: AltGr+Q is "/" on ABNT2, AltGr+E is the euro on Spanish ones. A key press is
 * a shortcut only when no character can be meant by it: never with the AltGraph modifier, and in a text field only when
 * the press yields the plain letter or digit of its key.
 */
export interface Press {
  readonly key: string;
  readonly code: string;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
  readonly meta: boolean;
  /** getModifierState('AltGraph') */
  readonly altGraph: boolean;
  /** Whether a field for text has the focus. */
  readonly typing: boolean;
}

export type Shortcut =
  | 'ready' | 'notReady' | 'answer' | 'end' | 'hold' | 'retrieve' | 'makeCall' | 'directTransfer' | 'keypad' | 'consult'
  | 'wrapUp' | 'transfer' | 'conference' | 'signOut' | 'shortcuts' | 'errorReport' | 'health';

/** Combination -> shortcut; `C` Ctrl, `A` Alt, `S` Shift, then the key's own letter. */
export const DEFAULTS: Readonly<Record<Shortcut, string>> = {
  ready: 'CA+R',
  notReady: 'CA+N',
  answer: 'CA+A',
  end: 'CA+E',
  hold: 'CA+V',
  retrieve: 'CA+G',
  makeCall: 'CA+O',
  directTransfer: 'CA+Q',
  keypad: 'CA+K',
  consult: 'CA+C',
  wrapUp: 'CA+W',
  transfer: 'CA+X',
  conference: 'CA+H',
  signOut: 'CA+L',
  shortcuts: 'CA+F',
  errorReport: 'CS+2',
  health: 'CA+I',
};

export type KeyMap = Readonly<Record<Shortcut, string>>;

function letter(press: Press): string {
  const match = /^(?:Key([A-Z])|Digit([0-9]))$/.exec(press.code);
  if (match !== null) return match[1] ?? match[2] ?? '';
  return press.key.length === 1 ? press.key.toUpperCase() : '';
}

/** The combination of a press in the form of the map; empty for one that is none. */
export function combination(press: Press): string {
  if (press.altGraph || press.meta || !press.ctrl || press.alt === press.shift) return '';
  const key = letter(press);
  if (!key) return '';
  const meant = press.key.toUpperCase() === key || press.key.length > 1 || press.shift;
  if (press.typing && !meant) return '';
  return `C${press.alt ? 'A' : 'S'}+${key}`;
}

export function shortcut(press: Press, map: KeyMap): Shortcut | null {
  const pressed = combination(press);
  if (!pressed) return null;
  return (Object.keys(map) as Shortcut[]).find((name) => map[name] === pressed) ?? null;
}

/** Shortcuts that share a combination, so that only the first of them works. */
export function conflicts(map: KeyMap): Shortcut[] {
  const names = Object.keys(map) as Shortcut[];
  return names.filter((name) => names.some((other) => other !== name && map[other] === map[name]));
}

/** "Ctrl+Alt+R" */
export function spelt(combined: string): string {
  const [modifiers = '', key = ''] = combined.split('+');
  return `Ctrl+${modifiers.includes('A') ? 'Alt' : 'Shift'}+${key}`;
}
