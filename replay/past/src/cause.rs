//! Why an order fared as it did: the causal chain of its fills, its cancel or its reject, with sequence numbers.
//!
//! What is said here is read off the engine's state in front of and behind each command that touched the order, and off
//! the events: who stood ahead of it and how each of them went, which price the incoming order reached, which terms a
//! refused order broke. Rules that an engine states as the reason of an event are given by that reason.

use crate::answers::find;
use crate::limits::{AHEAD_NAMED_MAX, STORY_LINES_MAX};
use crate::names::{Names, decimal};
use crate::story::{Change, StoryError, Thread, enter, session_of};
use crate::stream::Stream;
use rialto_journal::Disk;
use rialto_matching::EngineState;
use rialto_model::event::{Cancelled, Executed, Rejected};
use rialto_model::{CancelReason, Command, Event, OrderId, Output, Quantity, SequenceNumber, Sequenced, Side};
use serde::Serialize;
use std::collections::BTreeMap;

/// A change of the order with its causes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
    /// Why: one sentence each, the nearest cause first.
    pub because: Vec<String>,
}

/// Explains every change of an order, until it is gone or the stream ends, at most [`STORY_LINES_MAX`] of them.
///
/// # Errors
/// [`StoryError`].
pub fn explain<D: Disk>(stream: &Stream<D>, id: OrderId) -> Result<Vec<Explanation>, StoryError> {
    let (mut visit, entered) = enter(stream, id)?;
    let mut names = Names::of(&visit.past.state());
    let mut thread = Thread::new(id);
    let mut queue = Queue::default();
    let mut told = Vec::new();
    let mut next = Some(entered);
    while let Some(command) = next {
        // The whole state is taken only where the order itself comes in: at its entry and at each replace.
        let before = thread.comes_in(&command).then(|| visit.past.state());
        let outputs = visit.past.apply(&command).to_vec();
        for output in &outputs {
            names.learn(&output.event.body);
            let scene = Scene {
                id,
                command: &command,
                outputs: &outputs,
                before: before.as_ref(),
                names: &names,
            };
            for change in thread.follow(&command, core::slice::from_ref(output), &names) {
                let because = scene.because(&output.event.body, &queue);
                told.push(Explanation { change, because });
            }
            queue.follow(&output.event);
        }
        if outputs.iter().any(|output| is_queued(&output.event.body, id)) {
            let after = visit.past.state();
            queue = Queue::ahead_of(&after, id);
            if let Some(last) = told.last_mut() {
                last.because.push(queue.at_first());
            }
        }
        if !thread.live || told.len() >= STORY_LINES_MAX {
            break;
        }
        next = visit.read()?;
    }
    told.truncate(STORY_LINES_MAX);
    Ok(told)
}

/// Whether the order went into a queue here.
fn is_queued(event: &Event, id: OrderId) -> bool {
    match event {
        Event::Accepted(e) => e.order_id == id && e.rests,
        Event::Replaced(e) => e.order_id == id && e.rests && e.public_ref != e.old_public_ref,
        Event::Booked(e) => e.order_id == id,
        _ => false,
    }
}

/// The orders that stood in front of ours at its price when it went into the queue, and how each has gone since.
#[derive(Debug, Default)]
struct Queue {
    ahead: BTreeMap<OrderId, Quantity>,
    at_first: usize,
    gone: Vec<String>,
}

impl Queue {
    fn ahead_of(state: &EngineState, id: OrderId) -> Self {
        let mut ahead = BTreeMap::new();
        if let Some((_, _, queue, at)) = find(state, id)
            && let Some((before, [own, ..])) = queue.split_at_checked(at)
        {
            let same = before.iter().filter(|other| other.price == own.price);
            ahead.extend(same.map(|other| (other.order_id, other.leaves)));
        }
        Self {
            at_first: ahead.len(),
            ahead,
            gone: Vec::new(),
        }
    }

    fn follow(&mut self, event: &Sequenced<Event>) {
        let seq = event.seq;
        match &event.body {
            Event::Executed(e) if e.maker_leaves.is_zero() => self.goes(e.maker, seq, "traded in full"),
            Event::Executed(e) => {
                self.ahead.entry(e.maker).and_modify(|leaves| *leaves = e.maker_leaves);
            }
            Event::Reduced(e) => {
                self.ahead.entry(e.order_id).and_modify(|leaves| *leaves = e.leaves);
            }
            Event::Cancelled(e) => self.goes(e.order_id, seq, "was cancelled"),
            Event::Replaced(e) if e.public_ref != e.old_public_ref => self.goes(e.order_id, seq, "lost its place"),
            _ => {}
        }
    }

