#!/usr/bin/env bash
# The console in a real browser: every pane, an order placed and refused, the operator, a canary that stops itself, the past, the
# keyboard, both sizes, and six seconds at 20,000 feed messages a second. Screenshots stay in target/test-logs.
# needs: python chromium chromedriver
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
source "$root/tools/checks/defects"
exec "$RIALTO_PYTHON" "$root/tools/checks/browser.py"
