//! Events in words. Orders go by the name they were entered under: `A1` is the order that session A entered under
//! reference 1, whatever it is called since; `#2` is a reference, `p3` the third public reference of its instrument.

use rialto_model::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The letter of a session: A is 1, and V is the venue itself.
pub(crate) fn letter(session: SessionId) -> char {
    match session.0 {
        0 => 'V',
        id => char::from(b'A' - 1 + id as u8),
    }
}

/// The names that orders were entered under.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(pub(crate) BTreeMap<OrderId, String>);

impl Names {
    fn of(&self, order_id: OrderId) -> &str {
        self.0.get(&order_id).map_or("?", String::as_str)
    }

    /// One event in words.
    pub(crate) fn print(&mut self, event: &Event) -> String {
        match event {
            Event::Released(e) => format!("released {}", e.release),
            Event::InstrumentListed(e) => {
                format!("listed {} {}", e.symbol, if e.trading { "trading" } else { "closed" })
            }
            Event::FirmDefined(e) => format!("firm {} {}", e.firm, e.mpid),
            Event::AccountDefined(e) => format!("account {} of firm {}", e.account, e.firm),
            Event::SessionDefined(e) => format!("session {} {} of firm {}", letter(e.session), e.name, e.firm),
            Event::DayStarted(e) => format!("day {} starts", e.day.0),
            Event::DayEnded(e) => format!("day {} ends", e.day.0),
            Event::Ticked(_) => "ticked".to_owned(),
            Event::SessionOpened(e) => format!("{} up {}", letter(e.session), e.incarnation),
            Event::SessionClosed(e) => format!("{} down {}", letter(e.session), e.incarnation),
            Event::SessionNoted(e) => format!("{} notes {}", letter(e.session), char::from(e.what)),
            Event::CommandRejected(e) => format!("schema {} rejected {:?}", e.schema, e.reason),
            Event::Ignored(e) => format!("{} ignored {:?}", letter(e.session), e.reason),
            Event::Accepted(e) => {
                let name = format!("{}{}", letter(e.session), e.user_ref);
                let mut text = format!("{name} accepted {}{} ", side(e.side), short(e.short));
                self.0.insert(e.order_id, name);
                let _ = write!(
                    text,
                    "{}{} {}",
                    e.quantity,
                    price(e.kind, e.price),
                    public(e.public_ref)
                );
                text += &lifetime(e.tif);
                text += &resting(e.rests);
                if e.account.0 != e.session.0 {
                    let _ = write!(text, " account {}", e.account);
                }
                text + &mpid(e.mpid) + &asked(e.inbound, &e.client_id)
            }
            Event::Replaced(e) => {
                let mut text = format!(
                    "{} replaced {}#{} -> #{}",
                    self.of(e.order_id),
                    by(e.session, self.of(e.order_id)),
                    e.old_user_ref,
                    e.user_ref
                );
                let _ = write!(text, " {} -> {}{}", e.old_quantity, e.quantity, price(e.kind, e.price));
                let _ = match e.public_ref == e.old_public_ref {
                    true => write!(text, " keeps {}", public(e.public_ref)),
                    false if e.old_public_ref.0 == 0 => write!(text, " unseen -> {}", public(e.public_ref)),
                    false => write!(text, " {} -> {}", public(e.old_public_ref), public(e.public_ref)),
                };
                text += &lifetime(e.tif);
                text += short(e.short);
                text += &resting(e.rests);
                if !e.executed.is_zero() {
                    let _ = write!(text, " executed {}", e.executed);
                }
                text + &mpid(e.mpid) + &asked(e.inbound, &e.client_id)
            }
            Event::Booked(e) => {
                format!(
                    "{} booked {} @{} {}{}",
                    self.of(e.order_id),
                    e.quantity,
                    e.price,
                    public(e.public_ref),
                    mpid(e.mpid)
                )
            }
            Event::Reduced(e) => {
                let mark = if e.remark {
                    format!(" mark {:?}", e.short)
                } else {
                    String::new()
                };
                let asked = asked(e.inbound, &e.client_id);
                let shown = if e.removed_shown == e.removed {
                    String::new()
                } else {
                    format!(" shown {}", e.removed_shown)
                };
                format!(
                    "{} reduced by {} to {}{shown}{mark}{asked}",
                    self.of(e.order_id),
                    e.removed,
                    e.leaves
                )
            }
            Event::Cancelled(e) => {
                let off = if e.rested {
                    format!(" off {}", public(e.public_ref))
                } else {
                    String::new()
                };
                let asked = asked(e.inbound, &e.client_id);
                format!(
                    "{} cancelled {} {:?}{off}{asked}",
                    self.of(e.order_id),
                    e.removed,
                    e.reason
                )
            }
            Event::Executed(e) => format!(
                "{}trade {} {} @{} {} {} leaves {}, {} leaves {}{}",
                match (e.cross, e.maker_hidden) {
                    (true, _) => "cross ",
                    (false, true) => "hidden ",
                    (false, false) => "",
                },
                e.trade.0 & 0xffff_ffff_ffff,
                e.quantity,
                e.price,
                self.of(e.maker),
                public(e.maker_public_ref),
                e.maker_leaves,
                self.of(e.taker),
                e.taker_leaves,
                paid(e.maker_fee, e.taker_fee)
            ),
            Event::Rejected(e) => {
                format!(
                    "{}{} rejected {:?}{}",
                    letter(e.session),
                    e.user_ref,
                    e.reason,
                    asked(e.inbound, &e.client_id)
                )
            }
            Event::ChangeRejected(e) => {
                let what = if e.replace {
                    format!("replace by #{}", e.user_ref)
                } else {
                    "change".to_owned()
                };
                let target = match e.target {
                    Target::UserRef(name) => format!("#{name}"),
                    Target::OrderId(name) => self.of(name).to_owned(),
                };
                let asked = asked(e.inbound, &e.client_id);
                format!(
                    "{} {what} of {target} rejected {:?}{asked}",
                    letter(e.session),
                    e.reason
                )
            }
            Event::Restated(e) => {
                let mut text = format!(
                    "{} stands {} @{} {}",
                    self.of(e.order_id),
                    e.leaves,
                    e.price,
                    public(e.public_ref)
                );
                if !e.executed.is_zero() {
                    let _ = write!(text, " executed {}", e.executed);
                }
                if e.shown != e.leaves {
                    let _ = write!(text, " shows {}", e.shown);
                }
                text + &mpid(e.mpid)
            }
            Event::RulebookSet(e) => format!("rulebook {} of {}", e.version, e.instrument),
            Event::TicksSet(e) => format!("ticks {} of {}", e.version, e.instrument),
            Event::SelfTradeSet(e) => format!("firm {} self-trade {:?}", e.firm, e.mode),
            Event::RiskLimitsSet(e) => format!("{} limited", member(e.firm, e.account)),
            Event::FeeTierSet(e) => format!(
                "firm {} pays {} and {} per cent",
                e.firm, e.tier.maker_percent, e.tier.taker_percent
            ),
            Event::Acted(e) => format!("{} acts by {}: {}", e.actor, e.subject, e.why),
            Event::ShardSet(e) => format!(
                "directory {}: {} in shard {}",
                e.version,
                member(e.firm, e.account),
                e.shard
            ),
            Event::UserSet(e) => format!("user {} is {:?} of {}", e.user, e.role, member(e.firm, e.account)),
            Event::BudgetsSet(e) => format!(
                "firm {} may send {} orders, {} cancels, {} questions, weight {}",
                e.firm,
                e.budgets.orders_per_second,
                e.budgets.cancels_per_second,
                e.budgets.questions_per_second,
                e.budgets.weight
            ),
            Event::ServiceSet(e) => format!("firm {} served by {:?}", e.firm, e.service),
            Event::CancelOnlyChanged(e) => format!("cancels only {}", e.on),
            Event::FaultAdded(e) => format!("fault {}", e.kind.word()),
            Event::FaultRemoved(e) => format!("mended {}", e.kind.word()),
            Event::CutOverSet(e) => format!("behind {} build {:x}: {}", e.cut.after, e.cut.build, e.cut.green),
            Event::Routed(e) => format!("{} build {:x}: {}", e.way.instrument, e.way.build, e.way.candidate),
            Event::Judged(e) => format!("build {:x} passed {}", e.finding.build, e.finding.passed),
            Event::DoorRouted(e) => format!("{:?} build {:x}: {}", e.lane.door, e.lane.build, e.lane.share),
            Event::FeedRouted(e) => format!("feed of build {:x}: {}", e.audience.build, e.audience.share),
            Event::Recalled(e) => format!("build {:x} recalled from {} sessions", e.reach.build, e.reach.sessions),
            Event::FeedJudged(e) => format!("feed of build {:x} passed: {}", e.hearing.build, e.hearing.passed),
            Event::DoorJudged(e) => format!(
                "{:?} build {:x} passed: {}",
                e.opinion.door, e.opinion.build, e.opinion.passed
            ),
            Event::Quarantined(e) => format!("build {:x} passes over {}", e.poison.build, e.poison.seq),
            Event::KillSwitchSet(e) => format!("firm {} killed {}", e.firm, e.killed),
            Event::Instructed(e) => format!("{} asks{}", self.of(e.order_id), instructions(&e.instructions)),
            Event::Triggered(e) => format!(
                "{} triggered {} {}{} {}",
                self.of(e.order_id),
                side(e.side),
                e.quantity,
                price(e.kind, e.price),
                public(e.public_ref)
            ),
            Event::PhaseChanged(e) => format!("phase {:?}", e.phase),
            Event::Indicative(e) if e.volume.is_zero() => "indicates nothing".to_owned(),
            Event::Indicative(e) if e.imbalance.is_zero() => format!("indicates {} @{}", e.volume, e.price),
            Event::Indicative(e) => {
                let side = side(e.side);
                format!("indicates {} @{} {side} {} over", e.volume, e.price, e.imbalance)
            }
            Event::Uncrossed(e) => format!("uncrossed {:?} {} @{}", e.phase, e.volume, e.price),
            Event::OfficialPrice(e) => {
                format!("official {} @{}", if e.closing { "close" } else { "open" }, e.price)
            }
            Event::BandsSet(e) => format!("bands {} of {}", e.version, e.instrument),
            Event::PriceBands(e) => format!("bands {} to {} around {}", e.low, e.high, e.reference),
            Event::LimitStateChanged(e) => {
                let what = if e.entered { "begins" } else { "ends" };
                format!("limit state {} {what}", side(e.side))
            }
            Event::CircuitBroken(e) => format!("circuit {:?}", e.level),
            Event::Pegged(e) if e.price == Price(0) => {
                format!("{} follows nothing {}", self.of(e.order_id), public(e.public_ref))
            }
            Event::Pegged(e) => format!("{} follows @{} {}", self.of(e.order_id), e.price, public(e.public_ref)),
            Event::MassQuoted(e) => format!(
                "{} quotes #{}{}",
                letter(e.session),
                e.user_ref,
                asked(e.inbound, &e.client_id)
            ),
            Event::Quoted(e) => {
                let side = if e.side == Side::Buy { "bid" } else { "ask" };
                let name = format!("{}{}{side}", letter(e.session), e.user_ref);
                self.0.insert(e.order_id, name.clone());
                let (public, rests) = (public(e.public_ref), resting(e.rests));
                format!("{name} quoted {} @{} {public}{rests}", e.quantity, e.price)
            }
            Event::QuoteRejected(e) => format!("{} quote #{} rejected {:?}", letter(e.session), e.user_ref, e.reason),
            Event::MassQuoteRejected(e) => {
                format!("{} quotes #{} rejected {:?}", letter(e.session), e.user_ref, e.reason)
            }
            Event::QuotesCancelled(e) => format!("{} unquotes {}", letter(e.session), e.cancelled),
            Event::ProtectionSet(e) => format!("{} is protected", letter(e.session)),
            Event::ProtectionTripped(e) => format!(
                "{} protection trips: bought {} sold {} in {}",
                letter(e.session),
                e.bought,
                e.sold,
                e.count
            ),
            Event::ProtectionReset(e) => format!("{} quotes again", letter(e.session)),
            Event::FeesSet(e) => format!("fees {} of {}", e.version, e.instrument),
            Event::AllocationSet(e) => format!("allocation {} of {}", e.version, e.instrument),
            Event::TradeBusted(e) => format!("trade {} busted", e.deal.trade.0 & 0xffff_ffff_ffff),
            Event::TradeCorrected(e) => format!(
                "trade {} corrected: trade {} {} @{}{}",
                e.deal.trade.0 & 0xffff_ffff_ffff,
                e.trade.0 & 0xffff_ffff_ffff,
                e.quantity,
                e.price,
                paid(e.maker_fee, e.taker_fee)
            ),
            Event::MassCancelled(e) => format!("{} mass cancels {}", letter(e.session), e.cancelled),
            Event::FlagSwitched(e) => {
                let FlagChange {
                    flag,
                    act,
                    target,
                    id,
                    value,
                    ..
                } = e.change;
                format!("flag {flag} {act:?} {target:?} {id} {value}")
            }
            Event::ProcessRefused(e) => format!("process refused {}", e.name.as_bytes().escape_ascii()),
            Event::RunawayLimitsSet(e) => {
                let RunawayLimits {
                    window,
                    orders,
                    notional,
                } = e.limits;
                format!("firm {} may send {orders} orders for {notional} in {window} ms", e.firm)
            }
            Event::ParentSet(e) => format!(
                "firm {} parent {} of {}",
                e.firm,
                e.name.as_bytes().escape_ascii(),
                e.quantity
            ),
            Event::RunawayTripped(e) => format!("firm {} has run away: {:?}", e.trip.firm, e.trip.cause),
            Event::MassCancelRejected(e) => format!("{} mass cancel rejected {:?}", letter(e.session), e.reason),
        }
    }
}

