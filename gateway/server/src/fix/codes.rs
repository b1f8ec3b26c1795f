//! The exchange's words and those of FIX 4.4, side by side (volume 4 and 6, by field). What 4.2 lacks of them the dialect leaves out.

use rialto_fix::session::AdminKind;
use rialto_model::{
    AuctionOnly, CancelReason, Capacity, Handling, OrderKind, Phase, RejectReason, ShortSale, Side, TimeInForce,
};

use super::order_table::{Order, is_pegged};

/// OrdStatus(39).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum OrdStatus {
    New = b'0',
    PartiallyFilled = b'1',
    Filled = b'2',
    Canceled = b'4',
    Rejected = b'8',
    Expired = b'C',
}

/// ExecType(150).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum ExecType {
    New = b'0',
    Canceled = b'4',
    Replaced = b'5',
    Rejected = b'8',
    Expired = b'C',
    Restated = b'D',
    Trade = b'F',
    Status = b'I',
    TradeCorrect = b'G',
    TradeCancel = b'H',
    Triggered = b'L',
}

/// LastLiquidityInd(851).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum LastLiquidity {
    Added = b'1',
    Removed = b'2',
}

/// ExecRestatementReason(378).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum RestatementReason {
    /// A good-till order stands again on a new day.
    Renewal = b'1',
    /// A peg has another price.
    Repricing = b'3',
    /// Its quantity was lowered by the exchange.
    PartialDecline = b'5',
    /// The market's doing, told by the Text beside it.
    MarketOption = b'8',
}

/// Side(54); `None` for those that are not offered.
pub(super) const fn side_in(side: u8) -> Option<(Side, ShortSale)> {
    match side {
        b'1' => Some((Side::Buy, ShortSale::None)),
        b'2' => Some((Side::Sell, ShortSale::None)),
        b'5' => Some((Side::Sell, ShortSale::Short)),
        b'6' => Some((Side::Sell, ShortSale::Exempt)),
        _ => None,
    }
}

pub(super) const fn side_out(side: Side, short: ShortSale) -> u8 {
    match (side, short) {
        (Side::Buy, _) => b'1',
        (Side::Sell, ShortSale::None) => b'2',
        (Side::Sell, ShortSale::Short) => b'5',
        (Side::Sell, ShortSale::Exempt) => b'6',
    }
}

/// OrdType(40) as the order now stands.
pub(super) const fn kind_out(order: &Order) -> u8 {
    let stop = order.is_waiting_stop();
    match order.kind {
        _ if stop && order.instructions.handling.has(Handling::TRAILING) => b'P',
        _ if is_pegged(&order.instructions) => b'P',
        OrderKind::Market if stop => b'3',
        OrderKind::Limit if stop => b'4',
        OrderKind::Market => b'1',
        OrderKind::Limit => b'2',
    }
}

/// TimeInForce(59).
pub(super) const fn tif_out(order: &Order) -> u8 {
    match order.tif {
        TimeInForce::Day => match order.instructions.auction {
            AuctionOnly::Any => b'0',
            AuctionOnly::Opening => b'2',
            AuctionOnly::Closing => b'7',
        },
        TimeInForce::GoodTillCancel if order.instructions.expires.0 != 0 => b'6',
        TimeInForce::GoodTillCancel => b'1',
        TimeInForce::ImmediateOrCancel => b'3',
        TimeInForce::FillOrKill => b'4',
    }
}

/// MassCancelRejectReason(532).
pub(crate) const fn mass_cancel_reject_reason(reason: RejectReason) -> u64 {
    match reason {
        RejectReason::UnknownInstrument => 1,
        _ => 99,
    }
}

/// SecurityTradingStatus(326); the later values are those of FIX 4.4.
pub(super) const fn trading_status(phase: Phase) -> u64 {
    match phase {
        Phase::Continuous => 17,
        Phase::PreOpen => 21,
        Phase::OpeningAuction => 22,
        // A price is being found, and indications of it are published.
        Phase::VolatilityAuction | Phase::ClosingAuction => 5,
        Phase::Halt | Phase::Suspended => 2,
        Phase::Closed | Phase::Delisted => 18,
    }
}

