/* Types, options and counters of the load driver. */
typedef uint64_t u64;
enum { K_BOSH, K_WS, K_TCP };
enum { ST_CONN, ST_OPEN, ST_AUTH, ST_RESTART, ST_BIND, ST_SESSION, ST_SUB, ST_PRES, ST_READY, ST_TERM, ST_DEAD };
static const char *stname[] = {"CONN", "OPEN", "AUTH",  "RESTART", "BIND", "SESSION",
                               "SUB",  "PRES", "READY", "TERM",    "DEAD"};

typedef struct Sess Sess;
typedef struct Conn {
  int fd;
  uint8_t connected, want_out, idx;
  int inflight;
  uint8_t ws_open;
  char *in;
  int inlen, incap;
  char *out;
  int outlen, outcap;
  Sess *s;
  SSL *tls;       /* NULL on a plain connection */
  bool tcp_up;    /* TCP connected, TLS handshake perhaps still running */
} Conn;
struct Sess {
  int id, kind, st, polls;
  bool is_pub;
  char user[48], sid[96], node[64];
  u64 rid, t0, got, http_done;
  bool offered_session;
  Conn c[2];
};

/* ---- options ---- */
static const char *o_host = "127.0.0.1", *o_path = "/http-bind", *o_wspath = "/ws", *o_domain = "localhost",
                  *o_pubsub = "pubsub.localhost";
static const char *o_user = "u%05d", *o_pass = "pw", *o_admin = "admin", *o_adminpass = "pw",
                  *o_nodepat = "/finesse/api/User/%05d", *o_label = "";
static const char *o_kind = "bosh", *o_subjid = "bare", *o_raw = 0, *o_nodecfg = 0;
static int o_port = 5280, o_tcpport = 5222, o_n = 100, o_conc = 32, o_wait = 30, o_hold = 1, o_first = 0, o_session = 1,
           o_payload = 1500, o_window = 128, o_create = 1, o_term = 1, o_echo = 1, o_pubn = 1, o_items = 20,
           o_settle = 5, o_windows = 1, o_notif_ns = 0, o_verbose = 0, o_sub = 1, o_minimal = 0, o_repeat = 3,
           o_sat = 1, o_retries = 2;
static double o_maxother = 25;
static const char *o_stages = 0;
static double o_secs = 10, o_rate = 0, o_warm = 2, o_itemrate = 1, o_maxsetup = 240;
static int o_pids[16], o_npids = 0;

static int o_tls = 0;
static SSL_CTX *tls_ctx;
static int ep;
static char *rbuf;
enum { RB = 1 << 20 };
static Sess *S;
static int nready, nstarted, ndead, nterm;
static Sess *P; /* publishers */
static u64 deliveries, responses, empties, bytes_in, reconnects, pub_results, pub_errors, stanza_errs;
static int target_st = ST_READY;
static bool measuring, want_sub;
static double *lat;
static size_t nlat, caplat;
static u64 last_delivery_ns;
static u64 last_deliv_item;
static bool two_conn, ender;

static u64 now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (u64)t.tv_sec * 1000000000ull + t.tv_nsec;
}
static double sec(u64 ns) {
  return ns / 1e9;
}
static void die(const char *f, ...) {
  va_list a;
  va_start(a, f);
  fprintf(stderr, "xdrive: ");
  vfprintf(stderr, f, a);
  fputc('\n', stderr);
  va_end(a);
  exit(1);
}

/* ---- server process tree figures ---- */
