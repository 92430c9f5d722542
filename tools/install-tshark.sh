#!/usr/bin/env bash
# Install tshark, which reads captures for `poise cti decode` and checks the dissector. Safe to repeat.
set -euo pipefail

if command -v tshark >/dev/null; then
  echo "tshark: present"
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "tshark: missing, and this is no Debian machine; nothing installed" >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "tshark: missing. As root: bash tools/install-tshark.sh" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q --no-install-recommends tshark >/dev/null 2>&1 || {
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends tshark >/dev/null
}
echo "tshark: installed"
