//! Fields of one byte whose values the specification lists. A byte that is not listed is an error that names the field.

use crate::wire::Field;

macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $Name:ident { $($(#[$code_doc:meta])* $Code:ident = $byte:literal,)* }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $Name {
            $($(#[$code_doc])* $Code = $byte,)*
        }

        impl $Name {
            /// The code's byte.
            #[inline]
            #[must_use]
            pub const fn byte(self) -> u8 {
                self as u8
            }

            /// The byte's code; `None` where the specification lists none.
            #[inline]
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$Code),)*
                    _ => None,
                }
            }
        }

        impl Field for $Name {
            type Wire = u8;
            #[inline]
            fn to_wire(self) -> u8 {
                self.byte()
            }
            #[inline]
            fn from_wire(wire: u8) -> Result<Self, u8> {
                Self::from_byte(wire).ok_or(wire)
            }
        }
    )*};
}

codes! {
    /// Which side of the book.
    Side {
        /// To buy.
        Buy = b'B',
        /// To sell.
        Sell = b'S',
    }

    /// What a System Event message says about the day.
    EventCode {
        /// The first message of the day, besides those that define it.
        StartOfMessages = b'O',
        /// Orders are taken from now on.
        StartOfSystemHours = b'S',
        /// The regular session begins.
        StartOfMarketHours = b'Q',
        /// The regular session is over.
        EndOfMarketHours = b'M',
        /// No more orders are taken.
        EndOfSystemHours = b'E',
        /// The last message of the day.
        EndOfMessages = b'C',
    }

    /// Yes or no.
    YesNo {
        /// Yes.
        Yes = b'Y',
        /// No.
        No = b'N',
    }

    /// Yes, no, or not stated.
    Flag {
        /// Yes.
        Yes = b'Y',
        /// No.
        No = b'N',
        /// Not stated.
        NotAvailable = b' ',
    }

    /// Where an instrument is listed.
    MarketCategory {
        /// Nasdaq Global Select Market.
        NasdaqGlobalSelect = b'Q',
        /// Nasdaq Global Market.
        NasdaqGlobal = b'G',
        /// Nasdaq Capital Market.
        NasdaqCapital = b'S',
        /// New York Stock Exchange.
        Nyse = b'N',
        /// NYSE American.
        NyseAmerican = b'A',
        /// NYSE Arca.
        NyseArca = b'P',
        /// Cboe BZX.
        BatsZ = b'Z',
        /// Investors Exchange.
        InvestorsExchange = b'V',
        /// Not stated.
        NotAvailable = b' ',
    }

    /// How an issuer stands with its listing's rules.
    FinancialStatus {
        /// Deficient.
        Deficient = b'D',
        /// Delinquent.
        Delinquent = b'E',
        /// Bankrupt.
        Bankrupt = b'Q',
        /// Suspended.
        Suspended = b'S',
        /// Deficient and bankrupt.
        DeficientBankrupt = b'G',
        /// Deficient and delinquent.
        DeficientDelinquent = b'H',
        /// Delinquent and bankrupt.
        DelinquentBankrupt = b'J',
        /// Deficient, delinquent and bankrupt.
        DeficientDelinquentBankrupt = b'K',
        /// Creation or redemption of a fund's shares is suspended.
        CreationsSuspended = b'C',
        /// In order.
        Normal = b'N',
        /// Not stated.
        NotAvailable = b' ',
    }

    /// The class of a security.
    IssueClassification {
        /// American depositary share.
        AmericanDepositaryShare = b'A',
        /// Bond.
        Bond = b'B',
        /// Common stock.
        CommonStock = b'C',
        /// Depository receipt.
        DepositoryReceipt = b'F',
        /// Offered under Rule 144A.
        Rule144A = b'I',
        /// Limited partnership.
        LimitedPartnership = b'L',
        /// Notes.
        Notes = b'N',
        /// Ordinary share.
        OrdinaryShare = b'O',
        /// Preferred stock.
        PreferredStock = b'P',
        /// Another security.
        Other = b'Q',
        /// Right.
        Right = b'R',
        /// Shares of beneficial interest.
        BeneficialInterest = b'S',
        /// Convertible debenture.
        ConvertibleDebenture = b'T',
        /// Unit.
        Unit = b'U',
        /// Units of beneficial interest.
        UnitsOfBeneficialInterest = b'V',
        /// Warrant.
        Warrant = b'W',
    }

    /// Whether an instrument is for trading or for testing.
    Authenticity {
        /// Real.
        Live = b'P',
        /// A test instrument.
        Test = b'T',
    }

    /// Which price band of Limit Up - Limit Down applies.
    LuldTier {
        /// Tier 1.
        Tier1 = b'1',
        /// Tier 2.
        Tier2 = b'2',
        /// Not stated.
        NotAvailable = b' ',
    }

    /// What may be done in an instrument now.
    TradingState {
        /// Nothing: halted on all markets.
        Halted = b'H',
        /// Nothing: paused on all markets.
        Paused = b'P',
        /// Orders may be entered, nothing trades.
        QuotationOnly = b'Q',
        /// Trading.
        Trading = b'T',
    }

    /// Whether short sales in an instrument are subject to the price test.
    RegShoAction {
        /// No price test.
        NoTest = b'0',
        /// Restricted because the price fell today.
        RestrictedToday = b'1',
        /// Restricted still from the day before.
        RestrictedStill = b'2',
    }

    /// How a market maker quotes.
    MarketMakerMode {
        /// Normal.
        Normal = b'N',
        /// Passive.
        Passive = b'P',
        /// In a syndicate.
        Syndicate = b'S',
        /// Before a syndicate.
        PreSyndicate = b'R',
        /// Under a penalty.
        Penalty = b'L',
    }

    /// Whether a participant is in the market.
    ParticipantState {
        /// In it.
        Active = b'A',
        /// Excused or withdrawn for a time.
        Excused = b'E',
        /// Withdrawn.
        Withdrawn = b'W',
        /// Suspended.
        Suspended = b'S',
        /// Deleted.
        Deleted = b'D',
    }

    /// Which level of the market-wide circuit breaker was reached.
    BreachedLevel {
        /// Level 1.
        Level1 = b'1',
        /// Level 2.
        Level2 = b'2',
        /// Level 3.
        Level3 = b'3',
    }

    /// What became of the release of a new issue.
    IpoQualifier {
        /// It is expected at the stated time.
        Anticipated = b'A',
        /// It is called off or put off.
        Cancelled = b'C',
    }

    /// The market an operational halt is about.
    MarketCode {
        /// Nasdaq.
        Nasdaq = b'Q',
        /// BX.
        Bx = b'B',
        /// PSX.
        Psx = b'X',
    }

    /// Whether an operational halt begins or ends.
    OperationalAction {
        /// It begins.
        Halted = b'H',
        /// It ends.
        Resumed = b'T',
    }

    /// Which cross.
    CrossType {
        /// Opening.
        Opening = b'O',
        /// Closing.
        Closing = b'C',
        /// New issue, or out of a halt or pause.
        Halted = b'H',
        /// Intraday and post-close.
        Intraday = b'I',
        /// Extended trading close.
        ExtendedClose = b'A',
    }

    /// Which side of a cross is left over.
    ImbalanceDirection {
        /// Buyers.
        Buy = b'B',
        /// Sellers.
        Sell = b'S',
        /// Neither.
        None = b'N',
        /// Too few orders to say.
        InsufficientOrders = b'O',
        /// The cross is paused.
        Paused = b'P',
    }

    /// How far the near price is from the reference price, in percent.
    PriceVariation {
        /// Less than 1.
        Below1 = b'L',
        /// 1 to 1.99.
        From1 = b'1',
        /// 2 to 2.99.
        From2 = b'2',
        /// 3 to 3.99.
        From3 = b'3',
        /// 4 to 4.99.
        From4 = b'4',
        /// 5 to 5.99.
        From5 = b'5',
        /// 6 to 6.99.
        From6 = b'6',
        /// 7 to 7.99.
        From7 = b'7',
        /// 8 to 8.99.
        From8 = b'8',
        /// 9 to 9.99.
        From9 = b'9',
        /// 10 to 19.99.
        From10 = b'A',
        /// 20 to 29.99.
        From20 = b'B',
        /// 30 and more.
        From30 = b'C',
        /// Cannot be said.
        NotAvailable = b' ',
    }

    /// On which sides retail orders wait.
    InterestFlag {
        /// To buy.
        Buy = b'B',
        /// To sell.
        Sell = b'S',
        /// Both.
        Both = b'A',
        /// Neither.
        None = b'N',
    }
}

/// A byte that means nothing: written as a space, whatever comes is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reserved;

impl Field for Reserved {
    type Wire = u8;
    #[inline]
    fn to_wire(self) -> u8 {
        b' '
    }
    #[inline]
    fn from_wire(_: u8) -> Result<Self, u8> {
        Ok(Self)
    }
}
