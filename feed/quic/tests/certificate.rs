//! What the server is known by: made on the first start, the same on the next, and never replaced behind anybody's back.

mod common;

use common::{Venue, stock};
use rialto_quic::frames::Mode;
use rialto_quic::{Certificate, CertificateError, Client, ClientError, Config, Trust};

#[test]
fn made_on_the_first_start_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = Certificate::load_or_make(&chain, &key).unwrap();
    let again = Certificate::load_or_make(&chain, &key).unwrap();
    assert_eq!(made.chain_pem(), again.chain_pem());
    assert_eq!(std::fs::read_to_string(&chain).unwrap(), made.chain_pem());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the key is for its owner alone");
    }
    assert!(!format!("{made:?}").contains("PRIVATE"), "a key is in no log");
    // Half of a configured pair is a mistake, not a first start.
    std::fs::remove_file(&key).unwrap();
    let error = Certificate::load_or_make(&chain, &key).unwrap_err();
    assert!(matches!(error, CertificateError::File { .. }), "{error}");
    assert!(error.to_string().contains("key.pem"), "{error}");
    assert_eq!(std::fs::read_to_string(&chain).unwrap(), made.chain_pem());
}

#[test]
fn a_server_with_another_certificate_is_not_trusted() {
    let mut venue = Venue::open(Config::default());
    venue.trade(10);
    let login = venue.login("alpha", Mode::Full);
    let connect = |pem: &str, name: &str| {
        let trust = Trust {
            pem: pem.to_owned(),
            name: name.to_owned(),
        };
        Client::connect(venue.server.address(), &trust, &login)
    };
    assert!(connect(&venue.trust.pem, "localhost").is_ok(), "{}", stock(0));
    let other = Certificate::development().unwrap();
    for refused in [
        connect(other.chain_pem(), "localhost"),
        connect(&venue.trust.pem, "elsewhere"),
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(error, ClientError::Connect { .. }), "{error}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
}
