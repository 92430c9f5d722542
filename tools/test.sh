#!/usr/bin/env bash
# Everything CI checks, in the order in which a failure is cheapest to find.
set -euo pipefail
bin=.venv/bin
step() { printf '\n== %s\n' "$1"; }
step "ruff";             $bin/ruff check .; $bin/ruff format --check .
step "import contracts"; $bin/lint-imports
step "types";            $bin/mypy
step "desktop";          bash tools/install-chromium.sh; bash tools/build-desktop.sh --check
step "tools";            bash tools/install-test-tools.sh
step "tests";            $bin/pytest -m 'not long' "$@"
