#!/usr/bin/env bash
# Install from Debian what the client tests need: libpurple and gloox with a compiler for our small programs around them,
# Pidgin with a screen that only exists in memory, and Node with npm unless there is one already. Safe to repeat.
set -euo pipefail

packages=(pidgin libpurple-dev libgloox-dev g++ pkg-config xvfb xdotool)
command -v node >/dev/null && command -v npm >/dev/null || packages+=(nodejs npm)
missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "clients: present (${packages[*]})"
  exit 0
fi

install=(apt-get install -y -q --no-install-recommends "${missing[@]}")
if ! command -v apt-get >/dev/null; then
  echo "clients: this is no Debian machine; install by its own means: ${missing[*]}" >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "clients: ${missing[*]} missing. As root: apt-get update && ${install[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
"${install[@]}" >/dev/null 2>&1 || {
  apt-get update -q >/dev/null
  "${install[@]}" >/dev/null
}
echo "clients: installed ${missing[*]}"
