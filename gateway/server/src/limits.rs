//! Every bound of the doors, and what happens at it.

/// Released events that one poll follows; the rest waits for the next poll.
pub const EVENTS_PER_POLL: usize = 256;
/// What a firm of weight 1 may have taken in at its turn, of all its connections together; in messages, or in commands where
/// a message makes more than one, while no other firm says anything. Each firm that has something to do has one turn at a time,
/// two in a poll.
pub const QUANTUM: u32 = 64;
/// The same where others say something too: they wait for each other's turns. Who uses it up has no second one in the poll.
pub const QUANTUM_IN_COMPANY: u32 = 16;
/// For so long after a message of its own a firm is company for the others, in nanoseconds.
pub const COMPANY_NS: u64 = 100_000_000;
/// Connections of one firm that one poll serves; the others come first in the next one.
pub const CONNECTIONS_PER_POLL: usize = 64;
/// Bytes read from one connection in one poll.
pub const READ_BYTES: usize = 16 * 1024;
/// Messages of a session's log that one poll hands to its connection.
pub const PULLS_PER_SERVICE: usize = 256;
/// Bytes of a connection's beginning that are looked at for its name while another process serves some; who has not said it
/// by then is served here.
pub const KNOCK_BYTES_MAX: usize = 512;
/// Connections accepted in one poll; the others wait in the system's queue.
pub const ACCEPTS_PER_POLL: usize = 16;
/// Free slots of the command ring without which nothing more is taken in. One inbound message makes at most two
/// commands, except for quotes; the others keep the way free for sessions coming up and lost.
pub const COMMAND_ROOM: usize = 8;

/// How long a connection has to log on, in nanoseconds; then it is closed.
pub const LOGON_TIMEOUT_NS: u64 = 2_000_000_000;

/// How long a door goes without looking at its sockets where nothing happens, in nanoseconds.
pub const LOOK_NS: u64 = 5_000;
/// For so long after something has happened it looks with every poll, in nanoseconds.
pub const LIVELY_NS: u64 = 1_000_000;

/// Connections that a door reads with every poll instead of asking the system which has something to read; the others are asked
/// after every [`LOOK_NS`]. Each costs a poll one call to the system.
pub const HOT_MAX: usize = 2;
/// Reads in a row, each at most [`HOT_GAP_NS`] behind the one before, that make a connection hot.
pub const HOT_READS: u32 = 32;
/// See [`HOT_READS`], in nanoseconds.
pub const HOT_GAP_NS: u64 = 100_000;
/// A hot connection of which nothing came for so long is one like all others again, in nanoseconds.
pub const HOT_NS: u64 = 1_000_000;

/// How often the wall clock is read, in nanoseconds: a step of it is seen so much later.
pub const WALL_NS: u64 = 1_000_000;

/// How often timers are looked at, in nanoseconds.
pub const TIMER_SWEEP_NS: u64 = 5_000_000;
/// A connection that takes no byte for so long while bytes wait for it is closed, in nanoseconds.
pub const STALL_NS: u64 = 15_000_000_000;
/// A connection that was told goodbye is closed after this time, in nanoseconds; one that has not taken its last bytes when
/// the door closes, after twice this time.
pub const FAREWELL_NS: u64 = 2_000_000_000;

/// Connections of one door, by default. One more is closed at once, counted and said.
pub const CONNECTIONS_MAX: usize = 256;
/// Connections by the port of one firm. One more is closed at once, counted and said.
pub const PORT_CONNECTIONS_MAX: usize = 64;
/// Bytes of one session's outbound log, by default. Beyond it the oldest messages go; who asks for them later is refused
/// with the reason.
pub const LOG_BYTES_MAX: usize = 64 << 20;
/// Bytes of a log's chunk: what goes at the bound goes a chunk at a time.
pub const LOG_CHUNK_BYTES: usize = 64 * 1024;
/// Client order ids remembered in one FIX session and day. Beyond it a new order is refused.
pub const CLIENT_IDS_MAX: usize = 1 << 20;
/// Orders in the answer to a mass status request, and definitions in that to a definition request. Beyond it the request is
/// refused and may ask for less.
pub const STATUS_REPORTS_MAX: usize = 16_384;
/// Market-data and status subscriptions of one FIX session. One more is refused.
pub const SUBSCRIPTIONS_MAX: usize = 64;
/// Instruments in one market-data request. More are refused.
pub const SUBSCRIBED_INSTRUMENTS_MAX: usize = 1024;
/// Trades that wait for the next market-data message of a subscription. Beyond it the subscription ends with a reject: trades
/// are never merged and never left out.
pub const PRINTS_MAX: usize = 1024;
/// Entries in one market-data message; the others come with the next.
pub const MARKET_ENTRIES_MAX: usize = 256;
/// Entries of one message of quotes, each at most two commands. What does not fit into the ring goes before anything else is
/// taken in. Beyond it the message is refused.
pub const QUOTE_ENTRIES_MAX: usize = 64;
/// QuoteIDs remembered in one FIX session and day; beyond it the oldest is forgotten, and a copy of that message (97=Y) is
/// taken for a new one.
pub const QUOTE_IDS_KEPT: usize = 1024;
/// Orders that traded and ended today, remembered at the FIX door for trades that are undone. Beyond it the oldest is
/// forgotten, and the report of such a trade knows no totals.
pub const ENDED_ORDERS_KEPT: usize = 1 << 17;
/// Addresses whose bad logons are counted. Beyond it the one that was last heard of longest ago is forgotten.
pub const GUARDED_ADDRESSES_MAX: usize = 4096;
/// Messages over the rate that are refused one behind the other; then the session is not read for a while.
pub const THROTTLE_REFUSALS_MAX: u32 = 64;
/// Times that a session is not read, without its budget ever being untouched; then it is put out.
pub const THROTTLE_STOPS_MAX: u32 = 8;
/// Commands of a window at whose end the hash of what sessions were told is stated, where that is wanted.
pub const TRANSCRIPT_WINDOW: u64 = 64;
/// Windows kept until they are taken; more are not stated.
pub const TRANSCRIPTS_MAX: usize = 4_096;
