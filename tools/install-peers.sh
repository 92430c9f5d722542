#!/usr/bin/env bash
# Install the servers that the conformance suite and the benchmarks are compared with: Prosody and ejabberd from Debian.
# Safe to repeat. Neither package may start its service here: each run starts a private instance, on loopback, and ends it.
set -euo pipefail

packages=(prosody ejabberd)
missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "peers: present (${packages[*]})"
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "peers: ${missing[*]} missing, and this is no Debian machine; nothing installed" >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "peers: ${missing[*]} missing. As root: bash tools/install-peers.sh" >&2
  exit 1
fi

# While the packages unpack, invoke-rc.d must answer "forbidden" (101); a policy that is already there is kept.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
}

# At the machine's next start, too, they stay off.
if command -v systemctl >/dev/null; then
  systemctl disable -q "${missing[@]}" 2>/dev/null || true
fi
for package in "${missing[@]}"; do
  update-rc.d "$package" disable >/dev/null 2>&1 || true
done
echo "peers: installed ${missing[*]}"
