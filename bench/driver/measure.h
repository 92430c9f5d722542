/* CPU time and memory of the server's process tree, of the driver itself and of everybody else, from /proc. */
static double tree_cpu_pid(int pid) {
  char p[64], b[1024];
  snprintf(p, 64, "/proc/%d/stat", pid);
  int fd = open(p, O_RDONLY);
  if (fd < 0)
    return 0;
  int n = read(fd, b, 1023);
  close(fd);
  if (n <= 0)
    return 0;
  b[n] = 0;
  char *q = strrchr(b, ')');
  unsigned long ut, st;
  long cu, cs;
  sscanf(q + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &ut, &st, &cu, &cs);
  return (ut + st) / (double)sysconf(_SC_CLK_TCK);
}
static int all_pids[512], n_all;
static void find_tree(void) { /* o_pids plus all their descendants */
  n_all = 0;
  for (int i = 0; i < o_npids; i++)
    all_pids[n_all++] = o_pids[i];
  bool grew = true;
  static int pp[8192][2];
  int np = 0;
  DIR *d = opendir("/proc");
  struct dirent *e;
  while ((e = readdir(d)) && np < 8192) {
    int pid = atoi(e->d_name);
    if (!pid)
      continue;
    char p[64], b[1024];
    snprintf(p, 64, "/proc/%d/stat", pid);
    int fd = open(p, O_RDONLY);
    if (fd < 0)
      continue;
    int n = read(fd, b, 1023);
    close(fd);
    if (n <= 0)
      continue;
    b[n] = 0;
    char *q = strrchr(b, ')');
    int ppid;
    sscanf(q + 2, "%*c %d", &ppid);
    pp[np][0] = pid;
    pp[np++][1] = ppid;
  }
  closedir(d);
  while (grew) {
    grew = false;
    for (int i = 0; i < np; i++) {
      bool in = false, par = false;
      for (int j = 0; j < n_all; j++) {
        if (all_pids[j] == pp[i][0])
          in = true;
        if (all_pids[j] == pp[i][1])
          par = true;
      }
      if (!in && par && n_all < 512) {
        all_pids[n_all++] = pp[i][0];
        grew = true;
      }
    }
  }
}
static double srv_cpu(void) {
  find_tree();
  double c = 0;
  for (int i = 0; i < n_all; i++)
    c += tree_cpu_pid(all_pids[i]);
  return c;
}
static double srv_rss(void) { /* kB */
  find_tree();
  double r = 0;
  for (int i = 0; i < n_all; i++) {
    char p[64], l[256];
    snprintf(p, 64, "/proc/%d/status", all_pids[i]);
    FILE *f = fopen(p, "r");
    if (!f)
      continue;
    while (fgets(l, 256, f))
      if (!strncmp(l, "VmRSS:", 6))
        r += atof(l + 6);
    fclose(f);
  }
  return r;
}
static double tcp_mem_kb(void) {
  FILE *f = fopen("/proc/net/sockstat", "r");
  char l[256];
  double v = 0;
  while (f && fgets(l, 256, f)) {
    char *q;
    if (!strncmp(l, "TCP:", 4) && (q = strstr(l, "mem ")))
      v = atof(q + 4) * 4;
  }
  if (f)
    fclose(f);
  return v;
}
static double my_cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_utime.tv_usec / 1e6 + r.ru_stime.tv_sec + r.ru_stime.tv_usec / 1e6;
}

/* ---- output ---- */
static double sys_busy(void) {
  FILE *f = fopen("/proc/stat", "r");
  unsigned long v[8] = {0};
  if (!f)
    return 0;
  if (fscanf(f, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7) < 8)
    v[0] = 0;
  fclose(f);
  return (v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) / (double)sysconf(_SC_CLK_TCK);
}
typedef struct {
  double srv, drv, sys;
  u64 t, del, resp;
  double s, dsrv, ddrv, dother;
  u64 ddel, dresp;
} Blk;
static void blk_on(Blk *b) {
  b->sys = sys_busy();
  b->srv = srv_cpu();
  b->drv = my_cpu();
  b->del = deliveries;
  b->resp = responses;
  b->t = now();
}
static void blk_off(Blk *b) {
  b->s = sec(now() - b->t);
  b->dsrv = srv_cpu() - b->srv;
  b->ddrv = my_cpu() - b->drv;
  b->dother = sys_busy() - b->sys - b->dsrv - b->ddrv;
  b->ddel = deliveries - b->del;
  b->dresp = responses - b->resp;
}
static void blk_json(Blk *b, u64 ops) {
  printf("\"s\":%.3f,\"ops\":%lu,\"per_s\":%.1f,\"srv_cpu_us_per\":%.2f,\"srv_cpu_pct\":%.2f,\"drv_cpu_pct\":%.2f,"
         "\"other_cpu_pct\":%.1f,\"http_per_op\":%.3f",
         b->s, (unsigned long)ops, ops / b->s, b->dsrv * 1e6 / (ops ? ops : 1), b->dsrv * 100 / b->s,
         b->ddrv * 100 / b->s, b->dother * 100 / b->s, (double)b->dresp / (ops ? ops : 1));
}

