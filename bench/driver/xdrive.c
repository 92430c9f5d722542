/* xdrive: neutral XMPP load driver (BOSH over HTTP/1.1 keep-alive, WebSocket RFC 7395, TCP c2s).
 * One thread, epoll, raw sockets. Loopback only, bounded by count and time.
 * gcc -O2 -o xdrive xdrive.c -lm -lssl -lcrypto
 * usage: xdrive MODE [--opt value]...     MODE = setup | idle | unicast | fanout | turn
 * prints one JSON line on stdout. See README.md beside it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "state.h"
#include "measure.h"
#include "net.h"
#include "wire.h"
#include "reader.h"
#include "sessions.h"
#include "publish.h"

int main(int argc, char **argv) {
  if (argc < 2)
    die("mode?");
  const char *mode = argv[1];
  signed i;
  setvbuf(stdout, 0, _IOLBF, 0);
  for (i = 2; i + 1 < argc; i += 2) {
    const char *k = argv[i], *v = argv[i + 1];
#define SO(n, x) else if (!strcmp(k, "--" n)) x = v
#define IO(n, x) else if (!strcmp(k, "--" n)) x = atoi(v)
#define DO(n, x) else if (!strcmp(k, "--" n)) x = atof(v)
    if (!strcmp(k, "--pid")) {
      char *t = strdup(v), *q = strtok(t, ",");
      while (q) {
        o_pids[o_npids++] = atoi(q);
        q = strtok(0, ",");
      }
    }
    SO("host", o_host);
    SO("path", o_path);
    SO("wspath", o_wspath);
    SO("domain", o_domain);
    SO("pubsub", o_pubsub);
    SO("user", o_user);
    SO("pass", o_pass);
    SO("admin", o_admin);
    SO("adminpass", o_adminpass);
    SO("nodepat", o_nodepat);
    SO("label", o_label);
    SO("kind", o_kind);
    SO("subjid", o_subjid);
    SO("nodecfg", o_nodecfg);
    IO("tls", o_tls);
    IO("port", o_port);
    IO("tcpport", o_tcpport);
    IO("n", o_n);
    IO("conc", o_conc);
    IO("wait", o_wait);
    IO("hold", o_hold);
    IO("first", o_first);
    IO("session", o_session);
    IO("payload", o_payload);
    IO("window", o_window);
    IO("create", o_create);
    IO("term", o_term);
    IO("echo", o_echo);
    IO("pubs", o_pubn);
    IO("items", o_items);
    IO("settle", o_settle);
    IO("windows", o_windows);
    IO("verbose", o_verbose);
    IO("sub", o_sub);
    IO("minimal", o_minimal);
    IO("repeat", o_repeat);
    IO("sat", o_sat);
    IO("retries", o_retries);
    DO("maxother", o_maxother);
    SO("stages", o_stages);
    DO("secs", o_secs);
    DO("rate", o_rate);
    DO("warm", o_warm);
    DO("itemrate", o_itemrate);
    DO("maxsetup", o_maxsetup);
    else die("unknown option %s", k);
  }
  int kind = !strcmp(o_kind, "bosh") ? K_BOSH : !strcmp(o_kind, "ws") ? K_WS : K_TCP;
  sprintf(hdr_tmpl,
          "POST %s HTTP/1.1\r\nHost: %s:%d\r\n%sContent-Type: text/xml; charset=utf-8\r\nContent-Length: ", o_path,
          o_domain, o_port,
          o_minimal ? ""
                    : "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0\r\nAccept: "
                      "*/*\r\nAccept-Language: en-US,en;q=0.5\r\nOrigin: http://localhost\r\nConnection: "
                      "keep-alive\r\nReferer: http://localhost/desktop/container/\r\n");
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  rl.rlim_cur = rl.rlim_max;
  setrlimit(RLIMIT_NOFILE, &rl);
  if (o_tls) { /* the server's certificate is not checked: what is measured is the server */
    tls_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(tls_ctx, SSL_VERIFY_NONE, 0);
    SSL_CTX_set_mode(tls_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  }
  ep = epoll_create1(0);
  rbuf = malloc(RB);
  S = calloc(o_n, sizeof *S);
  make_payload();
  bool ps = !strcmp(mode, "unicast") || !strcmp(mode, "fanout");
  bool fan = !strcmp(mode, "fanout");
  want_sub = ps && o_sub;
  two_conn = !strcmp(mode, "turn");
  for (i = 0; i < o_n; i++) {
    Sess *s = &S[i];
    s->id = i;
    s->kind = kind;
    snprintf(s->user, sizeof s->user, o_user, i + o_first);
    snprintf(s->node, sizeof s->node, o_nodepat, fan ? 99999 : i);
    s->c[0].fd = s->c[1].fd = -1;
  }
  printf("{\"label\":\"%s\",\"mode\":\"%s\",\"kind\":\"%s\",\"n\":%d,\"payload\":%d", o_label, mode, o_kind, o_n,
         pl_len);
  double rss0 = srv_rss(), tm0 = tcp_mem_kb(), tcreate = 0;
  if (ps) {
    start_pubs();
    tcreate = create_nodes(fan ? 1 : o_n);
    printf(",\"create_nodes_s\":%.2f", tcreate);
  }
  Blk B;
  int total = o_n;
  int stg[8], nst = 0;
  if (o_stages) {
    char *t = strdup(o_stages), *q = strtok(t, ",");
    while (q && nst < 8) {
      stg[nst++] = atoi(q);
      q = strtok(0, ",");
    }
  }
  if (!strcmp(mode, "idle")) {
    if (!nst)
      stg[nst++] = o_n;
    printf(",\"rss0_kb\":%.0f,\"stages\":[", rss0);
    int prev = 0;
    for (int g = 0; g < nst; g++) {
      if (stg[g] > total)
        die("--n must cover the last stage");
      o_n = stg[g];
      int r0 = nready;
      blk_on(&B);
      start_more();
      blk_off(&B);
      printf("%s{\"n\":%d,\"setup\":{", g ? "," : "", stg[g]);
      blk_json(&B, nready - r0);
      double ra = srv_rss();
      run_for(o_settle);
      double rb = srv_rss();
      printf("},\"rss_ready_kb\":%.0f,\"rss_settled_kb\":%.0f,\"rss_per_session_kb\":%.2f,\"tcpmem_kb\":%.0f,"
             "\"windows\":[",
             ra, rb, (rb - rss0) / nready, tcp_mem_kb() - tm0);
      for (int w = 0; w < o_windows; w++) {
        blk_on(&B);
        run_for(o_secs);
        blk_off(&B);
        printf("%s{", w ? "," : "");
        blk_json(&B, B.dresp);
        printf(",\"cpu_pct_per_1000\":%.4f,\"rss_kb\":%.0f,\"rss_per_session_kb\":%.2f,\"live\":%d}",
               B.dsrv * 100 / B.s / nready * 1000, srv_rss(), (srv_rss() - rss0) / nready, nready);
        fflush(stdout);
      }
      printf("],\"dead\":%d,\"reconnects\":%lu}", ndead, (unsigned long)reconnects);
      prev = stg[g];
      (void)prev;
    }
    o_n = total;
    printf("]}\n");
    fflush(stdout);
    terminate_all();
    return 0;
  }
  blk_on(&B);
  start_all();
  blk_off(&B);
  printf(",\"setup\":{");
  blk_json(&B, nready);
  printf(",\"ready\":%d,\"dead\":%d}", nready, ndead);
  if (!nready) {
    printf("}\n");
    return 1;
  }
  if (!strcmp(mode, "setup")) {
    int live = nready;
    blk_on(&B);
    terminate_all();
    blk_off(&B);
    printf(",\"term\":{");
    blk_json(&B, live);
    printf(",\"ok\":%d}}\n", nterm);
    return 0;
  }
  int rep, tries;
  if (!strcmp(mode, "turn")) {
    if (kind != K_BOSH)
      die("turn is for bosh");
    run_for(1);
    for (i = 0; i < o_n; i++)
      if (S[i].st == ST_READY) {
        conn_open(&S[i], 1, o_port);
        bosh_send(&S[i].c[1], "", "", 0);
      }
    run_for(o_warm);
    printf(",\"turn\":[");
    for (rep = tries = 0; rep < o_repeat; rep++) {
      blk_on(&B);
      run_for(o_secs);
      blk_off(&B);
      if (B.dother * 100 / B.s > o_maxother && tries++ < o_retries) {
        rep--;
        continue;
      }
      printf("%s{", rep ? "," : "");
      blk_json(&B, B.dresp);
      printf(",\"dead\":%d}", ndead);
    }
    printf("]");
  } else if (!strcmp(mode, "unicast")) {
    run_for(1);
    int k = 0;
    long lost = 0;
    if (o_sat) { /* saturation: closed loop, o_window undelivered at a time */
      printf(",\"sat\":[");
      u64 start_d = deliveries, start_p = published;
      for (rep = -1, tries = 0; rep < o_repeat; rep++) {
        nlat = 0;
        measuring = rep >= 0;
        blk_on(&B);
        u64 tend = now() + (u64)((rep >= 0 ? o_secs : o_warm) * 1e9);
        while (now() < tend) {
          while ((published - start_p) - (deliveries - start_d) < (u64)o_window) {
            publish(k, now());
            if (++k == o_n)
              k = 0;
          }
          poll_once(now() + 20000000ull);
        }
        blk_off(&B);
        if (rep < 0)
          continue;
        if (B.dother * 100 / B.s > o_maxother && tries++ < o_retries) {
          rep--;
          continue;
        }
        printf("%s{\"window\":%d,", rep ? "," : "", o_window);
        blk_json(&B, B.ddel);
        printf(",");
        jlat();
        printf("}");
        fflush(stdout);
      }
      measuring = false;
      u64 lim = now() + 3000000000ull;
      while ((deliveries - start_d) < (published - start_p) && now() < lim)
        poll_once(now() + 20000000ull);
      lost += (long)((published - start_p) - (deliveries - start_d));
      printf("]");
    }
    if (o_rate > 0) { /* fixed rate, open loop; stamp = the time it was due */
      printf(",\"rate_%d\":[", (int)o_rate);
      for (rep = tries = 0; rep < o_repeat; rep++) {
        nlat = 0;
        run_for(.5);
        double w = .5;
        u64 t0 = now(), end = t0 + (u64)((w + o_secs) * 1e9), mstart = t0 + (u64)(w * 1e9);
        double step_ns = 1e9 / o_rate;
        u64 j = 0, start_d = deliveries, start_p = published;
        bool on = false;
        while (1) {
          u64 t = now();
          if (t >= end)
            break;
          if (!on && t >= mstart) {
            on = measuring = true;
            blk_on(&B);
          }
          u64 due = t0 + (u64)(j * step_ns);
          if (t >= due) {
            publish(k, due);
            if (++k == o_n)
              k = 0;
            j++;
            continue;
          }
          poll_once(due < end ? due : end);
        }
        blk_off(&B);
        u64 lim = now() + 5000000000ull;
        while ((deliveries - start_d) < (published - start_p) && now() < lim)
          poll_once(now() + 20000000ull);
        measuring = false;
        lost += (long)((published - start_p) - (deliveries - start_d));
        if (B.dother * 100 / B.s > o_maxother && tries++ < o_retries) {
          rep--;
          continue;
        }
        printf("%s{\"rate\":%.0f,", rep ? "," : "", o_rate);
        blk_json(&B, B.ddel);
        printf(",");
        jlat();
        printf("}");
        fflush(stdout);
      }
      printf("]");
    }
    printf(",\"lost\":%ld,\"pub_errors\":%lu,\"dead\":%d", lost, (unsigned long)pub_errors, ndead);
  } else if (fan) {
    run_for(1);
    double *tl = calloc(o_items + 1, sizeof *tl);
    u64 lost = 0;
    {
      u64 d0 = deliveries, pb = published;
      u64 tend = now() + (u64)(o_warm * 1e9);
      while (now() < tend) {
        while ((published - pb) * (u64)nready < deliveries - d0 + (u64)nready)
          publish(99999, now());
        poll_once(now() + 20000000ull);
      }
      u64 lim = now() + 10000000000ull;
      while (deliveries - d0 < (published - pb) * (u64)nready && now() < lim)
        poll_once(now() + 20000000ull);
      run_for(.5);
    }
    printf(",\"paced\":[");
    for (rep = tries = 0; rep < o_repeat; rep++) {
      int nt = 0;
      nlat = 0;
      blk_on(&B);
      for (i = 0; i < o_items; i++) {
        u64 t = now(), d0 = deliveries;
        measuring = true;
        publish(99999, t);
        u64 nx = t + (u64)(1e9 / o_itemrate);
        bool full = false;
        while (now() < nx || (!full && now() < nx + 10000000000ull)) {
          if (!full && deliveries - d0 >= (u64)nready) {
            full = true;
            tl[nt++] = (last_delivery_ns - t) / 1e6;
          }
          poll_once(nx > now() ? nx : now() + 10000000ull);
        }
        if (!full)
          lost += nready - (deliveries - d0);
      }
      measuring = false;
      blk_off(&B);
      if (B.dother * 100 / B.s > o_maxother && tries++ < o_retries) {
        rep--;
        continue;
      }
      qsort(tl, nt, sizeof *tl, cmpd);
      printf("%s{", rep ? "," : "");
      blk_json(&B, B.ddel);
      printf(",\"items\":%d,\"itemrate\":%.2f,\"last_ms\":{\"p50\":%.2f,\"min\":%.2f,\"max\":%.2f},", nt, o_itemrate,
             pct(tl, nt, .5), nt ? tl[0] : -1, nt ? tl[nt - 1] : -1);
      jlat();
      printf("}");
      fflush(stdout);
    }
    printf("]");
    nlat = 0;
    for (int w = 1; w <= o_window; w = w == 1 ? o_window : o_window + 1) {
      printf(",\"flat_w%d\":[", w); /* flat out, w items outstanding */
      for (rep = tries = 0; rep < o_repeat; rep++) {
        u64 d0 = deliveries, pb = published;
        u64 t0 = now(), tend = t0 + 300000000ull;
        bool on = false;
        while (1) {
          u64 t = now();
          if (t >= tend) {
            if (on)
              break;
            on = true;
            blk_on(&B);
            tend = now() + (u64)(o_secs * 1e9);
          }
          while ((published - pb) * (u64)nready < deliveries - d0 + (u64)w * nready &&
                 (published - pb) * (u64)nready <= deliveries - d0 + (u64)(w - 1) * nready)
            publish(99999, now());
          poll_once(now() + 20000000ull);
        }
        blk_off(&B);
        u64 lim = now() + 10000000000ull;
        while (deliveries - d0 < (published - pb) * (u64)nready && now() < lim)
          poll_once(now() + 20000000ull);
        if (B.dother * 100 / B.s > o_maxother && tries++ < o_retries) {
          rep--;
          continue;
        }
        printf("%s{", rep ? "," : "");
        blk_json(&B, B.ddel);
        printf("}");
        fflush(stdout);
      }
      printf("]");
      if (o_window == 1)
        break;
    }
    printf(",\"lost\":%lu,\"pub_errors\":%lu,\"dead\":%d", (unsigned long)lost, (unsigned long)pub_errors, ndead);
  }
  printf("}\n");
  fflush(stdout);
  terminate_all();
  return 0;
}

