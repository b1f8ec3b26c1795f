//! From an application message to the command it comes to (FIX 4.4, volume 4: D, F, G, q; quotes: [`quotes`]).
//!
//! A new order that cannot be one is refused through the stream, so that its answer can be sent again. A cancel or replace
//! that cannot be understood gets a BusinessMessageReject: FIX has no place in an OrderCancelReject for what is wrong with
//! the request itself.

use rialto_fix::message::Message;
use rialto_fix::session::BusinessRejectReason;
use rialto_fix::{MsgType, Tag, tags};
use rialto_model::command::{Cancel, Enter, EnterSpecial, MassCancel, Refuse, Replace, ReplaceSpecial};
use rialto_model::{
    AccountId, Command, FirmId, Incarnation, InstrumentId, MsgSeqNum, Policy, PriceScale, RejectReason, SessionId,
    Side, SideFilter, Symbol, Target, Text, UserRef,
};

use super::codes::{capacity_in, side_in};
use super::connection::Pending;
use super::market::Subscription;
use super::names::Names;
use super::order_table::OrderTable;
use super::quotes::{self, Quoting};
use super::requests;
use super::terms::{self, Fault, NOT_SUPPORTED, Terms};
use crate::directory::Directory;

/// The plain reading of FIX: OrderQty(38) is the total, and a change that only lowers it keeps its place.
const POLICY: Policy = Policy::KEEP_PRIORITY_ON_REDUCE.with(Policy::QUANTITY_COUNTS_EXECUTED);

/// Tags that only this door reads.
const ORDER_CAPACITY: Tag = Tag(528);
const RULE_80A: Tag = Tag(47);

/// Whose message it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    pub(super) session: SessionId,
    pub(super) incarnation: Incarnation,
    /// The bits that its settings add.
    pub(super) policy: Policy,
    /// The message's own number.
    pub(super) inbound: MsgSeqNum,
}

/// What a message comes to.
#[derive(Debug)]
pub(super) enum Inward {
    /// This command.
    Command(Command),
    /// These, in this order: they are one message.
    Commands(Vec<Command>),
    /// Nothing: it was sent before, and says so.
    Known,
    /// A BusinessMessageReject.
    Refused(BusinessRejectReason, String),
    /// These answers, each under a number of its own.
    Answers(Vec<Pending>),
    /// Market data from here on.
    Subscribe(Box<Subscription>),
    /// No more of it.
    Unsubscribe(Vec<u8>),
    /// The state of an instrument from here on.
    Watch { request: Vec<u8>, instrument: InstrumentId },
}

/// What the messages are read against.
pub(super) struct Context<'a> {
    pub(super) directory: &'a Directory,
    pub(super) names: &'a mut Names,
    pub(super) quoting: &'a mut Quoting,
    pub(super) orders: &'a OrderTable,
}

/// Reads one message.
pub(super) fn read(message: &Message<'_>, sender: &Sender, context: &mut Context<'_>) -> Inward {
    let read = match message.msg_type() {
        MsgType::NEW_ORDER_SINGLE => enter,
        MsgType::ORDER_CANCEL_REQUEST => cancel,
        MsgType::ORDER_CANCEL_REPLACE_REQUEST => replace,
        MsgType::ORDER_MASS_CANCEL_REQUEST => mass_cancel,
        MsgType::MASS_QUOTE => return quotes::mass_quote(message, sender, context),
        MsgType::QUOTE_CANCEL => return quotes::cancel(message, sender, context),
        _ => return requests::read(message, sender.session, context),
    };
    let Some(given) = message.get(tags::CL_ORD_ID) else {
        return missing(tags::CL_ORD_ID);
    };
    let Some(client_id) = Text::new(given) else {
        return other("ClOrdID(11) is too long: use at most 39 characters");
    };
    if message.is_set(tags::POSS_RESEND) && context.names.is_used(client_id) {
        return Inward::Known;
    }
    read(message, client_id, sender, context)
}

