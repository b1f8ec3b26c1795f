//! ExecutionReport(8) and OrderCancelReject(9) as bodies, fields ascending by tag, in the form that all versions share; what
//! a version does not define is left out on the way to it ([`dialect`](super::dialect)).

use rialto_fix::message::{FieldWriter, SOH};
use rialto_fix::{Tag, TimePrecision, UtcTimestamp, tags};
use rialto_model::event::{ChangeRejected, Rejected};
use rialto_model::{
    Handling, OrderId, OrderKind, Price, PriceScale, Quantity, RejectReason, SequenceNumber, ShortSale, Symbol, Text,
    Timestamp, TradeId,
};

use super::codes::{
    ExecType, LastLiquidity, OrdStatus, RestatementReason, cxl_rej_reason, kind_out, mass_cancel_reject_reason,
    ord_rej_reason, side_out, tif_out,
};
use super::names::Ended;
use super::order_table::Order;
use super::terms::{DISPLAY_QTY, PEG_OFFSET_VALUE};

const CXL_REJ_RESPONSE_TO: Tag = tags::CXL_REJ_RESPONSE_TO;
const MASS_CANCEL_REQUEST_TYPE: Tag = Tag(530);
const MASS_CANCEL_RESPONSE: Tag = Tag(531);
const MASS_CANCEL_REJECT_REASON: Tag = Tag(532);
const TOTAL_AFFECTED_ORDERS: Tag = Tag(533);
const SECONDARY_CL_ORD_ID: Tag = Tag(526);
const MASS_STATUS_REQ_ID: Tag = Tag(584);
const PEGGED_PRICE: Tag = Tag(839);
const TRD_MATCH_ID: Tag = Tag(880);
const TOT_NUM_REPORTS: Tag = Tag(911);
const LAST_RPT_REQUESTED: Tag = Tag(912);
const MASS_ACTION_REPORT_ID: Tag = Tag(1369);

/// ExecTransType(20): nothing that was said before is taken back.
const NEW_TRANSACTION: u8 = b'0';
/// The same: the execution of ExecRefID(19) is undone, or another stands in its place.
const CANCEL: u8 = b'1';
const CORRECT: u8 = b'2';
/// The same: nothing has happened.
const STATUS: u8 = b'3';
/// What an ID says where there is none.
const NONE: &[u8] = b"NONE";
/// What Symbol(55) says where there is no such instrument.
const NO_SYMBOL: &str = "[N/A]";

/// ExecID(17) of what is no trade: the number of the command and a count of its reports at this door.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ExecIds {
    seq: SequenceNumber,
    count: u64,
}

impl ExecIds {
    pub(super) fn next(&mut self, seq: SequenceNumber) -> ExecId {
        if self.seq != seq {
            *self = Self { seq, count: 0 };
        }
        self.count += 1;
        ExecId { seq, count: self.count }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ExecId {
    seq: SequenceNumber,
    count: u64,
}

/// When and under which ExecID, and in which words the instrument is said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) exec_id: ExecId,
    pub(super) time: Timestamp,
    pub(super) symbol: Symbol,
    pub(super) scale: PriceScale,
}

/// What a report says beside the order itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report<'a> {
    pub(super) exec_type: ExecType,
    pub(super) status: OrdStatus,
    /// The request that is answered, and the name that the order had before; `None`: nobody asked.
    pub(super) asked: Option<(Text, Text)>,
    pub(super) last: Option<Last>,
    /// The execution that is taken back.
    pub(super) undone: Option<Last>,
    pub(super) restatement: Option<RestatementReason>,
    pub(super) text: &'a str,
    /// Its place among the answers to a mass status request.
    pub(super) mass_status: Option<MassStatus<'a>>,
}

/// The execution that a report tells of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    pub(super) quantity: Quantity,
    pub(super) price: Price,
    pub(super) liquidity: LastLiquidity,
    pub(super) trade: TradeId,
}

impl Last {
    /// ExecID(17) of a trade: its number and the side, so that a report which takes it back can name it without a memory of
    /// what was told.
    fn exec_id(&self) -> String {
        format!("T{}-{}", self.trade, self.liquidity as u8 - b'0')
    }
}

