#!/usr/bin/env bash
# The console in Chromium for 60 seconds at 20,000 feed messages a second: it neither falls behind nor grows.
#   RIALTO_SECONDS  how long (60)
# needs: python chromium chromedriver
exec "$RIALTO_PYTHON" "$(dirname "$0")/../checks/page.py"
