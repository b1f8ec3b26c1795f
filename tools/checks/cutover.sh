#!/usr/bin/env bash
# 50 cut-overs and rollbacks under load: every number of feed and FIX once, and the longest pause.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/cutover.py"
