//! The fast engine against the naive one: a million random commands, event by event, with equal states at intervals.

mod support;

use rialto_matching::{Engine, EngineState, Limits, Matching, reference};
use rialto_model::{CancelReason, Command, Event, IgnoreReason, Phase, RejectReason};
use std::collections::BTreeMap;
use support::flow::Flow;

/// Small, so that the venue is full now and then.
const LIMITS: Limits = Limits {
    live_orders_max: 250,
    orders_reserved: 0,
};

#[derive(Default)]
struct Coverage(BTreeMap<String, u64>);

impl Coverage {
    fn count(&mut self, command: &Command, event: &Event) {
        self.add(event.name().to_owned());
        match event {
            Event::Rejected(e) => {
                let what = if matches!(command, Command::Enter(_) | Command::EnterSpecial(_)) {
                    "Rejected"
                } else {
                    "Refused"
                };
                self.add(format!("{what} {:?}", e.reason));
            }
            Event::ChangeRejected(e) => {
                let what = if e.replace { "replace" } else { "change" };
                self.add(format!("ChangeRejected {what} {:?}", e.reason));
            }
            Event::QuoteRejected(e) => self.add(format!("QuoteRejected {:?}", e.reason)),
            Event::MassQuoteRejected(e) => self.add(format!("MassQuoteRejected {:?}", e.reason)),
            Event::MassCancelRejected(e) => self.add(format!("MassCancelRejected {:?}", e.reason)),
            Event::CommandRejected(e) => {
                self.add(format!("CommandRejected {}", e.schema));
                self.add(format!("CommandRejected {:?}", e.reason));
            }
            Event::Cancelled(e) => self.add(format!("Cancelled {:?}", e.reason)),
            Event::Ignored(e) => self.add(format!("Ignored {:?}", e.reason)),
            Event::Accepted(e) => self.add(format!("Accepted rests={} {:?}", e.rests, e.tif)),
            Event::Replaced(e) => {
                let kept = e.public_ref == e.old_public_ref;
                self.add(format!("Replaced kept={kept} rests={}", e.rests));
            }
            Event::Reduced(e) => self.add(format!("Reduced remark={} some={}", e.remark, !e.removed.is_zero())),
            Event::Executed(e) => self.add(format!(
                "Executed cross={} whole maker={}",
                e.cross,
                e.maker_leaves.is_zero()
            )),
            Event::Uncrossed(e) => self.add(format!("Uncrossed {:?} traded={}", e.phase, !e.volume.is_zero())),
            Event::PhaseChanged(e) => self.add(format!("PhaseChanged {:?}", e.phase)),
            _ => {}
        }
    }

