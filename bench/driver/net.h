/* Sockets: non-blocking connect, optional TLS, buffered output. */
static void ev(Conn *c, int ops) {
  struct epoll_event e = {.events = ops, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
/* send(2) and recv(2), over TLS where the connection has it: same return values, errno EAGAIN when the socket is not ready */
static ssize_t tls_result(Conn *c, int r) {
  if (r > 0)
    return r;
  int e = SSL_get_error(c->tls, r);
  if (e == SSL_ERROR_ZERO_RETURN)
    return 0;
  errno = e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
  return -1;
}
static ssize_t io_send(Conn *c, const char *b, int n) {
  return c->tls ? tls_result(c, SSL_write(c->tls, b, n)) : send(c->fd, b, n, MSG_NOSIGNAL);
}
static ssize_t io_recv(Conn *c, char *b, int n) {
  return c->tls ? tls_result(c, SSL_read(c->tls, b, n)) : recv(c->fd, b, n, 0);
}
static void conn_close(Conn *c) {
  if (c->tls) {
    SSL_free(c->tls);
    c->tls = 0;
  }
  if (c->fd >= 0) {
    close(c->fd);
    c->fd = -1;
  }
  c->connected = 0;
  c->inlen = c->outlen = c->inflight = c->want_out = c->ws_open = 0;
  free(c->in);
  c->in = 0;
  c->incap = 0;
  free(c->out);
  c->out = 0;
  c->outcap = 0;
}
static void sess_dead(Sess *s, const char *why) {
  if (s->st == ST_DEAD)
    return;
  if (s->st == ST_TERM)
    nterm++;
  else {
    ndead++;
    if (ndead <= 5 || o_verbose)
      fprintf(stderr, "xdrive: session %s died in %s: %s\n", s->user, stname[s->st], why);
    if (s->st == ST_READY)
      nready--;
  }
  s->st = ST_DEAD;
  conn_close(&s->c[0]);
  conn_close(&s->c[1]);
}
static void conn_flush(Conn *c) {
  if (!c->connected || !c->outlen)
    return;
  ssize_t n = io_send(c, c->out, c->outlen);
  if (n < 0) {
    if (errno == EAGAIN)
      n = 0;
    else {
      sess_dead(c->s, "send");
      return;
    }
  }
  if (n < c->outlen) {
    memmove(c->out, c->out + n, c->outlen - n);
    c->outlen -= n;
    if (!c->want_out) {
      c->want_out = 1;
      ev(c, EPOLLIN | EPOLLOUT);
    }
  } else {
    c->outlen = 0;
    free(c->out);
    c->out = 0;
    c->outcap = 0;
    if (c->want_out) {
      c->want_out = 0;
      ev(c, EPOLLIN);
    }
  }
}
static void conn_queue(Conn *c, const char *b, int n) {
  if (c->outlen + n > c->outcap) {
    c->outcap = (c->outlen + n) * 2;
    c->out = realloc(c->out, c->outcap);
  }
  memcpy(c->out + c->outlen, b, n);
  c->outlen += n;
}
static void conn_send(Conn *c, const char *b, int n) {
  if (c->fd < 0) {
    sess_dead(c->s, "no conn");
    return;
  }
  if (c->connected && !c->outlen) {
    ssize_t w = io_send(c, b, n);
    if (w < 0) {
      if (errno != EAGAIN) {
        sess_dead(c->s, "send");
        return;
      }
      w = 0;
    }
    if (w == n)
      return;
    b += w;
    n -= w;
    conn_queue(c, b, n);
    c->want_out = 1;
    ev(c, EPOLLIN | EPOLLOUT);
    return;
  }
  conn_queue(c, b, n);
}
static void conn_open(Sess *s, int idx, int port) {
  Conn *c = &s->c[idx];
  memset(c, 0, sizeof *c);
  c->s = s;
  c->idx = idx;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0)
    die("socket: %s", strerror(errno));
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, o_host, &a.sin_addr);
  if ((ntohl(a.sin_addr.s_addr) >> 24) != 127)
    die("loopback only");
  if (o_tls && s->kind != K_TCP) {
    c->tls = SSL_new(tls_ctx);
    SSL_set_fd(c->tls, c->fd);
    SSL_set_tlsext_host_name(c->tls, o_domain);
    SSL_set_connect_state(c->tls);
  }
  int r = connect(c->fd, (struct sockaddr *)&a, sizeof a);
  if (r < 0 && errno != EINPROGRESS)
    die("connect: %s", strerror(errno));
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
  c->want_out = 1;
  epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
}

/* Drives a connection that is not up yet: TCP first, then the TLS handshake. Returns true when it may carry data. */
static bool conn_up(Conn *c) {
  if (!c->tcp_up) {
    int er = 0;
    socklen_t l = sizeof er;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &er, &l);
    if (er) {
      sess_dead(c->s, strerror(er));
      return false;
    }
    c->tcp_up = true;
  }
  if (c->tls) {
    int r = SSL_do_handshake(c->tls);
    if (r != 1) {
      int e = SSL_get_error(c->tls, r);
      if (e == SSL_ERROR_WANT_READ)
        ev(c, EPOLLIN);
      else if (e == SSL_ERROR_WANT_WRITE)
        ev(c, EPOLLIN | EPOLLOUT);
      else
        sess_dead(c->s, "TLS handshake");
      return false;
    }
  }
  c->connected = 1;
  c->want_out = 0;
  if (c->outlen)
    conn_flush(c);
  if (c->fd >= 0 && !c->want_out)
    ev(c, EPOLLIN);
  return c->fd >= 0;
}
