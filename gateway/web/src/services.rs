//! What the gateway is given by whoever starts it.

use crate::ofrep::Flags;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// What is shown, and who is asked.
#[derive(Clone)]
pub struct Services {
    /// The market as JSON text, replaced as it changes.
    pub pictures: watch::Receiver<Arc<str>>,
    /// The desk's orders as JSON text, replaced as they change.
    pub orders: watch::Receiver<Arc<str>>,
    /// Who enters orders.
    pub desk: Arc<dyn Desk>,
    /// Who knows the past.
    pub archive: Arc<dyn Archive>,
    /// Who answers what only the venue's own people may ask.
    pub office: Arc<dyn Office>,
    /// Who answers members about what is their own.
    pub members: Arc<dyn Members>,
    /// Who decides flags of the edge.
    pub flags: Arc<dyn Flags>,
    /// Whether everything follows that is to follow.
    pub health: Arc<dyn Fn() -> Health + Send + Sync>,
    /// How long orders took at each stage, as JSON text.
    pub stages: Arc<dyn Fn() -> String + Send + Sync>,
    /// More of them, by firm: for the venue alone.
    pub firm_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Counters in the Prometheus text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// How what follows the stream stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Each of them.
    pub followers: Vec<Follower>,
}

/// Something that follows the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Follower {
    /// Which.
    pub name: &'static str,
    /// Behind which command it stands.
    pub seq: u64,
    /// Commands that it has still to take.
    pub behind: u64,
    /// For how long it has not come to where the stream stood then.
    pub late_ms: u64,
    /// What went wrong, if anything.
    pub problem: Option<String>,
}

/// An order as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// The instrument.
    pub symbol: String,
    /// `buy`, `sell`, `sell_short` or `sell_short_exempt`.
    pub side: String,
    /// Shares.
    pub quantity: u32,
    /// The limit as a decimal; none: at any price.
    pub price: Option<String>,
    /// `day`, `ioc` (immediate or cancel), `fok` (fill or kill), `open` or `close` (for that auction alone).
    #[serde(default = "day")]
    pub tif: String,
    /// Never takes liquidity.
    #[serde(default)]
    pub post_only: bool,
    /// Not on the feed.
    #[serde(default)]
    pub hidden: bool,
    /// How much to display at a time; none: all of it.
    #[serde(default)]
    pub display: Option<u32>,
    /// How much must trade at once; none: nothing need.
    #[serde(default)]
    pub minimum: Option<u32>,
}

fn day() -> String {
    "day".to_owned()
}

/// Why a wish was not granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    pub mend: String,
}

/// Enters orders as one member, through a door like anyone else. Calls may wait for the exchange's answer.
pub trait Desk: Send + Sync {
    /// Enters an order; the answer is the order as JSON text.
    ///
    /// # Errors
    /// [`Refusal`]: it is no order, the exchange refused it, or it cannot be reached.
    fn enter(&self, ticket: &Ticket) -> Result<String, Refusal>;

    /// Cancels an order by the number it was told under.
    ///
    /// # Errors
    /// [`Refusal`].
    fn cancel(&self, order: u32) -> Result<String, Refusal>;
}

/// Knows the market at any sequence number. Calls may take as long as a replay.
pub trait Archive: Send + Sync {
    /// The market behind command `seq`, as JSON text.
    ///
    /// # Errors
    /// [`Refusal`]: it has not been yet, or the journal cannot be read.
    fn at(&self, seq: u64) -> Result<String, Refusal>;

    /// One instrument's way to command `seq`, as JSON text: its book and trades at some of the commands before it.
    ///
    /// # Errors
    /// [`Refusal`]: as above, or there was no such instrument.
    fn chart(&self, seq: u64, symbol: &str) -> Result<String, Refusal>;
}

/// Answers questions about orders and members and does what an operator asks for, both in the terms of the
/// administration socket. Calls may take as long as a replay.
pub trait Office: Send + Sync {
    /// The answer to a request, both JSON text.
    ///
    /// # Errors
    /// [`Refusal`]: it is no request, or it cannot be answered.
    fn ask(&self, request: &[u8]) -> Result<String, Refusal>;
}

/// How a request proves whose it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Presented {
    /// By a key's name and secret: `Authorization: Bearer NAME:SECRET`.
    Secret {
        /// The key.
        name: String,
        /// Its secret.
        secret: String,
    },
    /// By a key's name and an HMAC-SHA256: `X-Rialto-Name`, `X-Rialto-Time`, `X-Rialto-Signature`.
    Signed {
        /// The key.
        name: String,
        /// Milliseconds since 1970 by the client's clock.
        time_ms: u64,
        /// What is signed: method, path with query, and time; where the request may have a body the idempotency key, which
        /// may be empty, too; each followed by a line feed, then the body.
        signed: String,
        /// In hexadecimal.
        signature: String,
    },
}

