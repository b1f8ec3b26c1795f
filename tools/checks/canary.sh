#!/usr/bin/env bash
# Canaries of an engine, a door and a feed with prepared defects: the good one comes through, each other is stopped by itself.
# needs: python
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
source "$root/tools/checks/defects"
"$RIALTO_PYTHON" "$root/tools/checks/canary.py"
[[ -n ${RIALTO_ONLY-} ]] || "$RIALTO_PYTHON" "$root/tools/checks/edges.py"
