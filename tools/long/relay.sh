#!/usr/bin/env bash
# The feed through a network that loses a third of both lines and of the answers, doubles and reorders: 8 subscribers, every
# book compared with the engine's at the end and at a thousand numbers on the way; how long gaps stayed open.
# Seen on two busy cores: 10,512,424 messages in 153 s, 1,052 samples for each subscriber, every book the engine's; 107,877 gaps closed,
# p50 10.1 ms and p99 150 ms of virtual time.
#   RIALTO_MESSAGES   how many messages; 10,000,000 take some minutes and 3 GB
set -euo pipefail
cd "$(dirname "$0")/../.."
export RIALTO_MESSAGES=${RIALTO_MESSAGES:-10000000}
exec cargo test --release --locked --package rialto-simulator --test bad_network -- --nocapture
