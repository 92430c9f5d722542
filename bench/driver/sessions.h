/* Starting, running and ending many sessions. */
static void sess_start(Sess *s) {
  s->t0 = now();
  s->rid = 1000000 + (u64)s->id * 1000 + (now() & 0xffff) * 7;
  s->st = s->kind == K_WS ? ST_CONN : ST_OPEN;
  s->sid[0] = 0;
  s->got = 0;
  s->c[1].fd = -1;
  s->c[1].s = s;
  conn_open(s, 0, s->kind == K_TCP ? o_tcpport : o_port);
  if (s->kind == K_WS) {
    char b[600];
    int n = sprintf(b,
                    "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
                    "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\nOrigin: "
                    "http://localhost\r\n\r\n",
                    o_wspath, o_domain, o_port);
    conn_send(&s->c[0], b, n);
  } else
    step(s);
}
static void poll_once(u64 until) { /* wait at most until (ns) */
  static struct epoll_event evs[512];
  u64 t = now();
  struct timespec ts = {0, 0};
  if (until > t) {
    u64 d = until - t;
    ts.tv_sec = d / 1000000000ull;
    ts.tv_nsec = d % 1000000000ull;
  }
  int n = epoll_pwait2(ep, evs, 512, &ts, 0);
  if (n < 0) {
    if (errno == EINTR)
      return;
    die("epoll");
  }
  for (int i = 0; i < n; i++) {
    Conn *c = evs[i].data.ptr;
    if (c->fd < 0)
      continue;
    if (!c->connected) {
      if (!conn_up(c))
        continue;
    } else if (evs[i].events & EPOLLOUT) {
      conn_flush(c);
      if (c->fd < 0)
        continue;
    }
    if (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
      conn_in(c);
  }
}
static void run_for(double s) {
  u64 e = now() + (u64)(s * 1e9);
  while (now() < e)
    poll_once(e);
}

static void start_more(void) {
  u64 lim = now() + (u64)(o_maxsetup * 1e9);
  while (nready + ndead < o_n) {
    while (nstarted < o_n && nstarted - nready - ndead < o_conc)
      sess_start(&S[nstarted++]);
    u64 t = now();
    if (t > lim) {
      fprintf(stderr, "set-up time limit: ready %d dead %d\n", nready, ndead);
      break;
    }
    poll_once(t + 100000000ull);
  }
}
static double start_all(void) { /* set up all sessions; returns seconds */
  u64 t0 = now(), lim = t0 + (u64)(o_maxsetup * 1e9);
  nstarted = nready = 0;
  int base = ndead;
  while (nready + (ndead - base) < o_n) {
    while (nstarted < o_n && nstarted - nready - (ndead - base) < o_conc)
      sess_start(&S[nstarted++]);
    u64 t = now();
    if (t > lim) {
      fprintf(stderr, "set-up time limit: ready %d dead %d\n", nready, ndead);
      break;
    }
    poll_once(t + 100000000ull);
  }
  return sec(now() - t0);
}
static void terminate_all(void) {
  if (!o_term)
    return;
  ender = true;
  if (two_conn)
    run_for(.3);
  int live = 0, next = 0;
  nterm = 0;
  u64 lim = now() + 120000000000ull;
  while (1) {
    while (next < o_n && live - nterm < 64) {
      Sess *s = &S[next++];
      if (s->st != ST_READY)
        continue;
      live++;
      s->st = ST_TERM;
      if (s->kind == K_BOSH) {
        Conn *c = s->c[0].fd >= 0 && !s->c[0].inflight ? &s->c[0] : &s->c[1];
        if (c->fd < 0)
          conn_open(s, c->idx ? c->idx : c == &s->c[1], o_port);
        if (c->inflight) {
          nterm++;
          s->st = ST_DEAD;
          conn_close(&s->c[0]);
          conn_close(&s->c[1]);
          continue;
        }
        bosh_send(c, " type='terminate'", "<presence type='unavailable' xmlns='jabber:client'/>", 52);
      } else if (s->kind == K_WS)
        ws_send(&s->c[0], "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", 52, 1);
      else
        conn_send(&s->c[0], "</stream:stream>", 16);
    }
    if (nterm >= live && next >= o_n)
      break;
    u64 t = now();
    if (t > lim) {
      fprintf(stderr, "terminate: limit, %d of %d\n", nterm, live);
      break;
    }
    poll_once(t + 50000000ull);
  }
}
static int cmpd(const void *a, const void *b) {
  double x = *(double *)a, y = *(double *)b;
  return x < y ? -1 : x > y;
}
static double pct(double *a, size_t n, double p) {
  if (!n)
    return -1;
  size_t i = (size_t)(p * (n - 1) + .5);
  return a[i];
}

