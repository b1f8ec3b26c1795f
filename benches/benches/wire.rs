//! What do the wire formats cost a message: bytes to values and values to bytes?
//!
//! Load: an OUCH Enter Order (47 bytes), an ITCH Add Order (36 bytes), a FIX 4.4 NewOrderSingle (its length is in the
//! name; decode checks the checksum and builds the field table, then four fields are read; encode writes body and
//! frame). Excluded: sessions and packets around the messages, dictionaries, sockets, and what the door makes of the
//! message.

use criterion::{Criterion, criterion_group, criterion_main};
use rialto_benches::messages;
use rialto_fix::{message, tags};
use rialto_ouch::messages::Inbound;
use std::hint::black_box;

fn ouch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("OUCH Enter Order");
    let order = messages::ouch_enter_order();
    let mut wire = Vec::new();
    order.encode(&mut wire);
    assert_eq!(Inbound::decode(&wire).expect("an order"), order.into());
    group.bench_function("decode", |bencher| bencher.iter(|| Inbound::decode(black_box(&wire))));
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            wire.clear();
            black_box(&order).encode(&mut wire);
            wire.len()
        });
    });
    group.finish();
}

fn itch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ITCH Add Order");
    let order = messages::itch_add_order();
    let mut wire = order.to_bytes();
    assert_eq!(rialto_itch::Message::decode(&wire).expect("an order"), order.into());
    group.bench_function("decode", |bencher| {
        bencher.iter(|| rialto_itch::Message::decode(black_box(&wire)))
    });
    group.bench_function("encode", |bencher| {
        bencher.iter(|| black_box(&order).encode(black_box(&mut wire)).is_ok())
    });
    group.finish();
}

fn fix(criterion: &mut Criterion) {
    let header = messages::fix_header();
    let (mut body, mut wire) = (Vec::new(), Vec::new());
    messages::write_fix_body(&mut body);
    message::encode(&header, &body, &mut wire);
    let mut group = criterion.benchmark_group(format!("FIX NewOrderSingle, {} bytes", wire.len()));
    let mut decoder = message::Decoder::new();
    let read = |decoder: &mut message::Decoder, wire: &[u8]| {
        let message = decoder.decode(wire).ok()?;
        let (price, quantity) = (
            message.decimal(tags::PRICE, 4).ok()?,
            message.unsigned(tags::ORDER_QTY).ok()?,
        );
        Some((
            price,
            quantity,
            message.get(tags::SIDE)?.len(),
            message.get(tags::CL_ORD_ID)?.len(),
        ))
    };
    assert_eq!(read(&mut decoder, &wire), Some((5_001_200, 100, 1, 14)));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| read(&mut decoder, black_box(&wire)))
    });
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            body.clear();
            wire.clear();
            messages::write_fix_body(&mut body);
            message::encode(black_box(&header), &body, &mut wire);
            wire.len()
        });
    });
    group.finish();
}

criterion_group!(benches, ouch, itch, fix);
criterion_main!(benches);
