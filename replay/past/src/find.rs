//! From the client's name of an order to the venue's.

use crate::stream::{PastError, Stream};
use rialto_journal::{Disk, Reader};
use rialto_model::{Command, OrderId, SequenceNumber, SessionId, Target, UserRef};
use std::collections::BTreeMap;

/// References of one session that are kept while its orders are looked for; the oldest go, and are found no more.
const REFERENCES_MAX: usize = 1 << 20;

/// The order that a session last called `user_ref`, by its entry or by a replace; `None` where it has none of that name.
///
/// Reads the journal from its beginning and applies nothing.
///
/// # Errors
/// [`PastError`].
pub fn find<D: Disk>(stream: &Stream<D>, session: &str, user_ref: UserRef) -> Result<Option<OrderId>, PastError> {
    let mut reader = Reader::open(&stream.journal)?;
    if let Some(limit) = stream.limit {
        reader.set_limit(limit);
    }
    let mut orders = Orders::new(session);
    let mut read = 0;
    while let Some(command) = reader.read()? {
        read += 1;
        if read > stream.replay_max {
            return Err(PastError::TooFar {
                wanted: command.seq,
                most: stream.replay_max,
            });
        }
        orders.take(command.seq, &command.body);
    }
    Ok(orders.called.get(&user_ref).copied())
}

/// What one session calls its orders.
struct Orders<'a> {
    name: &'a str,
    session: Option<SessionId>,
    called: BTreeMap<UserRef, OrderId>,
}

impl<'a> Orders<'a> {
    const fn new(name: &'a str) -> Self {
        Self {
            name,
            session: None,
            called: BTreeMap::new(),
        }
    }

    fn take(&mut self, seq: SequenceNumber, command: &Command) {
        let own = |session: SessionId| self.session == Some(session);
        match command {
            Command::DefineSession(c) if c.name.as_bytes() == self.name.as_bytes() => self.session = Some(c.session),
            Command::Enter(c) if own(c.session) => self.call(c.user_ref, OrderId(seq.0)),
            Command::EnterSpecial(c) if own(c.session) => self.call(c.user_ref, OrderId(seq.0)),
            Command::Refuse(c) if own(c.session) && c.user_ref.0 != 0 => self.call(c.user_ref, OrderId(seq.0)),
            Command::Replace(c) if own(c.session) => self.call_again(c.target, c.user_ref),
            Command::ReplaceSpecial(c) if own(c.session) => self.call_again(c.target, c.user_ref),
            _ => {}
        }
    }

    fn call(&mut self, user_ref: UserRef, order: OrderId) {
        if self.called.len() == REFERENCES_MAX {
            self.called.pop_first();
        }
        self.called.insert(user_ref, order);
    }

    fn call_again(&mut self, target: Target, user_ref: UserRef) {
        let order = match target {
            Target::OrderId(order) => Some(order),
            Target::UserRef(old) => self.called.get(&old).copied(),
        };
        if let Some(order) = order {
            self.call(user_ref, order);
        }
    }
}
