//! Pre-trade risk and fee tiers in the naive engine: what stands is added up anew for every order, and positions are counted
//! from the list of events when they are all there.

use super::orders::stated_price;
use super::{Engine, Live};
use crate::members::{Gauge, Likeness, Placed, Recent};
use alloc::vec::Vec;
use rialto_model::command::{
    Act, EnterSpecial, MassQuote, ReplaceSpecial, SetBudgets, SetFeeTier, SetRiskLimits, SetService, SetShard, SetUser,
};
use rialto_model::event::{
    Acted, BudgetsSet, CommandRejected, FeeTierSet, MassQuoteRejected, Rejected, RiskLimitsSet, ServiceSet, ShardSet,
    UserSet,
};
use rialto_model::limits::USER_REF_JUMP_MAX;
use rialto_model::{
    AccountId, AuctionOnly, Budgets, Command, Event, FeeTier, FirmId, Incarnation, Instructions, InstrumentId, Money,
    OrderId, OrderKind, Phase, Policy, Price, Quantity, RejectReason, RiskLimits, Service, SessionId, Side, UserRef,
};

/// An order somebody wants, or one that stands instead of which somebody wants it.
struct Wish {
    firm: FirmId,
    instrument: InstrumentId,
    side: Side,
    kind: OrderKind,
    price: Price,
    /// As it was asked for.
    stated: Quantity,
    /// What would be open of it.
    open: Quantity,
    instructions: Instructions,
    instead_of: Option<OrderId>,
}

impl Engine {
    /// The answer to a command that risks too much.
    pub(super) fn risks(&mut self, command: &Command) -> Option<Event> {
        match command {
            Command::Enter(c) => self.risks_enter(&EnterSpecial::plain(c)),
            Command::EnterSpecial(c) => self.risks_enter(c),
            Command::Replace(c) => self.risks_replace(&ReplaceSpecial::plain(c, Instructions::NONE), false),
            Command::ReplaceSpecial(c) => self.risks_replace(c, true),
            Command::MassQuote(c) => self.risks_quotes(c),
            _ => None,
        }
    }

    fn is_new(&self, session: SessionId, incarnation: Incarnation, name: UserRef) -> bool {
        let last = self.last_user_ref(session).0;
        let numbers = u64::from(last) + 1..=u64::from(last) + u64::from(USER_REF_JUMP_MAX);
        self.check_session(session, incarnation, false).is_ok()
            && numbers.contains(&u64::from(name.0))
            && self.state.day_open
            && !self.state.cancel_only
    }

    fn risks_enter(&mut self, c: &EnterSpecial) -> Option<Event> {
        if !self.is_new(c.session, c.incarnation, c.user_ref) {
            return None;
        }
        let definition = self.session(c.session)?.definition;
        let account = match c.account {
            AccountId(0) => definition.account,
            stated => stated,
        };
        let accounts = &self.state.accounts;
        accounts
            .iter()
            .find(|one| one.account == account && one.firm == definition.firm)?;
        let wish = Wish {
            firm: definition.firm,
            instrument: c.instrument,
            side: c.side,
            kind: c.kind,
            price: c.price,
            stated: c.quantity,
            open: c.quantity,
            instructions: c.instructions,
            instead_of: None,
        };
        let valid = self.is_valid(&wish);
        let like = Likeness {
            instrument: c.instrument,
            side: c.side,
            kind: c.kind,
            price: stated_price(c.kind, c.price),
            quantity: c.quantity,
        };
        let reason = self.gauges(definition.firm, account).into_iter().find_map(|gauge| {
            let again = gauge
                .recent
                .iter()
                .any(|one| one.order == like && self.state.last_stamp.0 - one.stamp.0 < window(&gauge.limits));
            let duplicate = again.then_some(RejectReason::RiskDuplicate);
            self.too_much(&gauge, &[&wish], true).or(duplicate)
        });
        let reason = reason.filter(|_| valid)?;
        self.consume(c.session, c.user_ref);
        let rejected = Rejected {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            user_ref: c.user_ref,
            instrument: c.instrument,
            side: c.side,
            reason,
            price: stated_price(c.kind, c.price),
            quantity: c.quantity,
            client_id: c.client_id,
        };
        Some(rejected.into())
    }

