//! Keys: what their file may say, who is admitted by them, and that an operator's look is written down before it is made.

use rialto_members::{Admitted, Audit, KeyRole, Keyring, Operator, sign};
use rialto_model::{AccountId, Actor, FirmId, Text};

fn ring() -> Keyring {
    let mut keys = Keyring::new();
    keys.add("desk", "secret of desk", KeyRole::Trader, FirmId(1), AccountId(0))
        .expect("a key");
    keys.add("eye", "secret of eye", KeyRole::ReadOnly, FirmId(2), AccountId(7))
        .expect("a key");
    keys.add("boss", "secret of boss", KeyRole::Operator, FirmId(0), AccountId(0))
        .expect("a key");
    keys
}

#[test]
fn a_key_admits_who_has_its_secret_to_its_firm_alone() {
    let keys = Keyring::parse(&ring().to_toml()).expect("own file");
    assert_eq!(keys, ring());
    assert!(!keys.to_toml().contains("secret of"));
    let Some(Admitted::Member(actor, scope)) = keys.admit("eye", "secret of eye") else {
        panic!("admitted");
    };
    assert_eq!(actor.as_str(), "eye");
    assert_eq!((scope.firm(), scope.account()), (FirmId(2), Some(AccountId(7))));
    assert!(keys.admit("eye", "secret of desk").is_none());
    assert!(keys.admit("nobody", "secret of eye").is_none());
    assert!(matches!(
        keys.admit("boss", "secret of boss"),
        Some(Admitted::Operator(_))
    ));
}

#[test]
fn a_signature_is_of_these_bytes_by_this_key() {
    let keys = ring();
    let signature = sign("secret of desk", b"GET /portfolio");
    assert!(keys.admit_signed("desk", b"GET /portfolio", &signature).is_some());
    assert!(keys.admit_signed("desk", b"GET /portfoliO", &signature).is_none());
    assert!(keys.admit_signed("eye", b"GET /portfolio", &signature).is_none());
    assert!(keys.admit_signed("desk", b"GET /portfolio", "00").is_none());
    assert!(keys.admit_signed("desk", b"GET /portfolio", &"é".repeat(32)).is_none());
}

/// What a client in another language computes: RFC 2104 over SHA-256, the key being SHA-256 of `rialto-key:` and the secret.
#[test]
fn a_signature_has_these_bytes() {
    assert_eq!(
        sign("secret", b"GET /portfolio"),
        "590f6cea186e223374aab449ac8ed4ff72eb09ff48e9f702199988f82d9a1087"
    );
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let entry = |name: &str, role: &str, firm: u32, verifier: &str| {
        format!("[keys.\"{name}\"]\nverifier = \"{verifier}\"\nrole = \"{role}\"\nfirm = {firm}\n")
    };
    let good = "ab".repeat(32);
    assert!(Keyring::parse(&entry("a", "trader", 1, &good)).is_ok());
    for bad in [
        entry("a", "trader", 0, &good),
        entry("a", "operator", 1, &good),
        entry("a b", "trader", 1, &good),
        entry("a", "king", 1, &good),
        entry("a", "trader", 1, "abc"),
        entry("a234567890123456x", "trader", 1, &good),
    ] {
        assert!(Keyring::parse(&bad).is_err(), "{bad}");
    }
}

#[derive(Default)]
struct Paper(Vec<(String, u32)>, bool);

impl Audit for Paper {
    type Error = &'static str;
    fn looked(&mut self, actor: Actor, firm: FirmId, _why: Text) -> Result<(), Self::Error> {
        if self.1 {
            return Err("no ink");
        }
        self.0.push((actor.to_string(), firm.0));
        Ok(())
    }
}

#[test]
fn an_operators_look_is_written_down_or_not_made() {
    let operator = Operator::of_the_files(Actor::new("ops").expect("short"));
    let mut paper = Paper::default();
    let scope = operator.look(FirmId(3), Text::EMPTY, &mut paper).expect("written");
    assert_eq!(scope.firm(), FirmId(3));
    assert_eq!(paper.0, [("ops".to_owned(), 3)]);
    paper.1 = true;
    assert_eq!(operator.look(FirmId(3), Text::EMPTY, &mut paper), Err("no ink"));
}
