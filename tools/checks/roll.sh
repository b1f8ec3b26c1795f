#!/usr/bin/env bash
# Two trading days in one journal, killed in the middle of the roll.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/roll.py"
