#!/usr/bin/env bash
# schemathesis on the gateway's OpenAPI document, against a running exchange: no 5xx, no undocumented answer.
# needs: python
exec "$RIALTO_PYTHON" "$(dirname "$0")/openapi.py"
