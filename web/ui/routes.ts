/** Addresses of the notification service, as this page reaches it. */
import type { Config } from '../core/commands';

/** `config.json` as the server gives it. */
export type ServerConfig = Omit<Config, 'host' | 'boshUrl' | 'webSocketUrl'> & {
  readonly boshPath: string;
  readonly webSocketPath: string;
  /** 0: the page's own. */
  readonly notificationPort: number;
};

export function routed(config: ServerConfig, page: { readonly origin: string; readonly hostname: string }): Config {
  const at = new URL(page.origin);
  if (config.notificationPort) at.port = String(config.notificationPort);
  const socket = new URL(config.webSocketPath, at);
  socket.protocol = at.protocol === 'https:' ? 'wss:' : 'ws:';
  return { ...config, host: page.hostname, boshUrl: new URL(config.boshPath, at).href, webSocketUrl: socket.href };
}
