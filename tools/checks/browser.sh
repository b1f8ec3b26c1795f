#!/usr/bin/env bash
# The console in a real browser: every pane, an order placed and refused, the operator, the past, the keyboard, both sizes.
# Screenshots stay in target/test-logs.
# needs: python chromium chromedriver
exec "$RIALTO_PYTHON" "$(dirname "$0")/browser.py"
