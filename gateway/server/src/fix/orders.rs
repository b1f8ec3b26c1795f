//! From an application message to the command it comes to (FIX 4.4, volume 4: D, F, G).
//!
//! A new order that cannot be one is refused through the stream, so that its answer can be sent again. A cancel or replace
//! that cannot be understood gets a BusinessMessageReject: FIX has no place in an OrderCancelReject for what is wrong with
//! the request itself.

use rialto_fix::message::{DecimalError, Message, parse_decimal};
use rialto_fix::session::BusinessRejectReason;
use rialto_fix::{MsgType, Tag, tags};
use rialto_model::command::{Cancel, Enter, Refuse, Replace};
use rialto_model::{
    AccountId, Command, Incarnation, InstrumentId, MsgSeqNum, OrderKind, Policy, Price, PriceScale, Quantity,
    RejectReason, SessionId, Side, Symbol, Target, Text, TimeInForce, UserRef,
};

use super::codes::{capacity_in, kind_in, side_in, tif_in};
use super::names::Names;
use super::order_table::OrderTable;
use crate::directory::Directory;

/// The plain reading of FIX: OrderQty(38) is the total, and a change that only lowers it keeps its place.
const POLICY: Policy = Policy::KEEP_PRIORITY_ON_REDUCE.with(Policy::QUANTITY_COUNTS_EXECUTED);

/// Tags that only this door reads.
const ORDER_CAPACITY: Tag = Tag(528);
const MAX_SHOW: Tag = Tag(210);
const PEG_OFFSET_VALUE: Tag = Tag(211);
const DISCRETION_INST: Tag = Tag(388);

/// Instructions that this exchange does not follow: an order that carries one is refused and never half understood.
const NOT_OFFERED: [Tag; 8] = [
    tags::EXEC_INST,
    tags::STOP_PX,
    tags::MAX_FLOOR,
    tags::EXPIRE_TIME,
    tags::EXPIRE_DATE,
    MAX_SHOW,
    PEG_OFFSET_VALUE,
    DISCRETION_INST,
];

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
    /// Nothing: it was sent before, and says so.
    Known,
    /// A BusinessMessageReject.
    Refused(BusinessRejectReason, String),
}

/// What is wrong with an order.
enum Fault {
    /// It lacks a field that it needs.
    Missing(Tag),
    /// It cannot be an order here.
    Reason(RejectReason),
}

/// What an order and its replacement have in common.
struct Terms {
    kind: OrderKind,
    tif: TimeInForce,
    price: Price,
    quantity: Quantity,
}

/// What the messages are read against.
pub(super) struct Context<'a> {
    pub(super) directory: &'a Directory,
    pub(super) names: &'a mut Names,
    pub(super) orders: &'a OrderTable,
}

