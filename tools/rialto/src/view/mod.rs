//! The live view of `rialto up`: one line under the addresses that were printed, which stay in sight to be copied, or by a key the
//! market on the whole screen.
//!
//! What it says of the market it knows from the feed's packets, as any member could; what it says of the exchange, from
//! counters. It never blocks and never stops the exchange: a terminal that fails costs the screen, a feed that fails costs
//! the prices. Where stdout is no terminal there is a line a second on stderr, with `--json` nothing.
//!
//! Beside [`out`] the screen is the only thing that writes to stdout.

pub(crate) mod keys;
mod pace;
mod render;
mod state;

use self::keys::Action;
use self::pace::{Pace, Totals};
use self::state::{Place, State};
use crate::exchange::{Addresses, Controls};
use crate::market::Market;
use crate::out;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{MoveToColumn, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::style::Print;
use ratatui::crossterm::terminal::{self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::{DefaultTerminal, Terminal};
use rialto_client::{FeedAddresses, FeedClient};
use std::collections::VecDeque;
use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two pictures, unless a key is pressed.
const PICTURE_EVERY: Duration = Duration::from_millis(100);
/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(1);
/// Levels of depth on each side.
const DEPTH: usize = 5;
/// Lines that are kept while they cannot be shown.
const SAID_MAX: usize = 20;
/// Reads of the sockets in one draw: what has come beyond that waits for the next.
const POLLS_MAX: usize = 16;

/// Something panicked: the hook gave the terminal back, and nothing may be drawn over the message.
static PANICKED: AtomicBool = AtomicBool::new(false);
/// The whole screen is taken, and what was printed before is behind it.
static WHOLE: AtomicBool = AtomicBool::new(false);

/// Where it is drawn.
enum Surface {
    Nothing,
    /// No terminal: line under line.
    Lines,
    /// A terminal's last line; what was printed before stays where it is.
    LastLine,
    Screen(DefaultTerminal),
}

/// The view. The terminal is given back when it is dropped.
pub(crate) struct View {
    surface: Surface,
    /// What was said where it could not be shown; the oldest lines go.
    said: VecDeque<String>,
    /// The console's address.
    console: String,
    feed: Option<FeedClient>,
    market: Market,
    pace: Pace,
    selected: usize,
    wants_to_quit: bool,
    /// What went wrong with the view itself.
    trouble: Option<String>,
    opened: Instant,
    drawn: Option<Instant>,
}

impl View {
    /// Takes the terminal where there is one and joins the feed.
    pub(crate) fn open(feed: &FeedAddresses, console: String, json: bool) -> Self {
        let mut view = Self {
            surface: if json { Surface::Nothing } else { Surface::Lines },
            said: VecDeque::new(),
            console,
            feed: None,
            market: Market::default(),
            pace: Pace::default(),
            selected: 0,
            wants_to_quit: false,
            trouble: None,
            opened: Instant::now(),
            drawn: None,
        };
        if json {
            return view;
        }
        match FeedClient::join(*feed) {
            Ok(client) => view.feed = Some(client),
            Err(error) => view.trouble = Some(format!("no market data: {error:#}")),
        }
        if io::stdout().is_terminal() {
            match grab_keys() {
                Ok(()) => view.surface = Surface::LastLine,
                Err(error) => view.give_up_screen(&error),
            }
        }
        view
    }

    /// Takes what has come, and draws where it is time to.
    pub(crate) fn draw(&mut self, controls: &Controls) {
        if PANICKED.load(Ordering::Relaxed) {
            self.surface = Surface::Nothing;
        }
        let every = match self.surface {
            Surface::Nothing => return,
            Surface::Lines | Surface::LastLine => LINE_EVERY,
            Surface::Screen(_) => PICTURE_EVERY,
        };
        self.follow_feed();
        let pressed = self.take_keys();
        if !pressed && self.drawn.is_some_and(|at| at.elapsed() < every) {
            return;
        }
        self.drawn = Some(Instant::now());
        let state = self.state(controls);
        let drawn = match &mut self.surface {
            Surface::Nothing => Ok(()),
            Surface::Lines => {
                out::complain(format_args!("{}", state.line()));
                Ok(())
            }
            Surface::LastLine => last_line(&state),
            Surface::Screen(terminal) => terminal.draw(|frame| render::render(&state, frame)).map(drop),
        };
        if let Err(error) = drawn {
            self.give_up_screen(&error);
        }
    }

    /// From the last line to the whole screen, and back to what was printed.
    fn turn(&mut self) {
        let turned = match self.surface {
            Surface::LastLine => take_screen().map(Surface::Screen),
            Surface::Screen(_) => leave_screen().map(|()| Surface::LastLine),
            Surface::Nothing | Surface::Lines => return,
        };
        match turned {
            Ok(surface) => {
                self.surface = surface;
                if matches!(self.surface, Surface::LastLine) {
                    self.said.drain(..).for_each(|line| above(&line));
                }
            }
            Err(error) => self.give_up_screen(&error),
        }
    }

    /// Shows what the doors have to say, who was refused and why: at once above the last line, or once the screen is back.
    pub(crate) fn hear(&mut self, line: String) {
        match self.surface {
            Surface::Lines => out::complain(format_args!("{line}")),
            Surface::LastLine => {
                above(&line);
                self.drawn = None;
            }
            Surface::Nothing | Surface::Screen(_) => {
                if self.said.len() == SAID_MAX {
                    self.said.pop_front();
                }
                self.said.push_back(line);
            }
        }
    }

    /// Whether somebody pressed q, Esc or Ctrl-C, which is a key like any other while the screen is up.
    pub(crate) const fn wants_to_quit(&self) -> bool {
        self.wants_to_quit
    }

    /// Gives the terminal back.
    pub(crate) fn close(self) {
        drop(self);
    }

    fn follow_feed(&mut self) {
        let Some(client) = &mut self.feed else { return };
        let market = &mut self.market;
        for _ in 0..POLLS_MAX {
            match client.poll(Duration::ZERO, &mut |delivery| market.handle(delivery)) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    self.trouble = Some(format!("no market data any more: {error:#}"));
                    self.feed = None;
                    return;
                }
            }
        }
    }

    /// Whether any key was pressed that means something.
    fn take_keys(&mut self) -> bool {
        if !self.has_terminal() {
            return false;
        }
        let actions = match keys::pressed() {
            Ok(actions) => actions,
            Err(error) => {
                self.give_up_screen(&error);
                return false;
            }
        };
        let last = self.market.len().saturating_sub(1);
        for action in &actions {
            match action {
                Action::Quit => self.wants_to_quit = true,
                Action::Up => self.selected = self.selected.saturating_sub(1),
                Action::Down => self.selected = (self.selected + 1).min(last),
                Action::Turn => self.turn(),
                Action::Redraw => {}
            }
        }
        !actions.is_empty()
    }

    fn state(&mut self, controls: &Controls) -> State {
        let (ouch, fix, feed) = (controls.ouch.read(), controls.fix.read(), controls.feed.read());
        let totals = Totals {
            commands: ouch.commands + fix.commands,
            messages: feed.messages,
            packets: feed.packets,
        };
        let elapsed = self.opened.elapsed();
        // A new session may have fewer instruments.
        self.selected = self.selected.min(self.market.len().saturating_sub(1));
        let counters = self.feed.as_ref().map(FeedClient::counters).unwrap_or_default();
        let place = self.feed.as_ref().and_then(FeedClient::position);
        State {
            elapsed,
            day: controls.day,
            totals,
            rates: self.pace.rates(elapsed, totals),
            sessions_up: ouch.sessions_up + fix.sessions_up,
            place: place.map(|(session, next)| Place {
                session: session.to_string(),
                next: next.0,
            }),
            gaps: counters.gaps,
            lost: counters.lost,
            trouble: self.trouble.clone(),
            console: self.console.clone(),
            ports: ports(&controls.addresses),
            rows: self.market.rows(),
            depth: self.market.depth(self.selected, DEPTH),
            selected: self.selected,
        }
    }

    /// Goes on without a screen.
    fn give_up_screen(&mut self, error: &io::Error) {
        give_back_terminal();
        self.surface = Surface::Lines;
        out::complain(format_args!(
            "rialto: no live view, lines instead: the terminal says: {error}"
        ));
    }
}

