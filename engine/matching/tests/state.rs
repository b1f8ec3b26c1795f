//! The canonical state: its bytes, its hash, what an import refuses, and that an engine goes on from it.

mod support;

use rialto_matching::members::{Gauge, Placed};
use rialto_matching::state::{Aside, InstrumentState, OrderState, Rules, Tally};
use rialto_matching::{Engine, EngineState, EventHasher, ImportError, Limits, Matching, StateBytesError, reference};
use rialto_model::codec::DecodeError;
use rialto_model::command::SetUser;
use rialto_model::*;
use support::Random;
use support::flow::Flow;

/// An engine in the middle of a busy day, and the flow that made it so; under rulebooks for even seeds.
fn busy(seed: u64, commands: usize) -> (Engine, Flow) {
    let mut flow = if seed.is_multiple_of(2) {
        Flow::ruled(seed)
    } else {
        Flow::new(seed)
    };
    flow.limited = flow.ruled;
    let mut engine = Engine::new(Limits {
        live_orders_max: 200,
        orders_reserved: 0,
    });
    for _ in 0..commands {
        let command = flow.next();
        for event in support::apply(&mut engine, &command) {
            flow.learn(&event);
        }
    }
    (engine, flow)
}

/// A state with orders on both sides of a book of an open day.
fn state() -> EngineState {
    let busy_both_sides = |state: &EngineState| {
        let listed = &state.instruments[0];
        state.day_open && listed.bids.len() > 2 && listed.asks.len() > 2
    };
    let mut states = (1..100).step_by(2).map(|seed| busy(seed, 5_000).0.export());
    states.find(busy_both_sides).expect("some seed gives such a state")
}

/// A state with orders of every kind: hidden, icebergs, and some that stand aside.
fn ruled_state() -> EngineState {
    let has_all = |state: &EngineState| state.day_open && state.instruments.iter().any(has_every_kind);
    let mut states = (2..400).step_by(2).map(|seed| busy(seed, 3_000).0.export());
    states.find(has_all).expect("some seed gives such a state")
}

#[test]
fn bytes_hold_everything_and_nothing_else() {
    let ruled = ruled_state();
    assert_eq!(EngineState::decode(&ruled.encode()).as_ref(), Ok(&ruled));
    let state = state();
    let bytes = state.encode();
    assert_eq!(EngineState::decode(&bytes).as_ref(), Ok(&state));
    for len in 0..bytes.len() {
        let cut = EngineState::decode(&bytes[..len]);
        assert!(cut.is_err(), "cut at {len} of {}", bytes.len());
    }
    let mut fewer = state.clone();
    fewer.instruments[0].bids.pop();
    assert_eq!(bytes.len() - fewer.encode().len(), 58, "bytes of an order");
    let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
    assert_eq!(
        EngineState::decode(&longer),
        Err(StateBytesError::Field(DecodeError::Trailing { extra: 1 }))
    );
    assert_eq!(
        EngineState::decode(b"RIALTOJX and more"),
        Err(StateBytesError::NotAState)
    );
    let mut newer = bytes.clone();
    newer[8] = 99;
    assert_eq!(
        EngineState::decode(&newer),
        Err(StateBytesError::UnknownVersion { version: 99 })
    );
}

#[test]
fn every_changed_bit_changes_the_hash_or_is_refused_and_none_panics() {
    for state in [state(), ruled_state()] {
        damage_bits(&state);
    }
}

fn damage_bits(state: &EngineState) {
    let mut random = Random(3);
    let (bytes, hash) = (state.encode(), state.state_hash());
    for _ in 0..20_000 {
        let mut damaged = bytes.clone();
        for _ in 0..=random.below(2) {
            let at = random.below(bytes.len() as u64) as usize;
            damaged[at] ^= 1 << random.below(8);
        }
        if damaged == bytes {
            continue;
        }
        if let Ok(other) = EngineState::decode(&damaged) {
            // A short text has spare bytes that are no part of it; everything else is.
            assert!(other == *state || other.state_hash() != hash);
            // The naive engine tries every tick of an auction: of some that is more than there is room for.
            let tries_all = |listed: &InstrumentState| {
                listed.phase.is_call() && listed.definition.price_max.0 / listed.definition.tick.0 > 1_000_000
            };
            if other.instruments.iter().any(tries_all) {
                continue;
            }
            if let Ok(mut engine) = Engine::import(&other) {
                let mut naive = reference::Engine::import(&other).expect("both or none");
                let command = support::sequenced(other.last_seq.0.saturating_add(1), command::EndOfDay {}.into());
                if command.seq > other.last_seq {
                    assert_eq!(
                        support::apply(&mut engine, &command),
                        support::apply(&mut naive, &command)
                    );
                }
            }
        }
    }
}

