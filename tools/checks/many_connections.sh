#!/usr/bin/env bash
# Many members with an order a second each, and one at full speed: nothing is lost, nobody refused.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/many_connections.py"
