#!/usr/bin/env bash
# The table of a quiet firm beside a noisy one, six ways to be noisy, with the venue's controls and without. Fails where the quiet
# firm's p50 or p99 is more than 1.5 times that of a quiet run beside it though there are controls, unless quiet runs among
# themselves differ by as much (INCONCLUSIVE, the noise is stated), and where it is not without them; and as
# tools/checks/neighbour.sh does.
#   RIALTO_SECONDS   of each run (4)      RIALTO_ROUNDS   of all runs (1)
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${RIALTO_BIN:-target/release/rialto}
table=$("$bin" bench neighbour --measure-ms "$((${RIALTO_SECONDS:-4} * 1000))" --rounds "${RIALTO_ROUNDS:-1}")
echo "$table"
value() { sed -n "s/^$1 *//p" <<<"$table"; }
[[ $(value beyond) -eq 0 && $(value harmless) -eq 0 ]]
