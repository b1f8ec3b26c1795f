//! What an order asks for: type, time in force, price, quantity and instructions, read from the tags that say it.
//!
//! | tag | becomes |
//! |---|---|
//! | 40 = 1 2 3 4, P | market, limit, stop, stop-limit; P with 18 = L (or a; 1094 = 8) and 211: a stop that trails the last trade |
//! | 40 = P with 18 = R or M (1094 = 5 or 2) | primary or midpoint peg up to the limit 44, hidden; 211 only as 0 |
//! | 59 = 0 1 2 3 4 6 7 | day, good-till-cancel, at the opening, immediate-or-cancel, fill-or-kill, good-till-date, at the close |
//! | 18 = 5 6, H Q o p | held, post-only; the session's cancel on disconnect is on (Q, o) or off (H, p) for this order |
//! | 99, 110, 126 or 432 | stop price, minimum quantity, expiry |
//! | 111, 210 or 1138 | displayed quantity; 0: hidden |
//! | 2362 or 7928 | self-trade group |
//! | 5001 = Y | a post-only order slides |
//! | 9768 = N | a replace's quantity is what is to be open, not the total |
//!
//! An order that says anything else in these tags is refused by name and never half understood.

use rialto_fix::message::{DecimalError, Message, parse_decimal, parse_unsigned};
use rialto_fix::{Tag, UtcTimestamp, tags};
use rialto_model::{
    AuctionOnly, Handling, Instructions, OrderKind, Part, Price, PriceScale, Quantity, RejectReason, TimeInForce,
    Timestamp, TradingDay,
};

pub(super) const MAX_SHOW: Tag = Tag(210);
pub(super) const PEG_OFFSET_VALUE: Tag = Tag(211);
const PEG_PRICE_TYPE: Tag = Tag(1094);
pub(super) const DISPLAY_QTY: Tag = Tag(1138);
pub(super) const SELF_MATCH_PREVENTION_ID: Tag = Tag(2362);
/// Tags of our own and of other exchanges, from the range that FIX leaves to its users.
const SLIDE: Tag = Tag(5001);
const SELF_MATCH_GROUP: Tag = Tag(7928);
const IN_FLIGHT_MITIGATION: Tag = Tag(9768);

/// Instructions that this exchange does not follow.
const NOT_OFFERED: [Tag; 3] = [
    Tag(388),  // DiscretionInst
    Tag(1092), // PriceProtectionScope
    Tag(1100), // TriggerType
];

/// What a peg may say of itself: it floats (835), its distance is one of prices (836) with nothing beyond (837), it is rounded
/// to the passive side (838) and follows this exchange's book (840).
const PEG_TERMS: [(Tag, &[u8]); 5] = [
    (Tag(835), b"0"),
    (Tag(836), b"0"),
    (Tag(837), b"0"),
    (Tag(838), b"2"),
    (Tag(840), b"1"),
];

/// What is wrong with an order.
pub(super) enum Fault {
    /// It lacks a field that it needs.
    Missing(Tag),
    /// It cannot be an order here.
    Reason(RejectReason),
}

/// Nothing like it is offered.
pub(super) const NOT_SUPPORTED: Fault = Fault::Reason(RejectReason::NotSupported);
const CONFLICT: Fault = Fault::Reason(RejectReason::InstructionConflict);

/// What an order and its replacement have in common.
pub(super) struct Terms {
    pub(super) kind: OrderKind,
    pub(super) tif: TimeInForce,
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    pub(super) instructions: Instructions,
    /// Whether it goes with its session, where it says so itself.
    pub(super) cancel_on_disconnect: Option<bool>,
    /// Its quantity is what shall be open.
    pub(super) quantity_is_open: bool,
}

/// What a price follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peg {
    /// The last trade.
    Last,
    /// The best displayed price of its side.
    Primary,
    /// The mean of the best ones.
    Midpoint,
}

/// ExecInst(18), and PegPriceType(1094) that says the same of a peg.
#[derive(Default)]
struct ExecInst {
    post_only: bool,
    /// What the order's price follows, where it follows one.
    peg: Option<Peg>,
    cancel_on_disconnect: Option<bool>,
}

