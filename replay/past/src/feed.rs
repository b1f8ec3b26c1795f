//! Messages of the feed as they were told, made again from the journal: for those whom the feed's own memory fails.
//!
//! An engine and a publisher of its own go once more through the commands that caused them. Nothing is kept but places on
//! the way, so what it costs is bounded: memory by [`FEED_PLACES_MAX`] places and the messages of one stretch, time by the
//! way from the nearest snapshot to the place asked for.

use crate::limits::{FEED_BYTES_MAX, FEED_COMMANDS_PER_LOOK, FEED_PLACES_EVERY, FEED_PLACES_MAX};
use crate::past::Past;
use crate::stream::{PastError, Stream, Visit};
use rialto_itch::mold::{SequenceNumber as MoldNumber, Session};
use rialto_journal::Disk;
use rialto_model::{Event, SequenceNumber};
use rialto_publisher::{Carried, Collar, Config, Place, Publisher, session_name};

/// Makes the messages of the feed's present session again.
pub struct FeedHistory<D: Disk> {
    stream: Stream<D>,
    released: Box<dyn Fn() -> SequenceNumber + Send>,
    session: Option<Session>,
    /// Places of the session on the way, in order, `every` messages apart or more.
    marks: Vec<Mark>,
    first_every: u64,
    every: u64,
    cursor: Option<Cursor<D>>,
}

/// A place from which messages from `first` on can be made again.
struct Mark {
    command: SequenceNumber,
    first: MoldNumber,
    place: Place,
}

/// Where the last search ended.
struct Cursor<D: Disk> {
    visit: Visit<D>,
    publisher: Publisher,
}

/// What one command was for the search.
enum Step {
    /// Followed.
    On,
    /// It begins another session.
    Over,
    /// There is none, now.
    End,
}

impl<D: Disk> FeedHistory<D> {
    /// Of this journal, up to the command that `released` says at each search. The stream's own limit is not heeded.
    #[must_use]
    pub fn new(stream: Stream<D>, released: impl Fn() -> SequenceNumber + Send + 'static) -> Self {
        Self {
            stream,
            released: Box::new(released),
            session: None,
            marks: Vec::new(),
            first_every: FEED_PLACES_EVERY,
            every: FEED_PLACES_EVERY,
            cursor: None,
        }
    }

    /// Keeps a place every so many messages at first, instead of [`FEED_PLACES_EVERY`].
    #[must_use]
    pub fn with_places_every(self, messages: u64) -> Self {
        let messages = messages.max(1);
        Self {
            first_every: messages,
            every: messages,
            ..self
        }
    }

    /// Appends the blocks of messages of a session from `first` on, at most `count`, and says how many: fewer where the
    /// session or what is released ends, none where there is no such message. It looks now and then whether to give up.
    ///
    /// # Errors
    /// [`PastError`]: the journal cannot be read.
    pub fn find(
        &mut self,
        session: Session,
        first: u64,
        count: u16,
        blocks: &mut Vec<u8>,
        give_up: impl Fn() -> bool,
    ) -> Result<u16, PastError> {
        if first == 0 || count == 0 {
            return Ok(0);
        }
        let found = self.search(session, MoldNumber(first), count, blocks, &give_up);
        // What went wrong leaves no place to go on from.
        if found.is_err() {
            self.cursor = None;
        }
        found
    }

    fn search(
        &mut self,
        session: Session,
        first: MoldNumber,
        count: u16,
        blocks: &mut Vec<u8>,
        give_up: &impl Fn() -> bool,
    ) -> Result<u16, PastError> {
        if self.session != Some(session) {
            (self.session, self.cursor, self.every) = (Some(session), None, self.first_every);
            self.marks.clear();
        }
        let safe = (self.released)();
        self.stream.limit = Some(safe);
        let mut cursor = match self.cursor.take().filter(|cursor| self.is_near(cursor, session, first)) {
            Some(cursor) => cursor,
            None => match self.begin(session, first, give_up)? {
                Some(cursor) => cursor,
                None => return Ok(0),
            },
        };
        cursor.visit.reach(safe, true);
        let wanted = first.0.saturating_add(count.into());
        let mut steps = 0;
        let mut over = false;
        let has = |publisher: &Publisher| publisher.session() == Some(session) && publisher.next_sequence().0 >= wanted;
        while !over && !has(&cursor.publisher) {
            match self.step(&mut cursor, session)? {
                Step::On => {}
                Step::Over => over = true,
                Step::End => break,
            }
            steps += 1;
            if steps % FEED_COMMANDS_PER_LOOK == 0 && give_up() {
                return Ok(0);
            }
        }
        let is_its = cursor.publisher.session() == Some(session);
        let found = if is_its {
            cursor.publisher.blocks(first, count, blocks)
        } else {
            0
        };
        // Behind the session's end the engine has gone on without the publisher.
        if !over {
            self.cursor = Some(cursor);
        }
        Ok(found)
    }

