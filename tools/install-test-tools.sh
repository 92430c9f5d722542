#!/usr/bin/env bash
# Install what tests drive and Debian has: tshark (with dumpcap), lnav, curl. Safe to repeat.
set -euo pipefail

missing=()
for tool in tshark lnav curl; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if ((${#missing[@]} == 0)); then
  echo "test tools: present"
  exit 0
fi
if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
  echo "test tools: missing ${missing[*]}. As root on Debian: apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}
echo "test tools: installed ${missing[*]}"
