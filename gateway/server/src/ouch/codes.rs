//! The exchange's words and OUCH 5.0's, side by side (OUCH 5.0, section 2 and appendices C, D, E).

use rialto_model::{CancelReason, Capacity, RejectReason, ShortSale, Side, TimeInForce};
use rialto_ouch::messages as ouch;

/// Side and short-sale mark of an OUCH side.
pub(super) const fn side_in(side: ouch::Side) -> (Side, ShortSale) {
    match side {
        ouch::Side::Buy => (Side::Buy, ShortSale::None),
        ouch::Side::Sell => (Side::Sell, ShortSale::None),
        ouch::Side::SellShort => (Side::Sell, ShortSale::Short),
        ouch::Side::SellShortExempt => (Side::Sell, ShortSale::Exempt),
    }
}

/// The OUCH side of a side and its mark.
pub(super) const fn side_out(side: Side, short: ShortSale) -> ouch::Side {
    match (side, short) {
        (Side::Buy, _) => ouch::Side::Buy,
        (Side::Sell, ShortSale::None) => ouch::Side::Sell,
        (Side::Sell, ShortSale::Short) => ouch::Side::SellShort,
        (Side::Sell, ShortSale::Exempt) => ouch::Side::SellShortExempt,
    }
}

pub(super) const fn capacity_in(capacity: ouch::Capacity) -> Capacity {
    match capacity {
        ouch::Capacity::Agency => Capacity::Agency,
        ouch::Capacity::Principal => Capacity::Principal,
        ouch::Capacity::RisklessPrincipal => Capacity::RisklessPrincipal,
        ouch::Capacity::Other => Capacity::Other,
    }
}

pub(super) const fn capacity_out(capacity: Capacity) -> ouch::Capacity {
    match capacity {
        Capacity::Agency => ouch::Capacity::Agency,
        Capacity::Principal => ouch::Capacity::Principal,
        Capacity::RisklessPrincipal => ouch::Capacity::RisklessPrincipal,
        Capacity::Other | Capacity::Unspecified => ouch::Capacity::Other,
    }
}

/// Fill-or-kill is immediate-or-cancel with a minimum of the whole quantity; OUCH has no good-till-cancel.
pub(super) const fn time_in_force_out(tif: TimeInForce) -> ouch::TimeInForce {
    match tif {
        TimeInForce::Day | TimeInForce::GoodTillCancel => ouch::TimeInForce::Day,
        TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill => ouch::TimeInForce::ImmediateOrCancel,
    }
}

/// Appendix C. `by_owner`: the owner's own connection asked, and not the exchange's staff.
pub(super) const fn cancel_reason(reason: CancelReason, by_owner: bool) -> ouch::CancelReason {
    match reason {
        CancelReason::Requested if !by_owner => ouch::CancelReason::Supervisory,
        CancelReason::Requested | CancelReason::InvalidReplace | CancelReason::ReplacedToNothing => {
            ouch::CancelReason::UserRequested
        }
        CancelReason::MassCancelled | CancelReason::Requoted => ouch::CancelReason::UserRequested,
        CancelReason::Unfilled | CancelReason::NotFillable | CancelReason::MinimumNotMet => {
            ouch::CancelReason::ImmediateOrCancel
        }
        CancelReason::DayEnded | CancelReason::Expired | CancelReason::AuctionOver => ouch::CancelReason::Timeout,
        CancelReason::SessionLost | CancelReason::Delisted | CancelReason::OutsideBands | CancelReason::KeptApart => {
            ouch::CancelReason::System
        }
        CancelReason::SelfTrade => ouch::CancelReason::SelfMatchPrevention,
        CancelReason::FirmKilled | CancelReason::MarketMakerProtection => ouch::CancelReason::Supervisory,
    }
}

/// Appendix D; `None` where there is no answer: the connection that asked is gone, and the reference is not used up.
pub(crate) const fn reject_reason(reason: RejectReason) -> Option<ouch::RejectReason> {
    Some(match reason {
        RejectReason::UnknownSession | RejectReason::SessionNotUp => return None,
        RejectReason::MarketClosed => ouch::RejectReason::DestinationClosed,
        RejectReason::NotInThisPhase | RejectReason::CircuitBroken | RejectReason::CancelOnly => {
            ouch::RejectReason::Halted
        }
        RejectReason::UnknownInstrument => ouch::RejectReason::InvalidSymbol,
        RejectReason::PriceOffTick | RejectReason::PriceOutOfRange | RejectReason::PriceOutsideBands => {
            ouch::RejectReason::InvalidPrice
        }
        RejectReason::QuantityZero | RejectReason::QuantityOffLot | RejectReason::QuantityTooSmall => {
            ouch::RejectReason::InvalidQuantity
        }
        RejectReason::DisplayInvalid => ouch::RejectReason::InvalidMaxFloor,
        RejectReason::MinimumInvalid => ouch::RejectReason::InvalidMinQuantity,
        RejectReason::TriggerInvalid => ouch::RejectReason::InvalidPrice,
        RejectReason::QuantityTooLarge => ouch::RejectReason::SharesExceedThreshold,
        RejectReason::UnknownAccount | RejectReason::NotYours | RejectReason::FirmKilled => {
            ouch::RejectReason::FirmNotAuthorized
        }
        RejectReason::RiskOrderQuantity => ouch::RejectReason::SharesExceedThreshold,
        RejectReason::RiskOrderNotional => ouch::RejectReason::ExceedsMaximumNotional,
        RejectReason::RiskCollar => ouch::RejectReason::RiskFatFinger,
        RejectReason::RiskOpenOrders | RejectReason::RiskPosition | RejectReason::RiskCredit => {
            ouch::RejectReason::RiskAggregateExposure
        }
        RejectReason::RiskDuplicate => ouch::RejectReason::RiskDuplicateMessageRate,
        RejectReason::RiskUnpriced => ouch::RejectReason::RiskOrderTypeRestricted,
        RejectReason::BookFull => ouch::RejectReason::ProcessingError,
        RejectReason::ShortSaleOnBuy => ouch::RejectReason::InvalidSide,
        RejectReason::UnknownOrder | RejectReason::TooLate => ouch::RejectReason::ReplaceNotAllowed,
        RejectReason::UserRefJump
        | RejectReason::FaultInjected
        | RejectReason::FaultUnsound
        | RejectReason::FaultOutOfPlace
        | RejectReason::OldDirectory
        | RejectReason::OverRate
        | RejectReason::FirmOverRate
        | RejectReason::BudgetsUnsound
        | RejectReason::BadDefinition
        | RejectReason::UnknownTrade
        | RejectReason::QuoteCrossed
        | RejectReason::ProtectionTripped
        | RejectReason::TradeUndone
        | RejectReason::TooManyUndone
        | RejectReason::UnknownFlag
        | RejectReason::FlagRetired
        | RejectReason::FlagMisaimed
        | RejectReason::FlagFull
        | RejectReason::ParentsFull
        | RejectReason::DuplicateClientId
        | RejectReason::NotSupported
        | RejectReason::TypeNotOffered
        | RejectReason::LifetimeNotOffered
        | RejectReason::InstructionNotOffered
        | RejectReason::DiscretionNotOffered
        | RejectReason::InstructionConflict
        | RejectReason::ExpiryInvalid
        | RejectReason::PostOnlyWouldTrade => ouch::RejectReason::Other,
    })
}
