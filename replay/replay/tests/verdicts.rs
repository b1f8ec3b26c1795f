//! Every verdict again: orders of three firms while limits, budgets, kill switches and collars change, and while doors refuse
//! what is over a rate. What the journal gives is, event by event, what was said live, and no kind of verdict is missing.

mod venue;

use rialto_journal::{Durability, MemDisk, Reader};
use rialto_matching::{Engine, Limits, Matching as _};
use rialto_model::command::*;
use rialto_model::*;
use rialto_replay::replay;
use rialto_ring::Layout;
use std::collections::BTreeMap;
use venue::{SMALL, Sizes, Venue, opening};

const SEED: u64 = 11;
const COMMANDS: u32 = 60_000;
const FIRMS: u32 = 3;
/// So many commands come at one moment.
const MOMENT: usize = 16;

/// What has to be there, each at least once.
const VERDICTS: [&str; 26] = [
    "Accepted",
    "Executed",
    "Replaced",
    "Rejected RiskOrderQuantity",
    "Rejected RiskOrderNotional",
    "Rejected RiskCollar",
    "Rejected RiskOpenOrders",
    "Rejected RiskPosition",
    "Rejected RiskCredit",
    "Rejected RiskDuplicate",
    "Rejected RiskUnpriced",
    "Rejected FirmKilled",
    "Rejected OverRate",
    "Rejected FirmOverRate",
    "ChangeRejected RiskOrderQuantity",
    "ChangeRejected RiskOrderNotional",
    "ChangeRejected RiskCollar",
    "ChangeRejected RiskPosition",
    "ChangeRejected RiskCredit",
    "CommandRejected BudgetsUnsound",
    "Cancelled FirmKilled",
    "KillSwitchSet",
    "RiskLimitsSet",
    "BudgetsSet",
    "Reduced",
    "Cancelled Unfilled",
];

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}

/// Three firms with a session each, which is up.
fn prelude() -> Vec<Command> {
    let mut commands = opening();
    for number in 2..=FIRMS {
        let (firm, account, session) = (FirmId(number), AccountId(number), SessionId(number));
        let mpid = Mpid::new(&format!("F{number}")).expect("short");
        let name = Text::EMPTY;
        commands.push(DefineFirm { firm, mpid, name }.into());
        commands.push(DefineAccount { account, firm }.into());
        commands.push(
            DefineSession {
                session,
                firm,
                account,
                door: Door::Ouch,
                name,
            }
            .into(),
        );
        commands.push(
            SessionUp {
                session,
                incarnation: Incarnation(1),
                ..Default::default()
            }
            .into(),
        );
    }
    commands
}

/// The sessions' next references, and what was entered last.
struct Members {
    random: Random,
    next: [u32; FIRMS as usize],
    last: Option<Enter>,
}

impl Members {
    fn reference(&mut self, session: SessionId) -> UserRef {
        let next = &mut self.next[session.0 as usize - 1];
        *next += 1;
        UserRef(*next)
    }

    fn command(&mut self) -> Command {
        let number = 1 + self.random.below(u64::from(FIRMS)) as u32;
        let (firm, session) = (FirmId(number), SessionId(number));
        match self.random.below(100) {
            0..=3 => SetRiskLimits {
                firm,
                account: AccountId(if self.random.one_in(3) { number } else { 0 }),
                limits: self.limits(),
            }
            .into(),
            4 => SetBudgets {
                firm,
                budgets: Budgets {
                    orders_per_second: self.random.below(100) as u32,
                    orders_burst: self.random.below(20) as u32,
                    weight: self.random.below(20) as u8,
                    ..Budgets::default()
                },
            }
            .into(),
            // On again more often than off.
            5 => SetKillSwitch {
                firm,
                killed: self.random.one_in(4),
            }
            .into(),
            6 => self.refuse(session).into(),
            7..=16 => Reduce {
                session,
                incarnation: Incarnation(1),
                target: self.target(session),
                quantity: Quantity(self.random.below(100)),
                ..Reduce::default()
            }
            .into(),
            17..=30 => Replace {
                session,
                incarnation: Incarnation(1),
                target: self.target(session),
                user_ref: self.reference(session),
                kind: OrderKind::Limit,
                price: self.price(),
                quantity: self.quantity(),
                policy: if self.random.one_in(2) {
                    Policy::INVALID_REPLACE_CANCELS
                } else {
                    Policy::NONE
                },
                ..Replace::default()
            }
            .into(),
            31..=34 => match self.last {
                Some(last) => Enter {
                    user_ref: self.reference(last.session),
                    ..last
                }
                .into(),
                None => Tick {}.into(),
            },
            _ => {
                let market = self.random.one_in(20);
                let order = Enter {
                    session,
                    incarnation: Incarnation(1),
                    user_ref: self.reference(session),
                    instrument: InstrumentId(1),
                    side: if self.random.one_in(2) { Side::Buy } else { Side::Sell },
                    kind: if market { OrderKind::Market } else { OrderKind::Limit },
                    tif: if market || self.random.one_in(5) {
                        TimeInForce::ImmediateOrCancel
                    } else {
                        TimeInForce::Day
                    },
                    price: if market { Price(0) } else { self.price() },
                    quantity: self.quantity(),
                    ..Enter::default()
                };
                self.last = Some(order);
                order.into()
            }
        }
    }

