#!/usr/bin/env bash
# The guides: every line of shell in tools/docs runs as it stands, and says what the page says it does.
# needs: python curl
exec "$RIALTO_PYTHON" "$(dirname "$0")/docs.py"
