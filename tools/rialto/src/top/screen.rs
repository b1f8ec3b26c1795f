//! From a state to a picture: a pure function, for any size.

use super::state::{Door, Instrument, State, Subscriber, Trade};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Stylize as _};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Paragraph, Row, Table, TableState};
use rust_decimal::Decimal;

/// Borders and header of a table.
const TABLE_FRAME: u16 = 3;
/// Instruments that are in sight at once on a small screen and on a large one.
const ROWS: (u16, u16) = (3, 10);
/// From so many lines on a screen is large.
const LARGE: u16 = 36;
/// From so many columns on words are whole.
const WIDE: u16 = 120;
/// Doors, or subscribers, in sight.
const PARTIES: (u16, u16) = (2, 8);

/// Draws the state; what has no room is cut off.
pub(super) fn render(state: &State, frame: &mut Frame<'_>) {
    let pick = |sizes: (u16, u16)| if frame.area().height < LARGE { sizes.0 } else { sizes.1 };
    let rows = (state.picture.instruments.len() as u16).clamp(1, pick(ROWS));
    let areas = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(rows + TABLE_FRAME),
        Constraint::Fill(1),
        Constraint::Length(pick(PARTIES) + TABLE_FRAME),
        Constraint::Length(3),
    ]);
    let [head, instruments, middle, parties, foot] = areas.areas(frame.area());
    frame.render_widget(header_lines(state), head);
    render_instruments(state, frame, instruments);
    let [ladder, tape] = halves(middle);
    render_ladder(state, frame, ladder);
    render_tape(state, frame, tape);
    let [doors, subscribers] = halves(parties);
    frame.render_widget(doors_table(&state.picture.doors), doors);
    frame.render_widget(subscribers_table(&state.picture.subscribers), subscribers);
    frame.render_widget(footer_lines(state, foot.width), foot);
}

fn halves(area: Rect) -> [Rect; 2] {
    Layout::horizontal([Constraint::Fill(1); 2]).areas(area)
}

fn header_lines(state: &State) -> Paragraph<'static> {
    let State {
        picture,
        standing,
        rates,
        ..
    } = state;
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let feed = &picture.feed;
    let first = format!(
        " Rialto  {}  sequence {}  frontier {}  lag {}  epoch {}",
        picture.day,
        picture.seq,
        number(standing.released_up_to),
        number(state.lag()),
        number(standing.epoch),
    );
    let second = format!(
        " {} commands/s  {} feed messages/s  gaps {}  lost {}  session {} next {}",
        rates.0,
        rates.1,
        feed.gaps,
        feed.lost,
        feed.session.as_deref().unwrap_or("-"),
        feed.next,
    );
    Paragraph::new(vec![Line::from(first).bold(), Line::from(second)])
}

fn render_instruments(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let widths = [Constraint::Length(10), Constraint::Length(9)]
        .into_iter()
        .chain([Constraint::Fill(1); 5]);
    let row = |one: &Instrument| {
        let best = |levels: &[(u32, u64, u32)]| price(levels.first().map(|level| level.0));
        let change = one.change.map_or_else(dash, |units| format!("{:+}", decimals(units)));
        let name = Text::from(one.symbol.clone()).bold();
        Row::new([
            name,
            Text::from(one.phase.clone()),
            right(best(&one.bids)).fg(Color::Green),
            right(best(&one.asks)).fg(Color::Red),
            right(price(one.last)),
            right(change),
            right(one.volume.to_string()),
        ])
    };
    let names = ["", "phase", "bid", "ask", "last", "change", "volume"];
    let table = Table::new(state.picture.instruments.iter().map(row), widths)
        .header(header(names))
        .block(Block::bordered().title(" Instruments "))
        .row_highlight_style(ratatui::style::Style::new().reversed());
    let mut selection = TableState::new().with_selected(Some(state.chosen));
    frame.render_stateful_widget(table, area, &mut selection);
}

