//! `rialto order`: a hand on the OUCH door. One request, and what the exchange says to it; or what became of an order.

use crate::ask::History;
use crate::ouch_client::{OuchClient, OuchEvent, login_for_new};
use crate::out;
use crate::refusals::mend;
use anyhow::{Context as _, Result, bail, ensure};
use rialto_ouch::messages::{
    AccountQuery, Appendage, CancelOrder, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep,
    OrderState, Outbound, Price, Quantity, RejectReason, Side, Symbol, TimeInForce, UserRefNum,
};
use rialto_ouch::soup::CloseReason;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long the exchange may take for each answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// An order that was accepted may trade at once: how long to wait for that after the last word.
const AFTERWARDS: Duration = Duration::from_millis(200);

const EXAMPLE: &str = "Such as:
  rialto order --ouch 127.0.0.1:26400 --user alpha1 --password rialto buy 100 ACME --price 100.00
  rialto order history 1234 --data DIR";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Args {
    /// The OUCH door, as `rialto up` prints it
    #[arg(long, value_name = "HOST:PORT", global = true, value_parser = crate::choices::address)]
    ouch: Option<SocketAddr>,
    /// The session's user name
    #[arg(long, global = true)]
    user: Option<String>,
    /// Its password
    #[arg(long, global = true)]
    password: Option<String>,
    /// Print one JSON object for each word of the exchange
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    request: Request,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Request {
    /// Buy
    Buy(Terms),
    /// Sell
    Sell(Terms),
    /// Cancel an order, or reduce it
    Cancel {
        /// The order's number, as it was told when it was entered (UserRefNum)
        order: u32,
        /// The total to reduce it to, what has traded included
        #[arg(long, value_name = "QTY", default_value_t = 0)]
        to: u32,
    },
    /// Everything that happened to an order: needs no door, but --data
    History(History),
}

#[derive(Clone, Debug, clap::Args)]
struct Terms {
    /// Shares
    #[arg(value_name = "QTY", value_parser = shares)]
    quantity: u32,
    /// The instrument
    symbol: String,
    /// The limit for one share, with a decimal point; without it at any price
    #[arg(long, allow_negative_numbers = true)]
    price: Option<Decimal>,
    /// How long it stands
    #[arg(long, value_enum, default_value_t = Tif::Day)]
    tif: Tif,
    /// Stay until nothing is left of the order
    #[arg(long)]
    wait: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Tif {
    /// Until the end of the trading day
    Day,
    /// Until it is cancelled: OUCH 5.0 has no such order, the FIX door does
    Gtc,
    /// At once or not at all
    Ioc,
}

/// A word of the exchange about the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Word {
    Accepted {
        order: u32,
        side: char,
        quantity: u32,
        symbol: String,
        /// None where it trades at any price.
        price: Option<Decimal>,
        live: bool,
        order_reference: u64,
    },
    Executed {
        order: u32,
        quantity: u32,
        price: Decimal,
        liquidity: char,
        match_number: u64,
    },
    Cancelled {
        order: u32,
        quantity: u32,
        reason: String,
    },
    Rejected {
        order: u32,
        reason: String,
    },
}

pub(crate) fn run(args: Args) -> Result<()> {
    if let Request::History(history) = &args.request {
        return history.run(args.json);
    }
    let message = Checked::new(&args.request)?;
    let door = args.ouch.context("say which OUCH door: --ouch HOST:PORT")?;
    let user = args.user.context("say who sends it: --user NAME")?;
    let password = args
        .password
        .context("the session has a password: --password PASSWORD")?;
    let mut hand = Hand::log_in(door, &user, &password)?;
    let mut print = |word: &Word| {
        if args.json {
            out::json_line(word);
        } else {
            out::say(format_args!("{word}"));
        }
    };
    let (order, wait) = match message {
        Checked::Enter { order, wait } => (hand.enter(order)?, wait),
        Checked::Cancel(cancel) => (hand.cancel(cancel)?, false),
    };
    let verdict = hand.listen(order, wait, &mut print);
    hand.client.logout();
    verdict
}

/// A request that OUCH can say. An order gets its number later.
enum Checked<'a> {
    Enter { order: EnterOrder<'a>, wait: bool },
    Cancel(CancelOrder),
}

