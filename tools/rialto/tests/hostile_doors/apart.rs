//! Firms that are served apart: a port of their own at each door, and a crowd before it.

use crate::support::hostile::{Dice, Ear, Fix, Soup, connect};
use crate::support::{ask, until};
use crate::{Firm, Heard, NOW, Place, Ports, seed};
use rialto_gateway::limits::PORT_CONNECTIONS_MAX;
use std::io::Write as _;
use std::path::Path;

/// Gives both firms ports of their own.
pub(crate) fn serve_apart(data: &Path) -> Ports {
    let member = |args: &[&str]| ask(&[&["member"], args, &["--data", data.to_str().expect("UTF-8")]].concat());
    for firm in Firm::BOTH {
        member(&["serve", &firm.mpid(), "bridge"]);
    }
    until("ports of their own", || {
        let rows = member(&["firm", "ls"]);
        let ports = Firm::BOTH.into_iter().flat_map(|firm| {
            let row = rows.iter().find(|row| row["firm"] == firm.number);
            ["ouch", "fix"].map(|door| Some((firm.number, door, row?[door].as_str()?.to_owned())))
        });
        ports.collect()
    })
}

/// Crowds before the other's ports, more than they hold: most say nothing, some make noise, some log in in the other's name.
pub(crate) fn flood(place: &Place<'_>, other: Firm, calls: usize) -> Heard {
    let (mut dice, mut ear) = (Dice(seed() + 8), Ear::new("a crowd before a port", &other.secrets()));
    let crowd = PORT_CONNECTIONS_MAX + 16;
    let rounds = calls.div_ceil(2 * crowd).max(1);
    for _ in 0..rounds {
        let [ouch, fix] = ["ouch", "fix"].map(|door| place.port_of(other, door));
        let mut crowds = Vec::new();
        let (mut soups, mut fixes) = (Vec::new(), Vec::new());
        for number in 0..crowd {
            let password = format!("guess{number}");
            match number % 8 {
                0 => {
                    let name = other.session(1 + dice.below(4));
                    soups.push(Soup::login(ouch, &name, &password, "", NOW));
                    fixes.push(Fix::logon(fix, &other.fix("FIX"), &password, ""));
                }
                kind => crowds.extend([ouch, fix].map(|port| {
                    let mut stream = connect(port);
                    if kind == 1 {
                        // It may have been turned away already.
                        let _ = stream.write_all(&dice.bytes(60));
                    }
                    stream
                })),
            }
        }
        let mut let_in = false;
        for soup in &mut soups {
            soup.hears(&mut ear, |kind, _| {
                let_in |= kind == b'A';
                matches!(kind, b'A' | b'J')
            });
        }
        for fix in &mut fixes {
            fix.hears(&mut ear, |fields| {
                let_in |= fields.get(35) == "A";
                matches!(fields.get(35), "A" | "5")
            });
        }
        assert!(!let_in, "a guess is let in");
    }
    Heard {
        door: "ports of the other's own, in crowds",
        calls: rounds * 2 * crowd,
        ear,
    }
}
