//! Outputs to follow, and messages as people read them.
#![allow(dead_code, reason = "each test takes what it needs")]

use rialto_itch::codes::{EventCode, TradingState};
use rialto_itch::mold::{Content, Packet};
use rialto_itch::{Header, Message, Side};
use rialto_model::event::{
    Accepted, Booked, Cancelled, DayEnded, DayStarted, Executed, InstrumentListed, Reduced, Released, Replaced,
};
use rialto_model::{
    Epoch, Event, InstrumentId, Mpid, Output, Price, PriceScale, PublicRef, Quantity, ReleaseNumber, SequenceNumber,
    Sequenced, Symbol, Timestamp, TradeId, TradingDay, VenueId,
};
use rialto_publisher::Publisher;

/// 2012-06-21.
pub(crate) const DAY: TradingDay = TradingDay(15_512);
/// Half past nine in nanoseconds.
pub(crate) const OPEN_NS: u64 = 34_200_000_000_000;

/// Puts numbers, stamps and epochs around events, one command after another, a microsecond apart.
pub(crate) struct Script {
    pub(crate) seq: u64,
    pub(crate) epoch: u32,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self { seq: 0, epoch: 1 }
    }

    /// The outputs of the next command.
    pub(crate) fn command(&mut self, events: &[Event]) -> Vec<Output> {
        self.seq += 1;
        let output = |(place, body): (usize, &Event)| Output {
            event: Sequenced {
                seq: SequenceNumber(self.seq),
                stamp: Timestamp(DAY.midnight_utc().0 + OPEN_NS + 1_000 * self.seq),
                epoch: Epoch(self.epoch),
                body: *body,
            },
            last: place + 1 == events.len(),
        };
        events.iter().enumerate().map(output).collect()
    }

    /// A venue with GOOG as its first instrument and its day open.
    pub(crate) fn opening(&mut self) -> Vec<Output> {
        let mut outputs = self.command(&[released(7)]);
        outputs.extend(self.command(&[day_started(DAY), listed(1, "GOOG", 4)]));
        outputs
    }
}

pub(crate) fn released(venue: u32) -> Event {
    Event::Released(Released {
        venue: VenueId(venue),
        release: ReleaseNumber(1),
    })
}

pub(crate) fn day_started(day: TradingDay) -> Event {
    let midnight = day.midnight_utc();
    Event::DayStarted(DayStarted { day, midnight })
}

pub(crate) fn day_ended() -> Event {
    Event::DayEnded(DayEnded { day: DAY })
}

pub(crate) fn listed(instrument: u16, symbol: &str, scale: u8) -> Event {
    Event::InstrumentListed(InstrumentListed {
        instrument: InstrumentId(instrument),
        symbol: Symbol::new(symbol).expect("a symbol"),
        scale: PriceScale(scale),
        tick: Price(100),
        price_max: Price(10_000_000),
        lot: Quantity(1),
        quantity_max: Quantity(1_000_000),
        trading: true,
    })
}

const ONE: InstrumentId = InstrumentId(1);

pub(crate) fn accepted(side: rialto_model::Side, reference: u64, quantity: u64, price: i64, rests: bool) -> Accepted {
    Accepted {
        instrument: ONE,
        side,
        public_ref: PublicRef(reference),
        quantity: Quantity(quantity),
        price: Price(price),
        rests,
        ..Accepted::default()
    }
}

pub(crate) fn booked(side: rialto_model::Side, reference: u64, quantity: u64, price: i64) -> Booked {
    Booked {
        instrument: ONE,
        side,
        public_ref: PublicRef(reference),
        quantity: Quantity(quantity),
        price: Price(price),
        ..Booked::default()
    }
}

pub(crate) fn executed(maker: u64, quantity: u64, trade: u64) -> Event {
    Event::Executed(Executed {
        instrument: ONE,
        maker_public_ref: PublicRef(maker),
        quantity: Quantity(quantity),
        trade: TradeId(trade),
        ..Executed::default()
    })
}

pub(crate) fn reduced(reference: u64, removed: u64) -> Event {
    Event::Reduced(Reduced {
        instrument: ONE,
        public_ref: PublicRef(reference),
        removed: Quantity(removed),
        removed_shown: Quantity(removed),
        ..Reduced::default()
    })
}

pub(crate) fn cancelled(reference: u64, rested: bool) -> Event {
    Event::Cancelled(Cancelled {
        instrument: ONE,
        public_ref: PublicRef(reference),
        removed: Quantity(50),
        rested,
        ..Cancelled::default()
    })
}

/// From one reference, quantity to another, at 5.0000.
pub(crate) fn replaced(from: (u64, u64), to: (u64, u64), rests: bool) -> Event {
    Event::Replaced(Replaced {
        instrument: ONE,
        old_public_ref: PublicRef(from.0),
        old_quantity: Quantity(from.1),
        public_ref: PublicRef(to.0),
        quantity: Quantity(to.1),
        price: Price(50_000),
        rests,
        ..Replaced::default()
    })
}

