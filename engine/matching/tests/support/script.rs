//! Event tables: commands on the left, the events expected on the right, in words.
//!
//! ```text
//! ("A buy 100 @50 #1",        &["A1 accepted buy 100 @50 p1 rests"]),
//! ("C sell 40 @50 #1",        &["C1 accepted sell 40 @50 p2", "trade 1 40 @50 A1 p1 leaves 60, C1 leaves 0"]),
//! ```
//!
//! The world: firm 1 (ONE) with sessions A and B, firm 2 (TWO) with session C; each has an account of its own number. One
//! instrument: XYZ with tick 5, lot 10, prices to 1,000, quantities to 1,000. Day 1 is open and all sessions are up.
//! A line that begins with `+N` comes N milliseconds later than it would.
//! A line begins with the session: A to C, D (not defined) or V (the venue). `A/9` speaks under incarnation 9. Both
//! engines play every table, and each of their states survives its bytes at every line.

use super::print::Names;
use rialto_matching::{Engine, EngineState, Limits, Matching, reference};
use rialto_model::command::*;
use rialto_model::*;
use std::collections::BTreeMap;

pub(crate) type Table<'a> = &'a [(&'a str, &'a [&'a str])];

/// Plays a table on both engines from the world above.
#[track_caller]
pub(crate) fn play(table: Table<'_>) {
    play_with(Limits::default(), table);
}

#[track_caller]
pub(crate) fn play_with(limits: Limits, table: Table<'_>) {
    run("fast", Engine::new(limits), table);
    run("naive", reference::Engine::new(limits), table);
}

#[track_caller]
fn run<M: Matching>(name: &str, mut engine: M, table: Table<'_>) {
    let mut world = World::default();
    for command in world_commands() {
        world.apply(&mut engine, command);
    }
    for (line, (text, expected)) in table.iter().enumerate() {
        let rest = world.wait(text);
        let command = world.parse(rest);
        let events = world.apply(&mut engine, command);
        assert_eq!(events, *expected, "{name} engine, line {}: {text}", line + 1);
        let state = engine.export();
        let copy = EngineState::decode(&state.encode()).expect("own bytes");
        assert_eq!(copy, state, "{name} engine, line {}: {text}", line + 1);
        engine = M::import(&copy).expect("own state");
        assert_eq!(engine.export(), state, "{name} engine, line {}: {text}", line + 1);
    }
}

/// What the words of a table stand for.
#[derive(Clone, Default)]
pub(crate) struct World {
    seq: u64,
    /// Nanoseconds that lines came later.
    ahead: u64,
    names: Names,
    incarnations: BTreeMap<u32, u32>,
    /// Trades by their count.
    deals: BTreeMap<u64, Deal>,
}

impl World {
    pub(crate) fn apply(&mut self, engine: &mut impl Matching, command: Command) -> Vec<String> {
        if let Command::SessionUp(up) = &command {
            self.incarnations.insert(up.session.0, up.incarnation.0);
        }
        self.seq += 1;
        let mut command = super::sequenced(self.seq, command);
        command.stamp.0 += self.ahead;
        let events = super::apply(engine, &command);
        for event in &events {
            let deal = match event {
                Event::Executed(e) => e.deal(),
                Event::TradeCorrected(e) => e.deal(),
                _ => continue,
            };
            self.deals.insert(deal.trade.0 & 0xffff_ffff_ffff, deal);
        }
        events.iter().map(|event| self.names.print(event)).collect()
    }

    fn wait<'a>(&mut self, text: &'a str) -> &'a str {
        let Some((later, rest)) = text.strip_prefix('+').and_then(|text| text.split_once(' ')) else {
            return text;
        };
        self.ahead += later.parse::<u64>().expect("milliseconds") * 1_000_000;
        rest
    }

    pub(crate) fn parse(&self, text: &str) -> Command {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number = |word: &str| -> u32 {
            word.trim_start_matches(['#', '@'])
                .parse()
                .unwrap_or_else(|_| panic!("a number, not {word:?}: {text}"))
        };
        match words[..] {
            ["release", release] => Release {
                venue: VenueId(1),
                release: ReleaseNumber(number(release)),
            }
            .into(),
            ["day", day] => StartOfDay {
                day: TradingDay(number(day)),
                midnight: Timestamp(0),
            }
            .into(),
            ["end"] => EndOfDay {}.into(),
            ["tick"] => Tick {}.into(),
            ["rulebook", version, ref rest @ ..] => SetRulebook {
                instrument: InstrumentId(1),
                version: number(version),
                rulebook: rulebook(rest),
            }
            .into(),
            ["bands", version, ref rest @ ..] => SetBands {
                instrument: InstrumentId(1),
                version: number(version),
                bands: bands(rest),
            }
            .into(),
            ["flag" | "limits" | "parent" | "trip", ..] => super::flagged::parse(&words),
            ["fees", version, ref rest @ ..] => SetFees {
                instrument: InstrumentId(1),
                version: number(version),
                fees: fees(rest),
            }
            .into(),
            ["allocation", version, ref rest @ ..] => SetAllocation {
                instrument: InstrumentId(1),
                version: number(version),
                allocation: allocation(rest),
            }
            .into(),
            ["limit", firm, account, ref rest @ ..] => SetRiskLimits {
                firm: FirmId(number(firm)),
                account: AccountId(number(account)),
                limits: risk_limits(rest),
            }
            .into(),
            ["tier", firm, maker, taker] => SetFeeTier {
                firm: FirmId(number(firm)),
                tier: FeeTier {
                    maker_percent: number(maker) as u16,
                    taker_percent: number(taker) as u16,
                },
            }
            .into(),
            ["act", actor, why] => Command::from(Tick {})
                .act(
                    Actor::new(actor).expect("short"),
                    Text::new(why.as_bytes()).expect("short"),
                )
                .into(),
            ["shard", version, firm, account, shard] => SetShard {
                version: number(version),
                firm: FirmId(number(firm)),
                account: AccountId(number(account)),
                shard: ShardId(number(shard) as u16),
            }
            .into(),
            ["user", user, firm, account, role] => SetUser {
                user: UserId(number(user)),
                firm: FirmId(number(firm)),
                account: AccountId(number(account)),
                role: *Role::ALL.iter().find(|one| format!("{one:?}") == role).expect("a role"),
                name: Text::EMPTY,
            }
            .into(),
            ["budgets", firm, orders, cancels, questions, weight] => SetBudgets {
                firm: FirmId(number(firm)),
                budgets: Budgets {
                    orders_per_second: number(orders),
                    orders_burst: number(orders).min(1),
                    cancels_per_second: number(cancels),
                    cancels_burst: number(cancels).min(1),
                    questions_per_second: number(questions),
                    questions_burst: 0,
                    weight: number(weight) as u8,
                },
            }
            .into(),
            ["service", firm, service] => SetService {
                firm: FirmId(number(firm)),
                service: if service == "Bridge" {
                    Service::Bridge
                } else {
                    Service::Pool
                },
            }
            .into(),
            ["bust", trade] => BustTrade {
                instrument: InstrumentId(1),
                deal: self.deal(number(trade)),
            }
            .into(),
            ["correct", trade, "to", quantity, price] => CorrectTrade {
                instrument: InstrumentId(1),
                deal: self.deal(number(trade)),
                price: Price(i64::from(number(price))),
                quantity: Quantity(u64::from(number(quantity))),
            }
            .into(),
            ["break", level] => BreakCircuit {
                level: BreakerLevel::ALL[number(level) as usize],
            }
            .into(),
            ["phase", name] => SetPhase {
                instrument: InstrumentId(1),
                phase: *Phase::ALL
                    .iter()
                    .find(|phase| format!("{phase:?}") == name)
                    .expect("a phase"),
            }
            .into(),
            ["ticks", version, ref rest @ ..] => SetTicks {
                instrument: InstrumentId(1),
                version: number(version),
                ticks: ticks(rest),
            }
            .into(),
            [who, verb, ref rest @ ..] => self.member(who, verb, rest, &number),
            _ => panic!("not a command: {text}"),
        }
    }

    /// A trade by its count; one that never was for any other.
    fn deal(&self, trade: u32) -> Deal {
        let unknown = || Deal {
            trade: TradeId::new(InstrumentId(1), u64::from(trade)),
            maker_session: SessionId(1),
            taker_session: SessionId(1),
            ..Deal::default()
        };
        self.deals.get(&u64::from(trade)).copied().unwrap_or_else(unknown)
    }

    fn member(&self, who: &str, verb: &str, rest: &[&str], number: &dyn Fn(&str) -> u32) -> Command {
        let (who, incarnation) = who
            .split_once('/')
            .map_or((who, None), |(who, n)| (who, Some(number(n))));
        let session = match who {
            "V" => 0,
            letter => u32::from(letter.as_bytes()[0] - b'A') + 1,
        };
        let incarnation = incarnation
            .or_else(|| self.incarnations.get(&session).copied())
            .unwrap_or(1);
        let (session, incarnation) = (SessionId(session), Incarnation(incarnation));
        let words = Words::of(rest, number);
        let Words {
            inbound,
            client_id,
            policy,
            kind,
            tif,
            short,
            price,
            ..
        } = words;
        match verb {
            "up" => SessionUp {
                session,
                incarnation: Incarnation(number(rest[0])),
                inbound,
                reset: false,
            }
            .into(),
            "lost" | "forked" => SessionLost {
                session,
                incarnation,
                cause: match verb {
                    "forked" => LossCause::Forked,
                    _ => LossCause::Disconnected,
                },
            }
            .into(),
            "note" => SessionNote {
                session,
                incarnation,
                inbound,
                what: b'0',
            }
            .into(),
            "refuse" => Refuse {
                session,
                incarnation,
                inbound,
                user_ref: words.user_ref,
                reason: RejectReason::NotSupported,
                client_id,
                ..Refuse::default()
            }
            .into(),
            "quote" => MassQuote {
                session,
                incarnation,
                inbound,
                user_ref: words.user_ref,
                quotes: quotes(rest),
                client_id,
            }
            .into(),
            "unquote" => CancelQuotes {
                session,
                incarnation,
                inbound,
                instrument: InstrumentId(0),
                client_id,
            }
            .into(),
            "resets" => ResetProtection {
                session,
                incarnation,
                inbound,
                instrument: InstrumentId(1),
            }
            .into(),
            "protects" => SetProtection {
                session: SessionId(u32::from(rest[0].as_bytes()[0] - b'A') + 1),
                limits: limits(&rest[1..]),
            }
            .into(),
            "only-cancels" | "all-orders" => CancelOnly {
                on: verb == "only-cancels",
            }
            .into(),
            "kill" | "revive" => SetKillSwitch {
                firm: words.firm,
                killed: verb == "kill",
            }
            .into(),
            "prevents" => SetSelfTrade {
                firm: words.firm,
                mode: match rest[0] {
                    "newest" => SelfTrade::CancelNewest,
                    "oldest" => SelfTrade::CancelOldest,
                    "both" => SelfTrade::CancelBoth,
                    "decrement" => SelfTrade::Decrement,
                    _ => SelfTrade::Allowed,
                },
            }
            .into(),
            "mass" => MassCancel {
                session,
                incarnation,
                inbound,
                whole_firm: rest.contains(&"all"),
                firm: words.firm,
                account: words.account,
                instrument: if rest.contains(&"on") {
                    words.instrument
                } else {
                    InstrumentId(0)
                },
                side: match rest {
                    rest if rest.contains(&"buys") => SideFilter::Buy,
                    rest if rest.contains(&"sells") => SideFilter::Sell,
                    _ => SideFilter::Both,
                },
                client_id,
            }
            .into(),
            "buy" | "sell" if !words.instructions.is_none() => EnterSpecial {
                session,
                incarnation,
                inbound,
                user_ref: words.user_ref,
                account: words.account,
                instrument: words.instrument,
                side: if verb == "buy" { Side::Buy } else { Side::Sell },
                kind,
                tif,
                short,
                capacity: Capacity::Agency,
                policy,
                price,
                quantity: Quantity(rest[0].parse().expect("a quantity")),
                instructions: words.instructions,
                client_id,
            }
            .into(),
            "replace" if !words.instructions.is_none() || rest.contains(&"plainly") => ReplaceSpecial {
                session,
                incarnation,
                inbound,
                target: self.target(rest[0], number),
                user_ref: words.by,
                kind,
                tif,
                policy,
                price,
                quantity: words.to,
                instructions: words.instructions,
                client_id,
            }
            .into(),
            "buy" | "sell" => Enter {
                session,
                incarnation,
                inbound,
                user_ref: words.user_ref,
                account: words.account,
                instrument: words.instrument,
                side: if verb == "buy" { Side::Buy } else { Side::Sell },
                kind,
                tif,
                short,
                capacity: Capacity::Agency,
                policy,
                price,
                quantity: Quantity(rest[0].parse().expect("a quantity")),
                client_id,
            }
            .into(),
            "cancel" => {
                let target = self.target(rest[0], number);
                Cancel {
                    session,
                    incarnation,
                    inbound,
                    target,
                    policy,
                    client_id,
                }
                .into()
            }
            "reduce" => Reduce {
                session,
                incarnation,
                inbound,
                target: self.target(rest[0], number),
                short,
                remark: words.remark,
                policy,
                quantity: words.to,
                client_id,
            }
            .into(),
            "replace" => Replace {
                session,
                incarnation,
                inbound,
                target: self.target(rest[0], number),
                user_ref: words.by,
                kind,
                tif,
                policy,
                price,
                quantity: words.to,
                client_id,
            }
            .into(),
            other => panic!("not a verb: {other}"),
        }
    }

    /// `#1` is a reference; `A1` is an order id, by the name the order was entered under; `?` is an id of no order.
    fn target(&self, word: &str, number: &dyn Fn(&str) -> u32) -> Target {
        if word.starts_with('#') {
            return Target::UserRef(UserRef(number(word)));
        }
        let known = self.names.0.iter().find(|(_, name)| *name == word);
        Target::OrderId(known.map_or(OrderId(u64::MAX), |(order_id, _)| *order_id))
    }
}

/// Pre-trade limits by name.
fn risk_limits(words: &[&str]) -> RiskLimits {
    let mut limits = RiskLimits::default();
    for pair in words.chunks_exact(2) {
        let value: u64 = pair[1].parse().expect("a number");
        match pair[0] {
            "quantity" => limits.order_quantity = Quantity(value),
            "notional" => limits.order_notional = Notional(value),
            "collar" => limits.collar = value as u32,
            "open" => limits.open_orders = value as u32,
            "position" => limits.position = Quantity(value),
            "long-only" => limits.long_only = value == 1,
            "credit" => limits.credit = Notional(value),
            "window" => limits.duplicate_window = value as u32,
            other => panic!("not a limit: {other}"),
        }
    }
    limits
}

/// Everything is offered; `without` leaves bits of [`Offers`] out by number.
fn rulebook(words: &[&str]) -> Rulebook {
    let mut rules = Rulebook {
        offers: Offers::ALL,
        lot: Quantity(10),
        quantity_min: Quantity(0),
        quantity_max: Quantity(1_000),
        self_trade: SelfTrade::Allowed,
        protection: Price(0),
    };
    for pair in words.chunks_exact(2) {
        let value: u64 = pair[1].parse().expect("a number");
        match pair[0] {
            "without" => rules.offers.0 &= !(1 << value),
            "lot" => rules.lot = Quantity(value),
            "min" => rules.quantity_min = Quantity(value),
            "max" => rules.quantity_max = Quantity(value),
            "protection" => rules.protection = Price(value as i64),
            "self-trade" => rules.self_trade = SelfTrade::ALL[value as usize],
            other => panic!("not a rule: {other}"),
        }
    }
    rules
}

/// `10@50/20@60`: ten to buy at 50, twenty to sell at 60; each such word is a quote on the instrument.
fn quotes(words: &[&str]) -> Quotes {
    let mut quotes = Quotes::default();
    let stated = words.iter().filter(|word| word.contains('/'));
    for (quote, word) in quotes.0.iter_mut().zip(stated) {
        let number = |text: &str| text.parse().expect("a number");
        let side = |text: &str| {
            let (quantity, price) = text.split_once('@').expect("quantity@price");
            (Part(number(quantity)), number(price))
        };
        let (bid, ask) = word.split_once('/').expect("bid/ask");
        let ((bid_quantity, bid), (ask_quantity, ask)) = (side(bid), side(ask));
        *quote = Quote {
            instrument: InstrumentId(1),
            bid,
            bid_quantity,
            ask,
            ask_quantity,
        };
    }
    quotes
}

fn limits(words: &[&str]) -> QuoteLimits {
    let mut limits = QuoteLimits::default();
    for pair in words.chunks_exact(2) {
        let value: u32 = pair[1].parse().expect("a number");
        match pair[0] {
            "window" => limits.window = value,
            "quantity" => limits.quantity = Part(value),
            "count" => limits.count = value,
            "delta" => limits.delta = Part(value),
            other => panic!("not a limit: {other}"),
        }
    }
    limits
}

fn fees(words: &[&str]) -> Fees {
    let mut fees = Fees::default();
    for pair in words.chunks_exact(2) {
        let value: i64 = pair[1].parse().expect("a number");
        match pair[0] {
            "maker" => fees.maker_unit = Money(value),
            "taker" => fees.taker_unit = Money(value),
            "cross" => fees.cross_unit = Money(value),
            "maker-rate" => fees.maker_rate = Rate(value),
            "taker-rate" => fees.taker_rate = Rate(value),
            "cross-rate" => fees.cross_rate = Rate(value),
            other => panic!("not a fee: {other}"),
        }
    }
    fees
}

fn allocation(words: &[&str]) -> Allocation {
    let mut allocation = Allocation {
        rule: *AllocationRule::ALL
            .iter()
            .find(|rule| format!("{rule:?}") == words[0])
            .expect("a rule"),
        ..Allocation::default()
    };
    for pair in words[1..].chunks_exact(2) {
        let value: u32 = pair[1].parse().expect("a number");
        match pair[0] {
            "minimum" => allocation.minimum = Part(value),
            "top" => allocation.top_max = Part(value),
            "fifo" => allocation.fifo_percent = value as u8,
            other => panic!("no part of an allocation: {other}"),
        }
    }
    allocation
}

/// The times are those of the Plan to Address Extraordinary Market Volatility.
fn bands(words: &[&str]) -> Bands {
    let mut bands = Bands {
        window: 300_000,
        limit_state: 15_000,
        pause: 300_000,
        ..Bands::default()
    };
    for pair in words.chunks_exact(2) {
        let value: u32 = pair[1].parse().expect("a number");
        match pair[0] {
            "reference" => bands.reference = Price(i64::from(value)),
            "collar" => bands.collar = value,
            "interruption" => bands.interruption = value,
            "limit" => bands.limit = value,
            "window" => bands.window = value,
            "limit-state" => bands.limit_state = value,
            "pause" => bands.pause = value,
            other => panic!("not a bound: {other}"),
        }
    }
    bands
}

/// `0:5 100:10`: from which price on which tick.
fn ticks(words: &[&str]) -> TickTable {
    let mut table = TickTable::default();
    for (row, word) in table.0.iter_mut().zip(words) {
        let (from, tick) = word.split_once(':').expect("from:tick");
        *row = TickRow {
            from: from.parse().expect("a price"),
            tick: tick.parse().expect("a tick"),
        };
    }
    table
}

/// The words of a line that may stand anywhere in it.
#[derive(Clone, Copy, Debug)]
struct Words {
    user_ref: UserRef,
    by: UserRef,
    to: Quantity,
    account: AccountId,
    instrument: InstrumentId,
    kind: OrderKind,
    tif: TimeInForce,
    short: ShortSale,
    remark: bool,
    price: Price,
    policy: Policy,
    inbound: MsgSeqNum,
    client_id: Text,
    firm: FirmId,
    instructions: Instructions,
}

impl Words {
    fn of(words: &[&str], number: &dyn Fn(&str) -> u32) -> Self {
        let mut found = Self {
            user_ref: UserRef(0),
            by: UserRef(0),
            to: Quantity(0),
            account: AccountId(0),
            instrument: InstrumentId(1),
            kind: OrderKind::Limit,
            tif: TimeInForce::Day,
            short: ShortSale::None,
            remark: false,
            price: Price(0),
            policy: Policy::NONE,
            inbound: MsgSeqNum(0),
            client_id: Text::EMPTY,
            firm: FirmId(0),
            instructions: Instructions::NONE,
        };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let mut next = || words.next().expect("a word behind it");
            let policy = |bit| found.policy.with(bit);
            let asked = found.instructions;
            let handling = |bit| asked.handling.with(bit);
            match word {
                "firm" => found.firm = FirmId(number(next())),
                "at-open" => found.instructions.auction = AuctionOnly::Opening,
                "at-close" => found.instructions.auction = AuctionOnly::Closing,
                "group" => found.instructions.group = number(next()) as u16,
                "display" => found.instructions.display = Part(next().parse().expect("a quantity")),
                "minimum" => found.instructions.minimum = Part(next().parse().expect("a quantity")),
                "stop" => found.instructions.trigger = Price(next().parse().expect("a price")),
                "until" => found.instructions.expires = Timestamp(u64::from(number(next())) * 1_000),
                "post-only" => found.instructions.handling = handling(Handling::POST_ONLY),
                "slide" => found.instructions.handling = handling(Handling::SLIDE),
                "hidden" => found.instructions.handling = handling(Handling::HIDDEN),
                "primary-peg" => found.instructions.handling = handling(Handling::PEG_PRIMARY),
                "midpoint-peg" => found.instructions.handling = handling(Handling::PEG_MIDPOINT),
                "discretion" => found.instructions.handling = handling(Handling::DISCRETION),
                "trailing" => found.instructions.handling = handling(Handling::TRAILING),
                "by" => found.by = UserRef(number(next())),
                "to" => found.to = Quantity(next().parse().expect("a quantity")),
                "account" => found.account = AccountId(number(next())),
                "on" => found.instrument = InstrumentId(number(next()) as u16),
                "in" => found.inbound = MsgSeqNum(number(next())),
                "id" => found.client_id = Text::new(next().as_bytes()).expect("a short id"),
                "market" => found.kind = OrderKind::Market,
                "gtc" => found.tif = TimeInForce::GoodTillCancel,
                "ioc" => found.tif = TimeInForce::ImmediateOrCancel,
                "fok" => found.tif = TimeInForce::FillOrKill,
                "mark" => found.remark = true,
                "plain" => found.short = ShortSale::None,
                "short" => found.short = ShortSale::Short,
                "exempt" => found.short = ShortSale::Exempt,
                "keep" => found.policy = policy(Policy::KEEP_PRIORITY_ON_REDUCE),
                "cancels" => found.policy = policy(Policy::INVALID_REPLACE_CANCELS),
                "silent" => found.policy = policy(Policy::DEAD_ORDER_SILENT),
                "counts" => found.policy = policy(Policy::QUANTITY_COUNTS_EXECUTED),
                "cod" => found.policy = policy(Policy::CANCEL_ON_DISCONNECT),
                "attributed" => found.policy = policy(Policy::ATTRIBUTED),
                _ if word.starts_with('#') => found.user_ref = UserRef(number(word)),
                _ if word.starts_with('@') => found.price = Price(word[1..].parse().expect("a price")),
                _ => {}
            }
        }
        found
    }
}

