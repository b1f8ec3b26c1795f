#!/usr/bin/env bash
# The first minutes from a clean clone of what is committed here, with the crates that cargo has and nothing from the network: clone,
# build, doors, a market that moves, a FIX order filled, the page painted, each with its time. The build takes minutes, and room in
# TMPDIR.
# needs: python chromium chromedriver
export RIALTO_BIN=${RIALTO_BIN:-none} RIALTO_PYTHON=${RIALTO_PYTHON:-python3}
RIALTO_CLONE=1 exec "$RIALTO_PYTHON" "$(dirname "$0")/../checks/first_minutes.py"
