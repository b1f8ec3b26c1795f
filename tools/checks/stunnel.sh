#!/usr/bin/env bash
# The doors behind stunnel with client certificates, as gateway/server/tls/stunnel.conf has it.
# needs: python stunnel4 openssl
exec "$RIALTO_PYTHON" "$(dirname "$0")/stunnel.py"
