#!/usr/bin/env bash
# Who waits at a terminal for longer than a second sees that something is done.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/waiting.py"
