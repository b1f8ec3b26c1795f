//! Real frames: each capture holds one TCP segment with one SoupBinTCP packet that an exchange or a member sent.

mod support;

use std::path::PathBuf;

use rialto_ouch::messages::*;
use rialto_ouch::soup::{ClientPacket, Framer, ServerPacket};
use support::{client, server};

fn folder() -> PathBuf {
    let data = std::env::var_os("RIALTO_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    data.join("pcap/ouch50")
}

/// The TCP payload of the only frame of a capture; `None` (and said) where the data is not there.
fn payload(name: &str) -> Option<Vec<u8>> {
    let path = folder().join(name);
    let Ok(file) = std::fs::read(&path) else {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!(
                "SKIPPED: {} is not there; set RIALTO_DATA to the folder of the captures",
                path.display()
            );
        }
        return None;
    };
    const FILE_HEADER: usize = 24;
    const RECORD_HEADER: usize = 16;
    let magic: [u8; 4] = file[..4].try_into().expect("four bytes");
    assert!(
        [0xa1b2_c3d4, 0xa1b2_3c4d].contains(&u32::from_le_bytes(magic)),
        "{name}: little-endian pcap"
    );
    let mut frame = &file[FILE_HEADER + RECORD_HEADER..];
    frame = &frame[12..];
    while frame[..2] == [0x81, 0x00] {
        frame = &frame[4..];
    }
    assert_eq!(frame[..2], [0x08, 0x00], "{name}: IPv4");
    let packet = &frame[2..];
    // Capture devices append their own bytes to a frame: the IP length says where the packet ends.
    let total = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
    let segment = &packet[usize::from(packet[0] & 0x0f) * 4..total];
    Some(segment[usize::from(segment[12] >> 4) * 4..].to_vec())
}

/// The one packet in a payload, without its length.
fn packet(payload: &[u8]) -> Vec<u8> {
    let mut framer = Framer::new(1_024);
    assert_eq!(framer.feed(payload), payload.len());
    let packet = framer
        .next_packet()
        .expect("a sound frame")
        .expect("a whole packet")
        .to_vec();
    assert_eq!(framer.next_packet(), Ok(None), "nothing behind it");
    packet
}

#[test]
fn enter_order() {
    let Some(payload) = payload("EnterOrderMessage.pcap") else {
        return;
    };
    let packet = packet(&payload);
    let Ok(ClientPacket::Unsequenced(message)) = ClientPacket::decode(&packet) else {
        panic!("{packet:?}")
    };
    let Ok(Inbound::EnterOrder(order)) = Inbound::decode(message) else {
        panic!("{:?}", Inbound::decode(message))
    };
    let expected = EnterOrder {
        user_ref: UserRefNum(113),
        side: Side::SellShort,
        quantity: Quantity(225),
        symbol: Symbol::new("CVLT").expect("fits"),
        price: Price(630_200),
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Agency,
        inter_market_sweep: InterMarketSweep::NotEligible,
        cross_type: CrossType::Continuous,
        cl_ord_id: ClOrdId::new("H8FUB8IV").expect("fits"),
        appendage: order.appendage,
    };
    assert_eq!(order, expected);
    let options = order.appendage.options().expect("sound options");
    assert_eq!(
        options,
        Options {
            firm: Some(Firm::new("LIME").expect("fits")),
            ..Options::NONE
        }
    );
    assert_eq!(options.outside(EnterOrder::OPTIONS), None);
    assert_eq!(
        encoded(
            |out| order.encode(out),
            |message| client(ClientPacket::Unsequenced(message))
        ),
        payload
    );
}

#[test]
fn cancel_order() {
    let Some(payload) = payload("CancelOrderMessage.pcap") else {
        return;
    };
    let packet = packet(&payload);
    let Ok(ClientPacket::Unsequenced(message)) = ClientPacket::decode(&packet) else {
        panic!("{packet:?}")
    };
    let cancel = CancelOrder {
        user_ref: UserRefNum(7_679_601),
        quantity: Quantity(0),
    };
    assert_eq!(Inbound::decode(message), Ok(cancel.into()));
    assert_eq!(
        encoded(
            |out| cancel.encode(out),
            |message| client(ClientPacket::Unsequenced(message))
        ),
        payload
    );
}

#[test]
fn order_accepted() {
    let Some(payload) = payload("OrderAcceptedMessage.pcap") else {
        return;
    };
    let packet = packet(&payload);
    let Ok(ServerPacket::Sequenced(message)) = ServerPacket::decode(&packet) else {
        panic!("{packet:?}")
    };
    let Ok(Outbound::OrderAccepted(accepted)) = Outbound::decode(message) else {
        panic!("{:?}", Outbound::decode(message))
    };
    let expected = OrderAccepted {
        timestamp: Timestamp(0x0000_289b_4d64_af87),
        user_ref: UserRefNum(7_682_701),
        side: Side::Buy,
        quantity: Quantity(40),
        symbol: Symbol::new("ADBE").expect("fits"),
        price: Price(4_777_800),
        time_in_force: TimeInForce::ExtendedHours,
        display: AcceptedDisplay::Visible,
        order_reference: OrderReference(257_340_661),
        capacity: Capacity::Agency,
        inter_market_sweep: InterMarketSweep::NotEligible,
        cross_type: CrossType::Continuous,
        order_state: OrderState::Live,
        cl_ord_id: ClOrdId::new("7682701").expect("fits"),
        appendage: accepted.appendage,
    };
    assert_eq!(accepted, expected);
    let options = accepted.appendage.options().expect("sound options");
    let firm_and_weight = Options {
        firm: Some(Firm::new("MLRO").expect("fits")),
        bbo_weight: Some(BboWeight::UpTo0_2Percent),
        ..Options::NONE
    };
    assert_eq!(options, firm_and_weight);
    assert_eq!(
        options.to_appendage().as_appendage(),
        accepted.appendage,
        "options keep their order"
    );
    assert_eq!(
        encoded(
            |out| accepted.encode(out),
            |message| server(ServerPacket::Sequenced(message))
        ),
        payload
    );
}

#[test]
fn order_canceled() {
    let Some(payload) = payload("CanceledMessage.pcap") else {
        return;
    };
    let packet = packet(&payload);
    let Ok(ServerPacket::Sequenced(message)) = ServerPacket::decode(&packet) else {
        panic!("{packet:?}")
    };
    let canceled = OrderCanceled {
        timestamp: Timestamp(0x0000_289b_4d68_1317),
        user_ref: UserRefNum(7_682_701),
        quantity: Quantity(40),
        reason: CancelReason::UserRequested,
    };
    assert_eq!(Outbound::decode(message), Ok(canceled.into()));
    assert_eq!(
        encoded(
            |out| canceled.encode(out),
            |message| server(ServerPacket::Sequenced(message))
        ),
        payload
    );
}

#[test]
fn heartbeats() {
    if let Some(payload) = payload("ServerHeartbeatPacket.pcap") {
        assert_eq!(ServerPacket::decode(&packet(&payload)), Ok(ServerPacket::Heartbeat));
        assert_eq!(server(ServerPacket::Heartbeat), payload);
    }
    if let Some(payload) = payload("ClientHeartbeatPacket.pcap") {
        assert_eq!(ClientPacket::decode(&packet(&payload)), Ok(ClientPacket::Heartbeat));
        assert_eq!(client(ClientPacket::Heartbeat), payload);
    }
}

/// The packet of a message that is encoded anew.
fn encoded(message: impl FnOnce(&mut Vec<u8>), packet: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    message(&mut out);
    packet(&out)
}
