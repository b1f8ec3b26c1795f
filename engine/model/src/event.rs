//! Everything that came of a command: enough for the member's answer and for the feed without a look at any book.

mod venue;

use crate::codec::messages;
use crate::deal::{Deal, Fees, Money};
use crate::deploy::{Audience, Cut, Finding, Hearing, Lane, Opinion, Poison, Reach, Way};
use crate::fault::FaultKind;
use crate::flags::{FlagChange, TableHash};
use crate::ids::{
    AccountId, FirmId, Incarnation, InstrumentId, MsgSeqNum, OrderId, PublicRef, ReleaseNumber, SessionId, TradeId,
    UserRef, VenueId,
};
use crate::instructions::Instructions;
use crate::member::{Budgets, FeeTier, RiskLimits, Role, Service, ShardId, UserId};
use crate::order::{Capacity, Door, LossCause, OrderKind, Phase, Policy, ShortSale, Side, Target, TimeInForce};
use crate::price::{Price, PriceScale, Quantity};
use crate::quote::QuoteLimits;
use crate::reason::{CancelReason, IgnoreReason, RejectReason};
use crate::rulebook::{Allocation, Bands, BreakerLevel, Rulebook, SelfTrade, TickTable};
use crate::runaway::{RunawayLimits, RunawayTrip};
use crate::text::{Actor, Mpid, Symbol};
use crate::time::{Timestamp, TradingDay};
use venue::with_venue_events;

