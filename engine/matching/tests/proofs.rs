//! What holds at every number: quantity and money are conserved, books are not crossed, and a snapshot goes on as what it was
//! taken from. And the golden journal of each release replays to its hashes.

mod support;

use rialto_matching::{Engine, EventHasher, Limits, Matching, reference};
use rialto_model::codec::Encoder;
use rialto_model::*;
use std::collections::BTreeMap;
use support::flow::Flow;

const LIMITS: Limits = Limits {
    live_orders_max: 120,
    orders_reserved: 0,
};

/// What the events alone say of orders and money.
#[derive(Default)]
struct Ledger {
    open: BTreeMap<OrderId, u64>,
    /// Units held and money owned by each session; the venue is at zero.
    accounts: BTreeMap<SessionId, (i128, i128)>,
}

impl Ledger {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Accepted(e) => self.enter(e.order_id, e.quantity),
            Event::Quoted(e) => self.enter(e.order_id, e.quantity),
            Event::Replaced(e) => {
                assert_eq!(
                    self.open.insert(e.order_id, e.quantity.0),
                    Some(e.old_quantity.0),
                    "{e:?}"
                );
            }
            Event::Reduced(e) => {
                let before = self.open.insert(e.order_id, e.leaves.0);
                assert_eq!(before, Some(e.leaves.0 + e.removed.0), "{e:?}");
            }
            Event::Cancelled(e) => assert_eq!(self.open.remove(&e.order_id), Some(e.removed.0), "{e:?}"),
            Event::Restated(e) => assert_eq!(self.open.get(&e.order_id), Some(&e.leaves.0), "{e:?}"),
            Event::Executed(e) => {
                assert!(!e.quantity.is_zero(), "{e:?}");
                self.fill(e.maker, e.quantity, e.maker_leaves);
                self.fill(e.taker, e.quantity, e.taker_leaves);
                self.settle(&e.deal(), 1);
            }
            Event::TradeBusted(e) => self.settle(&e.deal, -1),
            Event::TradeCorrected(e) => {
                self.settle(&e.deal, -1);
                self.settle(&e.deal(), 1);
            }
            _ => {}
        }
    }

    fn enter(&mut self, order_id: OrderId, quantity: Quantity) {
        assert_eq!(self.open.insert(order_id, quantity.0), None, "{order_id} comes twice");
    }

    fn fill(&mut self, order_id: OrderId, quantity: Quantity, leaves: Quantity) {
        let before = self.open.remove(&order_id);
        assert_eq!(before, Some(leaves.0 + quantity.0), "{order_id}");
        if !leaves.is_zero() {
            self.open.insert(order_id, leaves.0);
        }
    }

    /// Units and money of both sides, and the fees for the venue, which is session zero; `sign` undoes.
    fn settle(&mut self, deal: &Deal, sign: i128) {
        let units = i128::from(deal.quantity.0) * sign;
        let money = units * i128::from(deal.price.0) * 100;
        let bought = if deal.aggressor == Side::Buy { 1 } else { -1 };
        let sides = [
            (deal.taker_session, bought, deal.taker_fee),
            (deal.maker_session, -bought, deal.maker_fee),
        ];
        for (session, buys, fee) in sides {
            let fee = i128::from(fee.0) * sign;
            let account = self.accounts.entry(session).or_default();
            account.0 += buys * units;
            account.1 -= buys * money + fee;
            self.accounts.entry(SessionId(0)).or_default().1 += fee;
        }
    }

    fn balance(&self) -> (i128, i128) {
        let both = |(units, money): (i128, i128), one: &(i128, i128)| (units + one.0, money + one.1);
        self.accounts.values().fold((0, 0), both)
    }
}

