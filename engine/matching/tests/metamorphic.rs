//! Flows that are changed in a way that must change the events in the same way, and in no other: sides mirrored, prices
//! shifted, members renamed, a session split in two.

mod support;

use rialto_matching::{Engine, Limits};
use rialto_model::command::*;
use rialto_model::*;
use support::Random;

/// Ticks of one; orders between 30 and 70.
const PRICE_MAX: i64 = 1_000;
const MIDDLE: i64 = 50;
const COMMANDS: u64 = 20_000;

/// A change of sides, prices and members.
#[derive(Clone, Copy)]
struct Change {
    side: fn(Side) -> Side,
    price: fn(Price) -> Price,
    member: fn(u32) -> u32,
}

const NOTHING: Change = Change {
    side: |side| side,
    price: |price| price,
    member: |member| member,
};

impl Change {
    fn price(&self, price: &mut Price) {
        if price.0 != 0 {
            *price = (self.price)(*price);
        }
    }

    fn command(&self, mut command: Command) -> Command {
        match &mut command {
            Command::EnterSpecial(c) => {
                c.side = (self.side)(c.side);
                self.price(&mut c.price);
                self.price(&mut c.instructions.trigger);
                c.session = SessionId((self.member)(c.session.0));
            }
            Command::ReplaceSpecial(c) => {
                self.price(&mut c.price);
                self.price(&mut c.instructions.trigger);
                c.session = SessionId((self.member)(c.session.0));
            }
            Command::Cancel(c) => c.session = SessionId((self.member)(c.session.0)),
            Command::Reduce(c) => c.session = SessionId((self.member)(c.session.0)),
            _ => {}
        }
        command
    }

    fn member(&self, session: &mut SessionId, firm: &mut FirmId, account: &mut AccountId) {
        *session = SessionId((self.member)(session.0));
        *firm = FirmId((self.member)(firm.0));
        *account = AccountId((self.member)(account.0));
    }

    fn event(&self, mut event: Event) -> Event {
        match &mut event {
            Event::Accepted(e) => {
                e.side = (self.side)(e.side);
                self.price(&mut e.price);
                self.member(&mut e.session, &mut e.firm, &mut e.account);
            }
            Event::Replaced(e) => {
                e.side = (self.side)(e.side);
                self.price(&mut e.price);
                self.member(&mut e.session, &mut e.firm, &mut e.account);
            }
            Event::Booked(e) => {
                e.side = (self.side)(e.side);
                self.price(&mut e.price);
            }
            Event::Reduced(e) => {
                e.side = (self.side)(e.side);
                e.session = SessionId((self.member)(e.session.0));
            }
            Event::Cancelled(e) => {
                e.side = (self.side)(e.side);
                e.session = SessionId((self.member)(e.session.0));
            }
            Event::Executed(e) => {
                e.aggressor = (self.side)(e.aggressor);
                self.price(&mut e.price);
                self.member(&mut e.maker_session, &mut e.maker_firm, &mut e.maker_account);
                self.member(&mut e.taker_session, &mut e.taker_firm, &mut e.taker_account);
            }
            Event::Rejected(e) => {
                e.side = (self.side)(e.side);
                self.price(&mut e.price);
                e.session = SessionId((self.member)(e.session.0));
            }
            Event::ChangeRejected(e) => e.session = SessionId((self.member)(e.session.0)),
            Event::Ignored(e) => e.session = SessionId((self.member)(e.session.0)),
            Event::Instructed(e) => {
                self.price(&mut e.instructions.trigger);
                e.session = SessionId((self.member)(e.session.0));
            }
            Event::Triggered(e) => {
                e.side = (self.side)(e.side);
                self.price(&mut e.price);
                e.session = SessionId((self.member)(e.session.0));
            }
            _ => {}
        }
        event
    }
}

