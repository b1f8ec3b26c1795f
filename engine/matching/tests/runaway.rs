//! The runaway guard: what it counts, when it trips, and that everybody who follows the stream finds the same.

mod support;

use rialto_matching::{Engine, Limits, Matching as _, RunawayWatch};
use rialto_model::command::*;
use rialto_model::*;
use support::script::world_commands;

/// An exchange, its watch, and everything that was released.
struct Scene {
    engine: Engine,
    watch: RunawayWatch,
    events: Vec<Sequenced<Event>>,
    seq: u64,
    refs: u32,
    /// Of the stamps, in nanoseconds.
    now: u64,
}

impl Scene {
    fn new() -> Self {
        let mut scene = Self {
            engine: Engine::new(Limits::default()),
            watch: RunawayWatch::default(),
            events: Vec::new(),
            seq: 0,
            refs: 0,
            now: 1_000_000_000,
        };
        world_commands().into_iter().for_each(|command| scene.apply(command));
        scene
    }

    fn apply(&mut self, command: Command) {
        self.seq += 1;
        let mut command = support::sequenced(self.seq, command);
        command.stamp = Timestamp(self.now);
        for body in support::apply(&mut self.engine, &command) {
            let Sequenced { seq, stamp, epoch, .. } = command;
            let event = Sequenced {
                seq,
                stamp,
                epoch,
                body,
            };
            self.watch.follow(&event);
            self.events.push(event);
        }
    }

    fn later(&mut self, ms: u64) {
        self.now += ms * 1_000_000;
    }

    fn limit(&mut self, limits: RunawayLimits) {
        let firm = FirmId(1);
        self.apply(SetRunawayLimits { firm, limits }.into());
    }

    fn parent(&mut self, quantity: u64) {
        let (firm, name) = (FirmId(1), Text::new(b"P").expect("short"));
        let quantity = Quantity(quantity);
        self.apply(SetParent { firm, quantity, name }.into());
    }

    /// An order of session A of firm 1: its reference.
    fn order(&mut self, client_id: &str, quantity: u64, price: i64) -> UserRef {
        self.refs += 1;
        let user_ref = UserRef(self.refs);
        self.apply(
            Enter {
                session: SessionId(1),
                incarnation: Incarnation(1),
                user_ref,
                instrument: InstrumentId(1),
                kind: OrderKind::Limit,
                price: Price(price),
                quantity: Quantity(quantity),
                client_id: Text::new(client_id.as_bytes()).expect("short"),
                ..Enter::default()
            }
            .into(),
        );
        user_ref
    }

    fn cancel(&mut self, user_ref: UserRef) {
        self.apply(
            Cancel {
                session: SessionId(1),
                incarnation: Incarnation(1),
                target: Target::UserRef(user_ref),
                ..Cancel::default()
            }
            .into(),
        );
    }

    fn found(&self) -> Option<(RunawayCause, u64, u64, u64)> {
        let mut pending = self.watch.pending();
        let trip = pending.next()?.trip;
        assert_eq!((pending.next(), trip.firm), (None, FirmId(1)));
        Some((trip.cause, trip.judged.0, trip.measured, trip.limit))
    }
}

#[test]
fn orders_within_a_window_are_counted_and_the_window_moves_on() {
    let mut scene = Scene::new();
    scene.limit(RunawayLimits {
        window: 100,
        orders: 5,
        notional: 0,
    });
    for _ in 0..20 {
        // Five in each hundred milliseconds are as many as may be.
        scene.order("x", 10, 50);
        scene.later(20);
    }
    assert_eq!(scene.found(), None);
    scene.later(100);
    for _ in 0..5 {
        scene.order("x", 10, 50);
    }
    assert_eq!(scene.found(), None);
    scene.order("x", 10, 50);
    assert_eq!(scene.found(), Some((RunawayCause::Orders, scene.seq, 6, 5)));
}