#[test]
fn quantity_and_money_are_conserved_and_no_book_is_crossed_at_any_number() {
    for seed in [2, 40] {
        let mut flow = Flow::ruled(seed);
        let mut engine = Engine::new(LIMITS);
        let mut ledger = Ledger::default();
        for step in 0..150_000_u32 {
            let command = flow.next();
            for event in support::apply(&mut engine, &command) {
                flow.learn(&event);
                ledger.take(&event);
            }
            assert_eq!(ledger.balance(), (0, 0), "seed {seed}, step {step}");
            assert_eq!(engine.live_orders(), ledger.open.len(), "seed {seed}, step {step}");
            if step % 50 != 0 {
                continue;
            }
            for listed in &engine.export().instruments {
                for (_, order) in listed.orders() {
                    assert_eq!(
                        ledger.open.get(&order.order_id),
                        Some(&order.leaves.0),
                        "seed {seed}, step {step}"
                    );
                }
                let bid = listed.bids.first().map(|order| order.price);
                let ask = listed.asks.first().map(|order| order.price);
                if let (Some(bid), Some(ask), Phase::Continuous) = (bid, ask, listed.phase) {
                    assert!(bid < ask, "seed {seed}, step {step}: {bid} against {ask}");
                }
            }
        }
    }
}

#[test]
fn a_snapshot_has_an_equal_hash_at_every_number_of_a_hundred_thousand() {
    let mut flow = Flow::ruled(8);
    let limits = Limits {
        live_orders_max: 60,
        ..LIMITS
    };
    let mut engine = Engine::new(limits);
    let mut restored = Engine::new(limits);
    for step in 0..100_000_u32 {
        let command = flow.next();
        let events = support::apply(&mut engine, &command);
        // What went on from the last snapshot says the same.
        assert_eq!(support::apply(&mut restored, &command), events, "step {step}");
        events.iter().for_each(|event| flow.learn(event));
        let state = engine.export();
        restored = Engine::import(&state).expect("own state");
        assert_eq!(restored.state_hash(), state.state_hash(), "step {step}");
    }
}

/// A journal of a release as bytes: for each command its stamp, schema, length of block and of all, and the bytes.
fn golden(release: u32) -> std::path::PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    std::path::Path::new(folder).join(format!("release-{release}.journal"))
}

/// Event hash and state hash of the journal of each release, for ever.
const GOLDEN: [(u32, [&str; 2]); 1] = [(1, ["83dd2e60308812a4", "ffa1244ee93a60ca"])];

#[test]
fn the_golden_journal_of_each_release_replays_to_its_hashes() {
    for (release, hashes) in GOLDEN {
        let path = golden(release);
        if std::env::var_os("RIALTO_BLESS").is_some() && !path.exists() {
            std::fs::write(&path, record()).expect("a writable folder");
        }
        let bytes = std::fs::read(&path).expect("the journal of the release");
        let commands = read(&bytes);
        assert!(commands.len() >= 5_000);
        for replayed in [
            replay(Engine::new(LIMITS), &commands),
            replay(reference::Engine::new(LIMITS), &commands),
        ] {
            assert_eq!(replayed, hashes, "release {release}");
        }
    }
}

fn replay(mut engine: impl Matching, commands: &[Sequenced<Command>]) -> [String; 2] {
    let mut hasher = EventHasher::default();
    for command in commands {
        for body in support::apply(&mut engine, command) {
            hasher.update(&Sequenced {
                seq: command.seq,
                stamp: command.stamp,
                epoch: command.epoch,
                body,
            });
        }
    }
    [hasher.total().to_string(), engine.state_hash().to_string()]
}

fn record() -> Vec<u8> {
    let mut flow = Flow::ruled(1_234);
    let mut engine = Engine::new(LIMITS);
    let mut bytes = Vec::new();
    for _ in 0..6_000 {
        let command = flow.next();
        for event in support::apply(&mut engine, &command) {
            flow.learn(&event);
        }
        let mut room = [0; limits::MESSAGE_BYTES_MAX];
        let mut out = Encoder::new(&mut room);
        command.body.encode(&mut out);
        let len = out.len();
        bytes.extend(command.seq.0.to_le_bytes());
        bytes.extend(command.body.schema().to_le_bytes());
        bytes.extend((command.body.block_len() as u16).to_le_bytes());
        bytes.extend((len as u16).to_le_bytes());
        bytes.extend(&room[..len]);
    }
    bytes
}

fn read(mut bytes: &[u8]) -> Vec<Sequenced<Command>> {
    let mut commands = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<14>() {
        let seq = u64::from_le_bytes(head[..8].try_into().expect("eight"));
        let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let (message, rest) = rest.split_at(usize::from(word(12)));
        bytes = rest;
        let body = Command::decode(word(8), usize::from(word(10)), message).expect("a command");
        commands.push(support::sequenced(seq, body));
    }
    commands
}
