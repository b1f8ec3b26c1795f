//! `rialto top`: the console's essentials in a terminal, of an exchange that may run elsewhere.
//!
//! It asks the HTTP gateway as anybody could who has the console's address. A thread of its own asks, so that a key is never
//! kept waiting by an exchange that is; where it does not answer, what was last known stays with the reason beside it.

mod client;
mod screen;
mod state;

use crate::out;
use crate::view::keys::{self, Action};
use crate::view::{give_back_terminal, take_terminal};
use anyhow::{Context as _, Result, bail};
use client::{Client, Told};
use crossbeam_channel::{Receiver, bounded};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use state::State;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// Between two looks at the keys.
const LOOK: Duration = Duration::from_millis(30);
/// Between the two questions of a frame for text: its rates are taken over this.
const ONCE: Duration = Duration::from_millis(1_000);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The console's address as `rialto up` prints it, with the key behind the hash
    url: String,
    /// Print one frame as text and end
    #[arg(long)]
    once: bool,
    /// The size of that frame, in columns and lines
    #[arg(long, value_name = "WxH", default_value = "80x24", value_parser = size)]
    size: (u16, u16),
    /// The instrument that is chosen in the beginning; without it the first
    #[arg(long)]
    symbol: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let client = Client::new(&args.url)?;
    let mut state = State::new(args.symbol.clone());
    if args.once {
        state.take(client.ask()?);
        std::thread::sleep(ONCE);
        state.take(client.ask()?);
        out::say(format_args!("{}", text(&state, args.size)?));
        return Ok(());
    }
    if !io::stdout().is_terminal() {
        bail!("standard output is no terminal: use --once for a frame as text");
    }
    // Said before the terminal is taken where there is nobody.
    state.take(client.ask()?);
    let stop = Arc::new(AtomicBool::new(false));
    let news = ask_on(client, Arc::clone(&stop))?;
    let mut terminal = take_terminal()?;
    let watched = watch(&mut state, &news, &mut terminal);
    give_back_terminal();
    stop.store(true, Ordering::Relaxed);
    watched
}

/// Asks again and again until told to stop. Who draws is never more than one answer behind.
fn ask_on(client: Client, stop: Arc<AtomicBool>) -> Result<Receiver<Result<Told>>> {
    let (sender, news) = bounded(1);
    let body = move || {
        while !stop.load(Ordering::Relaxed) && sender.send(client.ask()).is_ok() {
            std::thread::sleep(ASK_EVERY);
        }
    };
    std::thread::Builder::new().name("top".to_owned()).spawn(body)?;
    Ok(news)
}

fn watch(state: &mut State, news: &Receiver<Result<Told>>, terminal: &mut ratatui::DefaultTerminal) -> Result<()> {
    let mut drawn: Option<Instant> = None;
    loop {
        let mut fresh = false;
        for told in news.try_iter() {
            fresh = true;
            match told {
                Ok(told) => state.take(told),
                Err(error) => state.trouble = Some(format!("{error:#}")),
            }
        }
        for action in keys::pressed()? {
            fresh = true;
            match action {
                Action::Quit => return Ok(()),
                Action::Up => state.choose(-1),
                Action::Down => state.choose(1),
                Action::Turn => {}
                Action::Redraw => terminal.autoresize()?,
            }
        }
        if fresh || drawn.is_none() {
            terminal.draw(|frame| screen::render(state, frame))?;
            drawn = Some(Instant::now());
        }
        std::thread::sleep(LOOK);
    }
}

/// A frame as text, without what is blank behind its lines.
fn text(state: &State, (width, height): (u16, u16)) -> Result<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height))?;
    terminal.draw(|frame| screen::render(state, frame))?;
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    let lines: Vec<String> = (0..height).map(|y| line(y).trim_end().to_owned()).collect();
    Ok(lines.join("\n"))
}

/// Columns and lines.
fn size(text: &str) -> Result<(u16, u16), String> {
    let sizes = text.split_once('x').context("no x").and_then(|(width, height)| {
        let (width, height): (u16, u16) = (width.parse()?, height.parse()?);
        Ok((width, height))
    });
    let sizes = sizes
        .ok()
        .filter(|(width, height)| (20..=400).contains(width) && (10..=200).contains(height));
    sizes.ok_or_else(|| "write it as 80x24: 20 to 400 columns, 10 to 200 lines".to_owned())
}