fn enter(message: &Message<'_>, client_id: Text, sender: &Sender, context: &mut Context<'_>) -> Inward {
    let (instrument, scale) = instrument(message, context.directory);
    let sides = message.character(tags::SIDE).ok().and_then(side_in);
    let mut refusal = Refuse {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: sender.inbound,
        user_ref: UserRef(0),
        instrument,
        side: sides.map_or(Side::Buy, |(side, _)| side),
        price: terms::price(message, tags::PRICE, scale).unwrap_or_default(),
        quantity: terms::quantity(message).unwrap_or_default(),
        reason: RejectReason::NotSupported,
        client_id,
    };
    if context.names.is_used(client_id) {
        refusal.reason = RejectReason::DuplicateClientId;
        return Inward::Command(refusal.into());
    }
    if context.names.is_full() {
        refusal.reason = RejectReason::BookFull;
        return Inward::Command(refusal.into());
    }
    let read =
        terms::read(message, scale).and_then(|terms| Ok((terms, sides.ok_or(NOT_SUPPORTED)?, account(message)?)));
    let (terms, (side, short), account) = match read {
        Ok(read) => read,
        Err(Fault::Missing(tag)) => return missing(tag),
        Err(Fault::Reason(reason)) => {
            refusal.reason = reason;
            context.names.request(client_id, false);
            return Inward::Command(refusal.into());
        }
    };
    let special = !terms.instructions.is_none();
    let order = Enter {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: sender.inbound,
        user_ref: context.names.number(client_id, instrument, special),
        account,
        instrument,
        side,
        kind: terms.kind,
        tif: terms.tif,
        short,
        capacity: capacity_in(message.character(ORDER_CAPACITY).or(message.character(RULE_80A)).ok()),
        policy: policy(sender, &terms),
        price: terms.price,
        quantity: terms.quantity,
        client_id,
    };
    Inward::Command(if special {
        let instructions = terms.instructions;
        let plain = EnterSpecial::plain(&order);
        EnterSpecial { instructions, ..plain }.into()
    } else {
        order.into()
    })
}

/// The door's meanings, the session's settings, and what the order says of them itself.
fn policy(sender: &Sender, terms: &Terms) -> Policy {
    let goes_with_session = terms
        .cancel_on_disconnect
        .unwrap_or_else(|| sender.policy.has(Policy::CANCEL_ON_DISCONNECT));
    if goes_with_session {
        POLICY.with(Policy::CANCEL_ON_DISCONNECT)
    } else {
        POLICY
    }
}

fn cancel(message: &Message<'_>, client_id: Text, sender: &Sender, context: &mut Context<'_>) -> Inward {
    if context.names.is_full() {
        return other("CLIENT_IDS_MAX ClOrdIDs were used today: no more can be told apart");
    }
    let target = target(message, client_id, context);
    context.names.request(client_id, false);
    Inward::Command(Command::Cancel(Cancel {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: sender.inbound,
        target,
        policy: POLICY,
        client_id,
    }))
}

fn replace(message: &Message<'_>, client_id: Text, sender: &Sender, context: &mut Context<'_>) -> Inward {
    if context.names.is_full() {
        return other("CLIENT_IDS_MAX ClOrdIDs were used today: no more can be told apart");
    }
    let target = target(message, client_id, context);
    // The order's own instrument says what its price means; what the message says must be the same.
    let (said, said_scale) = instrument(message, context.directory);
    let (instrument, scale) = match meant(target, context) {
        Some(instrument) if message.get(tags::SYMBOL).is_some() && instrument != said => {
            return other("Symbol(55) is not that of the order: an order keeps its instrument");
        }
        Some(instrument) => (instrument, scale_of(instrument, context.directory)),
        None => (said, said_scale),
    };
    let terms = match terms::read(message, scale) {
        Ok(terms) => terms,
        Err(Fault::Missing(tag)) => return missing(tag),
        Err(Fault::Reason(reason)) => return other(reason.text()),
    };
    // Without instructions, an order that had some is told so; one that never had any is spared the larger record.
    let special = !terms.instructions.is_none() || was_special(target, context);
    // A name that was used before is answered as an unknown order's: the target is none.
    let user_ref = if context.names.is_used(client_id) {
        UserRef(0)
    } else {
        context.names.number(client_id, instrument, special)
    };
    let mut policy = policy(sender, &terms);
    if terms.quantity_is_open {
        policy = Policy(policy.0 & !Policy::QUANTITY_COUNTS_EXECUTED.0);
    }
    let order = Replace {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: sender.inbound,
        target,
        user_ref,
        kind: terms.kind,
        tif: terms.tif,
        policy,
        price: terms.price,
        quantity: terms.quantity,
        client_id,
    };
    Inward::Command(if special {
        ReplaceSpecial::plain(&order, terms.instructions).into()
    } else {
        order.into()
    })
}

