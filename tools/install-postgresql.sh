#!/usr/bin/env bash
# Install PostgreSQL, on which the tests of the storage run as well as on SQLite. Safe to repeat. Its own cluster is not
# used: the tests start one of theirs.
set -euo pipefail

if compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || command -v initdb >/dev/null; then
  echo "postgresql: present"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "postgresql: missing, and this is no Debian machine; nothing installed" >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "postgresql: missing. As root: bash tools/install-postgresql.sh" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q --no-install-recommends postgresql >/dev/null 2>&1 || {
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends postgresql >/dev/null
}
echo "postgresql: installed"
