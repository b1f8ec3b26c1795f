//! One order from the wire to the wire, through exactly the steps that ARCHITECTURE.md lists, each stage polled by hand.

use rialto_engine::{EngineStage, HashStage, Hashes};
use rialto_feed::{FeedStage, multicast};
use rialto_gateway::{FirmBudgets, FirmPorts, OuchConfig, OuchDoor, Parts, Say};
use rialto_itch::Message;
use rialto_itch::mold::Packet;
use rialto_journal::{Config, Durability, MemDisk, Reader as JournalReader, recover};
use rialto_matching::{CURRENT_RELEASE, Engine, Limits};
use rialto_members::{Credentials, Password, Verifier};
use rialto_model::command::{DefineAccount, DefineFirm, DefineInstrument, DefineSession, Release, StartOfDay};
use rialto_model::{
    AccountId, Command, Door, FirmId, InstrumentId, Mpid, Price, PriceScale, Quantity, SequenceNumber, SessionId,
    Symbol, Text, Timestamp, TradingDay, VenueId,
};
use rialto_ouch::messages::{
    Appendage, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, Outbound, Price as OuchPrice,
    Quantity as OuchQuantity, Side, Symbol as OuchSymbol, TimeInForce, UserRefNum,
};
use rialto_ring::broadcast::broadcast;
use rialto_ring::spsc::RingBuffer;
use rialto_ring::{Stage as _, Stop, SystemClock, VirtualClock};
use rialto_sequencer::{ReleaseGate, Sequencer, SequencerConfig};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn opening() -> [Command; 6] {
    let name = Text::new(b"alpha1").unwrap();
    let day = TradingDay(20_000);
    [
        Release {
            venue: VenueId(1),
            release: CURRENT_RELEASE,
        }
        .into(),
        DefineInstrument {
            instrument: InstrumentId(1),
            symbol: Symbol::new("ACME").unwrap(),
            scale: PriceScale::DEFAULT,
            tick: Price(100),
            price_max: Price(1_000_000_000),
            lot: Quantity(1),
            quantity_max: Quantity(1_000_000),
        }
        .into(),
        DefineFirm {
            firm: FirmId(1),
            mpid: Mpid::new("ALFA").unwrap(),
            name,
        }
        .into(),
        DefineAccount {
            account: AccountId(1),
            firm: FirmId(1),
        }
        .into(),
        DefineSession {
            session: SessionId(1),
            firm: FirmId(1),
            account: AccountId(1),
            door: Door::Ouch,
            name,
        }
        .into(),
        StartOfDay {
            day,
            midnight: day.midnight_utc(),
        }
        .into(),
    ]
}

fn enter_order() -> Vec<u8> {
    let order = EnterOrder {
        user_ref: UserRefNum(1),
        side: Side::Buy,
        quantity: OuchQuantity(300),
        symbol: OuchSymbol::new("ACME").unwrap(),
        price: OuchPrice(1_000_000),
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Principal,
        inter_market_sweep: InterMarketSweep::NotEligible,
        cross_type: CrossType::Continuous,
        cl_ord_id: ClOrdId::new("first").unwrap(),
        appendage: Appendage::EMPTY,
    };
    let mut message = Vec::new();
    order.encode(&mut message);
    packet(b'U', &message)
}

fn packet(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u16 + 1).to_be_bytes().to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(payload);
    bytes
}

/// The payload of the next SoupBinTCP packet of `kind`, if it has come.
fn next_packet(stream: &mut TcpStream, received: &mut Vec<u8>, kind: u8) -> Option<Vec<u8>> {
    let mut chunk = [0; 4_096];
    if let Ok(count) = stream.read(&mut chunk) {
        received.extend_from_slice(&chunk[..count]);
    }
    while received.len() > 2 {
        let length = usize::from(u16::from_be_bytes([received[0], received[1]]));
        let rest = received.get(2..2 + length)?.to_vec();
        received.drain(..2 + length);
        if rest[0] == kind {
            return Some(rest[1..].to_vec());
        }
    }
    None
}

/// Calls `step` until it gives something.
fn until<T>(what: &str, mut step: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(result) = step() {
            return result;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        std::thread::yield_now();
    }
}