/// Asks above bids, the best ones in the middle.
fn render_ladder(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let Some(one) = state.picture.instruments.get(state.chosen) else {
        frame.render_widget(Block::bordered().title(" Depth "), area);
        return;
    };
    let levels = usize::from(area.height.saturating_sub(TABLE_FRAME)) / 2;
    let row = |&(at, shares, orders): &(u32, u64, u32), colour: Color, is_bid: bool| {
        let size = format!("{shares} ({orders})");
        let (left, other) = if is_bid {
            (size, String::new())
        } else {
            (String::new(), size)
        };
        Row::new([right(left), right(price(Some(at))).fg(colour), right(other)])
    };
    let asks = one
        .asks
        .iter()
        .take(levels)
        .rev()
        .map(|level| row(level, Color::Red, false));
    let missing = (one.asks.len().min(levels)..levels).map(|_| Row::new([""; 3]));
    let bids = one.bids.iter().take(levels).map(|level| row(level, Color::Green, true));
    let title = match &one.auction {
        None => format!(" {} depth ", one.symbol),
        Some(auction) => format!(
            " {} {} at {}, {} of {} left ",
            one.symbol,
            auction.paired,
            price(Some(auction.price)),
            auction.imbalance,
            auction.side.as_deref().unwrap_or("neither side"),
        ),
    };
    let table = Table::new(missing.chain(asks).chain(bids), [Constraint::Fill(1); 3])
        .header(header(["bid (orders)", "price", "ask (orders)"]))
        .block(Block::bordered().title(title));
    frame.render_widget(table, area);
}

/// The newest above.
fn render_tape(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let row = |one: &Trade| {
        let colour = match one.taker.as_deref() {
            Some("buy") => Color::Green,
            Some(_) => Color::Red,
            None => Color::Reset,
        };
        Row::new([
            Text::from(clock(one.time_ns)),
            Text::from(one.symbol.clone()),
            right(price(Some(one.price))).fg(colour),
            right(one.shares.to_string()),
        ])
    };
    let widths = [
        Constraint::Length(12),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Fill(1),
    ];
    let table = Table::new(state.picture.trades.iter().rev().map(row), widths)
        .header(header(["time", "", "price", "shares"]))
        .block(Block::bordered().title(" Trades "));
    frame.render_widget(table, area);
}

fn doors_table(doors: &[Door]) -> Table<'static> {
    let row = |one: &Door| {
        Row::new([
            Text::from(one.door.clone()),
            right(one.sessions_up.to_string()),
            right(one.frames_in.to_string()),
            right(one.frames_out.to_string()),
            right(one.rejects.to_string()),
            right(one.held_back.to_string()),
        ])
    };
    Table::new(doors.iter().map(row), [Constraint::Fill(1); 6])
        .header(header(["door", "up", "in", "out", "reject", "held"]))
        .block(Block::bordered().title(" Sessions "))
}

fn subscribers_table(subscribers: &[Subscriber]) -> Table<'static> {
    let row = |one: &Subscriber| {
        Row::new([
            Text::from(one.user.clone()),
            Text::from(if one.full { "full" } else { "confl" }),
            right(one.behind.to_string()),
            right(one.conflated.to_string()),
            right(one.resyncs.to_string()),
            right(one.missed_trades.to_string()),
        ])
    };
    Table::new(subscribers.iter().map(row), [6, 5, 4, 6, 6, 6].map(Constraint::Min))
        .header(header(["user", "depth", "late", "merged", "resync", "missed"]))
        .block(Block::bordered().title(" Subscribers by QUIC "))
}

fn footer_lines(state: &State, width: u16) -> Paragraph<'static> {
    let [median, most, nearly, all] = state
        .percentiles([50, 90, 99, 100])
        .map(|took| format!("{:.1}", took.as_secs_f64() * 1e3));
    let times = format!(" answers here took, ms: p50 {median}  p90 {most}  p99 {nearly}  max {all}");
    let last = match &state.trouble {
        Some(trouble) => Line::from(format!(" {trouble}")).yellow(),
        None => Line::from(" q: quit   up, down: choose the instrument").dim(),
    };
    Paragraph::new(vec![stage_line(state, width), Line::from(times), last])
}