    fn add(&mut self, what: String) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Every kind of event and every reason that an engine gives.
    fn assert_whole(&self) {
        let mut wanted: Vec<String> = Event::SCHEMAS.iter().map(|schema| schema.name.to_owned()).collect();
        wanted.extend(RejectReason::ALL.iter().map(|reason| format!("Refused {reason:?}")));
        wanted.extend(CancelReason::ALL.iter().map(|reason| format!("Cancelled {reason:?}")));
        wanted.extend(IgnoreReason::ALL.iter().map(|reason| format!("Ignored {reason:?}")));
        use RejectReason::*;
        // A killed firm has no order that it could replace.
        let enter = [
            CancelOnly,
            FirmKilled,
            UnknownAccount,
            ShortSaleOnBuy,
            BookFull,
            UnknownInstrument,
        ];
        let change = [
            UnknownSession,
            SessionNotUp,
            MarketClosed,
            UnknownOrder,
            TooLate,
            NotYours,
        ];
        let replace = [
            CancelOnly,
            TypeNotOffered,
            LifetimeNotOffered,
            InstructionNotOffered,
            InstructionConflict,
            QuantityTooSmall,
            DisplayInvalid,
            MinimumInvalid,
            TriggerInvalid,
            ExpiryInvalid,
            PostOnlyWouldTrade,
            NotInThisPhase,
            QuantityZero,
            QuantityTooLarge,
            QuantityOffLot,
            PriceOutOfRange,
            PriceOffTick,
            PriceOutsideBands,
            CircuitBroken,
            DiscretionNotOffered,
            UserRefJump,
        ];
        wanted.extend(change.iter().map(|reason| format!("ChangeRejected change {reason:?}")));
        wanted.extend(
            [ShortSaleOnBuy, QuantityOffLot]
                .iter()
                .map(|reason| format!("ChangeRejected change {reason:?}")),
        );
        wanted.extend(
            change
                .iter()
                .chain(&replace)
                .map(|reason| format!("ChangeRejected replace {reason:?}")),
        );
        let session = [UnknownSession, SessionNotUp, MarketClosed];
        wanted.extend(
            enter
                .iter()
                .chain(&session)
                .chain(&replace)
                .map(|reason| format!("Rejected {reason:?}")),
        );
        wanted.extend(
            [
                1, 2, 3, 4, 5, 40, 41, 43, 44, 45, 12, 13, 14, 15, 16, 17, 18, 19, 30, 31, 32, 35, 91, 93, 94, 95,
            ]
            .map(|schema| format!("CommandRejected {schema}")),
        );
        let undoing = [
            UnknownTrade,
            TradeUndone,
            UnknownSession,
            MarketClosed,
            PriceOffTick,
            QuantityOffLot,
            UnknownFlag,
            FlagRetired,
            FlagMisaimed,
        ];
        wanted.extend(undoing.map(|reason| format!("CommandRejected {reason:?}")));
        let quoted = [
            UnknownInstrument,
            TypeNotOffered,
            QuoteCrossed,
            ProtectionTripped,
            NotInThisPhase,
            PriceOutsideBands,
            QuantityOffLot,
            BookFull,
        ];
        wanted.extend(quoted.map(|reason| format!("QuoteRejected {reason:?}")));
        wanted.extend([SessionNotUp, UserRefJump, MarketClosed].map(|reason| format!("MassQuoteRejected {reason:?}")));
        for kept in [
            "kept=true rests=true",
            "kept=false rests=true",
            "kept=false rests=false",
        ] {
            wanted.push(format!("Replaced {kept}"));
        }
        wanted.extend(Phase::ALL.iter().map(|phase| format!("PhaseChanged {phase:?}")));
        let missing: Vec<&String> = wanted.iter().filter(|what| !self.0.contains_key(*what)).collect();
        assert!(missing.is_empty(), "never seen: {missing:?}");
    }
}

#[test]
fn both_engines_agree_on_a_million_random_commands() {
    const COMMANDS: u64 = 1_000_000;
    /// The fifth with times of cancels alone, the one before with limits of members, those behind with flags.
    const SEEDS: [u64; 7] = [1, 20_120_622, 0xfeee, 76, 90, 1_094, 1_096];
    let mut coverage = Coverage::default();
    for seed in SEEDS {
        let mut flow = if seed.is_multiple_of(2) {
            Flow::ruled(seed)
        } else {
            Flow::new(seed)
        };
        flow.cancels_only = seed == SEEDS[4];
        flow.flagged = SEEDS[5..].contains(&seed);
        flow.retires = seed == SEEDS[6];
        flow.limited = seed == SEEDS[3];
        flow.forks = seed == SEEDS[0];
        let mut fast = Engine::new(LIMITS);
        let mut naive = reference::Engine::new(LIMITS);
        for step in 0..COMMANDS / 4 {
            let command = flow.next();
            let left = support::apply(&mut fast, &command);
            let right = support::apply(&mut naive, &command);
            assert_eq!(left, right, "seed {seed}, step {step}: {command:#?}");
            assert!(!left.is_empty(), "seed {seed}, step {step}: no event: {command:#?}");
            for event in &left {
                flow.learn(event);
                coverage.count(&command.body, event);
            }
            if step % 512 == 0 {
                assert_eq!(fast.export(), naive.export(), "seed {seed}, step {step}");
                assert_eq!(fast.state_hash(), naive.state_hash(), "seed {seed}, step {step}");
            }
            // Goes on from a snapshot, through its bytes.
            if step % 9_973 == 0 {
                let state = EngineState::decode(&fast.export().encode()).expect("own bytes");
                fast = Engine::import(&state).expect("own state");
                naive = reference::Engine::import(&state).expect("own state");
            }
        }
    }
    for (what, count) in &coverage.0 {
        eprintln!("{count:>9}  {what}");
    }
    coverage.assert_whole();
}

