#!/usr/bin/env bash
# A FIX session moved to a candidate's door and back over real sockets, its connection torn each time: no gap, no duplicate.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/handover.py"
