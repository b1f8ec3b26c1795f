//! A bad line to a member, on purpose: what the door has written reaches the connection late, twice, out of order or not
//! at all, as the faults that stand say.
//!
//! A line holds whole messages until they are due. It holds [`HELD_BYTES_MAX`] bytes at most; beyond, the session keeps what
//! it has, as with a slow connection.

use std::collections::VecDeque;

use rialto_fix::message::Framer as FixFramer;
use rialto_model::{Door, FaultKind, SessionId};
use rialto_ouch::soup::Framer as SoupFramer;
use rialto_relay::{Faults, Relay};
use rialto_ring::faults::{FaultSight, StandingFault};

/// Bytes that a line holds at most.
const HELD_BYTES_MAX: usize = 1 << 20;
/// Copies that a line holds at most.
const HELD_MAX: usize = 65_536;

/// The kinds of faults that a door has to do with.
pub(crate) const KINDS: &[FaultKind] = &[
    FaultKind::Latency,
    FaultKind::Drop,
    FaultKind::Duplicate,
    FaultKind::Reorder,
    FaultKind::Disconnect,
];

/// What stands between a session and its connection.
#[derive(Debug)]
pub(crate) struct BadLine {
    faults: Vec<(StandingFault, Relay)>,
    framer: Framer,
    /// When it is due, and the message.
    held: VecDeque<(u64, Vec<u8>)>,
    held_bytes: usize,
    /// Bytes of a message that has not come in full.
    partial: usize,
    /// Bytes that are due, in order.
    due: Vec<u8>,
    /// A message that was the last one.
    cut: bool,
}

#[derive(Debug)]
enum Framer {
    Fix(FixFramer),
    Soup(SoupFramer),
}

/// The line of a session where any of the faults is about it.
pub(crate) fn line_of(door: Door, session: Option<SessionId>, sight: &FaultSight) -> Option<Box<BadLine>> {
    let faults = about(session, sight);
    (!faults.is_empty()).then(|| {
        Box::new(BadLine {
            faults,
            framer: match door {
                Door::Fix => Framer::Fix(FixFramer::new()),
                Door::Ouch | Door::Venue => Framer::Soup(SoupFramer::new(u16::MAX)),
            },
            held: VecDeque::new(),
            held_bytes: 0,
            partial: 0,
            due: Vec::new(),
            cut: false,
        })
    })
}

fn about(session: Option<SessionId>, sight: &FaultSight) -> Vec<(StandingFault, Relay)> {
    let of = |one: &&StandingFault| session.is_some_and(|session| one.fault.is_of(session));
    let faults = sight.faults().iter().filter(of);
    faults.filter_map(|one| Some((one.clone(), relay(one)?))).collect()
}

fn relay(one: &StandingFault) -> Option<Relay> {
    let fault = &one.fault;
    let none = Faults::NONE;
    let faults = match fault.kind {
        FaultKind::Latency => Faults {
            delay_ns: fault.delay,
            jitter_ns_max: fault.jitter,
            ..none
        },
        // A connection that breaks is one that loses a message and all behind it.
        FaultKind::Drop | FaultKind::Disconnect => Faults {
            loss_ppm: fault.chance,
            ..none
        },
        FaultKind::Duplicate => Faults {
            duplicate_ppm: fault.chance,
            ..none
        },
        FaultKind::Reorder => Faults {
            reorder_ppm: fault.chance,
            reorder_ns_max: fault.delay,
            ..none
        },
        _ => return None,
    };
    Relay::new(faults, fault.seed).ok()
}

