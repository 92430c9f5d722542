// stanza 12 over BOSH (an https URL) or WebSocket (wss). Arguments: URL JID PASSWORD. SIGTERM leaves in good order.
// It knows no <notification/>, so the Update is read from what it hands out raw.
import { createRequire } from "node:module";
import { createClient } from "stanza";

const require = createRequire(import.meta.url);
const { DOMParser } = require("@xmldom/xmldom");
const { comeBackMs, say, update } = require("./events.cjs");
const { version } = require("stanza/package.json");

const [url, jid, password] = process.argv.slice(2);
const [account, resource] = jid.split("/");
const domain = account.split("@")[1];
const transports = url.startsWith("https:") ? { websocket: false, bosh: url } : { websocket: url, bosh: false };
const client = createClient({ jid: account, resource, password, transports, autoReconnect: false });
let leaving = false;

client.on("session:started", async () => {
  say("online", { jid: client.jid, version });
  client.sendPresence();
  const { items } = await client.getDiscoItems(`pubsub.${domain}`);
  say("nodes", { nodes: items.map((item) => item.node) });
});
client.on("presence", (presence) => {
  if (presence.from === client.jid) say("presence");
});
client.on("raw:incoming", (xml) => {
  if (!xml.includes("<message")) return;
  const root = new DOMParser().parseFromString(xml, "text/xml").documentElement; // over BOSH the body of an answer
  for (const stanza of root.localName === "body" ? Array.from(root.childNodes) : [root]) {
    const found = update(stanza);
    if (found) say("update", found);
  }
});
client.on("auth:failed", () => {
  say("refused");
  process.exit(0);
});
client.on("disconnected", () => {
  say(leaving ? "offline" : "lost");
  if (leaving) process.exit(0);
  setTimeout(() => client.connect(), comeBackMs);
});
process.on("SIGTERM", () => {
  leaving = true;
  client.disconnect();
});
client.connect();
