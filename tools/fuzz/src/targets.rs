//! What each target does with its bytes: decode them, and hold what was understood to what must follow. Nothing may panic, and
//! nothing may be kept beyond the limits.

use rialto_fix::dictionary::{Dictionaries, UserDefinedFields, Validator};
use rialto_fix::message::Decoder;
use rialto_fix::session::{BoundedStore, Event, Session, SessionConfig};
use rialto_fix::{Monotonic, MsgSeqNum, Now, UtcTimestamp, Version};
use rialto_itch::Message as ItchMessage;
use rialto_itch::mold::{Packet, Request};
use rialto_model::{Command, Event as ModelEvent};
use rialto_ouch::messages::{Inbound, Outbound};
use rialto_ouch::soup::{
    ClientSession, LoginRequest, Password, RequestedSequence, ServerSession, SoupConfig, UserName,
};
use std::sync::{Arc, OnceLock};

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// A target by its name, which is that of its folder in the corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("fix_message", fix_message),
    ("fix_session", fix_session),
    ("ouch_messages", ouch_messages),
    ("soup_server", soup_server),
    ("soup_client", soup_client),
    ("itch", itch),
    ("mold", mold),
    ("records", records),
];

const SECOND_NS: u64 = 1_000_000_000;

/// One FIX message, and its fields as every reader takes them.
pub fn fix_message(bytes: &[u8]) {
    let mut decoder = Decoder::new();
    let Ok(message) = decoder.decode(bytes) else {
        return;
    };
    for field in message.fields() {
        let _ = (
            message.unsigned(field.tag),
            message.decimal(field.tag, 4),
            message.timestamp(field.tag),
            message.character(field.tag),
        );
        let _ = message.group(field.tag, &[field.tag]).count();
    }
    for validator in validators() {
        let _ = validator.validate(&message);
        let mut body = Vec::new();
        validator.dictionaries().write_ascending_body(&message, &mut body);
    }
}

fn validators() -> &'static [Arc<Validator>; 3] {
    static VALIDATORS: OnceLock<[Arc<Validator>; 3]> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        [Version::Fix42, Version::Fix44, Version::Fix50Sp2].map(|version| {
            let dictionaries = Dictionaries::load(version).expect("the dictionaries of this build");
            Arc::new(Validator::new(dictionaries, UserDefinedFields::Accept))
        })
    })
}

/// A whole connection at an acceptor of all versions. The first byte chooses how the rest is cut.
pub fn fix_session(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else {
        return;
    };
    let versions = [Version::Fix42, Version::Fix44, Version::Fix50Sp2];
    let configs: Arc<[SessionConfig]> = versions
        .into_iter()
        .zip(validators())
        .map(|(version, validator)| SessionConfig {
            validator: Some(Arc::clone(validator)),
            ..SessionConfig::new(version)
        })
        .collect();
    // The time of the corpus's messages.
    let mut now = Now {
        monotonic: Monotonic(0),
        utc: UtcTimestamp::parse(b"20260105-09:30:00").expect("a time"),
    };
    let mut session: Session<BoundedStore> = Session::offering(configs, now);
    for piece in bytes.chunks(usize::from(*cut).max(1)) {
        let mut piece = piece;
        while !piece.is_empty() {
            let taken = session.handle_bytes(piece);
            piece = &piece[taken..];
            if !drive(&mut session, now) || (taken == 0 && !piece.is_empty()) {
                return;
            }
        }
        now.monotonic.0 += SECOND_NS / 8;
        session.handle_timer(now);
        if !drive(&mut session, now) {
            return;
        }
    }
}

