//! Which wish was answered how: what makes a retry after a lost answer find the first answer instead of making a second order.
//!
//! A wish's client order identifier is made of its idempotency key and of what it asks for, so the exchange's own messages of the
//! session say which wishes it has had: a gateway that starts anew reads them from the first one of the day.

use rialto_ouch::messages::ClOrdId;
use rialto_web::Refusal;
use std::collections::BTreeMap;

/// Idempotency keys of one session and day. They are never forgotten before the day is over, for a forgotten one would let an order
/// be entered twice: at the bound new wishes are refused with 503.
pub(super) const KEYS_MAX: usize = 65_536;

/// Characters of an identifier that name the key, and those that name what is asked for: 48 and 36 bits.
const KEY: usize = 8;
const BODY: usize = 6;
/// Six bits a character.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The identifier of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WishId([u8; KEY + BODY]);

impl WishId {
    /// Of who wishes what under which key.
    pub(super) fn new(who: &str, key: &str, asked: &str) -> Self {
        let mut id = [0; KEY + BODY];
        let name = blake3::Hasher::new_derive_key("rialto idempotency key")
            .update(who.as_bytes())
            .update(&[0])
            .update(key.as_bytes())
            .finalize();
        let body = blake3::Hasher::new_derive_key("rialto idempotent wish")
            .update(asked.as_bytes())
            .finalize();
        let (first, second) = id.split_at_mut(KEY);
        spell(name.as_bytes(), first);
        spell(body.as_bytes(), second);
        Self(id)
    }

    /// The one that a message of the exchange shows; none where it is of no wish.
    pub(super) fn of(shown: ClOrdId) -> Option<Self> {
        Some(Self(shown.as_str().as_bytes().try_into().ok()?))
    }

    pub(super) fn cl_ord_id(self) -> ClOrdId {
        let text = core::str::from_utf8(&self.0).unwrap_or_default();
        ClOrdId::new(text).unwrap_or(ClOrdId::BLANK)
    }

    fn parts(self) -> ([u8; KEY], [u8; BODY]) {
        let (mut key, mut body) = ([0; KEY], [0; BODY]);
        let (first, second) = self.0.split_at(KEY);
        key.copy_from_slice(first);
        body.copy_from_slice(second);
        (key, body)
    }
}

fn spell(hash: &[u8], out: &mut [u8]) {
    for (letter, byte) in out.iter_mut().zip(hash) {
        *letter = ALPHABET.get(usize::from(byte & 63)).copied().unwrap_or(b'A');
    }
}

/// The exchange's first word about a wish.
pub(super) type Said = Result<String, Refusal>;

/// What is known of a wish.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing: it may be sent.
    New,
    /// It was answered.
    Said(Said),
    /// It was sent under this reference, and is not answered.
    Sent(u32),
    /// The key was used for something else.
    Other,
    /// There is room for no more keys.
    Full,
}

#[derive(Debug)]
struct Known {
    body: [u8; BODY],
    user_ref: u32,
    said: Option<Said>,
}

/// The wishes of one session and day.
#[derive(Debug, Default)]
pub(super) struct Table {
    known: BTreeMap<[u8; KEY], Known>,
    sent: BTreeMap<u32, WishId>,
}

impl Table {
    pub(super) fn find(&self, id: WishId) -> Found {
        let (key, body) = id.parts();
        match self.known.get(&key) {
            None if self.known.len() >= KEYS_MAX => Found::Full,
            None => Found::New,
            Some(known) if known.body != body => Found::Other,
            Some(Known { said: Some(said), .. }) => Found::Said(said.clone()),
            Some(known) => Found::Sent(known.user_ref),
        }
    }

    /// It is on its way.
    pub(super) fn sent(&mut self, id: WishId, user_ref: u32) {
        let (key, body) = id.parts();
        let said = None;
        self.known.insert(key, Known { body, user_ref, said });
        self.sent.insert(user_ref, id);
    }

    /// The exchange has said something about a wish; its first word stays. What it says again after a reconnection changes nothing.
    pub(super) fn said(&mut self, id: WishId, user_ref: u32, said: &Said) {
        let (key, body) = id.parts();
        self.sent.remove(&user_ref);
        let known = self.known.entry(key).or_insert(Known {
            body,
            user_ref,
            said: None,
        });
        if known.body == body && known.said.is_none() {
            known.user_ref = user_ref;
            known.said = Some(said.clone());
        }
    }

    /// A wish that came to nothing, and may be made again.
    pub(super) fn forget(&mut self, user_ref: u32) {
        if let Some(id) = self.sent.remove(&user_ref) {
            self.known.remove(&id.parts().0);
        }
    }

    /// None of those that are on their way is known to have come in. What has is said by the exchange's messages.
    pub(super) fn forget_sent(&mut self) {
        while let Some((user_ref, _)) = self.sent.first_key_value() {
            let user_ref = *user_ref;
            self.forget(user_ref);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(key: &str, asked: &str) -> WishId {
        WishId::new("desk", key, asked)
    }

    #[test]
    fn a_key_has_its_first_answer_for_ever_and_is_for_one_wish() {
        let mut table = Table::default();
        let (wish, other) = (id("k1", "buy"), id("k1", "sell"));
        assert_eq!(table.find(wish), Found::New);
        table.sent(wish, 7);
        assert_eq!((table.find(wish), table.find(other)), (Found::Sent(7), Found::Other));
        table.said(wish, 7, &Ok("first".to_owned()));
        table.said(wish, 7, &Ok("second".to_owned()));
        assert_eq!(table.find(wish), Found::Said(Ok("first".to_owned())));
        assert_eq!(table.find(other), Found::Other);
        // What is told again is known without having been sent by this process.
        let mut again = Table::default();
        let shown = WishId::of(wish.cl_ord_id()).expect("an identifier");
        again.said(shown, 7, &Ok("first".to_owned()));
        assert_eq!(again.find(wish), Found::Said(Ok("first".to_owned())));
    }

    #[test]
    fn what_came_to_nothing_may_be_made_again() {
        let mut table = Table::default();
        let wishes = [id("a", "x"), id("b", "x")];
        table.sent(wishes[0], 1);
        table.sent(wishes[1], 2);
        table.said(wishes[1], 2, &Ok(String::new()));
        table.forget_sent();
        assert_eq!(table.find(wishes[0]), Found::New);
        assert_eq!(table.find(wishes[1]), Found::Said(Ok(String::new())));
        table.forget(2);
        assert_eq!(table.find(wishes[1]), Found::Said(Ok(String::new())));
    }

    #[test]
    fn at_the_bound_nothing_is_forgotten_and_nothing_new_is_taken() {
        let mut table = Table::default();
        let said = Ok(String::new());
        let mut number = 0;
        while table.known.len() < KEYS_MAX {
            number += 1;
            table.said(id(&number.to_string(), "x"), number, &said);
        }
        assert_eq!(table.find(id("1", "x")), Found::Said(said));
        assert_eq!(table.find(id("new", "x")), Found::Full);
    }

    #[test]
    fn users_of_one_session_have_keys_of_their_own() {
        let (one, other) = (WishId::new("ann", "k", "x"), WishId::new("bob", "k", "x"));
        assert_ne!(one.parts().0, other.parts().0);
        assert_eq!(one.parts().1, other.parts().1);
        assert_eq!(WishId::of(one.cl_ord_id()), Some(one));
        assert_eq!(WishId::of(ClOrdId::BLANK), None);
    }
}