#[test]
fn the_bytes_and_hash_of_a_new_venue_are_fixed() {
    let state = Engine::new(Limits::default()).export();
    let mut bytes = Vec::from(*b"RIALTOES\x07\x00");
    bytes.extend([0; 4 + 4 + 8 + 8]);
    bytes.extend([0, 0, 0, 1]);
    bytes.extend([0; 4 + 8 + 1 + 1 + 13 * 4]);
    assert_eq!(state.encode(), bytes);
    assert_eq!(state, reference::Engine::new(Limits::default()).export());
    assert_eq!(state.state_hash().to_string(), GOLDEN_NEW);
}

#[test]
fn the_hashes_of_a_seeded_day_are_fixed() {
    let mut flow = Flow::new(2);
    let mut engine = Engine::new(Limits::default());
    let mut hasher = EventHasher::default();
    for _ in 0..20_000 {
        let command = flow.next();
        for event in support::apply(&mut engine, &command) {
            flow.learn(&event);
            let Sequenced { seq, stamp, epoch, .. } = command;
            hasher.update(&Sequenced {
                seq,
                stamp,
                epoch,
                body: event,
            });
        }
    }
    let hashes = [
        engine.state_hash().to_string(),
        hasher.total().to_string(),
        hasher.instrument(InstrumentId(2)).to_string(),
    ];
    assert_eq!(hashes, GOLDEN_DAY);
}

const GOLDEN_NEW: &str = "ab0717a5bdd29d1b";
const GOLDEN_DAY: [&str; 3] = ["71feef6cbd593d41", "b47a5242c76790de", "47f88cbf040f6909"];

#[test]
fn event_hashes_are_kept_per_listed_instrument() {
    let at = |seq, body: Event| Sequenced {
        seq: SequenceNumber(seq),
        stamp: Timestamp(seq),
        epoch: Epoch(9),
        body,
    };
    let listed = |id| {
        event::InstrumentListed {
            instrument: InstrumentId(id),
            ..Default::default()
        }
        .into()
    };
    let rejected = |id| {
        event::Rejected {
            instrument: InstrumentId(id),
            ..Default::default()
        }
        .into()
    };
    let stream = [
        at(1, listed(1)),
        at(2, listed(2)),
        at(3, event::Ticked {}.into()),
        at(4, rejected(2)),
        at(5, rejected(0)),
        at(6, rejected(65_535)),
    ];
    let mut hasher = EventHasher::default();
    let mut expected = [EventHash::default(); 3];
    for event in &stream {
        hasher.update(event);
        expected[0].update(event);
        if let Some(InstrumentId(id @ 1..=2)) = event.body.instrument() {
            expected[usize::from(id)].update(event);
        }
    }
    assert_eq!(hasher.total(), expected[0]);
    let each: Vec<_> = hasher.instruments().collect();
    assert_eq!(each, [(InstrumentId(1), expected[1]), (InstrumentId(2), expected[2])]);
    for id in [0, 3, 65_535] {
        assert_eq!(hasher.instrument(InstrumentId(id)), EventHash::default(), "{id}");
    }
}

