//! Connections that another process serves.
//!
//! A connection is given away before a byte of it is read: what it begins with is only looked at, so whoever gets the socket
//! has all of it, and who is served here pays nothing. Whose sessions go where is the stream's to say ([`Lane`]); how a
//! socket gets there is the composition root's ([`Front`]).

use std::os::fd::BorrowedFd;

use rialto_model::{FirmId, Lane, SessionId};

/// Where a connection is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// By the exchange's own door.
    Own,
    /// By another process, which has its socket now.
    Away,
    /// By the exchange's own door, because the process that it belongs to is not there or takes nothing now.
    NotTaken,
}

/// Where connections of other processes go.
pub trait Front: Send {
    /// Hands a socket to the process that serves a session, where this lane says one does. Called once for a connection, when
    /// its first bytes have said whose it is; never waits.
    fn hand(&mut self, lane: &Lane, session: SessionId, firm: FirmId, socket: BorrowedFd<'_>) -> Handed;

    /// The stream has changed the lane of this door: it holds for who is looked at from here on.
    fn turned(&mut self);
}

/// What a connection's first bytes say of who it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Knock {
    /// Too little came to tell.
    Unclear,
    /// Nobody that can be named: the protocol will say why.
    Nobody,
    /// The name that it logs on as.
    Name(Vec<u8>),
}

/// The user of a SoupBinTCP Login Request (SoupBinTCP 3.00, section 2.2.2): length, `L`, then six bytes of name.
pub(crate) fn soup_user(bytes: &[u8]) -> Knock {
    match bytes {
        [_, _, kind, ..] if *kind != b'L' => Knock::Nobody,
        [_, _, _, user @ ..] if user.len() >= 6 => Knock::Name(user.get(..6).unwrap_or_default().to_vec()),
        _ => Knock::Unclear,
    }
}

/// The SenderCompID of a FIX Logon: tag 49, of a message whose type, tag 35, is A.
pub(crate) fn fix_sender(bytes: &[u8]) -> Knock {
    const SOH: u8 = 1;
    if !b"8=FIX".starts_with(bytes.get(..5).unwrap_or(bytes)) {
        return Knock::Nobody;
    }
    // The last field may be cut.
    let whole = bytes.iter().rposition(|byte| *byte == SOH).unwrap_or_default();
    let mut fields = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == SOH);
    let kind = fields.find_map(|field| field.strip_prefix(b"35="));
    let name = fields.find_map(|field| field.strip_prefix(b"49="));
    match (kind, name) {
        (Some(kind), _) if kind != b"A" => Knock::Nobody,
        (Some(_), Some(name)) => Knock::Name(name.to_vec()),
        _ => Knock::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_request_names_its_user_once_it_is_there() {
        let login = b"\x00\x2fLalpha1password  ";
        assert_eq!(soup_user(login), Knock::Name(b"alpha1".to_vec()));
        for cut in 0..9 {
            assert_eq!(soup_user(&login[..cut]), Knock::Unclear, "{cut} bytes");
        }
        assert_eq!(soup_user(b"\x00\x01H"), Knock::Nobody);
    }

    #[test]
    fn a_logon_names_its_sender_once_it_is_there() {
        let logon = b"8=FIX.4.4\x019=70\x0135=A\x0134=1\x0149=GAMMA\x0156=RIALTO\x01";
        assert_eq!(fix_sender(logon), Knock::Name(b"GAMMA".to_vec()));
        let end = logon.windows(5).position(|bytes| bytes == b"GAMMA").unwrap() + 5;
        for cut in 0..=end {
            assert_eq!(fix_sender(&logon[..cut]), Knock::Unclear, "{cut} bytes");
        }
        assert_eq!(fix_sender(b"8=FIX.4.4\x019=5\x0135=0\x0149=GAMMA\x01"), Knock::Nobody);
        assert_eq!(fix_sender(b"GET / HTTP/1.1"), Knock::Nobody);
    }
}
