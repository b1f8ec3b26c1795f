//! Golden bytes. Those in the table below were made by an independent encoder (PyPI itchfeed), with another value in every
//! field of one width, so that two of them cannot change places unseen. The captures are a real day's packets.

mod common;

use common::capture;
use rialto_itch::codes::{
    Authenticity, BreachedLevel, CrossType, EventCode, FinancialStatus, Flag, ImbalanceDirection, InterestFlag,
    IpoQualifier, IssueClassification, LuldTier, MarketCategory, MarketCode, MarketMakerMode, OperationalAction,
    ParticipantState, PriceVariation, RegShoAction, Reserved, Side, TradingState, YesNo,
};
use rialto_itch::mold::{Packet, PacketBuilder, SequenceNumber, Session};
use rialto_itch::values::{LeverageFactor, LongTimeOfDay, SecondOfDay, Seconds};
use rialto_itch::{
    AddOrder, AddOrderAttributed, BrokenTrade, CapitalRaiseDiscovery, CrossTrade, Header, IpoQuotingPeriod,
    IssueSubType, LuldAuctionCollar, MarketParticipantPosition, MatchNumber, Message, Mpid, MwcbDeclineLevels,
    MwcbStatus, NetOrderImbalance, OperationalHalt, OrderCancel, OrderDelete, OrderExecuted, OrderExecutedWithPrice,
    OrderReference, OrderReplace, Price4, Price8, RegShoRestriction, RetailInterest, Shares, Stock, StockDirectory,
    StockLocate, StockTradingAction, SystemEvent, TimeOfDay, TotalShares, TrackingNumber, Trade, TradingReason,
};

fn price(units: i64) -> Price4 {
    Price4::new(units).expect("in range")
}

fn stock(text: &str) -> Stock {
    Stock::new(text).expect("a symbol")
}

fn mpid(text: &str) -> Mpid {
    Mpid::new(text).expect("an identifier")
}

