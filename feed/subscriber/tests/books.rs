//! Books as scripts: a message on the left, the instrument's book or the refusal on the right.

use rialto_itch::codes::YesNo;
use rialto_itch::{
    AddOrder, AddOrderAttributed, BrokenTrade, Header, MatchNumber, Message, Mpid, OrderCancel, OrderDelete,
    OrderExecuted, OrderExecutedWithPrice, OrderReference, OrderReplace, Price4, Shares, Side, Stock, StockLocate,
    Trade,
};
use rialto_subscriber::{BookError, Books};

const ONE: u16 = 1;
const TWO: u16 = 2;

fn header(locate: u16) -> Header {
    Header {
        locate: StockLocate(locate),
        ..Header::default()
    }
}

fn stock() -> Stock {
    Stock::new("GOOG").expect("a symbol")
}

fn price(units: i64) -> Price4 {
    Price4::new(units).expect("a price")
}

fn add(locate: u16, reference: u64, side: Side, shares: u32, units: i64) -> Message {
    let (header, reference, shares, stock, price) = (
        header(locate),
        OrderReference(reference),
        Shares(shares),
        stock(),
        price(units),
    );
    AddOrder {
        header,
        reference,
        side,
        shares,
        stock,
        price,
    }
    .into()
}

fn executed(locate: u16, reference: u64, shares: u32) -> Message {
    let (reference, shares, match_number) = (OrderReference(reference), Shares(shares), MatchNumber(1));
    OrderExecuted {
        header: header(locate),
        reference,
        shares,
        match_number,
    }
    .into()
}

fn cancelled(locate: u16, reference: u64, shares: u32) -> Message {
    OrderCancel {
        header: header(locate),
        reference: OrderReference(reference),
        shares: Shares(shares),
    }
    .into()
}

fn deleted(locate: u16, reference: u64) -> Message {
    OrderDelete {
        header: header(locate),
        reference: OrderReference(reference),
    }
    .into()
}

fn replaced(locate: u16, original: u64, new: u64, shares: u32, units: i64) -> Message {
    let (original_reference, new_reference) = (OrderReference(original), OrderReference(new));
    OrderReplace {
        header: header(locate),
        original_reference,
        new_reference,
        shares: Shares(shares),
        price: price(units),
    }
    .into()
}

/// "shares@price(orders) ... | ...", bids and asks, best first.
fn show(books: &Books, locate: u16) -> String {
    let Some(book) = books.book(StockLocate(locate)) else {
        return "none".into();
    };
    let level =
        |level: rialto_subscriber::Level| format!("{}@{}({})", level.shares.0, level.price.units(), level.orders);
    let bids: Vec<_> = book.bids().map(level).collect();
    let asks: Vec<_> = book.asks().map(level).collect();
    format!("{} | {}", bids.join(" "), asks.join(" "))
}

#[test]
fn every_order_message_changes_the_book_as_it_says() {
    let attributed = AddOrderAttributed {
        header: header(ONE),
        reference: OrderReference(3),
        side: Side::Sell,
        shares: Shares(7),
        stock: stock(),
        price: price(102),
        attribution: Mpid::new("RLTO").expect("an identifier"),
    };
    let priced = OrderExecutedWithPrice {
        header: header(ONE),
        reference: OrderReference(2),
        shares: Shares(20),
        match_number: MatchNumber(2),
        printable: YesNo::No,
        price: price(99),
    };
    let trade = Trade {
        header: header(ONE),
        reference: OrderReference(2),
        side: Side::Buy,
        shares: Shares(5),
        stock: stock(),
        price: price(100),
        match_number: MatchNumber(3),
    };
    let script: Vec<(Message, &str)> = vec![
        (add(ONE, 1, Side::Buy, 10, 100), "10@100(1) | "),
        (add(ONE, 2, Side::Buy, 30, 100), "40@100(2) | "),
        (attributed.into(), "40@100(2) | 7@102(1)"),
        (add(ONE, 4, Side::Buy, 5, 101), "5@101(1) 40@100(2) | 7@102(1)"),
        (
            add(ONE, 5, Side::Sell, 6, 105),
            "5@101(1) 40@100(2) | 7@102(1) 6@105(1)",
        ),
        (executed(ONE, 1, 4), "5@101(1) 36@100(2) | 7@102(1) 6@105(1)"),
        (executed(ONE, 1, 6), "5@101(1) 30@100(1) | 7@102(1) 6@105(1)"),
        (priced.into(), "5@101(1) 10@100(1) | 7@102(1) 6@105(1)"),
        (cancelled(ONE, 2, 1), "5@101(1) 9@100(1) | 7@102(1) 6@105(1)"),
        (replaced(ONE, 3, 6, 8, 105), "5@101(1) 9@100(1) | 14@105(2)"),
        (replaced(ONE, 6, 7, 3, 103), "5@101(1) 9@100(1) | 3@103(1) 6@105(1)"),
        (deleted(ONE, 4), "9@100(1) | 3@103(1) 6@105(1)"),
        (trade.into(), "9@100(1) | 3@103(1) 6@105(1)"),
        (
            BrokenTrade {
                header: header(ONE),
                match_number: MatchNumber(1),
            }
            .into(),
            "9@100(1) | 3@103(1) 6@105(1)",
        ),
        (cancelled(ONE, 2, 9), " | 3@103(1) 6@105(1)"),
    ];
    let mut books = Books::new(100);
    for (step, (message, expected)) in script.iter().enumerate() {
        let changed = books.apply(message);
        let is_trade = matches!(message, Message::Trade(_) | Message::BrokenTrade(_));
        assert_eq!(changed, Ok((!is_trade).then_some(StockLocate(ONE))), "step {step}");
        assert_eq!(show(&books, ONE), *expected, "step {step}: {message:?}");
    }
    assert_eq!(
        (
            books.counters().applied,
            books.counters().passed,
            books.counters().refused
        ),
        (13, 2, 0)
    );
    let book = books.book(StockLocate(ONE)).expect("a book");
    assert_eq!(book.stock(), Some(stock()));
    let (bids, asks) = book.top(1);
    assert_eq!(
        (
            bids.count(),
            asks.map(|(price, shares)| (price.units(), shares.0)).collect()
        ),
        (0, vec![(103, 3)])
    );
    assert_eq!(
        books.order(OrderReference(7)).map(|order| order.shares),
        Some(Shares(3))
    );
    books.clear();
    assert_eq!(
        (books.len(), books.is_empty(), show(&books, ONE)),
        (0, true, "none".into())
    );
}

