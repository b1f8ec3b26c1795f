#!/usr/bin/env bash
# Canaries of an engine, a door and a feed with prepared defects: the good one comes through, each other is stopped by itself.
# The candidate is the extra build with the feature `defects`: built here unless RIALTO_DEFECTS names one.
# needs: python
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
if [[ -z ${RIALTO_DEFECTS-} ]]; then
    export RIALTO_DEFECTS=${RIALTO_BIN}-defects
    build=(cargo build --release --quiet --manifest-path "$root/Cargo.toml" -p rialto --bin rialto)
    "${build[@]}" --features defects
    cp "$RIALTO_BIN" "$RIALTO_DEFECTS"
    # The ordinary one again, in its place: nothing is compiled anew.
    "${build[@]}"
fi
"$RIALTO_PYTHON" "$root/tools/checks/canary.py"
[[ -n ${RIALTO_ONLY-} ]] || "$RIALTO_PYTHON" "$root/tools/checks/edges.py"
