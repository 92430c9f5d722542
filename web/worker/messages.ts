/** What pages and the session's worker say to each other. */
import type { Command, Config } from '../core/commands';
import type { View } from '../core/view';

export type FromPage =
  | { readonly type: 'hello'; readonly config: Config }
  | { readonly type: 'command'; readonly command: Command }
  | { readonly type: 'report' }
  | { readonly type: 'bye' };

export type ToPage =
  /** What has changed of the view; the first one is whole. */
  | { readonly type: 'view'; readonly view: Partial<View> }
  | { readonly type: 'line'; readonly line: string }
  | { readonly type: 'report'; readonly text: string };

/** Where the session runs; a hidden tab's timers stop for a minute in a page, and never in a shared worker. */
export type Place = 'shared' | 'dedicated' | 'page';