    fn goes(&mut self, order: OrderId, seq: SequenceNumber, how: &str) {
        if self.ahead.remove(&order).is_some() {
            self.gone.push(format!("order {order} {how} by command {seq}"));
        }
    }

    fn at_first(&self) -> String {
        if self.ahead.is_empty() {
            return "priority: nobody stood ahead of it at its price".to_owned();
        }
        let each = self
            .ahead
            .iter()
            .map(|(order, leaves)| format!("order {order} with {leaves}"));
        format!(
            "priority: behind {} at its price: {}",
            orders(self.at_first),
            some(each)
        )
    }

    /// Why it was its turn.
    fn turn(&self) -> String {
        match (self.at_first, self.ahead.len()) {
            (0, _) => "priority: it was first at its price from the start".to_owned(),
            (first, 0) => format!(
                "priority: it had come to the front, for all {first} ahead of it had gone: {}",
                some(self.gone.iter().cloned())
            ),
            (first, left) => format!(
                "priority: {left} of the {first} ahead of it were passed over; {} had gone: {}",
                self.gone.len(),
                some(self.gone.iter().cloned())
            ),
        }
    }
}

/// One command that touched the order.
struct Scene<'a> {
    id: OrderId,
    command: &'a Sequenced<Command>,
    outputs: &'a [Output],
    before: Option<&'a EngineState>,
    names: &'a Names,
}

