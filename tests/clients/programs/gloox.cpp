// gloox: signs in, sends presence, lists the nodes, prints what happens as JSON lines. SIGTERM leaves.
// Arguments: HOST PORT bosh|starttls|direct|plain CA JID PASSWORD
#include <gloox/client.h>
#include <gloox/connectionbosh.h>
#include <gloox/connectionlistener.h>
#include <gloox/connectiontcpclient.h>
#include <gloox/connectiontls.h>
#include <gloox/disco.h>
#include <gloox/discohandler.h>
#include <gloox/gloox.h>
#include <gloox/message.h>
#include <gloox/messagehandler.h>
#include <gloox/presence.h>
#include <gloox/presencehandler.h>
#include <gloox/pubsubevent.h>
#include <gloox/pubsubitem.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <unistd.h>

using namespace gloox;

static const int RECEIVE_US = 100000;    // how often SIGTERM is looked for
static const int COME_BACK_US = 300000;  // between a lost connection and the next attempt, as in a desktop
static volatile sig_atomic_t leaving = 0;

static std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20) {
      char code[8];
      snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + "\"";
}

static void say(const std::string& event, const std::string& more = "") {
  std::cout << "{\"event\": " << quoted(event) << more << "}" << std::endl;
}

static std::string field(const std::string& name, const std::string& text) {
  return ", " + quoted(name) + ": " + quoted(text);
}

class Desk : ConnectionListener, MessageHandler, PresenceHandler, DiscoHandler, TLSHandler {
 public:
  Desk(char** arguments)
      : host(arguments[1]), port(atoi(arguments[2])), mode(arguments[3]), ca(arguments[4]),
        client(JID(arguments[5]), arguments[6]) {
    client.setServer(host);
    client.setPort(port);
    client.setTls(mode == "starttls" ? TLSRequired : TLSDisabled);
    client.setCompression(false);
    client.setCACerts({ca});
    client.registerConnectionListener(this);
    client.registerMessageHandler(this);
    client.registerPresenceHandler(this);
    client.registerStanzaExtension(new PubSub::Event(static_cast<const Tag*>(0)));
    if (mode == "bosh") client.setConnectionImpl(bosh());
    if (mode == "direct") client.setConnectionImpl(secure(&client));
  }

  int run() {
    while (!over) {
      if (!client.connect(false)) return 1;
      bool closing = false;
      while (connected) {
        if (leaving && !closing) {
          closing = true;
          client.disconnect();
          break;
        }
        client.recv(RECEIVE_US);
      }
      connected = true;
      if (!over) usleep(COME_BACK_US);
    }
    return 0;
  }

 private:
  ConnectionTLS* secure(ConnectionDataHandler* handler) {
    auto* tcp = new ConnectionTCPClient(client.logInstance(), host, port);
    auto* tls = handler ? new ConnectionTLS(handler, tcp, client.logInstance())
                        : new ConnectionTLS(tcp, client.logInstance());
    tls->setCACerts({ca});
    tls->registerTLSHandler(this);
    return tls;
  }

  ConnectionBase* bosh() {
    std::string where = host + ":" + std::to_string(port);
    return new ConnectionBOSH(&client, secure(nullptr), client.logInstance(), where, client.jid().server());
  }

  void handleEncryptedData(const TLSBase*, const std::string&) override {}
  void handleDecryptedData(const TLSBase*, const std::string&) override {}
  void handleHandshakeResult(const TLSBase*, bool, CertInfo&) override {}

  // It does not find the demo's CA by itself, and a user would be asked: accept who calls itself what the demo does.
  bool onTLSConnect(const CertInfo& info) override { return info.issuer == "CN=Poise development CA"; }

  void onConnect() override {
    say("online", field("jid", client.jid().full()) + field("version", GLOOX_VERSION));
    client.disco()->getDiscoItems(JID("pubsub." + client.jid().server()), EmptyString, this, 0);
  }

  void onDisconnect(ConnectionError reason) override {
    connected = false;
    over = leaving || reason == ConnAuthenticationFailed;
    if (reason == ConnAuthenticationFailed) {
      say("refused");
    } else {
      say(leaving ? "offline" : "lost", ", \"reason\": " + std::to_string(reason));
    }
  }

  void handlePresence(const Presence& presence) override {
    if (presence.from() == client.jid() && presence.presence() != Presence::Unavailable) say("presence");
  }

  void handleMessage(const Message& message, MessageSession*) override {
    const auto* event = message.findExtension<PubSub::Event>(ExtPubSubEvent);
    if (!event) return;
    for (const auto* item : event->items()) {
      const std::string& id = item->item;
      const Tag* notification = item->payload ? item->payload->findChild("notification") : 0;  // the payload is <item/>
      std::string text = notification ? notification->cdata() : "";
      say("update", field("node", event->node()) + field("item", id) + field("text", text));
    }
  }

  void handleDiscoInfo(const JID&, const Disco::Info&, int) override {}
  void handleDiscoError(const JID&, const Error*, int) override { say("error"); }

  void handleDiscoItems(const JID&, const Disco::Items& items, int) override {
    std::string nodes;
    for (const auto* item : items.items()) nodes += (nodes.empty() ? "" : ", ") + quoted(item->node());
    say("nodes", ", \"nodes\": [" + nodes + "]");
  }

  std::string host;
  int port;
  std::string mode, ca;
  Client client;
  bool connected = true, over = false;
};

int main(int count, char** arguments) {
  if (count != 7) return 2;
  struct sigaction action = {};
  action.sa_handler = [](int) { leaving = 1; };
  sigaction(SIGTERM, &action, nullptr);
  return Desk(arguments).run();
}