/// A firm, or an account of it.
fn member(firm: FirmId, account: AccountId) -> String {
    match account.0 {
        0 => format!("firm {firm}"),
        _ => format!("firm {firm} account {account}"),
    }
}

/// What an order asks for, in the words of the command.
fn instructions(asked: &Instructions) -> String {
    let mut text = String::new();
    let words = [
        (Handling::POST_ONLY, " post-only"),
        (Handling::SLIDE, " slide"),
        (Handling::HIDDEN, " hidden"),
        (Handling::TRAILING, " trailing"),
        (Handling::PEG_PRIMARY, " primary-peg"),
        (Handling::PEG_MIDPOINT, " midpoint-peg"),
    ];
    for (bit, word) in words {
        if asked.handling.has(bit) {
            text += word;
        }
    }
    match asked.auction {
        AuctionOnly::Any => {}
        AuctionOnly::Opening => text += " at-open",
        AuctionOnly::Closing => text += " at-close",
    }
    let values = [
        ("group", u64::from(asked.group)),
        ("display", u64::from(asked.display.0)),
        ("minimum", u64::from(asked.minimum.0)),
        ("stop", asked.trigger.0 as u64),
        ("until", asked.expires.0),
    ];
    for (word, value) in values {
        if value != 0 {
            let _ = write!(text, " {word} {value}");
        }
    }
    text
}