/// OrderCapacity(528).
pub(super) const fn capacity_in(capacity: Option<u8>) -> Capacity {
    match capacity {
        None => Capacity::Unspecified,
        Some(b'A') => Capacity::Agency,
        Some(b'P') => Capacity::Principal,
        Some(b'R') => Capacity::RisklessPrincipal,
        Some(_) => Capacity::Other,
    }
}

/// OrdRejReason(103).
pub(crate) const fn ord_rej_reason(reason: RejectReason) -> u64 {
    match reason {
        RejectReason::UnknownInstrument => 1,
        RejectReason::MarketClosed
        | RejectReason::NotInThisPhase
        | RejectReason::CircuitBroken
        | RejectReason::CancelOnly => 2,
        RejectReason::QuantityTooLarge
        | RejectReason::RiskOrderQuantity
        | RejectReason::RiskOrderNotional
        | RejectReason::RiskOpenOrders
        | RejectReason::RiskPosition
        | RejectReason::RiskCredit => 3,
        RejectReason::UnknownOrder | RejectReason::NotYours => 5,
        RejectReason::DuplicateClientId | RejectReason::RiskDuplicate => 6,
        RejectReason::NotSupported
        | RejectReason::TypeNotOffered
        | RejectReason::LifetimeNotOffered
        | RejectReason::InstructionNotOffered
        | RejectReason::DiscretionNotOffered
        | RejectReason::InstructionConflict => 11,
        RejectReason::QuantityZero
        | RejectReason::QuantityOffLot
        | RejectReason::QuantityTooSmall
        | RejectReason::DisplayInvalid
        | RejectReason::MinimumInvalid => 13,
        RejectReason::UnknownAccount => 15,
        RejectReason::TooLate
        | RejectReason::UnknownSession
        | RejectReason::SessionNotUp
        | RejectReason::PriceOffTick
        | RejectReason::PriceOutOfRange
        | RejectReason::PriceOutsideBands
        | RejectReason::UserRefJump
        | RejectReason::BookFull
        | RejectReason::ShortSaleOnBuy
        | RejectReason::BadDefinition
        | RejectReason::TriggerInvalid
        | RejectReason::ExpiryInvalid
        | RejectReason::PostOnlyWouldTrade
        | RejectReason::UnknownTrade
        | RejectReason::QuoteCrossed
        | RejectReason::ProtectionTripped
        | RejectReason::TradeUndone
        | RejectReason::TooManyUndone
        | RejectReason::FirmKilled
        | RejectReason::UnknownFlag
        | RejectReason::FlagRetired
        | RejectReason::FlagMisaimed
        | RejectReason::FlagFull
        | RejectReason::ParentsFull
        | RejectReason::RiskCollar
        | RejectReason::RiskUnpriced
        | RejectReason::FaultInjected
        | RejectReason::FaultUnsound
        | RejectReason::FaultOutOfPlace
        | RejectReason::OldDirectory
        | RejectReason::FirmOverRate
        | RejectReason::BudgetsUnsound
        | RejectReason::OverRate => 99,
    }
}

/// CxlRejReason(102).
pub(crate) const fn cxl_rej_reason(reason: RejectReason) -> u64 {
    match reason {
        RejectReason::TooLate => 0,
        RejectReason::UnknownOrder | RejectReason::NotYours => 1,
        RejectReason::DuplicateClientId => 6,
        _ => 99,
    }
}

/// QuoteStatus(297).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum QuoteStatus {
    Accepted = 0,
    CanceledForSymbols = 1,
    CanceledAll = 4,
    Rejected = 5,
    /// Taken off unasked.
    RemovedFromMarket = 6,
}

