//! Whether a command may raise what a firm or account risks. Nothing is changed here, and what is not valid anyway passes:
//! the rules of the market refuse it.

use super::ledger::{Ledger, Meter};
use crate::book::queue_of;
use crate::change::{Request, new_leaves};
use crate::engine::Engine;
use crate::enter::Numbering;
use crate::members::Likeness;
use crate::special::index;
use rialto_model::command::{MassQuote, ReplaceSpecial};
use rialto_model::event::{MassQuoteRejected, Rejected};
use rialto_model::quote::QUOTES_MAX;
use rialto_model::{
    AccountId, AuctionOnly, Command, Event, FirmId, Incarnation, Instructions, InstrumentId, MsgSeqNum, Notional,
    OrderKind, Phase, Policy, Price, Quantity, RejectReason, SessionId, Side, Text, UserRef,
};

/// What becomes of a command.
pub(super) enum Verdict<'a> {
    /// It is applied.
    Passed,
    /// It is refused with this event, and the session's reference consumed.
    Refused(SessionId, UserRef, Event),
    /// A replace is refused in the same way.
    Change(Request<'a>, UserRef, RejectReason),
    /// A replace is refused under the policy that cancels the order then.
    Invalid(u32, Request<'a>),
}

/// One order that would stand or trade.
#[derive(Clone, Copy, Default)]
struct Ask {
    instrument: InstrumentId,
    side: Side,
    /// What would be open.
    quantity: u64,
    /// What it is worth, and the price that the collar judges; none where it cannot be valued.
    priced: Option<(u128, u32)>,
    /// What stands of it already.
    before: u64,
    worth_before: u128,
    /// It is another order than those that stand.
    fresh: bool,
    /// The last trade's price; zero before the first.
    last: u32,
}

impl Ask {
    /// How much more would be open.
    const fn more(&self) -> u64 {
        self.quantity.saturating_sub(self.before)
    }

    /// How much more would be reserved.
    fn more_worth(&self) -> u128 {
        match (self.side, self.priced) {
            (Side::Buy, Some((worth, _))) => worth.saturating_sub(self.worth_before),
            _ => 0,
        }
    }
}

/// A new order, with instructions or without.
struct Entering<'a> {
    session: SessionId,
    incarnation: Incarnation,
    inbound: MsgSeqNum,
    user_ref: UserRef,
    account: AccountId,
    instrument: InstrumentId,
    side: Side,
    kind: OrderKind,
    price: Price,
    quantity: Quantity,
    instructions: &'a Instructions,
    client_id: &'a Text,
}

/// The one of a command.
macro_rules! entering {
    ($command:expr, $instructions:expr) => {
        Entering {
            session: $command.session,
            incarnation: $command.incarnation,
            inbound: $command.inbound,
            user_ref: $command.user_ref,
            account: $command.account,
            instrument: $command.instrument,
            side: $command.side,
            kind: $command.kind,
            price: $command.price,
            quantity: $command.quantity,
            instructions: $instructions,
            client_id: &$command.client_id,
        }
    };
}

impl Entering<'_> {
    const fn likeness(&self) -> Likeness {
        Likeness {
            instrument: self.instrument,
            side: self.side,
            kind: self.kind,
            price: stated_price(self.kind, self.price),
            quantity: self.quantity,
        }
    }

    #[cold]
    fn refused<'v>(&self, reason: RejectReason) -> Verdict<'v> {
        let event = Rejected {
            session: self.session,
            incarnation: self.incarnation,
            inbound: self.inbound,
            user_ref: self.user_ref,
            instrument: self.instrument,
            side: self.side,
            reason,
            price: stated_price(self.kind, self.price),
            quantity: self.quantity,
            client_id: *self.client_id,
        };
        Verdict::Refused(self.session, self.user_ref, event.into())
    }
}

/// What an order would be.
struct Wish<'a> {
    at: usize,
    firm: FirmId,
    side: Side,
    kind: OrderKind,
    price: Price,
    quantity: Quantity,
    instructions: &'a Instructions,
}

