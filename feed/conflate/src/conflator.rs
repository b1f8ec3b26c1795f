//! One subscriber: what it has been told of each instrument, and what waits for it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use rialto_itch::mold::Session;
use rialto_itch::{Side, StockLocate};

use crate::checksum::level_hash;
use crate::counters::Counters;
use crate::limits::{LEVELS_PER_MESSAGE, SLOW_BYTES};
use crate::market::{Instant, Market};
use crate::settings::{Depth, Pace, Settings, SettingsError};
use crate::wire::{Cause, Levels, Message, Missed, Passed, Range, Snapshot, Update};

/// The bytes before each message in the outbox: its length.
pub(crate) const LENGTH_LEN: usize = 2;
const SECOND_NS: u64 = 1_000_000_000;

/// Tells one subscriber of the books, as much and as often as it asked for and can take.
///
/// - [`poll`](Self::poll) after each command and whenever time has passed: tells the books that are due.
/// - [`take`](Self::take) gives what waits: messages of [`wire`](crate::wire), each behind its length in two bytes.
///
/// Everything else comes through [`Conflation`](crate::Conflation). What it holds is bounded by the outbox, a place for each
/// instrument, and with a depth short of all levels the levels that were told last.
#[derive(Clone, Debug)]
pub struct Conflator {
    settings: Settings,
    outbox: Vec<u8>,
    tracks: BTreeMap<StockLocate, Track>,
    /// Instruments that are to be stated anew.
    due: BTreeSet<StockLocate>,
    /// Every change of the market up to this stamp has been told, but for the instruments that are due.
    told: u64,
    next_ns: u64,
    /// Bytes left of the budget; below zero after a burst of trades.
    budget: i64,
    budget_ns: Option<u64>,
    counters: Counters,
    levels: Vec<(Side, u32, u64)>,
    candidates: Vec<(u64, StockLocate)>,
    view: Vec<(u32, u64)>,
    /// Levels that the tracks have room for, so that nobody has to ask each of them.
    held: usize,
}

/// What has been told of an instrument.
#[derive(Clone, Debug, Default)]
struct Track {
    /// The end of the last range.
    last: u64,
    /// The market's stamp of the instrument, its levels' stamp, and how many commands had changed it then.
    market_stamp: u64,
    stamp: u64,
    commands: u64,
    /// The levels told last, best first, where not all are told.
    bids: Vec<(u32, u64)>,
    asks: Vec<(u32, u64)>,
    /// The checksum of those.
    checksum: u64,
    /// It is to be stated anew for this reason.
    due: Option<Cause>,
    missed: Missed,
}

impl Track {
    const fn held(&self) -> usize {
        self.bids.capacity() + self.asks.capacity()
    }
}

impl Conflator {
    pub(crate) fn new(settings: Settings, market: &Market) -> Result<Self, SettingsError> {
        let settings = settings.check()?;
        let mut conflator = Self {
            settings,
            outbox: Vec::new(),
            tracks: BTreeMap::new(),
            due: BTreeSet::new(),
            told: market.stamp(),
            next_ns: 0,
            budget: 0,
            budget_ns: None,
            counters: Counters::default(),
            levels: Vec::new(),
            candidates: Vec::new(),
            view: Vec::new(),
            held: 0,
        };
        if let Some(session) = market.session() {
            conflator.tell(&Message::Session(session));
        }
        let venue = market.venue_wide().next().map(|_| StockLocate(0));
        for locate in market.locates().chain(venue) {
            let track = Track {
                due: Some(Cause::Join),
                ..Track::default()
            };
            conflator.tracks.insert(locate, track);
            conflator.due.insert(locate);
        }
        Ok(conflator)
    }

    /// Swaps what waits for an empty buffer, and says whether anything did.
    pub fn take(&mut self, buffer: &mut Vec<u8>) -> bool {
        buffer.clear();
        core::mem::swap(&mut self.outbox, buffer);
        !buffer.is_empty()
    }

    /// Bytes that wait.
    #[must_use]
    pub const fn waiting_bytes(&self) -> usize {
        self.outbox.len()
    }

