//! Everything the view shows at one moment, and how numbers are written.

use super::pace::Totals;
use crate::market::{Depth, Row};
use rialto_itch::Price4;
use rialto_model::TradingDay;
use rialto_subscriber::Level;
use rust_decimal::Decimal;
use std::time::Duration;

/// One picture.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// Since the view was opened.
    pub(super) elapsed: Duration,
    pub(super) day: TradingDay,
    pub(super) totals: Totals,
    /// How many a second.
    pub(super) rates: Totals,
    pub(super) sessions_up: u64,
    /// Where the feed is; none until a packet came.
    pub(super) place: Option<Place>,
    /// Gaps that the view's own subscriber found.
    pub(super) gaps: u64,
    /// Messages that nobody could give it again: the books may be wrong.
    pub(super) lost: u64,
    pub(super) trouble: Option<String>,
    /// The console's address, with the key.
    pub(super) console: String,
    /// What speaks there, and where.
    pub(super) ports: Vec<(&'static str, String)>,
    pub(super) rows: Vec<Row>,
    /// Which row's depth is shown.
    pub(super) selected: usize,
    pub(super) depth: Depth,
}

/// A place in the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The MoldUDP64 session.
    pub(super) session: String,
    /// The MoldUDP64 number of the next message.
    pub(super) next: u64,
}

impl State {
    /// All that matters in one line, for where there is no screen.
    pub(super) fn line(&self) -> String {
        let Self {
            rates,
            totals,
            sessions_up,
            ..
        } = self;
        let mut line = format!(
            "{}  {} commands ({}/s)  {} feed messages ({}/s)  {} packets ({}/s)  {sessions_up} sessions",
            clock(self.elapsed),
            totals.commands,
            rates.commands,
            totals.messages,
            rates.messages,
            totals.packets,
            rates.packets,
        );
        for row in &self.rows {
            let best = |level: Option<Level>| price(level.map(|level| level.price));
            line += &format!(
                "  {} {}/{} last {}",
                row.symbol,
                best(row.bid),
                best(row.ask),
                price(row.last)
            );
        }
        if let Some(warning) = self.warning() {
            line += &format!("  ({warning})");
        }
        line
    }

    /// What fits into the last line of a terminal: the keys first, as wide as it is but for the last column, where some would wrap.
    pub(super) fn last_line(&self, width: usize) -> String {
        let mut line = format!(
            "m: the market here   q: stop   {}  {} commands/s  {} sessions",
            clock(self.elapsed),
            self.rates.commands,
            self.sessions_up
        );
        if let Some(warning) = self.warning() {
            line += &format!("  ({warning})");
        }
        for row in &self.rows {
            let best = |level: Option<Level>| price(level.map(|level| level.price));
            line += &format!("  {} {}/{}", row.symbol, best(row.bid), best(row.ask));
        }
        line.chars().take(width.saturating_sub(1)).collect()
    }

    /// Why what is shown may be wrong, if it may.
    pub(super) fn warning(&self) -> Option<String> {
        let lost = || {
            format!(
                "{} messages of the feed were lost: books and volume may be wrong",
                self.lost
            )
        };
        self.trouble.clone().or_else(|| (self.lost > 0).then(lost))
    }
}

/// A price in decimals, or a dash.
pub(super) fn price(price: Option<Price4>) -> String {
    price.map_or_else(dash, |price| decimals(price.units().into()).to_string())
}

/// A change with its sign, or a dash.
pub(super) fn change(units: Option<i64>) -> String {
    units.map_or_else(dash, |units| {
        if units == 0 {
            "0.00".to_owned()
        } else {
            format!("{:+}", decimals(units))
        }
    })
}

/// Hours, minutes and seconds.
pub(super) fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

fn dash() -> String {
    "-".to_owned()
}