pub(super) fn read(message: &Message<'_>, scale: PriceScale) -> Result<Terms, Fault> {
    if NOT_OFFERED.iter().any(|tag| message.get(*tag).is_some()) {
        return Err(NOT_SUPPORTED);
    }
    let exec_inst = exec_inst(message)?;
    let ord_type = message
        .character(tags::ORD_TYPE)
        .map_err(|_| Fault::Missing(tags::ORD_TYPE))?;
    let peg = match (ord_type, exec_inst.peg) {
        (b'P', Some(peg)) => Some(peg),
        (b'P', None) | (_, Some(_)) => return Err(NOT_SUPPORTED),
        _ => None,
    };
    let trailing = peg == Some(Peg::Last);
    let kind = match ord_type {
        b'1' | b'3' => OrderKind::Market,
        b'2' | b'4' => OrderKind::Limit,
        b'P' if trailing => OrderKind::Market,
        b'P' => OrderKind::Limit,
        _ => return Err(NOT_SUPPORTED),
    };
    let trigger = match ord_type {
        b'3' | b'4' => price(message, tags::STOP_PX, scale)?,
        b'P' if trailing => price(message, PEG_OFFSET_VALUE, scale)?,
        // No peg keeps a distance from what it follows.
        b'P' if message.get(PEG_OFFSET_VALUE).is_some() => match price(message, PEG_OFFSET_VALUE, scale) {
            Ok(Price(0)) => Price(0),
            _ => return Err(NOT_SUPPORTED),
        },
        _ if message.get(tags::STOP_PX).is_some() || message.get(PEG_OFFSET_VALUE).is_some() => return Err(CONFLICT),
        _ => Price(0),
    };
    if (trailing || matches!(ord_type, b'3' | b'4')) && trigger.0 == 0 {
        return Err(Fault::Reason(RejectReason::TriggerInvalid));
    }
    let (tif, auction, expires) = lifetime(message)?;
    let (display, hidden) = displayed(message)?;
    let pegged = peg.is_some() && !trailing;
    let handling = [
        (exec_inst.post_only, Handling::POST_ONLY),
        (message.is_set(SLIDE), Handling::SLIDE),
        // No peg follows another, so none is displayed.
        (hidden || pegged, Handling::HIDDEN),
        (peg == Some(Peg::Primary), Handling::PEG_PRIMARY),
        (peg == Some(Peg::Midpoint), Handling::PEG_MIDPOINT),
        (trailing, Handling::TRAILING),
    ];
    Ok(Terms {
        kind,
        tif,
        price: match kind {
            OrderKind::Market => Price(0),
            OrderKind::Limit => price(message, tags::PRICE, scale)?,
        },
        quantity: quantity(message)?,
        instructions: Instructions {
            handling: handling
                .into_iter()
                .filter(|(set, _)| *set)
                .fold(Handling::NONE, |all, (_, one)| all.with(one)),
            auction,
            group: group(message)?,
            display,
            minimum: part(message, tags::MIN_QTY, RejectReason::MinimumInvalid)?.unwrap_or(Part::ZERO),
            trigger,
            expires,
        },
        cancel_on_disconnect: exec_inst.cancel_on_disconnect,
        quantity_is_open: message.get(IN_FLIGHT_MITIGATION) == Some(b"N"),
    })
}

fn exec_inst(message: &Message<'_>) -> Result<ExecInst, Fault> {
    let mut read = ExecInst::default();
    for instruction in message
        .get(tags::EXEC_INST)
        .unwrap_or_default()
        .split(|&byte| byte == b' ')
    {
        match instruction {
            b"" | b"5" => {}
            b"6" => read.post_only = true,
            b"L" | b"a" => follow(&mut read, Peg::Last)?,
            b"R" => follow(&mut read, Peg::Primary)?,
            b"M" => follow(&mut read, Peg::Midpoint)?,
            b"Q" | b"o" => read.cancel_on_disconnect = Some(true),
            b"H" | b"p" => read.cancel_on_disconnect = Some(false),
            _ => return Err(NOT_SUPPORTED),
        }
    }
    match message.get(PEG_PRICE_TYPE) {
        None => {}
        Some(b"2") => follow(&mut read, Peg::Midpoint)?,
        Some(b"5") => follow(&mut read, Peg::Primary)?,
        Some(b"8") => follow(&mut read, Peg::Last)?,
        Some(_) => return Err(NOT_SUPPORTED),
    }
    let only = |(tag, value): &(Tag, &[u8])| message.get(*tag).is_none_or(|given| given == *value);
    if !PEG_TERMS.iter().all(only) {
        return Err(NOT_SUPPORTED);
    }
    Ok(read)
}

/// An order follows one price, however often it says so.
fn follow(read: &mut ExecInst, peg: Peg) -> Result<(), Fault> {
    if read.peg.is_some_and(|other| other != peg) {
        return Err(CONFLICT);
    }
    read.peg = Some(peg);
    Ok(())
}

