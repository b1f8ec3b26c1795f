//! What the stream says of second engines so far: who waits for whom, which builds were found wrong, which commands they
//! pass over, and whose word was live in which range.

use rialto_engine::talk::PassedOver;
use rialto_model::{Cut, Event, InstrumentId, Output, SequenceNumber, TableHash, Text, Way};
use std::collections::{BTreeMap, BTreeSet};

/// Ranges kept; a venue that cuts over more often forgets the oldest.
const RANGES_MAX: usize = 4_096;
/// Builds and commands kept of each.
const BUILDS_MAX: usize = 1_024;

#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// The build that every event waits for.
    pub(crate) live: Option<u64>,
    /// The instruments whose events wait, and for which build.
    pub(crate) routed: BTreeSet<InstrumentId>,
    pub(crate) routed_to: u64,
    /// Builds that were found wrong, and why.
    pub(crate) wrong: BTreeMap<u64, String>,
    /// What each build passes over.
    pub(crate) passed_over: BTreeMap<u64, Vec<PassedOver>>,
    /// Processes that were refused because of their flag table, and are not known to be another or gone.
    pub(crate) refused: BTreeMap<Text, TableHash>,
    /// Behind which command whose word was live, oldest first; zero: the standing build's alone.
    pub(crate) ranges: Vec<Range>,
}

/// From behind a command on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) after: SequenceNumber,
    pub(crate) green: Option<u64>,
    pub(crate) standing: u64,
}

impl Ledger {
    /// Takes in an event of the stream.
    pub(crate) fn follow(&mut self, output: &Output) {
        let seq = output.event.seq;
        match &output.event.body {
            Event::CutOverSet(e) => self.cut(seq, &e.cut),
            Event::Routed(e) => self.route(&e.way),
            Event::Judged(e) if !e.finding.passed && self.wrong.len() < BUILDS_MAX => {
                let why = String::from_utf8_lossy(e.why.as_bytes()).into_owned();
                self.wrong.insert(e.finding.build, why);
            }
            Event::ProcessRefused(e) if e.table == e.wanted => {
                self.refused.remove(&e.name);
            }
            Event::ProcessRefused(e) if self.refused.len() < BUILDS_MAX => {
                self.refused.insert(e.name, e.table);
            }
            Event::Quarantined(e) if self.passed_over.len() < BUILDS_MAX => {
                let all = self.passed_over.entry(e.poison.build).or_default();
                let one = (e.poison.seq, e.poison.instrument);
                if all.len() < BUILDS_MAX && !all.contains(&one) {
                    all.push(one);
                }
            }
            _ => {}
        }
    }

    /// Takes in a cut-over under its number.
    pub(crate) fn cut(&mut self, seq: SequenceNumber, cut: &Cut) {
        self.live = cut.green.then_some(cut.build);
        if self.ranges.len() >= RANGES_MAX {
            self.ranges.remove(0);
        }
        self.ranges.push(Range {
            after: if cut.green { cut.after.max(seq) } else { seq },
            green: self.live,
            standing: cut.standing,
        });
    }

    fn route(&mut self, way: &Way) {
        match (way.instrument, way.candidate) {
            (InstrumentId(0), false) => self.routed.clear(),
            (instrument, false) => {
                self.routed.remove(&instrument);
            }
            (instrument, true) => {
                self.routed_to = way.build;
                self.routed.insert(instrument);
            }
        }
    }

    /// The instruments of which nothing of a build is compared.
    pub(crate) fn not_compared(&self, build: u64) -> Vec<InstrumentId> {
        let all = self.passed_over.get(&build).into_iter().flatten();
        all.map(|(_, instrument)| *instrument).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::event::{CutOverSet, Judged, Quarantined, Routed};
    use rialto_model::{Epoch, Finding, Poison, Sequenced, Timestamp};

    #[test]
    fn who_was_refused_is_remembered_until_it_is_another_or_gone() {
        let mut ledger = Ledger::default();
        let mut refuse = |table, name: &[u8]| {
            let body = rialto_model::event::ProcessRefused {
                table: TableHash(table),
                wanted: TableHash(7),
                name: Text::new(name).unwrap(),
            };
            let event = Sequenced {
                seq: SequenceNumber(1),
                stamp: Timestamp(1),
                epoch: Epoch(1),
                body: body.into(),
            };
            ledger.follow(&Output { event, last: true });
        };
        refuse(8, b"one");
        refuse(9, b"two");
        refuse(7, b"one");
        let refused: Vec<_> = ledger.refused.iter().map(|(name, table)| (*name, table.0)).collect();
        assert_eq!(refused, [(Text::new(b"two").unwrap(), 9)]);
    }

    #[test]
    fn the_stream_tells_who_was_live_and_who_was_wrong() {
        let mut ledger = Ledger::default();
        let mut seq = 0;
        let mut say = |ledger: &mut Ledger, body: Event| {
            seq += 1;
            let (stamp, epoch) = (Timestamp(seq), Epoch(1));
            let seq = SequenceNumber(seq);
            ledger.follow(&Output {
                event: Sequenced {
                    seq,
                    stamp,
                    epoch,
                    body,
                },
                last: true,
            });
        };
        let cut = |after, green| {
            let cut = Cut {
                build: 7,
                standing: 3,
                after: SequenceNumber(after),
                green,
            };
            Event::from(CutOverSet {
                cut,
                ..CutOverSet::default()
            })
        };
        let way = |instrument, candidate| {
            let way = Way {
                build: 7,
                instrument: InstrumentId(instrument),
                candidate,
            };
            Event::from(Routed {
                way,
                ..Routed::default()
            })
        };
        say(&mut ledger, way(4, true));
        say(&mut ledger, way(5, true));
        say(&mut ledger, way(4, false));
        assert_eq!(ledger.routed.iter().map(|id| id.0).collect::<Vec<_>>(), [5]);
        say(&mut ledger, way(0, false));
        assert!(ledger.routed.is_empty());
        say(&mut ledger, cut(9, true));
        say(&mut ledger, cut(0, false));
        let ranges: Vec<_> = ledger.ranges.iter().map(|range| (range.after.0, range.green)).collect();
        assert_eq!((ranges, ledger.live), (vec![(9, Some(7)), (6, None)], None));
        let finding = Finding {
            build: 8,
            ..Finding::default()
        };
        say(
            &mut ledger,
            Judged {
                finding,
                ..Judged::default()
            }
            .into(),
        );
        let poison = Poison {
            build: 8,
            seq: SequenceNumber(3),
            instrument: InstrumentId(2),
        };
        say(&mut ledger, Quarantined { poison }.into());
        assert!(ledger.wrong.contains_key(&8));
        assert_eq!(ledger.not_compared(8), [InstrumentId(2)]);
    }
}
