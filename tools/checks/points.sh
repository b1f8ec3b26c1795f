#!/usr/bin/env bash
# kill -9 under `up` at named calls to the system: writes, syncs, new names.
# needs: python strace
exec "$RIALTO_PYTHON" "$(dirname "$0")/points.py"
