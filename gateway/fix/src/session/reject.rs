//! Saying no: session-level Reject (35=3) and BusinessMessageReject (35=j).

use alloc::vec::Vec;

use super::event::AdminKind;
use super::outbox::Admin;
use crate::dictionary::Rejection;
use crate::message::{FieldWriter, Message, write_reversed_route};
use crate::tag::tags;
use crate::version::Version;

/// A Reject that goes back the way the message came.
pub(super) fn reject(version: Version, message: &Message<'_>, rejection: Rejection) -> Admin {
    let mut admin = Admin::new(AdminKind::Reject, |body| {
        if let Ok(number) = message.msg_seq_num() {
            body.unsigned(tags::REF_SEQ_NUM, number.0);
        }
        body.text(tags::TEXT, rejection.reason.text());
        if let Some(tag) = rejection.tag {
            body.text(tags::REF_TAG_ID, &alloc::format!("{tag}"));
        }
        body.bytes(tags::REF_MSG_TYPE, message.msg_type().0);
        if rejection.reason as u8 <= version.max_session_reject_reason() {
            body.unsigned(tags::SESSION_REJECT_REASON, u64::from(rejection.reason as u8));
        }
    });
    write_reversed_route(message, &mut admin.header);
    admin
}

/// BusinessRejectReason(380).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BusinessRejectReason {
    /// Anything else; say it in Text(58).
    Other = 0,
    /// An identifier that is not known.
    UnknownId = 1,
    /// An instrument that is not known.
    UnknownSecurity = 2,
    /// A message of the version that the application does not take.
    UnsupportedMessageType = 3,
    /// The application takes no messages now.
    ApplicationNotAvailable = 4,
    /// A field that this use of the message needs.
    ConditionallyRequiredFieldMissing = 5,
    /// The identity may not do this.
    NotAuthorized = 6,
}

/// Appends the body of a BusinessMessageReject (35=j) of a message. Its header is that of
/// [`crate::message::write_reversed_route`]; it is an application message and goes through [`super::Session::send`].
pub fn write_business_reject(message: &Message<'_>, reason: BusinessRejectReason, text: &str, out: &mut Vec<u8>) {
    let mut body = FieldWriter::new(out);
    if let Ok(number) = message.msg_seq_num() {
        body.unsigned(tags::REF_SEQ_NUM, number.0);
    }
    body.text(tags::TEXT, text)
        .bytes(tags::REF_MSG_TYPE, message.msg_type().0)
        .unsigned(tags::BUSINESS_REJECT_REASON, u64::from(reason as u8));
}
