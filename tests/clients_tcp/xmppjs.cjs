// Signs in with @xmpp/client over TCP, sends presence, lists the nodes, prints what happens as JSON lines.
// Arguments: SERVICE JID PASSWORD. SIGTERM leaves in good order.
const { client, xml } = require("@xmpp/client");
const { version } = require("@xmpp/client/package.json");

const EVENT = "http://jabber.org/protocol/pubsub#event";
const [service, jid, password] = process.argv.slice(2);
const [user, rest] = jid.split("@");
const [domain, resource] = rest.split("/");

function say(event) {
  process.stdout.write(JSON.stringify(event) + "\n");
}

const connection = client({ service, domain, resource, username: user, password });
connection.reconnect.stop();

connection.on("error", (error) => say({ event: "error", text: String(error), condition: error.condition ?? null }));
connection.on("stanza", (stanza) => {
  if (stanza.is("presence") && stanza.attrs.from === connection.jid.toString()) say({ event: "presence" });
  const items = stanza.getChild("event", EVENT)?.getChild("items");
  for (const item of items?.getChildren("item") ?? [])
    say({ event: "update", node: items.attrs.node, text: item.getChild("notification").text() });
});
connection.on("online", async (address) => {
  say({ event: "online", jid: address.toString(), version, secure: connection.isSecure() });
  await connection.send(xml("presence"));
  const query = xml("query", "http://jabber.org/protocol/disco#items");
  const answer = await connection.iqCaller.request(xml("iq", { type: "get", to: `pubsub.${domain}` }, query));
  say({ event: "nodes", nodes: answer.getChild("query").getChildren("item").map((item) => item.attrs.node) });
});
connection.on("offline", () => say({ event: "offline" }));

process.on("SIGTERM", async () => {
  await connection.stop();
  process.exit(0);
});

connection.start().catch((error) => {
  say({ event: "refused", text: String(error), condition: error.condition ?? null });
  process.exit(0);
});