    fn risks_replace(&mut self, c: &ReplaceSpecial, stated: bool) -> Option<Event> {
        let (live, refusals) = self.wanted_replace(c)?;
        if !self.is_new(c.session, c.incarnation, c.user_ref) {
            return None;
        }
        let open = match c.policy.has(Policy::QUANTITY_COUNTS_EXECUTED) {
            true => c.quantity.saturating_sub(live.order.executed),
            false => c.quantity,
        };
        let wish = Wish {
            firm: self.firm_of(c.session),
            instrument: live.instrument,
            side: live.side,
            kind: c.kind,
            price: c.price,
            stated: c.quantity,
            open,
            instructions: if stated {
                c.instructions
            } else {
                live.order.instructions()
            },
            instead_of: Some(live.order.order_id),
        };
        if open.is_zero() || !self.is_valid(&wish) {
            return None;
        }
        let gauges = self.gauges(self.firm_of(c.session), live.order.account);
        let reason = gauges
            .into_iter()
            .find_map(|gauge| self.too_much(&gauge, &[&wish], false))?;
        if c.policy.has(Policy::INVALID_REPLACE_CANCELS) {
            return Some(self.take_off_instead(&live, &refusals));
        }
        self.consume(c.session, c.user_ref);
        Some(refusals.rejected(reason))
    }

    fn risks_quotes(&mut self, c: &MassQuote) -> Option<Event> {
        if !self.is_new(c.session, c.incarnation, c.user_ref) {
            return None;
        }
        let definition = self.session(c.session)?.definition;
        let mut wishes = Vec::new();
        for quote in &c.quotes.0 {
            let sides = [
                (Side::Buy, quote.bid, quote.bid_quantity.quantity()),
                (Side::Sell, quote.ask, quote.ask_quantity.quantity()),
            ];
            for (side, price, quantity) in sides {
                let standing = self.quotes_of(c.session, quote.instrument);
                let standing = standing.into_iter().find(|live| live.side == side);
                wishes.push(Wish {
                    firm: definition.firm,
                    instrument: quote.instrument,
                    side,
                    kind: OrderKind::Limit,
                    price: Price(i64::from(price)),
                    stated: quantity,
                    open: quantity,
                    instructions: Instructions::NONE,
                    instead_of: standing.map(|live| live.order.order_id),
                });
            }
        }
        wishes.retain(|wish| self.is_valid(wish));
        let wishes: Vec<&Wish> = wishes.iter().collect();
        let gauges = self.gauges(definition.firm, definition.account);
        let reason = gauges
            .into_iter()
            .find_map(|gauge| self.too_much(&gauge, &wishes, true))?;
        self.consume(c.session, c.user_ref);
        let rejected = MassQuoteRejected {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            user_ref: c.user_ref,
            reason,
            client_id: c.client_id,
        };
        Some(rejected.into())
    }

    /// The firm's limits, then the account's.
    fn gauges(&self, firm: FirmId, account: AccountId) -> Vec<Gauge> {
        let all = self.state.members.gauges.iter();
        let of_it = all.filter(|gauge| gauge.firm == firm && [AccountId(0), account].contains(&gauge.account));
        of_it.cloned().collect()
    }

    fn is_valid(&self, wish: &Wish) -> bool {
        self.listed(wish.instrument).is_some_and(|listed| {
            let one = &listed.definition;
            let priced = wish.kind == OrderKind::Market || (wish.price > Price(0) && wish.price <= one.price_max);
            priced && wish.stated > Quantity(0) && wish.stated <= one.quantity_max
        })
    }

    /// What stands of a firm or account.
    fn standing(&self, gauge: &Gauge) -> Vec<Live> {
        let mut live = self.live();
        live.retain(|one| {
            self.firm_of(one.order.session) == gauge.firm
                && (gauge.account == AccountId(0) || one.order.account == gauge.account)
        });
        live
    }

