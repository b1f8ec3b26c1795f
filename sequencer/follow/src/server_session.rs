//! The exchange's end of one connection, without its socket.
//!
//! In this order: [`ServerSession::new`]; [`handle_bytes`](ServerSession::handle_bytes) until it gives the follower's
//! [`Hello`]; [`welcome`](ServerSession::welcome) or [`farewell`](ServerSession::farewell); then whatever is to be sent,
//! and `handle_bytes` for what the follower says. [`output`](ServerSession::output) holds what is to be written: who calls
//! asks for more frames only when it is empty, so that it holds one at a time.

use crate::follower_session::Refused;
use crate::key::{Key, Nonce, SessionKey, TAG, Tags};
use crate::limits::HEARTBEAT;
use crate::silence::Silence;
use crate::wire::{
    Challenge, Frames, HELLO, Hello, Kind, LENGTH, PROOF, Reason, RecordsBuilder, VERSION, Welcome, encode_farewell,
    encode_frontier,
};
use rialto_model::codec::{Decoder, Field as _};
use rialto_model::{Epoch, Monotonic, SequenceNumber};
use std::collections::VecDeque;

/// One follower's connection.
pub struct ServerSession {
    key: Key,
    nonce: Nonce,
    frames: Frames,
    out: Vec<u8>,
    session: Option<SessionKey>,
    tags: Option<(Tags, Tags)>,
    taken: SequenceNumber,
    silence: Silence,
    said: Monotonic,
    told: VecDeque<Told>,
}

/// What a follower that is an engine says. Its bytes are between the two engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Which it is.
    Introduced(Vec<u8>),
    /// What came of commands.
    Testified(Vec<u8>),
}

/// How the stream begins for a follower.
pub type Begin = Welcome;

impl ServerSession {
    /// Opens with a challenge.
    #[must_use]
    pub fn new(key: Key, nonce: Nonce, now: Monotonic) -> Self {
        let mut session = Self {
            key,
            nonce,
            frames: Frames::default(),
            out: Vec::new(),
            session: None,
            tags: None,
            taken: SequenceNumber(0),
            silence: Silence::new(now),
            said: now,
            told: VecDeque::new(),
        };
        let version = VERSION;
        session.frame(Kind::Challenge, &Challenge { version, nonce }.encode());
        session
    }

    /// Takes what came from the follower. Gives its wish once, when it has proved that it has the key.
    ///
    /// # Errors
    /// Why the connection ends; a farewell that says so is in the output.
    pub fn handle_bytes(&mut self, now: Monotonic, bytes: &[u8]) -> Result<Option<Hello>, Refused> {
        self.frames.push(bytes);
        let mut wish = None;
        loop {
            let frame = match self.frames.take() {
                Ok(Some(frame)) => frame.to_vec(),
                Ok(None) => return Ok(wish),
                Err(_) => return Err(self.refuse(Reason::Protocol, "a frame states an impossible length")),
            };
            self.silence.heard(now);
            wish = self.take(&frame)?.or(wish);
        }
    }

    fn take(&mut self, frame: &[u8]) -> Result<Option<Hello>, Refused> {
        let (kind, body) = frame
            .split_first()
            .map_or((None, frame), |(kind, body)| (Kind::of(*kind), body));
        if kind == Some(Kind::Hello) && self.session.is_none() {
            return self.hello(body).map(Some);
        }
        let Some((_, incoming)) = &mut self.tags else {
            return Err(self.refuse(Reason::Protocol, "a frame in place of Hello"));
        };
        let (signed, tag) = frame.split_at(frame.len().saturating_sub(TAG));
        if !incoming.holds(signed, tag) {
            return Err(self.refuse(Reason::Protocol, "a frame has a wrong tag"));
        }
        let body = signed.split_first().map_or(&[][..], |(_, body)| body);
        match (kind, SequenceNumber::get(&mut Decoder::new(body))) {
            (Some(Kind::Taken), Ok(taken)) => self.taken = self.taken.max(taken),
            (Some(Kind::Introduce), _) => self.told.push_back(Told::Introduced(body.to_vec())),
            (Some(Kind::Testify), _) => self.told.push_back(Told::Testified(body.to_vec())),
            _ => return Err(self.refuse(Reason::Protocol, "a frame that a follower does not send")),
        }
        Ok(None)
    }

