//! Everything that can change an output, as the sequencer numbers it and the journal keeps it.
//!
//! A command is a wish: the engine decides, and every command has at least one [`Event`](crate::event::Event).

use crate::codec::{Encoder, Field as _, messages};
use crate::deal::{Deal, Fees};
use crate::deploy::{Audience, Cut, Finding, Hearing, Lane, Opinion, Poison, Reach, Way};
use crate::fault::FaultKind;
use crate::flags::{FlagChange, TableHash};
use crate::ids::{AccountId, FirmId, Incarnation, InstrumentId, MsgSeqNum, ReleaseNumber, SessionId, UserRef, VenueId};
use crate::instructions::Instructions;
use crate::limits::MESSAGE_BYTES_MAX;
use crate::member::{Budgets, FeeTier, RiskLimits, Role, Service, ShardId, UserId};
use crate::order::{
    Capacity, Door, LossCause, OrderKind, Phase, Policy, ShortSale, Side, SideFilter, Target, TimeInForce,
};
use crate::price::{Price, PriceScale, Quantity};
use crate::quote::{QuoteLimits, Quotes};
use crate::reason::RejectReason;
use crate::rulebook::{Allocation, Bands, BreakerLevel, Rulebook, SelfTrade, TickTable};
use crate::runaway::{RunawayLimits, RunawayTrip};
use crate::text::{Actor, Mpid, Symbol, Text};
use crate::time::{Timestamp, TradingDay};
use xxhash_rust::xxh3::xxh3_64;

