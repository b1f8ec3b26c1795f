//! A whole message: header, body, checksum.
//!
//! The form that clients compare: 8, 9 and 35, the other header fields ascending, the body ascending, 10.

use alloc::vec::Vec;

use super::SOH;
use super::decimal::write_unsigned;
use super::fields::FieldWriter;
use super::view::parse_unsigned;
use crate::tag::{Tag, tags};
use crate::time::{TimePrecision, UtcTimestamp};
use crate::words::{MsgSeqNum, MsgType};

/// What stands before the body.
#[derive(Clone, Copy, Debug)]
pub struct MessageHeader<'a> {
    /// BeginString(8).
    pub begin_string: &'a [u8],
    /// MsgType(35).
    pub msg_type: MsgType<'a>,
    /// MsgSeqNum(34).
    pub msg_seq_num: MsgSeqNum,
    /// SenderCompID(49): ours.
    pub sender_comp_id: &'a [u8],
    /// TargetCompID(56): the peer's.
    pub target_comp_id: &'a [u8],
    /// SendingTime(52).
    pub sending_time: UtcTimestamp,
    /// OrigSendingTime(122). Its presence says that this is a copy: PossDupFlag(43)=Y goes with it.
    pub orig_sending_time: Option<UtcTimestamp>,
    /// Digits of both times.
    pub time_precision: TimePrecision,
    /// Further header fields as [`FieldWriter`] wrote them, ascending.
    pub extra: &'a [u8],
}

/// Digits of BodyLength(9) that are kept free. Nearly every message has 100 to 999 bytes; others are moved by a byte or two.
const LENGTH_DIGITS: usize = 3;

/// Appends one whole message to `out`. `body` is as [`FieldWriter`] wrote it, ascending.
pub fn encode(header: &MessageHeader<'_>, body: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(b"8=");
    out.extend_from_slice(header.begin_string);
    out.extend_from_slice(b"\x019=");
    let length_at = out.len();
    out.extend_from_slice(&[b'0'; LENGTH_DIGITS]);
    out.push(SOH);
    let counted_from = out.len();
    FieldWriter::new(out).bytes(tags::MSG_TYPE, header.msg_type.0);
    write_header_fields(header, out);
    out.extend_from_slice(body);
    fill_length(length_at, out.len() - counted_from, out);
    let sum = out
        .get(start..)
        .unwrap_or(b"")
        .iter()
        .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    out.extend_from_slice(&[
        b'1',
        b'0',
        b'=',
        b'0' + sum / 100,
        b'0' + sum / 10 % 10,
        b'0' + sum % 10,
        SOH,
    ]);
}

fn write_header_fields(header: &MessageHeader<'_>, out: &mut Vec<u8>) {
    let mut extra = header.extra;
    let before = |tag: Tag, extra: &mut &[u8], out: &mut Vec<u8>| {
        while let Some((field_tag, length)) = leading_field(extra)
            && field_tag < tag
        {
            let (field, rest) = extra.split_at(length);
            out.extend_from_slice(field);
            *extra = rest;
        }
    };
    before(tags::MSG_SEQ_NUM, &mut extra, out);
    FieldWriter::new(out).unsigned(tags::MSG_SEQ_NUM, header.msg_seq_num.0);
    if header.orig_sending_time.is_some() {
        before(tags::POSS_DUP_FLAG, &mut extra, out);
        FieldWriter::new(out).boolean(tags::POSS_DUP_FLAG, true);
    }
    before(tags::SENDER_COMP_ID, &mut extra, out);
    FieldWriter::new(out).bytes(tags::SENDER_COMP_ID, header.sender_comp_id);
    before(tags::SENDING_TIME, &mut extra, out);
    FieldWriter::new(out).timestamp(tags::SENDING_TIME, header.sending_time, header.time_precision);
    before(tags::TARGET_COMP_ID, &mut extra, out);
    FieldWriter::new(out).bytes(tags::TARGET_COMP_ID, header.target_comp_id);
    if let Some(orig_sending_time) = header.orig_sending_time {
        before(tags::ORIG_SENDING_TIME, &mut extra, out);
        FieldWriter::new(out).timestamp(tags::ORIG_SENDING_TIME, orig_sending_time, header.time_precision);
    }
    out.extend_from_slice(extra);
}

/// The tag of the first field, and the field's length with its delimiter.
fn leading_field(fields: &[u8]) -> Option<(Tag, usize)> {
    let equals = fields.iter().position(|&byte| byte == b'=')?;
    let end = fields.iter().position(|&byte| byte == SOH)?;
    let tag = parse_unsigned(fields.get(..equals)?)?;
    Some((Tag(i32::try_from(tag).ok()?), end + 1))
}

/// Writes the length into the place kept free, which is widened or narrowed where its digits are not three.
fn fill_length(at: usize, length: usize, out: &mut Vec<u8>) {
    match out.get_mut(at..at + LENGTH_DIGITS) {
        Some(place) if (100..1000).contains(&length) => place.copy_from_slice(&[
            b'0' + (length / 100) as u8,
            b'0' + (length / 10 % 10) as u8,
            b'0' + (length % 10) as u8,
        ]),
        _ => {
            let mut text = Vec::new();
            write_unsigned(length as u64, &mut text);
            out.splice(at..at + LENGTH_DIGITS, text);
        }
    }
}
