#!/usr/bin/env bash
# The public acceptance suites for FIX 4.2, 4.4 and FIXT 1.1 with 5.0 SP2, played against the exchange itself.
# needs: python data
exec "$RIALTO_PYTHON" "$(dirname "$0")/fix_suites.py"
