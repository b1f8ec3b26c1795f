#!/usr/bin/env bash
# Two hostile firms, 100,000 random calls at every door and over HTTP with everything of the other's that can be forged: nothing of the
# other's in any answer, in the feed or in the log, and what leaks on purpose is caught. It prints what was called and heard.
#   RIALTO_HOSTILE_CALLS   how many      RIALTO_SEED   of another run
set -euo pipefail
cd "$(dirname "$0")/../.."
export RIALTO_HOSTILE_CALLS=${RIALTO_HOSTILE_CALLS:-100000}
exec cargo test --locked --package rialto --test hostile --test hostile_doors -- --nocapture --test-threads 1
