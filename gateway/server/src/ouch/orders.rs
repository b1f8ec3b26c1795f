//! From an OUCH message to the command it comes to (OUCH 5.0, section 2).
//!
//! What OUCH knows and this exchange does not offer is refused through the stream, so that its answer can be sent again. A
//! price or quantity that no instrument can have is passed on as one that none has: the engine then decides as for any
//! other bad value, which for a replace means that the original is cancelled.

use rialto_model::command::{Enter, EnterSpecial, Reduce, Refuse, Replace, ReplaceSpecial, SessionNote};
use rialto_model::limits::QUANTITY_MAX;
use rialto_model::{
    AccountId, AuctionOnly, Command, FirmId, Handling, Incarnation, Instructions, InstrumentId, MsgSeqNum, OrderKind,
    Part, Policy, Price, PriceScale, Quantity, RejectReason, SessionId, ShortSale, Symbol, Target, Text, TimeInForce,
    UserRef,
};
use rialto_ouch::TextError;
use rialto_ouch::messages as ouch;
use rialto_ouch::messages::{
    AccountQuery, Addressee, Appendage, CustomerType, DecodeError, Display, EnterOrder, Firm, HandleInst, Inbound,
    InterMarketSweep, ModifyOrder, Options, PostOnly, PriceType, ReplaceOrder, Route, TradeNow,
};

use super::account::References;
use super::codes::{capacity_in, side_in};
use crate::directory::Directory;

/// The meanings of OUCH 5.0: sections 2.2 to 2.4.
const POLICY: Policy = Policy::DEAD_ORDER_SILENT
    .with(Policy::INVALID_REPLACE_CANCELS)
    .with(Policy::QUANTITY_COUNTS_EXECUTED);

/// More than any instrument takes.
const BEYOND_EVERY_QUANTITY: Quantity = Quantity(QUANTITY_MAX + 1);
/// A price that no instrument takes.
const NO_PRICE: Price = Price(0);

/// The unit of an OUCH price: four decimals are implied.
const PRICE_SCALE: PriceScale = PriceScale(4);

/// Whose message it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    pub(super) session: SessionId,
    pub(super) incarnation: Incarnation,
    /// The bits that its settings add.
    pub(super) policy: Policy,
    /// Its firm, which an order may name.
    pub(super) firm: FirmId,
}

/// What a message comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inward {
    /// This command.
    Command(Command),
    /// Nothing: it is a resend of what was refused.
    Resent,
    /// The connection is to be closed: this is no OUCH.
    Broken(DecodeError),
}

/// Not offered here.
struct NotOffered;

/// Reads one message, whose new reference is `addressee`'s.
pub(super) fn read(
    bytes: &[u8],
    addressee: Option<Addressee>,
    sender: &Sender,
    directory: &Directory,
    references: &mut References,
) -> Inward {
    let command = match Inbound::decode(bytes) {
        Ok(Inbound::EnterOrder(order)) => enter(&order, sender, directory),
        Ok(Inbound::ReplaceOrder(order)) => {
            let special = references.is_special(UserRef(order.orig_user_ref.0));
            replace(&order, sender, directory, special)
        }
        Ok(Inbound::CancelOrder(order)) => Ok(reduce(sender, order.user_ref, order.quantity, None)),
        Ok(Inbound::ModifyOrder(order)) => Ok(modify(&order, sender)),
        Ok(Inbound::AccountQuery(_)) => Ok(Command::SessionNote(SessionNote {
            session: sender.session,
            incarnation: sender.incarnation,
            inbound: MsgSeqNum(0),
            what: AccountQuery::TYPE,
        })),
        Err(error) if is_bad_value(&error) && addressee.is_some() => Err(NotOffered),
        Err(error) => return Inward::Broken(error),
    };
    let new_reference = match addressee {
        Some(addressee) => addressee,
        // A cancel, modify or query names nothing new.
        None => return command.map_or(Inward::Resent, Inward::Command),
    };
    let user_ref = UserRef(new_reference.user_ref.0);
    if references.is_resent(user_ref) {
        return Inward::Resent;
    }
    if matches!(command, Ok(Command::EnterSpecial(_) | Command::ReplaceSpecial(_))) {
        references.note_special(user_ref);
    }
    Inward::Command(command.unwrap_or_else(|NotOffered| {
        let jump = references.is_jump(user_ref);
        if !jump {
            references.refuse(user_ref);
        }
        Command::Refuse(Refuse {
            session: sender.session,
            incarnation: sender.incarnation,
            user_ref,
            reason: if jump {
                RejectReason::UserRefJump
            } else {
                RejectReason::NotSupported
            },
            client_id: text(new_reference.cl_ord_id),
            ..Refuse::default()
        })
    }))
}

