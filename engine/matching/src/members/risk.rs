//! Pre-trade risk, fee tiers: what stands beside the order path once a firm or account has limits or a tier.
//!
//! Nothing of it is on the path of a venue without any: one branch at the head of [`Matching::apply`](crate::Matching::apply)
//! keeps the two worlds apart. With any, commands are applied under watch: a command that would raise what a firm or account
//! risks is judged first ([`judge`]), and every event is counted on its way out ([`ledger`]).
//!
//! What is judged, behind session and reference and before everything else, is the worst case: as if all that stands traded.
//! - **Order quantity, order notional**: of what would be open; a market order is worth its quantity at the best price that it
//!   could reach if it sells, and at the worst if it buys. One that waits for a price cannot be valued.
//! - **Collar**: against the last trade; not before the first.
//! - **Open orders, position**: with the order among what stands. What lowers neither price nor quantity but is over a limit
//!   already is refused, what lowers both never.
//! - **Credit**: what was paid today for purchases less what was received for sales, and a reservation of price times quantity
//!   for every standing buy order. A buy order trades at its price or below, so what is paid never comes to more than was
//!   judged; fees are not in it. A day begins at zero.
//! - **Duplicate orders**: a new order like one accepted within the window.
//!
//! A firm's limits and an account's are both judged. All sums are in 128 bits. A trade that is undone goes back to its
//! session's own account, whatever account the order was for.

mod exposures;
mod judge;
mod ledger;
mod meters;
mod recents;
mod standing;

pub(crate) use ledger::Ledger;

use super::check::is_tier;
use super::office::rejected;
use crate::change::Refusal;
use crate::engine::Engine;
use alloc::boxed::Box;
use judge::Verdict;
use ledger::{Watch, Working};
use rialto_model::command::{SetFeeTier, SetRiskLimits};
use rialto_model::event::{FeeTierSet, RiskLimitsSet};
use rialto_model::{
    AccountId, CancelReason, Command, Event, EventSink, FirmId, Price, RejectReason, Sequenced, SessionId,
};

impl Engine {
    /// Applies a command under watch.
    #[inline(never)]
    pub(crate) fn apply_limited(&mut self, command: &Sequenced<Command>, out: &mut impl EventSink) {
        let Some(mut ledger) = self.ledger.take() else { return };
        ledger.now = command.stamp;
        let watched = command.stamp >= self.watched_from;
        if watched {
            let mut sink = Watch {
                ledger: &mut ledger,
                out,
            };
            self.deferred = true;
            self.fire_timers(&mut sink);
            self.conclude_all(&mut sink);
        }
        match &command.body {
            Command::SetRiskLimits(c) => out.emit(self.limit(c, &mut ledger)),
            Command::SetFeeTier(c) => out.emit(self.tier(c, &mut ledger)),
            body => {
                let verdict = self.judge_risk(&ledger, body);
                let mut sink = Watch {
                    ledger: &mut ledger,
                    out,
                };
                match verdict {
                    Verdict::Passed => self.dispatch(command, &mut sink),
                    Verdict::Refused(session, user_ref, event) => {
                        self.sessions[session.0 as usize].last_user_ref = user_ref;
                        sink.emit(event);
                    }
                    Verdict::Invalid(handle, request) => {
                        if self.is_special(handle) {
                            self.cancel_special(handle, &request, CancelReason::InvalidReplace, &mut sink);
                        } else {
                            self.cancel_instead(handle, &request, CancelReason::InvalidReplace, &mut sink);
                        }
                    }
                    Verdict::Change(request, user_ref, reason) => {
                        self.sessions[request.session.0 as usize].last_user_ref = user_ref;
                        request.refuse(Refusal::Rejected(reason), &mut sink);
                    }
                }
            }
        }
        if watched {
            let mut sink = Watch {
                ledger: &mut ledger,
                out,
            };
            self.deferred = false;
            self.conclude_all(&mut sink);
        }
        if !ledger.is_idle() {
            self.ledger = Some(ledger);
        }
    }

    /// The first limits of a venue; with any the command comes to [`Engine::apply_limited`].
    #[cold]
    pub(crate) fn set_risk_limits(&mut self, c: &SetRiskLimits) -> Event {
        let mut ledger = Box::<Ledger>::default();
        let event = self.limit(c, &mut ledger);
        self.ledger = (!ledger.is_idle()).then_some(ledger);
        event
    }

    /// The first tier of a venue, in the same way.
    #[cold]
    pub(crate) fn set_fee_tier(&mut self, c: &SetFeeTier) -> Event {
        let mut ledger = Box::<Ledger>::default();
        let event = self.tier(c, &mut ledger);
        self.ledger = (!ledger.is_idle()).then_some(ledger);
        event
    }

    fn limit(&mut self, c: &SetRiskLimits, ledger: &mut Ledger) -> Event {
        if !self.is_member(c.firm, c.account) {
            return rejected(SetRiskLimits::SCHEMA, RejectReason::BadDefinition);
        }
        ledger.limit(c.firm, c.account, c.limits);
        self.recount(ledger);
        RiskLimitsSet {
            firm: c.firm,
            account: c.account,
            limits: c.limits,
        }
        .into()
    }

    fn tier(&mut self, c: &SetFeeTier, ledger: &mut Ledger) -> Event {
        if !is_tier(&c.tier) || !self.is_member(c.firm, AccountId(0)) {
            return rejected(SetFeeTier::SCHEMA, RejectReason::BadDefinition);
        }
        ledger.tier(c.firm, c.tier);
        self.recount(ledger);
        FeeTierSet {
            firm: c.firm,
            tier: c.tier,
        }
        .into()
    }

    /// Counts what stands anew.
    pub(crate) fn recount(&mut self, ledger: &mut Ledger) {
        ledger.sessions = self
            .registry
            .sessions
            .values()
            .map(|one| (one.session, (one.firm, one.account)))
            .collect();
        ledger.forget_working();
        self.collect_all();
        // In the order that they were entered.
        self.leaving.sort_unstable();
        for at in 0..self.leaving.len() {
            let (order_id, handle) = self.leaving[at];
            ledger.add(order_id, self.working(handle));
        }
        self.leaving.clear();
    }

    /// What stands of an order: at its limit, also where a pegged order stands below it; a market order that waits at none.
    fn working(&self, handle: u32) -> Working {
        let order = &self.orders[handle];
        let state = self.order_state(handle);
        let cap = state.special.map_or(Price(0), |special| special.limit);
        Working {
            firm: order.firm(),
            account: order.account,
            instrument: order.instrument,
            side: order.side,
            price: if cap.0 == 0 { state.price } else { cap },
            leaves: state.leaves.0,
        }
    }
}

/// Whose an order or trade is.
type Owner = (FirmId, AccountId);
/// Whose each session's trades are where nothing else is known.
type Sessions = alloc::collections::BTreeMap<SessionId, Owner>;
