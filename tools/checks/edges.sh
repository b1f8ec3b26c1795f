#!/usr/bin/env bash
# Canaries of a door and of a feed with prepared defects: the good one comes through, each other is stopped by itself.
# needs: python
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
source "$root/tools/checks/defects"
exec "$RIALTO_PYTHON" "$root/tools/checks/edges.py"
