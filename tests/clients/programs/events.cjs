// How every program of this room speaks: one JSON line per event. Those of all clients: online, presence, nodes, update,
// lost (the connection broke; the program connects again, as a desktop does), offline (it has left), refused (wrong password).
const PUBSUB_EVENT = "http://jabber.org/protocol/pubsub#event";

function say(event, more = {}) {
  process.stdout.write(JSON.stringify({ event, ...more }) + "\n");
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

exports.say = say;
exports.update = update;
exports.comeBackMs = 300; // what passes between a lost connection and the next attempt, as in a desktop
