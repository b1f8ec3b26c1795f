//! Messages on the left, reports on the right; and a long random flow against a book that is searched from end to end.

use rialto_challenge::Book;
use rialto_challenge::reports::{Cancel, Modify, NewOrder, Report, ReportType};
use rialto_model::Side;

const BUY: u8 = 0;
const SELL: u8 = 1;

#[derive(Clone, Copy, Debug)]
enum Message {
    /// Id, side, price, quantity, whether immediate-or-cancel.
    New(u64, u8, i64, u32, bool),
    Cancel(u64),
    /// Id, side, price, quantity.
    Modify(u64, u8, i64, u32),
}
use Message::{Cancel as X, Modify as M, New as N};

fn play(book: &mut Book<Vec<Report>>, number: u64, message: Message) {
    match message {
        N(order_id, side, price_ticks, quantity, ioc) => book.on_new_order(&NewOrder {
            order_id,
            sequence_number: number,
            price_ticks,
            quantity,
            side,
            ioc: u8::from(ioc),
            ..NewOrder::default()
        }),
        X(order_id) => book.on_cancel(&Cancel {
            order_id,
            sequence_number: number,
        }),
        M(order_id, side, new_price_ticks, new_quantity) => book.on_modify(&Modify {
            order_id,
            sequence_number: number,
            new_price_ticks,
            new_quantity,
            side,
            ..Modify::default()
        }),
    }
}

/// As the challenge compares them: the fields that count for each type, by message and type.
fn canonical(reports: &[Report]) -> Vec<String> {
    let mut reports = reports.to_vec();
    reports.sort_by_key(|report| (report.sequence_number, report.kind));
    let line = |r: &Report| {
        let (seq, id, price) = (r.sequence_number, r.order_id, r.price_ticks);
        match r.kind {
            0 => format!("{seq} ack {} {id} {price} x{}", r.side, r.quantity),
            1 => format!(
                "{seq} trade {price} x{} {}<-{}",
                r.quantity, r.maker_order_id, r.taker_order_id
            ),
            2 => format!("{seq} off {} {id} {price}", r.side),
            3 => format!("{seq} modified {} {id} {price} x{}", r.side, r.quantity),
            4 => format!("{seq} no cancel {id}"),
            _ => format!("{seq} no modify {id}"),
        }
    };
    reports.iter().map(line).collect()
}

#[test]
fn every_message_has_its_reports() {
    let table: &[(&[Message], &[&str])] = &[
        (
            &[N(7, BUY, 100, 10, false), X(7)],
            &["1 ack 0 7 100 x10", "2 off 0 7 100"],
        ),
        (&[X(7), M(8, BUY, 5, 5)], &["1 no cancel 7", "2 no modify 8"]),
        (
            &[N(1, SELL, 100, 10, false), N(2, BUY, 105, 4, false), X(2)],
            &[
                "1 ack 1 1 100 x10",
                "2 ack 0 2 105 x4",
                "2 trade 100 x4 1<-2",
                "3 no cancel 2",
            ],
        ),
        (
            &[
                N(1, SELL, 100, 3, false),
                N(2, BUY, 100, 5, true),
                N(3, SELL, 100, 1, true),
            ],
            &[
                "1 ack 1 1 100 x3",
                "2 ack 0 2 100 x5",
                "2 trade 100 x3 1<-2",
                "2 off 0 2 100",
                "3 ack 1 3 100 x1",
                "3 off 1 3 100",
            ],
        ),
        // A modify goes behind the others of its price, and trades at the resting order's price where it crosses.
        (
            &[
                N(1, BUY, 100, 5, false),
                N(2, BUY, 100, 5, false),
                M(1, BUY, 100, 6),
                N(3, SELL, 100, 5, true),
                N(4, SELL, 200, 5, false),
                M(1, BUY, 205, 7),
            ],
            &[
                "1 ack 0 1 100 x5",
                "2 ack 0 2 100 x5",
                "3 modified 0 1 100 x6",
                "4 ack 1 3 100 x5",
                "4 trade 100 x5 2<-3",
                "5 ack 1 4 200 x5",
                "6 trade 200 x5 4<-1",
                "6 modified 0 1 205 x7",
            ],
        ),
        // An id that is free again names the new order; a large one costs no memory.
        (
            &[
                N(1, BUY, 100, 5, false),
                X(1),
                N(1, SELL, 90, 2, false),
                N(u64::MAX, BUY, 90, 2, false),
                X(1),
            ],
            &[
                "1 ack 0 1 100 x5",
                "2 off 0 1 100",
                "3 ack 1 1 90 x2",
                "4 ack 0 18446744073709551615 90 x2",
                "4 trade 90 x2 1<-18446744073709551615",
                "5 no cancel 1",
            ],
        ),
    ];
    for (messages, expected) in table {
        let mut book = Book::new(Vec::new());
        for (number, message) in (1..).zip(*messages) {
            play(&mut book, number, *message);
        }
        assert_eq!(canonical(book.outlet()), *expected, "{messages:?}");
    }
}

