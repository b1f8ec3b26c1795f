#!/usr/bin/env bash
# The Python client: its types, its verdicts on golden and on broken bytes, and its examples against a running exchange.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/python.py"
