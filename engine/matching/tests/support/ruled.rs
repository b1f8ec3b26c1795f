//! Random commands of everything that a rulebook brings, most of them valid.

use super::flow::{Flow, INSTRUMENTS};
use rialto_model::command::*;
use rialto_model::*;

impl Flow {
    /// A command that only an instrument or a firm with rules has a use for; `None` for a plain one.
    pub(super) fn ruled_body(&mut self) -> Option<Command> {
        for at in 1..4 {
            if self.versions[at] == 0 && self.random.one_in(3) {
                return Some(self.set_rulebook(at));
            }
        }
        if self.halted && self.random.one_in(60) {
            return Some(
                BreakCircuit {
                    level: BreakerLevel::None,
                }
                .into(),
            );
        }
        Some(match self.random.below(1_000) {
            0..=1 => {
                let at = self.random.below(4) as usize;
                self.set_rulebook(at)
            }
            2..=3 => self.set_ticks(),
            4..=5 => SetSelfTrade {
                firm: FirmId(self.random.below(5) as u32),
                mode: *self.random.pick(SelfTrade::ALL),
            }
            .into(),
            6..=10 => SetKillSwitch {
                firm: FirmId(self.random.below(5) as u32),
                killed: self.random.one_in(8),
            }
            .into(),
            11..=13 => self.mass_cancel(),
            14..=24 => self.set_phase(),
            25..=27 => self.set_bands(),
            401..=403 => self.set_fees(),
            404..=406 => self.set_allocation(),
            407..=412 => self.undo(),
            28 => BreakCircuit {
                level: *self.random.pick(BreakerLevel::ALL),
            }
            .into(),
            29..=400 => self.enter_special(),
            413..=480 => self.replace_special(),
            481..=500 => self.mass_quote(),
            507..=510 if self.cancels_only => CancelOnly {
                on: self.random.one_in(12),
            }
            .into(),
            501..=506 => self.quoting(),
            511 => self.deploying(),
            512..=516 if self.flagged => self.switch_flag(),
            517 if self.flagged => self.runaway(),
            _ => return None,
        })
    }

    /// What is said of a second engine, which no engine minds.
    fn deploying(&mut self) -> Command {
        let build = self.seq % 3;
        match self.seq % 9 {
            0 => CutOver {
                cut: Cut {
                    build,
                    green: self.seq.is_multiple_of(3),
                    ..Cut::default()
                },
                ..CutOver::default()
            }
            .into(),
            1 => Route {
                way: Way {
                    build,
                    instrument: InstrumentId((self.seq % 5) as u16),
                    candidate: self.seq.is_multiple_of(3),
                },
                ..Route::default()
            }
            .into(),
            2 => Judge {
                finding: Finding {
                    build,
                    ..Finding::default()
                },
                ..Judge::default()
            }
            .into(),
            3 => RouteDoor {
                lane: Lane {
                    build,
                    share: (self.seq % 10_000) as u16,
                    ..Lane::default()
                },
                ..RouteDoor::default()
            }
            .into(),
            4 => JudgeDoor {
                opinion: Opinion {
                    build,
                    ..Opinion::default()
                },
                ..JudgeDoor::default()
            }
            .into(),
            5 => RouteFeed {
                audience: Audience {
                    build,
                    share: (self.seq % 10_000) as u16,
                    ..Audience::default()
                },
                ..RouteFeed::default()
            }
            .into(),
            6 => JudgeFeed {
                hearing: Hearing {
                    build,
                    ..Hearing::default()
                },
                ..JudgeFeed::default()
            }
            .into(),
            7 => Recall {
                reach: Reach {
                    build,
                    ..Reach::default()
                },
                ..Recall::default()
            }
            .into(),
            _ => Quarantine {
                poison: Poison {
                    build,
                    ..Poison::default()
                },
            }
            .into(),
        }
    }

    fn set_rulebook(&mut self, at: usize) -> Command {
        let (tick, _, lot, quantity_max) = INSTRUMENTS[at];
        let mut offers = Offers::ALL;
        if self.random.one_in(3) {
            offers.0 &= !(1 << self.random.below(25));
        }
        let mut rulebook = Rulebook {
            offers,
            lot: Quantity(lot * (1 + self.random.below(2))),
            quantity_min: Quantity(lot * self.random.below(3)),
            quantity_max: Quantity(quantity_max / 10),
            self_trade: *self.random.pick(SelfTrade::ALL),
            protection: Price(tick * self.random.below(4) as i64),
        };
        match self.random.below(30) {
            0 => rulebook.lot = Quantity(0),
            1 => rulebook.lot.0 += 1,
            2 => rulebook.quantity_max = Quantity(quantity_max + 1),
            3 => rulebook.quantity_min = Quantity(quantity_max),
            4 => rulebook.protection = Price(-tick),
            5 => rulebook.protection.0 += 1,
            6 => rulebook.offers.0 |= 1 << 31,
            7 => rulebook.quantity_max = Quantity(1),
            _ => {}
        }
        SetRulebook {
            instrument: InstrumentId(at as u16 + 1 + u16::from(self.random.one_in(40))),
            version: self.versions[at] + 1 + u32::from(self.random.one_in(20)),
            rulebook,
        }
        .into()
    }