impl Engine {
    #[inline]
    pub(super) fn judge_risk<'a>(&self, ledger: &Ledger, command: &'a Command) -> Verdict<'a> {
        match command {
            Command::Enter(c) => self.judge_enter(ledger, &entering!(c, &Instructions::NONE)),
            Command::Cancel(_) => Verdict::Passed,
            other => self.judge_others(ledger, other),
        }
    }

    #[inline(never)]
    fn judge_others<'a>(&self, ledger: &Ledger, command: &'a Command) -> Verdict<'a> {
        match command {
            Command::EnterSpecial(c) => self.judge_enter(ledger, &entering!(c, &c.instructions)),
            Command::Replace(c) => self.judge_replace(
                ledger,
                &ReplaceSpecial::plain(c, Instructions::NONE),
                &c.client_id,
                false,
            ),
            Command::ReplaceSpecial(c) => self.judge_replace(ledger, c, &c.client_id, true),
            Command::MassQuote(c) => self.judge_quotes(ledger, c),
            _ => Verdict::Passed,
        }
    }

    /// The firm and own account of a session whose reference is new, where orders are taken at all.
    fn newcomer(&self, id: SessionId, incarnation: Incarnation, user_ref: UserRef) -> Option<(FirmId, AccountId)> {
        let session = self.session_up(id, incarnation).ok()?;
        let new = matches!(Numbering::of(user_ref, session.last_user_ref), Numbering::New);
        (new && self.judge_open().is_ok()).then_some((session.firm, session.account))
    }

    #[inline]
    fn judge_enter<'a>(&self, ledger: &Ledger, c: &Entering<'_>) -> Verdict<'a> {
        let Some((firm, own)) = self.newcomer(c.session, c.incarnation, c.user_ref) else {
            return Verdict::Passed;
        };
        let account = if c.account.0 == 0 { own } else { c.account };
        if c.account.0 != 0 && self.accounts.get(account.0 as usize) != Some(&firm) {
            return Verdict::Passed;
        }
        let wish = Wish {
            at: usize::from(c.instrument.0).wrapping_sub(1),
            firm,
            side: c.side,
            kind: c.kind,
            price: c.price,
            quantity: c.quantity,
            instructions: c.instructions,
        };
        let Some(mut ask) = self.ask_for(&wish, c.quantity) else {
            return Verdict::Passed;
        };
        ask.fresh = true;
        for meter in ledger.meters((firm, account)) {
            if let Err(reason) = meter.judge_one(&ask) {
                return c.refused(reason);
            }
            let window = meter.limits.duplicate_window;
            if window > 0 && meter.recent.has(&c.likeness(), window, ledger.now) {
                return c.refused(RejectReason::RiskDuplicate);
            }
        }
        Verdict::Passed
    }

    fn judge_replace<'a>(&self, ledger: &Ledger, c: &ReplaceSpecial, client_id: &'a Text, stated: bool) -> Verdict<'a> {
        let request = Request {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            client_id,
            target: c.target,
            policy: c.policy,
            user_ref: c.user_ref,
            replace: true,
        };
        let known = self.newcomer(c.session, c.incarnation, c.user_ref).is_some();
        let Some(handle) = self.find(&request).ok().filter(|_| known) else {
            return Verdict::Passed;
        };
        let old = &self.orders[handle];
        let leaves = new_leaves(c.policy, c.quantity, old.executed);
        let standing = self.instructions(handle);
        let wish = Wish {
            at: usize::from(old.instrument.0) - 1,
            firm: old.firm(),
            side: old.side,
            kind: c.kind,
            price: c.price,
            quantity: c.quantity,
            instructions: if stated { &c.instructions } else { &standing },
        };
        let Some(standing) = ledger.standing(old.order_id) else {
            return Verdict::Passed;
        };
        let Some(ask) = self.ask_for(&wish, leaves).filter(|_| !leaves.is_zero()) else {
            return Verdict::Passed;
        };
        let ask = Ask {
            before: standing.leaves,
            worth_before: standing.worth(),
            ..ask
        };
        let owner = (standing.firm, standing.account);
        match ledger.meters(owner).try_for_each(|meter| meter.judge_one(&ask)) {
            Ok(()) => Verdict::Passed,
            Err(_) if c.policy.has(Policy::INVALID_REPLACE_CANCELS) => Verdict::Invalid(handle, request),
            Err(reason) => Verdict::Change(request, c.user_ref, reason),
        }
    }

    /// A message of quotes is judged as a whole, each side as if what stands of it stayed where that is more.
    #[inline(never)]
    fn judge_quotes<'a>(&self, ledger: &Ledger, c: &MassQuote) -> Verdict<'a> {
        let Some((firm, account)) = self.newcomer(c.session, c.incarnation, c.user_ref) else {
            return Verdict::Passed;
        };
        let mut asks = [Ask::default(); 2 * QUOTES_MAX];
        let mut count = 0;
        for quote in &c.quotes.0 {
            let sides = [
                (Side::Buy, quote.bid, quote.bid_quantity),
                (Side::Sell, quote.ask, quote.ask_quantity),
            ];
            for (side, price, part) in sides.into_iter().filter(|(.., part)| !part.is_zero()) {
                let wish = Wish {
                    at: usize::from(quote.instrument.0).wrapping_sub(1),
                    firm,
                    side,
                    kind: OrderKind::Limit,
                    price: Price(i64::from(price)),
                    quantity: part.quantity(),
                    instructions: &Instructions::NONE,
                };
                let Some(ask) = self.ask_for(&wish, wish.quantity) else {
                    continue;
                };
                let standing = self.quotes.get(&(c.session, quote.instrument, side));
                let standing = standing.and_then(|handle| ledger.standing(self.orders[*handle].order_id));
                asks[count] = Ask {
                    before: standing.map_or(0, |order| order.leaves),
                    worth_before: standing.map_or(0, |order| order.worth()),
                    fresh: standing.is_none(),
                    ..ask
                };
                count += 1;
            }
        }
        let asks = asks.get(..count).unwrap_or_default();
        let judged = ledger.meters((firm, account)).try_for_each(|meter| meter.judge(asks));
        let Err(reason) = judged else { return Verdict::Passed };
        let event = MassQuoteRejected {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            user_ref: c.user_ref,
            reason,
            client_id: c.client_id,
        };
        Verdict::Refused(c.session, c.user_ref, event.into())
    }

    /// What an order would risk with `open` of it; nothing where its price or quantity is none of the instrument's.
    #[inline]
    fn ask_for(&self, wish: &Wish<'_>, open: Quantity) -> Option<Ask> {
        let book = self.books.get(wish.at)?;
        let sized = !wish.quantity.is_zero() && wish.quantity.0 <= u64::from(book.quantity_max);
        let limit = wish.kind == OrderKind::Limit;
        if !sized || (limit && (wish.price.0 <= 0 || wish.price.0 > i64::from(book.price_max))) {
            return None;
        }
        let reach = if limit {
            Some((wish.price.0 as u32, wish.price.0 as u32))
        } else {
            self.reach(wish, open)
        };
        let priced = reach.map(|(best, worst)| {
            let dearest = Price(i64::from(best.max(worst)));
            (Notional::worth(dearest, open), worst)
        });
        Some(Ask {
            instrument: book.instrument,
            side: wish.side,
            quantity: open.0,
            priced,
            before: 0,
            worth_before: 0,
            fresh: false,
            last: book.last_price,
        })
    }

    /// The best and the worst price at which a market order could trade at once. Orders of its own firm are passed over:
    /// self-trade prevention may take them away.
    fn reach(&self, wish: &Wish<'_>, open: Quantity) -> Option<(u32, u32)> {
        let book = &self.books[wish.at];
        let Instructions { trigger, auction, .. } = *wish.instructions;
        if trigger.0 != 0 || auction != AuctionOnly::Any || book.phase() != Phase::Continuous {
            return None;
        }
        let other = wish.side.opposite();
        let mut shown = queue_of(book.side(other), &self.orders, &self.rungs).peekable();
        let hidden = book.special.iter();
        let mut hidden = hidden
            .flat_map(|special| queue_of(&special.hidden[index(other)], &self.orders, &self.rungs))
            .peekable();
        let mut reached: Option<(u32, u32)> = None;
        let mut left = open.0;
        while left > 0 {
            let better = match (shown.peek(), hidden.peek()) {
                (Some((_, shown)), Some((_, hidden))) => match other {
                    Side::Buy => hidden > shown,
                    Side::Sell => hidden < shown,
                },
                (None, _) => true,
                (_, None) => false,
            };
            let next = if better { hidden.next() } else { shown.next() };
            let Some((handle, price)) = next else { break };
            if self.orders[handle].firm() == wish.firm {
                continue;
            }
            left = left.saturating_sub(u64::from(self.open(handle)));
            reached = Some((reached.map_or(price, |(best, _)| best), price));
        }
        reached
    }
}