impl Checked<'_> {
    fn new(request: &Request) -> Result<Self> {
        let (side, terms) = match request {
            Request::Buy(terms) => (Side::Buy, terms),
            Request::Sell(terms) => (Side::Sell, terms),
            Request::Cancel { order, to } => {
                return Ok(Self::Cancel(CancelOrder {
                    user_ref: UserRefNum(*order),
                    quantity: Quantity(*to),
                }));
            }
            Request::History(_) => bail!("a history is no request to a door"),
        };
        let quantity = Quantity(terms.quantity);
        ensure!(
            quantity.is_enterable(),
            "the quantity {} is not between 1 and {}",
            terms.quantity,
            Quantity::MAX.0
        );
        let time_in_force = match terms.tif {
            Tif::Day => TimeInForce::Day,
            Tif::Ioc => TimeInForce::ImmediateOrCancel,
            Tif::Gtc => {
                bail!("OUCH 5.0 has no orders that stand over the day: use --tif day here, or the FIX door (59=1)")
            }
        };
        let order = EnterOrder {
            user_ref: UserRefNum(0),
            side,
            quantity,
            symbol: Symbol::new(&terms.symbol).context("the symbol")?,
            price: terms.price.map_or(Ok(Price::MARKET), price)?,
            time_in_force,
            display: Display::Visible,
            capacity: Capacity::Principal,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: CrossType::Continuous,
            cl_ord_id: ClOrdId::BLANK,
            appendage: Appendage::EMPTY,
        };
        Ok(Self::Enter {
            order,
            wait: terms.wait,
        })
    }
}

fn shares(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| "a whole number of shares comes first, then the instrument, such as: buy 100 ACME".to_owned())
}

/// A decimal as a limit price, exactly.
pub(crate) fn price(decimal: Decimal) -> Result<Price> {
    let scaled = decimal.checked_mul(Decimal::from(10_000)).filter(Decimal::is_integer);
    let price = scaled
        .and_then(|units| units.to_u64())
        .map(Price)
        .filter(|price| price.is_limit());
    price.with_context(|| {
        format!(
            "the price {decimal} is not between 0.0001 and {} in steps of 0.0001",
            decimals(Price::MAX)
        )
    })
}

fn decimals(price: Price) -> Decimal {
    Decimal::new(i64::try_from(price.0).unwrap_or(i64::MAX), 4)
}

/// A session of a hand.
struct Hand {
    client: OuchClient,
    next: UserRefNum,
}

impl Hand {
    /// Logs in, and asks which number the next order goes by.
    fn log_in(door: SocketAddr, user: &str, password: &str) -> Result<Self> {
        let mut client = OuchClient::connect(door, login_for_new(user, password)?)?;
        let mut next = None;
        let mut asked = false;
        let begun = Instant::now();
        while next.is_none() {
            ensure!(
                begun.elapsed() < PATIENCE,
                "the exchange did not answer the login within {PATIENCE:?}"
            );
            let (mut logged_in, mut closed) = (false, None);
            client.wait(PATIENCE, &mut |event| match event {
                OuchEvent::LoggedIn(_) => logged_in = true,
                OuchEvent::Message(Outbound::AccountQueryResponse(answer)) => next = Some(answer.next_user_ref),
                OuchEvent::Message(_) => {}
                OuchEvent::Closed(reason) => closed = Some(reason),
            })?;
            match closed {
                Some(reason @ CloseReason::LoginRejected(_)) => bail!("{reason}"),
                Some(reason) => bail!("{door} does not speak as an OUCH door: is this its port? ({reason})"),
                None => {}
            }
            if logged_in && !asked {
                client.send(AccountQuery {})?;
                asked = true;
            }
        }
        Ok(Self {
            client,
            next: next.unwrap_or(UserRefNum(1)),
        })
    }

    fn enter(&mut self, order: EnterOrder<'_>) -> Result<UserRefNum> {
        let user_ref = self.next;
        self.client.send(EnterOrder { user_ref, ..order })?;
        Ok(user_ref)
    }

    fn cancel(&mut self, cancel: CancelOrder) -> Result<UserRefNum> {
        self.client.send(cancel)?;
        Ok(cancel.user_ref)
    }

    /// Says what the exchange says of the order: its answer and what follows at once, or with `wait` all until its end.
    fn listen(&mut self, order: UserRefNum, wait: bool, print: &mut impl FnMut(&Word)) -> Result<()> {
        let mut talk = Talk {
            order,
            open: None,
            said: 0,
            rejected: None,
        };
        loop {
            let patience = match (talk.said, wait) {
                (0, _) => PATIENCE,
                (_, true) => Duration::MAX / 4,
                (_, false) => AFTERWARDS,
            };
            let mut closed = None;
            let heard = self.hear(patience, &mut talk, &mut closed, print)?;
            if let Some(reason) = talk.rejected.take() {
                bail!(
                    "the order was rejected: {}: {}",
                    words(&format!("{reason:?}")),
                    mend(reason)
                );
            }
            if let Some(reason) = closed {
                bail!("{reason}");
            }
            if talk.open == Some(0) {
                return Ok(());
            }
            if !heard {
                ensure!(
                    talk.said > 0,
                    "the exchange said nothing within {PATIENCE:?}: a request about an order that is dead, unknown or \
                     already as asked is not answered"
                );
                return Ok(());
            }
        }
    }