    /// Which of a firm's or account's limits the wishes would break.
    fn too_much(&self, gauge: &Gauge, wishes: &[&Wish], entering: bool) -> Option<RejectReason> {
        let limits = &gauge.limits;
        let standing = self.standing(gauge);
        if let Some(reason) = wishes.iter().find_map(|wish| self.too_much_by_itself(gauge, wish)) {
            return Some(reason);
        }
        let new = wishes.iter().filter(|wish| wish.instead_of.is_none()).count();
        let open = limits.open_orders as usize;
        if entering && open > 0 && new > 0 && standing.len() + new > open {
            return Some(RejectReason::RiskOpenOrders);
        }
        let before = |wish: &Wish| {
            let replaced = standing
                .iter()
                .find(|live| Some(live.order.order_id) == wish.instead_of);
            replaced.map_or((0, 0), |live| (live.order.leaves.0 as i128, reserved(live)))
        };
        let grows = |wish: &Wish| (wish.open.0 as i128 - before(wish).0).max(0);
        for wish in wishes.iter().filter(|wish| grows(wish) > 0) {
            let there = |instrument, side| (instrument, side) == (wish.instrument, wish.side);
            let stands: i128 = standing
                .iter()
                .filter(|live| there(live.instrument, live.side))
                .map(|live| live.order.leaves.0 as i128)
                .sum();
            let joins: i128 = wishes
                .iter()
                .filter(|one| there(one.instrument, one.side))
                .map(|one| grows(one))
                .sum();
            let held = gauge.positions.iter().find(|(on, _)| *on == wish.instrument);
            let held = held.map_or(0, |(_, position)| i128::from(*position));
            let signed = if wish.side == Side::Buy { held } else { -held };
            let worst = signed + stands + joins;
            let over = limits.position.0 > 0 && worst > limits.position.0 as i128;
            let short = limits.long_only && wish.side == Side::Sell && worst > 0;
            if over || short {
                return Some(RejectReason::RiskPosition);
            }
        }
        let buys = wishes.iter().filter(|wish| wish.side == Side::Buy);
        let spends: i128 = buys
            .map(|wish| match self.prices(wish) {
                Some((_, dearest, _)) => (dearest.0 as i128 * wish.open.0 as i128 - before(wish).1).max(0),
                None => 0,
            })
            .sum();
        let reserved: i128 = standing.iter().map(reserved).sum();
        let over = gauge.paid + reserved + spends > limits.credit.0 as i128;
        (limits.credit.0 > 0 && spends > 0 && over).then_some(RejectReason::RiskCredit)
    }

    fn too_much_by_itself(&self, gauge: &Gauge, wish: &Wish) -> Option<RejectReason> {
        let RiskLimits {
            order_quantity,
            order_notional,
            collar,
            credit,
            ..
        } = gauge.limits;
        if order_quantity > Quantity(0) && wish.open > order_quantity {
            return Some(RejectReason::RiskOrderQuantity);
        }
        let worth_matters = order_notional.0 > 0 || collar > 0 || (credit.0 > 0 && wish.side == Side::Buy);
        let Some((_, dearest, worst)) = self.prices(wish) else {
            return worth_matters.then_some(RejectReason::RiskUnpriced);
        };
        if order_notional.0 > 0 && dearest.0 as u128 * u128::from(wish.open.0) > u128::from(order_notional.0) {
            return Some(RejectReason::RiskOrderNotional);
        }
        let last = self.listed(wish.instrument).map_or(0, |listed| listed.last_price.0);
        // Ten thousand times how far it lies on the wrong side.
        let beyond = match wish.side {
            Side::Buy => worst.0 - last,
            Side::Sell => last - worst.0,
        };
        let beyond = i128::from(beyond) * 10_000;
        (collar > 0 && last > 0 && beyond > i128::from(last) * i128::from(collar)).then_some(RejectReason::RiskCollar)
    }