#[test]
fn both_engines_agree_on_thousands_of_resting_orders() {
    const COMMANDS: u64 = 40_000;
    let limits = Limits {
        live_orders_max: 4_000,
        orders_reserved: 0,
    };
    for seed in [5, 6] {
        let mut flow = Flow::growing(seed);
        let mut fast = Engine::new(limits);
        let mut naive = reference::Engine::new(limits);
        let mut most = 0;
        for step in 0..COMMANDS {
            let command = flow.next();
            let left = support::apply(&mut fast, &command);
            let right = support::apply(&mut naive, &command);
            assert_eq!(left, right, "seed {seed}, step {step}: {command:#?}");
            for event in &left {
                flow.learn(event);
            }
            most = most.max(fast.live_orders());
            if step % 2_000 == 0 {
                assert_eq!(fast.state_hash(), naive.state_hash(), "seed {seed}, step {step}");
            }
        }
        eprintln!("seed {seed}: up to {most} orders");
        assert!(most >= 2_000, "seed {seed}: only {most} orders at one time");
    }
}

#[test]
fn both_engines_agree_under_limits() {
    const COMMANDS: u64 = 100_000;
    use RejectReason::*;
    let mut coverage = Coverage::default();
    for seed in [9, 10] {
        let mut flow = if seed == 10 { Flow::ruled(seed) } else { Flow::new(seed) };
        flow.limited = true;
        let mut fast = Engine::new(LIMITS);
        let mut naive = reference::Engine::new(LIMITS);
        for step in 0..COMMANDS {
            let command = flow.next();
            let left = support::apply(&mut fast, &command);
            let right = support::apply(&mut naive, &command);
            assert_eq!(left, right, "seed {seed}, step {step}: {command:#?}");
            for event in &left {
                flow.learn(event);
                coverage.count(&command.body, event);
            }
            if step % 256 == 0 {
                assert_eq!(fast.export(), naive.export(), "seed {seed}, step {step}");
            }
            if step % 1_999 == 0 {
                let state = EngineState::decode(&fast.export().encode()).expect("own bytes");
                fast = Engine::import(&state).expect("own state");
            }
        }
    }
    let risks = [
        RiskOrderQuantity,
        RiskOrderNotional,
        RiskCollar,
        RiskOpenOrders,
        RiskPosition,
        RiskCredit,
        RiskUnpriced,
    ];
    let mut wanted: Vec<String> = risks.iter().map(|reason| format!("Rejected {reason:?}")).collect();
    wanted.push("Rejected RiskDuplicate".to_owned());
    let replace = risks.iter().filter(|reason| **reason != RiskOpenOrders);
    wanted.extend(replace.map(|reason| format!("ChangeRejected replace {reason:?}")));
    let quotes = [
        RiskOrderQuantity,
        RiskOrderNotional,
        RiskOpenOrders,
        RiskPosition,
        RiskCredit,
    ];
    wanted.extend(quotes.map(|reason| format!("MassQuoteRejected {reason:?}")));
    wanted.push("CommandRejected OldDirectory".to_owned());
    let missing: Vec<&String> = wanted.iter().filter(|what| !coverage.0.contains_key(*what)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
}
