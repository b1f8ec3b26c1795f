//! Every message and packet against bytes written by hand from the tables of the specifications, and every length too.
//!
//! The crate `ouch_model` 5.0.1 reads and writes the same bytes, but for five messages: it makes the symbol nine bytes
//! wide (O, A, U out) and the cancel reason four (C), against the specification and the captures, and it writes the
//! options of R in another order. That is why it is no dependency of these tests; O, A and C stand against real
//! captures instead.

mod support;

use rialto_ouch::messages::*;
use rialto_ouch::soup::*;
use support::{bytes, client, golden, server};

#[test]
fn inbound_messages_are_these_bytes() {
    let mut types = Vec::new();
    golden::each_inbound(&mut |name, bytes, value| {
        types.push(bytes[0]);
        assert_eq!(Inbound::decode(bytes), Ok(value), "{name}: decoded");
        let mut encoded = Vec::new();
        value.encode(&mut encoded);
        assert_eq!(encoded, bytes, "{name}: encoded");
    });
    types.dedup();
    assert_eq!(types, b"OUXMQ", "every inbound type has golden bytes");
}

#[test]
fn outbound_messages_are_these_bytes() {
    let mut types = Vec::new();
    golden::each_outbound(&mut |name, bytes, value| {
        types.push(bytes[0]);
        assert_eq!(Outbound::decode(bytes), Ok(value), "{name}: decoded");
        let mut encoded = Vec::new();
        value.encode(&mut encoded);
        assert_eq!(encoded, bytes, "{name}: encoded");
    });
    assert_eq!(types, b"SAUCDEBJPITMRQ", "every outbound type has golden bytes");
}

#[test]
fn fixed_parts_have_the_lengths_of_the_specification() {
    let lengths = [
        (EnterOrder::TYPE, EnterOrder::LENGTH, b'O', 47),
        (ReplaceOrder::TYPE, ReplaceOrder::LENGTH, b'U', 40),
        (CancelOrder::TYPE, CancelOrder::LENGTH, b'X', 9),
        (ModifyOrder::TYPE, ModifyOrder::LENGTH, b'M', 10),
        (AccountQuery::TYPE, AccountQuery::LENGTH, b'Q', 1),
        (SystemEvent::TYPE, SystemEvent::LENGTH, b'S', 10),
        (OrderAccepted::TYPE, OrderAccepted::LENGTH, b'A', 64),
        (OrderReplaced::TYPE, OrderReplaced::LENGTH, b'U', 68),
        (OrderCanceled::TYPE, OrderCanceled::LENGTH, b'C', 18),
        (AiqCanceled::TYPE, AiqCanceled::LENGTH, b'D', 32),
        (OrderExecuted::TYPE, OrderExecuted::LENGTH, b'E', 36),
        (BrokenTrade::TYPE, BrokenTrade::LENGTH, b'B', 36),
        (OrderRejected::TYPE, OrderRejected::LENGTH, b'J', 29),
        (CancelPending::TYPE, CancelPending::LENGTH, b'P', 13),
        (CancelReject::TYPE, CancelReject::LENGTH, b'I', 13),
        (OrderPriorityUpdate::TYPE, OrderPriorityUpdate::LENGTH, b'T', 30),
        (OrderModified::TYPE, OrderModified::LENGTH, b'M', 18),
        (OrderRestated::TYPE, OrderRestated::LENGTH, b'R', 16),
        (AccountQueryResponse::TYPE, AccountQueryResponse::LENGTH, b'Q', 13),
    ];
    for (message_type, length, expected_type, expected_length) in lengths {
        assert_eq!((message_type as char, length), (expected_type as char, expected_length));
    }
}

#[test]
fn market_prices_are_the_sentinels_of_the_specification() {
    // price on the wire, means market, is a limit
    let table = [
        (0, false, false),
        (1, false, true),
        (0x7735_939c, false, true),
        (0x7735_939d, false, false),
        (2_000_000_000, true, false),
        (0x7fff_ffff, true, false),
        (0x8000_0000, false, false),
        (u64::MAX, false, false),
    ];
    for (wire, is_market, is_limit) in table {
        assert_eq!(
            (Price(wire).is_market(), Price(wire).is_limit()),
            (is_market, is_limit),
            "{wire}"
        );
    }
    for (wire, is_enterable) in [
        (0, false),
        (1, true),
        (999_999, true),
        (1_000_000, false),
        (u32::MAX, false),
    ] {
        assert_eq!(Quantity(wire).is_enterable(), is_enterable, "{wire}");
    }
}

#[test]
fn packets_are_these_bytes() {
    let day = SessionName::new("DAY1").expect("fits");
    let login = LoginRequest {
        user: UserName::new("bob").expect("fits"),
        password: Password::new("secret").expect("fits"),
        session: Some(day),
        sequence: RequestedSequence::From(SequenceNumber::new(4_711).expect("above 0")),
    };
    let newest = LoginRequest {
        session: None,
        sequence: RequestedSequence::MostRecent,
        ..login
    };
    let table = [
        (ClientPacket::Debug(b"hi"), "0003 '+hi'"),
        (
            ClientPacket::LoginRequest(login),
            "002f 'L' 'bob   ' 'secret    ' '      DAY1' '                4711'",
        ),
        (
            ClientPacket::LoginRequest(newest),
            "002f 'L' 'bob   ' 'secret    ' '          ' '                   0'",
        ),
        (ClientPacket::Unsequenced(b"Q"), "0002 'UQ'"),
        (ClientPacket::Heartbeat, "0001 'R'"),
        (ClientPacket::LogoutRequest, "0001 'O'"),
    ];
    for (packet, expected) in table {
        assert_eq!(client(packet), bytes(expected), "{packet:?}");
        assert_eq!(ClientPacket::decode(&bytes(expected)[2..]), Ok(packet));
    }
    let last = SequenceNumber::new(u64::MAX).expect("above 0");
    let accepted = ServerPacket::LoginAccepted(LoginAccepted {
        session: day,
        next: last,
    });
    let table = [
        (ServerPacket::Debug(b"hi"), "0003 '+hi'"),
        (accepted, "001f 'A' '      DAY1' '18446744073709551615'"),
        (ServerPacket::LoginRejected(LoginRejectCode::NotAuthorised), "0002 'JA'"),
        (
            ServerPacket::LoginRejected(LoginRejectCode::SessionNotAvailable),
            "0002 'JS'",
        ),
        (ServerPacket::Sequenced(b"Q"), "0002 'SQ'"),
        (ServerPacket::Unsequenced(b""), "0001 'U'"),
        (ServerPacket::Heartbeat, "0001 'H'"),
        (ServerPacket::EndOfSession, "0001 'Z'"),
    ];
    for (packet, expected) in table {
        assert_eq!(server(packet), bytes(expected), "{packet:?}");
        assert_eq!(ServerPacket::decode(&bytes(expected)[2..]), Ok(packet));
    }
    // Padding on the other side, and zeros before a number, are read as well.
    let other_side = bytes("'L' 'bob   ' 'secret    ' 'DAY1      ' '00004711            '");
    assert_eq!(ClientPacket::decode(&other_side), Ok(ClientPacket::LoginRequest(login)));
}
