//! Questions: the status of orders (H, AF), instruments (x, c), their state (e), the day (g), market data (V). Their answers
//! are what the door knows at the moment; each takes its number by a note.

use rialto_fix::message::{FieldWriter, Message};
use rialto_fix::session::BusinessRejectReason;
use rialto_fix::{MsgType, Tag, tags};
use rialto_model::{InstrumentId, SessionId, Symbol, Text};

use super::connection::{MassPart, Pending};
use super::market::{self, Refusal};
use super::orders::{Context, Inward, instrument, missing, other};
use super::reports::write_unknown_status;
use crate::directory::{Directory, Instrument};
use crate::limits::STATUS_REPORTS_MAX;

const SECURITY_REQ_ID: Tag = Tag(320);
const SECURITY_REQUEST_TYPE: Tag = Tag(321);
const SECURITY_RESPONSE_ID: Tag = Tag(322);
const SECURITY_RESPONSE_TYPE: Tag = Tag(323);
const SECURITY_STATUS_REQ_ID: Tag = Tag(324);
const TRAD_SES_REQ_ID: Tag = Tag(335);
const TRADING_SESSION_ID: Tag = Tag(336);
const TRAD_SES_STATUS: Tag = Tag(340);
const NO_RELATED_SYM: Tag = Tag(146);
const SUBSCRIPTION_REQUEST_TYPE: Tag = Tag(263);
const TOT_NO_RELATED_SYM: Tag = Tag(393);
const SECURITY_LIST_REQUEST_TYPE: Tag = Tag(559);
const SECURITY_REQUEST_RESULT: Tag = Tag(560);
const MASS_STATUS_REQ_ID: Tag = Tag(584);
const MASS_STATUS_REQ_TYPE: Tag = Tag(585);
const LAST_FRAGMENT: Tag = Tag(893);
const SECURITY_LIST_FRAGMENT: usize = 100;

/// The one trading session of a day, as 336 names it (5.0 SP2: 1 is the day).
const DAY: &str = "1";

/// Reads a question of this session.
pub(super) fn read(message: &Message<'_>, session: SessionId, context: &Context<'_>) -> Inward {
    match message.msg_type() {
        MsgType::ORDER_STATUS_REQUEST => status(message, session, context),
        MsgType::ORDER_MASS_STATUS_REQUEST => mass_status(message, session, context),
        MsgType::SECURITY_LIST_REQUEST => security_list(message, context.directory),
        MsgType::SECURITY_DEFINITION_REQUEST => definition(message, context.directory),
        MsgType::SECURITY_STATUS_REQUEST => security_status(message, context.directory),
        MsgType::TRADING_SESSION_STATUS_REQUEST => trading_session(message, context.directory),
        MsgType::MARKET_DATA_REQUEST => match market::read(message, context.directory) {
            Ok(market::Asked::Begin(subscription)) => Inward::Subscribe(Box::new(subscription)),
            Ok(market::Asked::End(request)) => Inward::Unsubscribe(request),
            Err(Refusal { reason, text }) => {
                let body = market::write_reject(message.get(market::MD_REQ_ID).unwrap_or_default(), reason, text);
                Inward::Answers(vec![Pending::new(MsgType::MARKET_DATA_REQUEST_REJECT, body)])
            }
        },
        // In the words of the public suites: SPEC.md lists the types that are taken.
        _ => {
            let text = "Unsupported Message Type".to_owned();
            Inward::Refused(BusinessRejectReason::UnsupportedMessageType, text)
        }
    }
}

/// OrderStatusRequest: of the order that ClOrdID(11) or OrderID(37) names.
fn status(message: &Message<'_>, session: SessionId, context: &Context<'_>) -> Inward {
    let client_id = message.get(tags::CL_ORD_ID).unwrap_or_default();
    let by_name = Text::new(client_id).and_then(|name| context.names.order_id(name));
    let by_id = || message.unsigned(tags::ORDER_ID).ok().map(rialto_model::OrderId);
    let order_id = by_name.or_else(by_id);
    let order = order_id
        .and_then(|id| context.orders.get(&id))
        .filter(|order| order.session == session);
    if let Some(order) = order {
        return Inward::Answers(vec![Pending::Status(Box::new(*order), None)]);
    }
    let ended = order_id.and_then(|id| context.names.ending_of(id));
    let mut body = Vec::new();
    write_unknown_status(
        client_id,
        ended,
        None,
        message.character(tags::SIDE).unwrap_or(b'1'),
        message.get(tags::SYMBOL).unwrap_or_default(),
        if ended.is_some() {
            "the order has ended"
        } else {
            "no such order: check ClOrdID and the trading day"
        },
        &mut body,
    );
    Inward::Answers(vec![Pending::new(MsgType::EXECUTION_REPORT, body)])
}