/// OrderMassCancelRequest: of an instrument (530 = 1) or of all (530 = 7), on one side or both, of this session or, with
/// 5002 = Y, of every session of the firm.
fn mass_cancel(message: &Message<'_>, client_id: Text, sender: &Sender, context: &mut Context<'_>) -> Inward {
    if context.names.is_used(client_id) {
        return other("ClOrdID(11) was used before today: use a fresh one");
    }
    if context.names.is_full() {
        return other("CLIENT_IDS_MAX ClOrdIDs were used today: no more can be told apart");
    }
    let (asked, instrument) = match message.character(MASS_CANCEL_REQUEST_TYPE) {
        Ok(asked @ b'1') => match instrument(message, context.directory).0 {
            InstrumentId(0) => {
                let text = "Symbol(55) is no instrument of this exchange: see the security list".to_owned();
                return Inward::Refused(BusinessRejectReason::UnknownSecurity, text);
            }
            instrument => (asked, instrument),
        },
        Ok(asked @ b'7') => (asked, InstrumentId(0)),
        _ => return other("MassCancelRequestType(530) is not offered: use 1 (an instrument) or 7 (all orders)"),
    };
    let side = match message.character(tags::SIDE) {
        Err(_) => SideFilter::Both,
        Ok(side) => match side_in(side) {
            Some((Side::Buy, _)) => SideFilter::Buy,
            Some((Side::Sell, _)) => SideFilter::Sell,
            None => return other("Side(54) is not offered: use 1, 2, 5 or 6, or leave it out"),
        },
    };
    context.names.request(client_id, false);
    context.names.asked_mass_cancel(client_id, asked);
    Inward::Command(Command::MassCancel(MassCancel {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: sender.inbound,
        whole_firm: message.is_set(WHOLE_FIRM),
        firm: FirmId(0),
        account: AccountId(0),
        instrument,
        side,
        client_id,
    }))
}

const MASS_CANCEL_REQUEST_TYPE: Tag = Tag(530);
/// Of our own, from the range that FIX leaves to its users.
const WHOLE_FIRM: Tag = Tag(5002);

/// Whether the order that is meant has instructions, as far as is known here.
fn was_special(target: Target, context: &Context<'_>) -> bool {
    let order_id = match target {
        Target::OrderId(order_id) => Some(order_id),
        Target::UserRef(user_ref) => match context.names.reference(user_ref) {
            Some(reference) if reference.special => return true,
            reference => reference.and_then(|reference| reference.order_id),
        },
    };
    let order = order_id.and_then(|order_id| context.orders.get(&order_id));
    order.is_some_and(|order| !order.instructions.is_none())
}

/// The order that a request means. A request whose own name was used before means none, so that it is refused.
fn target(message: &Message<'_>, client_id: Text, context: &Context<'_>) -> Target {
    let orig = message.get(tags::ORIG_CL_ORD_ID).and_then(Text::new);
    match orig {
        Some(orig) if !context.names.is_used(client_id) => context.names.target(orig),
        _ => Target::UserRef(UserRef(0)),
    }
}

/// The instrument of the order that is meant, where it is known here.
fn meant(target: Target, context: &Context<'_>) -> Option<InstrumentId> {
    match target {
        Target::UserRef(user_ref) => context.names.reference(user_ref).map(|reference| reference.instrument),
        Target::OrderId(order_id) => context.orders.get(&order_id).map(|order| order.instrument),
    }
}

/// Account(1) is the exchange's number of one of the firm's accounts; absent, it is the session's.
fn account(message: &Message<'_>) -> Result<AccountId, Fault> {
    match message.get(tags::ACCOUNT) {
        None => Ok(AccountId(0)),
        Some(given) => rialto_fix::message::parse_unsigned(given)
            .and_then(|account| u32::try_from(account).ok())
            .filter(|account| *account != 0)
            .map(AccountId)
            .ok_or(Fault::Reason(RejectReason::UnknownAccount)),
    }
}

/// The instrument of Symbol(55), or of SecurityID(48) where that is our symbol (22 = 8), and its unit; instrument 0, which
/// the engine does not know, where there is none.
pub(super) fn instrument(message: &Message<'_>, directory: &Directory) -> (InstrumentId, PriceScale) {
    let by_id = || {
        message
            .get(tags::SECURITY_ID)
            .filter(|_| message.get(tags::SECURITY_ID_SOURCE) == Some(b"8"))
    };
    message
        .get(tags::SYMBOL)
        .filter(|symbol| *symbol != b"[N/A]")
        .or_else(by_id)
        .and_then(|symbol| named(symbol, directory))
        .unwrap_or((InstrumentId(0), PriceScale::DEFAULT))
}

/// The instrument of a symbol.
pub(super) fn named(symbol: &[u8], directory: &Directory) -> Option<(InstrumentId, PriceScale)> {
    let symbol = Symbol::new(core::str::from_utf8(symbol).ok()?)?;
    let (id, listed) = directory.by_symbol(symbol)?;
    Some((id, listed.scale))
}

fn scale_of(instrument: InstrumentId, directory: &Directory) -> PriceScale {
    directory
        .instrument(instrument)
        .map_or(PriceScale::DEFAULT, |listed| listed.scale)
}

pub(super) fn missing(tag: Tag) -> Inward {
    let text = format!("tag {tag} is missing: this message needs it");
    Inward::Refused(BusinessRejectReason::ConditionallyRequiredFieldMissing, text)
}

pub(super) fn other(text: &str) -> Inward {
    Inward::Refused(BusinessRejectReason::Other, text.to_owned())
}