/// What a member asks about what is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// What is held in all, of each instrument.
    Portfolio {
        /// Behind this cursor.
        after: Option<u64>,
        /// At most so many rows.
        most: usize,
    },
    /// What is held, by account.
    Positions {
        /// One account alone.
        account: Option<u32>,
        /// Behind this cursor.
        after: Option<u64>,
        /// At most so many rows.
        most: usize,
    },
    /// Orders.
    Orders {
        /// One account alone.
        account: Option<u32>,
        /// Behind this cursor.
        after: Option<u64>,
        /// At most so many rows.
        most: usize,
    },
    /// The limits that stand, and what is counted.
    Limits,
    /// What the firm was told of its orders.
    Executions {
        /// Behind this number.
        after: u64,
        /// At most so many rows.
        most: usize,
    },
    /// Fills.
    Fills {
        /// One account alone.
        account: Option<u32>,
        /// Behind this cursor.
        after: Option<u64>,
        /// At most so many rows.
        most: usize,
    },
}

/// What an order is to become: the replacement's own terms, so what is left out is not what stood before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Shares, those already executed included.
    pub quantity: u32,
    /// The limit as a decimal; none: at any price.
    pub price: Option<String>,
    /// Never takes liquidity.
    #[serde(default)]
    pub post_only: bool,
    /// Not on the feed.
    #[serde(default)]
    pub hidden: bool,
    /// How much to display at a time; none: all of it.
    #[serde(default)]
    pub display: Option<u32>,
}

/// What a member does. A wish that makes an order has an idempotency key: the same wish under the same key is carried out once,
/// and its first answer said again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Enters an order.
    Place {
        /// The order.
        ticket: Ticket,
        /// The idempotency key.
        key: String,
    },
    /// Puts another order into the place of one.
    Replace {
        /// The reference that the order was told under.
        order: u32,
        /// What it is to become.
        change: Change,
        /// The idempotency key.
        key: String,
    },
    /// Cancels an order.
    Cancel {
        /// The reference that it was told under.
        order: u32,
    },
    /// Changes the limits of the firm, or of the account that the key is for.
    Limit(Limits),
    /// Switches the firm off: its orders go, and nothing but cancels is taken from it. On again is the venue's to switch.
    Kill(Kill),
}

/// A firm switches itself off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kill {
    /// Why; it stands in the stream.
    pub why: String,
}

/// What limits are to become; those that are left out stay, zero takes one away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// By their names in the stream.
    pub limits: serde_json::Map<String, serde_json::Value>,
    /// Why; it stands in the stream.
    #[serde(default)]
    pub why: String,
}

/// The exchange's first word about a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// JSON text.
    pub body: String,
    /// It was said before, to the same wish.
    pub again: bool,
}

/// Answers members. It decides who asks: the gateway hands on what a request shows, and names no firm.
pub trait Members: Send + Sync {
    /// The answer as JSON text.
    ///
    /// # Errors
    /// [`Refusal`]: nobody's key, over its rate, or not of its firm.
    fn ask(&self, presented: &Presented, question: Question) -> Result<String, Refusal>;

    /// The name of the operator whose key this is.
    ///
    /// # Errors
    /// [`Refusal`]: nobody's key, over its rate, or a member's.
    fn operator(&self, presented: &Presented) -> Result<String, Refusal>;

    /// Does what a trader wishes, as its firm's own session; waits for the exchange's first word.
    ///
    /// # Errors
    /// [`Refusal`]: nobody's key, of another role, over its rate, an idempotency key that was used for something else, or
    /// what the exchange refused.
    fn trade(&self, presented: &Presented, deed: &Deed) -> Result<Answered, Refusal>;

    /// Goes on telling a firm of its orders from behind a number.
    ///
    /// # Errors
    /// [`Refusal`]: nobody's key, over its rate, or with as many of these as a key may have.
    fn follow(&self, presented: &Presented, after: u64) -> Result<Box<dyn Executions>, Refusal>;
}

/// What a firm is told of its orders, as it comes.
pub trait Executions: Send {
    /// Changes whenever there may be more.
    fn news(&self) -> watch::Receiver<u64>;

    /// What has come since: JSON text, and whether it holds anything.
    ///
    /// # Errors
    /// [`Refusal`]: the key opens nothing any more.
    fn next(&mut self) -> Result<(String, bool), Refusal>;
}

/// What a request that changes something must show. Never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// A key of printable characters without spaces; `None` otherwise, or where it is shorter than 16.
    #[must_use]
    pub fn new(key: &str) -> Option<Self> {
        let sound = key.len() >= 16 && key.bytes().all(|byte| byte.is_ascii_graphic());
        sound.then(|| Self(key.to_owned()))
    }

    /// Compares every byte, whichever differ: how long it takes tells nothing about the key.
    #[must_use]
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        let own = self.0.as_bytes();
        own.len() == shown.len() && own.iter().zip(shown).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }

    /// For the one line that tells it to its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}
