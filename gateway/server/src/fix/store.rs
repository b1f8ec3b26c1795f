//! The application messages of one FIX session and day, by MsgSeqNum, so that they can be sent again.
//!
//! Numbers that administrative messages took are holes, and so are answers to questions (BusinessMessageReject, a status, market
//! data): what they say is not in the stream, and after a restart it could not be said again; so it never is. Beyond the log's
//! bound the oldest messages go and are gap-filled.

use rialto_fix::session::{MessageStore, SentMessage};
use rialto_fix::{MsgSeqNum, MsgType, UtcTimestamp};

use crate::message_log::MessageLog;

#[derive(Debug)]
pub(crate) struct Store(MessageLog);

/// Length of the type, length of further header fields, sending time.
const HEAD: usize = 1 + 2 + 8;

impl Store {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self(MessageLog::new(bytes_max))
    }
}

impl MessageStore for Store {
    fn record(&mut self, number: MsgSeqNum, message: SentMessage<'_>) {
        while self.0.next() < number.0 {
            self.0.push(|_| {});
        }
        let (Ok(type_len), Ok(header_len)) = (
            u8::try_from(message.msg_type.0.len()),
            u16::try_from(message.header.len()),
        ) else {
            return;
        };
        self.0.push(|out| {
            out.push(type_len);
            out.extend_from_slice(&header_len.to_be_bytes());
            out.extend_from_slice(&message.sending_time.0.to_be_bytes());
            out.extend_from_slice(message.msg_type.0);
            out.extend_from_slice(message.header);
            out.extend_from_slice(message.body);
        });
    }

    fn next_from(&self, number: MsgSeqNum) -> Option<(MsgSeqNum, SentMessage<'_>)> {
        (number.0.max(self.0.first())..self.0.next())
            .find_map(|number| Some((MsgSeqNum(number), read(self.0.get(number)?)?)))
    }

    fn clear(&mut self) {
        self.0.restart();
    }
}

/// What stands in the log; `None` for a hole.
fn read(bytes: &[u8]) -> Option<SentMessage<'_>> {
    let (&[type_len, high, low, ref time @ ..], rest) = bytes.split_first_chunk::<HEAD>()?;
    let (msg_type, rest) = rest.split_at_checked(usize::from(type_len))?;
    let (header, body) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
    Some(SentMessage {
        msg_type: MsgType(msg_type),
        sending_time: UtcTimestamp(u64::from_be_bytes(*time)),
        header,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<'a>(msg_type: MsgType<'a>, body: &'a [u8]) -> SentMessage<'a> {
        SentMessage {
            msg_type,
            sending_time: UtcTimestamp(77),
            header: b"115=A\x01",
            body,
        }
    }

    #[test]
    fn holes_are_passed_over_and_messages_come_back_whole() {
        let mut store = Store::new(1 << 20);
        assert!(store.next_from(MsgSeqNum(1)).is_none());
        store.record(MsgSeqNum(3), message(MsgType::EXECUTION_REPORT, b"37=1\x01"));
        store.record(MsgSeqNum(7), message(MsgType(b"AE"), b""));
        for (from, found, msg_type, body) in [
            (1, 3, &b"8"[..], &b"37=1\x01"[..]),
            (3, 3, b"8", b"37=1\x01"),
            (4, 7, b"AE", b""),
            (7, 7, b"AE", b""),
        ] {
            let expected = message(MsgType(msg_type), body);
            assert_eq!(
                store.next_from(MsgSeqNum(from)),
                Some((MsgSeqNum(found), expected)),
                "{from}"
            );
        }
        assert!(store.next_from(MsgSeqNum(8)).is_none());
        store.clear();
        assert!(store.next_from(MsgSeqNum(1)).is_none());
    }
}
