#!/usr/bin/env bash
# Fuzzes every decoder by libFuzzer on the stable toolchain. RIALTO_FUZZ_RUNS executions in all (100,000,000), shared by the
# targets. A panic, a run over 512 MB, or an input that takes over 5 s fails.
#
#   tools/long/fuzz.sh                        all of it: some hours, for a FIX session plays some 5,000 inputs a second on one core
#   RIALTO_FUZZ_RUNS=1000000 tools/long/fuzz.sh   a try
#
# Reached so far, 100 s each on a busy machine of two cores, without a finding and below 32 MB: fix_message 5,177,369,
# fix_session 377,132, ouch_messages 14,888,546, soup_server 5,169,663, soup_client 2,140,019, itch 47,761,102, mold 15,744,047,
# records 18,299,908 executions. One before that: the itch target held reserved bytes to be kept, which no reader looks at.
# Some of what covered something new is kept in tools/fuzz/corpus as found-*.
# needs: c++
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${RIALTO_FUZZ_RUNS:-100000000}
triple=$(rustc -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --quiet --release --target "$triple" --target-dir "$target" --manifest-path tools/fuzz/Cargo.toml
targets=(tools/fuzz/corpus/*/)
each=$((runs / ${#targets[@]}))
for folder in "${targets[@]}"; do
    name=$(basename "$folder")
    grown=$target/corpus/$name
    mkdir -p "$grown" "$target/found"
    echo "$name: $each executions"
    "$target/$triple/release/$name" "$grown" "$folder" -runs="$each" -max_len=4096 -rss_limit_mb=512 -timeout=5 \
        -print_final_stats=1 -artifact_prefix="$target/found/$name-" 2>&1 |
        grep -E '^stat::(number_of_executed_units|peak_rss_mb)|ERROR|panicked|SUMMARY' || true
    [[ ${PIPESTATUS[0]} -eq 0 ]] || { echo "FAILED: $name; the input is in $target/found"; exit 1; }
done
echo "$runs executions, no panic"
