//! A recovery of what the server no longer remembers comes from who has the journal, and joins what it remembers.

mod common;

use common::{PATIENCE, Venue, locate};
use rialto_itch::mold::Packet;
use rialto_quic::Config;
use rialto_quic::frames::{Mode, Recovery, ServerFrame};
use rialto_quic::limits::LOG_MESSAGES_MAX;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

#[test]
fn what_is_no_longer_remembered_is_recovered_all_the_same() {
    let mut venue = Venue::open(Config::default());
    venue.trade(LOG_MESSAGES_MAX as u64);
    let begun = Instant::now();
    while venue.server.counters().read().sequence < venue.next - 1 {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    let mut all = venue.subscribe("alpha", Mode::Full);
    let mut half = venue.subscribe("half", Mode::Full);
    let floor = venue.next - LOG_MESSAGES_MAX as u64;
    assert!(floor > 5_000);
    let (session, blocks) = (venue.session, venue.blocks.clone());
    for (subscriber, sees_all) in [(&mut all, true), (&mut half, false)] {
        for (first, count) in [(1, 2_000), (2_345, 1), (floor - 500, 1_000)] {
            let done = AtomicBool::new(false);
            let (got, asked) = std::thread::scope(|scope| {
                let asking = scope.spawn(|| {
                    let mut got = Vec::new();
                    let mut end = 0;
                    let recovery = Recovery { session, first, count };
                    let answered = subscriber.client.recover(&recovery, &mut |frame| match frame {
                        ServerFrame::Packet(packet) => {
                            let packet = Packet::parse(packet).expect("a packet");
                            assert_eq!(packet.sequence().0, first + got.len() as u64);
                            got.extend(packet.blocks().map(|(_, message)| message.to_vec()));
                        }
                        ServerFrame::Done { next } => end = next,
                        other => panic!("{other:?}"),
                    });
                    done.store(true, Ordering::Relaxed);
                    answered.expect("an answer");
                    assert_eq!(end, first + u64::from(count));
                    got
                });
                let asked = venue.remember(|| done.load(Ordering::Relaxed));
                (asking.join().expect("no panic"), asked)
            });
            assert_eq!(asked.len(), 1);
            assert_eq!(asked[0].0, first);
            assert!(
                u64::from(asked[0].1) <= floor + 1 - first,
                "what is remembered is not asked for"
            );
            assert_eq!(got.len(), count as usize);
            let mut withheld = 0;
            for (message, block) in got.iter().zip(&blocks[first as usize - 1..]) {
                let seen = sees_all || block.get(3..5) != Some(&locate(1).0.to_be_bytes()[..]);
                withheld += usize::from(!seen);
                assert_eq!(message.as_slice(), if seen { &block[2..] } else { &[] });
            }
            assert!(sees_all || count == 1 || withheld > 100);
        }
    }
}