#[test]
fn what_orders_are_worth_is_counted() {
    let mut scene = Scene::new();
    scene.limit(RunawayLimits {
        window: 1_000,
        orders: 0,
        notional: 10_000,
    });
    scene.order("x", 100, 50);
    scene.later(500);
    scene.order("x", 100, 50);
    assert_eq!(scene.found(), None);
    scene.order("x", 10, 5);
    assert_eq!(scene.found(), Some((RunawayCause::Notional, scene.seq, 10_050, 10_000)));
    // Taken away, and stated anew: nothing is counted any more.
    let mut scene = Scene::new();
    scene.order("x", 1_000, 1_000);
    scene.limit(RunawayLimits::default());
    scene.order("x", 1_000, 1_000);
    assert_eq!(scene.found(), None);
}

#[test]
fn children_may_ask_for_no_more_than_their_parent() {
    let mut scene = Scene::new();
    scene.parent(100);
    let first = scene.order("P/1", 60, 50);
    scene.order("P", 1_000, 50);
    scene.order("Q/1", 1_000, 50);
    scene.order("P/2", 40, 50);
    assert_eq!(scene.found(), None);
    // What is cancelled may be asked for again.
    scene.cancel(first);
    scene.order("P/3", 50, 50);
    assert_eq!(scene.found(), None);
    // The Knight way: one more child of a parent that has all it wants.
    scene.order("P/4", 20, 50);
    assert_eq!(scene.found(), Some((RunawayCause::Parent, scene.seq, 110, 100)));
    let found = *scene.watch.pending().next().expect("one");
    assert_eq!(found.parent.as_bytes(), b"P");
    // Sequenced, it kills the firm, and nothing is pending.
    scene.apply(found.into());
    assert_eq!(scene.found(), None);
    let killed = scene
        .events
        .iter()
        .any(|event| matches!(event.body, Event::RunawayTripped(_)));
    assert!(killed && scene.engine.export().live_orders() == 0);
    scene.order("P/5", 20, 50);
    assert_eq!(scene.found(), None, "what is refused is nobody's child");
}

#[test]
fn a_replaced_child_asks_for_the_difference() {
    let mut scene = Scene::new();
    scene.parent(100);
    let target = Target::UserRef(scene.order("P/1", 60, 50));
    let replace = |scene: &mut Scene, user_ref, target, quantity| {
        scene.apply(
            Replace {
                session: SessionId(1),
                incarnation: Incarnation(1),
                target,
                user_ref: UserRef(user_ref),
                kind: OrderKind::Limit,
                price: Price(45),
                quantity: Quantity(quantity),
                client_id: Text::new(b"P/2").expect("short"),
                ..Replace::default()
            }
            .into(),
        );
    };
    replace(&mut scene, 100, target, 100);
    assert_eq!(scene.found(), None);
    replace(&mut scene, 101, Target::UserRef(UserRef(100)), 110);
    assert_eq!(scene.found(), Some((RunawayCause::Parent, scene.seq, 110, 100)));
}

/// Whoever follows the stream finds the same trip by the same command: also who begins again behind a crash between the
/// finding and its command.
#[test]
fn everybody_who_follows_finds_the_same() {
    let mut random = support::Random(34_694);
    for _ in 0..20 {
        let mut scene = Scene::new();
        scene.limit(RunawayLimits {
            window: 10 * (1 + random.below(9) as u32),
            orders: 3 + random.below(4) as u32,
            notional: 20_000,
        });
        scene.parent(500);
        let mut found = Vec::new();
        for _ in 0..200 {
            scene.later(random.below(15));
            let child = if random.one_in(2) { "P/1" } else { "x" };
            scene.order(child, 10 * (1 + random.below(5)), 50);
            let mut again = RunawayWatch::default();
            scene.events.iter().for_each(|event| again.follow(event));
            let pending: Vec<TripRunaway> = scene.watch.pending().copied().collect();
            assert!(again.pending().eq(pending.iter()));
            for trip in pending {
                found.push(trip);
                scene.apply(trip.into());
                scene.later(50);
                let firm = FirmId(1);
                scene.apply(SetKillSwitch { firm, killed: false }.into());
                scene.parent(10_000);
            }
        }
        assert!(!found.is_empty());
        let told = scene.events.iter().filter_map(|event| match event.body {
            Event::RunawayTripped(e) => Some(e.trip),
            _ => None,
        });
        assert!(told.eq(found.iter().map(|found| found.trip)));
    }
}
