#!/usr/bin/env bash
# A quiet firm beside a noisy one, with the venue's controls and without: no order of the quiet firm is lost or refused, the noisy
# one is refused for its budget and its open orders, in coalesced records, and each run's journal replays to its hashes.
# Times are stated and decide nothing; tools/long/neighbour.sh has them of longer runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec "${RIALTO_BIN:-target/release/rialto}" bench neighbour --measure-ms 400 --warm-ms 100 --rounds 1 --only hundred,rejects,http