/// One of the answers to a mass status request.
#[derive(Clone, Copy, Debug)]
pub(super) struct MassStatus<'a> {
    pub(super) request: &'a [u8],
    pub(super) of: u64,
    pub(super) last: bool,
}

impl Report<'_> {
    /// An answer to nobody.
    pub(super) const fn of(exec_type: ExecType, status: OrdStatus) -> Self {
        Self {
            exec_type,
            status,
            asked: None,
            last: None,
            undone: None,
            restatement: None,
            text: "",
            mass_status: None,
        }
    }

    /// An ExecutionReport of an order as it now stands.
    pub(super) fn write(&self, order: &Order, context: &Context, out: &mut Vec<u8>) {
        let scale = u32::from(context.scale.0);
        let (average, average_scale) = order.executed.average(context.scale.0);
        let (client_id, orig_client_id) = self.asked.unwrap_or((order.client_id, Text::EMPTY));
        let instructions = &order.instructions;
        // A quote has two names: its QuoteID, and its QuoteEntryID.
        let mut names = client_id.as_bytes().splitn(2, |byte| *byte == SOH);
        let (client_id, second_id) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
        let mut body = FieldWriter::new(out);
        body.unsigned(tags::ACCOUNT, u64::from(order.account.0))
            .decimal(tags::AVG_PX, average, average_scale)
            .bytes(tags::CL_ORD_ID, client_id)
            .unsigned(tags::CUM_QTY, order.executed.quantity);
        match (self.exec_type, &self.last) {
            // A status is no execution.
            (ExecType::Status, _) => body.character(tags::EXEC_ID, b'0'),
            (ExecType::Trade | ExecType::TradeCorrect, Some(last)) => body.text(tags::EXEC_ID, &last.exec_id()),
            _ => body.numbers(tags::EXEC_ID, context.exec_id.seq.0, context.exec_id.count),
        };
        body.bytes(tags::EXEC_INST, exec_inst(order));
        if let Some(undone) = self.undone {
            body.text(tags::EXEC_REF_ID, &undone.exec_id());
        }
        body.character(
            tags::EXEC_TRANS_TYPE,
            match self.exec_type {
                ExecType::Status => STATUS,
                ExecType::TradeCancel => CANCEL,
                ExecType::TradeCorrect => CORRECT,
                _ => NEW_TRANSACTION,
            },
        );
        if let Some(last) = &self.last {
            body.decimal(tags::LAST_PX, last.price.0, scale)
                .unsigned(tags::LAST_QTY, last.quantity.0);
        }
        body.unsigned(tags::ORDER_ID, order.order_id.0)
            .unsigned(tags::ORDER_QTY, order.total())
            .character(tags::ORD_STATUS, self.status as u8)
            .character(tags::ORD_TYPE, kind_out(order))
            .bytes(tags::ORIG_CL_ORD_ID, orig_client_id.as_bytes());
        if order.kind == OrderKind::Limit {
            body.decimal(tags::PRICE, order.price.0, scale);
        }
        body.character(tags::SIDE, side_out(order.side, order.short))
            .text(tags::SYMBOL, context.symbol.as_str())
            .text(tags::TEXT, self.text)
            .character(tags::TIME_IN_FORCE, tif_out(order))
            .timestamp(
                tags::TRANSACT_TIME,
                UtcTimestamp(context.time.0),
                TimePrecision::Milliseconds,
            );
        let trailing = instructions.handling.has(Handling::TRAILING);
        if order.is_waiting_stop() && !trailing {
            body.decimal(tags::STOP_PX, instructions.trigger.0, scale);
        }
        if !instructions.minimum.is_zero() {
            body.unsigned(tags::MIN_QTY, u64::from(instructions.minimum.0));
        }
        let hidden = instructions.handling.has(Handling::HIDDEN);
        let display = (hidden || !instructions.display.is_zero()).then_some(u64::from(instructions.display.0));
        if let Some(display) = display {
            body.unsigned(tags::MAX_FLOOR, display);
        }
        if instructions.expires.0 != 0 {
            let expires = UtcTimestamp(instructions.expires.0);
            body.timestamp(tags::EXPIRE_TIME, expires, TimePrecision::Milliseconds);
        }
        body.character(tags::EXEC_TYPE, self.exec_type as u8)
            .unsigned(tags::LEAVES_QTY, if self.is_end() { 0 } else { order.leaves.0 });
        if order.is_waiting_stop() && trailing {
            body.decimal(PEG_OFFSET_VALUE, instructions.trigger.0, scale);
        }
        if let Some(reason) = self.restatement {
            body.character(tags::EXEC_RESTATEMENT_REASON, reason as u8);
        }
        body.bytes(SECONDARY_CL_ORD_ID, second_id);
        if let Some(part) = &self.mass_status {
            body.bytes(MASS_STATUS_REQ_ID, part.request);
        }
        if order.pegged.0 != 0 && !self.is_end() {
            body.decimal(PEGGED_PRICE, order.pegged.0, scale);
        }
        if let Some(last) = &self.last {
            body.character(tags::LAST_LIQUIDITY_IND, last.liquidity as u8)
                .unsigned(TRD_MATCH_ID, last.trade.0);
        }
        if let Some(part) = &self.mass_status {
            body.unsigned(TOT_NUM_REPORTS, part.of)
                .boolean(LAST_RPT_REQUESTED, part.last);
        }
        if let Some(display) = display {
            body.unsigned(DISPLAY_QTY, display);
        }
    }

    /// OrderQty(38) still states what the order was when nothing is left of it.
    fn is_end(&self) -> bool {
        matches!(
            self.status,
            OrdStatus::Canceled | OrdStatus::Expired | OrdStatus::Filled
        )
    }
}

