#!/usr/bin/env bash
# One hash of a recorded stream: every layout, time zones, a clock ten years ahead, a debug and a release build.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/equality.py"
