#!/usr/bin/env bash
# Real-time and long proofs. They write their pages under docs/proof: commit those with what they prove.
# FUZZ_SECONDS=120 shortens the ten minutes of hostile bytes; further arguments go to pytest (-k fuzz).
set -euo pipefail
mkdir -p docs/proof
.venv/bin/pytest -m long -o faulthandler_timeout=1800 "$@"
