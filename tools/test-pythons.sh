#!/usr/bin/env bash
# Runs the unit and property tests with each Python from 3.11 to 3.13 that this machine has, each in an environment of its own.
set -uo pipefail
cd "$(dirname "$0")/.."
absent=() failed=()
find_python() { # a pyenv shim is no Python: only one that answers with its version counts
  local candidate
  for candidate in $(compgen -G "$HOME/.pyenv/versions/$1.*/bin/python") "python$1"; do
    "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null && echo "$candidate" && return
  done
}
for version in 3.11 3.12 3.13; do
  python=$(find_python "$version")
  if [ -z "$python" ] || ! "$python" -c 'import ensurepip' 2>/dev/null; then absent+=("$version"); continue; fi
  venv=.cache/python-$version
  echo "== Python $version ($("$python" --version))"
  if [ ! -x "$venv/bin/pytest" ] || [ requirements/dev.lock -nt "$venv/.stamp" ]; then
    bash tools/setup-python.sh "$python" "$venv" && touch "$venv/.stamp" || { failed+=("$version"); continue; }
  fi
  "$venv/bin/pytest" -q -m 'not long' tests/unit tests/property "$@" || failed+=("$version")
done
echo "absent: ${absent[*]:-none}; failed: ${failed[*]:-none}"
[ ${#failed[@]} -eq 0 ]
