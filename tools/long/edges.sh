#!/usr/bin/env bash
# Every prepared defect of a door and of a feed, and three runs each of those that are a matter of cost.
#   RIALTO_RUNS  of each of those (3)
#   RIALTO_GATE  set: a wrong verdict about cost or delay fails the run
# needs: python
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export RIALTO_DEFECTS=${RIALTO_DEFECTS:-${RIALTO_BIN}-defects} RIALTO_ALL=1
[[ -x $RIALTO_DEFECTS ]] || { echo "run tools/checks/canary.sh first: it builds $RIALTO_DEFECTS" >&2; exit 1; }
exec "$RIALTO_PYTHON" "$root/tools/checks/edges.py"