/// Reads one message.
pub(super) fn read(message: &Message<'_>, sender: &Sender, context: &mut Context<'_>) -> Inward {
    let read = match message.msg_type() {
        MsgType::NEW_ORDER_SINGLE => enter,
        MsgType::ORDER_CANCEL_REQUEST => cancel,
        MsgType::ORDER_CANCEL_REPLACE_REQUEST => replace,
        other => {
            let text = format!("message type {other} is not taken here: use D, F or G");
            return Inward::Refused(BusinessRejectReason::UnsupportedMessageType, text);
        }
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
        price: price(message, scale).unwrap_or_default(),
        quantity: quantity(message).unwrap_or_default(),
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
    let read = terms(message, scale).and_then(|terms| Ok((terms, sides.ok_or(NOT_SUPPORTED)?, account(message)?)));
    let (terms, (side, short), account) = match read {
        Ok(read) => read,
        Err(Fault::Missing(tag)) => return missing(tag),
        Err(Fault::Reason(reason)) => {
            refusal.reason = reason;
            context.names.request(client_id, false);
            return Inward::Command(refusal.into());
        }
    };
    Inward::Command(Command::Enter(Enter {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: sender.inbound,
        user_ref: context.names.number(client_id, instrument),
        account,
        instrument,
        side,
        kind: terms.kind,
        tif: terms.tif,
        short,
        capacity: capacity_in(message.character(ORDER_CAPACITY).ok()),
        policy: POLICY.with(sender.policy),
        price: terms.price,
        quantity: terms.quantity,
        client_id,
    }))
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
    let terms = match terms(message, scale) {
        Ok(terms) => terms,
        Err(Fault::Missing(tag)) => return missing(tag),
        Err(Fault::Reason(reason)) => return other(reason.text()),
    };
    // A name that was used before is answered as an unknown order's: the target is none.
    let user_ref = if context.names.is_used(client_id) {
        UserRef(0)
    } else {
        context.names.number(client_id, instrument)
    };
    Inward::Command(Command::Replace(Replace {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: sender.inbound,
        target,
        user_ref,
        kind: terms.kind,
        tif: terms.tif,
        policy: POLICY.with(sender.policy),
        price: terms.price,
        quantity: terms.quantity,
        client_id,
    }))
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

const NOT_SUPPORTED: Fault = Fault::Reason(RejectReason::NotSupported);

fn terms(message: &Message<'_>, scale: PriceScale) -> Result<Terms, Fault> {
    let minimum = message
        .get(tags::MIN_QTY)
        .map_or(Ok(0), |minimum| parse_decimal(minimum, 0));
    if NOT_OFFERED.iter().any(|tag| message.get(*tag).is_some()) || minimum != Ok(0) {
        return Err(NOT_SUPPORTED);
    }
    let kind = kind_in(
        message
            .character(tags::ORD_TYPE)
            .map_err(|_| Fault::Missing(tags::ORD_TYPE))?,
    );
    let tif = match message.get(tags::TIME_IN_FORCE) {
        None => tif_in(None),
        Some(_) => message
            .character(tags::TIME_IN_FORCE)
            .ok()
            .and_then(|tif| tif_in(Some(tif))),
    };
    let (Some(kind), Some(tif)) = (kind, tif) else {
        return Err(NOT_SUPPORTED);
    };
    Ok(Terms {
        kind,
        tif,
        price: match kind {
            OrderKind::Market => Price(0),
            OrderKind::Limit => price(message, scale)?,
        },
        quantity: quantity(message)?,
    })
}

fn price(message: &Message<'_>, scale: PriceScale) -> Result<Price, Fault> {
    let given = message.get(tags::PRICE).ok_or(Fault::Missing(tags::PRICE))?;
    parse_decimal(given, u32::from(scale.0)).map(Price).map_err(|error| {
        Fault::Reason(match error {
            DecimalError::TooManyDecimals { .. } => RejectReason::PriceOffTick,
            DecimalError::Overflow { .. } | DecimalError::Shape => RejectReason::PriceOutOfRange,
        })
    })
}

fn quantity(message: &Message<'_>) -> Result<Quantity, Fault> {
    let given = message.get(tags::ORDER_QTY).ok_or(Fault::Missing(tags::ORDER_QTY))?;
    match parse_decimal(given, 0) {
        // Less than nothing is nothing.
        Ok(quantity) => Ok(Quantity(u64::try_from(quantity).unwrap_or(0))),
        Err(DecimalError::TooManyDecimals { .. } | DecimalError::Shape) => {
            Err(Fault::Reason(RejectReason::QuantityOffLot))
        }
        Err(DecimalError::Overflow { .. }) => Err(Fault::Reason(RejectReason::QuantityTooLarge)),
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

/// The instrument of Symbol(55) and its unit; instrument 0, which the engine does not know, where there is none.
fn instrument(message: &Message<'_>, directory: &Directory) -> (InstrumentId, PriceScale) {
    message
        .get(tags::SYMBOL)
        .and_then(|symbol| core::str::from_utf8(symbol).ok())
        .and_then(Symbol::new)
        .and_then(|symbol| directory.by_symbol(symbol))
        .map_or((InstrumentId(0), PriceScale::DEFAULT), |(id, listed)| {
            (id, listed.scale)
        })
}

fn scale_of(instrument: InstrumentId, directory: &Directory) -> PriceScale {
    directory
        .instrument(instrument)
        .map_or(PriceScale::DEFAULT, |listed| listed.scale)
}

fn missing(tag: Tag) -> Inward {
    let text = format!("tag {tag} is missing: this order needs it");
    Inward::Refused(BusinessRejectReason::ConditionallyRequiredFieldMissing, text)
}

fn other(text: &str) -> Inward {
    Inward::Refused(BusinessRejectReason::Other, text.to_owned())
}
