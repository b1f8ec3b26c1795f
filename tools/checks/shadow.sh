#!/usr/bin/env bash
# What a second engine that is only compared costs the exchange, in thread CPU an order: printed.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/shadow.py"
