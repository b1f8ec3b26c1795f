//! Rates from counters.

use std::time::Duration;

/// Rates are taken over at least this: over less they jump too much to be read.
const WINDOW: Duration = Duration::from_secs(1);

/// What the exchange has counted; or of each how many a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Commands that came by the doors.
    pub(super) commands: u64,
    /// Messages of the feed.
    pub(super) messages: u64,
    /// Packets of the feed; each goes out on every line.
    pub(super) packets: u64,
}

/// The rates of the last full window.
#[derive(Debug, Default)]
pub(super) struct Pace {
    since: Option<(Duration, Totals)>,
    rates: Totals,
}

impl Pace {
    /// Takes the counters as they stand at `now`, measured from any fixed moment, and gives the rates.
    pub(super) fn rates(&mut self, now: Duration, totals: Totals) -> Totals {
        let (since, then) = *self.since.get_or_insert((now, totals));
        let window = now.saturating_sub(since);
        if window >= WINDOW {
            let each = |now: u64, then: u64| per_second(now.saturating_sub(then), window);
            self.rates = Totals {
                commands: each(totals.commands, then.commands),
                messages: each(totals.messages, then.messages),
                packets: each(totals.packets, then.packets),
            };
            self.since = Some((now, totals));
        }
        self.rates
    }
}

fn per_second(count: u64, window: Duration) -> u64 {
    let rate = u128::from(count) * 1_000_000_000 / window.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_full_window() {
        let mut pace = Pace::default();
        // Milliseconds and commands counted; commands a second.
        let script = [
            (0, 1_000, 0),
            (500, 1_400, 0),
            (2_000, 2_000, 500),
            (2_900, 9_000, 500),
            (3_000, 9_000, 7_000),
        ];
        for (millis, commands, expected) in script {
            let totals = Totals {
                commands,
                messages: 2 * commands,
                packets: 0,
            };
            let rates = pace.rates(Duration::from_millis(millis), totals);
            let expected = Totals {
                commands: expected,
                messages: 2 * expected,
                packets: 0,
            };
            assert_eq!(rates, expected, "at {millis} ms");
        }
    }
}