    /// The best, the dearest and the worst price at which a wish may trade, where that is known.
    fn prices(&self, wish: &Wish) -> Option<(Price, Price, Price)> {
        if wish.kind == OrderKind::Limit {
            return Some((wish.price, wish.price, wish.price));
        }
        let asked = &wish.instructions;
        let listed = self.listed(wish.instrument)?;
        if listed.phase != Phase::Continuous || asked.trigger != Price(0) || asked.auction != AuctionOnly::Any {
            return None;
        }
        let mut others = self.makers(listed, wish.side, None);
        others.retain(|maker| self.firm_of(maker.session) != wish.firm);
        let best = others.first()?.price;
        let mut behind = Quantity(0);
        let worst = others.iter().take_while(|maker| {
            let reached = behind < wish.open;
            behind.0 += maker.leaves.0;
            reached
        });
        let worst = worst.last()?.price;
        Some((best, best.max(worst), worst))
    }

    /// Counts what came of a command, or of a part of it.
    pub(super) fn count(&mut self, events: &[Event]) {
        let now = self.state.last_stamp;
        for event in events {
            match event {
                Event::Accepted(e) => {
                    let order = Likeness {
                        instrument: e.instrument,
                        side: e.side,
                        kind: e.kind,
                        price: e.price,
                        quantity: e.quantity,
                    };
                    for gauge in self.state.members.gauges.iter_mut() {
                        if gauge.firm != e.firm || ![AccountId(0), e.account].contains(&gauge.account) {
                            continue;
                        }
                        let window = window(&gauge.limits);
                        gauge.recent.retain(|one| now.0 - one.stamp.0 < window);
                        if window > 0 {
                            gauge.recent.push(Recent { stamp: now, order });
                        }
                        let over = gauge.recent.len().saturating_sub(256);
                        gauge.recent.drain(..over);
                    }
                }
                Event::Executed(e) => {
                    let (bought, sold) = match e.aggressor {
                        Side::Buy => ((e.taker_firm, e.taker_account), (e.maker_firm, e.maker_account)),
                        Side::Sell => ((e.maker_firm, e.maker_account), (e.taker_firm, e.taker_account)),
                    };
                    self.book_trade(e.instrument, bought, sold, e.price, e.quantity);
                }
                Event::TradeBusted(e) => {
                    let (bought, sold) = self.sides(&e.deal);
                    self.book_trade(e.instrument, sold, bought, e.deal.price, e.deal.quantity);
                }
                Event::TradeCorrected(e) => {
                    let (bought, sold) = self.sides(&e.deal);
                    self.book_trade(e.instrument, sold, bought, e.deal.price, e.deal.quantity);
                    self.book_trade(e.instrument, bought, sold, e.price, e.quantity);
                }
                Event::DayStarted(_) => {
                    for gauge in &mut self.state.members.gauges {
                        gauge.paid = 0;
                    }
                }
                _ => {}
            }
        }
    }

    fn sides(&self, deal: &rialto_model::Deal) -> ((FirmId, AccountId), (FirmId, AccountId)) {
        let own = |id| {
            let session = self.session(id);
            session.map_or_else(Default::default, |one| (one.definition.firm, one.definition.account))
        };
        match deal.aggressor {
            Side::Buy => (own(deal.taker_session), own(deal.maker_session)),
            Side::Sell => (own(deal.maker_session), own(deal.taker_session)),
        }
    }

    fn book_trade(
        &mut self,
        instrument: InstrumentId,
        buyer: (FirmId, AccountId),
        seller: (FirmId, AccountId),
        price: Price,
        quantity: Quantity,
    ) {
        for gauge in &mut self.state.members.gauges {
            for ((firm, account), sign) in [(buyer, 1), (seller, -1)] {
                if gauge.firm != firm || ![AccountId(0), account].contains(&gauge.account) {
                    continue;
                }
                gauge.paid += i128::from(price.0) * i128::from(quantity.0) * sign;
                let more = quantity.0 as i64 * sign as i64;
                match gauge.positions.iter_mut().find(|(on, _)| *on == instrument) {
                    Some((_, position)) => *position += more,
                    None => gauge.positions.push((instrument, more)),
                }
                gauge.positions.retain(|(_, position)| *position != 0);
                gauge.positions.sort();
            }
        }
    }

