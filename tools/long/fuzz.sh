#!/usr/bin/env bash
# Fuzzes every decoder by libFuzzer on the stable toolchain. RIALTO_FUZZ_RUNS executions in all (100,000,000), shared by the
# targets. A panic, a run over 512 MB, or an input that takes over 5 s fails.
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
