//! Why an order was refused, taken off, or a command ignored. Values are fixed for ever; texts name the mend.

use crate::codec::byte_enum;

byte_enum! {
    /// Why a command was refused.
    RejectReason {
        /// The session is not defined.
        UnknownSession = 1,
        /// The session is down, or the command comes from an ended connection of it.
        SessionNotUp = 2,
        /// No trading day is open.
        MarketClosed = 3,
        /// The instrument is not defined.
        UnknownInstrument = 4,
        /// The price is no multiple of the tick size.
        PriceOffTick = 5,
        /// The price is zero, negative or above the instrument's highest.
        PriceOutOfRange = 6,
        /// The quantity is zero.
        QuantityZero = 7,
        /// The quantity is above the instrument's highest.
        QuantityTooLarge = 8,
        /// The quantity is no multiple of the lot size.
        QuantityOffLot = 9,
        /// The user reference lies too far above the highest seen; it is not consumed.
        UserRefJump = 10,
        /// No live order has that name, and none had it today.
        UnknownOrder = 11,
        /// The order is executed in full or cancelled.
        TooLate = 12,
        /// The order belongs to another firm.
        NotYours = 13,
        /// The account is not defined or belongs to another firm.
        UnknownAccount = 14,
        /// The venue holds as many live orders as it may.
        BookFull = 15,
        /// A short-sale mark on a buy order.
        ShortSaleOnBuy = 16,
        /// A definition contradicts one that stands or breaks a limit.
        BadDefinition = 17,
        /// The order id was used before today (the doors that check it).
        DuplicateClientId = 18,
        /// The door was asked for an order type, time in force or instruction that is not offered.
        NotSupported = 19,
        /// The instrument's rulebook does not offer the order type.
        TypeNotOffered = 20,
        /// The instrument's rulebook does not offer the time in force.
        LifetimeNotOffered = 21,
        /// The instrument's rulebook does not offer the instruction.
        InstructionNotOffered = 22,
        /// Instructions that contradict each other, the order type or the time in force.
        InstructionConflict = 23,
        /// The quantity is below the instrument's lowest.
        QuantityTooSmall = 24,
        /// The displayed quantity is above the order's or no multiple of the lot size.
        DisplayInvalid = 25,
        /// The minimum quantity is above the order's or no multiple of the lot size.
        MinimumInvalid = 26,
        /// The stop price is out of range or off tick, or a trailing stop has no trade to follow.
        TriggerInvalid = 27,
        /// The expiry is not in the future.
        ExpiryInvalid = 28,
        /// A post-only order would have traded.
        PostOnlyWouldTrade = 29,
        /// The firm's kill switch is on.
        FirmKilled = 30,
        /// The phase takes no orders, or none of this kind.
        NotInThisPhase = 31,
        /// The price lies beyond the instrument's collar or limit bands.
        PriceOutsideBands = 32,
        /// The whole market is halted.
        CircuitBroken = 33,
        /// The instrument had no such trade today.
        UnknownTrade = 34,
        /// The trade is undone already.
        TradeUndone = 35,
        /// As many trades are undone today as may be.
        TooManyUndone = 36,
        /// A discretionary price, which no instrument offers.
        DiscretionNotOffered = 37,
        /// A quote that buys at no less than it sells at.
        QuoteCrossed = 38,
        /// The session's protection on the instrument has tripped.
        ProtectionTripped = 39,
        /// The session is over its rate. Said by its door, of the reference and as many before it as the quantity says.
        OverRate = 60,
        /// The venue takes cancels and reductions alone for now.
        CancelOnly = 80,
        /// No sequenced flag of this build has the number.
        UnknownFlag = 81,
        /// The flag is retired.
        FlagRetired = 82,
        /// The flag has no such variant, or is not decided for what a rule is aimed at.
        FlagMisaimed = 83,
        /// The flag has as many rules as it may.
        FlagFull = 84,
        /// As many parents are stated as may be.
        ParentsFull = 85,
        /// The quantity is above the highest that the firm or account may order.
        RiskOrderQuantity = 100,
        /// The worth is above the highest that the firm or account may order.
        RiskOrderNotional = 101,
        /// The price lies too far beyond the last trade's for the firm or account.
        RiskCollar = 102,
        /// As many orders stand as the firm or account may have.
        RiskOpenOrders = 103,
        /// The firm's or account's position could go beyond what it may be.
        RiskPosition = 104,
        /// The firm's or account's credit is used up or reserved.
        RiskCredit = 105,
        /// The firm or account has just entered an order like it.
        RiskDuplicate = 106,
        /// A market order that cannot be valued, of a firm or account with a limit on worth.
        RiskUnpriced = 107,
        /// The directory of the member store has changed meanwhile.
        OldDirectory = 108,
        /// Budgets of a firm that nobody can keep to.
        BudgetsUnsound = 109,
        /// The firm is over its budget, whichever of its sessions it came by. Said as `OverRate` is.
        FirmOverRate = 110,
        /// A fault that the operator added refuses orders.
        FaultInjected = 120,
        /// A fault whose fields are not those of its kind.
        FaultUnsound = 121,
        /// No fault has the name, one has it already, or there are as many as may be.
        FaultOutOfPlace = 122,
    }
}

