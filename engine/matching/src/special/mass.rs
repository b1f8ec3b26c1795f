//! Many orders taken off by one command, in the order they were entered.

use crate::engine::{Engine, VENUE};
use rialto_model::command::MassCancel;
use rialto_model::event::{MassCancelRejected, MassCancelled};
use rialto_model::{CancelReason, EventSink, FirmId, RejectReason};

impl Engine {
    /// FIX q and r: by session or firm, account, instrument and side.
    #[cold]
    pub(crate) fn mass_cancel(&mut self, c: &MassCancel, sink: &mut impl EventSink) {
        let firm = match self.judge_mass_cancel(c) {
            Ok(firm) => firm,
            Err(reason) => {
                return sink.emit(
                    MassCancelRejected {
                        session: c.session,
                        incarnation: c.incarnation,
                        inbound: c.inbound,
                        reason,
                        client_id: c.client_id,
                    }
                    .into(),
                );
            }
        };
        self.collect_all();
        self.keep_leaving(|engine, handle| {
            let order = &engine.orders[handle];
            let by_session = c.session == VENUE || c.whole_firm || order.session() == c.session;
            let by_firm = firm.0 == 0 || order.firm() == firm;
            let by_account = c.account.0 == 0 || order.account == c.account;
            let by_instrument = c.instrument.0 == 0 || order.instrument == c.instrument;
            by_session && by_firm && by_account && by_instrument && c.side.takes(order.side)
        });
        sink.emit(
            MassCancelled {
                session: c.session,
                incarnation: c.incarnation,
                inbound: c.inbound,
                cancelled: self.leaving.len() as u32,
                client_id: c.client_id,
            }
            .into(),
        );
        self.end_leaving(CancelReason::MassCancelled, sink);
        self.conclude_all(sink);
    }

    /// The firm whose orders are meant; zero: any, which only the venue may mean.
    fn judge_mass_cancel(&self, c: &MassCancel) -> Result<FirmId, RejectReason> {
        let firm = if c.session == VENUE {
            c.firm
        } else {
            let own = self.session_up(c.session, c.incarnation)?.firm;
            if c.firm.0 != 0 && c.firm != own {
                return Err(RejectReason::NotYours);
            }
            own
        };
        if !self.day_open {
            return Err(RejectReason::MarketClosed);
        }
        if c.instrument.0 != 0 && self.book(c.instrument).is_none() {
            return Err(RejectReason::UnknownInstrument);
        }
        let owner = self.accounts.get(c.account.0 as usize).copied().unwrap_or_default();
        let foreign = owner.0 == 0 || (firm.0 != 0 && owner != firm);
        if c.account.0 != 0 && foreign {
            return Err(RejectReason::UnknownAccount);
        }
        Ok(firm)
    }

    /// Every live order of the venue, into the list of those to take off.
    pub(crate) fn collect_all(&mut self) {
        self.leaving.clear();
        for at in 0..self.books.len() {
            self.collect(at);
        }
    }

    /// Leaves in the list only the orders that are meant, in the order they were entered.
    pub(crate) fn keep_leaving(&mut self, meant: impl Fn(&Self, u32) -> bool) {
        let mut leaving = core::mem::take(&mut self.leaving);
        leaving.retain(|(_, handle)| meant(self, *handle));
        leaving.sort_unstable();
        self.leaving = leaving;
    }

    /// Cancels every order of the list.
    pub(crate) fn end_leaving(&mut self, reason: CancelReason, sink: &mut impl EventSink) {
        for at in 0..self.leaving.len() {
            let (_, handle) = self.leaving[at];
            self.end(handle, reason, sink);
        }
    }
}