/// Says who replaces where it is not the session that entered.
fn by(session: SessionId, name: &str) -> String {
    if name.starts_with(letter(session)) {
        String::new()
    } else {
        format!("by {} ", letter(session))
    }
}

/// What both sides pay, if anything.
fn paid(maker: Money, taker: Money) -> String {
    if (maker, taker) == (Money(0), Money(0)) {
        return String::new();
    }
    format!(" for {maker} and {taker}")
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

fn short(short: ShortSale) -> &'static str {
    match short {
        ShortSale::None => "",
        ShortSale::Short => " short",
        ShortSale::Exempt => " exempt",
    }
}

fn price(kind: OrderKind, price: Price) -> String {
    match kind {
        OrderKind::Limit => format!(" @{price}"),
        OrderKind::Market if price.0 == 0 => " market".to_owned(),
        OrderKind::Market => format!(" market with a price of {price}"),
    }
}

fn public(public_ref: PublicRef) -> String {
    format!("p{}", public_ref.0 & 0xffff_ffff_ffff)
}

fn lifetime(tif: TimeInForce) -> String {
    match tif {
        TimeInForce::Day => "",
        TimeInForce::GoodTillCancel => " gtc",
        TimeInForce::ImmediateOrCancel => " ioc",
        TimeInForce::FillOrKill => " fok",
    }
    .to_owned()
}

fn resting(rests: bool) -> String {
    if rests { " rests".to_owned() } else { String::new() }
}

fn mpid(mpid: Mpid) -> String {
    if mpid == Mpid::default() {
        String::new()
    } else {
        format!(" as {mpid}")
    }
}

fn asked(inbound: MsgSeqNum, client_id: &Text) -> String {
    let mut text = String::new();
    if inbound.0 != 0 {
        let _ = write!(text, " in {inbound}");
    }
    if !client_id.is_empty() {
        let _ = write!(text, " id {client_id}");
    }
    text
}
