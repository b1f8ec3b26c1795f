#!/usr/bin/env bash
# A recorded day played into a running exchange, step by step, with somebody who trades in it.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/play.py"
