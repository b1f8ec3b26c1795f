//! Faults on purpose: each is told, does what it says while it stands and nothing afterwards, and both engines agree.

mod support;

use rialto_matching::{Engine, Limits, Matching, reference};
use rialto_model::command::{
    AddFault, DefineAccount, DefineFirm, DefineInstrument, DefineSession, Enter, Release, RemoveFault, SessionUp,
    SetPhase, SetRulebook, StartOfDay,
};
use rialto_model::limits::FAULTS_MAX;
use rialto_model::*;

/// Two engines that hear the same.
struct Pair {
    fast: Engine,
    naive: reference::Engine,
    seq: u64,
    user_ref: u32,
}

impl Pair {
    /// Two sessions that are up, a plain instrument and one with a rulebook.
    fn new() -> Self {
        let mut pair = Self {
            fast: Engine::new(Limits::default()),
            naive: reference::Engine::new(Limits::default()),
            seq: 0,
            user_ref: 0,
        };
        let listed = |instrument, symbol: &str| DefineInstrument {
            instrument: InstrumentId(instrument),
            symbol: Symbol::new(symbol).unwrap(),
            scale: PriceScale::default(),
            tick: Price(100),
            price_max: Price(1_000_000),
            lot: Quantity(1),
            quantity_max: Quantity(1_000),
        };
        let session = |session, firm| DefineSession {
            session: SessionId(session),
            firm: FirmId(firm),
            account: AccountId(firm),
            ..DefineSession::default()
        };
        let up = |session| SessionUp {
            session: SessionId(session),
            incarnation: Incarnation(1),
            ..SessionUp::default()
        };
        let rulebook = Rulebook {
            offers: Offers::ALL,
            lot: Quantity(1),
            quantity_max: Quantity(1_000),
            ..Rulebook::default()
        };
        let mut opening: Vec<Command> = vec![
            Release {
                venue: VenueId(1),
                release: ReleaseNumber(1),
            }
            .into(),
            listed(1, "PLAIN").into(),
            listed(2, "RULED").into(),
        ];
        for id in 1..=2 {
            opening.push(
                DefineFirm {
                    firm: FirmId(id),
                    ..DefineFirm::default()
                }
                .into(),
            );
            opening.push(
                DefineAccount {
                    account: AccountId(id),
                    firm: FirmId(id),
                }
                .into(),
            );
            opening.push(session(id, id).into());
        }
        opening.push(
            SetRulebook {
                instrument: InstrumentId(2),
                version: 1,
                rulebook,
            }
            .into(),
        );
        opening.push(
            StartOfDay {
                day: TradingDay(20_000),
                midnight: Timestamp(0),
            }
            .into(),
        );
        opening.push(up(1).into());
        opening.push(up(2).into());
        for command in opening {
            let name = command.name();
            let events = pair.apply(command);
            assert!(
                !matches!(events[0], Event::CommandRejected(_) | Event::Ignored(_)),
                "{name}: {events:?}"
            );
        }
        pair
    }

    /// What comes of a command; the engines agree on it, on the state, and on the state that comes out of its bytes.
    fn apply(&mut self, body: Command) -> Vec<Event> {
        self.seq += 1;
        let command = Sequenced {
            seq: SequenceNumber(self.seq),
            stamp: Timestamp(self.seq * 1_000),
            epoch: Epoch(1),
            body,
        };
        let fast = support::apply(&mut self.fast, &command);
        assert_eq!(fast, support::apply(&mut self.naive, &command), "{body:?}");
        let state = self.fast.export();
        assert_eq!(state, self.naive.export(), "{body:?}");
        let read = EngineState::decode(&state.encode()).unwrap();
        assert_eq!(read, state);
        self.fast = Engine::import(&read).unwrap();
        fast
    }

    fn refused(&mut self, body: Command) -> RejectReason {
        match self.apply(body)[..] {
            [Event::CommandRejected(refused)] => refused.reason,
            ref other => panic!("{other:?}"),
        }
    }

    /// Why an order is refused, if it is.
    fn order(&mut self, session: u32, instrument: u16) -> Option<RejectReason> {
        self.user_ref += 1;
        let order = Enter {
            session: SessionId(session),
            incarnation: Incarnation(1),
            user_ref: UserRef(self.user_ref),
            instrument: InstrumentId(instrument),
            price: Price(100),
            quantity: Quantity(1),
            ..Enter::default()
        };
        match self.apply(order.into())[0] {
            Event::Rejected(rejected) => Some(rejected.reason),
            Event::Accepted(_) => None,
            ref other => panic!("{other:?}"),
        }
    }

    fn mend(&mut self, name: &str) -> Vec<Event> {
        self.apply(RemoveFault { name: text(name) }.into())
    }
}

