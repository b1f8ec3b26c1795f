//! The history of one order: every change of it, when, by whom and why.

use crate::limits::STORY_LINES_MAX;
use crate::names::Names;
use crate::stream::{PastError, Stream, Visit};
use rialto_journal::Disk;
use rialto_model::{Command, Event, OrderId, Output, Quantity, SequenceNumber, Sequenced, SessionId, Target, UserRef};
use serde::Serialize;

/// One change of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The command that caused it.
    pub seq: u64,
    /// Its stamp, ns since 1970.
    pub stamp: u64,
    /// What came of it: the name of the event.
    pub event: &'static str,
    /// Whose command it was.
    pub by: String,
    /// Which kind of command.
    pub command: &'static str,
    /// Why, or how, in a few words.
    pub why: String,
    /// What is open from here on.
    pub leaves: u64,
}

/// The whole of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct History {
    /// The venue's name of the order.
    pub order: u64,
    /// Every change, in order.
    pub changes: Vec<Change>,
    /// Whether it still rests where the history ends.
    pub live: bool,
    /// Where the history ends: at the change that ended the order, or where the stream does.
    pub up_to: u64,
    /// Whether there were more than [`STORY_LINES_MAX`] changes.
    pub cut: bool,
}

/// Why there is no story.
#[derive(Debug, thiserror::Error)]
pub enum StoryError {
    /// The stream cannot be read there.
    #[error(transparent)]
    Past(#[from] PastError),
    /// Another kind of command has that number.
    #[error(
        "sequence number {id} is a {command} and no order: an order's id is the number of the command that entered it"
    )]
    NoOrder {
        /// What was asked for.
        id: OrderId,
        /// What it is.
        command: &'static str,
    },
}

/// Tells everything that happened to an order, until it is gone or the stream ends.
///
/// # Errors
/// [`StoryError`].
pub fn history<D: Disk>(stream: &Stream<D>, id: OrderId) -> Result<History, StoryError> {
    let (mut visit, entered) = enter(stream, id)?;
    let mut names = Names::of(&visit.past.state());
    let mut thread = Thread::new(id);
    let mut changes = Vec::new();
    let mut next = Some(entered);
    while let Some(command) = next {
        let outputs = visit.past.apply(&command);
        outputs.iter().for_each(|output| names.learn(&output.event.body));
        changes.extend(thread.follow(&command, outputs, &names));
        if !thread.live || changes.len() > STORY_LINES_MAX {
            break;
        }
        next = visit.read()?;
    }
    let cut = changes.len() > STORY_LINES_MAX;
    changes.truncate(STORY_LINES_MAX);
    Ok(History {
        order: id.0,
        changes,
        live: thread.live,
        up_to: visit.past.seq().0,
        cut,
    })
}

/// Goes to the place in front of the command that entered an order, and gives that command.
pub(crate) fn enter<D: Disk>(stream: &Stream<D>, id: OrderId) -> Result<(Visit<D>, Sequenced<Command>), StoryError> {
    let before = SequenceNumber(id.0.saturating_sub(1));
    let wanted = SequenceNumber(id.0);
    let mut visit = stream.near(before)?;
    // The snapshot is in front of the order; the reading goes on as far as the stream does.
    visit.reach(stream.limit.unwrap_or(SequenceNumber(u64::MAX)), stream.limit.is_some());
    loop {
        let Some(command) = visit.read()? else {
            let last = visit.past.seq();
            return Err(PastError::NotYet { wanted, last }.into());
        };
        if command.seq < wanted {
            visit.past.apply(&command);
            continue;
        }
        return match command.body {
            Command::Enter(_) | Command::EnterSpecial(_) | Command::Refuse(_) if command.seq == wanted => {
                Ok((visit, command))
            }
            _ => Err(StoryError::NoOrder {
                id,
                command: command.body.name(),
            }),
        };
    }
}

/// Who is behind a command: the session it comes from, or the venue.
pub(crate) fn session_of(command: &Command) -> SessionId {
    match command {
        Command::Enter(c) => c.session,
        Command::EnterSpecial(c) => c.session,
        Command::Cancel(c) => c.session,
        Command::Replace(c) => c.session,
        Command::ReplaceSpecial(c) => c.session,
        Command::MassCancel(c) => c.session,
        Command::Reduce(c) => c.session,
        Command::Refuse(c) => c.session,
        Command::SessionUp(c) => c.session,
        Command::SessionLost(c) => c.session,
        Command::SessionNote(c) => c.session,
        _ => SessionId(0),
    }
}