byte_enum! {
    /// Why an order, or a part of it, was taken off.
    CancelReason {
        /// Its owner asked.
        Requested = 1,
        /// Immediate-or-cancel or market: nothing more to trade with.
        Unfilled = 2,
        /// Fill-or-kill: not enough to trade with.
        NotFillable = 3,
        /// Its trading day ended.
        DayEnded = 4,
        /// Its session was lost.
        SessionLost = 5,
        /// An invalid replace under the policy that cancels the original.
        InvalidReplace = 6,
        /// A replace asked for no more than what was executed.
        ReplacedToNothing = 7,
        /// Its date was reached.
        Expired = 8,
        /// Self-trade prevention.
        SelfTrade = 9,
        /// A mass cancel.
        MassCancelled = 10,
        /// Its firm's kill switch.
        FirmKilled = 11,
        /// Less than its minimum quantity could trade at once.
        MinimumNotMet = 12,
        /// For an auction alone, and it is over.
        AuctionOver = 13,
        /// Its instrument was delisted.
        Delisted = 14,
        /// Its price lies beyond the limit bands.
        OutsideBands = 15,
        /// A new quote takes its place.
        Requoted = 16,
        /// Market-maker protection.
        MarketMakerProtection = 17,
        /// It would stand across an order that is kept apart from it.
        KeptApart = 18,
    }
}

byte_enum! {
    /// Why a command changed nothing and nobody is told.
    IgnoreReason {
        /// A user reference that is not above the highest seen: a resend.
        Resent = 1,
        /// The order is dead or unknown, under the policy that is silent then.
        DeadOrder = 2,
        /// The change asks for what already is.
        Superfluous = 3,
        /// From a session that is not up.
        SessionNotUp = 4,
        /// A session, day or release command that does not fit the state, such as the loss of a session that is down.
        OutOfPlace = 5,
    }
}

