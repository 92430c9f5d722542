/** What a session is told once, by the server, and what people then ask of it. */
import type { FloorCommand } from './floor';
import type { CallRequest, Mobile } from './finesse/requests';

/** What the server told the page about itself (`config.json`). */
export interface Config {
  readonly host: string;
  readonly domain: string;
  readonly transport: 'bosh' | 'websocket';
  readonly boshUrl: string;
  readonly webSocketUrl: string;
  /** Seconds of silence after which the server ends a session, and from there to the forced logout. */
  readonly idleLimitS: number;
  readonly graceS: number;
  /** Address of the other node's desktop; empty: none. */
  readonly alternate: string;
  readonly locales: readonly string[];
}

export type Command =
  | FloorCommand
  | { readonly do: 'sign in'; readonly user: string; readonly password: string; readonly extension: string; readonly mobile: Mobile | null }
  | { readonly do: 'sign out'; readonly reasonId: number | null }
  | { readonly do: 'state'; readonly state: 'READY' | 'NOT_READY'; readonly reasonId: number | null }
  | { readonly do: 'call'; readonly dialogId: string; readonly request: Omit<CallRequest, 'extension'> }
  | { readonly do: 'dismiss'; readonly id: number }
  | { readonly do: 'online'; readonly online: boolean }
  | { readonly do: 'check' }
  /** Send Error Report: the client log goes to the server. `about`: the first lines, the browser's name before all. */
  | { readonly do: 'report'; readonly about: string };
