#!/usr/bin/env bash
# 100,000 attacks on the logon.
# needs: python
export RIALTO_ATTACKS=${RIALTO_ATTACKS:-100000} RIALTO_BYSTANDER_ORDERS=${RIALTO_BYSTANDER_ORDERS:-5000}
exec "$RIALTO_PYTHON" "$(dirname "$0")/../checks/logon_attack.py"
