//! A case, step by step, and the judgement.

use super::case::{Case, Door, From, Step, Want, Wants};
use super::client::Started;
use super::frame::Names;
use super::tap::{Tap, Wire};
use super::venue::Venue;
use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// How often a book is looked at that is not yet as wanted.
const LOOK: Duration = Duration::from_millis(50);
/// Messages that are shown with a failure.
const SEEN_MAX: usize = 20;

/// Who takes part.
pub(super) struct Stage<'a> {
    pub(super) case: &'a Case,
    pub(super) venue: &'a mut Venue,
    pub(super) tap: &'a Tap,
    pub(super) client: Option<Started>,
    /// How long anything is waited for.
    pub(super) patience: Duration,
    /// Says to a person what to do.
    pub(super) say: &'a dyn Fn(&str),
}

/// Why a case failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// Which step, from 1.
    pub(super) step: usize,
    pub(super) why: String,
    /// The last that passed on the wire.
    pub(super) seen: Vec<String>,
}

/// How far each direction has been judged.
#[derive(Default)]
struct Judged {
    client: usize,
    venue: usize,
    names: Names,
}

impl Stage<'_> {
    /// Plays it to its end or its failure.
    pub(super) fn play(mut self) -> Result<(), Failure> {
        let mut judged = Judged::default();
        let case = self.case;
        for (index, step) in case.steps.iter().enumerate() {
            let done = self.step(step, &mut judged).and_then(|()| self.unforbidden());
            if let Err(error) = done {
                let wire = self.tap.wire();
                let skipped = wire.noted.len().saturating_sub(SEEN_MAX);
                return Err(Failure {
                    step: index + 1,
                    why: match self.client.as_mut().and_then(Started::ended) {
                        Some(how) => format!("{error:#}; {how}"),
                        None => format!("{error:#}"),
                    },
                    seen: wire.noted.iter().skip(skipped).map(ToString::to_string).collect(),
                });
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Step, judged: &mut Judged) -> Result<()> {
        match step {
            Step::Ask(what) => {
                (self.say)(what);
                if let Some(client) = &mut self.client {
                    client.tell(what);
                }
                Ok(())
            }
            Step::ClientSends(wants) => self.await_message(From::Client, wants, judged),
            Step::VenueSends(wants) => self.await_message(From::Venue, wants, judged),
            Step::Lose(lose) => {
                self.tap.lose(lose.clone());
                Ok(())
            }
            Step::Cut(_) => {
                self.tap.cut();
                Ok(())
            }
            Step::Operate(act) => self.venue.operate(act),
            Step::Rival(order) => self.venue.rival(order),
            Step::KillVenue(_) => {
                self.tap.venue(None);
                self.venue.kill()?;
                self.tap.cut();
                Ok(())
            }
            Step::StartVenue(_) => {
                self.venue.start()?;
                self.tap.venue(match self.case.door {
                    Door::Fix => self.venue.fix(),
                    Door::Ouch => self.venue.ouch(),
                });
                Ok(())
            }
            Step::Book(book) => {
                let begun = Instant::now();
                loop {
                    let (bids, asks) = self.venue.book(&book.symbol)?;
                    let as_wanted =
                        book.bids.is_none_or(|wanted| wanted == bids) && book.asks.is_none_or(|wanted| wanted == asks);
                    if as_wanted {
                        return Ok(());
                    }
                    self.unforbidden()?;
                    if begun.elapsed() > self.patience {
                        let wanted = |side: Option<usize>| side.map_or("any".to_owned(), |count| count.to_string());
                        bail!(
                            "the book of {} has {bids} bid levels and {asks} ask levels, not {} and {}",
                            book.symbol,
                            wanted(book.bids),
                            wanted(book.asks)
                        );
                    }
                    std::thread::sleep(LOOK);
                }
            }
        }
    }

    fn await_message(&self, from: From, wants: &Wants, judged: &mut Judged) -> Result<()> {
        let Judged { client, venue, names } = judged;
        let place = match from {
            From::Client => client,
            From::Venue => venue,
        };
        let mut looked = *place;
        let begun = Instant::now();
        let mut wire = self.tap.wire();
        loop {
            offence(self.case, &wire)?;
            while let Some(frame) = wire.noted.get(looked) {
                looked += 1;
                if frame.from == from && wants.as_slice().iter().any(|want| frame.fits(want, names)) {
                    *place = looked;
                    return Ok(());
                }
            }
            let left = self.patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                let who = match from {
                    From::Client => "client",
                    From::Venue => "venue",
                };
                let wanted: Vec<String> = wants.as_slice().iter().map(|want| meant(want, names)).collect();
                bail!(
                    "within {} s the {who} did not send {}",
                    self.patience.as_secs(),
                    wanted.join(", or ")
                );
            }
            wire = self.tap.wait(wire, left);
        }
    }

    fn unforbidden(&self) -> Result<()> {
        offence(self.case, &self.tap.wire())
    }
}

/// What is wanted, with the values that have names by now.
fn meant(want: &Want, names: &Names) -> String {
    let mut meant = want.clone();
    for pattern in meant.with.values_mut() {
        if let Some((sign, name)) = pattern.split_once('$')
            && let Some(value) = names.get(name)
        {
            *pattern = format!("{sign}{value}");
        }
    }
    meant.to_string()
}

/// What a client never does.
fn offence(case: &Case, wire: &Wire) -> Result<()> {
    if let Some(offence) = &wire.offence {
        bail!("the client sent {offence}");
    }
    for want in &case.never {
        let found = wire
            .noted
            .iter()
            .find(|frame| frame.from == From::Client && frame.fits(want, &mut Names::new()));
        if let Some(frame) = found {
            bail!("the client sent what it must not, {want}: {frame}");
        }
    }
    Ok(())
}
