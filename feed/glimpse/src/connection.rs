//! One client from its connection to its end.

use rialto_ouch::soup::{
    LoginRejectCode, LoginRequest, RequestedSequence, SequenceNumber, ServerEvent, ServerSession, SessionName,
    SoupConfig,
};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::rc::Rc;

use crate::limits::{PULLED_MAX, READ_TIME};
use crate::snapshot::{Snapshot, Store};

/// What a client waits for.
#[derive(Debug)]
enum State {
    /// Its login.
    Login,
    /// The door takes no question now.
    Asking(LoginRequest),
    /// The door's answer.
    Door(LoginRequest),
    /// A place for a snapshot.
    Place(LoginRequest),
    /// What it is told, until this time.
    Told {
        snapshot: Rc<Snapshot>,
        until_ns: u64,
    },
    Over,
}

/// How long what is left for a connection that is over may take to leave.
const LINGER_NS: u64 = 5_000_000_000;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    session: ServerSession,
    state: State,
    pub(crate) ticket: u64,
    /// When it was over.
    over_ns: Option<u64>,
}

/// What a connection wants of the server.
pub(crate) enum Wants {
    /// Nothing, and so much was done.
    Nothing(usize),
    /// Name and password checked.
    Check(LoginRequest),
    /// A snapshot.
    Snapshot(LoginRequest),
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, ticket: u64, now_ns: u64) -> Self {
        Self {
            stream,
            session: ServerSession::new(SoupConfig::default(), now_ns),
            state: State::Login,
            ticket,
            over_ns: None,
        }
    }

    /// Reads, tells and writes as far as the socket goes.
    pub(crate) fn poll(&mut self, now_ns: u64) -> Wants {
        let mut done = self.read(now_ns);
        while let Some(event) = self.session.poll_event() {
            match event {
                ServerEvent::Login(login) => self.state = State::Asking(login),
                // GLIMPSE has no messages from the client.
                ServerEvent::Message(_) => {}
                ServerEvent::Closed(_) => self.state = State::Over,
            }
        }
        self.session.handle_timer(now_ns);
        if let State::Told { snapshot, until_ns } = &self.state {
            // What is in the snapshot fits a packet.
            done += self.session.pull(&mut Store(snapshot), PULLED_MAX).unwrap_or_default();
            let told = self
                .session
                .next_wanted()
                .is_some_and(|next| next.get() >= snapshot.end());
            if told {
                let _ = self.session.end_session();
            } else if now_ns >= *until_ns {
                self.session.close();
            }
        }
        done += self.write(now_ns);
        if matches!(self.state, State::Over) {
            self.over_ns.get_or_insert(now_ns);
        }
        match self.state {
            State::Asking(login) => Wants::Check(login),
            State::Place(login) => Wants::Snapshot(login),
            _ => Wants::Nothing(done),
        }
    }

    /// Whether there is nothing more to do but close.
    pub(crate) fn is_over(&self, now_ns: u64) -> bool {
        let is_late = |since: u64| now_ns.saturating_sub(since) >= LINGER_NS;
        self.over_ns
            .is_some_and(|since| self.session.poll_output().is_empty() || is_late(since))
    }

    /// The door was asked.
    pub(crate) fn asked(&mut self) {
        if let State::Asking(login) = self.state {
            self.state = State::Door(login);
        }
    }

    /// The door has answered.
    pub(crate) fn answered(&mut self, granted: bool) {
        if let State::Door(login) = self.state {
            if granted {
                self.state = State::Place(login);
            } else {
                self.refuse(LoginRejectCode::NotAuthorised);
            }
        }
    }

    /// The snapshot that is told from here on.
    pub(crate) fn tell(&mut self, login: &LoginRequest, snapshot: Rc<Snapshot>, now_ns: u64) {
        let name = std::str::from_utf8(&snapshot.session.0).unwrap_or_default().trim_end();
        let first = match login.sequence {
            RequestedSequence::MostRecent => true,
            RequestedSequence::From(number) => number == SequenceNumber::FIRST,
        };
        let name = SessionName::new(name);
        match name {
            Ok(name) if first && login.session.is_none_or(|wanted| wanted == name) => {
                if self.session.accept(name, SequenceNumber::FIRST).is_ok() {
                    let until_ns = now_ns.saturating_add(READ_TIME.as_nanos() as u64);
                    self.state = State::Told { snapshot, until_ns };
                }
            }
            _ => self.refuse(LoginRejectCode::SessionNotAvailable),
        }
    }

    pub(crate) fn refuse(&mut self, code: LoginRejectCode) {
        // A client that has gone needs no answer.
        let _ = self.session.reject(code);
        self.state = State::Over;
    }

    pub(crate) fn snapshot(&self) -> Option<&Rc<Snapshot>> {
        match &self.state {
            State::Told { snapshot, .. } => Some(snapshot),
            _ => None,
        }
    }

    fn read(&mut self, now_ns: u64) -> usize {
        let mut bytes = [0; 512];
        match self.stream.read(&mut bytes) {
            Ok(0) => self.session.handle_disconnect(),
            // What finds no room in the session is more than any GLIMPSE client says.
            Ok(count) => {
                if self
                    .session
                    .handle_bytes(now_ns, bytes.get(..count).unwrap_or_default())
                    < count
                {
                    self.session.close();
                }
                return count;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.session.handle_disconnect(),
        }
        0
    }

    fn write(&mut self, now_ns: u64) -> usize {
        let output = self.session.poll_output();
        if output.is_empty() {
            return 0;
        }
        match self.stream.write(output) {
            Ok(count) => {
                self.session.handle_sent(now_ns, count);
                count
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
            Err(_) => {
                let gone = output.len();
                self.session.handle_sent(now_ns, gone);
                self.session.handle_disconnect();
                self.state = State::Over;
                0
            }
        }
    }
}
