#!/usr/bin/env bash
# The real day through everything, and kill -9 in the middle of it.
# needs: python data
exec "$RIALTO_PYTHON" "$(dirname "$0")/ingest.py"
