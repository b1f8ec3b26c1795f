//! Messages about the day, instruments and participants.

use crate::codes::{
    Authenticity, BreachedLevel, EventCode, FinancialStatus, Flag, IpoQualifier, IssueClassification, LuldTier,
    MarketCategory, MarketCode, MarketMakerMode, OperationalAction, ParticipantState, RegShoAction, Reserved,
    TradingState, YesNo,
};
use crate::text::{IssueSubType, Mpid, Stock, TradingReason};
use crate::values::{LeverageFactor, Price4, Price8, SecondOfDay, Seconds, Shares};
use crate::wire::message;

message! {
    /// System Event: a step of the trading day.
    SystemEvent = b'S', 12 {
        /// Which step.
        event: EventCode,
    }
}

message! {
    /// Stock Directory: an instrument and the locate that stands for it today.
    StockDirectory = b'R', 39 {
        /// Its symbol.
        stock: Stock,
        /// Where it is listed.
        market_category: MarketCategory,
        /// How its issuer stands with the listing rules.
        financial_status: FinancialStatus,
        /// Shares in a round lot.
        round_lot_size: Shares,
        /// Whether only round lots may be entered.
        round_lots_only: YesNo,
        /// The class of the security.
        issue_classification: IssueClassification,
        /// The kind of security within its class.
        issue_sub_type: IssueSubType,
        /// Real or for tests.
        authenticity: Authenticity,
        /// Whether short sales must be closed out (SEC Rule 203(b)(3)).
        short_sale_threshold: Flag,
        /// Whether it is set up as a new issue.
        ipo: Flag,
        /// Its Limit Up - Limit Down tier.
        luld_tier: LuldTier,
        /// Whether it is an exchange traded product.
        etp: Flag,
        /// How many times its index it moves, if it is one.
        etp_leverage_factor: LeverageFactor,
        /// Whether it moves against its index.
        inverse: YesNo,
    }
}

message! {
    /// Stock Trading Action: what may be done in an instrument from now on.
    StockTradingAction = b'H', 25 {
        /// The instrument.
        stock: Stock,
        /// What may be done.
        state: TradingState,
        /// Nothing.
        reserved: Reserved,
        /// Why it changed.
        reason: TradingReason,
    }
}

message! {
    /// Reg SHO Restriction: whether short sales in an instrument are subject to the price test.
    RegShoRestriction = b'Y', 20 {
        /// The instrument.
        stock: Stock,
        /// Whether they are.
        action: RegShoAction,
    }
}

message! {
    /// Market Participant Position: how a participant takes part in an instrument.
    MarketParticipantPosition = b'L', 26 {
        /// The participant.
        mpid: Mpid,
        /// The instrument.
        stock: Stock,
        /// Whether it is a primary market maker.
        primary: YesNo,
        /// How it quotes.
        mode: MarketMakerMode,
        /// Whether it is in the market.
        state: ParticipantState,
    }
}

message! {
    /// MWCB Decline Level: the index levels that trip the market-wide circuit breaker today.
    MwcbDeclineLevels = b'V', 35 {
        /// Level 1.
        level_1: Price8,
        /// Level 2.
        level_2: Price8,
        /// Level 3.
        level_3: Price8,
    }
}

message! {
    /// MWCB Status: a level was reached.
    MwcbStatus = b'W', 12 {
        /// Which.
        breached: BreachedLevel,
    }
}

message! {
    /// IPO Quoting Period Update: when a new issue may be quoted.
    IpoQuotingPeriod = b'K', 28 {
        /// The instrument.
        stock: Stock,
        /// When.
        release_time: SecondOfDay,
        /// Whether that holds.
        qualifier: IpoQualifier,
        /// The price it is issued at.
        price: Price4,
    }
}

message! {
    /// LULD Auction Collar: the prices between which a paused instrument may reopen.
    LuldAuctionCollar = b'J', 35 {
        /// The instrument.
        stock: Stock,
        /// The price the collar is set from.
        reference_price: Price4,
        /// The highest.
        upper_price: Price4,
        /// The lowest.
        lower_price: Price4,
        /// How far the auction has been extended.
        extension: Seconds,
    }
}

message! {
    /// Operational Halt: one market stops or resumes an instrument, the others do not.
    OperationalHalt = b'h', 21 {
        /// The instrument.
        stock: Stock,
        /// Which market.
        market: MarketCode,
        /// Whether it stops or resumes.
        action: OperationalAction,
    }
}