    fn set_ticks(&mut self) -> Command {
        let at = self.random.below(4) as usize;
        let tick = INSTRUMENTS[at].0 as u32;
        let middle = self.middle[at] as u32 / 4 * 4 * tick;
        let mut ticks = TickTable::default();
        if !self.random.one_in(4) {
            ticks.0[0].tick = tick;
            ticks.0[1] = TickRow {
                from: middle,
                tick: tick * 2,
            };
        }
        match self.random.below(20) {
            0 => ticks.0[0].from = 1,
            1 => ticks.0[1].from += 1,
            2 => ticks.0[1].tick += 1,
            3 => ticks.0[5].tick = tick,
            4 => ticks.0[3].from = 1,
            _ => {}
        }
        SetTicks {
            instrument: InstrumentId(at as u16 + 1),
            version: self.versions[at] + 1 + u32::from(self.random.one_in(20)),
            ticks,
        }
        .into()
    }

    /// Narrow, so that they are met, and of short times.
    fn set_bands(&mut self) -> Command {
        let at = 1 + self.random.below(3) as usize;
        let tick = INSTRUMENTS[at].0;
        let mut maybe = |list: &[u32]| {
            if self.random.one_in(2) {
                *self.random.pick(list)
            } else {
                0
            }
        };
        let mut bands = Bands {
            reference: Price(0),
            collar: maybe(&[2_000, 5_000, 9_999]),
            interruption: maybe(&[1_000, 3_000, 5_000]),
            limit: maybe(&[1_000, 2_500, 5_000]),
            window: 10,
            limit_state: 1,
            pause: 1,
        };
        // As with phases: no auction where there are too many ticks to try.
        if at < 2 {
            (bands.interruption, bands.limit) = (0, 0);
        }
        if self.random.one_in(2) {
            bands.reference = Price(self.middle[at] * tick);
        }
        match self.random.below(20) {
            0 => bands.collar = 10_001,
            1 => bands.reference.0 += 1,
            2 => bands.window = 15,
            3 => bands.limit_state = 0,
            4 => bands.pause = 0,
            5 => bands.pause = 86_400_001,
            6 => bands.reference = Price(-tick),
            7 => bands.window = 0,
            _ => {}
        }
        SetBands {
            instrument: InstrumentId(at as u16 + 1),
            version: self.versions[at] + 1 + u32::from(self.random.one_in(20)),
            bands,
        }
        .into()
    }

    fn mass_quote(&mut self) -> Command {
        let (session, incarnation) = self.from();
        let mut quotes = Quotes::default();
        for quote in &mut quotes.0 {
            if self.random.one_in(3) {
                continue;
            }
            let at = 1 + self.random.below(3) as usize;
            let lot = INSTRUMENTS[at].2 as u32;
            let mut part = || Part(lot * self.random.below(6) as u32 + u32::from(self.random.one_in(60)));
            let (bid_quantity, ask_quantity) = (part(), part());
            let (mut bid, mut ask) = (self.price(at, Side::Buy).0 as u32, self.price(at, Side::Sell).0 as u32);
            if bid > ask && !self.random.one_in(9) {
                (bid, ask) = (ask, bid);
            }
            *quote = Quote {
                instrument: InstrumentId(at as u16 + 1 + 3 * u16::from(self.random.one_in(90))),
                bid,
                bid_quantity,
                ask,
                ask_quantity,
            };
        }
        MassQuote {
            session,
            incarnation,
            inbound: self.inbound(),
            user_ref: self.user_ref(session),
            quotes,
            client_id: self.client_id(),
        }
        .into()
    }

    /// What a market maker does beside quoting.
    fn quoting(&mut self) -> Command {
        let (session, incarnation) = self.from();
        let (inbound, client_id) = (self.inbound(), self.client_id());
        let instrument = InstrumentId(self.random.below(5) as u16);
        match self.random.below(4) {
            0 => CancelQuotes {
                session,
                incarnation,
                inbound,
                instrument,
                client_id,
            }
            .into(),
            1 => {
                let mut maybe = |n: u64| {
                    if self.random.one_in(2) {
                        self.random.below(n) as u32
                    } else {
                        0
                    }
                };
                let limits = QuoteLimits {
                    window: maybe(3),
                    quantity: Part(maybe(2_000)),
                    count: maybe(6),
                    delta: Part(maybe(1_000)),
                };
                SetProtection { session, limits }.into()
            }
            _ => ResetProtection {
                session,
                incarnation,
                inbound,
                instrument,
            }
            .into(),
        }
    }