impl Meter {
    fn judge(&self, asks: &[Ask]) -> Result<(), RejectReason> {
        let limits = &self.limits;
        for ask in asks {
            self.judge_order(ask)?;
        }
        let fresh = asks.iter().filter(|ask| ask.fresh).count() as u64;
        if limits.open_orders > 0 && fresh > 0 && self.orders + fresh > u64::from(limits.open_orders) {
            return Err(RejectReason::RiskOpenOrders);
        }
        for ask in asks.iter().filter(|ask| ask.more() > 0) {
            let alike = asks
                .iter()
                .filter(|one| (one.instrument, one.side) == (ask.instrument, ask.side));
            self.judge_position(ask, alike.map(|one| i128::from(one.more())).sum())?;
        }
        self.judge_credit(asks.iter().map(Ask::more_worth).sum())
    }

    /// The same of one.
    #[inline]
    fn judge_one(&self, ask: &Ask) -> Result<(), RejectReason> {
        self.judge_order(ask)?;
        let open_orders = u64::from(self.limits.open_orders);
        if open_orders > 0 && ask.fresh && self.orders >= open_orders {
            return Err(RejectReason::RiskOpenOrders);
        }
        if ask.more() > 0 {
            self.judge_position(ask, i128::from(ask.more()))?;
        }
        self.judge_credit(ask.more_worth())
    }