/// QuoteRejectReason(300) and QuoteEntryRejectReason(368).
pub(crate) const fn quote_reject_reason(reason: RejectReason) -> u64 {
    match reason {
        RejectReason::UnknownInstrument => 1,
        RejectReason::MarketClosed
        | RejectReason::NotInThisPhase
        | RejectReason::CircuitBroken
        | RejectReason::CancelOnly => 2,
        RejectReason::QuantityTooLarge | RejectReason::BookFull => 3,
        RejectReason::QuoteCrossed => 7,
        RejectReason::PriceOffTick | RejectReason::PriceOutOfRange | RejectReason::PriceOutsideBands => 8,
        RejectReason::TypeNotOffered | RejectReason::FirmKilled => 9,
        _ => 99,
    }
}

/// How a cancelled order ended, and what people are told of it. A cancel that its owner asked for needs no text.
pub(super) const fn ending(reason: CancelReason, by_owner: bool) -> (ExecType, OrdStatus, &'static str) {
    let text = match reason {
        CancelReason::Requested if by_owner => "",
        CancelReason::Requested => "cancelled by the exchange",
        CancelReason::Unfilled => "nothing more to trade with",
        CancelReason::NotFillable => "not fillable in full",
        CancelReason::DayEnded => "the trading day ended",
        CancelReason::SessionLost => "the session was lost",
        CancelReason::InvalidReplace => "invalid replace",
        CancelReason::ReplacedToNothing => "replaced to no more than was executed",
        CancelReason::Expired => "its date was reached",
        CancelReason::SelfTrade => "self-trade prevention",
        CancelReason::MassCancelled => "mass cancel",
        CancelReason::FirmKilled => "the firm's kill switch",
        CancelReason::AuctionOver => "its auction is over",
        CancelReason::OutsideBands => "its price lies beyond the limit bands",
        CancelReason::Requoted => "a new quote takes its place",
        CancelReason::KeptApart => "an order that is kept apart stands there",
        CancelReason::MarketMakerProtection => "market-maker protection",
        CancelReason::Delisted => "the instrument was delisted",
        CancelReason::MinimumNotMet => "less than the minimum quantity could trade",
    };
    match reason {
        CancelReason::DayEnded | CancelReason::Expired | CancelReason::AuctionOver => {
            (ExecType::Expired, OrdStatus::Expired, text)
        }
        _ => (ExecType::Canceled, OrdStatus::Canceled, text),
    }
}

/// What stands in a note for a session-level message: its MsgType.
pub(super) const fn note_of(kind: AdminKind) -> u8 {
    match kind {
        AdminKind::Logon { .. } => b'A',
        AdminKind::Heartbeat => b'0',
        AdminKind::TestRequest => b'1',
        AdminKind::ResendRequest => b'2',
        AdminKind::Reject => b'3',
        AdminKind::Logout => b'5',
    }
}

/// The note for one answer that waits has the MsgType of the answer; that for several at once, this bit and their count.
pub(super) const NOTE_ANSWERS: u8 = 0x80;
/// Most answers that one note numbers.
pub(super) const ANSWERS_PER_NOTE: usize = 0x7f;
/// The note for news of the market.
pub(super) const NOTE_MARKET: u8 = b'X';

/// How many messages take their number by a note, other than those of the session layer.
pub(super) const fn answers_of(note: u8) -> Option<usize> {
    match note {
        b'0' | b'1' | b'2' | b'3' | b'5' | NOTE_RELOGON | NOTE_RESET => None,
        many if many & NOTE_ANSWERS != 0 => Some((many & !NOTE_ANSWERS) as usize),
        _ => Some(1),
    }
}

/// The note for a Logon inside a session.
pub(super) const NOTE_RELOGON: u8 = b'A';
/// The same with ResetSeqNumFlag(141)=Y, at which both numbers restart: no MsgType of FIX, so that the stream tells them
/// apart.
pub(super) const NOTE_RESET: u8 = b'!';