    fn set_fees(&mut self) -> Command {
        let at = self.random.below(4) as usize;
        let mut unit = || Money(self.random.below(7_000) as i64 - 3_000);
        let (maker_unit, taker_unit, cross_unit) = (unit(), unit(), unit());
        let mut rate = || Rate(self.random.below(20_003) as i64 - 10_001);
        let mut fees = Fees {
            maker_unit,
            maker_rate: rate(),
            taker_unit,
            taker_rate: rate(),
            cross_unit,
            cross_rate: rate(),
        };
        if self.random.one_in(20) {
            fees.taker_unit = Money(-1_000_000_001);
        }
        SetFees {
            instrument: InstrumentId(at as u16 + 1),
            version: self.versions[at] + 1 + u32::from(self.random.one_in(20)),
            fees,
        }
        .into()
    }

    fn set_allocation(&mut self) -> Command {
        let at = self.random.below(4) as usize;
        let lot = INSTRUMENTS[at].2 as u32;
        let rule = *self.random.pick(AllocationRule::ALL);
        let mut allocation = Allocation {
            rule,
            ..Allocation::default()
        };
        let spoilt = self.random.one_in(20);
        if rule != AllocationRule::Fifo || spoilt {
            allocation.minimum = Part(lot * self.random.below(3) as u32);
        }
        if rule == AllocationRule::TopProRata || spoilt {
            allocation.top_max = Part(lot * self.random.below(3) as u32 + u32::from(self.random.one_in(30)));
        }
        if rule == AllocationRule::Split || spoilt {
            allocation.fifo_percent = self.random.below(103) as u8;
        }
        SetAllocation {
            instrument: InstrumentId(at as u16 + 1),
            version: self.versions[at] + 1 + u32::from(self.random.one_in(20)),
            allocation,
        }
        .into()
    }

    /// Undoes a trade of late, or one that never was.
    fn undo(&mut self) -> Command {
        let mut deal = match self.deals.len() {
            0 => Deal::default(),
            count => self.deals[self.random.below(count as u64) as usize],
        };
        let mut instrument = InstrumentId((deal.trade.0 >> 48) as u16);
        match self.random.below(40) {
            0 => deal.trade.0 += 1 << 20,
            1 => instrument.0 += 1,
            2 => deal.taker_session = SessionId(99),
            3 => deal.trade.0 &= !0xffff_ffff_ffff,
            _ => {}
        }
        if self.random.one_in(2) {
            return BustTrade { instrument, deal }.into();
        }
        let at = usize::from(instrument.0).saturating_sub(1).min(3);
        CorrectTrade {
            instrument,
            deal,
            price: self.price(at, Side::Buy),
            quantity: self.quantity(at),
        }
        .into()
    }

    /// Instruments 3 and 4 go through phases: the naive engine tries every tick, and theirs are few.
    fn set_phase(&mut self) -> Command {
        let at = 2 + self.random.below(2) as usize;
        // Out of a phase in which nothing happens soon.
        let stuck = !self.phases[at].takes_orders() && self.random.one_in(2);
        let phase = match self.random.below(10) {
            _ if stuck => Phase::Continuous,
            0..=3 => Phase::Continuous,
            _ => *self.random.pick(&Phase::ALL[1..8]),
        };
        // The second of the venue's instruments is delisted some day.
        let (at, phase) = match self.random.below(200) {
            0 if self.seq > 180_000 => (1, Phase::Delisted),
            _ => (at, phase),
        };
        SetPhase {
            instrument: InstrumentId(at as u16 + 1 + 3 * u16::from(self.random.one_in(200))),
            phase,
        }
        .into()
    }

    fn mass_cancel(&mut self) -> Command {
        let (session, incarnation) = self.from();
        let mut maybe = |n: u64| if self.random.one_in(3) { self.random.below(n) } else { 0 };
        let (account, instrument, firm) = (maybe(6) as u32, maybe(6) as u16, maybe(5) as u32);
        let session = if self.random.one_in(4) { SessionId(0) } else { session };
        MassCancel {
            session,
            incarnation,
            inbound: self.inbound(),
            whole_firm: self.random.one_in(2),
            firm: FirmId(if session.0 == 0 || self.random.one_in(9) {
                firm
            } else {
                0
            }),
            account: AccountId(account),
            instrument: InstrumentId(instrument),
            side: *self.random.pick(SideFilter::ALL),
            client_id: self.client_id(),
        }
        .into()
    }

