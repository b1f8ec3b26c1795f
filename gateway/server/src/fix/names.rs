//! ClOrdIDs: the client's names, and the numbers that the exchange knows orders by.
//!
//! A ClOrdID is used once a session and day. The door numbers those of orders and replacements ([`UserRef`]), counting on
//! from the highest that the stream has seen, so that none is ever given twice. Two things fill this table: what the door
//! has sent into the stream (so that two messages behind each other are judged right) and what came out of it. After a
//! restart the second is there again; the first was never acknowledged to anybody.

use std::collections::HashMap;

use foldhash::HashMap as FastMap;
use rialto_model::{InstrumentId, OrderId, Target, Text, UserRef};

use super::codes::OrdStatus;
use super::name_table::NameTable;
use crate::limits::CLIENT_IDS_MAX;

/// What a ClOrdID names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// An order or replacement of today.
    Today(UserRef),
    /// An order carried from an earlier day.
    Carried(OrderId),
    /// A request that named no order anew (cancel, or refused at the door).
    Request,
}

#[derive(Clone, Copy, Debug)]
struct Name {
    named: Named,
    /// The stream knows it.
    told: bool,
}

/// What is known of an order that ended today.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) status: OrdStatus,
    /// Its last name.
    pub(super) client_id: Text,
    /// How much of it was executed.
    pub(super) executed: u64,
}

/// What is known of a reference of today.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reference {
    pub(super) client_id: Text,
    pub(super) instrument: InstrumentId,
    /// Since it was accepted.
    pub(super) order_id: Option<OrderId>,
    /// It was sent with instructions.
    pub(super) special: bool,
}

/// The names of one session and day; at most [`CLIENT_IDS_MAX`], beyond which the door takes no new one.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: NameTable<Name>,
    references: References,
    /// Orders that ended today.
    ended: FastMap<OrderId, Ended>,
    highest: u32,
    /// MassCancelRequestType(530) of the requests on their way: the events do not state it.
    mass_cancels: HashMap<Text, u8>,
}