/// Bytes in hexadecimal, and what they say.
fn golden() -> Vec<(&'static str, Message)> {
    let made = Header {
        locate: StockLocate(0x0102),
        tracking: TrackingNumber(0x0304),
        timestamp: TimeOfDay::new(0x0506_0708_090A).expect("48 bits"),
    };
    let goog = stock("GOOG");
    vec![
        (
            "530102030405060708090a51",
            SystemEvent {
                header: made,
                event: EventCode::StartOfMarketHours,
            }
            .into(),
        ),
        (
            "520102030405060708090a474f4f4720202020514e000000644e435a20505920314e0000000359",
            StockDirectory {
                header: made,
                stock: goog,
                market_category: MarketCategory::NasdaqGlobalSelect,
                financial_status: FinancialStatus::Normal,
                round_lot_size: Shares(100),
                round_lots_only: YesNo::No,
                issue_classification: IssueClassification::CommonStock,
                issue_sub_type: IssueSubType::new("Z").expect("a sub-type"),
                authenticity: Authenticity::Live,
                short_sale_threshold: Flag::Yes,
                ipo: Flag::NotAvailable,
                luld_tier: LuldTier::Tier1,
                etp: Flag::No,
                etp_leverage_factor: LeverageFactor(3),
                inverse: YesNo::Yes,
            }
            .into(),
        ),
        (
            "480102030405060708090a474f4f472020202050204c554450",
            StockTradingAction {
                header: made,
                stock: goog,
                state: TradingState::Paused,
                reserved: Reserved,
                reason: TradingReason::new("LUDP").expect("a reason"),
            }
            .into(),
        ),
        (
            "590102030405060708090a474f4f472020202031",
            RegShoRestriction {
                header: made,
                stock: goog,
                action: RegShoAction::RestrictedToday,
            }
            .into(),
        ),
        (
            "4c0102030405060708090a524c544f474f4f4720202020594e41",
            MarketParticipantPosition {
                header: made,
                mpid: mpid("RLTO"),
                stock: goog,
                primary: YesNo::Yes,
                mode: MarketMakerMode::Normal,
                state: ParticipantState::Active,
            }
            .into(),
        ),
        (
            "560102030405060708090a000000000000000100000000000000020000000000000003",
            MwcbDeclineLevels {
                header: made,
                level_1: Price8(1),
                level_2: Price8(2),
                level_3: Price8(3),
            }
            .into(),
        ),
        (
            "570102030405060708090a32",
            MwcbStatus {
                header: made,
                breached: BreachedLevel::Level2,
            }
            .into(),
        ),
        (
            "4b0102030405060708090a474f4f47202020200000859841000cf850",
            IpoQuotingPeriod {
                header: made,
                stock: goog,
                release_time: SecondOfDay(34_200),
                qualifier: IpoQualifier::Anticipated,
                price: price(850_000),
            }
            .into(),
        ),
        (
            "4a0102030405060708090a474f4f472020202000000001000000020000000300000004",
            LuldAuctionCollar {
                header: made,
                stock: goog,
                reference_price: price(1),
                upper_price: price(2),
                lower_price: price(3),
                extension: Seconds(4),
            }
            .into(),
        ),
        (
            "680102030405060708090a474f4f47202020204248",
            OperationalHalt {
                header: made,
                stock: goog,
                market: MarketCode::Bx,
                action: OperationalAction::Halted,
            }
            .into(),
        ),
        (
            "410102030405060708090a11121314151617184200000064474f4f472020202000595d58",
            AddOrder {
                header: made,
                reference: OrderReference(0x1112_1314_1516_1718),
                side: Side::Buy,
                shares: Shares(100),
                stock: goog,
                price: price(5_856_600),
            }
            .into(),
        ),
        (
            "460102030405060708090a11121314151617185300000064474f4f472020202000595d58524c544f",
            AddOrderAttributed {
                header: made,
                reference: OrderReference(0x1112_1314_1516_1718),
                side: Side::Sell,
                shares: Shares(100),
                stock: goog,
                price: price(5_856_600),
                attribution: mpid("RLTO"),
            }
            .into(),
        ),
        (
            "450102030405060708090a0000000000000001000000020000000000000003",
            OrderExecuted {
                header: made,
                reference: OrderReference(1),
                shares: Shares(2),
                match_number: MatchNumber(3),
            }
            .into(),
        ),
        (
            "430102030405060708090a00000000000000010000000200000000000000034e00000004",
            OrderExecutedWithPrice {
                header: made,
                reference: OrderReference(1),
                shares: Shares(2),
                match_number: MatchNumber(3),
                printable: YesNo::No,
                price: price(4),
            }
            .into(),
        ),
        (
            "580102030405060708090a000000000000000100000002",
            OrderCancel {
                header: made,
                reference: OrderReference(1),
                shares: Shares(2),
            }
            .into(),
        ),
        (
            "440102030405060708090a0000000000000001",
            OrderDelete {
                header: made,
                reference: OrderReference(1),
            }
            .into(),
        ),
        (
            "550102030405060708090a000000000000000100000000000000020000000300000004",
            OrderReplace {
                header: made,
                original_reference: OrderReference(1),
                new_reference: OrderReference(2),
                shares: Shares(3),
                price: price(4),
            }
            .into(),
        ),
        (
            "500102030405060708090a00000000000000014200000002474f4f4720202020000000030000000000000004",
            Trade {
                header: made,
                reference: OrderReference(1),
                side: Side::Buy,
                shares: Shares(2),
                stock: goog,
                price: price(3),
                match_number: MatchNumber(4),
            }
            .into(),
        ),
        (
            "510102030405060708090a0000000100000000474f4f472020202000000005000000000000000648",
            CrossTrade {
                header: made,
                shares: TotalShares(1 << 32),
                stock: goog,
                price: price(5),
                match_number: MatchNumber(6),
                cross_type: CrossType::Halted,
            }
            .into(),
        ),
        (
            "420102030405060708090a0000000000000007",
            BrokenTrade {
                header: made,
                match_number: MatchNumber(7),
            }
            .into(),
        ),
        (
            "490102030405060708090a0000000000000001000000000000000253474f4f47202020200000000300000004000000054342",
            NetOrderImbalance {
                header: made,
                paired_shares: TotalShares(1),
                imbalance_shares: TotalShares(2),
                direction: ImbalanceDirection::Sell,
                stock: goog,
                far_price: price(3),
                near_price: price(4),
                reference_price: price(5),
                cross_type: CrossType::Closing,
                variation: PriceVariation::From20,
            }
            .into(),
        ),
        (
            "4e0102030405060708090a474f4f472020202041",
            RetailInterest {
                header: made,
                stock: goog,
                interest: InterestFlag::Both,
            }
            .into(),
        ),
        (
            "4f0102030405060708090a474f4f47202020205900000001000000020000000300000000000000040000000500000006",
            CapitalRaiseDiscovery {
                header: made,
                stock: goog,
                eligible: YesNo::Yes,
                minimum_price: price(1),
                maximum_price: price(2),
                near_price: price(3),
                near_time: LongTimeOfDay(4),
                lower_collar: price(5),
                upper_collar: price(6),
            }
            .into(),
        ),
    ]
}

fn from_hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal"))
        .collect()
}