    /// Fees by tier.
    pub(super) fn discount(&self, event: &mut Event) {
        let tier = |firm| {
            let mut tiers = self.state.members.tiers.iter();
            tiers.find(|(one, _)| *one == firm).map(|(_, tier)| *tier)
        };
        match event {
            Event::Executed(e) => {
                if let Some(tier) = tier(e.maker_firm) {
                    e.maker_fee = per_cent(e.maker_fee, tier.maker_percent);
                }
                if let Some(tier) = tier(e.taker_firm) {
                    e.taker_fee = per_cent(e.taker_fee, tier.taker_percent);
                }
            }
            Event::TradeCorrected(e) => {
                if let Some(tier) = tier(self.firm_of(e.deal.maker_session)) {
                    e.maker_fee = per_cent(e.maker_fee, tier.maker_percent);
                }
                if let Some(tier) = tier(self.firm_of(e.deal.taker_session)) {
                    e.taker_fee = per_cent(e.taker_fee, tier.taker_percent);
                }
            }
            _ => {}
        }
    }

    fn has_member(&self, firm: FirmId, account: AccountId) -> bool {
        let firms = self.state.firms.iter().any(|one| one.definition.firm == firm);
        let mut accounts = self.state.accounts.iter();
        firms && (account == AccountId(0) || accounts.any(|one| one.account == account && one.firm == firm))
    }

    pub(super) fn set_risk_limits(&mut self, c: &SetRiskLimits) -> Event {
        if !self.has_member(c.firm, c.account) {
            return refused(SetRiskLimits::SCHEMA, RejectReason::BadDefinition);
        }
        let gauges = &mut self.state.members.gauges;
        let known = gauges
            .iter_mut()
            .find(|one| (one.firm, one.account) == (c.firm, c.account));
        match known {
            Some(gauge) => gauge.limits = c.limits,
            None => gauges.push(Gauge {
                firm: c.firm,
                account: c.account,
                limits: c.limits,
                ..Gauge::default()
            }),
        }
        gauges.retain(|gauge| gauge.limits != RiskLimits::default());
        gauges.sort_by_key(|gauge| (gauge.firm, gauge.account));
        RiskLimitsSet {
            firm: c.firm,
            account: c.account,
            limits: c.limits,
        }
        .into()
    }

    pub(super) fn set_fee_tier(&mut self, c: &SetFeeTier) -> Event {
        let fits = c.tier.maker_percent <= 500 && c.tier.taker_percent <= 500;
        if !fits || !self.has_member(c.firm, AccountId(0)) {
            return refused(SetFeeTier::SCHEMA, RejectReason::BadDefinition);
        }
        let tiers = &mut self.state.members.tiers;
        tiers.retain(|(firm, _)| *firm != c.firm);
        if c.tier != FeeTier::WHOLE {
            tiers.push((c.firm, c.tier));
        }
        tiers.sort_by_key(|(firm, _)| *firm);
        FeeTierSet {
            firm: c.firm,
            tier: c.tier,
        }
        .into()
    }

    pub(super) fn act(&self, c: &Act) -> Event {
        Acted {
            actor: c.actor,
            subject: c.subject,
            digest: c.digest,
            why: c.why,
        }
        .into()
    }

    pub(super) fn set_shard(&mut self, c: &SetShard) -> Event {
        if c.shard.0 > 1_023 || !self.has_member(c.firm, c.account) {
            return refused(SetShard::SCHEMA, RejectReason::BadDefinition);
        }
        let members = &mut self.state.members;
        if u64::from(c.version) != u64::from(members.directory) + 1 {
            return refused(SetShard::SCHEMA, RejectReason::OldDirectory);
        }
        members.directory += 1;
        members
            .shards
            .retain(|one| (one.firm, one.account) != (c.firm, c.account));
        members.shards.push(Placed {
            firm: c.firm,
            account: c.account,
            shard: c.shard,
        });
        members.shards.sort_by_key(|one| (one.firm, one.account));
        ShardSet {
            version: c.version,
            firm: c.firm,
            account: c.account,
            shard: c.shard,
        }
        .into()
    }

