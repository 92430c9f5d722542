#!/usr/bin/env bash
# Install from Debian the browser that the desktop's tests drive. Safe to repeat.
set -euo pipefail
if command -v chromium >/dev/null; then
  echo "browser: present ($(command -v chromium))"
  exit 0
fi
install=(apt-get install -y -q --no-install-recommends chromium)
if ! command -v apt-get >/dev/null; then
  echo "browser: this is no Debian machine; install Chromium by its own means, as the command \`chromium\`" >&2
  exit 1
fi
if ((EUID != 0)); then
  echo "browser: Chromium is missing. As root: apt-get update && ${install[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
"${install[@]}" >/dev/null 2>&1 || {
  apt-get update -q >/dev/null
  "${install[@]}" >/dev/null
}
echo "browser: installed"
