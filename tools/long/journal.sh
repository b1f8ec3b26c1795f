#!/usr/bin/env bash
# The journal's accidents in full: torn at every byte of the last 1,000 records, every bit of a megabyte turned over.
# Takes half an hour of two cores; prints the table of tests/accidents.rs. With a part first it does that part alone:
#   tools/long/journal.sh 3/10
set -euo pipefail
cd "$(dirname "$0")/../.."
if [[ "${1:-}" == */* ]]; then
    export RIALTO_PART="$1"
    shift
fi
RIALTO_LONG=1 cargo test --release -p rialto-journal --test accidents -- --nocapture "$@"