    pub(super) fn set_user(&mut self, c: &SetUser) -> Event {
        let venue = (c.firm, c.account) == (FirmId(0), AccountId(0));
        let users = &self.state.members.users;
        let before = users.iter().find(|one| one.user == c.user).map(|one| one.firm);
        let stays = before.is_none_or(|firm| firm == c.firm);
        let numbered = (1..=1_048_575).contains(&c.user.0);
        if !(venue || self.has_member(c.firm, c.account)) || !stays || !numbered {
            return refused(SetUser::SCHEMA, RejectReason::BadDefinition);
        }
        let users = &mut self.state.members.users;
        users.retain(|one| one.user != c.user);
        users.push(*c);
        users.sort_by_key(|one| one.user);
        UserSet {
            user: c.user,
            firm: c.firm,
            account: c.account,
            role: c.role,
            name: c.name,
        }
        .into()
    }

    pub(super) fn set_service(&mut self, c: &SetService) -> Event {
        if !self.has_member(c.firm, AccountId(0)) {
            return refused(SetService::SCHEMA, RejectReason::BadDefinition);
        }
        let services = &mut self.state.members.services;
        services.retain(|(firm, _)| *firm != c.firm);
        if c.service == Service::Bridge {
            services.push((c.firm, c.service));
        }
        services.sort_by_key(|(firm, _)| *firm);
        ServiceSet {
            firm: c.firm,
            service: c.service,
        }
        .into()
    }

    pub(super) fn set_budgets(&mut self, c: &SetBudgets) -> Event {
        if !self.has_member(c.firm, AccountId(0)) {
            return refused(SetBudgets::SCHEMA, RejectReason::BadDefinition);
        }
        let asked = &c.budgets;
        let orders = (asked.orders_per_second, asked.orders_burst);
        let cancels = (asked.cancels_per_second, asked.cancels_burst);
        let questions = (asked.questions_per_second, asked.questions_burst);
        let too_much = [orders, cancels, questions]
            .iter()
            .any(|(rate, burst)| *rate > 1_000_000 || *burst > 1_000_000 || (*rate == 0 && *burst > 0));
        let unlimited = cancels.0 == 0;
        let fewer = orders.0 == 0 || cancels.0 < orders.0 || cancels.1 < orders.1;
        if too_much || (!unlimited && fewer) || asked.weight > 16 {
            return refused(SetBudgets::SCHEMA, RejectReason::BudgetsUnsound);
        }
        let budgets = &mut self.state.members.budgets;
        budgets.retain(|(firm, _)| *firm != c.firm);
        if c.budgets != Budgets::default() {
            budgets.push((c.firm, c.budgets));
        }
        budgets.sort_by_key(|(firm, _)| *firm);
        BudgetsSet {
            firm: c.firm,
            budgets: c.budgets,
        }
        .into()
    }
}

/// What a standing buy order may cost.
fn reserved(live: &Live) -> i128 {
    let limit = match live.order.special {
        Some(special) if special.limit != Price(0) => special.limit,
        _ => live.order.price,
    };
    match live.side {
        Side::Buy => i128::from(limit.0) * i128::from(live.order.leaves.0),
        Side::Sell => 0,
    }
}

/// In nanoseconds.
fn window(limits: &RiskLimits) -> u64 {
    u64::from(limits.duplicate_window) * 1_000_000
}

fn per_cent(fee: Money, percent: u16) -> Money {
    let hundredfold = i128::from(fee.0) * i128::from(percent);
    let (whole, rest) = (hundredfold / 100, hundredfold % 100);
    let away = match rest {
        50.. => 1,
        ..=-50 => -1,
        _ => 0,
    };
    Money((whole + away) as i64)
}

fn refused(schema: u16, reason: RejectReason) -> Event {
    CommandRejected { schema, reason }.into()
}
