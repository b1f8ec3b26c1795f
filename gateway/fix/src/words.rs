//! The session's two other words: message types and sequence numbers.

use core::fmt;

/// MsgType(35): one to a few bytes, borrowed from where they stand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsgType<'a>(pub &'a [u8]);

impl fmt::Debug for MsgType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MsgType({})", self.0.escape_ascii())
    }
}

impl fmt::Display for MsgType<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_ascii().fmt(f)
    }
}

macro_rules! message_types {
    ($($name:ident = $bytes:literal, $message:literal;)*) => {
        impl MsgType<'static> {
            $(
                #[doc = concat!($message, " (35=", $bytes, ")")]
                pub const $name: Self = Self($bytes.as_bytes());
            )*
        }
    };
}

message_types! {
    HEARTBEAT = "0", "Heartbeat";
    TEST_REQUEST = "1", "TestRequest";
    RESEND_REQUEST = "2", "ResendRequest";
    REJECT = "3", "Reject (session level)";
    SEQUENCE_RESET = "4", "SequenceReset";
    LOGOUT = "5", "Logout";
    EXECUTION_REPORT = "8", "ExecutionReport";
    ORDER_CANCEL_REJECT = "9", "OrderCancelReject";
    LOGON = "A", "Logon";
    SECURITY_DEFINITION_REQUEST = "c", "SecurityDefinitionRequest";
    SECURITY_DEFINITION = "d", "SecurityDefinition";
    NEW_ORDER_SINGLE = "D", "NewOrderSingle";
    ORDER_CANCEL_REQUEST = "F", "OrderCancelRequest";
    ORDER_CANCEL_REPLACE_REQUEST = "G", "OrderCancelReplaceRequest";
    ORDER_STATUS_REQUEST = "H", "OrderStatusRequest";
    ORDER_MASS_CANCEL_REQUEST = "q", "OrderMassCancelRequest";
    ORDER_MASS_CANCEL_REPORT = "r", "OrderMassCancelReport";
    ORDER_MASS_STATUS_REQUEST = "AF", "OrderMassStatusRequest";
    SECURITY_LIST_REQUEST = "x", "SecurityListRequest";
    SECURITY_LIST = "y", "SecurityList";
    SECURITY_STATUS_REQUEST = "e", "SecurityStatusRequest";
    SECURITY_STATUS = "f", "SecurityStatus";
    TRADING_SESSION_STATUS_REQUEST = "g", "TradingSessionStatusRequest";
    TRADING_SESSION_STATUS = "h", "TradingSessionStatus";
    BUSINESS_MESSAGE_REJECT = "j", "BusinessMessageReject";
    MASS_QUOTE = "i", "MassQuote";
    MASS_QUOTE_ACKNOWLEDGEMENT = "b", "MassQuoteAcknowledgement (FIX 4.2: QuoteAcknowledgement)";
    QUOTE_CANCEL = "Z", "QuoteCancel";
    MARKET_DATA_REQUEST = "V", "MarketDataRequest";
    MARKET_DATA_SNAPSHOT = "W", "MarketDataSnapshotFullRefresh";
    MARKET_DATA_INCREMENTAL_REFRESH = "X", "MarketDataIncrementalRefresh";
    MARKET_DATA_REQUEST_REJECT = "Y", "MarketDataRequestReject";
}

impl MsgType<'_> {
    /// True for the messages of the session layer; every other one is the application's.
    #[must_use]
    pub const fn is_admin(self) -> bool {
        matches!(self.0, b"0" | b"1" | b"2" | b"3" | b"4" | b"5" | b"A")
    }
}

/// MsgSeqNum(34) and the fields that refer to one. Starts at 1; a session counts each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsgSeqNum(pub u64);

impl MsgSeqNum {
    /// The number of a session's first message.
    pub const FIRST: Self = Self(1);

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for MsgSeqNum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
