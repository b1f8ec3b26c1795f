//! One message of each wire format that the order path carries most: an order in, an order on the feed.

use rialto_fix::message::{FieldWriter, MessageHeader};
use rialto_fix::{MsgSeqNum, MsgType, TimePrecision, UtcTimestamp, Version, tags};
use rialto_itch as itch;
use rialto_ouch::messages as ouch;

/// OUCH Enter Order without options, 47 bytes.
///
/// # Panics
/// Never: the texts fit.
#[must_use]
pub fn ouch_enter_order() -> ouch::EnterOrder<'static> {
    ouch::EnterOrder {
        user_ref: ouch::UserRefNum(42),
        side: ouch::Side::Buy,
        quantity: ouch::Quantity(100),
        symbol: ouch::Symbol::new("GOOG").expect("it fits"),
        price: ouch::Price(5_001_200),
        time_in_force: ouch::TimeInForce::Day,
        display: ouch::Display::Visible,
        capacity: ouch::Capacity::Agency,
        inter_market_sweep: ouch::InterMarketSweep::NotEligible,
        cross_type: ouch::CrossType::Continuous,
        cl_ord_id: ouch::ClOrdId::new("ORDER-00000042").expect("it fits"),
        appendage: ouch::Appendage::EMPTY,
    }
}

/// ITCH Add Order, 36 bytes.
///
/// # Panics
/// Never: the values fit.
#[must_use]
pub fn itch_add_order() -> itch::AddOrder {
    itch::AddOrder {
        header: itch::Header {
            locate: itch::StockLocate(1),
            ..itch::Header::default()
        },
        reference: itch::OrderReference(42),
        side: itch::codes::Side::Buy,
        shares: itch::Shares(100),
        stock: itch::Stock::new("GOOG").expect("it fits"),
        price: itch::Price4::new(5_001_200).expect("it fits"),
    }
}

/// The header of a FIX 4.4 NewOrderSingle.
#[must_use]
pub const fn fix_header() -> MessageHeader<'static> {
    MessageHeader {
        begin_string: Version::Fix44.begin_string(),
        msg_type: MsgType::NEW_ORDER_SINGLE,
        msg_seq_num: MsgSeqNum(42),
        sender_comp_id: b"FIRM1",
        target_comp_id: b"RIALTO",
        // 2026-01-05T09:30:00.123Z
        sending_time: UtcTimestamp(1_767_605_400_123_000_000),
        orig_sending_time: None,
        time_precision: TimePrecision::Milliseconds,
        extra: b"",
    }
}

/// Writes the body of a FIX 4.4 NewOrderSingle, its tags ascending.
pub fn write_fix_body(body: &mut Vec<u8>) {
    FieldWriter::new(body)
        .text(tags::CL_ORD_ID, "ORDER-00000042")
        .unsigned(tags::ORDER_QTY, 100)
        .character(tags::ORD_TYPE, b'2')
        .decimal(tags::PRICE, 5_001_200, 4)
        .character(tags::SIDE, b'1')
        .text(tags::SYMBOL, "GOOG")
        .character(tags::TIME_IN_FORCE, b'0')
        .timestamp(
            tags::TRANSACT_TIME,
            fix_header().sending_time,
            TimePrecision::Milliseconds,
        );
}