/// Members one to four are a firm, an account and a session of that number; five is a second session of the first.
fn setup(allocation: AllocationRule) -> Vec<Command> {
    let mut commands: Vec<Command> = vec![
        Release {
            venue: VenueId(1),
            release: ReleaseNumber(1),
        }
        .into(),
    ];
    for id in 1..=4 {
        let (firm, account) = (FirmId(id), AccountId(id));
        commands.push(
            DefineFirm {
                firm,
                ..DefineFirm::default()
            }
            .into(),
        );
        commands.push(DefineAccount { account, firm }.into());
    }
    for id in 1..=5 {
        let member = if id == 5 { 1 } else { id };
        commands.push(
            DefineSession {
                session: SessionId(id),
                firm: FirmId(member),
                account: AccountId(member),
                ..DefineSession::default()
            }
            .into(),
        );
    }
    let instrument = InstrumentId(1);
    commands.push(
        DefineInstrument {
            instrument,
            symbol: Symbol::new("M").expect("short"),
            scale: PriceScale::DEFAULT,
            tick: Price(1),
            price_max: Price(PRICE_MAX),
            lot: Quantity(1),
            quantity_max: Quantity(1_000),
        }
        .into(),
    );
    commands.push(
        SetRulebook {
            instrument,
            version: 1,
            rulebook: Rulebook {
                offers: Offers::ALL,
                lot: Quantity(1),
                quantity_max: Quantity(1_000),
                self_trade: SelfTrade::Decrement,
                ..Rulebook::default()
            },
        }
        .into(),
    );
    commands.push(
        SetAllocation {
            instrument,
            version: 2,
            allocation: Allocation {
                rule: allocation,
                ..Allocation::default()
            },
        }
        .into(),
    );
    commands.push(
        StartOfDay {
            day: TradingDay(1),
            midnight: Timestamp(0),
        }
        .into(),
    );
    for id in 1..=5 {
        commands.push(
            SessionUp {
                session: SessionId(id),
                incarnation: Incarnation(1),
                ..SessionUp::default()
            }
            .into(),
        );
    }
    commands
}

/// Orders of many kinds, and changes of some of the last ones, which their order ids name.
fn flow(seed: u64, first: u64) -> Vec<Command> {
    let mut random = Random(seed);
    let mut user_refs = [0; 5];
    let mut commands: Vec<Command> = Vec::new();
    for at in 0..COMMANDS {
        let member = 1 + random.below(4) as u32;
        let session = SessionId(member);
        let price = Price(MIDDLE + random.below(21) as i64 - 10);
        let quantity = Quantity(1 + random.below(20));
        let target = Target::OrderId(OrderId(first + at.saturating_sub(1 + random.below(40))));
        let user_ref = &mut user_refs[member as usize];
        let mut instructions = Instructions::NONE;
        let mut tif = TimeInForce::Day;
        match random.below(9) {
            0 => instructions.handling = Handling::POST_ONLY,
            1 => instructions.handling = Handling::POST_ONLY.with(Handling::SLIDE),
            2 => instructions.handling = Handling::HIDDEN,
            3 => instructions.display = Part(1 + random.below(quantity.0) as u32),
            4 => instructions.minimum = Part(1 + random.below(quantity.0) as u32),
            5 => instructions.trigger = Price(MIDDLE + random.below(21) as i64 - 10),
            6 => tif = *random.pick(&[TimeInForce::ImmediateOrCancel, TimeInForce::FillOrKill]),
            _ => {}
        }
        commands.push(match random.below(10) {
            0 => Cancel {
                session,
                incarnation: Incarnation(1),
                target,
                ..Cancel::default()
            }
            .into(),
            1 => Reduce {
                session,
                incarnation: Incarnation(1),
                target,
                quantity,
                ..Reduce::default()
            }
            .into(),
            2 => {
                *user_ref += 1;
                ReplaceSpecial {
                    session,
                    incarnation: Incarnation(1),
                    target,
                    user_ref: UserRef(*user_ref),
                    tif,
                    policy: Policy::KEEP_PRIORITY_ON_REDUCE,
                    price,
                    quantity,
                    instructions,
                    ..ReplaceSpecial::default()
                }
                .into()
            }
            _ => {
                *user_ref += 1;
                EnterSpecial {
                    session,
                    incarnation: Incarnation(1),
                    user_ref: UserRef(*user_ref),
                    instrument: InstrumentId(1),
                    side: *random.pick(&[Side::Buy, Side::Sell]),
                    tif,
                    price,
                    quantity,
                    instructions,
                    ..EnterSpecial::default()
                }
                .into()
            }
        });
    }
    commands
}

