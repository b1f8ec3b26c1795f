//! Every bound of the vocabulary and the engine, by name. An error that a bound causes names it.

/// Bytes of a client's order id or a name. A hyphenated UUID is 36.
pub const TEXT_MAX: usize = 39;
/// The highest instrument id: ITCH's stock locate has 16 bits.
pub const INSTRUMENT_MAX: u16 = u16::MAX;
/// The highest session id.
pub const SESSION_MAX: u32 = 65_535;
/// The highest firm id.
pub const FIRM_MAX: u32 = 65_535;
/// The highest account id.
pub const ACCOUNT_MAX: u32 = 1_048_575;
/// The highest price any instrument may allow, in its own unit: 199,999.9900 in the default scale, the highest that OUCH
/// can say (OUCH 5.0, data types; above it lie its market prices). ITCH says up to 200,000.0000.
pub const PRICE_MAX: i64 = 1_999_999_900;
/// The highest quantity any instrument may allow in one order.
pub const QUANTITY_MAX: u64 = 1_000_000_000;
/// Orders resting at one time in the whole venue. At the bound a new order is rejected.
pub const LIVE_ORDERS_MAX: u32 = 1 << 24;
/// Trades that may be undone in a day. Beyond it a bust or correction is rejected.
pub const UNDONE_TRADES_MAX: usize = 1 << 16;
/// Trades of a session's quotes on one instrument that are counted for its protection. As many within its window trip it.
pub const QUOTE_FILLS_MAX: usize = 256;
/// Rules of one flag. At the bound another is refused.
pub const FLAG_RULES_MAX: usize = 1_024;
/// Parents that are stated at one time in the whole venue. At the bound another is refused.
pub const PARENTS_MAX: usize = 10_000;
/// Faults that stand at one time. Beyond it another is refused.
pub const FAULTS_MAX: usize = 32;
/// How far a user reference may lie above the highest one seen in its session and day: bounds the memory that a client's
/// choice of numbers can claim. Beyond it the order is rejected and the reference is not consumed.
pub const USER_REF_JUMP_MAX: u32 = 1 << 20;
/// The largest encoded command or event, without its record header.
pub const MESSAGE_BYTES_MAX: usize = 240;