/// Whether the message has its shape, and only a value in it is unknown.
fn is_bad_value(error: &DecodeError) -> bool {
    matches!(
        error,
        DecodeError::UnknownValue { .. } | DecodeError::Text(TextError::NotPrintable { .. })
    )
}

fn enter(order: &EnterOrder<'_>, sender: &Sender, directory: &Directory) -> Result<Command, NotOffered> {
    let auction = match order.cross_type {
        ouch::CrossType::Continuous => AuctionOnly::Any,
        ouch::CrossType::Opening => AuctionOnly::Opening,
        ouch::CrossType::Closing => AuctionOnly::Closing,
        _ => return Err(NotOffered),
    };
    let options = options(order.appendage, EnterOrder::OPTIONS)?;
    let terms = Terms {
        tif: order.time_in_force,
        display: order.display,
        sweep: order.inter_market_sweep,
        quantity: order.quantity,
        options: options.as_ref().unwrap_or(&Options::NONE),
        more: options.is_some(),
    };
    let mut offered = terms.offered(sender, directory)?;
    offered.instructions.auction = auction;
    let (side, short) = side_in(order.side);
    let plain = Enter {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: MsgSeqNum(0),
        user_ref: UserRef(order.user_ref.0),
        account: AccountId(0),
        instrument: instrument(order.symbol, directory),
        side,
        kind: kind(order.price),
        tif: offered.tif,
        short,
        capacity: capacity_in(order.capacity),
        policy: offered.policy,
        price: price(order.price),
        quantity: quantity(order.quantity),
        client_id: text(order.cl_ord_id),
    };
    Ok(if offered.instructions.is_none() {
        plain.into()
    } else {
        EnterSpecial {
            instructions: offered.instructions,
            ..EnterSpecial::plain(&plain)
        }
        .into()
    })
}

/// A replace states all options anew. `special`: the order that it replaces had some.
fn replace(
    order: &ReplaceOrder<'_>,
    sender: &Sender,
    directory: &Directory,
    special: bool,
) -> Result<Command, NotOffered> {
    let options = options(order.appendage, ReplaceOrder::OPTIONS)?;
    let terms = Terms {
        tif: order.time_in_force,
        display: order.display,
        sweep: order.inter_market_sweep,
        quantity: order.quantity,
        options: options.as_ref().unwrap_or(&Options::NONE),
        more: options.is_some(),
    };
    let offered = terms.offered(sender, directory)?;
    let plain = Replace {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: MsgSeqNum(0),
        target: target(order.orig_user_ref),
        user_ref: UserRef(order.user_ref.0),
        kind: kind(order.price),
        tif: offered.tif,
        policy: offered.policy,
        price: price(order.price),
        quantity: quantity(order.quantity),
        client_id: text(order.cl_ord_id),
    };
    Ok(if special || !offered.instructions.is_none() {
        ReplaceSpecial::plain(&plain, offered.instructions).into()
    } else {
        plain.into()
    })
}

fn modify(order: &ModifyOrder, sender: &Sender) -> Command {
    let (_, short) = side_in(order.side);
    reduce(sender, order.user_ref, order.quantity, Some(short))
}

fn reduce(sender: &Sender, user_ref: ouch::UserRefNum, total: ouch::Quantity, remark: Option<ShortSale>) -> Command {
    Command::Reduce(Reduce {
        session: sender.session,
        incarnation: sender.incarnation,
        inbound: MsgSeqNum(0),
        target: target(user_ref),
        short: remark.unwrap_or_default(),
        remark: remark.is_some(),
        policy: POLICY,
        quantity: Quantity(u64::from(total.0)),
        client_id: Text::EMPTY,
    })
}

/// What an order and its replacement have in common.
struct Terms<'a> {
    tif: ouch::TimeInForce,
    display: Display,
    sweep: InterMarketSweep,
    quantity: ouch::Quantity,
    options: &'a Options,
    /// There are options.
    more: bool,
}

/// The options of a message that may have those of these tags; most messages have none.
fn options(appendage: Appendage<'_>, tags: &[u8]) -> Result<Option<Options>, NotOffered> {
    if appendage.is_empty() {
        return Ok(None);
    }
    let options = appendage.options().map_err(|_| NotOffered)?;
    match options.outside(tags) {
        None => Ok(Some(options)),
        Some(_) => Err(NotOffered),
    }
}

struct Offered {
    tif: TimeInForce,
    policy: Policy,
    instructions: Instructions,
}