/// Plays two flows side by side; what `left` says of the first has to be what `right` says of the other.
fn compare(
    rule: AllocationRule,
    seed: u64,
    other: impl Fn(u64, Command) -> Command,
    left: impl Fn(Event) -> Event,
    right: impl Fn(Event) -> Event,
) {
    let (mut one, mut two) = (Engine::new(Limits::default()), Engine::new(Limits::default()));
    let setup = setup(rule);
    let first = setup.len() as u64 + 1;
    let mut seq = 0;
    for command in setup {
        seq += 1;
        let command = support::sequenced(seq, command);
        support::apply(&mut one, &command);
        support::apply(&mut two, &command);
    }
    let mut trades = 0;
    for (at, command) in (0..).zip(flow(seed, first)) {
        seq += 1;
        let events = support::apply(&mut one, &support::sequenced(seq, command));
        let others = support::apply(&mut two, &support::sequenced(seq, other(at, command)));
        trades += events
            .iter()
            .filter(|event| matches!(event, Event::Executed(_)))
            .count();
        let said: Vec<Event> = events.into_iter().map(&left).collect();
        let wanted: Vec<Event> = others.into_iter().map(&right).collect();
        assert_eq!(said, wanted, "{rule:?}, seed {seed}, command {at}: {command:?}");
    }
    assert!(trades > 3_000, "only {trades} trades");
}

fn holds(change: Change) {
    for (seed, rule) in (1..).zip(AllocationRule::ALL) {
        compare(
            *rule,
            seed,
            |_, command| change.command(command),
            |event| change.event(event),
            |event| event,
        );
    }
}

#[test]
fn mirrored_sides_trade_the_same() {
    holds(Change {
        side: Side::opposite,
        price: |price| Price(2 * MIDDLE - price.0),
        ..NOTHING
    });
}

#[test]
fn shifted_prices_trade_the_same() {
    holds(Change {
        price: |price| Price(price.0 + 437),
        ..NOTHING
    });
}

#[test]
fn renamed_members_trade_the_same() {
    holds(Change {
        member: |member| [0, 3, 1, 4, 2][member as usize],
        ..NOTHING
    });
}

#[test]
fn a_session_split_in_two_trades_the_same() {
    /// Without the session and its references, which are others.
    fn unnamed(mut event: Event) -> Event {
        let (none, nobody) = (UserRef(0), SessionId(0));
        match &mut event {
            Event::Accepted(e) => (e.session, e.user_ref) = (nobody, none),
            Event::Replaced(e) => (e.session, e.user_ref, e.old_user_ref) = (nobody, none, none),
            Event::Reduced(e) => (e.session, e.user_ref, e.incarnation) = (nobody, none, Incarnation(0)),
            Event::Cancelled(e) => (e.session, e.user_ref, e.incarnation) = (nobody, none, Incarnation(0)),
            Event::Executed(e) => {
                (e.maker_session, e.maker_user_ref) = (nobody, none);
                (e.taker_session, e.taker_user_ref) = (nobody, none);
            }
            Event::Rejected(e) => (e.session, e.user_ref) = (nobody, none),
            Event::ChangeRejected(e) => (e.session, e.user_ref) = (nobody, none),
            Event::Ignored(e) => e.session = nobody,
            Event::Instructed(e) => (e.session, e.user_ref) = (nobody, none),
            Event::Triggered(e) => (e.session, e.user_ref) = (nobody, none),
            _ => {}
        }
        event
    }
    // Every other command of the first session comes by the fifth.
    let split = |at: u64, mut command: Command| {
        let session = match &mut command {
            Command::EnterSpecial(c) => &mut c.session,
            Command::ReplaceSpecial(c) => &mut c.session,
            Command::Cancel(c) => &mut c.session,
            Command::Reduce(c) => &mut c.session,
            _ => return command,
        };
        if session.0 == 1 && at.is_multiple_of(2) {
            session.0 = 5;
        }
        command
    };
    for (seed, rule) in (5..).zip(AllocationRule::ALL) {
        compare(*rule, seed, split, unnamed, unnamed);
    }
}