messages! {
    /// A command. Schema ids 1 to 999 are commands.
    Command {
        /// From here on the engine behaves as this release says. The first command of every journal.
        Release = 1 {
            /// Whose stream this is.
            venue: VenueId,
            /// The behaviour.
            release: ReleaseNumber,
        }
        /// Defines an instrument, once.
        DefineInstrument = 2 {
            /// Dense from 1.
            instrument: InstrumentId,
            /// Its name on every door and the feed.
            symbol: Symbol,
            /// What one unit of a price means.
            scale: PriceScale,
            /// Every price is a multiple of it.
            tick: Price,
            /// The highest price of an order.
            price_max: Price,
            /// Every quantity is a multiple of it.
            lot: Quantity,
            /// The highest quantity of an order.
            quantity_max: Quantity,
        }
        /// Defines a member firm, once.
        DefineFirm = 3 {
            /// The tenant.
            firm: FirmId,
            /// Its identifier where it asks for attribution.
            mpid: Mpid,
        } + /// What people call it.
            name
        /// Defines an account of a firm, once.
        DefineAccount = 4 {
            /// The account.
            account: AccountId,
            /// Its firm.
            firm: FirmId,
        }
        /// Defines a session of a firm, once. Its secrets are not in the stream.
        DefineSession = 5 {
            /// The session.
            session: SessionId,
            /// Its firm.
            firm: FirmId,
            /// The account its orders are for unless they name another of the firm.
            account: AccountId,
            /// The door it comes through.
            door: Door,
        } + /// What it logs on as.
            name
        /// Opens a trading day: resets references, restates what was carried over.
        StartOfDay = 6 {
            /// The day.
            day: TradingDay,
            /// The midnight from which ITCH and OUCH count nanoseconds.
            midnight: Timestamp,
        }
        /// Ends the trading day: DAY orders expire, GTC orders are carried.
        EndOfDay = 7 {}
        /// Time passes: fires what is due. Changes nothing else.
        Tick = 8 {}
        /// A session has logged on.
        SessionUp = 9 {
            /// The session.
            session: SessionId,
            /// This connection: one more than the last.
            incarnation: Incarnation,
            /// The number of its logon message, where the door has one.
            inbound: MsgSeqNum,
            /// Whether both message sequences restart from 1 with this logon (FIX 141).
            reset: bool,
        }
        /// A session is gone. Also sequenced on start for every session that was up when the exchange died.
        SessionLost = 10 {
            /// The session.
            session: SessionId,
            /// The connection that ended.
            incarnation: Incarnation,
            /// Why.
            cause: LossCause,
        }
        /// A session-level message is about to take an outbound number (FIX heartbeat, reject and the like): sequenced
        /// so that the numbering is the same after a restart. `what` is the message type, for people.
        SessionNote = 11 {
            /// The session.
            session: SessionId,
            /// The connection.
            incarnation: Incarnation,
            /// The inbound message that caused it, or zero.
            inbound: MsgSeqNum,
            /// The FIX MsgType.
            what: u8,
        }
        /// Gives an instrument its rules, or others: the first set under version 1, each further one under the next.
        SetRulebook = 12 {
            /// Which instrument.
            instrument: InstrumentId,
            /// One more than that of the rules that stand.
            version: u32,
            /// The rules.
            rulebook: Rulebook,
        }
        /// Gives an instrument with a rulebook its tick sizes, under the next version of its rules.
        SetTicks = 13 {
            /// Which instrument.
            instrument: InstrumentId,
            /// One more than that of the rules that stand.
            version: u32,
            /// The tick sizes.
            ticks: TickTable,
        }
        /// Chooses self-trade prevention for a firm, on every instrument.
        SetSelfTrade = 14 {
            /// Which firm.
            firm: FirmId,
            /// What happens; `Allowed` leaves it to each instrument's rulebook.
            mode: SelfTrade,
        }
        /// Switches a firm off: its orders are cancelled and nothing but cancels is taken from it; or on again.
        SetKillSwitch = 15 {
            /// Which firm.
            firm: FirmId,
            /// Off (killed) or on again.
            killed: bool,
        }
        /// Brings an instrument with a rulebook into another phase. Going on to continuous trading, or closing, ends a call
        /// with its uncross.
        SetPhase = 16 {
            /// Which instrument.
            instrument: InstrumentId,
            /// The phase.
            phase: Phase,
        }
        /// Gives an instrument with a rulebook its price bounds, under the next version of its rules. What was known of the
        /// limit bands is forgotten.
        SetBands = 17 {
            /// Which instrument.
            instrument: InstrumentId,
            /// One more than that of the rules that stand.
            version: u32,
            /// The bounds.
            bands: Bands,
        }
        /// Gives an instrument with a rulebook its fees, under the next version of its rules.
        SetFees = 18 {
            /// Which instrument.
            instrument: InstrumentId,
            /// One more than that of the rules that stand.
            version: u32,
            /// The fees.
            fees: Fees,
        }
        /// Gives an instrument with a rulebook its allocation, under the next version of its rules.
        SetAllocation = 19 {
            /// Which instrument.
            instrument: InstrumentId,
            /// One more than that of the rules that stand.
            version: u32,
            /// The allocation.
            allocation: Allocation,
        }
        /// A new order (FIX D, OUCH O).
        Enter = 20 {
            /// From.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// The client's name of the order.
            user_ref: UserRef,
            /// For whom; zero: the session's account.
            account: AccountId,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// Limit or market.
            kind: OrderKind,
            /// How long.
            tif: TimeInForce,
            /// How a sale is marked.
            short: ShortSale,
            /// In which capacity.
            capacity: Capacity,
            /// The door's meanings.
            policy: Policy,
            /// At which price; zero for a market order.
            price: Price,
            /// How much.
            quantity: Quantity,
        } + /// The client's id bytes (ClOrdID).
            client_id
        /// Lowers an order's quantity and keeps its place (OUCH X and M).
        Reduce = 21 {
            /// From.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// Which order.
            target: Target,
            /// The new mark of a sale, where `remark` is set.
            short: ShortSale,
            /// Whether the short-sale mark changes (OUCH M).
            remark: bool,
            /// The door's meanings.
            policy: Policy,
            /// The new intended quantity; nothing left cancels.
            quantity: Quantity,
        } + /// The client's id bytes of this request.
            client_id
        /// Takes an order off (FIX F).
        Cancel = 22 {
            /// From.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// Which order.
            target: Target,
            /// The door's meanings.
            policy: Policy,
        } + /// The client's id bytes of this request.
            client_id
        /// Changes an order (FIX G, OUCH U). The chain keeps its [`OrderId`](crate::ids::OrderId).
        Replace = 23 {
            /// From.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// Which order.
            target: Target,
            /// The client's new name of it.
            user_ref: UserRef,
            /// Limit or market.
            kind: OrderKind,
            /// How long.
            tif: TimeInForce,
            /// The door's meanings.
            policy: Policy,
            /// The new price.
            price: Price,
            /// The new quantity; whether it counts executions is in `policy`.
            quantity: Quantity,
        } + /// The client's id bytes of this request.
            client_id
        /// An order that its door refused before it could be one (duplicate ClOrdID, unsupported instruction). Sequenced
        /// so that its answer takes the same outbound number and can be sent again after a restart.
        Refuse = 24 {
            /// From.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// The client's name of the order; zero where it has none. Not consumed.
            user_ref: UserRef,
            /// What; zero where unknown.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// At which price.
            price: Price,
            /// How much.
            quantity: Quantity,
            /// Why.
            reason: RejectReason,
        } + /// The client's id bytes.
            client_id
        /// A new order with instructions: [`Enter`], and what it asks for beyond that. An order without any comes as
        /// `Enter`, whose record stays small.
        EnterSpecial = 25 {
            /// From.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// The client's name of the order.
            user_ref: UserRef,
            /// For whom; zero: the session's account.
            account: AccountId,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// Limit or market; what a stop order becomes.
            kind: OrderKind,
            /// How long.
            tif: TimeInForce,
            /// How a sale is marked.
            short: ShortSale,
            /// In which capacity.
            capacity: Capacity,
            /// The door's meanings.
            policy: Policy,
            /// At which price; zero for a market order.
            price: Price,
            /// How much.
            quantity: Quantity,
            /// What it asks for beyond that.
            instructions: Instructions,
        } + /// The client's id bytes (ClOrdID).
            client_id
        /// Changes an order and states all its instructions anew. A plain [`Replace`] leaves them as they are.
        ReplaceSpecial = 26 {
            /// From.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// Which order.
            target: Target,
            /// The client's new name of it.
            user_ref: UserRef,
            /// Limit or market.
            kind: OrderKind,
            /// How long.
            tif: TimeInForce,
            /// The door's meanings.
            policy: Policy,
            /// The new price.
            price: Price,
            /// The new quantity; whether it counts executions is in `policy`.
            quantity: Quantity,
            /// Its instructions from now on.
            instructions: Instructions,
        } + /// The client's id bytes of this request.
            client_id
        /// Takes off every order that fits all of the filters (FIX q). From a member: of its session, or of its whole firm.
        MassCancel = 27 {
            /// From; the venue may mean any firm.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// Orders of every session of the firm, not of the session alone. The venue's mass cancel always does.
            whole_firm: bool,
            /// Of which firm, where the venue asks; zero: any.
            firm: FirmId,
            /// For which account; zero: any.
            account: AccountId,
            /// On which instrument; zero: any.
            instrument: InstrumentId,
            /// On which side.
            side: SideFilter,
        } + /// The client's id bytes of this request.
            client_id
        /// Halts the whole market at a level, or lets it go on. While it stands orders are only taken off, and no call ends.
        BreakCircuit = 30 {
            /// The level; `None` ends it. So does the start of a day.
            level: BreakerLevel,
        }
        /// Undoes a trade of today (Nasdaq Rule 11890 and NYSE Rule 7.10, clearly erroneous executions). The orders stay as
        /// they are: what was executed is not open again.
        BustTrade = 31 {
            /// On which instrument.
            instrument: InstrumentId,
            /// The trade as it stands in the record.
            deal: Deal,
        }
        /// Undoes a trade of today and puts another in its place, with a number and fees of its own.
        CorrectTrade = 32 {
            /// On which instrument.
            instrument: InstrumentId,
            /// The trade as it stands in the record.
            deal: Deal,
            /// The price it should have had.
            price: Price,
            /// The quantity it should have had.
            quantity: Quantity,
        }
        /// Quotes of a market maker (FIX i), each judged by itself. What a session quoted on an instrument before is replaced.
        MassQuote = 33 {
            /// From; for the session's account.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// The client's number of it, of the row that its orders have.
            user_ref: UserRef,
            /// The quotes.
            quotes: Quotes,
        } + /// The client's id bytes (QuoteID).
            client_id
        /// Takes off a session's quotes (FIX Z).
        CancelQuotes = 34 {
            /// From.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// On which instrument; zero: on all.
            instrument: InstrumentId,
        } + /// The client's id bytes of this request.
            client_id
        /// Gives a session its market-maker protection. What was counted is forgotten, and what had tripped is reset.
        SetProtection = 35 {
            /// Which session.
            session: SessionId,
            /// The limits; all zero: none.
            limits: QuoteLimits,
        }
        /// A session wants to quote again where its protection has tripped.
        ResetProtection = 36 {
            /// From.
            session: SessionId,
            /// From which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// On which instrument.
            instrument: InstrumentId,
        }
        /// Gives a firm or an account its pre-trade limits. Orders that stand are counted, not judged. All zero: none, and
        /// what was counted is forgotten.
        SetRiskLimits = 40 {
            /// Which firm.
            firm: FirmId,
            /// Which account of it; zero: the firm as a whole.
            account: AccountId,
            /// The limits.
            limits: RiskLimits,
        }
        /// Gives a firm its fee tier.
        SetFeeTier = 41 {
            /// Which firm.
            firm: FirmId,
            /// The tier.
            tier: FeeTier,
        }
        /// Says who causes a command of the venue's that follows, and why. Changes nothing.
        Act = 42 {
            /// Who.
            actor: Actor,
            /// The schema of the command.
            subject: u16,
            /// The xxh3 of the command's schema, block and text ([`Command::digest`]).
            digest: u64,
        } + /// Why.
            why
        /// Says in which shard of the member store a firm or an account is kept from this command on. What is said of an
        /// account goes before what is said of its firm; of whom nothing is said is in shard zero.
        SetShard = 43 {
            /// The directory's version: one more than that of the one that stands.
            version: u32,
            /// Which firm.
            firm: FirmId,
            /// Which account of it; zero: the firm as a whole.
            account: AccountId,
            /// Where.
            shard: ShardId,
        }
        /// Defines a user, or gives one another account, role or name. Secrets are not in the stream.
        SetUser = 44 {
            /// Who.
            user: UserId,
            /// Of which firm, for good; zero: of the venue.
            firm: FirmId,
            /// For which account; zero: for all of the firm.
            account: AccountId,
            /// What the user may do.
            role: Role,
        } + /// What people call the user.
            name
        /// Chooses how a firm is served.
        SetService = 45 {
            /// Which firm.
            firm: FirmId,
            /// How.
            service: Service,
        }
        /// Gives a firm its budgets of messages, and its weight among firms. What was counted stays.
        SetBudgets = 48 {
            /// Which firm.
            firm: FirmId,
            /// The budgets.
            budgets: Budgets,
        }
        /// A share of the sessions of a door comes in by another process from its next connection on, or none any more.
        /// Changes no output.
        RouteDoor = 60 {
            /// Which share, and where.
            lane: Lane,
        } + /// Why, for people.
            why
        /// What was found of a door in another process. Changes no output.
        JudgeDoor = 61 {
            /// What was found.
            opinion: Opinion,
        } + /// Why, for people.
            why
        /// A share of the feed's subscribers is told it by another process from its next connection on, or none any more.
        /// Changes no output.
        RouteFeed = 62 {
            /// Which share.
            audience: Audience,
        } + /// Why, for people.
            why
        /// What was found of a feed in another process. Changes no output.
        JudgeFeed = 63 {
            /// What was found.
            hearing: Hearing,
        } + /// Why, for people.
            why
        /// A candidate was taken back, of whatever kind: how many it had reached. Changes no output.
        Recall = 64 {
            /// How many.
            reach: Reach,
        } + /// Why, for people.
            why
        /// The venue takes cancels and reductions alone, or everything again. Sequenced by the sequencer where the journal
        /// runs out of room.
        CancelOnly = 90 {
            /// Whether it begins or ends.
            on: bool,
        }
        /// Switches a flag ([`crate::flags`]). Sequenced only where every process that matters knows it.
        SwitchFlag = 91 {
            /// What is done.
            change: FlagChange,
        }
        /// A process was refused because it has another flag table: for the record. With the table that is asked for: one that
        /// was refused has come with it, or is gone for good.
        RefuseProcess = 92 {
            /// The table it has.
            table: TableHash,
            /// The one that is asked for.
            wanted: TableHash,
        } + /// What it called itself.
            name
        /// Says what a firm may send before it is taken for a runaway; all zero: anything.
        SetRunawayLimits = 93 {
            /// Which firm.
            firm: FirmId,
            /// The limits.
            limits: RunawayLimits,
        }
        /// States a parent order of a firm, for the day: orders whose client id is its name, `/` and anything are its
        /// children, which together may ask for no more. Stated again, what was asked for stays counted.
        SetParent = 94 {
            /// Which firm.
            firm: FirmId,
            /// How much; zero takes it away.
            quantity: Quantity,
        } + /// Its name, without a `/`.
            name
        /// A firm has passed one of its limits: it is killed. Sequenced by who watches them.
        TripRunaway = 95 {
            /// What was found.
            trip: RunawayTrip,
        } + /// The parent, where one was passed.
            parent
        /// Behind a command, events wait for the word of another engine on the same stream, or no more. Changes no output.
        CutOver = 96 {
            /// From where, and whose word.
            cut: Cut,
        } + /// Why, for people.
            why
        /// An instrument's events wait for a candidate's word, or no more. Changes no output.
        Route = 97 {
            /// Which instrument, and whose word.
            way: Way,
        } + /// Why, for people.
            why
        /// What was found of a candidate. Changes no output.
        Judge = 98 {
            /// What was found.
            finding: Finding,
        } + /// Why, for people.
            why
        /// A command that brought a candidate down: that build passes over it. Changes no output.
        Quarantine = 99 {
            /// Which command, and which build.
            poison: Poison,
        }
        /// Breaks something on purpose, from here on. Which fields a kind has stands with [`AddFault::is_sound`].
        AddFault = 120 {
            /// What is broken.
            kind: FaultKind,
            /// What chance decides by.
            seed: u64,
            /// Of which session; zero: of every one.
            session: SessionId,
            /// On which instrument; zero: it is about none.
            instrument: InstrumentId,
            /// On which line of the feed; zero: on both.
            line: u8,
            /// How often, in parts of a million.
            chance: u32,
            /// How late, or how far, in nanoseconds.
            delay: u64,
            /// How much later at most, in nanoseconds.
            jitter: u64,
            /// Back instead of ahead.
            back: bool,
        } + /// What people call it; one of each name stands at a time.
            name
        /// Mends it.
        RemoveFault = 121 {} + /// What it is called.
            name
    }
}

