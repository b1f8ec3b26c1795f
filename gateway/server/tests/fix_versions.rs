//! One door, three versions: the Logon chooses, and each client is told what its own dictionary defines. Every message that a
//! client of these tests receives is held against that dictionary.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use rialto_fix::Version;
use rialto_model::Door;

use support::fix_client::{FixClient, config, spoken};
use support::{Exchange, Setup};

/// A client in each version against a rival in FIX 4.4. `#` stands for what FIX 4.2 requires of an order beyond the others.
fn in_version(version: Version, played: &str) {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, spoken(version, "FIXONE"));
    let mut rival = FixClient::enter(&mut x, config("FIXTWO"));
    rival.play(
        &mut x,
        "> D 11=r1 55=ABC 54=2 38=10 40=2 44=10.00\n< 8 150=0\n> D 11=r2 55=ABC 54=2 38=10 40=2 44=10.01\n< 8 150=0",
    );
    let extra = if version == Version::Fix42 { "21=1" } else { "" };
    client.play(&mut x, &played.replace('#', extra));
    client.expect_nothing(&mut x, "LAST");
}

const ORDERS: &str = "> D 11=A 55=ABC 54=1 38=5 40=2 44=9.00 #
     < 8 150=0 39=0 11=A 55=ABC 54=1 38=5 14=0 151=5 [new]
     > G 11=B 41=A 55=ABC 54=1 38=30 40=2 44=10.01 #
     < 8 150=5 39=0 11=B 41=A 38=30 151=30
     < 8 [fill] 39=1 11=B 32=10 31=10 14=10 151=20
     < 8 [fill] 39=1 11=B 32=10 31=10.01 14=20 151=10
     > F 11=C 41=B 55=ABC 54=1 38=30
     < 8 150=4 39=4 11=C 41=B 14=20 151=0
     > F 11=D 41=B 55=ABC 54=1 38=30
     < 9 11=D 41=B 39=4 434=1 102=0
     > D 11=A 55=ABC 54=1 38=5 40=2 44=9.00 #
     < 8 150=8 39=8 11=A 103=6
     > D 11=E 55=ABC 54=1 38=0 40=2 44=9.00 #
     < 8 150=8 39=8 11=E [103=13]
     > D 11=F 55=ABC 54=1 38=5 40=2 44=10.00 59=4 #
     < 8 150=0 11=F
     < 8 150=4 39=4 11=F 151=0";

#[test]
fn fix_4_2() {
    let played = ORDERS
        .replace("[new]", "20=0 !851")
        .replacen("[fill]", "150=1 20=0 !851", 2)
        .replace("[103=13]", "103=0 20=0");
    in_version(Version::Fix42, &played);
}

#[test]
fn fix_4_4() {
    let played = ORDERS
        .replace("[new]", "!20 !851")
        .replace("[fill]", "150=F 851=2 !20 !880")
        .replace("[103=13]", "103=13");
    in_version(Version::Fix44, &played);
}

#[test]
fn fix_5_0_sp2_over_fixt_1_1() {
    let played = ORDERS
        .replace("[new]", "!20 !851")
        .replace("[fill]", "150=F 851=2 !20")
        .replace("[103=13]", "103=13");
    in_version(Version::Fix50Sp2, &played);
}

#[test]
fn what_was_said_in_one_version_is_said_again_in_another() {
    let mut x = Exchange::new();
    let mut client = FixClient::enter(&mut x, config("FIXONE"));
    client.play(&mut x, "> D 11=A 55=ABC 54=1 38=5 40=2 44=9.00\n< 8 150=0 !20");
    let mut crashed = x.crashed(Setup::default());
    let x = &mut crashed;
    let again = rialto_fix::client::ClientConfig {
        next_outbound: client.client.next_outbound(),
        ..spoken(Version::Fix42, "FIXONE")
    };
    let mut client = FixClient::enter(x, again);
    client.play(x, "< 8 150=0 20=0 11=A");
}

#[test]
fn a_version_that_is_not_spoken_is_cut_off_without_a_word() {
    let mut x = Exchange::new();
    let mut stream = TcpStream::connect(x.address(Door::Fix)).unwrap();
    stream.set_nonblocking(true).unwrap();
    let body = b"35=A\x0134=1\x0149=FIXONE\x0152=20241004-10:00:00.000\x0156=RIALTO\x0198=0\x01108=30\x01";
    let mut logon = format!("8=FIX.4.3\x019={}\x01", body.len()).into_bytes();
    logon.extend_from_slice(body);
    let sum = logon.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    logon.extend_from_slice(format!("10={sum:03}\x01").as_bytes());
    stream.write_all(&logon).unwrap();
    x.until("the connection to be closed", |_| {
        matches!(stream.read(&mut [0; 64]), Ok(0))
    });
    assert_eq!(x.counts(Door::Fix).frames_out, 0);
    assert!(x.said("BeginString(8) is of another version"));
}
