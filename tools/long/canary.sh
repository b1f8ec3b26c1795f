#!/usr/bin/env bash
# 20 canaries of the good candidate and 20 of the one that is 15 % slower: false alarms and misses.
# Valid only while other use of the CPU is below 0.1 of a core: it is measured before and said.
#   RIALTO_RUNS  of each (20)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
busy() { awk '/^cpu /{print $2+$3+$4+$7+$8, $5+$6}' /proc/stat; }
read -r before _ < <(busy)
sleep 5
read -r after _ < <(busy)
other=$(awk -v a="$before" -v b="$after" 'BEGIN{printf "%.2f", (b-a)/500}')
echo "other use of the CPU: $other of a core"
if awk -v o="$other" 'BEGIN{exit !(o>=0.1)}'; then
    echo "not valid as a count of false alarms and misses: other use is not below 0.1"
fi
export RIALTO_RUNS=${RIALTO_RUNS:-20}
for one in correct slow; do
    RIALTO_ONLY=$one "$root/tools/checks/canary.sh"
done
