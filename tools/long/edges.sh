#!/usr/bin/env bash
# Every prepared defect of a door and of a feed, and three runs each of those that are a matter of cost.
#   RIALTO_RUNS  of each of those (3)
#   RIALTO_GATE  set: a wrong verdict about cost or delay fails the run
# needs: python
set -euo pipefail
RIALTO_ALL=1 exec "$(dirname "$0")/../checks/edges.sh"