    fn hello(&mut self, body: &[u8]) -> Result<Hello, Refused> {
        let (signed, proof) = body.split_at(HELLO.min(body.len()));
        let Ok(hello) = Hello::decode(signed) else {
            return Err(self.refuse(Reason::Protocol, "Hello cannot be read"));
        };
        if hello.version != VERSION {
            let text = format!(
                "version {} was asked for, this exchange speaks {VERSION}",
                hello.version
            );
            return Err(self.refuse(Reason::Protocol, &text));
        }
        let session = self.key.session(&self.nonce, &hello.nonce);
        // The comparison of hashes takes equally long wherever they differ.
        let holds = proof
            .first_chunk::<PROOF>()
            .is_some_and(|proof| session.proof("hello", signed) == *proof);
        if !holds || proof.len() != PROOF {
            return Err(self.refuse(Reason::WrongKey, "the proof is not one of this exchange's key"));
        }
        self.taken = hello.after.seq;
        self.session = Some(session);
        Ok(hello)
    }

    /// Says what will be sent. Every frame from here on has a tag.
    pub fn welcome(&mut self, begin: &Begin) {
        let Some(session) = self.session.clone() else {
            return;
        };
        let mut body = begin.encode().to_vec();
        body.extend_from_slice(session.proof("welcome", &begin.encode()).as_bytes());
        self.frame(Kind::Welcome, &body);
        self.tags = Some((
            session.tags("rialto follow 1 server"),
            session.tags("rialto follow 1 follower"),
        ));
    }

    /// Sends a part of the snapshot.
    pub fn snapshot_part(&mut self, now: Monotonic, part: &[u8]) {
        self.said = now;
        self.frame(Kind::SnapshotPart, part);
    }

    /// Sends commands and what is released.
    pub fn records(&mut self, now: Monotonic, records: &mut RecordsBuilder, frontier: SequenceNumber) {
        self.said = now;
        let body = records.finish(frontier);
        self.frame(Kind::Records, &body);
    }

    /// Says how far the exchange is, where nothing was said for a while.
    ///
    /// # Errors
    /// Nothing was heard for [`SILENCE_MAX`](crate::limits::SILENCE_MAX).
    pub fn tick(&mut self, now: Monotonic, epoch: Epoch, frontier: SequenceNumber) -> Result<(), Refused> {
        if self.silence.is_over(now) {
            return Err(Refused::Silent);
        }
        if self.tags.is_some() && now.0.saturating_sub(self.said.0) > HEARTBEAT.as_nanos() as u64 {
            self.said = now;
            self.frame(Kind::Frontier, &encode_frontier(epoch, frontier));
        }
        Ok(())
    }

    /// The next that an engine has said. Who calls takes no more bytes before all is taken: so it is bounded.
    pub fn told(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    /// Says something to an engine.
    pub fn brief(&mut self, now: Monotonic, body: &[u8]) {
        self.said = now;
        self.frame(Kind::Brief, body);
    }

    /// The last frame.
    pub fn farewell(&mut self, reason: Reason, text: &str) {
        self.frame(Kind::Farewell, &encode_farewell(reason, text));
    }

    /// What is to be written, the oldest first; who writes takes it off.
    pub const fn output(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// The last number that the follower says it has.
    #[must_use]
    pub const fn taken(&self) -> SequenceNumber {
        self.taken
    }

    fn refuse(&mut self, reason: Reason, text: &str) -> Refused {
        self.farewell(reason, text);
        Refused::Farewell(reason, text.to_owned())
    }

    fn frame(&mut self, kind: Kind, body: &[u8]) {
        frame(&mut self.out, kind, body, self.tags.as_mut().map(|(own, _)| own));
    }
}

/// Appends a frame, with a tag where there are tags.
pub(crate) fn frame(out: &mut Vec<u8>, kind: Kind, body: &[u8], tags: Option<&mut Tags>) {
    let length = 1 + body.len() + tags.as_ref().map_or(0, |_| TAG);
    out.extend_from_slice(&(length as u32).to_le_bytes());
    let begins = out.len();
    out.push(kind as u8);
    out.extend_from_slice(body);
    if let Some(tags) = tags {
        let tag = tags.next(out.get(begins..).unwrap_or_default());
        out.extend_from_slice(&tag);
    }
    debug_assert_eq!(out.len() - begins + LENGTH, length + LENGTH);
}