impl View {
    const fn has_terminal(&self) -> bool {
        matches!(self.surface, Surface::LastLine | Surface::Screen(_))
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if matches!(self.surface, Surface::LastLine) {
            let _ = execute!(io::stdout(), Clear(ClearType::CurrentLine), MoveToColumn(0));
        }
        if self.has_terminal() {
            give_back_terminal();
        }
        for line in self.said.drain(..) {
            out::complain(format_args!("{line}"));
        }
    }
}

/// Writes a line where the last one was, which is written again below it.
fn above(line: &str) {
    let cleared = (Clear(ClearType::CurrentLine), MoveToColumn(0));
    // A terminal that has gone is found out by the next last line.
    let _ = execute!(io::stdout(), cleared.0, cleared.1, Print(line), Print("\r\n"));
}

/// Writes the terminal's last line again.
fn last_line(state: &State) -> io::Result<()> {
    let width = terminal::size().map_or(80, |(columns, _)| columns);
    let line = state.last_line(width.into());
    execute!(
        io::stdout(),
        Clear(ClearType::CurrentLine),
        MoveToColumn(0),
        Print(line)
    )
}

/// Takes the keys alone, and sees to it that a panic on any thread gives the terminal back before its message is written.
fn grab_keys() -> io::Result<()> {
    out::hush();
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICKED.store(true, Ordering::Relaxed);
        give_back_terminal();
        tell(panic);
    }));
    terminal::enable_raw_mode()
}

