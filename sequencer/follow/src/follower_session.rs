//! The follower's end of one connection, without its socket.
//!
//! In this order: [`FollowerSession::new`]; [`handle_bytes`](FollowerSession::handle_bytes) with what came, then
//! [`poll`](FollowerSession::poll) until it gives nothing more; [`tick`](FollowerSession::tick) now and then;
//! [`output`](FollowerSession::output) holds what is to be written.

use crate::key::{Key, Nonce, SessionKey, TAG, Tags};
use crate::limits::{HEARTBEAT, SILENCE_MAX, SNAPSHOT_BYTES_MAX};
use crate::roster::Process;
use crate::server_session::frame;
use crate::silence::Silence;
use crate::wire::{
    Challenge, Frames, Hello, Kind, PROOF, Reason, Stand, VERSION, WELCOME, Welcome, decode_farewell, decode_frontier,
    decode_records,
};
use rialto_model::codec::DecodeError;
use rialto_model::{Command, Epoch, Monotonic, SequenceNumber, Sequenced};
use std::collections::VecDeque;

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The exchange has proved that it has the key, and says what comes.
    Welcome(Welcome),
    /// A whole snapshot: what was known before is void, records go on behind `seq`.
    Snapshot {
        /// Behind which command.
        seq: SequenceNumber,
        /// Its file.
        bytes: Vec<u8>,
    },
    /// The next command.
    Command(Sequenced<Command>),
    /// How far the exchange is.
    Frontier {
        /// The writer's epoch.
        epoch: Epoch,
        /// What is released.
        up_to: SequenceNumber,
    },
    /// What the exchange says to an engine.
    Briefed(Vec<u8>),
}

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The exchange said so.
    #[error("the exchange ended the connection: {1} ({0:?})")]
    Farewell(Reason, String),
    /// It has another key, or is no exchange.
    #[error("what answers there cannot prove that it has this key: check the address and copy the key again")]
    WrongServer,
    /// Another version.
    #[error("the exchange speaks version {0} of the follower's protocol, this build {VERSION}")]
    Version(u32),
    /// Nothing was heard for too long.
    #[error("nothing was heard for {SILENCE_MAX:?}")]
    Silent,
    /// It broke the protocol; connecting again may mend it.
    #[error("the connection broke the protocol: {0}")]
    Broken(&'static str),
    /// A message that this build does not have.
    #[error("a command that this build does not understand: {0}")]
    Message(DecodeError),
}

impl Refused {
    /// Whether it is of use to connect again.
    #[must_use]
    pub const fn may_come_again(&self) -> bool {
        match self {
            Self::Farewell(reason, _) => reason.may_come_again(),
            Self::Silent | Self::Broken(_) => true,
            Self::WrongServer | Self::Version(_) | Self::Message(_) => false,
        }
    }
}

/// Where the conversation is.
enum State {
    /// The exchange has not said anything.
    Opening,
    /// A proof was sent, one is waited for.
    Proving(SessionKey),
    /// Welcome.
    Following,
}

/// One connection to an exchange.
pub struct FollowerSession {
    key: Key,
    nonce: Nonce,
    after: Stand,
    wants_snapshot: bool,
    process: Process,
    state: State,
    frames: Frames,
    out: Vec<u8>,
    tags: Option<(Tags, Tags)>,
    heard: VecDeque<Heard>,
    /// The snapshot that is coming, and how many bytes it has.
    snapshot: Option<(SequenceNumber, Vec<u8>, u64)>,
    last: SequenceNumber,
    epoch: Epoch,
    taken: SequenceNumber,
    silence: Silence,
    said_at: Monotonic,
}

impl FollowerSession {
    /// Goes on behind `after`, whose record was of `epoch`; zeros: from the beginning, or from a snapshot if one is wanted.
    #[must_use]
    pub fn new(key: Key, nonce: Nonce, after: Stand, epoch: Epoch, wants_snapshot: bool, now: Monotonic) -> Self {
        Self {
            key,
            nonce,
            after,
            wants_snapshot,
            process: Process::this("follower"),
            state: State::Opening,
            frames: Frames::default(),
            out: Vec::new(),
            tags: None,
            heard: VecDeque::new(),
            snapshot: None,
            last: after.seq,
            epoch,
            taken: after.seq,
            silence: Silence::new(now),
            said_at: now,
        }
    }