/// One order, followed from event to event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thread {
    id: OrderId,
    session: SessionId,
    user_ref: UserRef,
    leaves: Quantity,
    pub(crate) live: bool,
}

impl Thread {
    pub(crate) const fn new(id: OrderId) -> Self {
        Self {
            id,
            session: SessionId(0),
            user_ref: UserRef(0),
            leaves: Quantity::ZERO,
            live: true,
        }
    }

    /// The changes of this order among what came of a command.
    pub(crate) fn follow(&mut self, command: &Sequenced<Command>, outputs: &[Output], names: &Names) -> Vec<Change> {
        let mut changes = Vec::new();
        for output in outputs {
            let Some(why) = self.take(&output.event, names) else {
                continue;
            };
            changes.push(Change {
                seq: command.seq.0,
                stamp: command.stamp.0,
                event: output.event.body.name(),
                by: names.session(session_of(&command.body)),
                command: command.body.name(),
                why,
                leaves: self.leaves.0,
            });
        }
        changes
    }

    /// Takes in an event; a few words about it where it is of this order.
    fn take(&mut self, event: &Sequenced<Event>, names: &Names) -> Option<String> {
        let own = |order: OrderId| order == self.id;
        match &event.body {
            Event::Accepted(e) if own(e.order_id) => {
                (self.session, self.user_ref, self.leaves) = (e.session, e.user_ref, e.quantity);
                let price = names.price(e.instrument, e.price);
                let symbol = names.symbol(e.instrument);
                let how = if e.rests {
                    "rests in full"
                } else {
                    "meets the other side"
                };
                let Quantity(quantity) = e.quantity;
                Some(format!(
                    "{:?} {quantity} {symbol} at {price}, {:?}, {:?}: {how}",
                    e.side, e.kind, e.tif
                ))
            }
            Event::Replaced(e) if own(e.order_id) => {
                (self.user_ref, self.leaves) = (e.user_ref, e.quantity);
                let place = if e.old_public_ref == e.public_ref {
                    "keeps its place"
                } else {
                    "loses its place"
                };
                let price = names.price(e.instrument, e.price);
                let (Quantity(before), Quantity(after)) = (e.old_quantity, e.quantity);
                Some(format!("open {before} becomes {after} at {price}: {place}"))
            }
            Event::Booked(e) if own(e.order_id) => {
                self.leaves = e.quantity;
                let price = names.price(e.instrument, e.price);
                Some(format!("the rest of {} rests at {price}", e.quantity.0))
            }
            Event::Reduced(e) if own(e.order_id) => {
                self.leaves = e.leaves;
                Some(format!("{} taken off, the rest keeps its place", e.removed.0))
            }
            Event::Cancelled(e) if own(e.order_id) => {
                self.leaves = Quantity::ZERO;
                self.live = false;
                Some(format!("{:?}: {} taken off", e.reason, e.removed.0))
            }
            Event::Executed(e) if own(e.maker) || own(e.taker) => {
                let resting = own(e.maker);
                let (other, firm) = if resting {
                    (e.taker, e.taker_firm)
                } else {
                    (e.maker, e.maker_firm)
                };
                self.leaves = if resting { e.maker_leaves } else { e.taker_leaves };
                self.live = !self.leaves.is_zero();
                let role = if resting { "resting, hit by" } else { "incoming, took" };
                let price = names.price(e.instrument, e.price);
                let firm = names.firm(firm);
                Some(format!(
                    "{} at {price}, {role} order {other} of {firm}, trade {}",
                    e.quantity.0, e.trade
                ))
            }
            Event::Rejected(e) if event.seq.0 == self.id.0 => {
                self.live = false;
                Some(format!("{:?}: {}", e.reason, e.reason.text()))
            }
            Event::ChangeRejected(e) if self.is_meant(e.session, e.target) => Some(format!(
                "{:?}: {}; the order stands as it did",
                e.reason,
                e.reason.text()
            )),
            Event::Restated(e) if own(e.order_id) => {
                self.leaves = e.leaves;
                Some("carried into the new trading day, its place is unchanged".to_owned())
            }
            _ => None,
        }
    }

    /// Whether this is the number of the command that entered it.
    pub(crate) const fn is_entered_by(&self, seq: SequenceNumber) -> bool {
        seq.0 == self.id.0
    }

    /// Whether a change of this target, asked for by this session, is one of this order.
    pub(crate) fn is_meant(&self, session: SessionId, target: Target) -> bool {
        match target {
            Target::OrderId(id) => id == self.id,
            Target::UserRef(user_ref) => (session, user_ref) == (self.session, self.user_ref),
        }
    }
}