    /// With so much more on the side of an order.
    fn judge_position(&self, ask: &Ask, more: i128) -> Result<(), RejectReason> {
        let limits = &self.limits;
        let long_only = limits.long_only && ask.side == Side::Sell;
        if limits.position.is_zero() && !long_only {
            return Ok(());
        }
        let exposure = self.exposures.get(ask.instrument);
        let held = i128::from(exposure.position);
        let worst = match ask.side {
            Side::Buy => held + i128::from(exposure.buys) + more,
            Side::Sell => i128::from(exposure.sells) + more - held,
        };
        if !limits.position.is_zero() && worst > i128::from(limits.position.0) || long_only && worst > 0 {
            return Err(RejectReason::RiskPosition);
        }
        Ok(())
    }

    /// With so much more reserved.
    fn judge_credit(&self, more: u128) -> Result<(), RejectReason> {
        let credit = self.limits.credit.0;
        if credit > 0 && more > 0 {
            // Both are far below 2^127: a venue holds at most 2^24 orders of 2^61.
            let worst = self.paid + (self.reserved + more) as i128;
            if worst > i128::from(credit) {
                return Err(RejectReason::RiskCredit);
            }
        }
        Ok(())
    }

    fn judge_order(&self, ask: &Ask) -> Result<(), RejectReason> {
        let limits = &self.limits;
        if !limits.order_quantity.is_zero() && ask.quantity > limits.order_quantity.0 {
            return Err(RejectReason::RiskOrderQuantity);
        }
        let spends = ask.side == Side::Buy && limits.credit.0 > 0;
        let Some((worth, price)) = ask.priced else {
            let valued = limits.order_notional.0 > 0 || limits.collar > 0 || spends;
            return if valued {
                Err(RejectReason::RiskUnpriced)
            } else {
                Ok(())
            };
        };
        if limits.order_notional.0 > 0 && worth > u128::from(limits.order_notional.0) {
            return Err(RejectReason::RiskOrderNotional);
        }
        if limits.collar > 0 && ask.last > 0 {
            // Of 32 bits each: only the product with the collar may be too large, and is then above every price.
            let (price, last, collar) = (u64::from(price) * 10_000, u64::from(ask.last), u64::from(limits.collar));
            let beyond = match ask.side {
                Side::Buy => price > last.saturating_mul(10_000 + collar),
                Side::Sell => price < last * 10_000_u64.saturating_sub(collar),
            };
            if beyond {
                return Err(RejectReason::RiskCollar);
            }
        }
        Ok(())
    }
}

const fn stated_price(kind: OrderKind, price: Price) -> Price {
    match kind {
        OrderKind::Market => Price(0),
        OrderKind::Limit => price,
    }
}
