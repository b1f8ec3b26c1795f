//! The best bid and offer of one instrument, and its trades, as they change, with the addresses that `rialto up` prints.
//!
//!     cargo run --package rialto-client --example top_of_book -- 239.192.77.1:26411 239.192.77.2:26412 127.0.0.1:26402 127.0.0.1:26406 ACME 10
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use rialto_client::{BookDepth, FeedAddresses, Glimpse, GlimpseLogin, Multicast, Subscription, What};
use rialto_itch::Stock;
use std::error::Error;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    run(&std::env::args().skip(1).collect::<Vec<_>>(), |line| println!("{line}"))
}

pub(crate) fn run(args: &[String], say: impl Fn(String) + 'static) -> Result<(), Box<dyn Error>> {
    let [line_a, line_b, rerequest, glimpse, symbol, seconds] = args else {
        return Err("usage: top_of_book LINE_A LINE_B REREQUEST GLIMPSE SYMBOL SECONDS".into());
    };
    let addresses = FeedAddresses {
        line_a: line_a.parse()?,
        line_b: Some(line_b.parse()?),
        rerequest: Some(rerequest.parse()?),
        interface: [127, 0, 0, 1].into(),
    };
    let snapshots = Glimpse::new(glimpse.parse()?, GlimpseLogin::new("alpha1", "rialto"));
    let lines = Multicast::new(addresses, Some(snapshots));
    let mut feed = Subscription::multicast(lines, BookDepth::Top)?;
    feed.on(Stock::new(symbol)?, move |update| match update.what {
        What::Book(book) => say(format!("{} {:?}", update.sequence, book.top())),
        What::Trade(t) => say(format!("{} {} shares at {}", update.sequence, t.shares, t.price)),
        What::Status(_) => {}
    });
    let until = Instant::now() + Duration::from_secs(seconds.parse()?);
    while Instant::now() < until {
        feed.poll(Duration::from_millis(100))?;
    }
    Ok(())
}