    /// What a door says of a run of messages over a rate.
    fn refuse(&mut self, session: SessionId) -> Refuse {
        let run = 1 + self.random.below(64) as u32;
        let next = &mut self.next[session.0 as usize - 1];
        *next += run;
        let user_ref = UserRef(*next);
        Refuse {
            session,
            incarnation: Incarnation(1),
            user_ref,
            quantity: Quantity(u64::from(run)),
            reason: if self.random.one_in(2) {
                RejectReason::OverRate
            } else {
                RejectReason::FirmOverRate
            },
            ..Refuse::default()
        }
    }

    /// One of the session's last references.
    fn target(&mut self, session: SessionId) -> Target {
        let next = self.next[session.0 as usize - 1];
        Target::UserRef(UserRef(next.saturating_sub(self.random.below(12) as u32)))
    }

    fn price(&mut self) -> Price {
        let far = if self.random.one_in(8) { 400 } else { 12 };
        Price(1_000 - far + self.random.below(2 * far as u64) as i64)
    }

    fn quantity(&mut self) -> Quantity {
        let most = if self.random.one_in(10) { 2_000 } else { 100 };
        Quantity(1 + self.random.below(most))
    }

    /// One limit, so that it is the one that is met; now and then none.
    fn limits(&mut self) -> RiskLimits {
        let mut limits = RiskLimits::default();
        match self.random.below(9) {
            0 => limits.order_quantity = Quantity(50),
            1 => limits.order_notional = Notional(60_000),
            2 => limits.collar = 100,
            3 => limits.open_orders = 1 + self.random.below(6) as u32,
            4 => limits.position = Quantity(200),
            5 => limits.long_only = true,
            6 => limits.credit = Notional(150_000),
            7 => limits.duplicate_window = 50,
            _ => {}
        }
        limits
    }
}

/// What an event says of a wish.
fn verdict(event: &Event) -> String {
    let name = format!("{event:?}");
    let name = name.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
    match event {
        Event::Rejected(e) => format!("{name} {:?}", e.reason),
        Event::ChangeRejected(e) => format!("{name} {:?}", e.reason),
        Event::CommandRejected(e) => format!("{name} {:?}", e.reason),
        Event::Cancelled(e) => format!("{name} {:?}", e.reason),
        _ => name,
    }
}

#[test]
fn replay_gives_every_verdict_again() {
    println!("seed {SEED}, {COMMANDS} commands");
    let disk = MemDisk::new();
    let sizes = Sizes {
        batch: 64,
        segment_bytes: 1 << 20,
        block_bytes: 1 << 14,
        events: 4_096,
        ..SMALL
    };
    let mut venue = Venue::sized(&disk, Durability::Disk, &sizes).expect("an empty disk");
    let mut members = Members {
        random: Random(SEED),
        next: [0; FIRMS as usize],
        last: None,
    };
    let mut commands = prelude();
    commands.extend((0..COMMANDS).map(|_| members.command()));
    for (moment, commands) in (1..).zip(commands.chunks(MOMENT)) {
        venue.at(Timestamp(1_000_000_000 + moment * 10_000_000));
        for command in commands {
            while !venue.offer(*command) {
                venue.poll();
            }
        }
        while venue.poll() > 0 {}
        assert_eq!(venue.failure(), None);
    }
    let live = venue.close().expect("room");

    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for output in &live.outputs {
        *counts.entry(verdict(&output.event.body)).or_default() += 1;
    }
    counts
        .iter()
        .for_each(|(verdict, count)| println!("{count:>7} {verdict}"));
    let missing: Vec<_> = VERDICTS
        .iter()
        .filter(|verdict| !counts.contains_key(**verdict))
        .collect();
    assert!(missing.is_empty(), "never said: {missing:?}");

    // Event by event, as who starts again has them from the journal.
    let again = Venue::sized(&disk, Durability::Disk, &sizes).expect("sound").released();
    assert_eq!(again.len(), live.outputs.len());
    for (again, live) in again.iter().zip(&live.outputs) {
        assert_eq!(again.event, live.event);
    }
    let hashes = [live.state_hash.to_string(), live.event_hash.to_string()];
    for layout in [Layout::One, Layout::PerCore] {
        let source = Reader::open(&disk).expect("a journal");
        let replayed = replay(Engine::new(Limits::default()), source, layout).expect("sound");
        let engine = Engine::import(&replayed.state).expect("its own state");
        let again = [engine.state_hash().to_string(), replayed.hashes.total().to_string()];
        assert_eq!(again, hashes, "{layout:?}");
    }
}
