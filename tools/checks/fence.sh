#!/usr/bin/env bash
# A writer that is stopped while another takes its journal over tells nobody anything when it wakes.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/fence.py"
