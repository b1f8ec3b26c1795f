//! What the facts mean for latency: pure functions, one a check.

use super::facts::Facts;
use super::{Check, State};
use rialto_feed::multicast;
use rialto_gateway::limits::CONNECTIONS_MAX;
use rialto_ring::Layout;
use std::time::Duration;

/// Both doors full, and as much again for everything else.
const OPEN_FILES_MIN: u64 = 4 * CONNECTIONS_MAX as u64;
/// A coarser clock cannot tell one order from the next.
const RESOLUTION_MAX: Duration = Duration::from_micros(1);
/// Sources that are read without a system call, within tens of nanoseconds: x86, and 64-bit ARM.
const FAST_CLOCKS: [&str; 2] = ["tsc", "arch_sys_counter"];

/// All checks, always in this order.
pub(super) fn judge(facts: &Facts) -> Vec<Check> {
    vec![
        cores(facts.cores),
        isolated(facts.isolated.as_deref()),
        clock_source(facts.clock_source.as_deref(), &facts.clock_sources),
        timer_resolution(facts.timer_resolution),
        multicast(facts.multicast_failure.as_deref()),
        receive_buffer(facts.receive_buffer_max),
        open_files(facts.open_files_max),
        governor(&facts.governors),
        huge_pages(facts.transparent_huge_pages.as_deref()),
        hypervisor(facts.hypervisor, facts.cpu_times.as_deref()),
    ]
}

fn ok(name: &'static str, found: impl Into<String>) -> Check {
    Check {
        name,
        state: State::Ok,
        found: found.into(),
        mend: None,
    }
}

