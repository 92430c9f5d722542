/* What comes in: deliveries found by their markers, HTTP responses, WebSocket frames, TCP stanzas. */
static bool has(const char *d, int n, const char *t) {
  return memmem(d, n, t, strlen(t)) != 0;
}
static void lat_add(double v) {
  if (nlat == caplat) {
    caplat = caplat ? caplat * 2 : 1 << 16;
    lat = realloc(lat, caplat * sizeof *lat);
  }
  lat[nlat++] = v;
}

static void on_item_result(int k);
static void scan_ready(Sess *s, const char *d,
                       int n) { /* established session: find markers zTz<19 digits>zN<9 digits>z */
  if (s->is_pub) {
    const char *p = d, *e = d + n;
    while ((p = memmem(p, e - p, "<iq ", 4))) {
      const char *g = memchr(p, '>', e - p);
      if (!g)
        break;
      if (memmem(p, g - p, "error", 5)) {
        if (pub_errors++ < 3)
          fprintf(stderr, "publish error: %.*s\n", (int)(e - p > 600 ? 600 : e - p), p);
      }
      pub_results++;
      p = g;
    }
    return;
  }
  const char *p = d, *e = d + n;
  while ((p = memmem(p, e - p, "zTz", 3))) {
    if (e - p < 34)
      break;
    if (!isdigit((unsigned char)p[3]) || p[22] != 'z' || p[23] != 'N') {
      p += 3;
      continue;
    }
    u64 t = strtoull(p + 3, 0, 10);
    u64 it = strtoull(p + 24, 0, 10);
    u64 tn = now();
    deliveries++;
    s->got++;
    last_delivery_ns = tn;
    last_deliv_item = it;
    if (measuring)
      lat_add((tn - t) / 1e3);
    p += 34;
  }
}
static void ready(Sess *s) {
  s->st = ST_READY;
  nready++;
  if (target_st == ST_READY)
    return;
}
/* data from server for one session; for TCP may be partial: returns true when consumed */
static bool on_data(Sess *s, const char *d, int n) {
  bool want_more = false;
  if (s->st < ST_READY && (has(d, n, "<failure") || has(d, n, "stream:error") || has(d, n, "type='terminate'") ||
                           has(d, n, "type=\"terminate\""))) {
    if (ndead < 3)
      fprintf(stderr, "server said: %.*s\n", n > 700 ? 700 : n, d);
    sess_dead(s, "error reply");
    return true;
  }
  switch (s->st) {
  case ST_OPEN:
    if (s->kind == K_BOSH && !s->sid[0]) {
      const char *q = memmem(d, n, " sid=", 5);
      if (!q) {
        sess_dead(s, "no sid");
        return true;
      }
      char qc = q[5];
      int i = 0;
      q += 6;
      while (*q != qc && i < 95)
        s->sid[i++] = *q++;
      s->sid[i] = 0;
    }
    if (has(d, n, "features>") && has(d, n, "PLAIN")) {
      s->st = ST_AUTH;
      step(s);
    } else
      want_more = true;
    break;
  case ST_AUTH:
    if (has(d, n, "<success")) {
      s->st = ST_RESTART;
      step(s);
    } else
      want_more = true;
    break;
  case ST_RESTART:
    if (has(d, n, "features>") || has(d, n, "features xmlns")) {
      if (!has(d, n, "xmpp-bind")) {
        want_more = true;
        break;
      }
      s->offered_session = has(d, n, "xmpp-session");
      s->st = ST_BIND;
      step(s);
    } else
      want_more = true;
    break;
  case ST_BIND:
    if (has(d, n, "</jid>")) {
      s->st = (s->offered_session && o_session) ? ST_SESSION : (want_sub && !s->is_pub) ? ST_SUB : ST_PRES;
      step(s);
    } else
      want_more = true;
    break;
  case ST_SESSION:
    if (has(d, n, "sess1")) {
      s->st = (want_sub && !s->is_pub) ? ST_SUB : ST_PRES;
      step(s);
    } else
      want_more = true;
    break;
  case ST_SUB:
    if (has(d, n, "sub1")) {
      if (has(d, n, "type='error'") || has(d, n, "type=\"error\"")) {
        fprintf(stderr, "subscribe: %.*s\n", n > 700 ? 700 : n, d);
        sess_dead(s, "subscribe error");
        return true;
      }
      s->st = ST_PRES;
      step(s);
    } else
      want_more = true;
    break;
  case ST_PRES:
    if (has(d, n, "<presence")) {
      s->st = ST_READY;
      nready++;
      scan_ready(s, d, n);
      if (s->kind == K_BOSH) {
        bosh_send(&s->c[0], "", "", 0);
      }
    } else
      want_more = true;
    break;
  case ST_READY:
    scan_ready(s, d, n);
    break;
  case ST_TERM:
    if (s->kind != K_TCP || has(d, n, "</stream:stream>")) {
      sess_dead(s, "");
    }
    return true;
  }
  if (want_more && s->kind == K_BOSH) {
    if (++s->polls > 20) {
      sess_dead(s, "too many polls");
      return true;
    }
    if (!s->c[0].inflight)
      bosh_send(&s->c[0], "", "", 0);
  }
  return !want_more;
}