impl Terms<'_> {
    /// What of it this exchange does.
    fn offered(&self, sender: &Sender, directory: &Directory) -> Result<Offered, NotOffered> {
        let asks_for_more = || self.more && asks_for_more(self.options, sender.firm, directory);
        if self.sweep == InterMarketSweep::Eligible || asks_for_more() {
            return Err(NotOffered);
        }
        let minimum = self.options.min_quantity.unwrap_or(ouch::Quantity(0));
        let (tif, minimum) = match (self.tif, minimum) {
            (ouch::TimeInForce::ImmediateOrCancel, all) if all == self.quantity && all.0 > 0 => {
                (TimeInForce::FillOrKill, ouch::Quantity(0))
            }
            (ouch::TimeInForce::Day, minimum) => (TimeInForce::Day, minimum),
            (ouch::TimeInForce::ImmediateOrCancel, minimum) => (TimeInForce::ImmediateOrCancel, minimum),
            _ => return Err(NotOffered),
        };
        let mut handling = Handling::NONE;
        if self.options.post_only == Some(PostOnly::PostOnly) {
            handling = handling.with(Handling::POST_ONLY);
        }
        let shown = match self.display {
            Display::Visible => Policy::NONE,
            Display::Attributable => Policy::ATTRIBUTED,
            Display::Hidden => {
                handling = handling.with(Handling::HIDDEN);
                Policy::NONE
            }
        };
        let peg = match self.options.price_type {
            Some(PriceType::PrimaryPeg) => Handling::PEG_PRIMARY,
            Some(PriceType::MidpointPeg) => Handling::PEG_MIDPOINT,
            _ => Handling::NONE,
        };
        // A peg is hidden here, so whoever wants to see it displayed is not understood differently.
        if peg != Handling::NONE && self.display != Display::Hidden {
            return Err(NotOffered);
        }
        Ok(Offered {
            tif,
            policy: POLICY.with(sender.policy).with(shown),
            instructions: Instructions {
                handling: handling.with(peg),
                display: Part(self.options.max_floor.unwrap_or(ouch::Quantity(0)).0),
                minimum: Part(minimum.0),
                group: self.options.group_id.unwrap_or(ouch::GroupId(0)).0,
                ..Instructions::NONE
            },
        })
    }
}

/// Whether an option asks for what this exchange does not do. Those that it does are looked at where the order's terms are.
fn asks_for_more(options: &Options, firm: FirmId, directory: &Directory) -> bool {
    let unset = |quantity: Option<ouch::Quantity>| quantity.is_none_or(|quantity| quantity.0 == 0);
    let own_firm = |named: Firm| named == Firm::BLANK || named.to_wire() == directory.mpid(firm).0;
    !(options.firm.is_none_or(own_firm)
        && options
            .customer_type
            .is_none_or(|kind| kind != CustomerType::RetailDesignated)
        && matches!(
            options.price_type,
            None | Some(PriceType::Limit | PriceType::PrimaryPeg | PriceType::MidpointPeg)
        )
        && options.peg_offset.is_none_or(|offset| offset.0 == 0)
        && options.discretion_price.is_none_or(|price| price.0 == 0)
        && options.discretion_price_type.is_none()
        && options.discretion_peg_offset.is_none_or(|offset| offset.0 == 0)
        && unset(options.random_reserves)
        && options.route.is_none_or(|route| route == Route::BLANK)
        && options.expire_time.is_none()
        && options.trade_now.is_none_or(|trade_now| trade_now != TradeNow::Yes)
        && options
            .handle_inst
            .is_none_or(|instruction| instruction == HandleInst::NoInstruction))
}

/// The instrument of a symbol; 0, which the engine does not know, where it is not offered at this door. A replacement names
/// no symbol, so the unit of its price cannot depend on the instrument: all those offered have OUCH's own unit.
fn instrument(symbol: ouch::Symbol, directory: &Directory) -> InstrumentId {
    match directory.by_symbol(Symbol(symbol.to_wire())) {
        Some((id, instrument)) if instrument.scale == PRICE_SCALE => id,
        _ => InstrumentId(0),
    }
}

const fn kind(price: ouch::Price) -> OrderKind {
    if price.is_market() {
        OrderKind::Market
    } else {
        OrderKind::Limit
    }
}

/// A price above OUCH's highest is no price, whatever the instrument would take.
fn price(given: ouch::Price) -> Price {
    if given.is_limit() {
        i64::try_from(given.0).map_or(NO_PRICE, Price)
    } else {
        // A market order has the price 0 as well.
        NO_PRICE
    }
}

fn quantity(given: ouch::Quantity) -> Quantity {
    if given.0 > ouch::Quantity::MAX.0 {
        BEYOND_EVERY_QUANTITY
    } else {
        Quantity(u64::from(given.0))
    }
}

fn target(user_ref: ouch::UserRefNum) -> Target {
    Target::UserRef(UserRef(user_ref.0))
}

pub(super) fn text(cl_ord_id: ouch::ClOrdId) -> Text {
    Text::new(cl_ord_id.as_bytes()).unwrap_or(Text::EMPTY)
}
