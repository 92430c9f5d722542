#!/usr/bin/env bash
# Real-time and long proofs.
set -euo pipefail
.venv/bin/pytest -m long "$@"
