//! The application of the public acceptance suites: D, C and d go back unchanged, every other message is refused.
//!
//! It exists for conformance runs (`fix-echo`, the tests) and shows how a session is driven by an owner whose numbers need
//! no log: every administrative message is released at once, and numbers restart with each logon.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::dictionary::{Dictionaries, DictionaryError, UserDefinedFields, Validator};
use crate::message::{FieldWriter, Message, write_reversed_route};
use crate::session::{
    BoundedStore, BusinessRejectReason, Event, LogonRequest, Session, SessionConfig, write_business_reject,
};
use crate::tag::{Tag, tags};
use crate::time::Now;
use crate::version::Version;
use crate::words::{MsgSeqNum, MsgType};

/// Client order ids remembered for PossResend(97); past it every id counts as new.
const MAX_CLIENT_ORDER_IDS: usize = 100_000;

/// One connection of the echo application.
#[derive(Debug)]
pub struct EchoConnection {
    /// The session, for bytes, timers and deadlines.
    pub session: Session<BoundedStore>,
    version: Version,
    dictionaries: Dictionaries,
    client_order_ids: BTreeSet<Vec<u8>>,
}

/// What an event leads to once the session is free again.
enum Action {
    AcceptLogon,
    AcceptRelogon,
    RefuseLogon,
    ReleaseAdmin,
    Send {
        msg_type: Vec<u8>,
        header: Vec<u8>,
        body: Vec<u8>,
    },
    Ignore,
}

/// A session with validation on, and the dictionaries it uses; load them once.
///
/// # Errors
/// [`DictionaryError`], which would be a defect of this crate's own files.
pub fn echo_config(version: Version) -> Result<(SessionConfig, Dictionaries), DictionaryError> {
    let dictionaries = Dictionaries::load(version)?;
    let validator = Validator::new(dictionaries.clone(), UserDefinedFields::Reject);
    Ok((
        SessionConfig {
            validator: Some(Arc::new(validator)),
            ..SessionConfig::new(version)
        },
        dictionaries,
    ))
}

impl EchoConnection {
    /// A connection that was just accepted, with what [`echo_config`] gave.
    #[must_use]
    pub fn new((config, dictionaries): &(SessionConfig, Dictionaries), now: Now) -> Self {
        Self {
            session: Session::new(config.clone(), now),
            version: config.version,
            dictionaries: dictionaries.clone(),
            client_order_ids: BTreeSet::new(),
        }
    }

    /// Deals with all that came in; `admits` decides on a first Logon. True when the connection shall end: write what
    /// is left, free the identity, close.
    #[must_use]
    pub fn handle_events(&mut self, now: Now, mut admits: impl FnMut(&LogonRequest<'_>) -> bool) -> bool {
        loop {
            let Some(event) = self.session.poll_event(now) else {
                return false;
            };
            let action = match event {
                Event::Logon(request) if request.is_relogon() => Action::AcceptRelogon,
                Event::Logon(request) if admits(&request) => Action::AcceptLogon,
                Event::Logon(_) => Action::RefuseLogon,
                Event::AdminWanted(_) => Action::ReleaseAdmin,
                Event::Application(message) => {
                    echo(self.version, &self.dictionaries, &message, &mut self.client_order_ids)
                }
                Event::Rejected(_) | Event::Garbled(_) => Action::Ignore,
                Event::Disconnect(_) => return true,
            };
            // The errors say that no Logon waits; each of these answers the event just read.
            match action {
                Action::AcceptLogon => {
                    let store = BoundedStore::default();
                    _ = self
                        .session
                        .accept_logon(now, MsgSeqNum::FIRST, MsgSeqNum::FIRST, store);
                }
                Action::AcceptRelogon => _ = self.session.accept_relogon(now),
                Action::RefuseLogon => _ = self.session.refuse_logon(),
                Action::ReleaseAdmin => _ = self.session.release_admin(now),
                Action::Send { msg_type, header, body } => {
                    _ = self.session.send(now, MsgType(&msg_type), &header, &body);
                }
                Action::Ignore => {}
            }
        }
    }
}

fn echo(
    version: Version,
    dictionaries: &Dictionaries,
    message: &Message<'_>,
    client_order_ids: &mut BTreeSet<Vec<u8>>,
) -> Action {
    let (mut header, mut body) = (Vec::new(), Vec::new());
    let msg_type = message.msg_type();
    if !matches!(msg_type.0, b"D" | b"C" | b"d") {
        let text = "Unsupported Message Type";
        write_business_reject(message, BusinessRejectReason::UnsupportedMessageType, text, &mut body);
        // The dictionary does not have it there, but the public FIXT suite compares it.
        let default_appl_ver_id = version.default_appl_ver_id().unwrap_or(b"");
        FieldWriter::new(&mut body).bytes(tags::DEFAULT_APPL_VER_ID, default_appl_ver_id);
        write_reversed_route(message, &mut header);
        return Action::Send {
            msg_type: MsgType::BUSINESS_MESSAGE_REJECT.0.to_vec(),
            header,
            body,
        };
    }
    if let Some(id) = message.get(tags::CL_ORD_ID) {
        let known = client_order_ids.contains(id);
        if known && message.is_set(tags::POSS_RESEND) {
            return Action::Ignore;
        }
        if client_order_ids.len() < MAX_CLIENT_ORDER_IDS {
            client_order_ids.insert(id.to_vec());
        }
    }
    write_echoed_header(message, &mut header);
    dictionaries.write_ascending_body(message, &mut body);
    Action::Send {
        msg_type: msg_type.0.to_vec(),
        header,
        body,
    }
}

/// The header fields that the session does not write itself, as they came.
fn write_echoed_header(message: &Message<'_>, header: &mut Vec<u8>) {
    let written_by_session = |tag: Tag| matches!(tag.0, 8 | 9 | 34 | 35 | 43 | 49 | 52 | 56 | 122);
    let is_echoed = |tag: Tag| tag.is_header() && !written_by_session(tag) && !matches!(tag.0, 627..=630);
    let mut fields: Vec<_> = message.fields().filter(|field| is_echoed(field.tag)).collect();
    fields.sort_by_key(|field| field.tag);
    fields.dedup_by_key(|field| field.tag);
    let mut writer = FieldWriter::new(header);
    for field in fields {
        writer.bytes(field.tag, field.value);
    }
}
