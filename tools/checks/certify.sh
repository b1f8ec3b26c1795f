#!/usr/bin/env bash
# `rialto certify`: a stock FIX engine (PyPI quickfix) and a hand-written OUCH client pass every case that comes with rialto;
# an engine that ignores resend requests, and a client that forgets where it was, fail with the reason.
# needs: python
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
patience=${RIALTO_PATIENCE:-60}

# fails WHAT COMMAND...: the command must fail, and its output must say WHAT.
fails() {
    local what=$1 status=0
    shift
    "$@" >"$work/said" 2>&1 || status=$?
    cat "$work/said"
    [[ $status -ne 0 ]] || { echo "a broken client was certified"; exit 1; }
    grep -q -E -- "$what" "$work/said" || { echo "no word of: $what"; exit 1; }
}

ouch="$RIALTO_PYTHON $here/certify_ouch.py {ouch} {ouch_user} {password}"
"$RIALTO_BIN" certify ouch --patience "$patience" --keep "$work/ouch" --client "$ouch"
fails "step 6: .*did not send L .*the same session, from the next message on" \
    "$RIALTO_BIN" certify ouch-resume --patience 5 --keep "$work/forgetful" --client "$ouch --forgetful"

if ! "$RIALTO_PYTHON" -c 'import quickfix' 2>/dev/null; then
    echo "SKIPPED: quickfix is not built (it takes some 20 minutes; tools/test --long builds it once and keeps the wheel)"
    exit 77
fi
fix="$RIALTO_PYTHON $here/certify_fix.py {fix_host} {fix_port} {fix_user} {venue} {password} {folder}"
"$RIALTO_BIN" certify fix --patience "$patience" --keep "$work/fix" --junit "$work/junit.xml" --client "$fix"
"$RIALTO_PYTHON" - "$work/junit.xml" <<'PYTHON'
import sys, xml.etree.ElementTree as xml
suite = xml.parse(sys.argv[1]).getroot()
assert int(suite.get("tests")) == 9 and int(suite.get("failures")) == 0, suite.attrib
assert len(suite.findall(".//testcase")) == 9
PYTHON
fails "step 8: .*did not send D .*or 4 .*a gap fill" \
    "$RIALTO_BIN" certify fix-resend --patience 10 --keep "$work/deaf" --client "$fix --deaf"
