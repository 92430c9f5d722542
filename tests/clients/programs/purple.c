/* libpurple, the library of Pidgin and Finch: signs in, sends presence, lists the nodes as Pidgin's XMPP console would be
 * asked to, prints what happens as JSON lines. SIGTERM leaves. After a lost connection over TCP it connects again, as both
 * programs do; over BOSH the library itself goes on. Arguments: HOST PORT bosh|starttls|direct CA JID PASSWORD. It keeps
 * its files below $HOME. */
#include <glib-unix.h>
#include <glib.h>
#include <purple.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UI "poise-tests"
#define COME_BACK_MS 300
#define LIST_ID "items1"
#define DISCO_ITEMS "http://jabber.org/protocol/disco#items"

static PurpleAccount *account;
static GMainLoop *loop;
static gboolean leaving, refused;

/* What happens, as JSON. */

static void say_text(const char *text) {
  putchar('"');
  for (const unsigned char *c = (const unsigned char *)(text ? text : ""); *c; c++) {
    if (*c == '"' || *c == '\\')
      printf("\\%c", *c);
    else if (*c < 0x20)
      printf("\\u%04x", *c);
    else
      putchar(*c);
  }
  putchar('"');
}

static void say(const char *event, ...) {
  va_list more;
  printf("{\"event\": ");
  say_text(event);
  va_start(more, event);
  for (const char *name = va_arg(more, const char *); name; name = va_arg(more, const char *)) {
    printf(", ");
    say_text(name);
    printf(": ");
    say_text(va_arg(more, const char *));
  }
  va_end(more);
  printf("}\n");
  fflush(stdout);
}

static void say_nodes(xmlnode *query) {
  const char *comma = "";
  printf("{\"event\": \"nodes\", \"nodes\": [");
  for (xmlnode *item = xmlnode_get_child(query, "item"); item; item = xmlnode_get_next_twin(item)) {
    printf("%s", comma);
    say_text(xmlnode_get_attrib(item, "node"));
    comma = ", ";
  }
  printf("]}\n");
  fflush(stdout);
}

static void say_update(xmlnode *message) {
  xmlnode *items = xmlnode_get_child(message, "event/items");
  xmlnode *item = items ? xmlnode_get_child(items, "item") : NULL;
  xmlnode *notification = item ? xmlnode_get_child(item, "notification") : NULL;
  if (!notification) return;
  char *text = xmlnode_get_data(notification);
  say("update", "node", xmlnode_get_attrib(items, "node"), "item", xmlnode_get_attrib(item, "id"), "text", text, NULL);
  g_free(text);
}

/* The main loop of a program without a screen. */

typedef struct {
  PurpleInputFunction call;
  gpointer data;
} Input;

static gboolean input_ready(GIOChannel *channel, GIOCondition condition, gpointer data) {
  Input *input = data;
  PurpleInputCondition what = 0;
  if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) what |= PURPLE_INPUT_READ;
  if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL)) what |= PURPLE_INPUT_WRITE;
  input->call(input->data, g_io_channel_unix_get_fd(channel), what);
  return TRUE;
}

static guint input_add(int descriptor, PurpleInputCondition condition, PurpleInputFunction call, gpointer data) {
  Input *input = g_new0(Input, 1);
  GIOCondition wanted = G_IO_HUP | G_IO_ERR | G_IO_NVAL;
  GIOChannel *channel = g_io_channel_unix_new(descriptor);
  input->call = call;
  input->data = data;
  if (condition & PURPLE_INPUT_READ) wanted |= G_IO_IN;
  if (condition & PURPLE_INPUT_WRITE) wanted |= G_IO_OUT;
  guint handle = g_io_add_watch_full(channel, G_PRIORITY_DEFAULT, wanted, input_ready, input, g_free);
  g_io_channel_unref(channel);
  return handle;
}

static PurpleEventLoopUiOps event_loop = {
    .timeout_add = g_timeout_add,
    .timeout_remove = g_source_remove,
    .input_add = input_add,
    .input_remove = g_source_remove,
    .timeout_add_seconds = g_timeout_add_seconds,
};

/* The client. */

