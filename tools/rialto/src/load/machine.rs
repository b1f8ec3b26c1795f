//! What a figure is of: two reports of different machines are not to be compared.

use serde::{Deserialize, Serialize};

/// The machine's fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(super) cpu: String,
    pub(super) cores: usize,
    pub(super) kernel: String,
    pub(super) governor: String,
    pub(super) build: String,
}

impl Machine {
    pub(super) fn here() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let info = read("/proc/cpuinfo");
        let model = info.lines().find_map(|line| line.strip_prefix("model name"));
        let unknown = |text: &str| {
            let text = text.trim_matches([' ', '\t', ':', '\n']);
            if text.is_empty() {
                "unknown".to_owned()
            } else {
                text.to_owned()
            }
        };
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        Self {
            cpu: unknown(model.unwrap_or_default()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: unknown(&read("/proc/sys/kernel/osrelease")),
            governor: unknown(&read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
            build: format!("rialto {} {profile}", env!("CARGO_PKG_VERSION")),
        }
    }
}
