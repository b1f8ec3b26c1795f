//! libFuzzer's program of the target `ouch_messages`; what it does stands in `targets.rs`, and nothing more may be here.
#![no_main]
#[path = "../targets.rs"]
#[allow(dead_code, reason = "each program plays one target")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::ouch_messages(bytes));
