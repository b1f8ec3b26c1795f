#!/usr/bin/env bash
# The feed through a network that loses a third of both lines and of the answers, doubles and reorders: 8 subscribers, every
# book compared with the engine's at the end and at a thousand numbers on the way; how long gaps stayed open.
#   RIALTO_MESSAGES   how many messages; 10,000,000 take some minutes and 3 GB
set -euo pipefail
cd "$(dirname "$0")/../.."
export RIALTO_MESSAGES=${RIALTO_MESSAGES:-10000000}
exec cargo test --release --locked --package rialto-simulator --test bad_network -- --nocapture
