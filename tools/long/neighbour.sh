#!/usr/bin/env bash
# The table of a quiet firm beside a noisy one, six ways to be noisy, with the venue's controls and without; the noisy firm's limit is
# a fifth of what the machine carries. Fails where the quiet firm's p50 or p99 is more than 1.5 times that of the quiet runs
# about it though there are controls, unless quiet runs among themselves differ by as much (INCONCLUSIVE, the noise is
# stated), and where nothing is shown without them; and as tools/checks/neighbour.sh does.
#   RIALTO_SECONDS   of each run (4)      RIALTO_ROUNDS   of all runs, of which the median is taken (5)
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${RIALTO_BIN:-target/release/rialto}
table=$("$bin" bench neighbour --measure-ms "$((${RIALTO_SECONDS:-4} * 1000))" --rounds "${RIALTO_ROUNDS:-5}")
echo "$table"
value() { sed -n "s/^$1 *//p" <<<"$table"; }
[[ $(value beyond) -eq 0 && $(value not_shown) -eq 0 ]]
