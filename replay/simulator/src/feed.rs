//! The feed of a run: the production publisher live, and another that follows what a recovery found.

use crate::check::Violation;
use rialto_itch::mold::Packet;
use rialto_model::Output;
use rialto_publisher::{Config, Publisher};
use std::collections::BTreeMap;

/// A message as a subscriber has it: session, number, bytes.
type Messages = BTreeMap<(String, u64), Vec<u8>>;

/// What left for the subscribers, over all lives of the exchange.
#[derive(Debug)]
pub(crate) struct Feed {
    publisher: Publisher,
    sent: Messages,
    packet: Vec<u8>,
}

fn publisher() -> Publisher {
    let small = Config {
        store_bytes_max: 64 << 10,
        ..Config::default()
    };
    Publisher::new(small).expect("the store holds a packet's messages")
}

/// Packs what was followed and adds it to `sent`. A number that is sent twice must be the same message.
fn send(publisher: &mut Publisher, packet: &mut Vec<u8>, sent: &mut Messages) -> Result<(), Violation> {
    while publisher.poll_packet(true, packet).is_some() {
        let parsed = Packet::parse(packet).map_err(|error| Violation::new("feed", error.to_string()))?;
        let session = parsed.session().to_string();
        for (number, message) in parsed.blocks() {
            let number = number.0;
            let before = sent.insert((session.clone(), number), message.to_vec());
            if before.is_some_and(|before| before != message) {
                return Err(Violation::new(
                    "feed",
                    format!("message {number} of session {session} was sent with other bytes"),
                ));
            }
        }
    }
    Ok(())
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self {
            publisher: publisher(),
            sent: Messages::new(),
            packet: Vec::new(),
        }
    }

    pub(crate) fn follow(&mut self, output: &Output) -> Result<(), Violation> {
        self.publisher.follow(output);
        send(&mut self.publisher, &mut self.packet, &mut self.sent)
    }

    /// A start: what a subscriber got must be what `outputs` make; where `lossy`, only as far as they go.
    pub(crate) fn recover(&mut self, outputs: &[Output], lossy: bool) -> Result<(), Violation> {
        let mut again = Messages::new();
        self.publisher = publisher();
        for output in outputs {
            self.publisher.follow(output);
            send(&mut self.publisher, &mut self.packet, &mut again)?;
        }
        for (at, message) in &self.sent {
            match again.get(at) {
                Some(same) if same == message => {}
                None if lossy => {}
                found => {
                    let said = if found.is_some() { "other bytes" } else { "nothing" };
                    return Err(Violation::new(
                        "feed",
                        format!(
                            "message {} of session {} was sent, a restart makes {said} of it",
                            at.1, at.0
                        ),
                    ));
                }
            }
        }
        if lossy {
            self.sent = again;
        }
        Ok(())
    }
}
