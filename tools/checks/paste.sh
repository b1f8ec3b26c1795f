#!/usr/bin/env bash
# What `rialto up` prints to be pasted does what it says.
# needs: python curl
exec "$RIALTO_PYTHON" "$(dirname "$0")/paste.py"