/// TimeInForce(59), and what goes with it; absent is Day.
fn lifetime(message: &Message<'_>) -> Result<(TimeInForce, AuctionOnly, Timestamp), Fault> {
    let given = match message.get(tags::TIME_IN_FORCE) {
        None => b'0',
        Some(&[given]) => given,
        Some(_) => return Err(NOT_SUPPORTED),
    };
    let dated = message.get(tags::EXPIRE_TIME).is_some() || message.get(tags::EXPIRE_DATE).is_some();
    if dated && given != b'6' {
        return Err(CONFLICT);
    }
    let never = Timestamp(0);
    Ok(match given {
        b'0' => (TimeInForce::Day, AuctionOnly::Any, never),
        b'1' => (TimeInForce::GoodTillCancel, AuctionOnly::Any, never),
        b'2' => (TimeInForce::Day, AuctionOnly::Opening, never),
        b'3' => (TimeInForce::ImmediateOrCancel, AuctionOnly::Any, never),
        b'4' => (TimeInForce::FillOrKill, AuctionOnly::Any, never),
        b'6' => (TimeInForce::GoodTillCancel, AuctionOnly::Any, expiry(message)?),
        b'7' => (TimeInForce::Day, AuctionOnly::Closing, never),
        _ => return Err(NOT_SUPPORTED),
    })
}

/// ExpireTime(126), or the end of the day of ExpireDate(432) in UTC.
fn expiry(message: &Message<'_>) -> Result<Timestamp, Fault> {
    const INVALID: Fault = Fault::Reason(RejectReason::ExpiryInvalid);
    if let Some(time) = message.get(tags::EXPIRE_TIME) {
        let UtcTimestamp(time) = UtcTimestamp::parse(time).map_err(|_| INVALID)?;
        return Ok(Timestamp(time));
    }
    let date = message
        .get(tags::EXPIRE_DATE)
        .ok_or(Fault::Missing(tags::EXPIRE_DATE))?;
    let number = |from: usize, to: usize| {
        date.get(from..to)
            .and_then(parse_unsigned)
            .and_then(|n| u32::try_from(n).ok())
    };
    let (Some(year), Some(month), Some(day), 8) = (number(0, 4), number(4, 6), number(6, 8), date.len()) else {
        return Err(INVALID);
    };
    // 64 bits of nanoseconds end in 2554.
    let year = Some(year).filter(|year| *year < 2554).ok_or(INVALID)?;
    let day = TradingDay::from_civil(year, month, day).ok_or(INVALID)?;
    Ok(TradingDay(day.0 + 1).midnight_utc())
}

/// What is displayed at a time, and whether nothing is.
fn displayed(message: &Message<'_>) -> Result<(Part, bool), Fault> {
    for tag in [DISPLAY_QTY, tags::MAX_FLOOR, MAX_SHOW] {
        if let Some(display) = part(message, tag, RejectReason::DisplayInvalid)? {
            return Ok((display, display.is_zero()));
        }
    }
    Ok((Part::ZERO, false))
}

fn part(message: &Message<'_>, tag: Tag, reason: RejectReason) -> Result<Option<Part>, Fault> {
    let Some(given) = message.get(tag) else {
        return Ok(None);
    };
    parse_decimal(given, 0)
        .ok()
        .and_then(|quantity| u32::try_from(quantity).ok())
        .map(|quantity| Some(Part(quantity)))
        .ok_or(Fault::Reason(reason))
}

fn group(message: &Message<'_>) -> Result<u16, Fault> {
    match message.get(SELF_MATCH_PREVENTION_ID).or(message.get(SELF_MATCH_GROUP)) {
        None => Ok(0),
        Some(given) => parse_unsigned(given)
            .and_then(|group| u16::try_from(group).ok())
            .ok_or(NOT_SUPPORTED),
    }
}

/// A price or a distance of prices.
pub(super) fn price(message: &Message<'_>, tag: Tag, scale: PriceScale) -> Result<Price, Fault> {
    let given = message.get(tag).ok_or(Fault::Missing(tag))?;
    parse_decimal(given, u32::from(scale.0)).map(Price).map_err(|error| {
        Fault::Reason(match error {
            _ if tag != tags::PRICE => RejectReason::TriggerInvalid,
            DecimalError::TooManyDecimals { .. } => RejectReason::PriceOffTick,
            DecimalError::Overflow { .. } | DecimalError::Shape => RejectReason::PriceOutOfRange,
        })
    })
}

pub(super) fn quantity(message: &Message<'_>) -> Result<Quantity, Fault> {
    let given = message.get(tags::ORDER_QTY).ok_or(Fault::Missing(tags::ORDER_QTY))?;
    match parse_decimal(given, 0) {
        // Less than nothing is nothing.
        Ok(quantity) => Ok(Quantity(u64::try_from(quantity).unwrap_or(0))),
        Err(DecimalError::TooManyDecimals { .. } | DecimalError::Shape) => {
            Err(Fault::Reason(RejectReason::QuantityOffLot))
        }
        Err(DecimalError::Overflow { .. }) => Err(Fault::Reason(RejectReason::QuantityTooLarge)),
    }
}
