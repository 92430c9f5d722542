#!/usr/bin/env bash
# Builds the load driver, installs the peers (when root), measures every server in one run, writes bench/report.md.
set -euo pipefail
cd "$(dirname "$0")/.."
need() { command -v "$1" >/dev/null || missing+=("$2"); }
missing=()
need gcc gcc; need taskset util-linux
[ -e /usr/include/openssl/ssl.h ] || missing+=(libssl-dev)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ]; then apt-get install -qq -y "${missing[@]}" >/dev/null
  else echo "Missing: ${missing[*]}. Install them (Debian: apt-get install ${missing[*]}) and run make bench again." >&2; exit 2; fi
fi
bash tools/install-peers.sh
gcc -O2 -w -o bench/xdrive bench/driver/xdrive.c -lm -lssl -lcrypto
exec .venv/bin/python -m bench.run "$@"
