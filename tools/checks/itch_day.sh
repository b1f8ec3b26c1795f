#!/usr/bin/env bash
# The feed of a day, recorded as an ITCH file, is a day that can be ingested again.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/itch_day.py"
