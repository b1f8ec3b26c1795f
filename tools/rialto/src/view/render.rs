//! From a state to a picture: a pure function.

use super::DEPTH;
use super::state::{State, change, clock, price};
use crate::market::Row as Instrument;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Paragraph, Row, Table, TableState};
use rialto_itch::codes::TradingState;
use rialto_subscriber::Level;
use std::cmp::Ordering;

/// Borders and header of a table.
const TABLE_FRAME: u16 = 3;
/// Rates, place, the console, three lines of ports, keys.
const STATUS_LINES: u16 = 7;
/// So many fit into 80 columns.
const PORTS_A_LINE: usize = 3;

/// Draws the state; what has no room is cut off.
pub(super) fn render(state: &State, frame: &mut Frame<'_>) {
    let depth_lines = DEPTH as u16 + TABLE_FRAME;
    let rows = Constraint::Min(TABLE_FRAME + 1);
    let areas = Layout::vertical([rows, Constraint::Length(depth_lines), Constraint::Length(STATUS_LINES)]);
    let [instruments, depth, status] = areas.areas(frame.area());
    render_instruments(state, frame, instruments);
    render_depth(state, frame, depth);
    frame.render_widget(status_text(state), status);
}

fn render_instruments(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let widths = [
        Constraint::Length(10),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Fill(1),
    ];
    let names = ["", "bid size", "bid", "ask", "ask size", "last", "change", "volume"];
    let title = format!(" Rialto  {}  up {} ", state.day, clock(state.elapsed));
    let table = Table::new(state.rows.iter().map(instrument_row), widths)
        .header(header(names))
        .row_highlight_style(Style::new().reversed())
        .block(Block::bordered().title(title));
    let mut selection = TableState::new().with_selected(Some(state.selected));
    frame.render_stateful_widget(table, area, &mut selection);
}

fn instrument_row(instrument: &Instrument) -> Row<'static> {
    let Instrument {
        symbol,
        bid,
        ask,
        last,
        change: changed,
        volume,
        status,
    } = instrument;
    // Yellow: not in continuous trading.
    let name = match status.state {
        None | Some(TradingState::Trading) => Text::from(symbol.clone()),
        Some(_) => Text::from(symbol.clone()).yellow(),
    };
    let colour = match changed.map_or(Ordering::Equal, |units| units.cmp(&0)) {
        Ordering::Less => Color::Red,
        Ordering::Equal => Color::Reset,
        Ordering::Greater => Color::Green,
    };
    Row::new([
        name.bold(),
        right(size(*bid)),
        right(price(bid.map(|level| level.price))).green(),
        right(price(ask.map(|level| level.price))).red(),
        right(size(*ask)),
        right(price(*last)),
        right(change(*changed)).fg(colour),
        right(volume.to_string()),
    ])
}

fn render_depth(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let [left, right] = Layout::horizontal([Constraint::Fill(1); 2]).areas(area);
    let symbol = state.rows.get(state.selected).map_or("", |row| row.symbol.as_str());
    let bids = state.depth.bids.iter().map(|level| depth_cells(level, Color::Green));
    let asks = state.depth.asks.iter().map(|level| {
        let mut cells = depth_cells(level, Color::Red);
        cells.reverse();
        cells
    });
    let side = |title, names, cells: Vec<[Text<'static>; 3]>| {
        Table::new(cells.into_iter().map(Row::new), [Constraint::Fill(1); 3])
            .header(header(names))
            .block(Block::bordered().title(title))
    };
    frame.render_widget(
        side(format!(" {symbol} bids "), ["orders", "size", "price"], bids.collect()),
        left,
    );
    frame.render_widget(
        side(format!(" {symbol} asks "), ["price", "size", "orders"], asks.collect()),
        right,
    );
}

/// Orders, size, price.
fn depth_cells(level: &Level, colour: Color) -> [Text<'static>; 3] {
    let price = right(price(Some(level.price))).fg(colour);
    [
        right(level.orders.to_string()),
        right(level.shares.0.to_string()),
        price,
    ]
}

fn status_text(state: &State) -> Paragraph<'static> {
    let State {
        totals,
        rates,
        sessions_up,
        gaps,
        ..
    } = state;
    let place = state.place.as_ref().map_or_else(
        || "no packet of the feed yet".to_owned(),
        |place| format!("MoldUDP64 session {}, next number {}", place.session, place.next),
    );
    let ports: Vec<String> = state
        .ports
        .iter()
        .map(|(name, address)| format!("{name} {address}"))
        .collect();
    let mut lines = vec![
        Line::from(format!(
            " {} commands/s   {} feed messages/s   {} packets/s   {} commands in all",
            rates.commands, rates.messages, rates.packets, totals.commands
        )),
        Line::from(format!(" {sessions_up} sessions up   {place}   {gaps} gaps")),
        Line::from(format!(" {}", state.console)).bold(),
    ];
    lines.extend(
        ports
            .chunks(PORTS_A_LINE)
            .map(|ports| Line::from(format!(" {}", ports.join("   ")))),
    );
    lines.push(match state.warning() {
        Some(warning) => Line::from(format!(" {warning}")).yellow(),
        None => Line::from(" q: stop the exchange   m: back to the lines to paste   up, down: instrument").dim(),
    });
    Paragraph::new(lines)
}