/* HTTP response parser on a buffer; returns bytes used */
static int http_in(Conn *c, char *d, int n) {
  int used = 0;
  Sess *s = c->s;
  while (used < n) {
    char *h = d + used, *e = memmem(h, n - used, "\r\n\r\n", 4);
    if (!e)
      break;
    int hl = e + 4 - h;
    long cl = -1;
    if (memcmp(h, "HTTP/1.", 7)) {
      sess_dead(s, "not http");
      return n;
    }
    int code = atoi(h + 9);
    char *q = h;
    bool closing = false;
    while ((q = memmem(q, e - q + 2, "\r\n", 2))) {
      q += 2;
      if (!strncasecmp(q, "content-length:", 15))
        cl = atol(q + 15);
      else if (!strncasecmp(q, "connection: close", 17))
        closing = true;
      else if (!strncasecmp(q, "transfer-encoding:", 18)) {
        sess_dead(s, "chunked not handled");
        return n;
      }
      if (q >= e)
        break;
    }
    if (cl < 0) {
      fprintf(stderr, "%.*s\n", hl, h);
      sess_dead(s, "no content-length");
      return n;
    }
    if (used + hl + cl > n)
      break;
    char *b = h + hl;
    used += hl + cl;
    c->inflight--;
    responses++;
    s->http_done++;
    if (code != 200) {
      if (ndead < 3)
        fprintf(stderr, "%.*s\n", (int)(hl + cl), h);
      sess_dead(s, "http status");
      return n;
    }
    if (s->st == ST_READY && o_verbose && memmem(b, cl, "terminate", 9))
      fprintf(stderr, "%.*s\n", (int)cl, b);
    int was = s->st;
    if (was == ST_READY) {
      if (cl < 200) {
        empties++;
        if (memmem(b, cl, "terminate", 9)) {
          fprintf(stderr, "%.*s\n", (int)cl, b);
          sess_dead(s, "terminated by server");
          return n;
        }
      }
      scan_ready(s, b, cl);
      if (closing) {
        conn_close(c);
        reconnects++;
        conn_open(s, c->idx, o_port);
      }
      if (!ender)
        bosh_send(c, "", "", 0);
      if (closing)
        return n;
    } else {
      on_data(s, b, cl);
      if (s->st == ST_DEAD)
        return n;
    }
  }
  return used;
}
static int ws_in(Conn *c, char *d, int n) {
  int used = 0;
  Sess *s = c->s;
  if (!c->ws_open) {
    char *e = memmem(d, n, "\r\n\r\n", 4);
    if (!e)
      return 0;
    if (strncmp(d, "HTTP/1.1 101", 12)) {
      fprintf(stderr, "%.*s\n", n, d);
      sess_dead(s, "ws upgrade");
      return n;
    }
    c->ws_open = 1;
    used = e + 4 - d;
    s->st = ST_OPEN;
    step(s);
  }
  while (n - used >= 2) {
    uint8_t *p = (uint8_t *)d + used;
    int h = 2;
    u64 l = p[1] & 127;
    if (l == 126) {
      if (n - used < 4)
        break;
      l = p[2] << 8 | p[3];
      h = 4;
    } else if (l == 127) {
      if (n - used < 10)
        break;
      l = 0;
      for (int i = 0; i < 8; i++)
        l = l << 8 | p[2 + i];
      h = 10;
    }
    if ((u64)(n - used) < h + l)
      break;
    int op = p[0] & 15;
    used += h + l;
    if (op == 9)
      ws_send(c, (char *)p + h, l, 10);
    else if (op == 8) {
      sess_dead(s, "ws close");
      return n;
    } else if (op == 1) {
      responses++;
      on_data(s, (char *)p + h, l);
      if (s->st == ST_DEAD)
        return n;
    }
  }
  return used;
}
static int tcp_in(Conn *c, char *d, int n) {
  Sess *s = c->s;
  if (s->st >= ST_READY && s->st != ST_TERM) {
    char *g = memrchr(d, '>', n);
    if (!g)
      return 0;
    int k = g + 1 - d;
    scan_ready(s, d, k);
    return k;
  }
  int st = s->st;
  if (on_data(s, d, n))
    return n;
  (void)st;
  return 0;
}
static void conn_in(Conn *c) {
  Sess *s = c->s;
  for (int r = 0; c->tls || r < 4; r++) { /* TLS may hold decrypted bytes epoll cannot see: read until it is dry */
    char *d = rbuf;
    int have = 0;
    if (c->inlen) {
      memcpy(rbuf, c->in, c->inlen);
      have = c->inlen;
    }
    if (have > RB - 65536) {
      sess_dead(s, "buffer");
      return;
    }
    ssize_t n = io_recv(c, rbuf + have, RB - have - 1);
    if (n == 0) {
      if (s->kind == K_BOSH && s->st == ST_READY && !c->inflight) {
        conn_close(c);
        reconnects++;
        return;
      }
      sess_dead(s, "closed by server");
      return;
    }
    if (n < 0) {
      if (errno == EAGAIN)
        return;
      sess_dead(s, strerror(errno));
      return;
    }
    bytes_in += n;
    int tot = have + n;
    rbuf[tot] = 0;
    c->inlen = 0;
    int u = s->kind == K_BOSH ? http_in(c, d, tot) : s->kind == K_WS ? ws_in(c, d, tot) : tcp_in(c, d, tot);
    if (s->st == ST_DEAD || c->fd < 0)
      return;
    if (u < tot) {
      int l = tot - u;
      if (c->incap < l) {
        c->incap = l * 2;
        c->in = realloc(c->in, c->incap);
      }
      memcpy(c->in, d + u, l);
      c->inlen = l;
    } else if (c->in) {
      free(c->in);
      c->in = 0;
      c->incap = 0;
    }
    if (!c->tls && n < 65536)
      return;
  }
}