#[test]
fn a_message_that_does_not_fit_is_refused_and_changes_nothing() {
    let mut books = Books::new(3);
    for message in [
        add(ONE, 1, Side::Buy, 10, 100),
        add(ONE, 2, Side::Sell, 20, 110),
        add(TWO, 3, Side::Buy, 5, 50),
    ] {
        books.apply(&message).expect("fits");
    }
    let unknown = |reference| BookError::UnknownReference {
        reference: OrderReference(reference),
    };
    let duplicate = |reference| BookError::DuplicateReference {
        reference: OrderReference(reference),
    };
    let none = |reference| BookError::NoShares {
        reference: OrderReference(reference),
    };
    let exceeds = |reference, shares, left| BookError::ExceedsRemainder {
        reference: OrderReference(reference),
        shares: Shares(shares),
        left: Shares(left),
    };
    let wrong = |reference, expected, stated| BookError::WrongInstrument {
        reference: OrderReference(reference),
        expected: StockLocate(expected),
        stated: StockLocate(stated),
    };
    let cases = [
        (executed(ONE, 9, 1), unknown(9)),
        (cancelled(ONE, 9, 1), unknown(9)),
        (deleted(ONE, 9), unknown(9)),
        (replaced(ONE, 9, 10, 1, 100), unknown(9)),
        (add(ONE, 2, Side::Buy, 1, 100), duplicate(2)),
        (replaced(ONE, 1, 2, 1, 100), duplicate(2)),
        (replaced(ONE, 1, 1, 1, 100), duplicate(1)),
        (executed(ONE, 1, 11), exceeds(1, 11, 10)),
        (cancelled(ONE, 1, u32::MAX), exceeds(1, u32::MAX, 10)),
        (executed(ONE, 3, 1), wrong(3, TWO, ONE)),
        (deleted(TWO, 1), wrong(1, ONE, TWO)),
        (add(ONE, 4, Side::Buy, 0, 100), none(4)),
        (executed(ONE, 1, 0), none(1)),
        (replaced(ONE, 1, 4, 0, 100), none(4)),
        (add(ONE, 4, Side::Buy, 1, 100), BookError::Full { orders_max: 3 }),
    ];
    let total = cases.len() as u64;
    for (message, error) in cases {
        assert_eq!(books.apply(&message), Err(error), "{message:?}");
        assert!(!error.to_string().is_empty());
        assert_eq!(
            (show(&books, ONE).as_str(), show(&books, TWO).as_str()),
            ("10@100(1) | 20@110(1)", "5@50(1) | ")
        );
        assert_eq!(books.len(), 3);
    }
    assert_eq!((books.counters().applied, books.counters().refused), (3, total));
    // A replace needs no further place.
    assert_eq!(books.apply(&replaced(ONE, 1, 4, 2, 100)), Ok(Some(StockLocate(ONE))));
    assert_eq!(show(&books, ONE), "2@100(1) | 20@110(1)");
}

#[test]
fn orders_stand_by_price_and_priority_where_they_are_kept() {
    let mut books = Books::with_queues(100);
    for message in [
        add(ONE, 5, Side::Buy, 10, 100),
        add(ONE, 6, Side::Buy, 20, 100),
        add(ONE, 7, Side::Buy, 30, 200),
        add(ONE, 8, Side::Sell, 40, 300),
        add(ONE, 9, Side::Sell, 50, 200),
        executed(ONE, 5, 4),
        cancelled(ONE, 7, 29),
        executed(ONE, 9, 50),
        OrderReplace {
            header: header(ONE),
            original_reference: OrderReference(6),
            new_reference: OrderReference(10),
            shares: Shares(21),
            price: price(100),
        }
        .into(),
    ] {
        books.apply(&message).expect("it fits");
    }
    let book = books.book(StockLocate(ONE)).expect("a book");
    let side = |side| -> Vec<(u32, u64, u32)> {
        let orders = book.orders(side);
        orders
            .map(|(price, order, shares)| (price.units(), order.0, shares.0))
            .collect()
    };
    assert_eq!(side(Side::Buy), [(200, 7, 1), (100, 5, 6), (100, 10, 21)]);
    assert_eq!(side(Side::Sell), [(300, 8, 40)]);
    assert_eq!(book.best().0.map(|level| level.shares.0), Some(1));
    assert_eq!(Books::new(100).iter().count(), 0);
}