/// Orders as they came: id, side, price, open quantity.
#[derive(Default)]
struct Plain {
    resting: Vec<(u64, u8, i64, u32)>,
    reports: Vec<Report>,
}

impl Plain {
    fn say(&mut self, kind: ReportType, number: u64, (id, side, price, quantity): (u64, u8, i64, u32)) {
        self.reports.push(Report {
            kind: kind as u8,
            side,
            sequence_number: number,
            order_id: id,
            price_ticks: price,
            quantity,
            ..Report::default()
        });
    }

    /// Trades with the best price first, the oldest of it first. What is left.
    fn trade(&mut self, number: u64, (id, side, price, mut quantity): (u64, u8, i64, u32)) -> u32 {
        while quantity > 0 {
            let crosses = |p: i64| if side == BUY { p <= price } else { p >= price };
            let ahead = |p: i64| if side == BUY { p } else { -p };
            let best = self.resting.iter_mut().filter(|o| o.1 != side && crosses(o.2));
            let Some(maker) = best.min_by_key(|o| ahead(o.2)) else {
                break;
            };
            let traded = quantity.min(maker.3);
            maker.3 -= traded;
            quantity -= traded;
            self.reports.push(Report {
                kind: ReportType::Trade as u8,
                side,
                sequence_number: number,
                order_id: id,
                price_ticks: maker.2,
                quantity: traded,
                maker_order_id: maker.0,
                taker_order_id: id,
                ..Report::default()
            });
            self.resting.retain(|o| o.3 > 0);
        }
        quantity
    }

    fn play(&mut self, number: u64, message: Message) {
        match message {
            N(id, side, price, quantity, ioc) => {
                self.say(ReportType::OrderAck, number, (id, side, price, quantity));
                match self.trade(number, (id, side, price, quantity)) {
                    0 => {}
                    left if ioc => self.say(ReportType::CancelAck, number, (id, side, price, left)),
                    left => self.resting.push((id, side, price, left)),
                }
            }
            X(id) => match self.resting.iter().position(|o| o.0 == id) {
                Some(at) => {
                    let gone = self.resting.remove(at);
                    self.say(ReportType::CancelAck, number, gone);
                }
                None => self.say(ReportType::CancelReject, number, (id, 0, 0, 0)),
            },
            M(id, side, price, quantity) => match self.resting.iter().position(|o| o.0 == id) {
                Some(at) => {
                    self.resting.remove(at);
                    self.say(ReportType::ModifyAck, number, (id, side, price, quantity));
                    let left = self.trade(number, (id, side, price, quantity));
                    if left > 0 {
                        self.resting.push((id, side, price, left));
                    }
                }
                None => self.say(ReportType::ModifyReject, number, (id, 0, 0, 0)),
            },
        }
    }

    fn best(&self, side: u8) -> Option<i64> {
        let prices = self.resting.iter().filter(|o| o.1 == side).map(|o| o.2);
        if side == BUY { prices.max() } else { prices.min() }
    }

    fn depth_at(&self, side: u8, price: i64) -> u64 {
        let there = self.resting.iter().filter(|o| o.1 == side && o.2 == price);
        there.map(|o| u64::from(o.3)).sum()
    }
}

#[test]
fn a_long_flow_equals_a_book_that_is_searched_from_end_to_end() {
    const SEED: u64 = 23;
    let mut state = SEED;
    let mut below = |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    let mut book = Book::new(Vec::new());
    let mut plain = Plain::default();
    for number in 1..=60_000 {
        let id = 1 + below(number.min(400));
        let side = below(2) as u8;
        let away = below(12) as i64 - 2;
        let price = if side == BUY { 1_000 - away } else { 1_001 + away };
        let quantity = 1 + below(20) as u32;
        let is_live = plain.resting.iter().any(|o| o.0 == id);
        let message = match below(10) {
            0..5 if !is_live => N(id, side, price, quantity, below(6) == 0),
            5..7 if is_live => {
                let side = plain.resting.iter().find(|o| o.0 == id).expect("it is live").1;
                M(id, side, price, quantity)
            }
            7 if !is_live => M(id, side, price, quantity),
            _ => X(id),
        };
        play(&mut book, number, message);
        plain.play(number, message);
        for side in [BUY, SELL] {
            let of = [Side::Buy, Side::Sell][usize::from(side)];
            assert_eq!(book.best(of), plain.best(side), "seed {SEED}, message {number}");
            assert_eq!(
                book.depth_at(of, price),
                plain.depth_at(side, price),
                "seed {SEED}, message {number}"
            );
        }
    }
    assert_eq!(canonical(book.outlet()), canonical(&plain.reports), "seed {SEED}");
    let trades = plain
        .reports
        .iter()
        .filter(|r| r.kind == ReportType::Trade as u8)
        .count();
    assert!(trades > 1_000, "{trades} trades");
}
