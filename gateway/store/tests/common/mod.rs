//! A market of Zipf-sized firms, from a seed.

use rialto_matching::{Engine, Limits, Matching as _};
use rialto_members::{Admitted, Firm, KeyRole, Keyring, Scoped};
use rialto_model::command::*;
use rialto_model::*;

pub(crate) const FIRMS: u32 = 12;
/// Accounts of each firm.
pub(crate) const ACCOUNTS: u32 = 3;

/// What a firm's own key opens.
pub(crate) fn scope(firm: u32, account: u32) -> Scoped<Firm> {
    let mut keys = Keyring::new();
    keys.add("test", "secret", KeyRole::ReadOnly, FirmId(firm), AccountId(account))
        .expect("a key");
    match keys.admit("test", "secret") {
        Some(Admitted::Member(_, scope)) => scope,
        _ => panic!("admitted"),
    }
}

#[derive(Default)]
struct Sink(Vec<Event>);

impl EventSink for Sink {
    fn emit(&mut self, event: Event) {
        self.0.push(event);
    }
}

/// A stream that goes on.
pub(crate) struct Market {
    engine: Engine,
    seq: u64,
    random: u64,
    refs: Vec<u32>,
    live: Vec<(SessionId, OrderId)>,
    /// Everything that was released.
    pub(crate) outputs: Vec<Output>,
}

impl Market {
    pub(crate) fn new(seed: u64) -> Self {
        let mut market = Self {
            engine: Engine::new(Limits::default()),
            seq: 0,
            random: seed,
            refs: vec![0; FIRMS as usize + 1],
            live: Vec::new(),
            outputs: Vec::new(),
        };
        market.apply(
            Release {
                venue: VenueId(1),
                release: ReleaseNumber(1),
            }
            .into(),
        );
        for instrument in 1..=3 {
            let symbol = Symbol::new(&format!("SYM{instrument}")).expect("short");
            let define = DefineInstrument {
                instrument: InstrumentId(instrument),
                symbol,
                scale: PriceScale::DEFAULT,
                tick: Price(1),
                price_max: Price(1_000),
                lot: Quantity(1),
                quantity_max: Quantity(1_000),
            };
            market.apply(define.into());
            let rulebook = Rulebook {
                offers: Offers::ALL,
                lot: Quantity(1),
                quantity_max: Quantity(1_000),
                ..Rulebook::default()
            };
            market.apply(
                SetRulebook {
                    instrument: InstrumentId(instrument),
                    version: 1,
                    rulebook,
                }
                .into(),
            );
            let fees = Fees {
                maker_unit: Money(-3),
                taker_rate: Rate(250),
                ..Fees::default()
            };
            market.apply(
                SetFees {
                    instrument: InstrumentId(instrument),
                    version: 2,
                    fees,
                }
                .into(),
            );
        }
        for firm in 1..=FIRMS {
            let mpid = Mpid::new(&format!("M{firm}")).expect("short");
            let name = Text::new(format!("firm {firm}").as_bytes()).expect("short");
            market.apply(
                DefineFirm {
                    firm: FirmId(firm),
                    mpid,
                    name,
                }
                .into(),
            );
            for account in 0..ACCOUNTS {
                let account = AccountId(firm * 10 + account);
                market.apply(
                    DefineAccount {
                        account,
                        firm: FirmId(firm),
                    }
                    .into(),
                );
            }
            let session = DefineSession {
                session: SessionId(firm),
                firm: FirmId(firm),
                account: AccountId(firm * 10),
                door: Door::Ouch,
                name: Text::EMPTY,
            };
            market.apply(session.into());
        }
        market.apply(
            StartOfDay {
                day: TradingDay(1),
                midnight: Timestamp(0),
            }
            .into(),
        );
        for firm in 1..=FIRMS {
            let up = SessionUp {
                session: SessionId(firm),
                incarnation: Incarnation(1),
                ..SessionUp::default()
            };
            market.apply(up.into());
        }
        market
    }

    /// Applies a command; the outputs of it.
    pub(crate) fn apply(&mut self, body: Command) -> &[Output] {
        self.seq += 1;
        let command = Sequenced {
            seq: SequenceNumber(self.seq),
            stamp: Timestamp(self.seq * 1_000),
            epoch: Epoch(1),
            body,
        };
        let mut sink = Sink::default();
        self.engine.apply(&command, &mut sink);
        let begun = self.outputs.len();
        let count = sink.0.len();
        for (at, event) in sink.0.into_iter().enumerate() {
            match &event {
                Event::Accepted(e) => self.live.push((e.session, e.order_id)),
                Event::Cancelled(e) => self.live.retain(|(_, order)| *order != e.order_id),
                _ => {}
            }
            let event = Sequenced {
                seq: command.seq,
                stamp: command.stamp,
                epoch: command.epoch,
                body: event,
            };
            self.outputs.push(Output {
                event,
                last: at + 1 == count,
            });
        }
        if self.live.len() > 500 {
            self.live.remove(0);
        }
        &self.outputs[begun..]
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % bound
    }

    /// Firm n with weight 1/n.
    fn firm(&mut self) -> u32 {
        let weights: Vec<u64> = (1..=u64::from(FIRMS)).map(|n| 27_720 / n).collect();
        let mut at = self.below(weights.iter().sum());
        for (firm, weight) in (1..).zip(weights) {
            if at < weight {
                return firm;
            }
            at -= weight;
        }
        1
    }

    /// A random command of a member.
    pub(crate) fn step(&mut self) -> &[Output] {
        if self.below(5) == 0 && !self.live.is_empty() {
            let at = self.below(self.live.len() as u64) as usize;
            let (session, order) = self.live.swap_remove(at);
            let cancel = Cancel {
                session,
                incarnation: Incarnation(1),
                target: Target::OrderId(order),
                ..Cancel::default()
            };
            return self.apply(cancel.into());
        }
        let firm = self.firm();
        self.refs[firm as usize] += 1;
        let side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        let enter = Enter {
            session: SessionId(firm),
            incarnation: Incarnation(1),
            user_ref: UserRef(self.refs[firm as usize]),
            account: AccountId(firm * 10 + self.below(u64::from(ACCOUNTS)) as u32),
            instrument: InstrumentId(1 + self.below(3) as u16),
            side,
            price: Price(95 + self.below(11) as i64),
            quantity: Quantity(1 + self.below(50)),
            ..Enter::default()
        };
        self.apply(enter.into())
    }
}