    /// What it says of itself; otherwise a follower of this build.
    #[must_use]
    pub fn of(self, process: Process) -> Self {
        Self { process, ..self }
    }

    /// Takes what came. What it holds is told by [`poll`](Self::poll); call it until it is empty before the next bytes.
    ///
    /// # Errors
    /// Why the connection ends. What was heard before may still be polled.
    pub fn handle_bytes(&mut self, now: Monotonic, bytes: &[u8]) -> Result<(), Refused> {
        self.frames.push(bytes);
        loop {
            let frame = match self.frames.take() {
                Ok(Some(frame)) => frame.to_vec(),
                Ok(None) => return Ok(()),
                Err(_) => return Err(Refused::Broken("a frame states an impossible length")),
            };
            self.silence.heard(now);
            self.take(&frame)?;
        }
    }

    fn take(&mut self, frame: &[u8]) -> Result<(), Refused> {
        let (signed, tagged) = match &mut self.tags {
            None => (frame, false),
            Some((_, incoming)) => {
                let (signed, tag) = frame.split_at(frame.len().saturating_sub(TAG));
                if !incoming.holds(signed, tag) {
                    return Err(Refused::Broken("a frame has a wrong tag"));
                }
                (signed, true)
            }
        };
        let Some((kind, body)) = signed.split_first() else {
            return Err(Refused::Broken("an empty frame"));
        };
        let state = core::mem::replace(&mut self.state, State::Following);
        match (Kind::of(*kind), state) {
            (Some(Kind::Challenge), State::Opening) => self.challenged(body),
            (Some(Kind::Welcome), State::Proving(session)) => self.welcomed(body, &session),
            (Some(Kind::Farewell), _) => Err(decode_farewell(body)
                .map_or(Refused::Broken("a farewell cannot be read"), |(reason, text)| {
                    Refused::Farewell(reason, text)
                })),
            (Some(Kind::SnapshotPart), _) if tagged => self.snapshot_part(body),
            (Some(Kind::Brief), _) if tagged => {
                self.heard.push_back(Heard::Briefed(body.to_vec()));
                Ok(())
            }
            (Some(Kind::Records), _) if tagged && self.snapshot.is_none() => self.records(body),
            (Some(Kind::Frontier), _) if tagged => {
                let read = decode_frontier(body).map_err(|_| Refused::Broken("a frontier cannot be read"));
                read.map(|(epoch, up_to)| self.heard.push_back(Heard::Frontier { epoch, up_to }))
            }
            _ => Err(Refused::Broken("a frame that does not belong here")),
        }
    }

    fn challenged(&mut self, body: &[u8]) -> Result<(), Refused> {
        let challenge = Challenge::decode(body).map_err(|_| Refused::WrongServer)?;
        if challenge.version != VERSION {
            return Err(Refused::Version(challenge.version));
        }
        let hello = Hello {
            version: VERSION,
            nonce: self.nonce,
            after: self.after,
            snapshot: self.wants_snapshot,
            process: self.process,
        };
        let session = self.key.session(&challenge.nonce, &self.nonce);
        let mut body = hello.encode().to_vec();
        body.extend_from_slice(session.proof("hello", &hello.encode()).as_bytes());
        frame(&mut self.out, Kind::Hello, &body, None);
        self.state = State::Proving(session);
        Ok(())
    }

