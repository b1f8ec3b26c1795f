//! What this build is.

use std::sync::OnceLock;
use xxhash_rust::xxh3::xxh3_64;

/// The 64-bit xxh3 of this process's executable; zero where it cannot be read.
pub(crate) fn id() -> u64 {
    static ID: OnceLock<u64> = OnceLock::new();
    *ID.get_or_init(|| {
        let bytes = std::fs::read("/proc/self/exe").unwrap_or_default();
        if bytes.is_empty() { 0 } else { xxh3_64(&bytes) }
    })
}

/// The hash of this build's table of flags: builds with different tables may not run one stream.
pub(crate) fn flag_table() -> u64 {
    rialto_model::flags::table_hash().0
}

/// A build as people read it.
pub(crate) fn name(build: u64) -> String {
    format!("{build:016x}")
}
