//! The market and everyone who is told of it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use rialto_itch::mold::Session;
use rialto_itch::{Message, StockLocate};

use crate::conflator::Conflator;
use crate::market::{Instant, Market, Numbered};
use crate::settings::{Settings, SettingsError};

/// A subscriber of a [`Conflation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriberId(pub u64);

/// Follows the full feed and tells every subscriber of it.
///
/// - In: [`begin`](Self::begin) at the start of a session, then [`follow`](Self::follow) for each command's messages, whole
///   and in order.
/// - Subscribers: [`join`](Self::join), [`leave`](Self::leave), and [`subscriber`](Self::subscriber) with the market to poll
///   and take.
#[derive(Clone, Debug, Default)]
pub struct Conflation {
    market: Market,
    subscribers: BTreeMap<SubscriberId, Conflator>,
    /// How many of them are told after each command.
    eager: usize,
    next: u64,
    instants: Vec<(StockLocate, Instant)>,
    touched: Vec<StockLocate>,
    bytes: Vec<u8>,
}

impl Conflation {
    /// Nothing followed, nobody told.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The market.
    #[must_use]
    pub const fn market(&self) -> &Market {
        &self.market
    }

    /// A session begins.
    pub fn begin(&mut self, session: Session) {
        for conflator in self.subscribers.values_mut() {
            conflator.begin(&self.market, session);
        }
        self.market.begin(session);
    }

    /// A command's messages, all of them, with consecutive numbers.
    pub fn follow(&mut self, command: &[Numbered]) {
        let Some(last) = command.last() else { return };
        // What is to be told at once says so by its type, so that books can be told first as they were.
        self.touched.clear();
        for numbered in command {
            let locate = numbered.message.header().locate;
            if is_instant(&numbered.message) && !self.touched.contains(&locate) {
                self.touched.push(locate);
            }
        }
        if self.subscribers.is_empty() {
            self.touched.clear();
        }
        for &locate in &self.touched {
            for conflator in self.subscribers.values_mut() {
                conflator.before(&self.market, locate);
            }
        }
        self.instants.clear();
        for numbered in command {
            self.instants.extend(self.market.apply(numbered));
        }
        self.market.commit(last.sequence);
        // Who is told later pays for what it is told then, not for every command on the way.
        if self.eager == 0 && self.touched.is_empty() {
            return;
        }
        for conflator in self.subscribers.values_mut() {
            for (locate, instant) in &self.instants {
                conflator.instant(&self.market, *locate, instant, &mut self.bytes);
            }
            for &locate in &self.touched {
                conflator.close(&self.market, locate);
            }
            if conflator.is_eager() {
                conflator.poll(&self.market, 0);
            }
        }
    }

    /// Lets every subscriber be told what is due at `now_ns`. Who is conflated only when slow has been told with the command.
    pub fn poll(&mut self, now_ns: u64) {
        for conflator in self.subscribers.values_mut() {
            conflator.poll(&self.market, now_ns);
        }
    }

    /// A new subscriber: it is told each instrument anew, then what comes.
    ///
    /// # Errors
    /// [`SettingsError`]: it asks for what it cannot have.
    pub fn join(&mut self, settings: Settings) -> Result<SubscriberId, SettingsError> {
        let conflator = Conflator::new(settings, &self.market)?;
        self.next += 1;
        self.eager += usize::from(conflator.is_eager());
        let id = SubscriberId(self.next);
        self.subscribers.insert(id, conflator);
        Ok(id)
    }

    /// A subscriber goes.
    pub fn leave(&mut self, id: SubscriberId) {
        let gone = self.subscribers.remove(&id);
        self.eager -= usize::from(gone.is_some_and(|one| one.is_eager()));
    }

    /// A subscriber, and the market it is told of.
    pub fn subscriber(&mut self, id: SubscriberId) -> Option<(&mut Conflator, &Market)> {
        Some((self.subscribers.get_mut(&id)?, &self.market))
    }

    /// Everyone.
    pub fn subscribers(&self) -> impl Iterator<Item = (SubscriberId, &Conflator)> {
        self.subscribers.iter().map(|(&id, conflator)| (id, conflator))
    }
}

/// Whether a message is told at once and as it is.
const fn is_instant(message: &Message) -> bool {
    !matches!(
        message,
        Message::AddOrder(_)
            | Message::AddOrderAttributed(_)
            | Message::OrderCancel(_)
            | Message::OrderDelete(_)
            | Message::OrderReplace(_)
    )
}
