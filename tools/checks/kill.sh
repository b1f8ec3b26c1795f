#!/usr/bin/env bash
# kill -9 under `up`, 20 times.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/kill.py"