#[test]
fn golden_bytes_of_every_message() {
    let mut types = Vec::new();
    for (hex, message) in golden() {
        let bytes = from_hex(hex);
        assert_eq!(Message::decode(&bytes), Ok(message));
        let mut out = Vec::new();
        message.append_to(&mut out);
        assert_eq!(out, bytes, "{message:?}");
        types.push((message.message_type(), message.encoded_len()));
    }
    assert_eq!(
        types,
        Message::TYPES,
        "every message has a golden row, in the order of the specification"
    );
}

/// The captures begin shortly before the opening: 9:25 to 9:45, in nanoseconds since midnight.
const MORNING_NS: core::ops::Range<u64> = 33_900_000_000_000..35_100_000_000_000;

const CAPTURES: [(&str, &str); 23] = [
    ("2023-AddOrderNoMPID.pcap", "AAAAA"),
    ("2023-AddOrderWithMPID.pcap", "FFFFF"),
    ("2023-CrossTrade.pcap", "QQQQQ"),
    ("2023-LULDAuctionCollar.pcap", "JJJJJ"),
    ("2023-MarketParticipantPosition.pcap", "LLLLL"),
    ("2023-NetOrderImbalanceIndicator.pcap", "IIIII"),
    ("2023-NonCrossTrade.pcap", "PPPPP"),
    ("2023-OrderCancel.pcap", "XXXXX"),
    ("2023-OrderDelete.pcap", "DDDDD"),
    ("2023-OrderExecuted.pcap", "EEEEE"),
    ("2023-OrderExecutedWithPrice.pcap", "CCCCC"),
    ("2023-OrderReplace.pcap", "UUUUU"),
    ("2023-RegSHORestriction.pcap", "YYYYY"),
    ("2023-StockTradingAction.pcap", "HHHHH"),
    ("2023-SystemEvent.pcap", "S"),
    ("AddOrderNoMpidAttributionMessage.pcap", "A"),
    ("MarketParticipantPositionMessage.pcap", "L"),
    ("Multiple.Packets.pcap", "DAAAAAAAAFAAAAFAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("NetOrderImbalanceIndicatorMessage.pcap", "I"),
    ("OrderDeleteMessage.pcap", "D"),
    ("OrderExecutedMessage.pcap", "E"),
    ("OrderReplaceMessage.pcap", "U"),
    ("StockTradingActionMessage.pcap", "H"),
];

#[test]
fn captured_packets_are_read_and_written_byte_for_byte() {
    let mut read = 0;
    for (name, types) in CAPTURES {
        let Some(payloads) = capture(name) else { continue };
        let mut seen = String::new();
        for payload in payloads {
            let packet = Packet::parse(&payload).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut builder =
                PacketBuilder::with_datagram_max(packet.session(), packet.sequence(), 1_472).expect("a size");
            for (_, bytes) in packet.blocks() {
                let message = Message::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
                seen.push(char::from(message.message_type()));
                let (_, block) = builder.block(message.encoded_len()).expect("it fitted before");
                assert_eq!(message.encode(block), Ok(bytes.len()));
                assert!(
                    MORNING_NS.contains(&message.header().timestamp.ns()),
                    "{name}: {message:?}"
                );
            }
            assert_eq!(builder.seal(), Some(&payload[..]), "{name}");
            assert_eq!(builder.next(), packet.end());
        }
        assert_eq!(seen, types, "{name}");
        read += 1;
    }
    assert!(
        read == 0 || read == CAPTURES.len(),
        "{read} captures of {}",
        CAPTURES.len()
    );
}

#[test]
fn a_real_packet_says_what_other_readers_say_it_does() {
    let Some(payloads) = capture("Multiple.Packets.pcap") else {
        return;
    };
    let packet = Packet::parse(&payloads[1]).expect("a sound packet");
    assert_eq!(packet.session(), Session::new("000010059B").expect("a session"));
    assert_eq!((packet.sequence(), packet.count()), (SequenceNumber(19_009_117), 38));
    let (sequence, bytes) = packet.blocks().nth(8).expect("a ninth message");
    assert_eq!(sequence, SequenceNumber(19_009_125));
    let Ok(Message::AddOrderAttributed(order)) = Message::decode(bytes) else {
        panic!("{bytes:02x?}")
    };
    let expected = (
        OrderReference(9_752_743),
        Side::Buy,
        Shares(5),
        stock("META"),
        price(801_100),
        mpid("UBSS"),
    );
    assert_eq!(
        (
            order.reference,
            order.side,
            order.shares,
            order.stock,
            order.price,
            order.attribution
        ),
        expected
    );
}