use rialto_matching::EngineState;

fn text(name: &str) -> Text {
    Text::new(name.as_bytes()).unwrap()
}

fn fault(name: &str, kind: FaultKind) -> AddFault {
    AddFault {
        kind,
        seed: 11,
        name: text(name),
        ..AddFault::default()
    }
}

#[test]
fn orders_are_refused_by_their_chance_and_only_of_the_session_named() {
    let mut pair = Pair::new();
    let half = AddFault {
        session: SessionId(1),
        chance: 500_000,
        ..fault("half", FaultKind::Reject)
    };
    assert!(matches!(pair.apply(half.into())[..], [Event::FaultAdded(_)]));
    for instrument in [1, 2] {
        let refused = (0..200)
            .filter(|_| pair.order(1, instrument) == Some(RejectReason::FaultInjected))
            .count();
        assert!((70..130).contains(&refused), "{refused} of 200");
        assert!((0..50).all(|_| pair.order(2, instrument).is_none()));
    }
    let all = AddFault {
        chance: 1_000_000,
        ..fault("all", FaultKind::Reject)
    };
    pair.apply(all.into());
    assert_eq!(pair.order(2, 1), Some(RejectReason::FaultInjected));
    assert!(matches!(pair.mend("all")[..], [Event::FaultRemoved(_)]));
    pair.mend("half");
    assert!((0..100).all(|_| pair.order(1, 1).is_none() && pair.order(2, 2).is_none()));
}

#[test]
fn a_halted_symbol_goes_back_into_its_phase() {
    let mut pair = Pair::new();
    let halt = AddFault {
        instrument: InstrumentId(2),
        ..fault("halt", FaultKind::HaltedSymbol)
    };
    let phase = |phase| SetPhase {
        instrument: InstrumentId(2),
        phase,
    };
    let events = pair.apply(halt.into());
    assert!(
        matches!(events[..], [Event::FaultAdded(_), Event::PhaseChanged(c)] if c.phase == Phase::Halt),
        "{events:?}"
    );
    assert_eq!(pair.order(1, 2), Some(RejectReason::NotInThisPhase));
    assert_eq!(pair.order(1, 1), None);
    let events = pair.mend("halt");
    let [Event::FaultRemoved(_), Event::PhaseChanged(changed), ..] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(changed.phase, Phase::Continuous);
    assert_eq!(pair.order(1, 2), None);

    // From an auction it comes back into the auction; and what the operator did meanwhile stands.
    pair.apply(phase(Phase::OpeningAuction).into());
    pair.apply(halt.into());
    let events = pair.mend("halt");
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::PhaseChanged(c) if c.phase == Phase::OpeningAuction))
    );
    pair.apply(phase(Phase::Continuous).into());
    pair.apply(halt.into());
    pair.apply(phase(Phase::Suspended).into());
    assert!(matches!(pair.mend("halt")[..], [Event::FaultRemoved(_)]));
}

#[test]
fn what_is_no_fault_is_refused_with_its_reason() {
    let mut pair = Pair::new();
    let slow = AddFault {
        delay: 5,
        ..fault("slow", FaultKind::SlowDisk)
    };
    assert_eq!(
        pair.refused(fault("slow", FaultKind::SlowDisk).into()),
        RejectReason::FaultUnsound
    );
    assert!(matches!(pair.apply(slow.into())[..], [Event::FaultAdded(_)]));
    assert_eq!(pair.refused(slow.into()), RejectReason::FaultOutOfPlace);
    let stall = |session| AddFault {
        session: SessionId(session),
        ..fault("stall", FaultKind::StalledSubscriber)
    };
    assert_eq!(pair.refused(stall(9).into()), RejectReason::UnknownSession);
    let halt = |instrument| AddFault {
        instrument: InstrumentId(instrument),
        ..fault("h", FaultKind::HaltedSymbol)
    };
    assert_eq!(pair.refused(halt(9).into()), RejectReason::UnknownInstrument);
    assert_eq!(pair.refused(halt(1).into()), RejectReason::NotInThisPhase);
    assert_eq!(
        pair.refused(RemoveFault { name: text("none") }.into()),
        RejectReason::FaultOutOfPlace
    );
    for number in 1..FAULTS_MAX {
        pair.apply(
            AddFault {
                name: text(&number.to_string()),
                ..slow
            }
            .into(),
        );
    }
    let one_more = AddFault {
        name: text("more"),
        ..slow
    };
    assert_eq!(pair.refused(one_more.into()), RejectReason::FaultOutOfPlace);
    assert_eq!(pair.order(1, 1), None, "an edge's fault is none of the engine's");
}
