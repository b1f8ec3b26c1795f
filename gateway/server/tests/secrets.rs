//! A password is nowhere but on its way: not in a command (so not in the journal), not in an event, not in a line for people.

mod support;

use rialto_fix::Version;
use rialto_fix::client::{ClientConfig, Credentials};
use rialto_model::Door;

use support::Exchange;
use support::fix_client::{FixClient, spoken};
use support::ouch_client::{OuchClient, login};

/// The right password of every session in these tests, and a wrong one.
const SECRETS: [&str; 2] = ["secret", "planted999"];

#[test]
fn no_password_stands_in_the_stream_or_in_a_line() {
    let mut x = Exchange::new();
    for version in [Version::Fix42, Version::Fix44, Version::Fix50Sp2] {
        let again = ClientConfig {
            reset_numbers: true,
            ..spoken(version, "FIXONE")
        };
        let client = FixClient::enter(&mut x, again);
        drop(client);
        x.until("its loss", |x| x.counts(Door::Fix).sessions_up == 0);
        let wrong = ClientConfig {
            credentials: Some(Credentials {
                username: b"FIXTWO".to_vec(),
                password: SECRETS[1].as_bytes().to_vec(),
            }),
            ..spoken(version, "FIXTWO")
        };
        FixClient::connect(&x, wrong).until_closed(&mut x);
    }
    let mut client = OuchClient::enter(&mut x, "OUCH01");
    client.play(&mut x, "< S S\n> O 1 B 5 ABC 10.00\n< A 1 B 5 ABC 10.00 ref=1");
    OuchClient::connect(&x, login("OUCH02", SECRETS[1], "", 1)).until_closed(&mut x);
    // The password in the place of the name is no better kept by anybody, so only the other places are looked at.
    assert!(x.counts(Door::Fix).logins_refused == 3 && x.counts(Door::Ouch).logins_refused == 1);
    let mut everything = format!("{:?} {:?} {:?}", x.commands, x.outputs, x.lines).to_ascii_lowercase();
    for command in &x.commands {
        let mut bytes = [0; rialto_model::limits::MESSAGE_BYTES_MAX];
        let mut encoder = rialto_model::codec::Encoder::new(&mut bytes);
        command.encode(&mut encoder);
        let len = encoder.len();
        everything += &String::from_utf8_lossy(&bytes[..len]).to_ascii_lowercase();
    }
    assert!(
        everything.contains("fixone"),
        "names are there, so the search finds what is there"
    );
    for secret in SECRETS {
        assert!(!everything.contains(secret), "{secret} stands somewhere");
    }
}
