// Strophe 5 over WebSocket; its Node build brings the socket. Usage: node strophe-5-websocket.mjs wss://HOST:PORT/ws/ JID PASSWORD
import { createRequire } from "node:module";
import { $pres, Strophe } from "strophe-5";

const { run } = createRequire(import.meta.url)("./session.cjs");
run({ Strophe, $pres }, "5.0.0", process.argv.slice(2), { comesBack: true });
