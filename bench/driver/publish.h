/* The published payload and the publishers. */
/* ---- payload ---- */
static char *pl;
static int pl_len;
static int pl_mark;
static void make_payload(void) { /* an escaped Finesse <Update>, about o_payload bytes as sent on the wire */
  pl = malloc(o_payload + 4096);
  char *p = pl;
  static const char *head =
      "&lt;Update&gt;\n  &lt;data&gt;\n    &lt;user&gt;\n      "
      "&lt;dialogs&gt;/finesse/api/User/1001001/Dialogs&lt;/dialogs&gt;\n      "
      "&lt;extension&gt;1001001&lt;/extension&gt;\n      &lt;firstName&gt;Agent&lt;/firstName&gt;\n      "
      "&lt;lastName&gt;1001001&lt;/lastName&gt;\n      &lt;loginId&gt;1001001&lt;/loginId&gt;\n      "
      "&lt;loginName&gt;agent1&lt;/loginName&gt;\n      &lt;reasonCodeId&gt;-1&lt;/reasonCodeId&gt;\n      "
      "&lt;roles&gt;\n        &lt;role&gt;Agent&lt;/role&gt;\n      &lt;/roles&gt;\n      "
      "&lt;state&gt;READY&lt;/state&gt;\n      &lt;stateChangeTime&gt;";
  p += sprintf(p, "%s", head);
  pl_mark = p - pl;
  p += sprintf(p, "zTz0000000000000000000zN000000000z&lt;/stateChangeTime&gt;\n");
  const char *tail = "    &lt;/user&gt;\n  &lt;/data&gt;\n  &lt;event&gt;PUT&lt;/event&gt;\n  "
                     "&lt;requestId&gt;xxxxxxxxx&lt;/requestId&gt;\n  "
                     "&lt;source&gt;/finesse/api/User/1001001&lt;/source&gt;\n&lt;/Update&gt;";
  int i = 0;
  while ((p - pl) + (int)strlen(tail) + 60 < o_payload)
    p += sprintf(p, "      &lt;teamField%d&gt;value%d&lt;/teamField%d&gt;\n", i, i * 7, i), i++;
  p += sprintf(p, "%s", tail);
  pl_len = p - pl;
}
static u64 published;
static u64 nextitem;
static void publish(int k, u64 ts) { /* to node k */
  static char b[70000];
  char m[40];
  Sess *p = &P[published % o_pubn];
  u64 it = nextitem++;
  sprintf(m, "zTz%019luzN%09luz", (unsigned long)ts, (unsigned long)it);
  memcpy(pl + pl_mark, m, 34);
  char node[128];
  snprintf(node, 128, o_nodepat, k);
  int n = sprintf(b,
                  "<iq type='set' id='p%lu' to='%s' xmlns='jabber:client'><pubsub "
                  "xmlns='http://jabber.org/protocol/pubsub'><publish node='%s'><item id='i%lu'><notification "
                  "xmlns='http://jabber.org/protocol/pubsub'>",
                  (unsigned long)it, o_pubsub, node, (unsigned long)it);
  memcpy(b + n, pl, pl_len);
  n += pl_len;
  n += sprintf(b + n, "</notification></item></publish></pubsub></iq>");
  published++;
  if (p->st != ST_READY)
    die("publisher not ready");
  stanza(p, b, n);
}
static void start_pubs(void) {
  P = calloc(o_pubn, sizeof *P);
  int r0 = nready;
  for (int i = 0; i < o_pubn; i++) {
    Sess *s = &P[i];
    s->id = 900000 + i;
    s->kind = K_TCP;
    s->is_pub = true;
    snprintf(s->user, sizeof s->user, i ? "%s%d" : "%s", o_admin, i);
    s->st = ST_CONN;
    sess_start(s);
  }
  u64 lim = now() + 20000000000ull;
  while (nready - r0 < o_pubn) {
    if (now() > lim)
      die("publisher: time limit (state %s)", stname[P[0].st]);
    poll_once(now() + 50000000ull);
    if (P[0].st == ST_DEAD)
      die("publisher died");
  }
  nready = r0;
}
static double create_nodes(int n) {
  if (!o_create)
    return 0;
  u64 t0 = now(), done0 = pub_results, sent = 0;
  u64 e0 = pub_errors;
  char b[2048];
  u64 lim = now() + 200000000000ull;
  pub_errors = 1000000;
  while (pub_results - done0 < (u64)n) {
    while (sent < (u64)n && sent - (pub_results - done0) < 32) {
      char node[128];
      snprintf(node, 128, o_nodepat, n == 1 ? 99999 : (int)sent);
      int l = sprintf(b,
                      "<iq type='set' id='c%d' to='%s' xmlns='jabber:client'><pubsub "
                      "xmlns='http://jabber.org/protocol/pubsub'><create node='%s'/>",
                      (int)sent, o_pubsub, node);
      if (o_nodecfg)
        l += sprintf(
            b + l,
            "<configure><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' "
            "type='hidden'><value>http://jabber.org/protocol/pubsub#node_config</value></field>%s</x></configure>",
            o_nodecfg);
      l += sprintf(b + l, "</pubsub></iq>");
      stanza(&P[0], b, l);
      sent++;
    }
    if (now() > lim)
      die("create nodes: time limit");
    poll_once(now() + 50000000ull);
    if (P[0].st == ST_DEAD)
      die("publisher died in create");
  }
  pub_errors = e0;
  return sec(now() - t0);
}
static void jlat(void) {
  qsort(lat, nlat, sizeof *lat, cmpd);
  printf("\"lat_us\":{\"n\":%zu,\"p50\":%.0f,\"p90\":%.0f,\"p99\":%.0f,\"p999\":%.0f,\"max\":%.0f}", nlat,
         pct(lat, nlat, .5), pct(lat, nlat, .9), pct(lat, nlat, .99), pct(lat, nlat, .999), nlat ? lat[nlat - 1] : -1);
}

/* ---- one measured block: server, driver and everybody else's CPU ---- */