static void signed_on(PurpleConnection *connection, gpointer nothing) {
  const char *jid = purple_connection_get_display_name(connection);
  const char *slash = strchr(jid, '/'), *at = strchr(jid, '@');
  int domain = slash ? (int)(slash - at - 1) : (int)strlen(at + 1);
  char *query = g_strdup_printf(
      "<iq type='get' from='%s' to='pubsub.%.*s' id='" LIST_ID "'><query xmlns='" DISCO_ITEMS "'/></iq>", jid, domain,
      at + 1);
  say("online", "jid", jid, "version", purple_core_get_version(), NULL);
  PURPLE_PLUGIN_PROTOCOL_INFO(purple_connection_get_prpl(connection))->send_raw(connection, query, strlen(query));
  g_free(query);
}

static void received(PurpleConnection *connection, xmlnode **packet, gpointer nothing) {
  const char *own = purple_connection_get_display_name(connection);
  if (!*packet) return;
  const char *from = xmlnode_get_attrib(*packet, "from");
  const char *id = xmlnode_get_attrib(*packet, "id");
  if (!strcmp((*packet)->name, "message")) say_update(*packet);
  if (!strcmp((*packet)->name, "presence") && own && !g_strcmp0(from, own) && !xmlnode_get_attrib(*packet, "type"))
    say("presence", NULL);
  if (!strcmp((*packet)->name, "iq") && !g_strcmp0(id, LIST_ID)) say_nodes(xmlnode_get_child(*packet, "query"));
}

static gboolean come_back(gpointer nothing) {
  purple_account_connect(account);
  return FALSE;
}

static void failed(PurpleConnection *connection, PurpleConnectionError reason, const char *text, gpointer nothing) {
  refused = reason == PURPLE_CONNECTION_ERROR_AUTHENTICATION_FAILED;
  say(refused ? "refused" : "lost", "text", text, NULL);
}

static void signed_off(PurpleConnection *connection, gpointer nothing) {
  if (leaving) say("offline", NULL);
  if (leaving || refused)
    g_main_loop_quit(loop);
  else
    g_timeout_add(COME_BACK_MS, come_back, NULL);
}

static gboolean leave(gpointer nothing) {
  leaving = TRUE;
  purple_account_disconnect(account);
  return FALSE;
}

static void trust(const char *file) {
  PurpleCertificate *certificate = purple_certificate_import(purple_certificate_find_scheme("x509"), file);
  purple_certificate_pool_store(purple_certificate_find_pool("x509", "ca"), UI, certificate);
  purple_certificate_destroy(certificate);
}

static void configure(char **arguments) {
  const char *host = arguments[1], *how = arguments[3];
  account = purple_account_new(arguments[5], "prpl-jabber");
  purple_account_set_password(account, arguments[6]);
  if (!strcmp(how, "bosh")) {
    char *url = g_strdup_printf("https://%s:%s/http-bind/", host, arguments[2]);
    purple_account_set_string(account, "bosh_url", url);
    g_free(url);
  } else {
    purple_account_set_string(account, "connect_server", host);
    purple_account_set_int(account, "port", atoi(arguments[2]));
    purple_account_set_string(account, "connection_security", strcmp(how, "direct") ? "require_tls" : "old_ssl");
  }
  purple_accounts_add(account);
}

int main(int count, char **arguments) {
  static int handle;
  if (count != 7) return 2;
  char *folder = g_build_filename(g_get_home_dir(), ".purple", NULL);
  purple_util_set_user_dir(folder);
  g_free(folder);
  purple_debug_set_enabled(g_getenv("PURPLE_DEBUG") != NULL);
  purple_eventloop_set_ui_ops(&event_loop);
  if (!purple_core_init(UI)) return 1;
  purple_set_blist(purple_blist_new());
  loop = g_main_loop_new(NULL, FALSE);
  trust(arguments[4]);
  configure(arguments);
  purple_signal_connect(purple_connections_get_handle(), "signed-on", &handle, PURPLE_CALLBACK(signed_on), NULL);
  purple_signal_connect(purple_connections_get_handle(), "signed-off", &handle, PURPLE_CALLBACK(signed_off), NULL);
  purple_signal_connect(purple_connections_get_handle(), "connection-error", &handle, PURPLE_CALLBACK(failed), NULL);
  purple_signal_connect(purple_find_prpl("prpl-jabber"), "jabber-receiving-xmlnode", &handle,
                        PURPLE_CALLBACK(received), NULL);
  g_unix_signal_add(SIGTERM, leave, NULL);
  purple_savedstatus_activate(purple_savedstatus_new(NULL, PURPLE_STATUS_AVAILABLE));
  purple_account_set_enabled(account, UI, TRUE);
  g_main_loop_run(loop);
  purple_core_quit();
  return 0;
}
