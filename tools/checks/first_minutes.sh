#!/usr/bin/env bash
# The first minutes, timed: doors, a market that moves, a FIX order filled, the page painted.
# needs: python chromium chromedriver
exec "$RIALTO_PYTHON" "$(dirname "$0")/first_minutes.py"
