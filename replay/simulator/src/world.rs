//! Runs a plan: gives turns, sends, breaks things, starts again, and shows the checkers everything.

use crate::check::{Checker, End, Violation};
use crate::client::{Answer, Client};
use crate::clock::SimClock;
use crate::feed::Feed;
use crate::plan::{CLIENTS, Plan, Step, TURNS, Turn};
use crate::rare::{RarePath, RarePaths};
use crate::venue::{Past, Refused, VENUE_INPUT, Venue, first_morning, next_day, opening};
use crate::wiring::Wiring;
use rialto_journal::{Durability, MemDisk, recover};
use rialto_model::{Clock as _, Command, Event, RejectReason, SequenceNumber, Timestamp, TradingDay, VenueId};

/// Rounds within which everything comes out once nothing is broken.
const ROUNDS_MAX: usize = 3_000;
/// Starts that may be refused one after the other.
const STARTS_MAX: usize = 8;

/// A run under way.
pub(crate) struct World<'a> {
    plan: &'a Plan,
    wiring: Wiring,
    disk: MemDisk,
    clock: SimClock,
    /// Absent only inside a start.
    venue: Option<Venue>,
    /// A process that was stopped and taken over from.
    fenced: Option<Venue>,
    clients: Vec<Client>,
    feed: Feed,
    checker: Checker,
    day: TradingDay,
    stalled: Vec<Turn>,
    /// What of the unsynced sectors stays when the disk has stopped.
    stopped: Option<Option<u64>>,
    waits_for_room: bool,
    /// The segment being written, as last seen.
    segment: u32,
    rare: RarePaths,
}

type Checked<T = ()> = Result<T, Violation>;

/// Runs a plan to its end, or to the first rule that does not hold.
pub(crate) fn run(plan: &Plan, wiring: Wiring) -> (RarePaths, Checked) {
    let mut world = World {
        plan,
        wiring,
        disk: MemDisk::new(),
        clock: SimClock::at(first_morning()),
        venue: None,
        fenced: None,
        clients: (0..CLIENTS).map(Client::new).collect(),
        feed: Feed::new(),
        checker: Checker::new(plan.durability),
        day: TradingDay(0),
        stalled: Vec::new(),
        stopped: None,
        waits_for_room: false,
        segment: 0,
        rare: RarePaths::default(),
    };
    let outcome = world.live();
    (world.rare, outcome)
}