    fn enter_special(&mut self) -> Command {
        let Command::Enter(mut plain) = self.enter() else {
            unreachable!("enter makes an order")
        };
        if plain.instrument == InstrumentId(1) && !self.random.one_in(20) {
            plain.instrument = InstrumentId(2 + self.random.below(3) as u16);
        }
        let at = usize::from(plain.instrument.0).saturating_sub(1).min(3);
        let mut c = EnterSpecial::plain(&plain);
        c.price = self.price(at, c.side);
        c.quantity = self.quantity(at);
        c.instructions = self.instructions(at, c.side, c.quantity, &mut c.kind, &mut c.tif);
        c.into()
    }

    fn replace_special(&mut self) -> Command {
        let Command::Replace(plain) = self.replace() else {
            unreachable!("replace makes a replace")
        };
        let at = self.random.below(4) as usize;
        let side = *self.random.pick(&[Side::Buy, Side::Sell]);
        let mut c = ReplaceSpecial::plain(&plain, Instructions::NONE);
        c.instructions = self.instructions(at, side, c.quantity, &mut c.kind, &mut c.tif);
        c.into()
    }

    fn instructions(
        &mut self,
        at: usize,
        side: Side,
        quantity: Quantity,
        kind: &mut OrderKind,
        tif: &mut TimeInForce,
    ) -> Instructions {
        let (tick, _, lot, _) = INSTRUMENTS[at];
        let mut asked = Instructions::NONE;
        let part = Part((lot * (1 + self.random.below(3)).min(quantity.0 / lot.max(1))) as u32);
        let which = self.random.below(22);
        if !matches!(which, 5 | 15) && !self.random.one_in(12) {
            *tif = *self.random.pick(&[TimeInForce::Day, TimeInForce::GoodTillCancel]);
            *kind = if matches!(which, 6 | 8) {
                OrderKind::Market
            } else {
                OrderKind::Limit
            };
        }
        // Stops stand where the market is about to go.
        let trigger = self.price(at, side.opposite());
        match which {
            0 => asked.handling = Handling::POST_ONLY,
            1 => asked.handling = Handling::POST_ONLY.with(Handling::SLIDE),
            2 => asked.handling = Handling::HIDDEN,
            3 | 4 => asked.display = part,
            5 => asked.minimum = part,
            6 | 7 => asked.trigger = trigger,
            8 => {
                asked.handling = Handling::TRAILING;
                asked.trigger = Price(tick * self.random.below(5) as i64);
            }
            9 => *tif = TimeInForce::GoodTillCancel,
            10 => {
                asked.handling = Handling::POST_ONLY.with(Handling::HIDDEN);
            }
            11 => {
                asked.handling = Handling::POST_ONLY.with(Handling::SLIDE);
                asked.display = part;
            }
            12 => {
                asked.trigger = trigger;
                asked.display = part;
            }
            13 => {
                asked.trigger = trigger;
                asked.handling = Handling::HIDDEN;
            }
            14 => {
                asked.handling = Handling(self.random.below(256) as u16);
                asked.display = Part(self.random.below(2) as u32 * part.0);
                asked.trigger = Price(self.random.below(2) as i64 * trigger.0);
            }
            18 | 19 => asked.handling = Handling::HIDDEN.with(Handling::PEG_PRIMARY),
            20 | 21 => asked.handling = Handling::HIDDEN.with(Handling::PEG_MIDPOINT),
            16 | 17 => {
                asked.auction = *self.random.pick(&AuctionOnly::ALL[1..]);
                *tif = TimeInForce::Day;
                if self.random.one_in(3) {
                    *kind = OrderKind::Market;
                }
                return asked;
            }
            _ => {}
        }
        if which == 9 || (*tif == TimeInForce::GoodTillCancel && self.random.one_in(4)) || self.random.one_in(100) {
            let now = self.seq * 1_000;
            asked.expires = Timestamp((now + self.random.below(200_000)).saturating_sub(20_000));
        }
        if self.random.one_in(4) {
            asked.group = self.random.below(2) as u16;
        }
        match self.random.below(60) {
            0 => asked.display.0 += 1,
            1 => asked.minimum = Part((quantity.0 + lot) as u32),
            2 => asked.trigger.0 += 1,
            3 => asked.display = Part((quantity.0 + lot) as u32),
            4 => asked.auction = *self.random.pick(AuctionOnly::ALL),
            5 => asked.minimum.0 += 1,
            _ => {}
        }
        asked
    }
}
