#!/usr/bin/env bash
# Bad logons of every kind change nothing, fill nothing and slow nobody.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/logon_attack.py"
