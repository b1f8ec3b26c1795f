#!/usr/bin/env bash
# A disk that fills up under a running exchange, and has room again.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/room.py"
