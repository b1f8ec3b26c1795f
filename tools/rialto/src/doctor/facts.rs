//! What the machine says of itself. Nothing is judged here.

use nix::sys::resource::{Resource, getrlimit};
use nix::time::{ClockId, clock_getres};
use rialto_feed::multicast;
use rialto_ring::layout::Cores;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::time::Duration;

/// A group that nothing else of Rialto uses, on a port that the system chooses.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 192, 77, 99);
/// How long a datagram to this machine itself may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// Everything that is judged; what the system does not state is none.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// Cores that this process may use.
    pub(super) cores: usize,
    /// Cores that the scheduler leaves alone, as a list such as `2-3`; empty where there are none.
    pub(super) isolated: Option<String>,
    pub(super) clock_source: Option<String>,
    /// Clock sources that could be chosen, with blanks between.
    pub(super) clock_sources: String,
    pub(super) timer_resolution: Option<Duration>,
    /// Bytes that a UDP receiver may ask for.
    pub(super) receive_buffer_max: Option<u64>,
    /// Why a datagram sent to a group on the loopback interface did not come back; none where it did.
    pub(super) multicast_failure: Option<String>,
    /// Files and sockets that this process may have open.
    pub(super) open_files_max: Option<u64>,
    /// Of each core that states one.
    pub(super) governors: Vec<String>,
    /// Such as `always [madvise] never`.
    pub(super) transparent_huge_pages: Option<String>,
    /// Whether there is a hypervisor below; none where the processor does not state it.
    pub(super) hypervisor: Option<bool>,
    /// The first line of the system's CPU times.
    pub(super) cpu_times: Option<String>,
}

impl Facts {
    pub(super) fn read() -> Self {
        let clock = Path::new("/sys/devices/system/clocksource/clocksource0");
        Self {
            cores: Cores::read().count(),
            isolated: text("/sys/devices/system/cpu/isolated"),
            clock_source: text(clock.join("current_clocksource")),
            clock_sources: text(clock.join("available_clocksource")).unwrap_or_default(),
            timer_resolution: clock_getres(ClockId::CLOCK_MONOTONIC).ok().map(Duration::from),
            receive_buffer_max: text("/proc/sys/net/core/rmem_max").and_then(|bytes| bytes.parse().ok()),
            multicast_failure: multicast_round_trip().err().map(|error| error.to_string()),
            open_files_max: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft),
            governors: governors(),
            transparent_huge_pages: text("/sys/kernel/mm/transparent_hugepage/enabled"),
            hypervisor: text("/proc/cpuinfo").as_deref().and_then(names_hypervisor),
            cpu_times: text("/proc/stat").and_then(|stat| stat.lines().next().map(str::to_owned)),
        }
    }
}

/// What a file holds; none where it is not there, as on other systems.
fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn governors() -> Vec<String> {
    let Ok(cores) = fs::read_dir("/sys/devices/system/cpu") else {
        return Vec::new();
    };
    cores
        .flatten()
        .filter_map(|core| text(core.path().join("cpufreq/scaling_governor")))
        .collect()
}

/// Linux names the hypervisor's bit among the processor's flags, on x86 only.
fn names_hypervisor(cpuinfo: &str) -> Option<bool> {
    let flags = cpuinfo.lines().find_map(|line| line.strip_prefix("flags"))?;
    Some(flags.split_whitespace().any(|flag| flag == "hypervisor"))
}

/// A real datagram to a group and back, by the loopback interface.
fn multicast_round_trip() -> io::Result<()> {
    let receiver = multicast::receiver(SocketAddrV4::new(GROUP, 0), Ipv4Addr::LOCALHOST)?;
    receiver.set_read_timeout(Some(PATIENCE))?;
    let sender = multicast::sender(
        SocketAddrV4::new(GROUP, receiver.local_addr()?.port()),
        Ipv4Addr::LOCALHOST,
        0,
    )?;
    let sent = std::process::id().to_be_bytes();
    sender.send(&sent)?;
    let mut received = [0; 16];
    match receiver.recv(&mut received) {
        Ok(length) if received.get(..length) == Some(&sent) => Ok(()),
        Ok(_) => Err(io::Error::other("something else came than was sent")),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Err(io::Error::other("sent, and did not come back"))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hypervisors_bit_is_found_among_the_flags_alone() {
        let table = [
            (
                "processor\t: 0\nflags\t\t: fpu hypervisor lahf_lm\nbugs\t: none",
                Some(true),
            ),
            ("model name\t: hypervisor\nflags\t\t: fpu tsc", Some(false)),
            ("processor\t: 0\nFeatures\t: fp asimd", None),
        ];
        for (cpuinfo, expected) in table {
            assert_eq!(names_hypervisor(cpuinfo), expected, "{cpuinfo}");
        }
    }
}