#[test]
fn one_order_goes_all_the_way() {
    // The stages, as the composition root puts them together, with a disk that only keeps what is synced.
    let disk = MemDisk::new();
    let config = Config {
        durability: Durability::Disk,
        segment_bytes: 1 << 20,
        ..Config::default()
    };
    let (journal, mut syncer) = recover(&disk, VenueId(1)).unwrap().into_writer(config).unwrap();
    let (epoch, frontier) = (journal.epoch(), journal.frontier());
    let (event_in, gate, readers) = broadcast(1_024, 3);
    let [ouch_reader, feed_reader, hash_reader] = <[_; 3]>::try_from(readers).ok().unwrap();
    let (mut venue_in, venue_out) = RingBuffer::new(64);
    let (ouch_in, ouch_out) = RingBuffer::new(64);
    let (command_in, command_out) = RingBuffer::new(64);
    let mut credentials = Credentials::new();
    credentials.add("alpha1", &Password::new(b"secret").unwrap()).unwrap();
    let verifier = Verifier::start(credentials).unwrap();
    let clock = VirtualClock::at(Timestamp(TradingDay(20_000).midnight_utc().0 + 1_000));
    let parts = Parts {
        clock: SystemClock::new(),
        commands: ouch_in,
        outputs: ouch_reader,
        budgets: FirmBudgets::default(),
        ports: FirmPorts::default(),
        desk: verifier.desk(),
        say: Say::nowhere(),
    };
    let mut ouch = OuchDoor::open(OuchConfig::new("127.0.0.1:0".parse().unwrap()), parts).unwrap();
    let sequenced = SequencerConfig {
        batch: 16,
        last_seq: SequenceNumber(0),
        last_stamp: Timestamp(0),
        epoch,
        cancel_only: false,
    };
    let inputs = vec![venue_out, ouch_out];
    let mut sequencer = Sequencer::new(sequenced, inputs, command_in, journal, clock, Stop::new());
    let mut engine = EngineStage::new(Engine::new(Limits::default()), command_out, event_in);
    let mut gate = ReleaseGate::new(gate, frontier, epoch);
    let mut feed_config = rialto_feed::Config::default();
    feed_config.rerequest.set_port(0);
    feed_config.line_a.set_port(0);
    feed_config.line_b = None;
    let mut feed = FeedStage::new(&feed_config, feed_reader, SystemClock::new()).unwrap();
    let mut hash = HashStage::new(hash_reader, Hashes::default());
    let line_a = multicast::receiver(feed.line_a(), feed_config.interface).unwrap();
    line_a.set_nonblocking(true).unwrap();

    // The venue opens and the session logs on.
    for command in opening() {
        venue_in.push(command).unwrap();
    }
    let mut client = TcpStream::connect(ouch.address()).unwrap();
    client.set_nonblocking(true).unwrap();
    let mut received = Vec::new();
    client
        .write_all(&packet(
            b'L',
            format!("{:6}{:10}{:10}{:>20}", "alpha1", "secret", "", 1).as_bytes(),
        ))
        .unwrap();
    until("the login", || {
        ouch.poll();
        sequencer.poll();
        engine.poll();
        syncer.poll();
        gate.poll();
        feed.poll();
        hash.poll();
        next_packet(&mut client, &mut received, b'A')
    });
    until("quiet", || {
        let moved = sequencer.poll() + engine.poll() + syncer.poll() + gate.poll() + feed.poll() + hash.poll();
        (moved + ouch.poll() == 0 && gate.is_drained()).then_some(())
    });
    let (before, events_before) = (sequencer.last_seq(), hash.hashes().events());
    while line_a.recv(&mut [0; 2_048]).is_ok() {}

    // 1, 2: bytes become a command in the door's ring.
    client.write_all(&enter_order()).unwrap();
    until("the command", || {
        ouch.poll();
        // 3, 4: the sequencer numbers, stamps and writes it.
        (sequencer.poll() == 1).then_some(())
    });
    assert_eq!(sequencer.last_seq(), before.next());
    // 5: the engine applies it.
    assert_eq!(engine.poll(), 1);
    // 6: nothing leaves before it is safe, and then it does.
    assert_eq!(gate.poll(), 0, "written is not synced");
    assert_eq!(hash.poll(), 0);
    until("the sync", || (syncer.poll() > 0 && gate.poll() == 1).then_some(()));
    // 7: the member is told.
    let accepted = until("the answer", || {
        ouch.poll();
        next_packet(&mut client, &mut received, b'S').filter(|message| message.first() == Some(&b'A'))
    });
    let Ok(Outbound::OrderAccepted(accepted)) = Outbound::decode(&accepted) else {
        panic!("{accepted:?}")
    };
    assert_eq!(
        (accepted.user_ref, accepted.quantity),
        (UserRefNum(1), OuchQuantity(300))
    );
    // 8: the world is told, under the same reference.
    feed.poll();
    let mut datagram = [0; 2_048];
    let added = until("the packet", || {
        feed.poll();
        let count = line_a.recv(&mut datagram).ok()?;
        let packet = Packet::parse(&datagram[..count]).unwrap();
        packet.blocks().find_map(|(_, bytes)| match Message::decode(bytes) {
            Ok(Message::AddOrder(added)) => Some(added),
            _ => None,
        })
    });
    assert_eq!((added.shares.0, added.price.units()), (300, 1_000_000));
    assert_eq!(added.reference.0, accepted.order_reference.0);
    // 9: the hash takes it in.
    until("the hash", || {
        hash.poll();
        (hash.hashes().events() == events_before + 1).then_some(())
    });
    assert_eq!(hash.hashes().last_seq(), before.next());
    // And the journal holds it.
    let last = JournalReader::open(&disk).unwrap().map(Result::unwrap).last().unwrap();
    assert!(
        matches!(last.body, Command::Enter(enter) if enter.quantity == Quantity(300)),
        "{last:?}"
    );
}