/// ExecInst(18) of what the order asks for.
fn exec_inst(order: &Order) -> &'static [u8] {
    let handling = order.instructions.handling;
    match (
        handling.has(Handling::POST_ONLY),
        order.is_waiting_stop() && handling.has(Handling::TRAILING),
    ) {
        _ if handling.has(Handling::PEG_PRIMARY) => b"R",
        _ if handling.has(Handling::PEG_MIDPOINT) => b"M",
        (true, _) => b"6",
        (_, true) => b"L",
        _ => b"",
    }
}

/// An ExecutionReport that answers a status request for an order that does not live: `ended`, or is not known.
pub(super) fn write_unknown_status(
    client_id: &[u8],
    ended: Option<Ended>,
    mass_status: Option<&[u8]>,
    side: u8,
    symbol: &[u8],
    text: &str,
    out: &mut Vec<u8>,
) {
    let mut body = FieldWriter::new(out);
    body.unsigned(tags::AVG_PX, 0)
        .bytes(tags::CL_ORD_ID, client_id)
        .unsigned(tags::CUM_QTY, ended.map_or(0, |ended| ended.executed))
        .character(tags::EXEC_ID, b'0')
        .character(tags::EXEC_TRANS_TYPE, STATUS)
        .bytes(tags::ORDER_ID, NONE)
        .character(
            tags::ORD_STATUS,
            ended.map_or(OrdStatus::Rejected, |ended| ended.status) as u8,
        )
        .character(tags::SIDE, side)
        .bytes(
            tags::SYMBOL,
            if symbol.is_empty() {
                NO_SYMBOL.as_bytes()
            } else {
                symbol
            },
        )
        .text(tags::TEXT, text);
    if ended.is_none() {
        body.unsigned(tags::ORD_REJ_REASON, ord_rej_reason(RejectReason::UnknownOrder));
    }
    body.character(tags::EXEC_TYPE, ExecType::Status as u8)
        .unsigned(tags::LEAVES_QTY, 0);
    if let Some(request) = mass_status {
        body.bytes(MASS_STATUS_REQ_ID, request)
            .unsigned(TOT_NUM_REPORTS, 0)
            .boolean(LAST_RPT_REQUESTED, true);
    }
}