    /// Waits for the next word of the order; false when there was none in time.
    fn hear(
        &mut self,
        patience: Duration,
        talk: &mut Talk,
        closed: &mut Option<CloseReason>,
        print: &mut impl FnMut(&Word),
    ) -> Result<bool> {
        let begun = Instant::now();
        let before = talk.said;
        while talk.said == before && closed.is_none() {
            let left = patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            self.client.wait(left, &mut |event| match event {
                OuchEvent::Message(message) => talk.take(&message, print),
                OuchEvent::Closed(reason) => *closed = Some(reason),
                OuchEvent::LoggedIn(_) => {}
            })?;
        }
        Ok(true)
    }
}

/// What was said of one order.
struct Talk {
    order: UserRefNum,
    /// What is left of it, once its terms were told.
    open: Option<u32>,
    said: u32,
    rejected: Option<RejectReason>,
}

impl Talk {
    fn take(&mut self, message: &Outbound<'_>, print: &mut impl FnMut(&Word)) {
        let Some(word) = word(message, self.order) else { return };
        self.said += 1;
        match &word {
            Word::Accepted { quantity, live, .. } => self.open = Some(if *live { *quantity } else { 0 }),
            Word::Executed { quantity, .. } | Word::Cancelled { quantity, .. } => {
                self.open = self.open.map(|open| open.saturating_sub(*quantity));
            }
            Word::Rejected { .. } => {
                if let Outbound::OrderRejected(m) = message {
                    self.rejected = Some(m.reason);
                }
            }
        }
        print(&word);
    }
}

/// What a message says of the order.
fn word(message: &Outbound<'_>, order: UserRefNum) -> Option<Word> {
    let (about, word) = match message {
        Outbound::OrderAccepted(m) => {
            let word = Word::Accepted {
                order: order.0,
                side: char::from(m.side.code()),
                quantity: m.quantity.0,
                symbol: m.symbol.as_str().to_owned(),
                price: (!m.price.is_market()).then(|| decimals(m.price)),
                live: m.order_state == OrderState::Live,
                order_reference: m.order_reference.0,
            };
            (m.user_ref, word)
        }
        Outbound::OrderExecuted(m) => {
            let word = Word::Executed {
                order: order.0,
                quantity: m.quantity.0,
                price: decimals(m.price),
                liquidity: char::from(m.liquidity_flag.code()),
                match_number: m.match_number.0,
            };
            (m.user_ref, word)
        }
        Outbound::OrderCanceled(m) => {
            let reason = words(&format!("{:?}", m.reason));
            (
                m.user_ref,
                Word::Cancelled {
                    order: order.0,
                    quantity: m.quantity.0,
                    reason,
                },
            )
        }
        Outbound::OrderRejected(m) => {
            let reason = words(&format!("{:?}", m.reason));
            (m.user_ref, Word::Rejected { order: order.0, reason })
        }
        _ => return None,
    };
    (about == order).then_some(word)
}

