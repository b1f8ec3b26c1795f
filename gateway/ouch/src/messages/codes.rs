//! The coded fields of OUCH 5.0: one enum per field, one variant per listed code.
//!
//! A code that is not listed is never kept: it is an error value that names the field.

use super::error::DecodeError;
use super::table::Field;

/// Defines the enum of a coded field.
macro_rules! codes {
    ($(
        $(#[$meta:meta])*
        $name:ident($wire:ident) $field:literal { $($(#[$row:meta])* $variant:ident = $code:literal,)+ }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr($wire)]
        pub enum $name {
            $($(#[$row])* $variant = $code,)+
        }

        impl $name {
            /// The field's name, as errors state it.
            pub const FIELD: &'static str = $field;
            /// Every value, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code on the wire.
            #[must_use]
            pub const fn code(self) -> $wire {
                self as $wire
            }

            /// The value of a code.
            ///
            /// # Errors
            /// [`DecodeError::UnknownValue`] where the specification does not list the code for this field.
            pub const fn from_code(code: $wire) -> Result<Self, DecodeError> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err(DecodeError::UnknownValue { field: $field, value: code as u16 }),
                }
            }
        }

        impl Field<{ size_of::<$wire>() }> for $name {
            #[inline]
            fn from_wire(bytes: [u8; size_of::<$wire>()]) -> Result<Self, DecodeError> {
                Self::from_code($wire::from_be_bytes(bytes))
            }

            #[inline]
            fn to_wire(self) -> [u8; size_of::<$wire>()] {
                self.code().to_be_bytes()
            }
        }
    )+};
}

codes! {
    /// Side of an order.
    Side(u8) "Side" {
        /// Buy.
        Buy = b'B',
        /// Sell.
        Sell = b'S',
        /// Sell short.
        SellShort = b'T',
        /// Sell short exempt.
        SellShortExempt = b'E',
    }

    /// How long an order lives.
    TimeInForce(u8) "TimeInForce" {
        /// For the market hours of the day.
        Day = b'0',
        /// Trades at once or not at all; the rest is cancelled.
        ImmediateOrCancel = b'3',
        /// For the extended hours of the day (GTX).
        ExtendedHours = b'5',
        /// For the seconds that the option ExpireTime states (GTT).
        GoodTillTime = b'6',
        /// For the session after the market hours.
        AfterHours = b'E',
    }

    /// How a client wants an order shown.
    Display(u8) "Display" {
        /// Shown without a name.
        Visible = b'Y',
        /// Not shown.
        Hidden = b'N',
        /// Shown with the firm's name.
        Attributable = b'A',
    }

    /// How the exchange shows an order.
    AcceptedDisplay(u8) "Display" {
        /// Shown without a name.
        Visible = b'Y',
        /// Not shown.
        Hidden = b'N',
        /// Shown with the firm's name.
        Attributable = b'A',
        /// Shown at a price that the exchange made conform.
        Conformant = b'Z',
    }

    /// In what capacity the firm acts.
    Capacity(u8) "Capacity" {
        /// For a customer.
        Agency = b'A',
        /// For itself.
        Principal = b'P',
        /// For itself against a customer's order.
        RisklessPrincipal = b'R',
        /// Another one.
        Other = b'O',
    }

    /// Whether an order is an intermarket sweep order.
    InterMarketSweep(u8) "InterMarketSweepEligibility" {
        /// It is.
        Eligible = b'Y',
        /// It is not.
        NotEligible = b'N',
    }

    /// The cross in which an order takes part.
    CrossType(u8) "CrossType" {
        /// None: the continuous market.
        Continuous = b'N',
        /// The opening cross.
        Opening = b'O',
        /// The closing cross.
        Closing = b'C',
        /// The cross after a halt or of an initial public offering.
        Halt = b'H',
        /// Supplemental.
        Supplemental = b'S',
        /// Retail.
        Retail = b'R',
        /// Extended life.
        ExtendedLife = b'E',
        /// The closing cross after hours.
        AfterHoursClose = b'A',
    }

    /// What began or ended.
    EventCode(u8) "EventCode" {
        /// Orders are taken from now on.
        StartOfDay = b'S',
        /// New orders are no longer taken; cancels and breaks may still come.
        EndOfDay = b'E',
    }

    /// Whether an accepted order lives.
    OrderState(u8) "OrderState" {
        /// It does.
        Live = b'L',
        /// It was accepted and cancelled in one.
        Dead = b'D',
    }

    /// Why an order was reduced or cancelled (Appendix C).
    CancelReason(u8) "CancelReason" {
        /// A regulatory restriction forbids the trade.
        Regulatory = b'D',
        /// A day order that came after the closing cross.
        Closed = b'E',
        /// A post-only order that would have been repriced by regulation.
        PostOnlyRegulation = b'F',
        /// A post-only order that would have been repriced because of a displayed order of the other side.
        PostOnlyContra = b'G',
        /// An opening order whose stock stayed halted.
        Halted = b'H',
        /// The rest of an immediate-or-cancel order.
        ImmediateOrCancel = b'I',
        /// Outside the market collars.
        MarketCollars = b'K',
        /// It would have traded with its own member.
        SelfMatchPrevention = b'Q',
        /// Cancelled by the exchange's staff.
        Supervisory = b'S',
        /// Its time in force ended.
        Timeout = b'T',
        /// The client asked for it.
        UserRequested = b'U',
        /// Beyond the opening price protection.
        OpenProtection = b'X',
        /// Cancelled by the system.
        System = b'Z',
        /// More shares than the direct listing offers.
        DirectListingExceeded = b'e',
    }

    /// Why a trade was broken.
    BrokenTradeReason(u8) "BrokenTradeReason" {
        /// Clearly erroneous.
        Erroneous = b'E',
        /// Both parties agreed.
        Consent = b'C',
        /// Broken by the exchange's staff.
        Supervisory = b'S',
        /// Broken by a third party.
        External = b'X',
    }

    /// Why an order was restated.
    RestatedReason(u8) "RestatedReason" {
        /// The displayed part of a reserve order was refilled.
        RefreshOfDisplay = b'R',
        /// The displayed price changed.
        UpdateOfDisplayedPrice = b'P',
    }

    /// Whether an execution added or removed liquidity, and how (Appendix E).
    LiquidityFlag(u8) "LiquidityFlag" {
        /// Added.
        Added = b'A',
        /// Closing cross.
        ClosingCross = b'C',
        /// Retail designated, added displayed liquidity.
        RetailAddedDisplayed = b'e',
        /// Halt or initial public offering cross.
        HaltOrIpoCross = b'H',
        /// Closing cross after hours.
        AfterHoursClosingCross = b'i',
        /// Added without display.
        AddedNonDisplayed = b'J',
        /// A retail price improving order gave liquidity.
        RetailPriceImprovingAdded = b'j',
        /// Added by a midpoint order.
        AddedMidpoint = b'k',
        /// Halt cross.
        HaltCross = b'K',
        /// Closing cross, imbalance only.
        ClosingCrossImbalanceOnly = b'L',
        /// Opening cross, imbalance only.
        OpeningCrossImbalanceOnly = b'M',
        /// Removed at the midpoint.
        RemovedMidpoint = b'm',
        /// Passive at the midpoint.
        PassiveMidpoint = b'N',
        /// Midpoint extended life order.
        MidpointExtendedLife = b'n',
        /// Opening cross.
        OpeningCross = b'O',
        /// Removed price improving liquidity that was not displayed.
        RemovedPriceImproving = b'p',
        /// A retail order removed midpoint liquidity other than retail price improving.
        RetailRemovedMidpoint = b'q',
        /// Removed.
        Removed = b'R',
        /// A retail order removed retail price improving liquidity.
        RetailRemovedPriceImproving = b'r',
        /// A retail order removed other price improving liquidity that was not displayed.
        RetailRemovedOther = b't',
        /// Added by a reserve order without display.
        AddedReserve = b'u',
        /// Supplemental order.
        Supplemental = b'0',
        /// Added and displayed, improving the national best price.
        AddedImprovesNbbo = b'7',
        /// Added and displayed, setting the market's best price while joining the national one.
        AddedSetsQbbo = b'8',
        /// A retail price improving order gave liquidity, no indicator.
        RetailPriceImprovingNoIndicator = b'1',
    }

    /// Why an order was rejected (Appendix D).
    RejectReason(u16) "RejectReason" {
        /// No quote to price against.
        QuoteUnavailable = 0x01,
        /// The destination is closed.
        DestinationClosed = 0x02,
        /// Display not allowed here.
        InvalidDisplay = 0x03,
        /// Displayed quantity not allowed here.
        InvalidMaxFloor = 0x04,
        /// Peg type not allowed here.
        InvalidPegType = 0x05,
        /// Price too far from the market.
        FatFinger = 0x06,
        /// The stock is halted.
        Halted = 0x07,
        /// Intermarket sweep not allowed here.
        IsoNotAllowed = 0x08,
        /// Side not allowed here.
        InvalidSide = 0x09,
        /// The exchange failed to process it.
        ProcessingError = 0x0a,
        /// A cancel is pending.
        CancelPending = 0x0b,
        /// The firm may not do this.
        FirmNotAuthorized = 0x0c,
        /// Minimum quantity not allowed here.
        InvalidMinQuantity = 0x0d,
        /// No closing reference price.
        NoClosingReferencePrice = 0x0e,
        /// Another reason.
        Other = 0x0f,
        /// The order cannot be cancelled now.
        CancelNotAllowed = 0x10,
        /// Pegging not allowed here.
        PeggingNotAllowed = 0x11,
        /// The market is crossed.
        CrossedMarket = 0x12,
        /// Quantity not allowed here.
        InvalidQuantity = 0x13,
        /// Cross order not allowed here.
        InvalidCrossOrder = 0x14,
        /// The order cannot be replaced now.
        ReplaceNotAllowed = 0x15,
        /// Routing not allowed here.
        RoutingNotAllowed = 0x16,
        /// Unknown symbol.
        InvalidSymbol = 0x17,
        /// A test.
        Test = 0x18,
        /// A late limit-on-close order is too aggressive.
        LateLocTooAggressive = 0x19,
        /// Retail order not allowed here.
        RetailNotAllowed = 0x1a,
        /// Price of a midpoint post-only order not allowed.
        InvalidMidpointPostOnlyPrice = 0x1b,
        /// Unknown destination.
        InvalidDestination = 0x1c,
        /// Price not allowed here.
        InvalidPrice = 0x1d,
        /// Too many shares.
        SharesExceedThreshold = 0x1e,
        /// Too high a value.
        ExceedsMaximumNotional = 0x1f,
        /// Risk: aggregate exposure exceeded.
        RiskAggregateExposure = 0x20,
        /// Risk: market impact.
        RiskMarketImpact = 0x21,
        /// Risk: restricted stock.
        RiskRestrictedStock = 0x22,
        /// Risk: short sale restricted.
        RiskShortSellRestricted = 0x23,
        /// Risk: order type restricted.
        RiskOrderTypeRestricted = 0x24,
        /// Risk: beyond the limit on average daily volume.
        RiskExceedsAdvLimit = 0x25,
        /// Risk: price too far from the market.
        RiskFatFinger = 0x26,
        /// Risk: a locate is required.
        RiskLocateRequired = 0x27,
        /// Risk: message rate of the symbol.
        RiskSymbolMessageRate = 0x28,
        /// Risk: message rate of the port.
        RiskPortMessageRate = 0x29,
        /// Risk: rate of duplicate messages.
        RiskDuplicateMessageRate = 0x2a,
    }

    /// Option 4: whether the order is a retail order.
    CustomerType(u8) "CustomerType" {
        /// As the port is set.
        PortDefault = b' ',
        /// It is.
        RetailDesignated = b'R',
        /// It is not.
        NotRetailDesignated = b'N',
    }

    /// Option 6: to what the order's price is pegged.
    PriceType(u8) "PriceType" {
        /// A limit, no peg.
        Limit = b'L',
        /// The other side's best price.
        MarketPeg = b'P',
        /// The midpoint.
        MidpointPeg = b'M',
        /// The own side's best price.
        PrimaryPeg = b'R',
        /// A market maker's peg.
        MarketMakerPeg = b'Q',
        /// Midpoint, the second code that the specification lists.
        Midpoint = b'm',
    }

    /// Option 10: to what the discretion price is pegged.
    DiscretionPriceType(u8) "DiscretionPriceType" {
        /// A limit, no peg.
        Limit = b'L',
        /// The other side's best price.
        MarketPeg = b'P',
        /// The midpoint.
        MidpointPeg = b'M',
        /// The own side's best price.
        PrimaryPeg = b'R',
    }

    /// Option 12: whether the order must not remove liquidity.
    PostOnly(u8) "PostOnly" {
        /// It must not.
        PostOnly = b'P',
        /// It may.
        No = b'N',
    }

    /// Option 16: whether a resting order trades at once with a better-placed contra order.
    TradeNow(u8) "TradeNow" {
        /// As the port is set.
        PortDefault = b' ',
        /// It does.
        Yes = b'Y',
        /// It does not.
        No = b'N',
    }

    /// Option 17: handling instruction.
    HandleInst(u8) "HandleInst" {
        /// None.
        NoInstruction = b' ',
        /// Imbalance only (opening and closing cross).
        ImbalanceOnly = b'I',
        /// Retail order of type 1.
        RetailType1 = b'O',
        /// Retail order of type 2.
        RetailType2 = b'T',
        /// Retail price improvement.
        RetailPriceImprovement = b'Q',
        /// Extended life and continuous.
        ExtendedLifeContinuous = b'B',
        /// Direct listing capital raise.
        DirectListingCapitalRaise = b'D',
        /// Retail price improvement with a hidden indicator.
        RetailPriceImprovementHidden = b'R',
    }

    /// Option 18: how much the order weighs in the best price it joined or made.
    BboWeight(u8) "BBOWeightIndicator" {
        /// 0 to 0.2 %.
        UpTo0_2Percent = b'0',
        /// 0.2 to 1 %.
        UpTo1Percent = b'1',
        /// 1 to 2 %.
        UpTo2Percent = b'2',
        /// Above 2 %.
        Above2Percent = b'3',
        /// Not stated.
        Unspecified = b' ',
        /// Sets the market's best price while joining the national one.
        SetsQbbo = b'S',
        /// Improves the national best price on entry.
        ImprovesNbbo = b'N',
    }

    /// Option 25: whether the shares of a short sale are located.
    SharesLocated(u8) "SharesLocated" {
        /// They are.
        Yes = b'Y',
        /// They are not.
        No = b'N',
    }
}

impl From<Display> for AcceptedDisplay {
    /// The order is shown as the client wanted it.
    fn from(display: Display) -> Self {
        match display {
            Display::Visible => Self::Visible,
            Display::Hidden => Self::Hidden,
            Display::Attributable => Self::Attributable,
        }
    }
}