/// OrderMassStatusRequest: every live order of this session (585 = 7), or those on an instrument (585 = 1).
fn mass_status(message: &Message<'_>, session: SessionId, context: &Context<'_>) -> Inward {
    let request = message.get(MASS_STATUS_REQ_ID).unwrap_or_default();
    let wanted = match message.character(MASS_STATUS_REQ_TYPE) {
        Ok(b'7') => None,
        Ok(b'1') => match instrument(message, context.directory).0 {
            InstrumentId(0) => return unknown_security(),
            instrument => Some(instrument),
        },
        _ => return other("MassStatusReqType(585) is not offered: use 1 (an instrument) or 7 (all orders)"),
    };
    let mut orders: Vec<_> = context
        .orders
        .values()
        .filter(|order| order.session == session && wanted.is_none_or(|wanted| wanted == order.instrument))
        .copied()
        .collect();
    if orders.len() > STATUS_REPORTS_MAX {
        return other("more than STATUS_REPORTS_MAX orders: ask for one instrument at a time");
    }
    if orders.is_empty() {
        let mut body = Vec::new();
        write_unknown_status(b"", None, Some(request), b'1', b"", "no live orders", &mut body);
        return Inward::Answers(vec![Pending::new(MsgType::EXECUTION_REPORT, body)]);
    }
    orders.sort_unstable_by_key(|order| order.order_id);
    let of = orders.len() as u64;
    let answers = orders.into_iter().zip(1..).map(|(order, place)| {
        let part = MassPart {
            request: request.to_vec(),
            of,
            last: place == of,
        };
        Pending::Status(Box::new(order), Some(part))
    });
    Inward::Answers(answers.collect())
}

/// SecurityListRequest: one (559 = 0) or all, in fragments.
fn security_list(message: &Message<'_>, directory: &Directory) -> Inward {
    let request = message.get(SECURITY_REQ_ID).unwrap_or_default();
    let listed: Vec<Instrument> = match message.character(SECURITY_LIST_REQUEST_TYPE) {
        Ok(b'0') => directory
            .instrument(instrument(message, directory).0)
            .into_iter()
            .collect(),
        Ok(b'4') => directory.instruments().collect(),
        _ => {
            let body = write_list(request, 1, 0, &[], true);
            return Inward::Answers(vec![Pending::new(MsgType::SECURITY_LIST, body)]);
        }
    };
    if listed.is_empty() {
        let body = write_list(request, 2, 0, &[], true);
        return Inward::Answers(vec![Pending::new(MsgType::SECURITY_LIST, body)]);
    }
    let fragments = listed.len().div_ceil(SECURITY_LIST_FRAGMENT);
    let answers = listed.chunks(SECURITY_LIST_FRAGMENT).zip(1..).map(|(part, place)| {
        let body = write_list(request, 0, listed.len(), part, place == fragments);
        Pending::new(MsgType::SECURITY_LIST, body)
    });
    Inward::Answers(answers.collect())
}

/// A SecurityList. `result` (560): 0 valid, 1 unsupported, 2 nothing found.
fn write_list(request: &[u8], result: u64, of: usize, part: &[Instrument], last: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut body = FieldWriter::new(&mut out);
    if !part.is_empty() {
        body.group(NO_RELATED_SYM, part.len() as u64, |entries| {
            for listed in part {
                entries
                    .text(tags::SYMBOL, listed.symbol.as_str())
                    .text(tags::TEXT, &terms_of(listed));
            }
        });
    }
    body.bytes(SECURITY_REQ_ID, request)
        .bytes(SECURITY_RESPONSE_ID, request);
    if of > 0 {
        body.unsigned(TOT_NO_RELATED_SYM, of as u64);
    }
    body.unsigned(SECURITY_REQUEST_RESULT, result)
        .boolean(LAST_FRAGMENT, last);
    out
}

/// What no tag of all three versions says: tick, lot, bounds.
fn terms_of(listed: &Instrument) -> String {
    let mut text = String::from("tick ");
    let mut decimal = |name: &str, value: i64| {
        let mut digits = Vec::new();
        rialto_fix::message::write_decimal(value, u32::from(listed.scale.0), &mut digits);
        text.push_str(name);
        text.push_str(&String::from_utf8_lossy(&digits));
    };
    decimal("", listed.tick.0);
    decimal(", highest price ", listed.price_max.0);
    text.push_str(&format!(
        ", lot {}, highest quantity {}",
        listed.lot, listed.quantity_max
    ));
    text
}