/// Four decimals, or two where the others are zero.
fn decimals(units: i64) -> Decimal {
    if units % 100 == 0 {
        Decimal::new(units / 100, 2)
    } else {
        Decimal::new(units, 4)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::market::Status;
    use rialto_itch::TotalShares;

    fn level(units: i64, shares: u64, orders: u32) -> Level {
        Level {
            price: Price4::new(units).unwrap(),
            shares: TotalShares(shares),
            orders,
        }
    }

    /// A market of two instruments, the first with depth and selected.
    pub(in super::super) fn example() -> State {
        let bids = vec![level(999_900, 300, 2), level(999_850, 1_500, 4)];
        let asks = vec![level(1_000_100, 200, 1)];
        let acme = Row {
            symbol: "ACME".to_owned(),
            bid: bids.first().copied(),
            ask: asks.first().copied(),
            last: Price4::new(1_000_100).ok(),
            change: Some(-2_500),
            volume: 12_300,
            status: Status::default(),
        };
        let bolt = Row {
            symbol: "BOLT".to_owned(),
            bid: None,
            ask: None,
            last: None,
            change: None,
            volume: 0,
            status: Status::default(),
        };
        State {
            elapsed: Duration::from_secs(3_725),
            day: TradingDay::from_civil(2026, 11, 24).unwrap(),
            totals: Totals {
                commands: 12_000,
                messages: 20_000,
                packets: 9_000,
            },
            rates: Totals {
                commands: 300,
                messages: 512,
                packets: 240,
            },
            sessions_up: 6,
            place: Some(Place {
                session: "0120261124".to_owned(),
                next: 20_001,
            }),
            gaps: 0,
            lost: 0,
            trouble: None,
            console: "http://127.0.0.1:26404/#key=00112233445566778899aabbccddeeff".to_owned(),
            ports: vec![
                ("OUCH", "127.0.0.1:26100".to_owned()),
                ("FIX", "127.0.0.1:26200".to_owned()),
                ("re-requests", "127.0.0.1:26402".to_owned()),
                ("ITCH A", "239.255.82.1:26400".to_owned()),
                ("ITCH B", "239.255.82.2:26401".to_owned()),
                ("QUIC", "127.0.0.1:26403".to_owned()),
                ("GLIMPSE", "127.0.0.1:26406".to_owned()),
            ],
            rows: vec![acme, bolt],
            selected: 0,
            depth: Depth { bids, asks },
        }
    }

    #[test]
    fn a_line_says_all_that_matters() {
        let mut state = example();
        let line = "01:02:05  12000 commands (300/s)  20000 feed messages (512/s)  9000 packets (240/s)  6 sessions  \
                    ACME 99.99/100.01 last 100.01  BOLT -/- last -";
        assert_eq!(state.line(), line);
        state.lost = 3;
        assert_eq!(
            state.line(),
            format!("{line}  (3 messages of the feed were lost: books and volume may be wrong)")
        );
        state.trouble = Some("no market data".to_owned());
        assert_eq!(state.line(), format!("{line}  (no market data)"));
    }

    #[test]
    fn the_last_line_has_the_keys_first_and_no_more_than_fits() {
        let state = example();
        let line = "m: the market here   q: stop   01:02:05  300 commands/s  6 sessions  ACME 99.99/100.01  BOLT -/-";
        assert_eq!(state.last_line(200), line);
        assert_eq!(state.last_line(80), line[..79]);
        assert_eq!(state.last_line(0), "");
    }

    #[test]
    fn numbers_are_written_with_two_decimals_or_four() {
        for (units, with_sign) in [
            (0, "0.00"),
            (100, "+0.01"),
            (-12_500, "-1.25"),
            (-50, "-0.0050"),
            (1_234, "+0.1234"),
        ] {
            assert_eq!(change(Some(units)), with_sign);
        }
        for (units, text) in [(1_000_000, "100.00"), (999_850, "99.9850"), (1, "0.0001")] {
            assert_eq!(price(Price4::new(units).ok()), text);
        }
    }
}
