#!/usr/bin/env bash
# The first minutes from a clean clone, with the crates that cargo has.
# needs: python chromium chromedriver
RIALTO_CLONE=1 exec "$RIALTO_PYTHON" "$(dirname "$0")/../checks/first_minutes.py"
