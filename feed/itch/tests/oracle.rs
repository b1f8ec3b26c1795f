//! The crate `itchy` as a second reader of the messages that make a book.

mod common;

use common::{Random, spec_tables};
use itchy::{Body, MessageStream};
use rialto_itch::codes::YesNo;
use rialto_itch::{Message, Side};

const SEED: u64 = 0x5eed_0003;
const ROUNDS: usize = 500;

/// The fields of an order message in one form for both readers: numbers in the order of the wire.
type Numbers = Vec<u64>;

fn ours(message: &Message) -> Numbers {
    let side = |side| u64::from(side == Side::Buy);
    let price = |price: rialto_itch::Price4| u64::from(price.units());
    let fields = match *message {
        Message::AddOrder(m) => vec![m.reference.0, side(m.side), m.shares.0.into(), price(m.price)],
        Message::AddOrderAttributed(m) => {
            let attribution = u32::from_be_bytes(m.attribution.0);
            vec![
                m.reference.0,
                side(m.side),
                m.shares.0.into(),
                price(m.price),
                attribution.into(),
            ]
        }
        Message::OrderExecuted(m) => vec![m.reference.0, m.shares.0.into(), m.match_number.0],
        Message::OrderExecutedWithPrice(m) => {
            let printable = u64::from(m.printable == YesNo::Yes);
            vec![
                m.reference.0,
                m.shares.0.into(),
                m.match_number.0,
                printable,
                price(m.price),
            ]
        }
        Message::OrderCancel(m) => vec![m.reference.0, m.shares.0.into()],
        Message::OrderDelete(m) => vec![m.reference.0],
        Message::OrderReplace(m) => {
            vec![
                m.original_reference.0,
                m.new_reference.0,
                m.shares.0.into(),
                price(m.price),
            ]
        }
        Message::Trade(m) => {
            vec![
                m.reference.0,
                side(m.side),
                m.shares.0.into(),
                price(m.price),
                m.match_number.0,
            ]
        }
        ref other => panic!("{other:?} is no order message"),
    };
    let header = message.header();
    [
        vec![header.locate.0.into(), header.tracking.0.into(), header.timestamp.ns()],
        fields,
    ]
    .concat()
}

fn theirs(message: &itchy::Message) -> Numbers {
    let side = |side| u64::from(side == itchy::Side::Buy);
    let price = |price: itchy::Price4| u64::from(price.raw());
    let fields = match message.body {
        Body::AddOrder(ref m) => {
            let mut fields = vec![m.reference, side(m.side), m.shares.into(), price(m.price)];
            fields.extend(
                m.mpid
                    .map(|mpid| u64::from(u32::from_be_bytes(mpid.as_bytes().try_into().expect("four characters")))),
            );
            fields
        }
        Body::OrderExecuted {
            reference,
            executed,
            match_number,
        } => vec![reference, executed.into(), match_number],
        Body::OrderExecutedWithPrice {
            reference,
            executed,
            match_number,
            printable,
            price: at,
        } => {
            vec![reference, executed.into(), match_number, printable.into(), price(at)]
        }
        Body::OrderCancelled { reference, cancelled } => vec![reference, cancelled.into()],
        Body::DeleteOrder { reference } => vec![reference],
        Body::ReplaceOrder(ref m) => vec![m.old_reference, m.new_reference, m.shares.into(), price(m.price)],
        Body::NonCrossTrade(ref m) => {
            vec![
                m.reference,
                side(m.side),
                m.shares.into(),
                price(m.price),
                m.match_number,
            ]
        }
        ref other => panic!("{other:?} is no order message"),
    };
    [
        vec![
            message.stock_locate.into(),
            message.tracking_number.into(),
            message.timestamp,
        ],
        fields,
    ]
    .concat()
}

#[test]
fn both_readers_see_the_same_order_messages() {
    eprintln!("seed {SEED:#x}");
    let mut random = Random(SEED);
    let mut compared = 0;
    for table in spec_tables()
        .iter()
        .filter(|table| b"AFECXDUP".contains(&table.message_type))
    {
        for _ in 0..ROUNDS {
            let mut bytes = table.message(&mut random);
            for field in table.fields.iter().filter(|field| field.kind == "text") {
                bytes[field.offset..][..field.len].fill_with(|| b'A' + random.below(26) as u8);
            }
            let framed = [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat();
            let theirs = MessageStream::from_reader(&framed[..])
                .next()
                .expect("one message")
                .map(|m| theirs(&m));
            let ours = ours(&Message::decode(&bytes).expect("from the table"));
            assert_eq!(theirs.ok(), Some(ours), "{bytes:02x?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 8 * ROUNDS);
}