pub(crate) fn mpid(text: &str) -> Mpid {
    Mpid::new(text).expect("an mpid")
}

/// Every packet there is, the last one full or not.
pub(crate) fn packets(publisher: &mut Publisher) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut packet = Vec::new();
    while let Some(count) = publisher.poll_packet(true, &mut packet) {
        assert_eq!(Packet::parse(&packet).expect("a packet").count(), count);
        packets.push(packet.clone());
    }
    packets
}

/// The messages of a packet with their numbers.
pub(crate) fn numbered(packet: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let packet = Packet::parse(packet).expect("a packet");
    assert_eq!(packet.content(), Content::Messages);
    packet
        .blocks()
        .map(|(sequence, bytes)| (sequence.0, bytes.to_vec()))
        .collect()
}

/// The messages that an output comes to, which are polled.
pub(crate) fn messages(publisher: &mut Publisher, output: &Output) -> Vec<Message> {
    publisher.follow(output);
    packets(publisher)
        .iter()
        .flat_map(|packet| numbered(packet))
        .map(|(_, bytes)| Message::decode(&bytes).expect("a message"))
        .collect()
}

/// A message in one line: type, instrument, what a person wants to know.
pub(crate) fn say(message: &Message) -> String {
    let Header { locate, .. } = message.header();
    let side = |side| if side == Side::Buy { "buy" } else { "sell" };
    let what = match message {
        Message::SystemEvent(m) => match m.event {
            EventCode::StartOfMessages => "start of messages".into(),
            EventCode::StartOfSystemHours => "start of system hours".into(),
            EventCode::StartOfMarketHours => "start of market hours".into(),
            EventCode::EndOfMarketHours => "end of market hours".into(),
            EventCode::EndOfSystemHours => "end of system hours".into(),
            EventCode::EndOfMessages => "end of messages".into(),
        },
        Message::StockDirectory(m) => format!("{} lot {}", m.stock, m.round_lot_size.0),
        Message::StockTradingAction(m) => {
            let state = match m.state {
                TradingState::Trading => "trading",
                TradingState::QuotationOnly => "quoting",
                TradingState::Paused => "paused",
                TradingState::Halted => "not trading",
            };
            let said = format!("{} {state} {}", m.stock, m.reason);
            said.trim_end().to_owned()
        }
        Message::RegShoRestriction(m) => format!("{} {:?}", m.stock, m.action),
        Message::LuldAuctionCollar(m) => format!(
            "{} {} to {} around {}",
            m.stock,
            m.lower_price.units(),
            m.upper_price.units(),
            m.reference_price.units()
        ),
        Message::MwcbDeclineLevels(m) => {
            let levels = [m.level_1, m.level_2, m.level_3].map(|level| (level.0 / 100_000_000).to_string());
            format!("levels {}", levels.join(" "))
        }
        Message::AddOrder(m) => format!(
            "#{} {} {} {} {}",
            m.reference.0,
            side(m.side),
            m.shares.0,
            m.stock,
            m.price.units()
        ),
        Message::AddOrderAttributed(m) => format!(
            "#{} {} {} {} {} {}",
            m.reference.0,
            side(m.side),
            m.shares.0,
            m.stock,
            m.price.units(),
            m.attribution
        ),
        Message::OrderExecuted(m) => format!("#{} {} trade {}", m.reference.0, m.shares.0, m.match_number.0),
        Message::OrderCancel(m) => format!("#{} {}", m.reference.0, m.shares.0),
        Message::OrderDelete(m) => format!("#{}", m.reference.0),
        Message::OrderReplace(m) => format!(
            "#{} #{} {} {}",
            m.original_reference.0,
            m.new_reference.0,
            m.shares.0,
            m.price.units()
        ),
        Message::Trade(m) => format!(
            "{} {} {} trade {}",
            m.shares.0,
            m.stock,
            m.price.units(),
            m.match_number.0
        ),
        Message::OrderExecutedWithPrice(m) => format!(
            "#{} {} {} trade {} {:?}",
            m.reference.0,
            m.shares.0,
            m.price.units(),
            m.match_number.0,
            m.printable
        ),
        Message::CrossTrade(m) => format!(
            "{:?} {} {} trade {}",
            m.cross_type,
            m.shares.0,
            m.price.units(),
            m.match_number.0
        ),
        Message::MwcbStatus(m) => format!("{:?}", m.breached),
        Message::BrokenTrade(m) => format!("trade {}", m.match_number.0),
        Message::NetOrderImbalance(m) => format!(
            "{:?} {} paired {} over {:?} near {} reference {} {:?}",
            m.cross_type,
            m.paired_shares.0,
            m.imbalance_shares.0,
            m.direction,
            m.near_price.units(),
            m.reference_price.units(),
            m.variation
        ),
        other => format!("{other:?}"),
    };
    format!("{}{} {what}", char::from(message.message_type()), locate.0)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