impl BadLine {
    /// Takes bytes of the session, as many as there is room for, and says how many.
    pub(crate) fn take(&mut self, now_ns: u64, bytes: &[u8]) -> usize {
        if self.cut {
            return bytes.len();
        }
        if self.held_bytes + self.due.len() >= HELD_BYTES_MAX || self.held.len() >= HELD_MAX {
            return 0;
        }
        let taken = match &mut self.framer {
            Framer::Fix(framer) => framer.feed(bytes),
            Framer::Soup(framer) => framer.feed(bytes),
        };
        self.partial += taken;
        while let Some(message) = self.next() {
            self.partial = self.partial.saturating_sub(message.len());
            self.decide(now_ns, message);
        }
        taken
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        match &mut self.framer {
            // What the door writes itself is never garbled.
            Framer::Fix(framer) => {
                let place = framer.next_frame()?.ok()?;
                Some(framer.frame(place).to_vec())
            }
            Framer::Soup(framer) => {
                let packet = framer.next_packet().ok()??;
                Some([&(packet.len() as u16).to_be_bytes(), packet].concat())
            }
        }
    }

    fn decide(&mut self, now_ns: u64, message: Vec<u8>) {
        if self.cut {
            return;
        }
        let mut copies = vec![(0, false)];
        for (standing, relay) in &mut self.faults {
            let mut after = Vec::new();
            for (delay, held) in &copies {
                let fate = relay.decide(now_ns, message.len());
                let reorders = standing.fault.kind == FaultKind::Reorder;
                after.extend(
                    fate.copies()
                        .map(|copy| (delay + copy.delay_ns, *held || (reorders && copy.delay_ns > 0))),
                );
            }
            if after != copies {
                standing.strike();
            }
            if after.is_empty() && !copies.is_empty() && standing.fault.kind == FaultKind::Disconnect {
                self.cut = true;
                return;
            }
            copies = after;
        }
        // Only what is held back on purpose may be overtaken.
        let last = self.held.back().map_or(0, |(due, _)| *due);
        for (delay, held) in copies {
            let due = now_ns.saturating_add(delay);
            let due = if held {
                due
            } else {
                due.max(if delay > 0 { last } else { 0 })
            };
            let place = self.held.partition_point(|(other, _)| *other <= due);
            self.held_bytes += message.len();
            self.held.insert(place, (due, message.clone()));
        }
    }

    /// What is due for the connection.
    pub(crate) fn due(&mut self, now_ns: u64) -> &[u8] {
        while self.held.front().is_some_and(|(due, _)| *due <= now_ns) {
            if let Some((_, message)) = self.held.pop_front() {
                self.held_bytes -= message.len();
                self.due.extend_from_slice(&message);
            }
        }
        &self.due
    }

    /// The connection took so many of them.
    pub(crate) fn written(&mut self, count: usize) {
        self.due.drain(..count.min(self.due.len()));
    }

    /// Whether nothing is on its way.
    pub(crate) fn is_empty(&self) -> bool {
        self.due.is_empty() && self.held.is_empty() && self.partial == 0
    }