/// SecurityDefinitionRequest: one instrument (321 = 0 or 1), or all, an answer each (321 = 3).
fn definition(message: &Message<'_>, directory: &Directory) -> Inward {
    let request = message.get(SECURITY_REQ_ID).unwrap_or_default();
    let listed: Vec<Instrument> = match message.character(SECURITY_REQUEST_TYPE) {
        Ok(b'0' | b'1') => directory
            .instrument(instrument(message, directory).0)
            .into_iter()
            .collect(),
        Ok(b'3') => directory.instruments().collect(),
        _ => return other("SecurityRequestType(321) is not offered: use 0 or 1 (an instrument) or 3 (all)"),
    };
    if listed.len() > STATUS_REPORTS_MAX {
        return other("more than STATUS_REPORTS_MAX instruments: ask for the security list");
    }
    if listed.is_empty() {
        let symbol = message.get(tags::SYMBOL).unwrap_or_default();
        let body = write_definition(request, b'6', 0, symbol, "no such instrument: see the security list");
        return Inward::Answers(vec![Pending::new(MsgType::SECURITY_DEFINITION, body)]);
    }
    let answers = listed.iter().map(|one| {
        let body = write_definition(
            request,
            b'1',
            listed.len(),
            one.symbol.as_str().as_bytes(),
            &terms_of(one),
        );
        Pending::new(MsgType::SECURITY_DEFINITION, body)
    });
    Inward::Answers(answers.collect())
}

/// A SecurityDefinition. `response` (323): 1 accepted, 6 nothing fits.
fn write_definition(request: &[u8], response: u8, of: usize, symbol: &[u8], text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    FieldWriter::new(&mut out)
        .bytes(tags::SYMBOL, symbol)
        .text(tags::TEXT, text)
        .bytes(SECURITY_REQ_ID, request)
        .bytes(SECURITY_RESPONSE_ID, request)
        .character(SECURITY_RESPONSE_TYPE, response)
        .unsigned(TOT_NO_RELATED_SYM, of as u64);
    out
}

/// SecurityStatusRequest: now (263 = 0), or now and at every change (263 = 1) until 263 = 2.
fn security_status(message: &Message<'_>, directory: &Directory) -> Inward {
    let request = message.get(SECURITY_STATUS_REQ_ID).unwrap_or_default();
    let InstrumentId(instrument @ 1..) = instrument(message, directory).0 else {
        return unknown_security();
    };
    let instrument = InstrumentId(instrument);
    match message.character(SUBSCRIPTION_REQUEST_TYPE) {
        Ok(b'0') => Inward::Answers(vec![Pending::State(request.to_vec(), instrument)]),
        Ok(b'1') => Inward::Watch {
            request: request.to_vec(),
            instrument,
        },
        _ => Inward::Unsubscribe(request.to_vec()),
    }
}

/// A SecurityStatus.
pub(super) fn write_security_status(request: &[u8], symbol: Symbol, status: u64) -> Vec<u8> {
    let mut out = Vec::new();
    FieldWriter::new(&mut out)
        .text(tags::SYMBOL, symbol.as_str())
        .bytes(SECURITY_STATUS_REQ_ID, request)
        .unsigned(Tag(326), status);
    out
}

/// TradingSessionStatusRequest: there is one session a day. It ends with the members' sessions, so nobody hears of its end.
fn trading_session(message: &Message<'_>, directory: &Directory) -> Inward {
    let request = message.get(TRAD_SES_REQ_ID).unwrap_or_default();
    let open = directory.day.is_some_and(|day| day.open);
    let mut body = Vec::new();
    FieldWriter::new(&mut body)
        .bytes(TRAD_SES_REQ_ID, request)
        .text(TRADING_SESSION_ID, DAY)
        .unsigned(TRAD_SES_STATUS, if open { 2 } else { 3 });
    match message.character(SUBSCRIPTION_REQUEST_TYPE) {
        Ok(b'2') => Inward::Known,
        Ok(_) => Inward::Answers(vec![Pending::new(MsgType::TRADING_SESSION_STATUS, body)]),
        Err(_) => missing(SUBSCRIPTION_REQUEST_TYPE),
    }
}

fn unknown_security() -> Inward {
    let text = "Symbol(55) is no instrument of this exchange: see the security list".to_owned();
    Inward::Refused(BusinessRejectReason::UnknownSecurity, text)
}
