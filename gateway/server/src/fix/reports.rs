//! ExecutionReport(8) and OrderCancelReject(9) as bodies, fields ascending by tag, in the form that all versions share; what
//! a version does not define is left out on the way to it ([`dialect`](super::dialect)).

use rialto_fix::message::FieldWriter;
use rialto_fix::{Tag, TimePrecision, UtcTimestamp, tags};
use rialto_model::event::{ChangeRejected, Rejected};
use rialto_model::{
    OrderId, OrderKind, Price, PriceScale, Quantity, SequenceNumber, ShortSale, Symbol, Text, Timestamp,
};

use super::codes::{
    ExecType, LastLiquidity, OrdStatus, RestatementReason, cxl_rej_reason, kind_out, ord_rej_reason, side_out, tif_out,
};
use super::order_table::Order;

const CXL_REJ_RESPONSE_TO: Tag = tags::CXL_REJ_RESPONSE_TO;

/// ExecTransType(20): nothing that was said before is taken back.
const NEW_TRANSACTION: u8 = b'0';
/// What an ID says where there is none.
const NONE: &[u8] = b"NONE";
/// What Symbol(55) says where there is no such instrument.
const NO_SYMBOL: &str = "[N/A]";

/// ExecID(17): the number of the command and a count of its reports at this door.
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
    pub(super) last: Option<(Quantity, Price, LastLiquidity)>,
    pub(super) restatement: Option<RestatementReason>,
    pub(super) text: &'a str,
}

impl Report<'_> {
    /// An answer to nobody.
    pub(super) const fn of(exec_type: ExecType, status: OrdStatus) -> Self {
        Self {
            exec_type,
            status,
            asked: None,
            last: None,
            restatement: None,
            text: "",
        }
    }

    /// An ExecutionReport of an order as it now stands.
    pub(super) fn write(&self, order: &Order, context: &Context, out: &mut Vec<u8>) {
        let scale = u32::from(context.scale.0);
        let (average, average_scale) = order.executed.average(context.scale.0);
        let (client_id, orig_client_id) = self.asked.unwrap_or((order.client_id, Text::EMPTY));
        let exec_id = format!("{}-{}", context.exec_id.seq, context.exec_id.count);
        let mut body = FieldWriter::new(out);
        body.unsigned(tags::ACCOUNT, u64::from(order.account.0))
            .decimal(tags::AVG_PX, average, average_scale)
            .bytes(tags::CL_ORD_ID, client_id.as_bytes())
            .unsigned(tags::CUM_QTY, order.executed.quantity)
            .text(tags::EXEC_ID, &exec_id)
            .character(tags::EXEC_TRANS_TYPE, NEW_TRANSACTION);
        if let Some((quantity, price, _)) = self.last {
            body.decimal(tags::LAST_PX, price.0, scale)
                .unsigned(tags::LAST_QTY, quantity.0);
        }
        body.unsigned(tags::ORDER_ID, order.order_id.0)
            .unsigned(tags::ORDER_QTY, order.total())
            .character(tags::ORD_STATUS, self.status as u8)
            .character(tags::ORD_TYPE, kind_out(order.kind))
            .bytes(tags::ORIG_CL_ORD_ID, orig_client_id.as_bytes());
        if order.kind == OrderKind::Limit {
            body.decimal(tags::PRICE, order.price.0, scale);
        }
        body.character(tags::SIDE, side_out(order.side, order.short))
            .text(tags::SYMBOL, context.symbol.as_str())
            .text(tags::TEXT, self.text)
            .character(tags::TIME_IN_FORCE, tif_out(order.tif))
            .timestamp(
                tags::TRANSACT_TIME,
                UtcTimestamp(context.time.0),
                TimePrecision::Milliseconds,
            )
            .character(tags::EXEC_TYPE, self.exec_type as u8)
            .unsigned(tags::LEAVES_QTY, if self.is_end() { 0 } else { order.leaves.0 });
        if let Some(reason) = self.restatement {
            body.character(tags::EXEC_RESTATEMENT_REASON, reason as u8);
        }
        if let Some((.., liquidity)) = self.last {
            body.character(tags::LAST_LIQUIDITY_IND, liquidity as u8);
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