impl Names {
    /// A day begins: every name and number may be used again.
    pub(super) fn begin_day(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_used(&self, client_id: Text) -> bool {
        self.names.get(client_id).is_some()
    }

    /// Whether the stream has seen this name before.
    pub(super) fn is_told(&self, client_id: Text) -> bool {
        self.names.get(client_id).is_some_and(|name| name.told)
    }

    pub(super) fn is_full(&self) -> bool {
        self.names.len() >= CLIENT_IDS_MAX
    }

    /// Numbers a new order or replacement that is about to be sent into the stream.
    pub(super) fn number(&mut self, client_id: Text, instrument: InstrumentId, special: bool) -> UserRef {
        let user_ref = UserRef(self.highest.saturating_add(1));
        self.highest = user_ref.0;
        self.name(client_id, Named::Today(user_ref), false);
        *self.references.place(user_ref) = Some(Reference {
            client_id,
            instrument,
            order_id: None,
            special,
        });
        user_ref
    }

    /// Numbers a command of quotes that is about to be sent into the stream. It names nothing.
    pub(super) fn number_quotes(&mut self) -> UserRef {
        self.highest = self.highest.saturating_add(1);
        UserRef(self.highest)
    }

    /// The stream has seen quotes under this number.
    pub(super) fn told_quotes(&mut self, user_ref: UserRef) {
        self.highest = self.highest.max(user_ref.0);
    }

    /// Notes a request that names no order anew.
    pub(super) fn request(&mut self, client_id: Text, told: bool) {
        if !self.is_used(client_id) {
            self.name(client_id, Named::Request, told);
        } else if told && let Some(name) = self.names.get_mut(client_id) {
            name.told = true;
        }
    }

    /// Notes what a mass cancel that is about to be sent asks for.
    pub(super) fn asked_mass_cancel(&mut self, client_id: Text, request_type: u8) {
        self.mass_cancels.insert(client_id, request_type);
    }

    /// What the mass cancel of this name asked for; unknown after a restart.
    pub(super) fn mass_cancel_of(&mut self, client_id: Text) -> Option<u8> {
        self.mass_cancels.remove(&client_id)
    }

    /// The order that this name means, where the stream has told of it.
    pub(super) fn order_id(&self, client_id: Text) -> Option<OrderId> {
        match self.names.get(client_id)?.named {
            Named::Today(user_ref) => self.references.get(user_ref)?.order_id,
            Named::Carried(order_id) => Some(order_id),
            Named::Request => None,
        }
    }

    /// The stream has seen this name for this number.
    pub(super) fn told(
        &mut self,
        client_id: Text,
        user_ref: UserRef,
        instrument: InstrumentId,
        order_id: Option<OrderId>,
    ) {
        self.highest = self.highest.max(user_ref.0);
        self.name(client_id, Named::Today(user_ref), true);
        let place = self.references.place(user_ref);
        let special = place.is_some_and(|reference| reference.special);
        *place = Some(Reference {
            client_id,
            instrument,
            order_id,
            special,
        });
    }

    /// A carried order stands again under its name of the day before.
    pub(super) fn carried(&mut self, client_id: Text, order_id: OrderId) {
        self.name(client_id, Named::Carried(order_id), true);
    }

    /// An order has ended.
    pub(super) fn ended(&mut self, order_id: OrderId, ended: Ended) {
        self.ended.insert(order_id, ended);
    }

    /// How an order ended today.
    pub(super) fn ending_of(&self, order_id: OrderId) -> Option<Ended> {
        self.ended.get(&order_id).copied()
    }

    /// The order that a request means by OrigClOrdID(41); reference 0, which names none, where it is unknown.
    pub(super) fn target(&self, orig_client_id: Text) -> Target {
        match self.names.get(orig_client_id).map(|name| name.named) {
            Some(Named::Today(user_ref)) => Target::UserRef(user_ref),
            Some(Named::Carried(order_id)) => Target::OrderId(order_id),
            Some(Named::Request) | None => Target::UserRef(UserRef(0)),
        }
    }

    pub(super) fn reference(&self, user_ref: UserRef) -> Option<&Reference> {
        self.references.get(user_ref)
    }

    fn name(&mut self, client_id: Text, named: Named, told: bool) {
        self.names.insert(client_id, Name { named, told });
    }
}

/// What is known of references, which are numbers in a row: in pages of them, so that the next one is beside the last.
#[derive(Debug, Default)]
struct References(FastMap<u32, Box<Page>>);

const PAGE: u32 = 64;

type Page = [Option<Reference>; PAGE as usize];

impl References {
    fn get(&self, user_ref: UserRef) -> Option<&Reference> {
        let page = self.0.get(&(user_ref.0 / PAGE))?;
        page.get((user_ref.0 % PAGE) as usize)?.as_ref()
    }

    fn place(&mut self, user_ref: UserRef) -> &mut Option<Reference> {
        let page = self.0.entry(user_ref.0 / PAGE);
        let page = page.or_insert_with(|| Box::new([None; PAGE as usize]));
        &mut page[(user_ref.0 % PAGE) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Text {
        Text::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn numbers_go_on_from_the_highest_the_stream_has_seen() {
        let mut names = Names::default();
        assert_eq!(names.number(id("A"), InstrumentId(1), false), UserRef(1));
        names.told(id("B"), UserRef(7), InstrumentId(1), None);
        assert_eq!(names.number(id("C"), InstrumentId(1), false), UserRef(8));
        names.begin_day();
        assert_eq!(names.number(id("A"), InstrumentId(1), false), UserRef(1));
    }

    #[test]
    fn a_name_means_its_order_from_the_moment_it_is_sent() {
        let mut names = Names::default();
        let user_ref = names.number(id("A"), InstrumentId(1), false);
        assert_eq!(names.target(id("A")), Target::UserRef(user_ref));
        assert!(names.is_used(id("A")) && !names.is_told(id("A")));
        names.told(id("A"), user_ref, InstrumentId(1), Some(OrderId(5)));
        assert!(names.is_told(id("A")));
        names.carried(id("OLD"), OrderId(3));
        assert_eq!(names.target(id("OLD")), Target::OrderId(OrderId(3)));
        names.request(id("CXL"), false);
        assert_eq!(names.target(id("CXL")), Target::UserRef(UserRef(0)));
        names.request(id("A"), false);
        assert_eq!(
            names.target(id("A")),
            Target::UserRef(user_ref),
            "a request does not take an order's name away"
        );
        assert_eq!(names.target(id("never")), Target::UserRef(UserRef(0)));
    }
}