impl Command {
    /// What an [`Act`] calls a command by: the xxh3 of its schema id, block and text.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut bytes = [0; MESSAGE_BYTES_MAX + 2];
        let mut out = Encoder::new(&mut bytes);
        self.schema().put(&mut out);
        self.encode(&mut out);
        let len = out.len();
        xxh3_64(bytes.get(..len).unwrap_or(&bytes))
    }

    /// The act that says who causes this command and why.
    #[must_use]
    pub fn act(&self, actor: Actor, why: Text) -> Act {
        Act {
            actor,
            subject: self.schema(),
            digest: self.digest(),
            why,
        }
    }

    /// Whether people, and programs for them, cause this command by the venue's authority: what an [`Act`] belongs to. Not
    /// so what members send, what the clock and the sequencer cause, and [`Act`] itself.
    #[must_use]
    pub const fn is_administrative(&self) -> bool {
        match self {
            Self::DefineInstrument(_)
            | Self::DefineFirm(_)
            | Self::DefineAccount(_)
            | Self::DefineSession(_)
            | Self::SetRulebook(_)
            | Self::SetTicks(_)
            | Self::SetSelfTrade(_)
            | Self::SetKillSwitch(_)
            | Self::SetPhase(_)
            | Self::SetBands(_)
            | Self::SetFees(_)
            | Self::SetAllocation(_)
            | Self::BreakCircuit(_)
            | Self::BustTrade(_)
            | Self::CorrectTrade(_)
            | Self::SetProtection(_)
            | Self::SetRiskLimits(_)
            | Self::SetFeeTier(_)
            | Self::SetShard(_)
            | Self::SetUser(_)
            | Self::SetService(_)
            | Self::SetBudgets(_)
            | Self::SwitchFlag(_)
            | Self::SetRunawayLimits(_)
            | Self::SetParent(_)
            | Self::AddFault(_)
            | Self::RemoveFault(_) => true,
            Self::MassCancel(c) => c.session.0 == 0,
            Self::Cancel(c) => c.session.0 == 0,
            Self::Reduce(c) => c.session.0 == 0,
            _ => false,
        }
    }
}

impl EnterSpecial {
    /// A plain order as one without instructions.
    #[must_use]
    pub const fn plain(c: &Enter) -> Self {
        Self {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            user_ref: c.user_ref,
            account: c.account,
            instrument: c.instrument,
            side: c.side,
            kind: c.kind,
            tif: c.tif,
            short: c.short,
            capacity: c.capacity,
            policy: c.policy,
            price: c.price,
            quantity: c.quantity,
            instructions: Instructions::NONE,
            client_id: c.client_id,
        }
    }
}

impl ReplaceSpecial {
    /// A plain replace of an order with these instructions.
    #[must_use]
    pub const fn plain(c: &Replace, instructions: Instructions) -> Self {
        Self {
            session: c.session,
            incarnation: c.incarnation,
            inbound: c.inbound,
            target: c.target,
            user_ref: c.user_ref,
            kind: c.kind,
            tif: c.tif,
            policy: c.policy,
            price: c.price,
            quantity: c.quantity,
            instructions,
            client_id: c.client_id,
        }
    }
}
