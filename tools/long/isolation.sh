#!/usr/bin/env bash
# 96 QUIC subscribers among four that misbehave, beside the same alone: by how much the others' p99 moves, the noise of quiet runs
# among themselves, and the memory kept for a subscriber. INCONCLUSIVE where the noise is more than the bound; fails where the
# memory for a misbehaving one is over a megabyte, or the p99 moved and the noise does not explain it.
#   RIALTO_SECONDS   of each run (10)      RIALTO_PAIRS   of runs (5)
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${RIALTO_BIN:-target/release/rialto}
line=$("$bin" bench isolation --seconds "${RIALTO_SECONDS:-10}" --pairs "${RIALTO_PAIRS:-5}" --json)
echo "$line"
value() { sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p" <<<"$line"; }
verdict=$(value verdict)
memory=$(value hostile_memory_bytes_max)
echo "p99 of the others moved by $(value moved), noise $(value noise): $verdict; memory for a misbehaving subscriber at most $memory bytes"
[[ $memory -le 1048576 && $verdict != beyond ]]