with_venue_events! {
    /// An event. Schema ids from 1001 are events.
    Event {
        /// A release began.
        Released = 1001 {
            /// Whose stream this is.
            venue: VenueId,
            /// The behaviour from here on.
            release: ReleaseNumber,
        }
        /// An instrument is defined; said again for each at every start of day, in order of id.
        InstrumentListed = 1002 {
            /// Which.
            instrument: InstrumentId,
            /// Its name.
            symbol: Symbol,
            /// What one unit of a price means.
            scale: PriceScale,
            /// The tick size.
            tick: Price,
            /// The highest price.
            price_max: Price,
            /// The lot size.
            lot: Quantity,
            /// The highest quantity.
            quantity_max: Quantity,
            /// Whether a trading day is open, so that orders are taken.
            trading: bool,
        }
        /// A firm is defined.
        FirmDefined = 1003 {
            /// Which.
            firm: FirmId,
            /// Its identifier.
            mpid: Mpid,
        } + /// What people call it.
            name
        /// An account is defined.
        AccountDefined = 1004 {
            /// Which.
            account: AccountId,
            /// Its firm.
            firm: FirmId,
        }
        /// A session is defined.
        SessionDefined = 1005 {
            /// Which.
            session: SessionId,
            /// Its firm.
            firm: FirmId,
            /// Its account.
            account: AccountId,
            /// Its door.
            door: Door,
        } + /// What it logs on as.
            name
        /// A trading day began. Instruments and carried orders follow under the same number.
        DayStarted = 1006 {
            /// The day.
            day: TradingDay,
            /// From which nanoseconds are counted.
            midnight: Timestamp,
        }
        /// The trading day ended. Comes behind the expiries under the same number.
        DayEnded = 1007 {
            /// The day.
            day: TradingDay,
        }
        /// A tick passed.
        Ticked = 1008 {}
        /// A session is up.
        SessionOpened = 1009 {
            /// Which.
            session: SessionId,
            /// This connection.
            incarnation: Incarnation,
            /// The number of its logon message.
            inbound: MsgSeqNum,
            /// Whether both message sequences restart.
            reset: bool,
        }
        /// A session is down. Comes before the cancels that it causes.
        SessionClosed = 1010 {
            /// Which.
            session: SessionId,
            /// The connection that ended.
            incarnation: Incarnation,
            /// Why.
            cause: LossCause,
        }
        /// A session-level message takes its outbound number here.
        SessionNoted = 1011 {
            /// Which.
            session: SessionId,
            /// The connection.
            incarnation: Incarnation,
            /// The inbound message that caused it, or zero.
            inbound: MsgSeqNum,
            /// The FIX MsgType.
            what: u8,
        }
        /// A definition or venue command was refused.
        CommandRejected = 1012 {
            /// The schema id of the command.
            schema: u16,
            /// Why.
            reason: RejectReason,
        }
        /// The command changed nothing and nobody is told.
        Ignored = 1013 {
            /// From.
            session: SessionId,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// Why.
            reason: IgnoreReason,
        }
        /// An instrument has these rules from here on.
        RulebookSet = 1014 {
            /// Which.
            instrument: InstrumentId,
            /// The version of its rules.
            version: u32,
            /// The rules.
            rulebook: Rulebook,
        }
        /// An instrument has these tick sizes from here on.
        TicksSet = 1015 {
            /// Which.
            instrument: InstrumentId,
            /// The version of its rules.
            version: u32,
            /// The tick sizes.
            ticks: TickTable,
        }
        /// A firm's self-trade prevention from here on.
        SelfTradeSet = 1016 {
            /// Which.
            firm: FirmId,
            /// What happens.
            mode: SelfTrade,
        }
        /// A firm is switched off or on again. Comes before the cancels that it causes.
        KillSwitchSet = 1017 {
            /// Which.
            firm: FirmId,
            /// Off (killed) or on again.
            killed: bool,
        }
        /// An instrument is in this phase from here on. Comes behind the uncross of the phase before.
        PhaseChanged = 1018 {
            /// Which.
            instrument: InstrumentId,
            /// The phase.
            phase: Phase,
        }
        /// The orders of an auction would trade like this, were it over now. Comes when that changes.
        Indicative = 1019 {
            /// Which instrument.
            instrument: InstrumentId,
            /// In which phase.
            phase: Phase,
            /// At which price; zero for none.
            price: Price,
            /// How much would trade.
            volume: Quantity,
            /// How much more could trade at that price, were there somebody on the other side.
            imbalance: Quantity,
            /// The side of the imbalance; buy where there is none.
            side: Side,
            /// The price that ties are broken by: that of the last trade.
            reference: Price,
        }
        /// A new order stands. Comes before its executions.
        Accepted = 1020 {
            /// Whose.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// The client's name of it.
            user_ref: UserRef,
            /// The venue's name of it.
            order_id: OrderId,
            /// Its reference on the feed, if it comes to rest.
            public_ref: PublicRef,
            /// Its firm.
            firm: FirmId,
            /// Its account.
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
            /// At which price.
            price: Price,
            /// How much.
            quantity: Quantity,
            /// The whole quantity rests under `public_ref` from here on. Otherwise executions follow, and what
            /// rests after them, if anything, as [`Booked`].
            rests: bool,
            /// The firm's name on the feed; blank without attribution.
            mpid: Mpid,
        } + /// The client's id bytes.
            client_id
        /// An order was changed under a new user reference. Comes before its executions.
        Replaced = 1021 {
            /// Whose.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// Its name until now.
            old_user_ref: UserRef,
            /// Its name from now on.
            user_ref: UserRef,
            /// The venue's name, as before.
            order_id: OrderId,
            /// Its reference on the feed until now; zero where the feed did not know it.
            old_public_ref: PublicRef,
            /// Its reference from now on: the same one when it kept its place.
            public_ref: PublicRef,
            /// Its firm.
            firm: FirmId,
            /// Its account.
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
            /// The door's meanings.
            policy: Policy,
            /// The new price.
            price: Price,
            /// What is open from here on, executions not counted.
            quantity: Quantity,
            /// What was open until now.
            old_quantity: Quantity,
            /// Executed so far in the chain.
            executed: Quantity,
            /// The whole open quantity rests under `public_ref` from here on; otherwise as [`Accepted::rests`].
            rests: bool,
            /// The firm's name on the feed; blank without attribution.
            mpid: Mpid,
        } + /// The client's id bytes of the request.
            client_id
        /// A quantity has come to rest where all can see it: what is left of an order after its executions on entry or
        /// replace, or what an iceberg displays next.
        Booked = 1022 {
            /// The venue's name of it.
            order_id: OrderId,
            /// Its reference on the feed.
            public_ref: PublicRef,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// At which price.
            price: Price,
            /// How much rests.
            quantity: Quantity,
            /// The firm's name on the feed; blank without attribution.
            mpid: Mpid,
        }
        /// A part of an order was taken off; the rest keeps its place.
        Reduced = 1023 {
            /// Whose.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// The client's name of it.
            user_ref: UserRef,
            /// The venue's name of it.
            order_id: OrderId,
            /// Its reference on the feed.
            public_ref: PublicRef,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// How a sale is marked from here on.
            short: ShortSale,
            /// Whether the mark was asked to change (OUCH M).
            remark: bool,
            /// How much went; zero where only the mark changed.
            removed: Quantity,
            /// How much is open from here on.
            leaves: Quantity,
            /// How much of what went was on the feed.
            removed_shown: Quantity,
        } + /// The client's id bytes of the request.
            client_id
        /// An order is gone without having traded what was open.
        Cancelled = 1024 {
            /// Whose.
            session: SessionId,
            /// By which connection, where its owner asked; zero otherwise.
            incarnation: Incarnation,
            /// Under which inbound message, where its owner asked.
            inbound: MsgSeqNum,
            /// The client's name of it.
            user_ref: UserRef,
            /// The venue's name of it.
            order_id: OrderId,
            /// Its reference on the feed.
            public_ref: PublicRef,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// How much went.
            removed: Quantity,
            /// Why.
            reason: CancelReason,
            /// Whether it was resting, so that the feed knew it.
            rested: bool,
        } + /// The client's id bytes of the request, where its owner asked.
            client_id
        /// Two orders traded, at the resting one's price.
        Executed = 1025 {
            /// The trade.
            trade: TradeId,
            /// What.
            instrument: InstrumentId,
            /// The side of the incoming order.
            aggressor: Side,
            /// At which price.
            price: Price,
            /// How much.
            quantity: Quantity,
            /// The resting order.
            maker: OrderId,
            /// Its reference on the feed.
            maker_public_ref: PublicRef,
            /// Whose.
            maker_session: SessionId,
            /// The client's name of it.
            maker_user_ref: UserRef,
            /// Its firm.
            maker_firm: FirmId,
            /// Its account.
            maker_account: AccountId,
            /// What is left of it.
            maker_leaves: Quantity,
            /// The incoming order.
            taker: OrderId,
            /// Whose.
            taker_session: SessionId,
            /// The client's name of it.
            taker_user_ref: UserRef,
            /// Its firm.
            taker_firm: FirmId,
            /// Its account.
            taker_account: AccountId,
            /// What is left of it.
            taker_leaves: Quantity,
            /// The resting order was not on the feed.
            maker_hidden: bool,
            /// Both orders were resting and traded in an uncross: the buy order stands here as the incoming one.
            cross: bool,
            /// The reference of the incoming order on the feed in an uncross; zero where the feed did not know it.
            taker_public_ref: PublicRef,
            /// What the resting order pays.
            maker_fee: Money,
            /// What the incoming order pays.
            taker_fee: Money,
        }
        /// A new order was refused. Its user reference is consumed, except for `UnknownSession`, `SessionNotUp`,
        /// `UserRefJump`, and where the door itself refused ([`Refuse`](crate::command::Refuse)).
        Rejected = 1026 {
            /// Whose.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// The client's name of it.
            user_ref: UserRef,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// Why.
            reason: RejectReason,
            /// At which price.
            price: Price,
            /// How much.
            quantity: Quantity,
        } + /// The client's id bytes.
            client_id
        /// A reduce, cancel or replace was refused; the order, if there is one, stands as it did.
        ChangeRejected = 1027 {
            /// Whose.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// Which order was meant.
            target: Target,
            /// The new reference that a replace gave, or zero. Consumed as in [`Rejected`].
            user_ref: UserRef,
            /// Whether a replace was refused (FIX 434 = 2) and not a cancel or reduce.
            replace: bool,
            /// Why.
            reason: RejectReason,
        } + /// The client's id bytes of the request.
            client_id
        /// A carried order stands again at the start of a day; its queue position is unchanged.
        Restated = 1028 {
            /// Whose.
            session: SessionId,
            /// The client's name of it on the day it came; today only the order id names it.
            user_ref: UserRef,
            /// The venue's name of it.
            order_id: OrderId,
            /// Its reference on the feed, as before.
            public_ref: PublicRef,
            /// Its firm.
            firm: FirmId,
            /// Its account.
            account: AccountId,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// At which price.
            price: Price,
            /// What is open.
            leaves: Quantity,
            /// Executed so far.
            executed: Quantity,
            /// The firm's name on the feed; blank without attribution.
            mpid: Mpid,
            /// How much of what is open the feed sees.
            shown: Quantity,
        }
        /// What the order of the [`Accepted`], [`Replaced`] or [`Restated`] before it asks for beyond a basic order.
        Instructed = 1029 {
            /// Whose.
            session: SessionId,
            /// The client's name of it.
            user_ref: UserRef,
            /// The venue's name of it.
            order_id: OrderId,
            /// What.
            instrument: InstrumentId,
            /// What it asks for.
            instructions: Instructions,
        }
        /// A stop order became live: a limit or market order from here on. Comes before its executions.
        Triggered = 1030 {
            /// Whose.
            session: SessionId,
            /// The client's name of it.
            user_ref: UserRef,
            /// The venue's name of it.
            order_id: OrderId,
            /// Its reference on the feed from here on, if it comes to rest there.
            public_ref: PublicRef,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// What it is now.
            kind: OrderKind,
            /// At which price; zero for a market order.
            price: Price,
            /// How much is open.
            quantity: Quantity,
        }
        /// A mass cancel was carried out. Comes before the cancels that it causes.
        MassCancelled = 1031 {
            /// Who asked.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// How many orders go.
            cancelled: u32,
        } + /// The client's id bytes of the request.
            client_id
        /// A mass cancel was refused.
        MassCancelRejected = 1032 {
            /// Who asked.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// Why.
            reason: RejectReason,
        } + /// The client's id bytes of the request.
            client_id
        /// The orders of a call have traded at one price. Comes behind the executions.
        Uncrossed = 1033 {
            /// Which instrument.
            instrument: InstrumentId,
            /// Which phase it ended.
            phase: Phase,
            /// The trade number of the uncross as a whole; zero where nothing traded.
            trade: TradeId,
            /// At which price; zero where nothing traded.
            price: Price,
            /// How much.
            volume: Quantity,
        }
        /// The official opening or closing price of the day.
        OfficialPrice = 1034 {
            /// Of which instrument.
            instrument: InstrumentId,
            /// Closing, not opening.
            closing: bool,
            /// The price.
            price: Price,
        }
        /// An instrument has these price bounds from here on.
        BandsSet = 1035 {
            /// Which.
            instrument: InstrumentId,
            /// The version of its rules.
            version: u32,
            /// The bounds.
            bands: Bands,
        }
        /// The limit bands of an instrument in continuous trading, where they have changed. Comes before the cancels of the
        /// orders beyond.
        PriceBands = 1036 {
            /// Which instrument.
            instrument: InstrumentId,
            /// Around which price they lie.
            reference: Price,
            /// The lowest price.
            low: Price,
            /// The highest price.
            high: Price,
        }
        /// A limit state began, or ended because no order stands at that band any more. One that trading has outlasted ends
        /// with the change of phase.
        LimitStateChanged = 1037 {
            /// Which instrument.
            instrument: InstrumentId,
            /// Buy: bids at the upper band. Sell: offers at the lower one.
            side: Side,
            /// Began.
            entered: bool,
        }
        /// The whole market is halted at this level, or goes on.
        CircuitBroken = 1038 {
            /// The level.
            level: BreakerLevel,
        }
        /// An instrument has these fees from here on.
        FeesSet = 1039 {
            /// Which.
            instrument: InstrumentId,
            /// The version of its rules.
            version: u32,
            /// The fees.
            fees: Fees,
        }
        /// An instrument has this allocation from here on.
        AllocationSet = 1040 {
            /// Which.
            instrument: InstrumentId,
            /// The version of its rules.
            version: u32,
            /// The allocation.
            allocation: Allocation,
        }
        /// A trade is undone: its money and its fees go back (ITCH B, OUCH B, FIX 150 = H).
        TradeBusted = 1041 {
            /// On which instrument.
            instrument: InstrumentId,
            /// The trade.
            deal: Deal,
        }
        /// A trade is undone and another stands in its place (FIX 150 = G).
        TradeCorrected = 1042 {
            /// On which instrument.
            instrument: InstrumentId,
            /// The trade that is undone.
            deal: Deal,
            /// The number of the one in its place.
            trade: TradeId,
            /// Its price.
            price: Price,
            /// Its quantity.
            quantity: Quantity,
            /// What the resting order pays for it.
            maker_fee: Money,
            /// What the incoming order pays for it.
            taker_fee: Money,
        }
        /// A pegged order has this price from here on, under a reference of its own. Comes before its executions.
        Pegged = 1043 {
            /// Whose.
            session: SessionId,
            /// The client's name of it.
            user_ref: UserRef,
            /// The venue's name of it.
            order_id: OrderId,
            /// Its reference from here on.
            public_ref: PublicRef,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// At which price; zero: there is none to follow, and it stands aside.
            price: Price,
        }
        /// Quotes were taken in. What became of each follows.
        MassQuoted = 1044 {
            /// Whose.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// The client's number of it.
            user_ref: UserRef,
        } + /// The client's id bytes.
            client_id
        /// A side of a quote stands: an order from here on. Comes before its executions, and behind the end of what it
        /// replaces.
        Quoted = 1045 {
            /// Whose.
            session: SessionId,
            /// The client's number of the message.
            user_ref: UserRef,
            /// The venue's name of it.
            order_id: OrderId,
            /// Its reference on the feed, if it comes to rest.
            public_ref: PublicRef,
            /// Its firm.
            firm: FirmId,
            /// Its account.
            account: AccountId,
            /// What.
            instrument: InstrumentId,
            /// Buy or sell.
            side: Side,
            /// At which price.
            price: Price,
            /// How much.
            quantity: Quantity,
            /// The whole quantity rests from here on; otherwise as [`Accepted::rests`].
            rests: bool,
        }
        /// One of the quotes of a message was refused; what was quoted on the instrument before stands.
        QuoteRejected = 1046 {
            /// Whose.
            session: SessionId,
            /// The client's number of the message.
            user_ref: UserRef,
            /// On which instrument.
            instrument: InstrumentId,
            /// Why.
            reason: RejectReason,
        }
        /// A message of quotes, or their cancel, was refused as a whole.
        MassQuoteRejected = 1047 {
            /// Whose.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// The client's number of it; zero for a cancel. Consumed as in [`Rejected`].
            user_ref: UserRef,
            /// Why.
            reason: RejectReason,
        } + /// The client's id bytes.
            client_id
        /// A session's quotes were taken off. Comes before the cancels that it causes.
        QuotesCancelled = 1048 {
            /// Whose.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// How many sides go.
            cancelled: u32,
        } + /// The client's id bytes of the request.
            client_id
        /// A session has this market-maker protection from here on.
        ProtectionSet = 1049 {
            /// Which.
            session: SessionId,
            /// The limits.
            limits: QuoteLimits,
        }
        /// A session's quotes on an instrument have reached a limit of its protection. Comes before the cancels that it
        /// causes.
        ProtectionTripped = 1050 {
            /// Whose.
            session: SessionId,
            /// On which instrument.
            instrument: InstrumentId,
            /// How much they bought within the window.
            bought: Quantity,
            /// How much they sold.
            sold: Quantity,
            /// In how many trades.
            count: u32,
        }
        /// A session may quote again where its protection had tripped.
        ProtectionReset = 1051 {
            /// Whose.
            session: SessionId,
            /// By which connection.
            incarnation: Incarnation,
            /// Under which inbound message.
            inbound: MsgSeqNum,
            /// On which instrument.
            instrument: InstrumentId,
        }
    }
}
