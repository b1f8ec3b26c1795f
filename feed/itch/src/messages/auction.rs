//! What can be known of a cross before it happens, and of retail interest.

use crate::codes::{CrossType, ImbalanceDirection, InterestFlag, PriceVariation, YesNo};
use crate::text::Stock;
use crate::values::{LongTimeOfDay, Price4, TotalShares};
use crate::wire::message;

message! {
    /// Net Order Imbalance Indicator: what a cross would do now.
    NetOrderImbalance = b'I', 50 {
        /// Shares that would trade at the reference price.
        paired_shares: TotalShares,
        /// Shares that would be left over.
        imbalance_shares: TotalShares,
        /// On which side.
        direction: ImbalanceDirection,
        /// The instrument.
        stock: Stock,
        /// Where cross orders alone would clear.
        far_price: Price4,
        /// Where cross orders and the book would clear.
        near_price: Price4,
        /// The price the shares are counted at.
        reference_price: Price4,
        /// Which cross.
        cross_type: CrossType,
        /// How far the near price is from the reference price.
        variation: PriceVariation,
    }
}

message! {
    /// Retail Price Improvement Indicator: retail interest inside the spread.
    RetailInterest = b'N', 20 {
        /// The instrument.
        stock: Stock,
        /// On which sides.
        interest: InterestFlag,
    }
}

message! {
    /// Direct Listing with Capital Raise, price discovery: whether and where such a listing may open.
    CapitalRaiseDiscovery = b'O', 48 {
        /// The instrument.
        stock: Stock,
        /// Whether it may be released.
        eligible: YesNo,
        /// The lowest price allowed.
        minimum_price: Price4,
        /// The highest price allowed.
        maximum_price: Price4,
        /// The price it is near to open at.
        near_price: Price4,
        /// When that price was set.
        near_time: LongTimeOfDay,
        /// The collar's lower end.
        lower_collar: Price4,
        /// The collar's upper end.
        upper_collar: Price4,
    }
}
