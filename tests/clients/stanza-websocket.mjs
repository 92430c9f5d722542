// stanza 12 over WebSocket. Usage: node stanza-websocket.mjs wss://HOST:PORT/ws/ JID PASSWORD
// It knows no <notification/>, so the Update is read from what it hands out raw. SIGTERM leaves in good order.
import { createRequire } from "node:module";
import { createClient } from "stanza";

const require = createRequire(import.meta.url);
const { DOMParser } = require("@xmldom/xmldom");
const { say, update } = require("./session.cjs");

const [url, jid, password] = process.argv.slice(2);
const [account, resource] = jid.split("/");
const transports = { websocket: url, bosh: false };
const client = createClient({ jid: account, resource, password, transports, autoReconnect: false });
let leaving = false;

function status(name, condition = null) {
  say({ event: "status", name, condition, jid: client.jid, version: "12.22.1" });
}

client.on("session:started", () => {
  status("CONNECTED");
  client.sendPresence();
});
client.on("presence", (presence) => {
  if (presence.from === client.jid) say({ event: "presence" });
});
client.on("raw:incoming", (xml) => {
  if (!xml.startsWith("<message")) return;
  const found = update(new DOMParser().parseFromString(xml, "text/xml").documentElement);
  if (found) say({ event: "update", ...found });
});
client.on("auth:failed", () => {
  status("AUTHFAIL");
  process.exit(0);
});
client.on("disconnected", () => {
  status("DISCONNECTED");
  if (leaving) process.exit(0);
  setTimeout(() => client.connect(), 300); // as a desktop does
});
process.on("SIGTERM", () => {
  leaving = true;
  client.disconnect();
});
client.connect();