/// An OrderMassCancelReport: what was asked for, and how many orders go or why none does.
pub(super) fn write_mass_cancel(
    client_id: Text,
    asked: u8,
    outcome: Result<u32, RejectReason>,
    context: &Context,
    out: &mut Vec<u8>,
) {
    let id = format!("{}-{}", context.exec_id.seq, context.exec_id.count);
    let mut body = FieldWriter::new(out);
    body.bytes(tags::CL_ORD_ID, client_id.as_bytes())
        .text(tags::ORDER_ID, &id);
    if let Err(reason) = outcome {
        body.text(tags::TEXT, reason.text());
    }
    body.timestamp(
        tags::TRANSACT_TIME,
        UtcTimestamp(context.time.0),
        TimePrecision::Milliseconds,
    )
    .character(MASS_CANCEL_REQUEST_TYPE, asked)
    .character(MASS_CANCEL_RESPONSE, if outcome.is_ok() { asked } else { b'0' });
    match outcome {
        Ok(cancelled) => body.unsigned(TOTAL_AFFECTED_ORDERS, u64::from(cancelled)),
        Err(reason) => body.unsigned(MASS_CANCEL_REJECT_REASON, mass_cancel_reject_reason(reason)),
    };
    body.text(MASS_ACTION_REPORT_ID, &id);
}

/// An ExecutionReport of an order that never was. `known`: the instrument is.
pub(super) fn write_rejected(event: &Rejected, context: &Context, known: bool, out: &mut Vec<u8>) {
    let exec_id = format!("{}-{}", context.exec_id.seq, context.exec_id.count);
    let mut body = FieldWriter::new(out);
    body.unsigned(tags::AVG_PX, 0)
        .bytes(tags::CL_ORD_ID, event.client_id.as_bytes())
        .unsigned(tags::CUM_QTY, 0)
        .text(tags::EXEC_ID, &exec_id)
        .character(tags::EXEC_TRANS_TYPE, NEW_TRANSACTION)
        .bytes(tags::ORDER_ID, NONE)
        .unsigned(tags::ORDER_QTY, event.quantity.0)
        .character(tags::ORD_STATUS, OrdStatus::Rejected as u8);
    if known && event.price.0 != 0 {
        body.decimal(tags::PRICE, event.price.0, u32::from(context.scale.0));
    }
    body.character(tags::SIDE, side_out(event.side, ShortSale::None))
        .text(tags::SYMBOL, if known { context.symbol.as_str() } else { NO_SYMBOL })
        .text(tags::TEXT, event.reason.text())
        .timestamp(
            tags::TRANSACT_TIME,
            UtcTimestamp(context.time.0),
            TimePrecision::Milliseconds,
        )
        .unsigned(tags::ORD_REJ_REASON, ord_rej_reason(event.reason))
        .character(tags::EXEC_TYPE, ExecType::Rejected as u8)
        .unsigned(tags::LEAVES_QTY, 0);
}

/// The order that a request meant, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meant {
    pub(super) order_id: Option<OrderId>,
    pub(super) client_id: Option<Text>,
    pub(super) status: OrdStatus,
}

/// An OrderCancelReject.
pub(super) fn write_cancel_reject(event: &ChangeRejected, meant: &Meant, time: Timestamp, out: &mut Vec<u8>) {
    let order_id = meant.order_id.map(|order_id| order_id.to_string());
    let orig_client_id = meant.client_id.unwrap_or_default();
    let orig = if orig_client_id.is_empty() {
        NONE
    } else {
        orig_client_id.as_bytes()
    };
    let mut body = FieldWriter::new(out);
    body.bytes(tags::CL_ORD_ID, event.client_id.as_bytes())
        .bytes(tags::ORDER_ID, order_id.as_ref().map_or(NONE, |id| id.as_bytes()))
        .character(tags::ORD_STATUS, meant.status as u8)
        .bytes(tags::ORIG_CL_ORD_ID, orig)
        .text(tags::TEXT, event.reason.text())
        .timestamp(tags::TRANSACT_TIME, UtcTimestamp(time.0), TimePrecision::Milliseconds)
        .unsigned(tags::CXL_REJ_REASON, cxl_rej_reason(event.reason))
        .character(CXL_REJ_RESPONSE_TO, if event.replace { b'2' } else { b'1' });
}