fn warn(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Check {
    Check {
        name,
        state: State::Warn,
        found: found.into(),
        mend: Some(mend.into()),
    }
}

fn unknown(name: &'static str) -> Check {
    warn(
        name,
        "this system does not say",
        "run on Linux: the other systems are for development",
    )
}

fn cores(usable: usize) -> Check {
    let found = format!("{usable} usable");
    if Layout::Auto.resolve(usable) == Layout::PerCore {
        return ok("cores", found);
    }
    warn(
        "cores",
        found,
        "give this process 4 or more cores (cpuset, taskset, a larger machine): stages share them until then",
    )
}

fn isolated(list: Option<&str>) -> Check {
    let name = "isolated cores";
    match list {
        None => unknown(name),
        Some("") => warn(
            name,
            "none: any other process may take a stage's core",
            "boot with isolcpus=LIST nohz_full=LIST rcu_nocbs=LIST and start Rialto by taskset --cpu-list LIST",
        ),
        Some(list) => ok(name, list),
    }
}

fn clock_source(current: Option<&str>, available: &str) -> Check {
    let name = "clock source";
    let Some(current) = current else { return unknown(name) };
    if FAST_CLOCKS.contains(&current) {
        return ok(name, current);
    }
    let better = available.split_whitespace().find(|source| FAST_CLOCKS.contains(source));
    let mend = better.map_or_else(
        || "use a machine whose time stamp counter is invariant: the kernel offers no fast clock here".to_owned(),
        |better| format!("echo {better} > /sys/devices/system/clocksource/clocksource0/current_clocksource"),
    );
    warn(
        name,
        format!("{current}: slower to read than the processor's own"),
        mend,
    )
}

fn timer_resolution(resolution: Option<Duration>) -> Check {
    let name = "timer resolution";
    match resolution {
        None => unknown(name),
        Some(resolution) if resolution <= RESOLUTION_MAX => ok(name, format!("{resolution:?}")),
        Some(resolution) => warn(
            name,
            format!("{resolution:?}"),
            "boot without highres=off, on a kernel with CONFIG_HIGH_RES_TIMERS",
        ),
    }
}

fn multicast(failure: Option<&str>) -> Check {
    let name = "loopback multicast";
    match failure {
        None => ok(name, "a datagram was sent and came back"),
        Some(failure) => warn(
            name,
            failure,
            "ip link set lo multicast on; ip route add 239.192.77.0/24 dev lo; let the firewall pass UDP on lo",
        ),
    }
}

fn receive_buffer(bytes_max: Option<u64>) -> Check {
    let name = "UDP receive buffer";
    let wanted = multicast::BUFFER_BYTES as u64;
    match bytes_max {
        None => unknown(name),
        Some(bytes) if bytes >= wanted => ok(name, format!("up to {bytes} bytes")),
        Some(bytes) => warn(
            name,
            format!("up to {bytes} bytes: a subscriber that stalls for a moment loses packets"),
            format!("sysctl -w net.core.rmem_max={wanted}"),
        ),
    }
}

fn open_files(max: Option<u64>) -> Check {
    let name = "open files";
    match max {
        None => unknown(name),
        Some(max) if max >= OPEN_FILES_MIN => ok(name, format!("up to {max}")),
        Some(max) => {
            let mend = format!("ulimit -n {OPEN_FILES_MIN}, or LimitNOFILE={OPEN_FILES_MIN} in the service's unit");
            warn(name, format!("up to {max}: too few for doors that are full"), mend)
        }
    }
}

fn governor(governors: &[String]) -> Check {
    let name = "CPU governor";
    match governors.iter().find(|governor| *governor != "performance") {
        // As in most virtual machines: the host decides.
        None if governors.is_empty() => ok(name, "not governed from here"),
        None => ok(name, "performance"),
        Some(slow) => warn(
            name,
            format!("{slow}: a core that idled answers slowly at first"),
            "cpupower frequency-set --governor performance",
        ),
    }
}

fn huge_pages(choices: Option<&str>) -> Check {
    let name = "huge pages";
    let chosen = choices.and_then(|choices| choices.split(['[', ']']).nth(1));
    match chosen {
        None => unknown(name),
        Some("always") => ok(name, "always"),
        Some(chosen) => warn(
            name,
            format!("{chosen}: books and rings lie on small pages"),
            "echo always > /sys/kernel/mm/transparent_hugepage/enabled",
        ),
    }
}

fn hypervisor(present: Option<bool>, cpu_times: Option<&str>) -> Check {
    let name = "hypervisor";
    match present {
        None => ok(name, "this processor does not say"),
        Some(false) => ok(name, "none"),
        Some(true) => {
            let stolen = cpu_times
                .and_then(stolen_per_mille)
                .map_or_else(String::new, |per_mille| {
                    format!(
                        ", {}.{} % of its time was taken by others",
                        per_mille / 10,
                        per_mille % 10
                    )
                });
            warn(
                name,
                format!("a virtual machine{stolen}"),
                "measure on bare metal, or on a machine whose cores are nobody else's",
            )
        }
    }
}

/// Steal time since boot, as proc(5) places it: the eighth of the first eight columns, which are the whole.
fn stolen_per_mille(cpu_times: &str) -> Option<u64> {
    let times: Vec<u64> = cpu_times
        .split_whitespace()
        .skip(1)
        .take(8)
        .map_while(|time| time.parse().ok())
        .collect();
    let total = times
        .iter()
        .try_fold(0_u64, |sum, time| sum.checked_add(*time))
        .filter(|total| *total > 0)?;
    times.get(7)?.checked_mul(1_000)?.checked_div(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Facts {
        Facts {
            cores: 4,
            isolated: Some("2-3".to_owned()),
            clock_source: Some("tsc".to_owned()),
            clock_sources: "tsc hpet acpi_pm".to_owned(),
            timer_resolution: Some(Duration::from_nanos(1)),
            receive_buffer_max: Some(4 << 20),
            multicast_failure: None,
            open_files_max: Some(1_024),
            governors: vec!["performance".to_owned(); 4],
            transparent_huge_pages: Some("[always] madvise never".to_owned()),
            hypervisor: Some(false),
            cpu_times: Some("cpu  10 0 10 70 0 0 5 5 0 0".to_owned()),
        }
    }

    /// Name, what is found and the mend of each check that warns.
    fn warnings(facts: &Facts) -> Vec<(&'static str, String, String)> {
        let warned = judge(facts).into_iter().filter(|check| check.state == State::Warn);
        warned
            .map(|check| (check.name, check.found, check.mend.unwrap()))
            .collect()
    }

    #[test]
    fn a_good_machine_lacks_nothing() {
        let checks = judge(&good());
        assert_eq!(checks.len(), 10);
        for check in checks {
            assert_eq!((check.state, check.mend), (State::Ok, None), "{}", check.name);
        }
        let mut unstated = good();
        unstated.governors.clear();
        unstated.hypervisor = None;
        assert_eq!(warnings(&unstated), []);
    }

    #[test]
    fn each_lack_is_one_warning_with_its_mend() {
        type Spoil = fn(&mut Facts);
        let table: [(Spoil, &str, &str, &str); 12] = [
            (|f| f.cores = 3, "cores", "3 usable", "4 or more"),
            (
                |f| f.isolated = Some(String::new()),
                "isolated cores",
                "none",
                "isolcpus",
            ),
            (
                |f| f.clock_source = Some("hpet".to_owned()),
                "clock source",
                "hpet",
                "echo tsc >",
            ),
            (
                |f| {
                    f.clock_source = Some("hpet".to_owned());
                    f.clock_sources = "hpet acpi_pm".to_owned();
                },
                "clock source",
                "hpet",
                "invariant",
            ),
            (
                |f| f.timer_resolution = Some(Duration::from_millis(4)),
                "timer resolution",
                "4ms",
                "highres",
            ),
            (
                |f| f.multicast_failure = Some("lost".to_owned()),
                "loopback multicast",
                "lost",
                "ip route",
            ),
            (
                |f| f.receive_buffer_max = Some(212_992),
                "UDP receive buffer",
                "212992",
                "rmem_max=4194304",
            ),
            (
                |f| f.open_files_max = Some(1_023),
                "open files",
                "1023",
                "ulimit -n 1024",
            ),
            (
                |f| f.governors[3] = "powersave".to_owned(),
                "CPU governor",
                "powersave",
                "cpupower",
            ),
            (
                |f| f.transparent_huge_pages = Some("always [madvise] never".to_owned()),
                "huge pages",
                "madvise",
                "echo always",
            ),
            (
                |f| f.hypervisor = Some(true),
                "hypervisor",
                "machine, 5.0 %",
                "bare metal",
            ),
            (|f| f.isolated = None, "isolated cores", "does not say", "Linux"),
        ];
        for (spoil, name, found, mend) in table {
            let mut facts = good();
            spoil(&mut facts);
            let warned = warnings(&facts);
            assert_eq!(warned.len(), 1, "{name}: {warned:?}");
            let (warned_name, warned_found, warned_mend) = &warned[0];
            assert_eq!(*warned_name, name);
            assert!(warned_found.contains(found), "{warned_found:?} has no {found:?}");
            assert!(warned_mend.contains(mend), "{warned_mend:?} has no {mend:?}");
        }
    }

    #[test]
    fn stolen_time_is_a_share_of_the_whole() {
        let table = [
            ("cpu  10 0 10 70 0 0 5 5 90 10", Some(50)),
            ("cpu  1 0 0 999 0 0 0 0 7 7", Some(0)),
            ("cpu  0 0 0 0 0 0 0 0", None),
            ("cpu  1 2 3", None),
            ("cpu  x", None),
            ("", None),
        ];
        for (line, expected) in table {
            assert_eq!(stolen_per_mille(line), expected, "{line:?}");
        }
    }
}