/// How long after the gateway orders were through each stage: half of them, and all but one in a hundred. Its words are short where
/// there is no room for more.
fn stage_line(state: &State, width: u16) -> Line<'static> {
    let rows = state.stages.after([50.0, 99.0]);
    if rows.is_empty() {
        return Line::from(" no order has come by a door yet").dim();
    }
    let told = rows.iter().map(|(stage, ns)| {
        let [half, most] = ns.map(micros);
        let name = if width < WIDE {
            stage.get(..3).unwrap_or(stage)
        } else {
            stage
        };
        format!("  {name} {half}/{most}")
    });
    let what = if width < WIDE {
        "us p50/p99:"
    } else {
        "from the gateway until, us, p50/p99:"
    };
    Line::from(format!(" {what}{}", told.collect::<String>()))
}

/// Microseconds, with a decimal where they are few.
fn micros(ns: u64) -> String {
    match ns {
        0..10_000 => format!("{:.1}", ns as f64 / 1e3),
        _ => (ns / 1_000).to_string(),
    }
}

fn header<const N: usize>(names: [&'static str; N]) -> Row<'static> {
    let cells = names.into_iter().enumerate();
    Row::new(cells.map(|(place, name)| if place == 0 { Text::from(name) } else { right(name) })).dim()
}

fn right(text: impl Into<Text<'static>>) -> Text<'static> {
    text.into().alignment(Alignment::Right)
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

fn price(units: Option<u32>) -> String {
    units.map_or_else(dash, |units| decimals(units.into()).to_string())
}

/// Hours to milliseconds since midnight.
fn clock(since_ns: u64) -> String {
    let millis = since_ns / 1_000_000;
    let seconds = millis / 1_000;
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        millis % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::super::client::Told;
    use super::super::text;
    use super::*;
    use std::time::Duration;

    fn state() -> State {
        let picture = serde_json::json!({
            "day": "2026-06-22", "seq": 1_200, "commands": 900, "sessions_up": 3,
            "doors": [
                {"door": "OUCH", "sessions_up": 2, "frames_in": 40, "frames_out": 80, "commands": 30, "rejects": 1, "held_back": 0},
                {"door": "FIX", "sessions_up": 1, "frames_in": 4, "frames_out": 8, "commands": 3, "rejects": 0, "held_back": 5},
            ],
            "feed": {"session": "0120260622", "next": 777, "messages": 776, "packets": 700, "gaps": 2, "lost": 0, "trouble": null},
            "subscribers": [{"user": "alpha1", "full": false, "behind": 7, "conflated": 19, "resyncs": 1, "missed_trades": 4, "memory_bytes": 1}],
            "instruments": [
                {"symbol": "ACME", "last": 1_000_100, "change": -2_500, "volume": 12_300, "phase": "trading", "auction": null,
                 "bids": [[999_900, 300, 2], [999_800, 1_500, 4]], "asks": [[1_000_100, 200, 1]]},
                {"symbol": "BOLT", "last": null, "change": null, "volume": 0, "phase": "auction",
                 "auction": {"price": 250_000, "paired": 900, "imbalance": 100, "side": "buy"}, "bids": [], "asks": []},
            ],
            "trades": [
                {"number": 1, "symbol": "ACME", "price": 1_000_100, "shares": 100, "taker": "buy", "time_ns": 36_061_500_000_000_u64},
                {"number": 2, "symbol": "ACME", "price": 999_900, "shares": 50, "taker": null, "time_ns": 36_062_250_000_000_u64},
            ],
        });
        let times = |ns: u64| serde_json::json!({"took_ns": [], "after_ns": [ns, 20 * ns]});
        let stages = serde_json::json!({
            "percentiles": [50.0, 99.0],
            "stages": [
                {"stage": "sequenced", "recent": times(1_500), "all": times(1)},
                {"stage": "journaled", "recent": times(9_999), "all": times(1)},
                {"stage": "matched", "recent": times(12_000), "all": times(1)},
                {"stage": "released", "recent": times(13_000), "all": times(1)},
                {"stage": "published", "recent": times(250_000), "all": times(1)},
            ],
        });
        let mut state = State::new(None);
        for millis in [3, 1, 2, 40] {
            state.take(Told {
                picture: serde_json::from_value(picture.clone()).unwrap(),
                standing: serde_json::from_value(serde_json::json!({"epoch": 3, "released_up_to": 1_205})).unwrap(),
                stages: serde_json::from_value(stages.clone()).unwrap(),
                took: Duration::from_millis(millis),
            });
        }
        state
    }

    fn drawn(state: &State, width: u16, height: u16) -> Vec<String> {
        let text = text(state, (width, height)).unwrap();
        text.split('\n').map(str::to_owned).collect()
    }

    #[test]
    fn eighty_by_twenty_four_has_everything() {
        let lines = drawn(&state(), 80, 24);
        let expected = [
            " Rialto  2026-06-22  sequence 1200  frontier 1205  lag 5  epoch 3",
            " 0 commands/s  0 feed messages/s  gaps 2  lost 0  session 0120260622 next 777",
            "┌ Instruments ─────────────────────────────────────────────────────────────────┐",
        ];
        assert_eq!(lines[..3], expected);
        assert_eq!(lines.len(), 24, "{lines:#?}");
        let all = lines.join("\n");
        for part in [
            "ACME       trading",
            "99.99",
            "100.01",
            "-0.25",
            "12300",
            "ACME depth",
            "300 (2)",
            "1500 (4)",
            "200 (1)",
            "10:01:01.500",
            "10:01:02.250",
            "OUCH",
            "FIX",
            "alpha1",
            "confl",
            "19",
            " us p50/p99:  seq 1.5/30  jou 10.0/199  mat 12/240  rel 13/260  pub 250/5000",
            "p50 2.0  p90 40.0  p99 40.0  max 40.0",
            "q: quit",
        ] {
            assert!(all.contains(part), "no {part:?} in\n{all}");
        }
        // The newest trade is above, and the best ask above the best bid.
        let at = |part: &str| lines.iter().position(|line| line.contains(part)).unwrap();
        assert!(at("10:01:02.250") < at("10:01:01.500"));
        assert!(at("200 (1)") < at("300 (2)") && at("300 (2)") < at("1500 (4)"));
    }

    #[test]
    fn a_large_screen_has_more_of_it_and_a_tiny_one_does_no_harm() {
        let mut state = state();
        for number in 0..12 {
            let price = 1_000_200 + 100 * number;
            state.picture.instruments[0].asks.push((price, 10, 1));
            state.picture.instruments[0].bids.push((999_700 - 100 * number, 10, 1));
        }
        let large = drawn(&state, 160, 50);
        assert_eq!(large.len(), 50);
        let count = |lines: &[String]| lines.iter().filter(|line| line.contains("10 (1)")).count();
        assert!(count(&large) > count(&drawn(&state, 80, 24)), "{large:#?}");
        assert!(large.iter().all(|line| line.chars().count() <= 160));
        for (width, height) in [(1, 1), (20, 10), (79, 23), (400, 200)] {
            assert_eq!(drawn(&state, width, height).len(), usize::from(height));
        }
    }

    #[test]
    fn the_chosen_instrument_stays_and_an_auction_is_told() {
        let mut state = state();
        state.choose(-1);
        assert_eq!(state.chosen, 0);
        state.choose(5);
        assert_eq!(state.chosen, 1);
        let all = drawn(&state, 80, 24).join("\n");
        assert!(all.contains("BOLT 900 at 25.00, 100 of buy left"), "{all}");
        state.trouble = Some("no console answers".to_owned());
        assert!(drawn(&state, 80, 24).join("\n").ends_with(" no console answers"));
    }
}
