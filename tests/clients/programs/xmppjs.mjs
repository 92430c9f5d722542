// @xmpp/client over TCP (xmpp:// with STARTTLS, xmpps://) or WebSocket (wss://); after a lost connection it comes back by
// itself. Arguments: SERVICE JID PASSWORD. SIGTERM leaves in good order.
import { createRequire } from "node:module";
import { client, xml } from "@xmpp/client";

const require = createRequire(import.meta.url);
const { version } = require("@xmpp/client/package.json");
const { comeBackMs, say } = require("./events.cjs");

const EVENT = "http://jabber.org/protocol/pubsub#event";
const [service, jid, password] = process.argv.slice(2);
const [user, rest] = jid.split("@");
const [domain, resource] = rest.split("/");
globalThis.WebSocket ??= require("ws"); // a global from Node 22 on
globalThis.crypto ??= require("node:crypto").webcrypto; // from Node 19 on

const connection = client({ service, domain, resource, username: user, password });
connection.reconnect.delay = comeBackMs;
let leaving = false;

function refused(error) {
  say("refused", { text: String(error), condition: error.condition ?? null });
  process.exit(0);
}

connection.on("error", (error) => {
  if (error.name === "SASLError") refused(error);
});
connection.on("stanza", (stanza) => {
  if (stanza.is("presence") && stanza.attrs.from === connection.jid.toString()) say("presence");
  const items = stanza.getChild("event", EVENT)?.getChild("items");
  for (const item of items?.getChildren("item") ?? [])
    say("update", { node: items.attrs.node, item: item.attrs.id, text: item.getChild("notification").text() });
});
connection.on("online", async (address) => {
  say("online", { jid: address.toString(), version, secure: connection.isSecure() });
  await connection.send(xml("presence"));
  const query = xml("query", "http://jabber.org/protocol/disco#items");
  const answer = await connection.iqCaller.request(xml("iq", { type: "get", to: `pubsub.${domain}` }, query));
  say("nodes", { nodes: answer.getChild("query").getChildren("item").map((item) => item.attrs.node) });
});
connection.on("disconnect", () => {
  if (!leaving) say("lost");
});

process.on("SIGTERM", async () => {
  leaving = true;
  connection.reconnect.stop();
  await connection.stop();
  say("offline");
  process.exit(0);
});

connection.start().catch(refused);