fn header<const N: usize>(names: [&'static str; N]) -> Row<'static> {
    Row::new(names.map(right)).dim()
}

fn right(text: impl Into<Text<'static>>) -> Text<'static> {
    text.into().alignment(Alignment::Right)
}

fn size(level: Option<Level>) -> String {
    level.map_or_else(|| "-".to_owned(), |level| level.shares.0.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::example;
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::style::Modifier;

    fn draw(state: &State, width: u16, height: u16) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| render(state, frame)).unwrap();
        terminal
    }

    fn lines(terminal: &Terminal<TestBackend>) -> Vec<String> {
        let buffer = terminal.backend().buffer();
        let line = |y| {
            (0..buffer.area.width)
                .map(|x| buffer[(x, y)].symbol())
                .collect::<String>()
        };
        (0..buffer.area.height).map(|y| line(y).trim_end().to_owned()).collect()
    }

    #[test]
    fn the_whole_screen() {
        let expected = [
            "┌ Rialto  2026-11-24  up 01:02:05 ─────────────────────────────────────────────┐",
            "│            bid size      bid       ask  ask size      last   change    volume│",
            "│ACME             300    99.99    100.01       200    100.01    -0.25     12300│",
            "│BOLT               -        -         -         -         -        -         0│",
            "└──────────────────────────────────────────────────────────────────────────────┘",
            "┌ ACME bids ───────────────────────────┐┌ ACME asks ───────────────────────────┐",
            "│      orders         size        price││       price         size       orders│",
            "│           2          300        99.99││      100.01          200            1│",
            "│           4         1500      99.9850││                                      │",
            "│                                      ││                                      │",
            "│                                      ││                                      │",
            "│                                      ││                                      │",
            "└──────────────────────────────────────┘└──────────────────────────────────────┘",
            " 300 commands/s   512 feed messages/s   240 packets/s   12000 commands in all",
            " 6 sessions up   MoldUDP64 session 0120261124, next number 20001   0 gaps",
            " http://127.0.0.1:26404/#key=00112233445566778899aabbccddeeff",
            " OUCH 127.0.0.1:26100   FIX 127.0.0.1:26200   re-requests 127.0.0.1:26402",
            " ITCH A 239.255.82.1:26400   ITCH B 239.255.82.2:26401   QUIC 127.0.0.1:26403",
            " GLIMPSE 127.0.0.1:26406",
            " q: stop the exchange   m: back to the lines to paste   up, down: instrument",
        ];
        assert_eq!(lines(&draw(&example(), 80, 20)), expected);
    }

    #[test]
    fn the_selected_instrument_is_marked_and_kept_in_sight() {
        let mut state = example();
        let bolt = state.rows[1].clone();
        state.rows.extend((0..50).map(|number| Instrument {
            symbol: format!("S{number}"),
            ..bolt.clone()
        }));
        state.selected = 51;
        let terminal = draw(&state, 80, 22);
        let last_row = 5;
        assert!(
            lines(&terminal)[last_row].starts_with("│S49 "),
            "{:#?}",
            lines(&terminal)
        );
        let marked = |y: usize| {
            terminal.backend().buffer()[(1, y as u16)]
                .modifier
                .contains(Modifier::REVERSED)
        };
        assert_eq!(
            (2..=last_row).map(marked).collect::<Vec<_>>(),
            [false, false, false, true]
        );
    }

    #[test]
    fn a_warning_takes_the_place_of_the_keys() {
        let mut state = example();
        state.trouble = Some("no market data: cannot join".to_owned());
        assert_eq!(lines(&draw(&state, 80, 20))[19], " no market data: cannot join");
    }

    #[test]
    fn an_empty_market_and_a_tiny_terminal_are_drawn_too() {
        let mut state = example();
        state.rows.clear();
        state.depth = crate::market::Depth::default();
        state.ports.clear();
        state.place = None;
        for (width, height) in [(1, 1), (3, 40), (80, 4), (200, 60)] {
            let drawn = lines(&draw(&state, width, height));
            assert_eq!(drawn.len(), usize::from(height));
        }
        assert!(lines(&draw(&state, 80, 20))[14].contains("no packet of the feed yet"));
    }
}
