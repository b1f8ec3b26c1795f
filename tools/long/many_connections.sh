#!/usr/bin/env bash
# 1,000 connections for half a minute.
# needs: python
export RIALTO_CONNECTIONS=${RIALTO_CONNECTIONS:-1000} RIALTO_SECONDS=${RIALTO_SECONDS:-30}
exec "$RIALTO_PYTHON" "$(dirname "$0")/../checks/many_connections.py"