    fn welcomed(&mut self, body: &[u8], session: &SessionKey) -> Result<(), Refused> {
        let (signed, proof) = body.split_at(WELCOME.min(body.len()));
        let holds = proof
            .first_chunk::<PROOF>()
            .is_some_and(|proof| session.proof("welcome", signed) == *proof);
        if !holds || proof.len() != PROOF {
            return Err(Refused::WrongServer);
        }
        let welcome = Welcome::decode(signed).map_err(|_| Refused::Broken("Welcome cannot be read"))?;
        let Welcome {
            after, snapshot_bytes, ..
        } = welcome;
        if snapshot_bytes > 0 {
            if !self.wants_snapshot || snapshot_bytes > SNAPSHOT_BYTES_MAX {
                return Err(Refused::Broken("a snapshot that was not asked for or is too large"));
            }
            self.snapshot = Some((after, Vec::new(), snapshot_bytes));
        } else if after != self.after.seq {
            return Err(Refused::Broken("it begins elsewhere than was asked for"));
        }
        self.last = after;
        self.tags = Some((
            session.tags("rialto follow 1 follower"),
            session.tags("rialto follow 1 server"),
        ));
        self.heard.push_back(Heard::Welcome(welcome));
        Ok(())
    }

    fn snapshot_part(&mut self, part: &[u8]) -> Result<(), Refused> {
        let Some((seq, mut bytes, wanted)) = self.snapshot.take() else {
            return Err(Refused::Broken("a part of no snapshot"));
        };
        bytes.extend_from_slice(part);
        match (bytes.len() as u64).cmp(&wanted) {
            core::cmp::Ordering::Less => self.snapshot = Some((seq, bytes, wanted)),
            core::cmp::Ordering::Equal => self.heard.push_back(Heard::Snapshot { seq, bytes }),
            core::cmp::Ordering::Greater => return Err(Refused::Broken("more of a snapshot than there is")),
        }
        Ok(())
    }

    fn records(&mut self, body: &[u8]) -> Result<(), Refused> {
        let (commands, up_to) = decode_records(body).map_err(Refused::Message)?;
        for command in commands {
            if command.seq != self.last.next() {
                return Err(Refused::Broken("a command that is not the next one"));
            }
            if command.epoch < self.epoch {
                return Err(Refused::Broken("a command of an epoch that has ended"));
            }
            self.last = command.seq;
            self.epoch = command.epoch;
            self.heard.push_back(Heard::Command(command));
        }
        let epoch = self.epoch;
        self.heard.push_back(Heard::Frontier { epoch, up_to });
        Ok(())
    }

    /// The next that was heard.
    pub fn poll(&mut self) -> Option<Heard> {
        let heard = self.heard.pop_front()?;
        match &heard {
            Heard::Command(command) => self.taken = command.seq,
            Heard::Snapshot { seq, .. } => self.taken = *seq,
            _ => {}
        }
        Some(heard)
    }

    /// Says how far it is, where nothing was said for a while.
    ///
    /// # Errors
    /// Nothing was heard for [`SILENCE_MAX`].
    pub fn tick(&mut self, now: Monotonic) -> Result<(), Refused> {
        if self.silence.is_over(now) {
            return Err(Refused::Silent);
        }
        if self.tags.is_some() && now.0.saturating_sub(self.said_at.0) > HEARTBEAT.as_nanos() as u64 {
            self.said_at = now;
            let taken = self.taken.0.to_le_bytes();
            frame(
                &mut self.out,
                Kind::Taken,
                &taken,
                self.tags.as_mut().map(|(own, _)| own),
            );
        }
        Ok(())
    }

    /// Says which engine it is.
    pub fn introduce(&mut self, body: &[u8]) {
        self.say(Kind::Introduce, body);
    }

    /// Says what came of commands, at most [`ENGINE_BYTES_MAX`](crate::limits::ENGINE_BYTES_MAX) at once.
    pub fn testify(&mut self, body: &[u8]) {
        self.say(Kind::Testify, body);
    }

    /// Nothing is said before the welcome.
    fn say(&mut self, kind: Kind, body: &[u8]) {
        if let Some((own, _)) = &mut self.tags {
            frame(&mut self.out, kind, body, Some(own));
        }
    }

    /// What is to be written, the oldest first; who writes takes it off.
    pub const fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }
}