/// A code's name as words: `UserRequested` is "user requested".
pub(crate) fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted {
                order,
                side,
                quantity,
                symbol,
                price,
                live,
                ..
            } => {
                let side = if *side == 'B' { "buy" } else { "sell" };
                let price = price.map_or_else(|| "at any price".to_owned(), |price| format!("@ {price}"));
                let dead = if *live { "" } else { ", and cancelled at once" };
                write!(f, "order {order} accepted: {side} {quantity} {symbol} {price}{dead}")
            }
            Self::Executed {
                order,
                quantity,
                price,
                match_number,
                liquidity,
            } => {
                let how = if *liquidity == 'A' { "resting" } else { "taking" };
                write!(
                    f,
                    "order {order} executed: {quantity} @ {price}, {how}, trade {match_number}"
                )
            }
            Self::Cancelled {
                order,
                quantity,
                reason,
            } => write!(f, "order {order} cancelled: {quantity} ({reason})"),
            Self::Rejected { order, reason } => write!(f, "order {order} rejected ({reason})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use rialto_ouch::messages::{
        AcceptedDisplay, CancelReason, LiquidityFlag, MatchNumber, OrderAccepted, OrderCanceled, OrderExecuted,
        OrderReference, OrderRejected, Timestamp,
    };

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn parse(request: &str) -> Args {
        let line = format!("order --ouch 127.0.0.1:9 --user u --password p {request}");
        Cli::try_parse_from(line.split(' '))
            .map_err(|error| error.to_string())
            .unwrap()
            .args
    }

    #[test]
    fn the_command_line_becomes_an_order() {
        let args = parse("buy 100 ACME --price 100.25 --tif ioc --json");
        assert!(args.json);
        let Checked::Enter { order, wait } = Checked::new(&args.request).unwrap() else {
            panic!("an order")
        };
        assert_eq!(
            (order.side, order.quantity.0, order.symbol.as_str()),
            (Side::Buy, 100, "ACME")
        );
        assert_eq!(
            (order.price.0, order.time_in_force, wait),
            (1_002_500, TimeInForce::ImmediateOrCancel, false)
        );

        let Checked::Enter { order, wait } = Checked::new(&parse("sell 5 ACME --wait").request).unwrap() else {
            panic!("an order")
        };
        assert_eq!((order.side, order.price, wait), (Side::Sell, Price::MARKET, true));

        let Checked::Cancel(cancel) = Checked::new(&parse("cancel 7").request).unwrap() else {
            panic!("a cancel")
        };
        assert_eq!(
            cancel,
            CancelOrder {
                user_ref: UserRefNum(7),
                quantity: Quantity(0)
            }
        );
    }

    #[test]
    fn what_cannot_be_said_is_refused_with_a_mend() {
        for (request, complaint) in [
            ("buy 0 ACME", "between 1 and 999999"),
            ("buy 1000000 ACME", "between 1 and 999999"),
            ("buy 1 TOOLONGNAME", "shorten"),
            ("buy 1 ACME --price 0.00001", "0.0001"),
            ("buy 1 ACME --price 0", "0.0001"),
            ("buy 1 ACME --price 200000", "199999.9900"),
            ("buy 1 ACME --price 1 --tif gtc", "FIX"),
        ] {
            let error = Checked::new(&parse(request).request)
                .err()
                .map(|error| format!("{error:#}"));
            assert!(
                error.as_ref().is_some_and(|error| error.contains(complaint)),
                "{request}: {error:?}"
            );
        }
    }

    #[test]
    fn the_exchange_is_told_in_words() {
        let timestamp = Timestamp(0);
        let user_ref = UserRefNum(7);
        let accepted = OrderAccepted {
            timestamp,
            user_ref,
            side: Side::Buy,
            quantity: Quantity(100),
            symbol: Symbol::new("ACME").unwrap(),
            price: Price(1_002_500),
            time_in_force: TimeInForce::Day,
            display: AcceptedDisplay::Visible,
            order_reference: OrderReference(9),
            capacity: Capacity::Principal,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: CrossType::Continuous,
            order_state: OrderState::Live,
            cl_ord_id: ClOrdId::BLANK,
            appendage: Appendage::EMPTY,
        };
        let executed = OrderExecuted {
            timestamp,
            user_ref,
            quantity: Quantity(40),
            price: Price(1_002_400),
            liquidity_flag: LiquidityFlag::Removed,
            match_number: MatchNumber(5),
            appendage: Appendage::EMPTY,
        };
        let cancelled = OrderCanceled {
            timestamp,
            user_ref,
            quantity: Quantity(60),
            reason: CancelReason::UserRequested,
        };
        let rejected = OrderRejected {
            timestamp,
            user_ref,
            reason: RejectReason::InvalidPrice,
            cl_ord_id: ClOrdId::BLANK,
        };
        let other = OrderCanceled {
            user_ref: UserRefNum(8),
            ..cancelled
        };
        let script: [(Outbound<'_>, &str, Option<u32>); 5] = [
            (accepted.into(), "order 7 accepted: buy 100 ACME @ 100.2500", Some(100)),
            (other.into(), "", Some(100)),
            (
                executed.into(),
                "order 7 executed: 40 @ 100.2400, taking, trade 5",
                Some(60),
            ),
            (cancelled.into(), "order 7 cancelled: 60 (user requested)", Some(0)),
            (rejected.into(), "order 7 rejected (invalid price)", Some(0)),
        ];
        let mut talk = Talk {
            order: user_ref,
            open: None,
            said: 0,
            rejected: None,
        };
        for (message, text, open) in script {
            let mut said = String::new();
            talk.take(&message, &mut |word| said = word.to_string());
            assert_eq!((said.as_str(), talk.open), (text, open), "{message:?}");
        }
        assert_eq!((talk.said, talk.rejected), (4, Some(RejectReason::InvalidPrice)));
        let object = serde_json::to_string(&word(&executed.into(), user_ref).unwrap()).unwrap();
        let expected =
            r#"{"event":"executed","order":7,"quantity":40,"price":"100.2400","liquidity":"R","match_number":5}"#;
        assert_eq!(object, expected);
    }
}
