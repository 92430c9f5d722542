// Strophe in five generations, over BOSH (an https URL) or WebSocket (wss).
// Arguments: GENERATION URL JID PASSWORD, or GENERATION URL JID --attach SID RID to take over the session of a page that
// was reloaded. SIGTERM leaves in good order. SIGUSR2 is a page reload: it prints what a page keeps for its successor and
// is gone, in the middle of its requests.
const browser = require("./browser.cjs");
const { comeBackMs, say, update } = require("./events.cjs");

// The browser's build of each, in a page; of the newest the build for Node, which has its own XML and WebSocket.
const GENERATIONS = {
  "1.2": () => require("strophe-1.2"), // the generation that gadgets of the Finesse years were built with
  "1.4": () => require("strophe-1.4/dist/strophe.umd.js"),
  "1.6": () => require("strophe-1.6/dist/strophe.umd.js"),
  "3": () => require("../node_modules/strophe-3/dist/strophe.umd.js"),
  "5": (window) => {
    for (const name of ["window", "document", "DOMParser", "XMLSerializer", "WebSocket"]) delete globalThis[name];
    globalThis.XMLHttpRequest = window.XMLHttpRequest;
    return import("strophe-5");
  },
};

const [generation, url, jid, password, sid, rid] = process.argv.slice(2);
const { version } = JSON.parse(
  require("node:fs").readFileSync(require("node:path").join(__dirname, `../node_modules/strophe-${generation}/package.json`)),
);
const overBosh = url.startsWith("https:");

function run({ Strophe, $pres, $iq }) {
  if (Strophe.setLogLevel) Strophe.setLogLevel(Strophe.LogLevel.FATAL); // standard output is ours
  else Strophe.log = () => {};
  const { AUTHFAIL, CONNECTED, CONNFAIL, DISCONNECTED, ATTACHED } = Strophe.Status;
  const connection = new Strophe.Connection(url);
  let leaving = false;

  function listen() {
    connection.addHandler(
      (message) => {
        const found = update(message);
        if (found) say("update", found);
        return true;
      },
      null,
      "message",
    );
    connection.addHandler(() => (say("presence"), false), null, "presence", null, null, connection.jid);
  }

  function listNodes() {
    const service = `pubsub.${Strophe.getDomainFromJid(connection.jid)}`;
    const query = $iq({ type: "get", to: service }).c("query", { xmlns: "http://jabber.org/protocol/disco#items" });
    connection.sendIQ(query, (answer) => {
      say("nodes", { nodes: Array.from(answer.getElementsByTagName("item"), (item) => item.getAttribute("node")) });
    });
  }

  function changed(status, condition) {
    if (status === CONNECTED || status === ATTACHED) {
      say("online", { jid: connection.jid, version });
      listen();
    }
    if (status === CONNECTED) {
      connection.send($pres());
      listNodes();
    }
    if (status === AUTHFAIL) {
      say("refused", { condition });
      process.exit(0);
    }
    if (status !== CONNFAIL && status !== DISCONNECTED) return;
    if (leaving || overBosh) {
      say("offline", { condition });
      return; // the process ends by itself once everything is written
    }
    say("lost"); // over WebSocket nothing is resumed
    setTimeout(() => {
      connection.reset();
      connection.connect(jid, password, changed);
    }, comeBackMs);
  }

  if (password === "--attach") connection.attach(jid, sid, Number(rid), changed);
  else connection.connect(jid, password, changed);

  process.on("SIGTERM", () => {
    leaving = true;
    connection.flush();
    connection.disconnect("leave");
  });
  process.on("SIGUSR2", () => {
    say("reload", { sid: connection._proto.sid, rid: connection._proto.rid });
    process.exit(0);
  });
}

Promise.resolve(GENERATIONS[generation](browser.open(url))).then(run);
