// What both clients do: sign in, send presence, print what happens as JSON lines. SIGTERM leaves in good order; SIGUSR2
// is a page reload: it prints what a page keeps for its successor and is gone, in the middle of its requests.
const PUBSUB_EVENT = "http://jabber.org/protocol/pubsub#event";

function say(event) {
  process.stdout.write(JSON.stringify(event) + "\n");
}

function firstChild(element, name) {
  return Array.from(element.childNodes).find((node) => node.localName === name);
}

// The gadget's way: event by namespace, items and item by place, the Update as the text of <notification/>.
function update(message) {
  const event = Array.from(message.childNodes).find((node) => node.namespaceURI === PUBSUB_EVENT);
  const items = event && firstChild(event, "items");
  const item = items && firstChild(items, "item");
  const notification = item && firstChild(item, "notification");
  return notification && { node: items.getAttribute("node"), item: item.getAttribute("id"), text: notification.textContent };
}

function quieten(Strophe) {
  if (Strophe.setLogLevel) Strophe.setLogLevel(Strophe.LogLevel.FATAL);
  else Strophe.log = () => {};
}

// Arguments: URL JID PASSWORD, or URL JID --attach SID RID to take over the session of a page that was reloaded.
// `comesBack`: connect again when the connection is lost, as a desktop does over WebSocket, where nothing is resumed.
exports.say = say;
exports.update = update;
exports.run = function ({ Strophe, $pres }, version, [url, jid, password, sid, rid], { comesBack = false } = {}) {
  quieten(Strophe); // standard output is ours
  const names = Object.fromEntries(Object.entries(Strophe.Status).map(([name, value]) => [value, name]));
  const over = [Strophe.Status.DISCONNECTED, Strophe.Status.AUTHFAIL, Strophe.Status.CONNFAIL];
  const connection = new Strophe.Connection(url);
  let leaving = false;

  function listen() {
    connection.addHandler(
      (message) => {
        const found = update(message);
        say(found ? { event: "update", ...found } : { event: "message", from: message.getAttribute("from") });
        return true;
      },
      null,
      "message",
    );
    connection.addHandler(() => (say({ event: "presence" }), false), null, "presence", null, null, connection.jid);
  }

  function changed(status, condition) {
    say({ event: "status", name: names[status], condition: condition ?? null, jid: connection.jid, version });
    if (status === Strophe.Status.CONNECTED || status === Strophe.Status.ATTACHED) listen();
    if (status === Strophe.Status.CONNECTED) connection.send($pres());
    if (comesBack && !leaving && (status === Strophe.Status.DISCONNECTED || status === Strophe.Status.CONNFAIL)) {
      setTimeout(() => {
        connection.reset();
        connection.connect(jid, password, changed);
      }, 300);
    } else if (over.includes(status)) process.exit(0);
  }

  if (password === "--attach") connection.attach(jid, sid, Number(rid), changed);
  else connection.connect(jid, password, changed);

  process.on("SIGTERM", () => {
    leaving = true;
    connection.flush();
    connection.disconnect("leave");
  });
  process.on("SIGUSR2", () => {
    say({ event: "reload", sid: connection._proto.sid, rid: connection._proto.rid });
    process.exit(0);
  });
};