    /// Whether the connection is to break now.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut && self.due.is_empty() && self.held.is_empty()
    }

    /// Other faults stand from now on; those that stood already go on where they are. Where none does, what is held is due.
    pub(crate) fn fit(&mut self, session: Option<SessionId>, sight: &FaultSight) {
        let before = std::mem::replace(&mut self.faults, about(session, sight));
        for (standing, relay) in &mut self.faults {
            if let Some((_, known)) = before.iter().find(|(other, _)| other.fault == standing.fault) {
                relay.clone_from(known);
            }
        }
        if self.faults.is_empty() {
            self.held.iter_mut().for_each(|(due, _)| *due = 0);
        }
    }

    /// Whether any fault is about it.
    pub(crate) const fn is_faulty(&self) -> bool {
        !self.faults.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::Text;
    use rialto_model::command::AddFault;
    use rialto_ring::faults::FaultBoard;

    const SECOND: u64 = 1_000_000_000;

    fn line(faults: &[AddFault]) -> (Box<BadLine>, FaultBoard) {
        let board = FaultBoard::default();
        board.set(faults.iter().map(|fault| (*fault, Text::EMPTY)));
        let mut sight = FaultSight::new(board.clone(), KINDS);
        sight.look();
        (line_of(Door::Ouch, Some(SessionId(3)), &sight).unwrap(), board)
    }

    fn fault(kind: FaultKind, chance: u32, delay: u64) -> AddFault {
        AddFault {
            kind,
            seed: 5,
            chance,
            delay,
            name: Text::new(b"f").unwrap(),
            ..AddFault::default()
        }
    }

    /// A hundred packets a millisecond apart; what came when, in order.
    fn send(line: &mut BadLine) -> Vec<(u64, u8)> {
        let mut came = Vec::new();
        for at in 0..2_000_u64 {
            let now = at * 1_000_000;
            if at < 100 {
                let packet = [0, 2, b'S', at as u8];
                // In pieces, as a session's buffer may be taken.
                assert_eq!(line.take(now, &packet[..3]), 3);
                assert_eq!(line.take(now, &packet[3..]), 1);
            }
            let due = line.due(now).to_vec();
            line.written(due.len());
            came.extend(due.chunks(4).map(|packet| (at, packet[3])));
        }
        came
    }

    #[test]
    fn latency_is_late_and_in_order() {
        let (mut line, board) = line(&[AddFault {
            jitter: SECOND / 10,
            ..fault(FaultKind::Latency, 0, SECOND / 5)
        }]);
        let came = send(&mut line);
        assert_eq!(
            came.iter().map(|(_, number)| *number).collect::<Vec<_>>(),
            (0..100).collect::<Vec<_>>()
        );
        assert!(
            came.iter()
                .all(|(at, number)| (200..=400).contains(&(at - u64::from(*number)))),
            "{came:?}"
        );
        assert_eq!(board.read()[0].struck(), 100);
    }

    #[test]
    fn messages_get_lost_twice_and_out_of_order_by_their_chance() {
        let numbers = |line: &mut BadLine| send(line).into_iter().map(|(_, number)| number).collect::<Vec<u8>>();
        let (mut drops, board) = line(&[fault(FaultKind::Drop, 300_000, 0)]);
        let came = numbers(&mut drops);
        assert!((50..90).contains(&came.len()) && came.is_sorted(), "{came:?}");
        assert_eq!(board.read()[0].struck() as usize, 100 - came.len());
        let again = numbers(&mut line(&[fault(FaultKind::Drop, 300_000, 0)]).0);
        assert_eq!(came, again, "a seed decides");

        let (mut doubles, _) = line(&[fault(FaultKind::Duplicate, 300_000, 0)]);
        let mut came = numbers(&mut doubles);
        assert!((110..150).contains(&came.len()) && came.is_sorted(), "{came:?}");
        came.dedup();
        assert_eq!(came.len(), 100);

        let (mut mixed, _) = line(&[fault(FaultKind::Reorder, 300_000, SECOND / 50)]);
        let mut came = numbers(&mut mixed);
        assert!(!came.is_sorted());
        came.sort_unstable();
        assert_eq!(came, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_connection_breaks_behind_what_was_sent_before() {
        let (mut breaks, _) = line(&[fault(FaultKind::Disconnect, 50_000, 0)]);
        let came = send(&mut breaks);
        assert!(came.len() < 100 && breaks.is_cut(), "{came:?}");
    }

    #[test]
    fn mended_nothing_is_held_or_lost() {
        let (mut late, _) = line(&[fault(FaultKind::Latency, 0, 50 * SECOND)]);
        assert_eq!(late.take(0, &[0, 2, b'S', 1]), 4);
        assert!(late.due(SECOND).is_empty() && !late.is_empty());
        late.fit(Some(SessionId(3)), &FaultSight::none());
        assert_eq!(late.due(SECOND), [0, 2, b'S', 1]);
        late.written(4);
        assert!(late.is_empty());
        let sight = FaultSight::none();
        assert!(line_of(Door::Fix, Some(SessionId(1)), &sight).is_none());
    }
}