    /// Bytes of memory held for this subscriber.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.outbox.capacity()
            + (self.held + self.view.capacity()) * size_of::<(u32, u64)>()
            + self.tracks.len() * size_of::<(StockLocate, Track)>()
            + self.due.len() * size_of::<StockLocate>()
            + self.levels.capacity() * size_of::<(Side, u32, u64)>()
            + self.candidates.capacity() * size_of::<(u64, StockLocate)>()
    }

    /// Levels that changed and were not told yet: for watching, not for every command.
    #[must_use]
    pub fn pending_levels(&self, market: &Market) -> usize {
        let levels = |locate| {
            let track = self.tracks.get(&locate).filter(|track| track.due.is_none());
            let one = market.instrument(locate)?;
            Some(one.levels.since(track.map_or(0, |track| track.stamp)).count())
        };
        market.changed_since(self.told).filter_map(levels).sum()
    }

    /// Whether everything has been told.
    #[must_use]
    pub fn is_current(&self, market: &Market) -> bool {
        self.due.is_empty() && self.told == market.stamp()
    }

    /// What was counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// When to poll again: before it, polling tells nothing, whatever the market does. `None`: as soon as the market moves.
    #[must_use]
    pub fn due_ns(&self, market: &Market, now_ns: u64) -> Option<u64> {
        match self.settings.pace {
            Pace::Interval { .. } if now_ns < self.next_ns => Some(self.next_ns),
            Pace::Budget { bytes_per_second } if self.budget <= 0 => {
                let short = u128::from(self.budget.unsigned_abs()) + 1;
                let wait = short * u128::from(SECOND_NS) / u128::from(bytes_per_second);
                let since = self.budget_ns.unwrap_or(now_ns);
                Some(since.saturating_add(u64::try_from(wait).unwrap_or(u64::MAX)))
            }
            _ => (!self.is_current(market)).then_some(now_ns),
        }
    }

    /// Tells the books that are due at `now_ns`, as far as there is room. The market must stand between two commands.
    pub fn poll(&mut self, market: &Market, now_ns: u64) {
        self.fill_budget(now_ns);
        if self.is_current(market) || !self.is_due(now_ns) {
            return;
        }
        while self.has_room()
            && self.has_budget()
            && let Some(locate) = self.due.pop_first()
        {
            self.restate(market, locate);
        }
        let mut candidates = core::mem::take(&mut self.candidates);
        candidates.clear();
        for locate in market.changed_since(self.told) {
            let track = self.tracks.get(&locate);
            if track.is_none_or(|track| track.due.is_none() && track.market_stamp < market.stamp_of(locate)) {
                candidates.push((track.map_or(0, |track| track.last), locate));
            }
        }
        // Who was told longest ago comes first: no instrument starves behind a busy one.
        candidates.sort_unstable();
        let mut all = true;
        for &(_, locate) in &candidates {
            if !(self.has_room() && self.has_budget()) {
                all = false;
                break;
            }
            self.update(market, locate, false);
        }
        self.candidates = candidates;
        if all {
            self.told = market.stamp();
            if let Pace::Interval { ns } = self.settings.pace {
                self.next_ns = now_ns.saturating_add(ns);
            }
        }
    }

    /// Says that everything up to the market's number has been told, where it has. Whether it had.
    pub fn mark(&mut self, market: &Market) -> bool {
        let current = self.is_current(market);
        if current {
            self.tell(&Message::Position(market.sequence()));
        }
        current
    }

    /// A session begins. What was missed of the one before is said, and what is waiting stays.
    pub(crate) fn begin(&mut self, market: &Market, session: Session) {
        for (locate, track) in core::mem::take(&mut self.tracks) {
            if track.missed != Missed::default() {
                let range = Range {
                    first: track.last + 1,
                    last: market.sequence(),
                };
                self.snapshot(market, locate, Cause::Abandoned, range, track.missed, 0);
            }
        }
        self.held = 0;
        self.due.clear();
        self.told = market.stamp();
        self.tell(&Message::Session(session));
    }

    /// Before a command that has something to be told at once of an instrument: tells its book as it was.
    pub(crate) fn before(&mut self, market: &Market, locate: StockLocate) {
        if locate.0 == 0 {
            // About the whole venue.
            let waiting: Vec<StockLocate> = market.changed_since(self.told).collect();
            waiting.into_iter().for_each(|locate| self.flush(market, locate));
        } else {
            self.flush(market, locate);
        }
    }

    fn flush(&mut self, market: &Market, locate: StockLocate) {
        if !self.wants(market, locate) {
            return;
        }
        let track = self.tracks.entry(locate).or_default();
        if track.due.is_some() || track.market_stamp >= market.stamp_of(locate) {
            return;
        }
        if self.has_room() {
            self.update(market, locate, false);
        } else {
            self.make_due(locate);
        }
    }

    /// Tells at once what a whole command brought; the market stands behind it.
    pub(crate) fn instant(&mut self, market: &Market, locate: StockLocate, instant: &Instant, bytes: &mut Vec<u8>) {
        if !self.wants(market, locate) {
            return;
        }
        let room = self.has_room();
        let track = self.tracks.entry(locate).or_default();
        let range = Range {
            first: track.last + 1,
            last: market.sequence(),
        };
        if track.due.is_none() && !room {
            track.due = Some(Cause::Resync);
            self.due.insert(locate);
        }
        match (track.due, instant) {
            // What came before the join is not owed.
            (Some(Cause::Join), _) => {}
            (Some(_), Instant::Trade(trade)) => {
                let missed = &mut track.missed;
                if missed.trades == 0 {
                    missed.first = trade.number;
                }
                missed.last = trade.number;
                missed.trades += 1;
                missed.volume = missed.volume.saturating_add(trade.shares);
            }
            (Some(_), Instant::Passed(_)) => track.missed.others += 1,
            (None, Instant::Trade(trade)) => {
                self.counters.trades += 1;
                self.tell(&Message::Trade(crate::wire::Trade { range, ..*trade }));
            }
            (None, Instant::Passed(message)) => {
                bytes.clear();
                message.append_to(bytes);
                self.tell(&Message::Passed(Passed {
                    locate,
                    range,
                    itch: bytes,
                }));
            }
        }
    }

    /// Closes the range that a command's instants began.
    pub(crate) fn close(&mut self, market: &Market, locate: StockLocate) {
        if self.wants(market, locate) && self.tracks.get(&locate).is_some_and(|track| track.due.is_none()) {
            self.update(market, locate, true);
        }
    }

    fn wants(&self, market: &Market, locate: StockLocate) -> bool {
        locate.0 == 0 || self.settings.interest.includes(market.stock(locate))
    }

    fn has_room(&self) -> bool {
        self.outbox.len() < self.settings.outbox_bytes_max
    }

    const fn has_budget(&self) -> bool {
        !matches!(self.settings.pace, Pace::Budget { .. }) || self.budget > 0
    }

    /// Whether it is told after each command.
    pub(crate) const fn is_eager(&self) -> bool {
        matches!(self.settings.pace, Pace::WhenSlow)
    }

    fn is_due(&self, now_ns: u64) -> bool {
        match self.settings.pace {
            Pace::Interval { .. } => now_ns >= self.next_ns,
            Pace::Budget { .. } => self.budget > 0,
            Pace::WhenSlow => self.outbox.len() < SLOW_BYTES.min(self.settings.outbox_bytes_max),
        }
    }

    fn fill_budget(&mut self, now_ns: u64) {
        let Pace::Budget { bytes_per_second } = self.settings.pace else {
            return;
        };
        let full = bytes_per_second.min(i64::MAX as u64) as i64;
        let Some(before_ns) = self.budget_ns else {
            (self.budget, self.budget_ns) = (full, Some(now_ns));
            return;
        };
        let elapsed = now_ns.saturating_sub(before_ns);
        let gained = u128::from(elapsed) * u128::from(bytes_per_second) / u128::from(SECOND_NS);
        if gained > 0 {
            let gained = i64::try_from(gained).unwrap_or(i64::MAX);
            self.budget = self.budget.saturating_add(gained).min(full);
            self.budget_ns = Some(now_ns);
        }
    }

    fn make_due(&mut self, locate: StockLocate) {
        let track = self.tracks.entry(locate).or_default();
        if track.due.is_none() {
            track.due = Some(Cause::Resync);
            self.due.insert(locate);
        }
    }

    /// Tells what has changed of a book since it was last told; with `close` also that nothing has.
    fn update(&mut self, market: &Market, locate: StockLocate, close: bool) {
        if !self.wants(market, locate) {
            return;
        }
        let track = self.tracks.entry(locate).or_default();
        let one = market.instrument(locate);
        if let Some(one) = one
            && self.settings.depth == Depth::Full
            && !one.levels.remembers(track.stamp)
        {
            track.due = Some(Cause::Resync);
            self.restate(market, locate);
            return;
        }
        let range = Range {
            first: track.last + 1,
            last: market.sequence(),
        };
        let mut levels = core::mem::take(&mut self.levels);
        levels.clear();
        let mut checksum = 0;
        let mut commands = 0;
        if let Some(one) = one {
            match self.settings.depth {
                Depth::Full => {
                    levels.extend(one.levels.since(track.stamp).map(|l| (l.side, l.price, l.shares)));
                    checksum = one.levels.checksum();
                }
                Depth::Levels(depth) => {
                    self.held -= track.held();
                    for (side, told) in [(Side::Buy, &mut track.bids), (Side::Sell, &mut track.asks)] {
                        let now = one.levels.best(side).take(depth.into()).map(|l| (l.price, l.shares));
                        let moved = view(side, now, told, &mut self.view, &mut levels);
                        track.checksum = track.checksum.wrapping_add(moved);
                    }
                    self.held += track.held();
                    checksum = track.checksum;
                }
            }
            commands = one.commands - track.commands;
            track.stamp = one.levels.stamp();
            track.market_stamp = market.stamp_of(locate);
        }
        // Deeper changes than the subscriber sees say nothing; the next range includes them.
        if close || !levels.is_empty() {
            track.last = range.last;
            track.commands += commands;
            let conflated = commands > 1;
            self.counters.conflated += u64::from(conflated);
            self.counters.merged += commands.saturating_sub(1);
            self.parts(locate, range, conflated, checksum, &levels);
        }
        self.levels = levels;
    }

    /// States an instrument anew.
    fn restate(&mut self, market: &Market, locate: StockLocate) {
        self.due.remove(&locate);
        let wanted = self.wants(market, locate);
        let track = self.tracks.entry(locate).or_default();
        let cause = track.due.take().unwrap_or(Cause::Resync);
        let first = if cause == Cause::Join { 1 } else { track.last + 1 };
        let range = Range {
            first,
            last: market.sequence(),
        };
        let missed = core::mem::take(&mut track.missed);
        track.last = range.last;
        track.market_stamp = market.stamp_of(locate);
        track.bids.clear();
        track.asks.clear();
        track.checksum = 0;
        if !wanted {
            return;
        }
        let one = market.instrument(locate);
        let mut levels = core::mem::take(&mut self.levels);
        levels.clear();
        let depth = match self.settings.depth {
            Depth::Levels(depth) => depth.into(),
            Depth::Full => usize::MAX,
        };
        let mut checksum: u64 = 0;
        self.held -= track.held();
        for (side, told) in [(Side::Buy, &mut track.bids), (Side::Sell, &mut track.asks)] {
            for level in one.into_iter().flat_map(|one| one.levels.best(side)).take(depth) {
                checksum = checksum.wrapping_add(level_hash(side, level.price, level.shares));
                levels.push((side, level.price, level.shares));
                if depth != usize::MAX {
                    told.push((level.price, level.shares));
                }
            }
        }
        self.held += track.held();
        track.checksum = checksum;
        track.stamp = one.map_or(0, |one| one.levels.stamp());
        track.commands = one.map_or(0, |one| one.commands);
        self.snapshot(market, locate, cause, range, missed, levels.len() as u32);
        let mut bytes = Vec::new();
        let stated = one.into_iter().flat_map(|one| one.statuses());
        let venue = market.venue_wide().filter(|_| locate.0 == 0);
        for message in stated.chain(venue) {
            bytes.clear();
            message.append_to(&mut bytes);
            self.tell(&Message::Passed(Passed {
                locate,
                range,
                itch: &bytes,
            }));
        }
        self.parts(locate, range, false, checksum, &levels);
        self.levels = levels;
    }

    fn snapshot(
        &mut self,
        market: &Market,
        locate: StockLocate,
        cause: Cause,
        range: Range,
        missed: Missed,
        levels: u32,
    ) {
        self.counters.snapshots += 1;
        self.counters.resyncs += u64::from(cause != Cause::Join);
        self.counters.missed_trades += missed.trades;
        self.counters.missed_volume = self.counters.missed_volume.saturating_add(missed.volume);
        self.counters.missed_others += missed.others;
        let stock = market.stock(locate);
        self.tell(&Message::Snapshot(Snapshot {
            cause,
            locate,
            stock,
            range,
            missed,
            levels,
        }));
    }

    /// One range of levels in as many messages as it takes.
    fn parts(
        &mut self,
        locate: StockLocate,
        range: Range,
        conflated: bool,
        checksum: u64,
        levels: &[(Side, u32, u64)],
    ) {
        self.counters.updates += 1;
        self.counters.levels += levels.len() as u64;
        let (mut part, mut rest) = levels.split_at(levels.len().min(LEVELS_PER_MESSAGE));
        loop {
            let update = Update {
                locate,
                range,
                conflated,
                more: !rest.is_empty(),
                checksum,
                levels: Levels::NONE,
            };
            self.framed(|out| update.append_with(part, out));
            if rest.is_empty() {
                return;
            }
            (part, rest) = rest.split_at(rest.len().min(LEVELS_PER_MESSAGE));
        }
    }

    fn tell(&mut self, message: &Message<'_>) {
        self.framed(|out| message.append_to(out));
    }

    fn framed(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        let start = self.outbox.len();
        self.outbox.extend_from_slice(&[0; LENGTH_LEN]);
        append(&mut self.outbox);
        let length = self.outbox.len() - start - LENGTH_LEN;
        if let Some(place) = self.outbox.get_mut(start..).and_then(|from| from.first_chunk_mut()) {
            *place = (length as u16).to_be_bytes();
        }
        self.counters.messages += 1;
        self.counters.bytes += (length + LENGTH_LEN) as u64;
        self.budget = self.budget.saturating_sub((length + LENGTH_LEN) as i64);
    }
}