/// Answers everything; false when the connection is over.
fn drive(session: &mut Session<BoundedStore>, now: Now) -> bool {
    loop {
        enum Then {
            Accept,
            Relogon,
            Release,
            Echo,
            Nothing,
        }
        let then = match session.poll_event(now) {
            None => break,
            Some(Event::Logon(request)) if request.is_relogon() => Then::Relogon,
            Some(Event::Logon(_)) => Then::Accept,
            Some(Event::AdminWanted(_)) => Then::Release,
            Some(Event::Application(_)) => Then::Echo,
            Some(Event::Rejected(_) | Event::Garbled(_)) => Then::Nothing,
            Some(Event::Disconnect(_)) => return false,
        };
        let first = MsgSeqNum::FIRST;
        match then {
            Then::Accept => _ = session.accept_logon(now, first, first, BoundedStore::default()),
            Then::Relogon => _ = session.accept_relogon(now),
            Then::Release => _ = session.release_admin(now),
            Then::Echo => _ = session.send(now, rialto_fix::MsgType::NEW_ORDER_SINGLE, b"", b"11=A\x01"),
            Then::Nothing => {}
        }
    }
    let waiting = session.transmit(now).len();
    session.transmitted(waiting);
    true
}

/// OUCH messages of both directions: what decodes encodes to the same bytes.
pub fn ouch_messages(bytes: &[u8]) {
    if let Ok(message) = Inbound::decode(bytes) {
        let mut again = Vec::new();
        message.encode(&mut again);
        assert_eq!(again, bytes, "{message:?}");
        match message {
            Inbound::EnterOrder(order) => _ = order.appendage.options(),
            Inbound::ReplaceOrder(order) => _ = order.appendage.options(),
            _ => {}
        }
    }
    if let Ok(message) = Outbound::decode(bytes) {
        let mut again = Vec::new();
        message.encode(&mut again);
        assert_eq!(again, bytes, "{message:?}");
    }
}

/// A connection at a SoupBinTCP server.
pub fn soup_server(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else {
        return;
    };
    let mut session = ServerSession::new(SoupConfig::default(), 0);
    let mut now_ns = 0;
    for piece in bytes.chunks(usize::from(*cut).max(1)) {
        let _ = session.handle_bytes(now_ns, piece);
        let mut login = false;
        while let Some(event) = session.poll_event() {
            login |= matches!(event, rialto_ouch::soup::ServerEvent::Login(_));
        }
        if login {
            let _ = session.reject(rialto_ouch::soup::LoginRejectCode::NotAuthorised);
        }
        let waiting = session.poll_output().len();
        session.handle_sent(now_ns, waiting);
        now_ns += SECOND_NS / 2;
        session.handle_timer(now_ns);
    }
}

/// A connection at a SoupBinTCP client.
pub fn soup_client(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else {
        return;
    };
    let login = LoginRequest {
        user: UserName::new("user").expect("a name"),
        password: Password::new("word").expect("a password"),
        session: None,
        sequence: RequestedSequence::MostRecent,
    };
    let mut session = ClientSession::new(SoupConfig::default(), login, 0);
    for piece in bytes.chunks(usize::from(*cut).max(1)) {
        let _ = session.handle_bytes(0, piece);
        while session.poll_event().is_some() {}
        let waiting = session.poll_output().len();
        session.handle_sent(0, waiting);
    }
}

/// ITCH messages: what decodes encodes to bytes of the same length that mean the same. They may be others: what a reserved
/// byte says is not looked at.
pub fn itch(bytes: &[u8]) {
    if let Ok(message) = ItchMessage::decode(bytes) {
        let mut again = Vec::new();
        message.append_to(&mut again);
        assert_eq!(again.len(), bytes.len(), "{message:?}");
        assert_eq!(ItchMessage::decode(&again), Ok(message));
    }
}

/// MoldUDP64 packets and requests.
pub fn mold(bytes: &[u8]) {
    if let Ok(packet) = Packet::parse(bytes) {
        let _ = format!("{packet:?}");
    }
    let _ = Request::parse(bytes);
}

/// What stands in journal records: two bytes of schema, one of the block's length, then block and text.
pub fn records(bytes: &[u8]) {
    if let Some((&[high, low, block_len], rest)) = bytes.split_first_chunk::<3>() {
        let schema = u16::from_be_bytes([high, low]);
        let _ = Command::decode(schema, usize::from(block_len), rest);
        let _ = ModelEvent::decode(schema, usize::from(block_len), rest);
    }
}
