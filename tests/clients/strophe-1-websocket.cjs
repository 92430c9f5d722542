// Strophe 1.2.16 over WebSocket, as the published sample page uses it, from a page of the server's own.
// Usage: node strophe-1-websocket.cjs wss://HOST:PORT/ws/ JID PASSWORD
const browser = require("./browser.cjs");
const { run } = require("./session.cjs");

const parameters = process.argv.slice(2);
const window = browser.open(parameters[0].replace(/^ws/, "http"));
globalThis.WebSocket = window.WebSocket;
const strophe = require("strophe-1");
run({ Strophe: strophe.Strophe, $pres: strophe.$pres }, "1.2.16", parameters, { comesBack: true });
