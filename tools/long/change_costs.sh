#!/usr/bin/env bash
# What flags, another engine, limits of members and times of the stages cost the order path, in instructions for an order, so that a busy machine
# does not matter: sequencer, journal, engine and gate, by callgrind, over the second half of a flow. Asked: 5 % at most.
#   RIALTO_COUNTS  the program (target/release/rialto-counts)   RIALTO_ORDERS  of each half (20000)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
counts=${RIALTO_COUNTS:-$root/target/release/rialto-counts}
orders=${RIALTO_ORDERS:-20000}
[[ -x $counts ]] || { echo "no $counts: cargo build --release -p rialto" >&2; exit 1; }
command -v valgrind >/dev/null || { echo "no valgrind: apt-get install valgrind" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Instructions of the order path for a flow of so many commands; what does not grow with the flow falls out of a difference.
collected() { # BESIDE OPS
    local folder=$work/$1-$2
    env -i valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
        --toggle-collect='*Pipeline::order_path*' --toggle-collect='*Pipeline::release*' \
        "$counts" pipeline memory 64 7 "$2" "$folder" "$1" 2>&1 >/dev/null | sed -n 's/.*Collected : *//p'
}
of() { # BESIDE
    local half whole
    half=$(collected "$1" "$orders")
    whole=$(collected "$1" $((2 * orders)))
    awk -v h="$half" -v w="$whole" -v n="$orders" 'BEGIN { printf "%.1f", (w - h) / n }'
}
off=$(of off)
echo "off: $off instructions an order"
worst=0
for beside in flags shadow routed limits stages; do
    on=$(of "$beside")
    awk -v b="$beside" -v on="$on" -v off="$off" 'BEGIN { printf "%s: %s instructions an order, %+.2f %%\n", b, on, 100 * (on / off - 1) }'
    awk -v on="$on" -v off="$off" 'BEGIN { exit !(on > 1.05 * off) }' && worst=1
done
exit $worst
