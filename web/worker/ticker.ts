/** Ticks once a second, for the connection test: how far a worker's timers are from a second. Shared or of one page. */
export {};

interface Listener {
  postMessage(now: number): void;
}

function tick(listener: Listener): void {
  setInterval(() => { listener.postMessage(Date.now()); }, 1000);
}

if ('onconnect' in self) {
  (self as { onconnect: unknown }).onconnect = (event: MessageEvent) => {
    const [port] = event.ports;
    if (port !== undefined) tick(port);
  };
} else {
  tick(self as unknown as Listener);
}
