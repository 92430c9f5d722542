#!/usr/bin/env bash
# Build the desktop from web/ into src/poise/server/desktop/static, when a source is newer than what is there.
# --if-node: without Node 20 only say so, and let the server run without its desktop. --check: also lint, types and tests.
set -euo pipefail
cd "$(dirname "$0")/.."

page=src/poise/server/desktop/static/index.html
sources=(web/core web/ui web/worker web/index.html web/test.html web/locallog.html web/package-lock.json web/vite.config.ts web/svelte.config.js src/poise/server/desktop/locales)
wanted=${1:-}

if ! command -v npm >/dev/null || ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)'; then
  message="The desktop is built with Node 20 or newer and npm, which this machine lacks (Debian: apt-get install nodejs npm)."
  if [[ $wanted == --if-node ]]; then
    [[ -f $page ]] || echo "$message The server runs without it." >&2
    exit 0
  fi
  echo "$message" >&2
  exit 1
fi

exec 9>web/.lock # two runs at once would install over each other
flock 9
if [[ ! web/node_modules/.package-lock.json -nt web/package-lock.json ]]; then
  echo "Installing the desktop's pinned packages ..."
  (cd web && npm ci --ignore-scripts --no-audit --no-fund --silent)
  touch web/node_modules/.package-lock.json
fi
if [[ ! -f $page || -n $(find "${sources[@]}" -type f -newer "$page" -print -quit) ]]; then
  echo "Building the desktop ..."
  (cd web && npm run --silent build -- --logLevel warn)
fi
if [[ $wanted == --check ]]; then
  (cd web && npm run --silent lint && npm run --silent check && npm test --silent -- --reporter=dot)
fi
