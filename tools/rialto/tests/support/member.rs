//! A member over SoupBinTCP.

use super::PATIENCE;
use rialto_ouch::messages::{
    Appendage, Capacity, ClOrdId, CrossType, Display, EnterOrder, InterMarketSweep, Price, Quantity, Side, Symbol,
    TimeInForce, UserRefNum,
};
use serde_json::Value;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A member over SoupBinTCP.
pub(crate) struct Member {
    stream: TcpStream,
    received: Vec<u8>,
    /// Every sequenced message of the day.
    pub(crate) told: Vec<Vec<u8>>,
}

impl Member {
    /// Logs in and asks for everything since the day began.
    pub(crate) fn login(ready: &Value, name: &str) -> Self {
        let begun = Instant::now();
        loop {
            if let Some(member) = Self::try_login(ready, name) {
                return member;
            }
            assert!(begun.elapsed() < PATIENCE, "{name} is not let in");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn try_login(ready: &Value, name: &str) -> Option<Self> {
        let stream = TcpStream::connect(ready["ouch"].as_str().expect("an address")).expect("the door listens");
        stream
            .set_read_timeout(Some(Duration::from_millis(20)))
            .expect("a limit");
        let mut member = Self {
            stream,
            received: Vec::new(),
            told: Vec::new(),
        };
        let login = format!("{name:<6}{:<10}{:<10}{:>20}", "secret", "", 1);
        member.send(b'L', login.as_bytes());
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match member.next()? {
                Some((b'A', _)) => return Some(member),
                // Its last connection is still on its way out.
                Some((b'J', _)) => return None,
                _ => {}
            }
        }
        panic!("{name} gets no answer");
    }

    pub(crate) fn send(&mut self, kind: u8, payload: &[u8]) {
        let mut bytes = (payload.len() as u16 + 1).to_be_bytes().to_vec();
        bytes.push(kind);
        bytes.extend_from_slice(payload);
        // One that has ended is found by reading.
        let _ = self.stream.write_all(&bytes);
    }

    /// The next packet, if one has come; `None` once the connection has ended.
    pub(crate) fn next(&mut self) -> Option<Option<(u8, Vec<u8>)>> {
        let mut chunk = [0; 4_096];
        let length = |received: &[u8]| match received {
            [high, low, ..] => Some(2 + usize::from(u16::from_be_bytes([*high, *low]))),
            _ => None,
        };
        if length(&self.received).is_none_or(|length| self.received.len() < length) {
            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(count) => self.received.extend_from_slice(&chunk[..count]),
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) =>
                {
                    return Some(None);
                }
                Err(_) => return None,
            }
        }
        let Some(length) = length(&self.received).filter(|length| self.received.len() >= *length) else {
            return Some(None);
        };
        let packet: Vec<u8> = self.received.drain(..length).skip(2).collect();
        let (kind, payload) = (packet[0], packet[1..].to_vec());
        if kind == b'S' {
            self.told.push(payload.clone());
        }
        Some(Some((kind, payload)))
    }

    /// Sends an order and waits until it has been told so many messages.
    pub(crate) fn order(&mut self, user_ref: u32, until_told: usize) {
        assert!(self.asks(user_ref, until_told), "a connection that lives");
    }

    /// The same, unless the connection has ended.
    pub(crate) fn asks(&mut self, user_ref: u32, until_told: usize) -> bool {
        let order = EnterOrder {
            user_ref: UserRefNum(user_ref),
            side: Side::Buy,
            quantity: Quantity(100),
            symbol: Symbol::new("ACME").expect("a symbol"),
            price: Price(1_000_000),
            time_in_force: TimeInForce::Day,
            display: Display::Visible,
            capacity: Capacity::Principal,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: CrossType::Continuous,
            cl_ord_id: ClOrdId::new("first").expect("an id"),
            appendage: Appendage::EMPTY,
        };
        let mut message = Vec::new();
        order.encode(&mut message);
        self.send(b'U', &message);
        let begun = Instant::now();
        while self.told.len() < until_told {
            assert!(
                begun.elapsed() < PATIENCE,
                "{} of {until_told} messages",
                self.told.len()
            );
            if self.next().is_none() {
                return false;
            }
        }
        true
    }

    pub(crate) fn hears(&mut self, messages: usize) {
        let begun = Instant::now();
        while self.told.len() < messages {
            assert!(begun.elapsed() < PATIENCE, "{} of {messages} messages", self.told.len());
            self.next().expect("a connection that lives");
        }
        assert_eq!(self.told.len(), messages);
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.next().is_none() {
                return true;
            }
        }
        false
    }
}