/// Takes the whole screen where the keys are taken.
fn take_screen() -> io::Result<DefaultTerminal> {
    WHOLE.store(true, Ordering::Relaxed);
    execute!(
        io::stdout(),
        Clear(ClearType::CurrentLine),
        MoveToColumn(0),
        EnterAlternateScreen
    )?;
    Terminal::new(CrosstermBackend::new(io::stdout()))
}

/// Back to what was printed before the whole screen was taken.
fn leave_screen() -> io::Result<()> {
    WHOLE.store(false, Ordering::Relaxed);
    execute!(io::stdout(), LeaveAlternateScreen, Show)
}

/// Takes keys and screen.
pub(crate) fn take_terminal() -> io::Result<DefaultTerminal> {
    grab_keys()?;
    take_screen()
}

/// A terminal that does not take itself back has gone: there is nobody to tell.
pub(crate) fn give_back_terminal() {
    if WHOLE.load(Ordering::Relaxed) {
        let _ = leave_screen();
    }
    let _ = terminal::disable_raw_mode();
}

fn ports(addresses: &Addresses) -> Vec<(&'static str, String)> {
    let Addresses {
        ouch,
        fix,
        feed,
        quic,
        glimpse,
        ..
    } = addresses;
    let mut ports = vec![("OUCH", ouch.to_string()), ("FIX", fix.to_string())];
    ports.extend(feed.rerequest.map(|server| ("re-requests", server.to_string())));
    ports.push(("ITCH A", feed.line_a.to_string()));
    ports.extend(feed.line_b.map(|line| ("ITCH B", line.to_string())));
    ports.extend(quic.as_ref().map(|quic| ("QUIC", quic.address.to_string())));
    ports.extend(glimpse.map(|address| ("GLIMPSE", address.to_string())));
    ports
}