    /// Whether to go on from the cursor: it has the message or comes to it before any mark does.
    fn is_near(&self, cursor: &Cursor<D>, session: Session, first: MoldNumber) -> bool {
        let next = cursor.publisher.next_sequence();
        let is_its = cursor.publisher.session() == Some(session);
        let mark = self.mark(first).map(|mark| mark.first);
        if is_its {
            cursor.publisher.floor() <= first && mark.is_none_or(|mark| mark <= next)
        } else {
            mark.is_none()
        }
    }

    /// The last mark from which the message can be made.
    fn mark(&self, first: MoldNumber) -> Option<&Mark> {
        let behind = self.marks.partition_point(|mark| mark.first <= first);
        self.marks.get(behind.checked_sub(1)?)
    }

    /// Goes to the last place from which the message can be made.
    fn begin(
        &self,
        session: Session,
        first: MoldNumber,
        give_up: &impl Fn() -> bool,
    ) -> Result<Option<Cursor<D>>, PastError> {
        let (visit, place) = match self.mark(first) {
            Some(mark) => {
                let mut visit = self.stream.near(mark.command)?;
                while visit.past.seq() < mark.command {
                    let Some(command) = visit.read()? else { return Ok(None) };
                    visit.past.apply(&command);
                    if visit.past.applied().is_multiple_of(FEED_COMMANDS_PER_LOOK) && give_up() {
                        return Ok(None);
                    }
                }
                (visit, mark.place.clone())
            }
            None => {
                let visit = self.stream.newest(|past| is_before(past, session))?;
                let state = visit.past.state();
                let carried = state.instruments.iter().map(|one| Carried {
                    instrument: one.definition.instrument,
                    collar: Collar {
                        width: one.rules.map_or(0, |rules| rules.bands.collar),
                        reference: one.guard.reference,
                    },
                });
                let place = Place::before_a_day(state.venue, carried);
                (visit, place)
            }
        };
        let config = Config {
            store_bytes_max: FEED_BYTES_MAX,
            ..Config::default()
        };
        let publisher = Publisher::resume(config, &place);
        Ok(publisher.ok().map(|publisher| Cursor { visit, publisher }))
    }

    fn step(&mut self, cursor: &mut Cursor<D>, session: Session) -> Result<Step, PastError> {
        let Some(command) = cursor.visit.read()? else {
            return Ok(Step::End);
        };
        let before = cursor.visit.past.seq();
        let outputs = cursor.visit.past.apply(&command);
        let begins = outputs
            .iter()
            .any(|output| matches!(output.event.body, Event::DayStarted(_)));
        let publisher = &mut cursor.publisher;
        if begins && publisher.session() == Some(session) {
            return Ok(Step::Over);
        }
        let place = begins.then(|| publisher.place());
        outputs.iter().for_each(|output| publisher.follow(output));
        let Some(place) = place else {
            let next = publisher.next_sequence();
            let far = |last: &Mark| next.since(last.first) >= self.every;
            if publisher.session() == Some(session) && self.marks.last().is_some_and(far) {
                self.keep(Mark {
                    command: command.seq,
                    first: next,
                    place: publisher.place(),
                });
            }
            return Ok(Step::On);
        };
        if publisher.session() == Some(session) {
            self.marks.clear();
            self.keep(Mark {
                command: before,
                first: MoldNumber::FIRST,
                place,
            });
        }
        Ok(Step::On)
    }

    /// Keeps a mark; where there are too many every second one goes, and from then on they are twice as far apart.
    fn keep(&mut self, mark: Mark) {
        if self.marks.len() >= FEED_PLACES_MAX {
            let mut place = 0;
            self.marks.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.every = self.every.saturating_mul(2);
        }
        self.marks.push(mark);
    }
}

/// Whether the session begins behind this place: its day, in the name behind the venue's two digits, is a later one.
fn is_before(past: &Past, session: Session) -> bool {
    let state = past.state();
    let [_, _, day @ ..] = session_name(state.venue, state.day).0;
    let [_, _, wanted @ ..] = session.0;
    day < wanted
}
