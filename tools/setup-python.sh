#!/usr/bin/env bash
# Makes the virtual environment from the lock file. $1: python, $2: folder. Run again only when the lock file changed.
set -euo pipefail
python=$1 venv=$2
"$python" -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Poise needs Python 3.11 or newer, this is " + sys.version.split()[0])'
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -qq -y python3-venv
  else
    echo "Python's venv module is missing. Install it (Debian: apt-get install python3-venv) and run make again." >&2
    exit 1
  fi
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
echo "Installing the pinned packages into $venv ..."
"$venv/bin/pip" install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
"$venv/bin/pip" install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