/// A change to a sound state, and what the import says of it.
type Damage = (&'static str, fn(&mut EngineState));

fn gauge(firm: u32, account: u32) -> Gauge {
    Gauge {
        firm: FirmId(firm),
        account: AccountId(account),
        limits: RiskLimits {
            open_orders: 1,
            ..RiskLimits::default()
        },
        ..Gauge::default()
    }
}

#[test]
fn an_import_refuses_every_contradiction() {
    fn bid(state: &mut EngineState) -> &mut OrderState {
        &mut state.instruments[0].bids[1]
    }
    let table: &[Damage] = &[
        ("release is newer", |s| s.release = ReleaseNumber(2)),
        ("more than LIVE_ORDERS_MAX", |s| {
            s.live_orders_max = limits::LIVE_ORDERS_MAX + 1
        }),
        ("more orders than it allows", |s| s.live_orders_max = 3),
        ("sequence number is out of range", |s| {
            s.last_seq = SequenceNumber(u64::MAX)
        }),
        ("none was started", |s| s.day = TradingDay(0)),
        ("firm 0: its id is out of range", |s| {
            s.firms[0].definition.firm = FirmId(0)
        }),
        ("stands out of order", |s| s.firms.swap(0, 1)),
        ("account 1048576: its id", |s| {
            s.accounts.last_mut().expect("one").account = AccountId(1_048_576)
        }),
        ("stands out of order", |s| s.accounts.swap(0, 1)),
        ("its firm is not defined", |s| s.accounts[0].firm = FirmId(77)),
        ("session 0: its id", |s| s.sessions[0].definition.session = SessionId(0)),
        ("stands out of order", |s| s.sessions.swap(0, 1)),
        ("its account is not its firm's", |s| {
            s.sessions[0].definition.account = AccountId(4)
        }),
        ("up without an incarnation", |s| {
            s.sessions[0].up = true;
            s.sessions[0].incarnation = Incarnation(0);
        }),
        ("its limits of members", |s| {
            s.members.gauges = vec![gauge(1, 2), gauge(1, 1)];
        }),
        ("its limits of members", |s| s.members.gauges = vec![gauge(1, 4)]),
        ("its limits of members", |s| s.members.gauges = vec![gauge(9, 0)]),
        ("its limits of members", |s| {
            s.members.gauges = vec![Gauge {
                limits: RiskLimits::default(),
                ..gauge(1, 0)
            }];
        }),
        ("its limits of members", |s| {
            s.members.gauges = vec![Gauge {
                paid: i128::MIN,
                ..gauge(1, 0)
            }];
        }),
        ("its limits of members", |s| {
            s.members.gauges = vec![Gauge {
                positions: vec![(InstrumentId(1), 0)],
                ..gauge(1, 0)
            }];
        }),
        ("its limits of members", |s| {
            s.members.gauges = vec![Gauge {
                positions: vec![(InstrumentId(99), 1)],
                ..gauge(1, 0)
            }];
        }),
        ("its fee tiers", |s| s.members.tiers = vec![(FirmId(1), FeeTier::WHOLE)]),
        ("its fee tiers", |s| {
            s.members.tiers = vec![(FirmId(9), FeeTier::default())]
        }),
        ("its directory", |s| {
            s.members.directory = 1;
            s.members.shards = vec![Placed {
                firm: FirmId(1),
                account: AccountId(4),
                shard: ShardId(1),
            }];
        }),
        ("its directory", |s| {
            s.members.shards = vec![Placed {
                firm: FirmId(1),
                account: AccountId(0),
                shard: ShardId(1),
            }];
        }),
        ("its users", |s| {
            s.members.users = vec![SetUser {
                user: UserId(1),
                firm: FirmId(9),
                ..SetUser::default()
            }]
        }),
        ("its budgets", |s| {
            s.members.budgets = vec![(FirmId(1), Budgets::default())]
        }),
        ("its services", |s| {
            s.members.services = vec![(FirmId(1), Service::Pool)]
        }),
        ("not dense", |s| s.instruments.swap(0, 1)),
        ("its symbol is another's", |s| {
            s.instruments[1].definition.symbol = s.instruments[0].definition.symbol
        }),
        ("contradict each other", |s| {
            s.instruments[0].definition.lot = Quantity(0)
        }),
        ("contradict each other", |s| s.instruments[0].definition.tick = Price(0)),
        ("counters are out of range", |s| s.instruments[0].trades = 1 << 48),
        ("its book is crossed", |s| {
            s.instruments[0].bids[0].price = s.instruments[0].asks[0].price
        }),
        ("its session is not defined", |s| bid(s).session = SessionId(9)),
        ("its id is no command's number", |s| bid(s).order_id = OrderId(0)),
        ("its id is no command's number", |s| {
            bid(s).order_id = OrderId(s.last_seq.0 + 1)
        }),
        ("public reference was not given", |s| s.instruments[0].public_refs = 1),
        ("public reference was not given", |s| {
            bid(s).public_ref = PublicRef::new(InstrumentId(2), 1)
        }),
        ("account is not its firm's", |s| bid(s).account = AccountId(77)),
        ("price is not allowed", |s| bid(s).price.0 += 1),
        ("price is not allowed", |s| bid(s).price = Price(-100)),
        ("quantity is not allowed", |s| bid(s).leaves = Quantity(0)),
        ("quantity is not allowed", |s| bid(s).leaves = Quantity(1_000_001)),
        ("executed quantity is out of range", |s| {
            bid(s).executed = Quantity(u64::MAX)
        }),
        ("does not rest", |s| bid(s).tif = TimeInForce::FillOrKill),
        ("mark on a buy order", |s| bid(s).short = ShortSale::Short),
        ("DAY order of an earlier day", |s| {
            bid(s).tif = TimeInForce::Day;
            bid(s).carried = true;
        }),
        ("was not given today", |s| {
            bid(s).carried = false;
            bid(s).user_ref = UserRef(u32::MAX);
        }),
        ("was not given today", |s| {
            bid(s).carried = false;
            bid(s).user_ref = UserRef(0);
        }),
        ("out of price-time order", |s| s.instruments[0].bids.reverse()),
        ("two orders have one order id", |s| {
            s.instruments[0].asks[0].order_id = bid(s).order_id
        }),
        ("two orders have one public reference", |s| {
            let asks = &mut s.instruments[0].asks;
            asks[1].price = Price(asks[0].price.0);
            asks[1].price.0 += 100;
            asks.truncate(2);
            asks[1].public_ref = asks[0].public_ref;
        }),
        ("one user reference", |s| {
            let other = s.instruments[0].asks[0];
            s.instruments[0].asks[0].carried = false;
            *bid(s) = OrderState {
                session: other.session,
                user_ref: other.user_ref,
                account: other.account,
                carried: false,
                ..*bid(s)
            };
        }),
    ];
    let sound = state();
    for (said, damage) in table {
        let mut state = sound.clone();
        damage(&mut state);
        let fast = Engine::import(&state).map(|_| ()).expect_err(said);
        let naive = reference::Engine::import(&state).map(|_| ()).expect_err(said);
        assert_eq!(fast, naive, "{said}");
        assert!(fast.to_string().contains(said), "{said}: {fast}");
        assert!(fast.to_string().contains("take another snapshot"), "the mend: {fast}");
        assert!(!matches!(fast, ImportError::Venue { fault: "" }));
    }
}

#[test]
fn an_import_refuses_orders_where_they_cannot_stand() {
    let sound = ruled_state();
    let table: &[Damage] = &[
        ("rules contradict", |s| rules(s).rulebook.lot = Quantity(0)),
        ("rules contradict", |s| rules(s).version = 0),
        ("rules contradict", |s| rules(s).ticks.0[0].from = 3),
        ("no rulebook and an order with instructions", |s| {
            s.quoters.clear();
            let listed = busiest(s);
            listed.guard = Default::default();
            listed.rules = None;
        }),
        ("hidden order stands with the displayed ones", |s| {
            let listed = busiest(s);
            listed.bids = core::mem::take(&mut listed.hidden_bids);
            listed.asks = core::mem::take(&mut listed.hidden_asks);
        }),
        ("stands aside and is no stop, market or closing order", |s| {
            let mut aside = busiest(s).aside.iter_mut();
            let priced = aside.find(|one| one.order.price.0 > 0).expect("one with a limit");
            priced.order.special = None;
        }),
        ("out of price-time order", |s| busiest(s).aside.reverse()),
        ("stop price is out of range", |s| {
            let stop = busiest(s).aside.iter_mut().find(|one| is_stop(one)).expect("a stop");
            stop.order.special.as_mut().expect("a stop").trigger = Price(i64::MIN + 1);
        }),
        ("its reserve is not allowed", |s| {
            let listed = busiest(s);
            let mut queues = listed
                .bids
                .iter_mut()
                .chain(&mut listed.asks)
                .chain(&mut listed.hidden_bids);
            let order = queues
                .find(|order| order.special.is_some())
                .expect("one with instructions");
            order.special.as_mut().expect("some").reserve = order.leaves;
        }),
        ("its last price is not allowed", |s| busiest(s).last_price = Price(-1)),
        ("rules contradict", |s| rules(s).bands.window = 15),
        ("price bounds go by contradicts", |s| {
            busiest(s).guard.reference = Price(-1)
        }),
        ("price bounds go by contradicts", |s| {
            busiest(s).guard.limit = Some(Side::Buy)
        }),
        ("price bounds go by contradicts", |s| {
            busiest(s).guard.tallies[3] = Tally {
                sum: u64::MAX,
                count: 1,
            }
        }),
        ("price bounds go by contradicts", |s| {
            busiest(s).guard.boundary = Timestamp(1);
            rules(s).bands.limit = 0;
        }),
    ];
    for (said, damage) in table {
        let mut state = sound.clone();
        damage(&mut state);
        let fast = Engine::import(&state).map(|_| ()).expect_err(said);
        let naive = reference::Engine::import(&state).map(|_| ()).expect_err(said);
        assert_eq!(fast, naive, "{said}");
        assert!(fast.to_string().contains(said), "{said}: {fast}");
    }
}

fn has_every_kind(listed: &InstrumentState) -> bool {
    listed.hidden_bids.len() + listed.hidden_asks.len() > 2
        && listed.aside.len() > 2
        && listed.aside.iter().any(is_stop)
        && listed.orders().any(|(_, order)| order.displayed() < order.leaves)
}

fn is_stop(one: &Aside) -> bool {
    one.order.instructions().trigger.0 != 0
}

/// The instrument with orders of every kind.
fn busiest(state: &mut EngineState) -> &mut InstrumentState {
    let found = state.instruments.iter_mut().find(|listed| has_every_kind(listed));
    found.expect("one with orders of every kind")
}

fn rules(state: &mut EngineState) -> &mut Rules {
    busiest(state).rules.as_mut().expect("a rulebook")
}

#[test]
fn an_engine_goes_on_from_a_snapshot_at_any_command() {
    for seed in 11..14 {
        let (mut live, mut flow) = busy(seed, 3_000);
        for step in 0..300 {
            let mut restored = Engine::import(&live.export()).expect("own state");
            let mut naive = reference::Engine::import(&live.export()).expect("own state");
            assert_eq!(restored.state_hash(), live.state_hash(), "seed {seed}, step {step}");
            for _ in 0..20 {
                let command = flow.next();
                let events = support::apply(&mut live, &command);
                assert_eq!(
                    support::apply(&mut restored, &command),
                    events,
                    "seed {seed}, step {step}: {command:?}"
                );
                assert_eq!(
                    support::apply(&mut naive, &command),
                    events,
                    "seed {seed}, step {step}: {command:?}"
                );
                for event in &events {
                    flow.learn(event);
                }
            }
        }
    }
}

#[test]
fn questions_are_answered_from_the_state() {
    for seed in 21..24 {
        let (engine, _) = busy(seed, 4_000);
        let state = engine.export();
        assert_eq!(engine.live_orders(), state.live_orders());
        assert_eq!(engine.last_seq(), state.last_seq);
        assert_eq!(engine.last_day(), state.day);
        assert_eq!(engine.open_day(), state.day_open.then_some(state.day));
        assert!(
            engine
                .instruments()
                .eq(state.instruments.iter().map(|listed| &listed.definition))
        );
        let up = state.sessions.iter().filter(|session| session.up);
        assert!(
            engine
                .sessions_up()
                .eq(up.map(|session| (session.definition.session, session.incarnation)))
        );
        for listed in &state.instruments {
            let instrument = listed.definition.instrument;
            for (side, order) in listed.orders() {
                let view = engine.order(order.order_id).expect("it lives");
                assert_eq!((view.instrument, view.side, view.order), (instrument, side, *order));
            }
            for (side, orders) in [(Side::Buy, &listed.bids), (Side::Sell, &listed.asks)] {
                let mut levels: Vec<(Price, Quantity)> = Vec::new();
                for order in orders {
                    match levels.last_mut() {
                        Some((price, total)) if *price == order.price => total.0 += order.displayed().0,
                        _ => levels.push((order.price, order.displayed())),
                    }
                }
                let all: Vec<_> = engine.depth(instrument, side, usize::MAX).collect();
                assert_eq!(all, levels, "seed {seed}");
                assert!(
                    engine.depth(instrument, side, 2).eq(levels.into_iter().take(2)),
                    "seed {seed}"
                );
            }
        }
        assert_eq!(engine.order(OrderId(u64::MAX)), None);
        assert_eq!(engine.depth(InstrumentId(0), Side::Buy, 5).count(), 0);
        assert_eq!(engine.depth(InstrumentId(99), Side::Buy, 5).count(), 0);
    }
}

#[test]
#[should_panic(expected = "in order of their sequence number")]
fn a_number_that_does_not_rise_is_a_broken_promise() {
    let mut engine = Engine::new(Limits::default());
    let tick: Command = command::Tick {}.into();
    support::apply(&mut engine, &support::sequenced(5, tick));
    support::apply(&mut engine, &support::sequenced(5, tick));
}
