//! Firms that are served apart: a port of their own, opened and closed while they trade.

mod support;

use rialto_gateway::limits::PORT_CONNECTIONS_MAX;
use rialto_model::command::SetService;
use rialto_model::{Door, FirmId, Service};
use std::net::{SocketAddr, TcpStream};

use support::Exchange;
use support::fix_client::{FixClient, config};
use support::ouch_client::{OuchClient, login};

fn serve(x: &mut Exchange, service: Service) {
    let firm = FirmId(1);
    x.sequence(SetService { firm, service });
    let open = service == Service::Bridge;
    x.until("the ports", |x| {
        [Door::Ouch, Door::Fix].map(|door| x.port(firm, door).is_some()) == [open; 2]
    });
}

fn own_port(x: &Exchange, door: Door) -> SocketAddr {
    x.port(FirmId(1), door).expect("it has a port")
}

#[track_caller]
fn in_by(x: &mut Exchange, at: SocketAddr, user: &str, sequence: u64) -> OuchClient {
    let mut client = OuchClient::connect_at(x, at, login(user, "secret", "", sequence));
    x.until("login accepted", |x| {
        client.poll(x);
        client.accepted.is_some()
    });
    client
}

#[track_caller]
fn turned_away(x: &mut Exchange, at: SocketAddr, user: &str) {
    let mut client = OuchClient::connect_at(x, at, login(user, "secret", "", 1));
    client.until_closed(x);
    assert!(client.accepted.is_none());
}

#[test]
fn a_firm_served_apart_logs_on_by_its_own_port_and_nobody_else_does() {
    let mut x = Exchange::new();
    let pool = x.address(Door::Ouch);
    let mut on = OuchClient::enter(&mut x, "OUCH01");
    serve(&mut x, Service::Bridge);
    let own = own_port(&x, Door::Ouch);
    // Who is on stays on.
    on.play(&mut x, "< S S\n> O 1 B 5 ABC 10.00\n< A 1 B 5 ABC 10.00 ref=1");
    turned_away(&mut x, pool, "OUCH02");
    assert!(x.said("its firm has a port of its own"));
    turned_away(&mut x, own, "RIVAL1");
    in_by(&mut x, own, "OUCH02", 1);
    in_by(&mut x, pool, "RIVAL1", 1);
    let mut fix = FixClient::connect(&x, config("FIXONE"));
    fix.until_closed(&mut x);
    assert!(!fix.logged_on);
    let mut fix = FixClient::connect_at(&x, own_port(&x, Door::Fix), config("FIXONE"));
    x.until("the Logon", |x| {
        fix.poll(x);
        fix.logged_on
    });
    // And back: its port is closed, and who came by it stays.
    serve(&mut x, Service::Pool);
    assert!(TcpStream::connect(own).is_err());
    fix.play(&mut x, "> D 11=1 55=ABC 54=1 38=1 40=2 44=9.00\n< 8 150=0 11=1");
    on.logout(&x);
    x.until("its loss", |x| x.up(support::OUCH_ONE).is_none());
    in_by(&mut x, pool, "OUCH01", 1);
}

#[test]
fn a_crowd_before_the_door_keeps_no_firm_out_that_has_a_port() {
    let mut setup = support::Setup::default();
    setup.door.connections_max = 4;
    let mut x = Exchange::with(setup.clone());
    serve(&mut x, Service::Bridge);
    let pool = x.address(Door::Ouch);
    let crowd: Vec<TcpStream> = (0..4).map(|_| TcpStream::connect(pool).unwrap()).collect();
    x.until("the crowd", |x| x.counts(Door::Ouch).connections == 4);
    let mut client = {
        let own = own_port(&x, Door::Ouch);
        in_by(&mut x, own, "OUCH01", 1)
    };
    client.play(&mut x, "< S S\n> O 1 B 5 ABC 10.00\n< A 1 B 5 ABC 10.00 ref=1");
    drop(crowd);
    let own = own_port(&x, Door::Ouch);
    let crowd: Vec<TcpStream> = (0..PORT_CONNECTIONS_MAX)
        .map(|_| TcpStream::connect(own).unwrap())
        .collect();
    x.until("one too many", |x| x.counts(Door::Ouch).turned_away == 1);
    // A crowd before a firm's port is that firm's.
    in_by(&mut x, pool, "RIVAL1", 1);
    drop(crowd);
    // The stream says it, so it is so again after a crash.
    let mut crashed = x.crashed(setup);
    crashed.until("the port", |x| x.port(FirmId(1), Door::Ouch).is_some());
    let own = own_port(&crashed, Door::Ouch);
    in_by(&mut crashed, own, "OUCH01", 1);
}

#[test]
fn ten_changes_under_load_lose_nothing_and_repeat_nothing() {
    let mut x = Exchange::new();
    let pool = x.address(Door::Ouch);
    let mut client = in_by(&mut x, pool, "OUCH01", 1);
    let mut seen: Vec<(u64, String)> = Vec::new();
    let mut number = 0;
    for change in 0..10 {
        let send = |x: &Exchange, client: &mut OuchClient, number: &mut u32| {
            for _ in 0..20 {
                *number += 1;
                client.send(x, &format!("O {number} B 5 ABC 10.00"));
            }
        };
        send(&x, &mut client, &mut number);
        let service = if change % 2 == 0 {
            Service::Bridge
        } else {
            Service::Pool
        };
        serve(&mut x, service);
        send(&x, &mut client, &mut number);
        // It leaves while answers are on their way, and comes back by the other port from where it was.
        x.step();
        client.poll(&x);
        client.logout(&x);
        x.until("its loss", |x| {
            client.poll(x);
            x.up(support::OUCH_ONE).is_none()
        });
        seen.append(&mut client.messages);
        let at = match service {
            Service::Bridge => own_port(&x, Door::Ouch),
            Service::Pool => pool,
        };
        client = in_by(&mut x, at, "OUCH01", seen.len() as u64 + 1);
    }
    x.until("every answer", |x| {
        client.poll(x);
        seen.len() + client.messages.len() > number as usize
    });
    seen.append(&mut client.messages);
    let numbers: Vec<u64> = seen.iter().map(|(number, _)| *number).collect();
    assert_eq!(
        numbers,
        (1..=u64::from(number) + 1).collect::<Vec<_>>(),
        "no gap, no repeat"
    );
    let accepted = seen.iter().filter(|(_, text)| text.starts_with("A ")).count();
    assert_eq!(accepted, number as usize, "each order once");
}