impl World<'_> {
    fn live(&mut self) -> Checked {
        self.start(End::Process)?;
        for client in 0..self.clients.len() {
            self.step(Step::Connect { client })?;
        }
        for step in &self.plan.steps {
            self.step(*step)?;
        }
        self.end()
    }

    fn step(&mut self, step: Step) -> Checked {
        match step {
            Step::Send { client, wish } => {
                let command = self.clients[client].command(wish);
                self.send(client + 1, command);
            }
            Step::Resend { client } => {
                let command = self.clients[client].resend();
                self.send(client + 1, command);
            }
            Step::Connect { client } if !self.clients[client].is_up() => {
                let command = self.clients[client].connect();
                self.send(client + 1, Some(command));
            }
            Step::Connect { .. } => {}
            Step::Disconnect { client } => {
                let command = self.clients[client].disconnect();
                self.send(client + 1, Some(command));
            }
            Step::NextDay => {
                let day = self.day;
                for command in next_day(day) {
                    self.send(VENUE_INPUT, Some(command));
                }
                self.day = TradingDay(day.0 + 1);
            }
            Step::Poll { turn } => _ = self.turn(turn)?,
            Step::Run { rounds } => {
                for _ in 0..rounds {
                    self.round()?;
                }
            }
            Step::Advance { ns } => self.clock.advance_ns(ns),
            Step::ClockBack { ns } => self.clock.step_back_ns(ns),
            Step::FailWrite { ahead } => self.disk.fail_write(self.disk.writes() + ahead),
            Step::ShortWrite { ahead, bytes } => self.disk.short_write(self.disk.writes() + ahead, bytes),
            Step::FailSync { ahead, for_good: false } => self.disk.fail_sync(self.disk.syncs() + ahead),
            Step::FailSync { ahead, for_good: true } => self.disk.break_syncs_at(self.disk.syncs() + ahead),
            Step::SlowSync { rounds } => self.slow_sync(rounds)?,
            Step::Full { spare } => self.disk.set_room(Some(self.disk.used() + spare)),
            Step::Room => self.disk.set_room(None),
            Step::Stall { turn, stalled } => {
                self.stalled.retain(|one| *one != turn);
                if stalled {
                    self.stalled.push(turn);
                }
            }
            Step::PowerLoss { keep } => self.power_loss(keep)?,
            Step::StopDisk { ahead, keep } => {
                self.disk.stop_at(self.disk.operations() + ahead);
                self.stopped = Some(keep);
            }
            Step::PowerLossInRecovery { ahead, keep } => {
                self.crash(keep);
                self.disk.stop_at(self.disk.operations() + ahead);
                self.stopped = Some(keep.map(|seed| seed ^ 1));
                self.start(End::Power)?;
            }
            Step::Kill => self.kill()?,
            Step::SecondWriter => {
                if self.stopped.is_none() && recover(&self.disk, VenueId(1)).is_err() {
                    self.rare.reach(RarePath::SecondWriterRefused);
                } else if self.stopped.is_none() {
                    return Err(Violation::new(
                        "epoch",
                        "a second writer was let in beside a living one",
                    ));
                }
            }
            Step::TakeOver => self.take_over()?,
            Step::Wake { rounds } => self.wake(rounds)?,
        }
        Ok(())
    }

    fn venue(&mut self) -> &mut Venue {
        self.venue.as_mut().expect("a start has made one")
    }

    /// A command goes into a ring, or is dropped by its sender where the ring is full.
    fn send(&mut self, input: usize, command: Option<Command>) {
        let Some(command) = command else { return };
        let venue = self.venue();
        let epoch = venue.epoch;
        if venue.send(input, command) {
            self.checker.sent(epoch, input, command);
        } else {
            self.rare.reach(RarePath::InputRingFull);
        }
    }

    fn round(&mut self) -> Checked<usize> {
        let mut moved = 0;
        for turn in TURNS {
            moved += self.turn(turn)?;
        }
        Ok(moved)
    }

    fn turn(&mut self, turn: Turn) -> Checked<usize> {
        let short = self.disk.short_writes();
        let moved = match turn {
            Turn::Door => self.door()?,
            Turn::Feed => self.follow_feed()?,
            stalled if self.stalled.contains(&stalled) => 0,
            Turn::Sequencer => self.sequence(),
            stage => self.venue().poll(stage),
        };
        self.notice(turn);
        if self.venue().failure().is_some() {
            self.broke()?;
        } else if self.disk.short_writes() > short {
            self.rare.reach(RarePath::ShortWriteFinished);
        }
        Ok(moved)
    }

    fn sequence(&mut self) -> usize {
        let (writes, before) = (self.disk.writes(), self.venue().last_seq());
        let wall = self.clock.now();
        let stamp = self
            .checker
            .told()
            .last()
            .map_or(Timestamp(0), |output| output.event.stamp);
        let moved = self.venue().poll(Turn::Sequencer);
        if moved > 0 && stamp > wall {
            self.rare.reach(RarePath::StampHeld);
        }
        let wrote = self.disk.writes() - writes;
        if wrote > 0 && self.venue().last_seq() == before {
            self.rare.reach(RarePath::IdleMark);
        }
        moved
    }

    fn door(&mut self) -> Checked<usize> {
        if self.stalled.contains(&Turn::Door) {
            return Ok(0);
        }
        let mut shown = Vec::new();
        let moved = self.venue().follow(Turn::Door, |output| shown.push(*output));
        for output in &shown {
            self.checker.release(&self.disk, output)?;
            match &output.event.body {
                Event::CancelOnlyChanged(change) if change.on => self.rare.reach(RarePath::CancelOnlyBegan),
                Event::CancelOnlyChanged(_) => self.rare.reach(RarePath::CancelOnlyEnded),
                Event::Rejected(e) if e.reason == RejectReason::CancelOnly => {
                    self.rare.reach(RarePath::CancelOnlyRefused);
                }
                _ => {}
            }
            for client in &mut self.clients {
                match client.take(output) {
                    Answer::ResendTaken => self.rare.reach(RarePath::ResendTaken),
                    Answer::ResendIgnored => self.rare.reach(RarePath::ResendIgnored),
                    Answer::Other => {}
                }
            }
        }
        Ok(moved)
    }

    fn follow_feed(&mut self) -> Checked<usize> {
        if self.stalled.contains(&Turn::Feed) {
            return Ok(0);
        }
        let mut shown = Vec::new();
        let moved = self.venue().follow(Turn::Feed, |output| shown.push(*output));
        for output in &shown {
            self.feed.follow(output)?;
        }
        Ok(moved)
    }

    /// Looks for rare paths behind a turn.
    fn notice(&mut self, turn: Turn) {
        let venue = self.venue.as_ref().expect("a start has made one");
        let mut reached = Vec::new();
        match turn {
            Turn::Sequencer => {
                let front = venue.front();
                if front.is_held_up() {
                    reached.push(RarePath::EngineRingFull);
                }
                if front.waits_for_segment() {
                    reached.push(RarePath::WaitedForSegment);
                }
                if front.segment() > self.segment {
                    self.segment = front.segment();
                    reached.push(RarePath::Rotated);
                }
            }
            Turn::Engine if venue.front().has_spilled() => {
                reached.push(RarePath::EventsSpilled);
                if !self.stalled.is_empty() {
                    reached.push(RarePath::FollowerStalled);
                }
            }
            Turn::Syncer => {
                let full = venue.reserve_problem().is_some_and(|why| why.contains("free room"));
                if full {
                    reached.push(RarePath::DiskFull);
                } else if self.waits_for_room {
                    reached.push(RarePath::DiskFullResumed);
                }
                self.waits_for_room = full;
            }
            _ => {}
        }
        reached.into_iter().for_each(|path| self.rare.reach(path));
    }

    fn slow_sync(&mut self, rounds: u8) -> Checked {
        let venue = self.venue();
        let (meanwhile, before) = (venue.meanwhile(rounds), venue.last_seq());
        self.disk.during_next_sync(meanwhile);
        self.turn(Turn::Syncer)?;
        self.disk.during_next_sync(|| {});
        if self.venue().last_seq() > before {
            self.rare.reach(RarePath::WrittenDuringSync);
        }
        Ok(())
    }

    /// The exchange has stopped itself.
    fn broke(&mut self) -> Checked {
        let why = self.venue().failure().unwrap_or_default().to_owned();
        if self.stopped.is_some() {
            let keep = self.stopped.take().flatten();
            return self.power_loss(keep);
        }
        if why.contains("fdatasync") {
            self.rare.reach(RarePath::SyncFailed);
        } else if why.contains("write") {
            self.rare.reach(RarePath::WriteFailed);
        } else {
            return Err(Violation::new("stuck", format!("the exchange stopped: {why}")));
        }
        // Who runs it frees room and mends the disk before the next start.
        self.kill()
    }

    fn kill(&mut self) -> Checked {
        let venue = self.venue();
        if venue.last_seq() > venue.released() {
            self.rare.reach(RarePath::KilledUnreleased);
        }
        self.venue = None;
        if let Some(keep) = self.stopped.take() {
            return self.power_loss(keep);
        }
        self.start(End::Process)
    }

    fn crash(&mut self, keep: Option<u64>) {
        if let Some(venue) = self.venue.take()
            && venue.last_seq() > venue.released()
        {
            self.rare.reach(RarePath::PowerLossUnsynced);
        }
        self.fenced = None;
        self.stopped = None;
        match keep {
            Some(seed) => self.disk.crash_keeping(seed),
            None => self.disk.crash(),
        }
    }

    fn power_loss(&mut self, keep: Option<u64>) -> Checked {
        self.crash(keep);
        self.start(End::Power)
    }

    /// The exchange is started until it runs.
    fn start(&mut self, ended: End) -> Checked {
        let mut ended = ended;
        self.venue = None;
        for _ in 0..STARTS_MAX {
            if self.wiring == Wiring::LyingSync {
                self.disk.lie();
            }
            match Venue::open(&self.disk, &self.clock, self.plan, self.wiring) {
                Ok((venue, past, state)) => {
                    self.segment = venue.front().segment();
                    self.venue = Some(venue);
                    self.started(&past, ended)?;
                    self.day = state.day;
                    if state.cancel_only {
                        self.rare.reach(RarePath::CancelOnlyResumed);
                    }
                    for command in opening(&state) {
                        if matches!(command, Command::SessionLost(_)) {
                            self.rare.reach(RarePath::SessionLostInRecovery);
                        }
                        if let Command::StartOfDay(start) = command {
                            self.day = start.day;
                        }
                        self.send(VENUE_INPUT, Some(command));
                    }
                    return Ok(());
                }
                Err(Refused::Full) => {
                    self.rare.reach(RarePath::StartRefusedFull);
                    self.disk.set_room(None);
                }
                Err(Refused::Disk) if self.stopped.is_some() => {
                    self.rare.reach(RarePath::PowerLossInRecovery);
                    let keep = self.stopped.take().flatten();
                    self.crash(keep);
                    ended = End::Power;
                }
                // A write or a sync that was to fail failed here. Who runs it mends the disk.
                Err(Refused::Disk) => {
                    self.rare.reach(RarePath::StartRefusedDisk);
                    self.disk.mend();
                }
                Err(Refused::InUse) => return Err(Violation::new("start", "the lock of a dead process was held")),
                Err(Refused::Damaged(what)) => return Err(Violation::new("start", what)),
            }
        }
        Err(Violation::new("start", format!("refused {STARTS_MAX} times")))
    }

    fn started(&mut self, past: &Past, ended: End) -> Checked {
        if past.recovery.cut.is_some() {
            self.rare.reach(RarePath::TornEndCut);
        }
        self.checker.recovered(past, ended)?;
        let lossy = self.plan.durability == Durability::Memory && ended == End::Power;
        self.feed.recover(&past.outputs, lossy)?;
        for client in &mut self.clients {
            client.reconnect(&past.outputs);
        }
        Ok(())
    }

    /// The process stops without knowing it, the lock is lost with it, and another takes the journal over.
    fn take_over(&mut self) -> Checked {
        if self.stopped.is_some() {
            return Ok(());
        }
        self.fenced = self.venue.take();
        self.checker.fence();
        self.disk.break_lock();
        self.start(End::Process)?;
        self.checker.fenced_by_told();
        self.rare.reach(RarePath::TakenOver);
        Ok(())
    }

    fn wake(&mut self, rounds: u8) -> Checked {
        let Some(mut old) = self.fenced.take() else {
            return Ok(());
        };
        let writes = self.disk.writes();
        for _ in 0..rounds {
            for turn in [Turn::Sequencer, Turn::Engine, Turn::Syncer, Turn::Gate, Turn::Hash] {
                old.poll(turn);
            }
            let mut shown = Vec::new();
            old.follow(Turn::Door, |output| shown.push(*output));
            for output in &shown {
                self.checker.release_of_fenced(output)?;
            }
        }
        if self.disk.writes() > writes {
            self.rare.reach(RarePath::FencedWrote);
        }
        match old.failure() {
            Some(why) if why.contains("fenced off") => self.rare.reach(RarePath::FencedOff),
            // A fault that was meant for the other hit it.
            Some(_) => {}
            None => self.fenced = Some(old),
        }
        Ok(())
    }

    /// Everything is mended; all must come out, be sealed, and be found again.
    fn end(&mut self) -> Checked {
        if let Some(keep) = self.stopped.take() {
            self.power_loss(keep)?;
        }
        self.fenced = None;
        self.stalled.clear();
        self.disk.set_room(None);
        self.disk.mend();
        let mut rounds = 0;
        // With room there is a way back to taking everything.
        while self.round()? > 0 || !self.venue().is_drained() || self.venue().is_cancel_only() {
            rounds += 1;
            if rounds > ROUNDS_MAX {
                return Err(Violation::new(
                    "stuck",
                    format!("not drained after {ROUNDS_MAX} rounds"),
                ));
            }
        }
        let live = self.venue().hashes();
        self.checker.hashes(live)?;
        let state_hash = self.venue().state_hash();
        let last_seq = self.venue().last_seq();
        let closed = self.venue.take().expect("a start has made one").close();
        let closed = closed.map_err(|why| Violation::new("stuck", why))?;
        if closed != last_seq {
            return Err(Violation::new("lost", format!("sealed at {closed} of {last_seq}")));
        }
        self.found_again(state_hash, closed)
    }

    fn found_again(&mut self, state_hash: rialto_model::StateHash, last_seq: SequenceNumber) -> Checked {
        // Sealed in good order: even the power may fail.
        self.disk.crash();
        let opened = Venue::open(&self.disk, &self.clock, self.plan, Wiring::Production);
        let (_, past, _) = opened.map_err(|why| Violation::new("start", format!("after a close: {why:?}")))?;
        self.checker.recovered(&past, End::Process)?;
        self.feed.recover(&past.outputs, false)?;
        if past.state_hash != state_hash || past.recovery.last_seq != last_seq {
            return Err(Violation::new(
                "hash",
                format!("state {state_hash} at {last_seq} live, {} replayed", past.state_hash),
            ));
        }
        if past.recovery.cut.is_some() {
            return Err(Violation::new(
                "start",
                "a journal that was sealed in good order was cut",
            ));
        }
        Checker::reference(&past)
    }
}
