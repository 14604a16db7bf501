#!/usr/bin/env bash
# Installs the gate alone, from this repository, by its own lock: no torch, nothing else resolved.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
python -m pip install --quiet --no-deps -r "$here/requirements-gate.txt" "$here"
