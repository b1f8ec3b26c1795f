#!/usr/bin/env bash
# The HTTP gateway of a running exchange.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/console.py"