impl Scene<'_> {
    fn because(&self, event: &Event, queue: &Queue) -> Vec<String> {
        match event {
            Event::Executed(e) if e.maker == self.id => vec![self.hit(e), queue.turn()],
            Event::Executed(e) => self.took(e),
            Event::Cancelled(e) => vec![self.cancelled(e)],
            Event::Rejected(e) => self.refused(e),
            Event::ChangeRejected(e) => vec![format!("{} asked, and {}", self.who(), e.reason.text())],
            Event::Restated(_) => vec![format!("command {} opened the day", self.command.seq)],
            Event::Booked(_) => vec!["nothing more on the other side was within its limit".to_owned()],
            _ => vec![format!("{} asked", self.who())],
        }
    }

    fn who(&self) -> String {
        let Sequenced { seq, body, .. } = self.command;
        format!(
            "command {seq} ({}) of {}",
            body.name(),
            self.names.session(session_of(body))
        )
    }

    /// A fill of ours that an incoming order caused.
    fn hit(&self, e: &Executed) -> String {
        let price = self.names.price(e.instrument, e.price);
        format!(
            "{} brought order {}, which reaches {price} and takes from the best price on",
            self.who(),
            e.taker
        )
    }

    /// A fill that our own order caused when it came in.
    fn took(&self, e: &Executed) -> Vec<String> {
        let price = self.names.price(e.instrument, e.price);
        let mut because = Vec::new();
        let Some(before) = self.before else {
            return because;
        };
        let limit = match &self.command.body {
            Command::Enter(c) => Some(c.price),
            Command::EnterSpecial(c) => Some(c.price),
            Command::Replace(c) => Some(c.price),
            Command::ReplaceSpecial(c) => Some(c.price),
            _ => None,
        };
        let side = match e.aggressor {
            Side::Buy => "sell",
            Side::Sell => "buy",
        };
        because.push(match limit {
            Some(limit) if limit.0 != 0 => format!(
                "its limit {} reaches the best {side} price left, {price}",
                self.names.price(e.instrument, limit)
            ),
            _ => format!("it takes any price; the best {side} price left was {price}"),
        });
        if let Some((_, _, queue, at)) = find(before, e.maker)
            && let Some((ahead, [maker, ..])) = queue.split_at_checked(at)
        {
            let in_front: Vec<_> = ahead.iter().filter(|other| other.price == maker.price).collect();
            let taken = |order: OrderId| {
                self.outputs.iter().any(|output| match &output.event.body {
                    Event::Executed(other) => other.maker == order && other.maker_leaves.is_zero(),
                    Event::Cancelled(other) => other.order_id == order,
                    _ => false,
                })
            };
            let passed = in_front.iter().filter(|other| !taken(other.order_id)).count();
            because.push(match (in_front.len(), passed) {
                (0, _) => format!("priority: order {} stood first at {price}", e.maker),
                (count, 0) => format!(
                    "priority: order {} was next at {price}, for this command had taken the {count} ahead of it",
                    e.maker
                ),
                (count, passed) => format!(
                    "order {} was taken though {passed} of {count} stood ahead of it at {price}",
                    e.maker
                ),
            });
        }
        because
    }

    fn cancelled(&self, e: &Cancelled) -> String {
        match (e.reason, &self.command.body) {
            (CancelReason::Requested, _) => format!("{} asked", self.who()),
            (CancelReason::DayEnded, _) => {
                format!(
                    "command {} ended the trading day, and the order was for that day",
                    self.command.seq
                )
            }
            (CancelReason::SessionLost, Command::SessionLost(c)) => format!(
                "command {} sequenced the loss of {} ({:?}), and the order was to be cancelled then",
                self.command.seq,
                self.names.session(c.session),
                c.cause
            ),
            (CancelReason::FirmKilled, Command::TripRunaway(c)) => format!(
                "command {} killed its firm as a runaway: by command {} there were {} where {} may be ({:?}{}{})",
                self.command.seq,
                c.trip.judged,
                c.trip.measured,
                c.trip.limit,
                c.trip.cause,
                if c.parent.is_empty() { "" } else { " " },
                c.parent.as_bytes().escape_ascii()
            ),
            (CancelReason::Unfilled, _) => {
                "it may not rest, and nothing more on the other side was within its limit".to_owned()
            }
            (CancelReason::NotFillable, _) => {
                "it trades in full or not at all, and the other side had not enough within its limit".to_owned()
            }
            (reason, _) => format!("the engine's reason is {reason:?}; {} brought it about", self.who()),
        }
    }

    /// What was asked for beside what is allowed.
    fn refused(&self, e: &Rejected) -> Vec<String> {
        let mut because = vec![format!("{:?}: {}", e.reason, e.reason.text())];
        let Some(before) = self.before else {
            return because;
        };
        let price = self.names.price(e.instrument, e.price);
        because.push(format!("asked for: {:?} {} at {price}", e.side, e.quantity.0));
        let listed = before.instruments.iter().map(|one| &one.definition);
        if let Some(terms) = listed.clone().find(|terms| terms.instrument == e.instrument) {
            because.push(format!(
                "terms of {}: tick {}, highest price {}, lot {}, highest quantity {}",
                terms.symbol,
                decimal(terms.tick, terms.scale),
                decimal(terms.price_max, terms.scale),
                terms.lot.0,
                terms.quantity_max.0
            ));
        }
        let session = before.sessions.iter().find(|one| one.definition.session == e.session);
        because.push(format!(
            "in front of the command: trading day {} {}, {} {}, {} orders resting",
            before.day,
            if before.day_open { "open" } else { "not open" },
            self.names.session(e.session),
            if session.is_some_and(|one| one.up) {
                "up"
            } else {
                "not up"
            },
            before.live_orders()
        ));
        because
    }
}

impl Thread {
    /// Whether this command brings the order to the other side: its entry, or a replace of it.
    fn comes_in(&self, command: &Sequenced<Command>) -> bool {
        match &command.body {
            Command::Enter(_) | Command::EnterSpecial(_) | Command::Refuse(_) => self.is_entered_by(command.seq),
            Command::Replace(c) => self.is_meant(c.session, c.target),
            Command::ReplaceSpecial(c) => self.is_meant(c.session, c.target),
            _ => false,
        }
    }
}

fn orders(count: usize) -> String {
    format!("{count} {}", if count == 1 { "order" } else { "orders" })
}

/// The first few by name, and how many more.
fn some(each: impl Iterator<Item = String>) -> String {
    let mut each: Vec<String> = each.collect();
    let more = each.len().saturating_sub(AHEAD_NAMED_MAX);
    each.truncate(AHEAD_NAMED_MAX);
    let named = each.join(", ");
    if more == 0 {
        named
    } else {
        format!("{named} and {more} more")
    }
}