/// Compares the levels in view now with those told last, best first, appends what is different, and gives by how much the
/// checksum of the view has moved. `spare` is room to work in.
fn view(
    side: Side,
    now: impl Iterator<Item = (u32, u64)>,
    told: &mut Vec<(u32, u64)>,
    spare: &mut Vec<(u32, u64)>,
    changes: &mut Vec<(Side, u32, u64)>,
) -> u64 {
    let mut moved: u64 = 0;
    let mut change = |price, before, shares| {
        moved = moved.wrapping_sub(level_hash(side, price, before));
        moved = moved.wrapping_add(level_hash(side, price, shares));
        changes.push((side, price, shares));
    };
    spare.clear();
    let better = |a: u32, b: u32| if side == Side::Buy { a > b } else { a < b };
    let mut old = told.iter().peekable();
    for (price, shares) in now {
        while let Some(&&(gone, before)) = old.peek().filter(|(old, _)| better(*old, price)) {
            change(gone, before, 0);
            old.next();
        }
        match old.next_if(|(old, _)| *old == price) {
            Some(&(_, same)) if same == shares => {}
            before => change(price, before.map_or(0, |before| before.1), shares),
        }
        spare.push((price, shares));
    }
    old.for_each(|&(gone, before)| change(gone, before, 0));
    core::mem::swap(told, spare);
    moved
}