impl RejectReason {
    /// Cause and mend, for a person.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::UnknownSession => "unknown session: define it first",
            Self::SessionNotUp => "session is not up: log on again",
            Self::MarketClosed => "no trading day is open: wait for the start of day",
            Self::UnknownInstrument => "unknown instrument: see the instrument directory",
            Self::PriceOffTick => "price is not a multiple of the tick size: see the instrument directory",
            Self::PriceOutOfRange => {
                "price is not between one tick and the highest price: see the instrument directory"
            }
            Self::QuantityZero => "quantity is zero: give at least one lot",
            Self::QuantityTooLarge => "quantity is above the highest of the instrument: split the order",
            Self::QuantityOffLot => "quantity is not a multiple of the lot size: see the instrument directory",
            Self::UserRefJump => "reference is over USER_REF_JUMP_MAX above the last: count up from the last one",
            Self::UnknownOrder => "no such order: check the reference and the trading day",
            Self::TooLate => "too late: the order is executed or cancelled",
            Self::NotYours => "no such order of this firm: check the order id",
            Self::UnknownAccount => "unknown account: use one of this firm's accounts",
            Self::BookFull => "the venue holds LIVE_ORDERS_MAX orders: cancel some or try later",
            Self::ShortSaleOnBuy => "short-sale mark on a buy order: use a sell side",
            Self::BadDefinition => "definition contradicts what stands: see the reason beside it",
            Self::DuplicateClientId => "duplicate order id: use a fresh one",
            Self::NotSupported => {
                "order type, time in force or instruction is not offered: see the door's documentation"
            }
            Self::TypeNotOffered => "the instrument does not offer this order type: see its rulebook",
            Self::LifetimeNotOffered => "the instrument does not offer this time in force: see its rulebook",
            Self::InstructionNotOffered => "the instrument does not offer this instruction: see its rulebook",
            Self::InstructionConflict => "instructions contradict each other: leave one out",
            Self::QuantityTooSmall => "quantity is below the lowest of the instrument: see its rulebook",
            Self::DisplayInvalid => "displayed quantity is not a number of lots up to the quantity: correct it",
            Self::MinimumInvalid => "minimum quantity is not a number of lots up to the quantity: correct it",
            Self::TriggerInvalid => {
                "stop price is no price of the instrument, or there was no trade to trail: correct it"
            }
            Self::ExpiryInvalid => "expiry is not in the future: give a later one",
            Self::PostOnlyWouldTrade => "post-only order would have traded: give a less aggressive price",
            Self::NotInThisPhase => "the instrument's phase takes no such order: wait for the next phase",
            Self::PriceOutsideBands => "price is beyond the collar or the limit bands: give one within them",
            Self::CircuitBroken => "the whole market is halted: wait until it goes on",
            Self::UnknownTrade => "the instrument had no such trade today: see its executions",
            Self::TradeUndone => "the trade is undone already: a correction goes on from the one in its place",
            Self::TooManyUndone => "UNDONE_TRADES_MAX trades are undone today: wait for the next day",
            Self::DiscretionNotOffered => "no instrument offers a discretionary price: leave it out",
            Self::QuoteCrossed => "the quote buys at no less than it sells at: part its prices",
            Self::ProtectionTripped => "market-maker protection has tripped on the instrument: reset it first",
            Self::OverRate => "over the rate of this session: send slower",
            Self::FirmOverRate => "over the budget of this firm, all its sessions together: send slower",
            Self::BudgetsUnsound => {
                "budgets: rates up to BUDGET_MAX, bursts with a rate, no fewer cancels than orders, weight up to WEIGHT_MAX"
            }
            Self::CancelOnly => {
                "the venue takes only cancels until its journal has room: cancel, or send it again later"
            }
            Self::UnknownFlag => "no sequenced flag of this build has the number: see rialto flag ls",
            Self::FlagRetired => "the flag is retired, and its number is never used again: make a new one",
            Self::FlagMisaimed => "the flag has no such variant or is not decided for that: see rialto flag ls",
            Self::FlagFull => "the flag has FLAG_RULES_MAX rules: aim at a firm or a share, or clear some",
            Self::ParentsFull => "PARENTS_MAX parents are stated: take some away, or wait for the next day",
            Self::RiskOrderQuantity => {
                "quantity is over order_quantity of the firm's or account's limits: split the order"
            }
            Self::RiskOrderNotional => {
                "worth is over order_notional of the firm's or account's limits: split the order"
            }
            Self::RiskCollar => {
                "price is beyond the collar of the firm's or account's limits: give one nearer to the last trade"
            }
            Self::RiskOpenOrders => "open_orders of the firm's or account's limits stand: cancel some",
            Self::RiskPosition => {
                "could lead beyond the position of the firm's or account's limits: cancel or order less"
            }
            Self::RiskCredit => "over the credit of the firm's or account's limits: cancel buy orders or order less",
            Self::RiskDuplicate => "an order like it came within duplicate_window: change it or wait",
            Self::RiskUnpriced => {
                "a market order cannot be valued for the firm's or account's limits: give a limit price"
            }
            Self::OldDirectory => "the directory has another version by now: read it again",
            Self::FaultInjected => "refused by a fault on purpose: see `rialto fault ls`, or send it again",
            Self::FaultUnsound => "the fault's fields are not those of its kind: see `rialto fault add --help`",
            Self::FaultOutOfPlace => {
                "no fault has that name, one has it already, or FAULTS_MAX stand: see `rialto fault ls`"
            }
            Self::FirmKilled => "the firm's kill switch is on: ask the venue to switch it off",
        }
    }
}
