//! Field tags: the number to the left of `=`.

use core::fmt;

/// A field's tag. Signed, because a peer can send `-1=`, and the Reject has to name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub i32);

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Tag {
    /// True for fields of the standard header (FIX 4.4 volume 1, FIXT 1.1), NoHops group included.
    #[must_use]
    pub const fn is_header(self) -> bool {
        matches!(
            self.0,
            8 | 9
                | 34
                | 35
                | 43
                | 49
                | 50
                | 52
                | 56
                | 57
                | 90
                | 91
                | 97
                | 115
                | 116
                | 122
                | 128
                | 129
                | 142..=145
                | 212
                | 213
                | 347
                | 369
                | 370
                | 627..=630
                | 1128
                | 1129
                | 1156
        )
    }

    /// True for fields of the standard trailer.
    #[must_use]
    pub const fn is_trailer(self) -> bool {
        matches!(self.0, 10 | 89 | 93)
    }
}

macro_rules! tags {
    ($($name:ident = $number:literal, $field:literal;)*) => {
        /// Tags by their FIX field names.
        pub mod tags {
            use super::Tag;
            $(
                #[doc = concat!($field, "(", stringify!($number), ")")]
                pub const $name: Tag = Tag($number);
            )*
        }
    };
}

tags! {
    ACCOUNT = 1, "Account";
    AVG_PX = 6, "AvgPx";
    BEGIN_SEQ_NO = 7, "BeginSeqNo";
    BEGIN_STRING = 8, "BeginString";
    BODY_LENGTH = 9, "BodyLength";
    CHECK_SUM = 10, "CheckSum";
    CL_ORD_ID = 11, "ClOrdID";
    CUM_QTY = 14, "CumQty";
    END_SEQ_NO = 16, "EndSeqNo";
    EXEC_ID = 17, "ExecID";
    EXEC_INST = 18, "ExecInst";
    EXEC_REF_ID = 19, "ExecRefID";
    EXEC_TRANS_TYPE = 20, "ExecTransType";
    HANDL_INST = 21, "HandlInst";
    SECURITY_ID_SOURCE = 22, "SecurityIDSource";
    LAST_PX = 31, "LastPx";
    LAST_QTY = 32, "LastQty";
    MSG_SEQ_NUM = 34, "MsgSeqNum";
    MSG_TYPE = 35, "MsgType";
    NEW_SEQ_NO = 36, "NewSeqNo";
    ORDER_ID = 37, "OrderID";
    ORDER_QTY = 38, "OrderQty";
    ORD_STATUS = 39, "OrdStatus";
    ORD_TYPE = 40, "OrdType";
    ORIG_CL_ORD_ID = 41, "OrigClOrdID";
    POSS_DUP_FLAG = 43, "PossDupFlag";
    PRICE = 44, "Price";
    REF_SEQ_NUM = 45, "RefSeqNum";
    SECURITY_ID = 48, "SecurityID";
    SENDER_COMP_ID = 49, "SenderCompID";
    SENDER_SUB_ID = 50, "SenderSubID";
    SENDING_TIME = 52, "SendingTime";
    SIDE = 54, "Side";
    SYMBOL = 55, "Symbol";
    TARGET_COMP_ID = 56, "TargetCompID";
    TARGET_SUB_ID = 57, "TargetSubID";
    TEXT = 58, "Text";
    TIME_IN_FORCE = 59, "TimeInForce";
    TRANSACT_TIME = 60, "TransactTime";
    RAW_DATA_LENGTH = 95, "RawDataLength";
    RAW_DATA = 96, "RawData";
    POSS_RESEND = 97, "PossResend";
    ENCRYPT_METHOD = 98, "EncryptMethod";
    STOP_PX = 99, "StopPx";
    CXL_REJ_REASON = 102, "CxlRejReason";
    ORD_REJ_REASON = 103, "OrdRejReason";
    HEART_BT_INT = 108, "HeartBtInt";
    MIN_QTY = 110, "MinQty";
    MAX_FLOOR = 111, "MaxFloor";
    TEST_REQ_ID = 112, "TestReqID";
    ON_BEHALF_OF_COMP_ID = 115, "OnBehalfOfCompID";
    ON_BEHALF_OF_SUB_ID = 116, "OnBehalfOfSubID";
    ORIG_SENDING_TIME = 122, "OrigSendingTime";
    GAP_FILL_FLAG = 123, "GapFillFlag";
    EXPIRE_TIME = 126, "ExpireTime";
    DELIVER_TO_COMP_ID = 128, "DeliverToCompID";
    DELIVER_TO_SUB_ID = 129, "DeliverToSubID";
    RESET_SEQ_NUM_FLAG = 141, "ResetSeqNumFlag";
    ON_BEHALF_OF_LOCATION_ID = 144, "OnBehalfOfLocationID";
    DELIVER_TO_LOCATION_ID = 145, "DeliverToLocationID";
    EXEC_TYPE = 150, "ExecType";
    LEAVES_QTY = 151, "LeavesQty";
    REF_TAG_ID = 371, "RefTagID";
    REF_MSG_TYPE = 372, "RefMsgType";
    SESSION_REJECT_REASON = 373, "SessionRejectReason";
    EXEC_RESTATEMENT_REASON = 378, "ExecRestatementReason";
    BUSINESS_REJECT_REF_ID = 379, "BusinessRejectRefID";
    BUSINESS_REJECT_REASON = 380, "BusinessRejectReason";
    EXPIRE_DATE = 432, "ExpireDate";
    CXL_REJ_RESPONSE_TO = 434, "CxlRejResponseTo";
    USERNAME = 553, "Username";
    PASSWORD = 554, "Password";
    LAST_LIQUIDITY_IND = 851, "LastLiquidityInd";
    DEFAULT_APPL_VER_ID = 1137, "DefaultApplVerID";
}
