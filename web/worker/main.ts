/** The worker's entry, shared by all tabs or of one alone. The first page that says hello gives the settings. */
import { Engine } from './engine';
import type { FromPage, ToPage } from './messages';

interface Port {
  postMessage(message: ToPage): void;
  onmessage: ((event: MessageEvent<FromPage>) => void) | null;
}

let engine: Engine | null = null;

function serve(port: Port): void {
  const tell = (message: ToPage): void => { port.postMessage(message); };
  port.onmessage = ({ data }) => {
    if (data.type === 'hello') {
      engine ??= new Engine(data.config);
      engine.attach(tell);
    } else {
      engine?.receive(data, tell);
    }
  };
}

if ('onconnect' in self) {
  (self as { onconnect: unknown }).onconnect = (event: MessageEvent) => {
    const [port] = event.ports;
    if (port !== undefined) serve(port as unknown as Port);
  };
} else {
  serve(self as unknown as Port);
}
