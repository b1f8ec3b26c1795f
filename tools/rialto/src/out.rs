//! The one place that writes to stdout and stderr.
//!
//! Results go to stdout, everything else to stderr, so that a pipe carries results alone. A reader that goes away is no
//! error: what is said from then on is dropped, and [`is_closed`] tells the commands that would go on for ever. Colour is
//! for terminals only.

use anyhow::{Result, bail};
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The reader of stdout has gone.
static CLOSED: AtomicBool = AtomicBool::new(false);
/// Something could not be written for another reason, a full disk say.
static FAILED: AtomicBool = AtomicBool::new(false);

/// From when on who waits is shown that something is done.
const PATIENT_FOR: Duration = Duration::from_secs(1);
/// Between two drawings of that.
const TURN: Duration = Duration::from_millis(100);

/// Whether there is a [`Waiting`], asked for in passing.
static WAITED: AtomicBool = AtomicBool::new(false);
static WAITING: Mutex<Option<Waiting>> = Mutex::new(None);

/// What is shown to who waits.
struct Waiting {
    end: Sender<()>,
    thread: JoinHandle<()>,
}

/// Shows on stderr, after a second, that the command is at work on `what`, until anything is printed or [`hush`] is called. Nothing
/// is shown where nobody looks or a program reads.
pub(crate) fn wait(what: &'static str) {
    let reads = std::env::args_os().any(|argument| argument == "--json");
    if reads || !io::stderr().is_terminal() {
        return;
    }
    let begun = Instant::now();
    let (end, ended) = bounded::<()>(0);
    let body = move || {
        let mut next = PATIENT_FOR;
        let mut bar = None;
        while ended.recv_timeout(next) == Err(RecvTimeoutError::Timeout) {
            next = TURN;
            let bar = bar.get_or_insert_with(|| spinner(what));
            bar.set_message(format!("{} s", begun.elapsed().as_secs()));
            bar.tick();
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    };
    // Without a thread nothing is shown, and nothing else is lost.
    let Ok(thread) = std::thread::Builder::new().name("waiting".to_owned()).spawn(body) else {
        return;
    };
    *WAITING.lock().unwrap_or_else(PoisonError::into_inner) = Some(Waiting { end, thread });
    WAITED.store(true, Ordering::Release);
}

fn spinner(what: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    match ProgressStyle::with_template(&format!("{{spinner}} {what}, {{msg}}")) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Takes away what [`wait`] shows.
pub(crate) fn hush() {
    if !WAITED.swap(false, Ordering::AcqRel) {
        return;
    }
    let waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(Waiting { end, thread }) = waiting {
        drop(end);
        let _ = thread.join();
    }
}

/// A line on stdout.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    write_out(|out| writeln!(out, "{line}"));
}

/// A line on stderr. What cannot be complained of is lost: there is nobody left to tell.
pub(crate) fn complain(line: fmt::Arguments<'_>) {
    hush();
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// An object on a line of its own on stdout.
pub(crate) fn json_line(value: &impl Serialize) {
    write_out(|out| {
        serde_json::to_writer(&mut *out, value)?;
        out.write_all(b"\n")
    });
}

/// An object for people: a line for each of its fields, names and values in two columns, as one text without a last line
/// end.
pub(crate) fn pairs(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    if value
        .serialize(&mut Serializer::with_formatter(&mut text, Pairs::default()))
        .is_err()
    {
        return String::new();
    }
    let text = String::from_utf8_lossy(&text);
    let rows: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> = rows
        .iter()
        .map(|(name, value)| format!("{name:<width$}  {value}"))
        .collect();
    lines.join("\n")
}

/// A progress bar on stderr over `total` units; a spinner where the total is not known (0). Draws nothing where it is to
/// be `quiet` or nobody looks.
pub(crate) fn progress(total: u64, unit: &str, quiet: bool) -> ProgressBar {
    hush();
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match total {
        0 => (
            ProgressBar::new_spinner(),
            format!("{{spinner}} {{human_pos}} {unit} {{per_sec}} {{elapsed}}"),
        ),
        _ => (
            ProgressBar::new(total),
            format!("{{wide_bar}} {{human_pos}} of {{human_len}} {unit} {{per_sec}} {{eta}} left"),
        ),
    };
    match ProgressStyle::with_template(&template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Whether nobody reads stdout any more. A command that goes on until it is told ends then, and has succeeded.
pub(crate) fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// Whether everything that was said could be written.
///
/// # Errors
/// Something was lost though somebody was reading.
pub(crate) fn finish() -> Result<()> {
    if FAILED.load(Ordering::Relaxed) {
        bail!("not all results could be written to stdout: look for a full disk and run it again");
    }
    Ok(())
}

/// A colour of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Green,
    Yellow,
    Red,
}

/// The text in a colour where stdout is a terminal and nobody forbids it by NO_COLOR.
pub(crate) fn coloured(colour: Colour, text: &str) -> String {
    if !is_dressed() {
        return text.to_owned();
    }
    let code = match colour {
        Colour::Green => 32,
        Colour::Yellow => 33,
        Colour::Red => 31,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// The text in bold where colour would be wanted.
pub(crate) fn bold(text: &str) -> String {
    if is_dressed() {
        format!("\x1b[1m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Whether stdout is a terminal and nobody forbids colour by NO_COLOR.
fn is_dressed() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn write_out(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    hush();
    if is_closed() {
        return;
    }
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => CLOSED.store(true, Ordering::Relaxed),
        Err(error) => {
            if !FAILED.swap(true, Ordering::Relaxed) {
                complain(format_args!("rialto: cannot write to stdout: {error}"));
            }
        }
    }
}

/// Writes an object as `name<TAB>value` lines; what is inside a value stays JSON on its line.
#[derive(Default)]
struct Pairs {
    depth: u32,
    in_key: bool,
}

impl Pairs {
    fn is_bare(&self) -> bool {
        self.in_key || self.depth == 1
    }
}

impl Formatter for Pairs {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.depth == 1 {
            Ok(())
        } else {
            writer.write_all(b"{")
        }
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.depth == 0 {
            Ok(())
        } else {
            writer.write_all(b"}")
        }
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"]")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        match (self.depth, first) {
            (1, true) => self.in_key = true,
            (1, false) => {
                self.in_key = true;
                writer.write_all(b"\n")?;
            }
            (_, true) => {}
            (_, false) => writer.write_all(b", ")?,
        }
        Ok(())
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.in_key = false;
        writer.write_all(if self.depth == 1 { b"\t" } else { b": " })
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.is_bare() {
            Ok(())
        } else {
            writer.write_all(b"\"")
        }
    }

    fn end_string<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.is_bare() {
            Ok(())
        } else {
            writer.write_all(b"\"")
        }
    }

    fn write_null<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.is_bare() { b"-" } else { b"null" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Summary {
        rows: u64,
        state_hash: &'static str,
        data: Option<u8>,
        sides: Vec<Inner>,
    }

    #[derive(Serialize)]
    struct Inner {
        name: &'static str,
        price: Option<u8>,
    }

    #[test]
    fn an_object_becomes_two_columns_in_its_own_order() {
        let summary = Summary {
            rows: 7,
            state_hash: "00ff",
            data: None,
            sides: vec![
                Inner {
                    name: "bid",
                    price: Some(1),
                },
                Inner {
                    name: "a\tb\nc",
                    price: None,
                },
            ],
        };
        let expected = [
            "rows        7",
            "state_hash  00ff",
            "data        -",
            r#"sides       [{"name": "bid", "price": 1}, {"name": "a\tb\nc", "price": null}]"#,
        ];
        assert_eq!(pairs(&summary), expected.join("\n"));
    }
}
