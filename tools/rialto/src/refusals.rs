//! What to do about an order that the exchange refused, by OUCH's reason, which is coarser than the engine's own: that stands in the
//! story of the order.

use rialto_ouch::messages::RejectReason;

/// The mend.
pub(crate) const fn mend(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::InvalidSymbol => "name an instrument that the exchange lists, in capitals",
        RejectReason::InvalidPrice => "give a multiple of the instrument's tick, within its bands",
        RejectReason::InvalidQuantity => "give a multiple of the instrument's lot, no less than its lowest quantity",
        RejectReason::SharesExceedThreshold => {
            "split it: it is over the instrument's highest quantity or the firm's limit for one order"
        }
        RejectReason::ExceedsMaximumNotional => "split it: it is worth more than the firm's limit for one order",
        RejectReason::InvalidMaxFloor | RejectReason::InvalidMinQuantity => "give a number of lots up to the quantity",
        RejectReason::InvalidSide => "leave the mark of a short sale to orders that sell",
        RejectReason::DestinationClosed => "wait for the trading day to start",
        RejectReason::Halted => "wait until the instrument trades: its phase, or the venue's, takes no such order",
        RejectReason::FirmNotAuthorized => {
            "use an account of the session's own firm; or its kill switch is on: ask the venue"
        }
        RejectReason::RiskFatFinger => "give a price nearer to the last trade: it is beyond the firm's collar",
        RejectReason::RiskAggregateExposure => {
            "cancel some or order less: the firm's open orders, position or credit have no room (rialto member limits show)"
        }
        RejectReason::RiskDuplicateMessageRate => "change it or wait: one just like it came a moment ago",
        RejectReason::RiskOrderTypeRestricted => {
            "give a limit price: without one it cannot be held against the firm's limits"
        }
        RejectReason::ProcessingError => "cancel some orders or try later: the venue holds as many as it can",
        RejectReason::ReplaceNotAllowed => "nothing of it rests: it was executed or cancelled",
        _ => "look at the order's story: rialto order history, or its journey on the console",
    }
}
