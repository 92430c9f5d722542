/* What goes out: HTTP, BOSH, WebSocket and TCP framing, and the steps of a sign-in. */
static char hdr_tmpl[1024];
static void http_post(Conn *c, const char *body, int n) {
  static char *b;
  static int cap;
  if (cap < n + 1200) {
    cap = n + 4096;
    b = realloc(b, cap);
  }
  int h = sprintf(b, "%s%d\r\n\r\n", hdr_tmpl, n);
  memcpy(b + h, body, n);
  c->inflight++;
  conn_send(c, b, h + n);
}
static void bosh_send(Conn *c, const char *extra_attr, const char *payload, int plen) {
  Sess *s = c->s;
  static char *b;
  static int cap;
  if (cap < plen + 1024) {
    cap = plen + 4096;
    b = realloc(b, cap);
  }
  int n = sprintf(b, "<body rid='%lu' sid='%s' xmlns='http://jabber.org/protocol/httpbind'%s", (unsigned long)s->rid++,
                  s->sid, extra_attr);
  if (plen) {
    b[n++] = '>';
    memcpy(b + n, payload, plen);
    n += plen;
    n += sprintf(b + n, "</body>");
  } else
    n += sprintf(b + n, "/>");
  http_post(c, b, n);
}
static void ws_send(Conn *c, const char *p, int n, int opcode) {
  static char *b;
  static int cap;
  if (cap < n + 32) {
    cap = n + 4096;
    b = realloc(b, cap);
  }
  int h = 0;
  b[h++] = 0x80 | opcode;
  if (n < 126)
    b[h++] = 0x80 | n;
  else if (n < 65536) {
    b[h++] = (char)(0x80 | 126);
    b[h++] = n >> 8;
    b[h++] = n;
  } else {
    b[h++] = (char)(0x80 | 127);
    for (int i = 7; i >= 0; i--)
      b[h++] = (u64)n >> (8 * i);
  }
  static const uint8_t k[4] = {0x37, 0xfa, 0x21, 0x3d};
  memcpy(b + h, k, 4);
  h += 4;
  for (int i = 0; i < n; i++)
    b[h + i] = p[i] ^ k[i & 3];
  conn_send(c, b, h + n);
}
static void stanza(Sess *s, const char *p, int n) {
  if (s->kind == K_BOSH)
    bosh_send(&s->c[0], "", p, n);
  else if (s->kind == K_WS)
    ws_send(&s->c[0], p, n, 1);
  else
    conn_send(&s->c[0], p, n);
}
static void stanzaf(Sess *s, const char *f, ...) {
  char b[4096];
  va_list a;
  va_start(a, f);
  int n = vsnprintf(b, sizeof b, f, a);
  va_end(a);
  stanza(s, b, n);
}

static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static void b64(const uint8_t *p, int n, char *o) {
  while (n > 0) {
    uint32_t v = p[0] << 16 | (n > 1 ? p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
    *o++ = B64[v >> 18];
    *o++ = B64[v >> 12 & 63];
    *o++ = n > 1 ? B64[v >> 6 & 63] : '=';
    *o++ = n > 2 ? B64[v & 63] : '=';
    p += 3;
    n -= 3;
  }
  *o = 0;
}

static void step(Sess *s) { /* send what the present state asks for */
  char b[1200];
  int n;
  s->polls = 0;
  switch (s->st) {
  case ST_OPEN:
    if (s->kind == K_BOSH) {
      n = sprintf(
          b,
          "<body content='text/xml; charset=utf-8' hold='%d' rid='%lu' to='%s' ver='1.10' wait='%d' xml:lang='en' "
          "xmpp:version='1.0' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh'/>",
          o_hold, (unsigned long)s->rid++, o_domain, o_wait);
      http_post(&s->c[0], b, n);
    } else if (s->kind == K_WS) {
      n = sprintf(b, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='%s' version='1.0'/>", o_domain);
      ws_send(&s->c[0], b, n, 1);
    } else {
      n = sprintf(b,
                  "<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:client' "
                  "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>",
                  o_domain);
      conn_send(&s->c[0], b, n);
    }
    break;
  case ST_AUTH: {
    uint8_t r[128];
    char e[256];
    const char *pw = s->is_pub ? o_adminpass : o_pass;
    int l = 0;
    r[l++] = 0;
    memcpy(r + l, s->user, strlen(s->user));
    l += strlen(s->user);
    r[l++] = 0;
    memcpy(r + l, pw, strlen(pw));
    l += strlen(pw);
    b64(r, l, e);
    stanzaf(s, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", e);
    break;
  }
  case ST_RESTART:
    if (s->kind == K_BOSH) {
      char x[256];
      sprintf(x, " to='%s' xml:lang='en' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'", o_domain);
      bosh_send(&s->c[0], x, "", 0);
    } else {
      s->c[0].inlen = 0;
      int st = s->st;
      s->st = ST_OPEN;
      step(s);
      s->st = st;
    }
    break;
  case ST_BIND:
    stanzaf(s, "<iq type='set' id='bind1' xmlns='jabber:client'><bind "
               "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind></iq>");
    break;
  case ST_SESSION:
    stanzaf(
        s,
        "<iq type='set' id='sess1' xmlns='jabber:client'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
    break;
  case ST_SUB:
    stanzaf(s,
            "<iq type='set' id='sub1' to='%s' xmlns='jabber:client'><pubsub "
            "xmlns='http://jabber.org/protocol/pubsub'><subscribe node='%s' jid='%s@%s%s'/></pubsub></iq>",
            o_pubsub, s->node, s->user, o_domain, o_subjid[0] == 'f' ? "/desk" : "");
    break;
  case ST_PRES:
    stanzaf(s, "<presence xmlns='jabber:client'/>");
    if (!o_echo) {
      s->st = ST_READY;
      nready++;
    }
    break;
  }
}
