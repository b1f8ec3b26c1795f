#!/usr/bin/env bash
# Every cell of the door matrix's HTTP column, played against a running exchange.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/http_matrix.py"
