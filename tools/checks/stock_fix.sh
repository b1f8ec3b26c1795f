#!/usr/bin/env bash
# A stock FIX engine (PyPI quickfix, its dictionaries on) trades in FIX 4.2, 4.4 and 5.0 SP2, and survives a kill -9 of the
# exchange with what it missed sent again; simplefix sends what no engine would.
# needs: python
set -euo pipefail
here=$(dirname "$0")
if ! "$RIALTO_PYTHON" -c 'import quickfix' 2>/dev/null; then
    echo "SKIPPED: quickfix is not built (it takes some 20 minutes; tools/test --long builds it once and keeps the wheel)"
    "$RIALTO_PYTHON" "$here/malformed_fix.py"
    exit 77
fi
"$RIALTO_PYTHON" "$here/stock_fix.py"
exec "$RIALTO_PYTHON" "$here/malformed_fix.py"