/// The commands that make the world.
pub(crate) fn world_commands() -> Vec<Command> {
    let mut commands: Vec<Command> = vec![
        Release {
            venue: VenueId(1),
            release: ReleaseNumber(1),
        }
        .into(),
    ];
    for (firm, mpid) in [(1, "ONE"), (2, "TWO")] {
        let mpid = Mpid::new(mpid).expect("short");
        commands.push(
            DefineFirm {
                firm: FirmId(firm),
                mpid,
                name: Text::EMPTY,
            }
            .into(),
        );
    }
    for (id, firm) in [(1, 1), (2, 1), (3, 2)] {
        let (account, firm) = (AccountId(id), FirmId(firm));
        commands.push(DefineAccount { account, firm }.into());
        commands.push(
            DefineSession {
                session: SessionId(id),
                firm,
                account,
                door: Door::Fix,
                name: Text::EMPTY,
            }
            .into(),
        );
    }
    commands.push(xyz().into());
    commands.push(
        StartOfDay {
            day: TradingDay(1),
            midnight: Timestamp(0),
        }
        .into(),
    );
    for id in 1..=3 {
        let (session, incarnation) = (SessionId(id), Incarnation(1));
        commands.push(
            SessionUp {
                session,
                incarnation,
                inbound: MsgSeqNum(0),
                reset: false,
            }
            .into(),
        );
    }
    commands
}

/// The instrument of the world.
pub(crate) fn xyz() -> DefineInstrument {
    DefineInstrument {
        instrument: InstrumentId(1),
        symbol: Symbol::new("XYZ").expect("short"),
        scale: PriceScale::DEFAULT,
        tick: Price(5),
        price_max: Price(1_000),
        lot: Quantity(10),
        quantity_max: Quantity(1_000),
    }
}
