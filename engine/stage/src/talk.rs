//! What an engine, door or feed process and the exchange say to each other, and its bytes: `SPEC.md` beside this crate has the tables.

use crate::answers::{Answer, decode};
use rialto_model::codec::{DecodeError, Decoder, Encoder, Field as _};
use rialto_model::limits::MESSAGE_BYTES_MAX;
use rialto_model::{Command, Door, InstrumentId, ReleaseNumber, SequenceNumber};

/// The version both must speak.
pub const VERSION: u32 = 1;
/// Commands of one window of cost: number n belongs to window n / 512.
pub const WINDOW: u64 = 512;
/// Bytes of a name, and of the words of one that died.
const WORDS_MAX: usize = 255;
/// Commands of one testimony.
pub const COMMANDS_MAX: usize = 128;

/// What an engine is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// To be compared, and perhaps to be waited for.
    Candidate = 1,
    /// The old build once more, for its cost and its memory alone.
    Baseline = 2,
    /// No engine but a door, through which a share of the sessions comes in.
    Door = 3,
    /// The door of the standing build in a process of its own, for its cost alone.
    BaselineDoor = 4,
    /// No engine but a feed, by which a share of the subscribers is told.
    Feed = 5,
    /// The feed of the standing build in a process of its own, for its cost and its delay alone.
    BaselineFeed = 6,
}

impl Role {
    /// Whether it is a door.
    #[must_use]
    pub const fn is_door(self) -> bool {
        matches!(self, Self::Door | Self::BaselineDoor)
    }

    /// Whether it is a feed.
    #[must_use]
    pub const fn is_feed(self) -> bool {
        matches!(self, Self::Feed | Self::BaselineFeed)
    }
}

/// Which engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// What for.
    pub role: Role,
    /// Its build: the 64-bit xxh3 of its executable.
    pub build: u64,
    /// The hash of its table of flags.
    pub table: u64,
    /// The newest behaviour it has.
    pub release: ReleaseNumber,
    /// Its process.
    pub pid: u32,
    /// What people call it.
    pub name: String,
}

impl Introduction {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = VERSION.to_le_bytes().to_vec();
        bytes.push(self.role as u8);
        bytes.extend_from_slice(&self.build.to_le_bytes());
        bytes.extend_from_slice(&self.table.to_le_bytes());
        bytes.extend_from_slice(&self.release.0.to_le_bytes());
        bytes.extend_from_slice(&self.pid.to_le_bytes());
        bytes.extend_from_slice(words(&self.name));
        bytes
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`DecodeError`], also for another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Decoder::new(bytes);
        let version = u32::get(&mut input)?;
        if version != VERSION {
            let value = version as u8;
            return Err(DecodeError::UnknownValue { kind: "version", value });
        }
        let role = match u8::get(&mut input)? {
            1 => Role::Candidate,
            2 => Role::Baseline,
            3 => Role::Door,
            4 => Role::BaselineDoor,
            5 => Role::Feed,
            6 => Role::BaselineFeed,
            value => return Err(DecodeError::UnknownValue { kind: "Role", value }),
        };
        Ok(Self {
            role,
            build: u64::get(&mut input)?,
            table: u64::get(&mut input)?,
            release: ReleaseNumber(u32::get(&mut input)?),
            pid: u32::get(&mut input)?,
            name: rest(&mut input)?,
        })
    }
}

/// A command that an engine passes over, and its instrument (zero: none), of which nothing is compared any more.
pub type PassedOver = (SequenceNumber, InstrumentId);

/// The exchange's first words to an engine.
#[must_use]
pub fn encode_brief(passed_over: &[PassedOver]) -> Vec<u8> {
    let each = passed_over.iter().flat_map(|(seq, instrument)| {
        let mut bytes = seq.0.to_le_bytes().to_vec();
        bytes.extend_from_slice(&instrument.0.to_le_bytes());
        bytes
    });
    each.collect()
}

/// Reads them back.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_brief(bytes: &[u8]) -> Result<Vec<PassedOver>, DecodeError> {
    let mut input = Decoder::new(bytes);
    let mut all = Vec::new();
    while input.remaining() > 0 {
        all.push((
            SequenceNumber(u64::get(&mut input)?),
            InstrumentId(u16::get(&mut input)?),
        ));
    }
    Ok(all)
}

/// What a window of commands cost an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The window: commands `window * WINDOW` up to the next.
    pub window: u64,
    /// Thread CPU.
    pub cpu_ns: u64,
}

/// The hash of what sessions were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// By the end of which window of 64 commands.
    pub window: u64,
    /// Over everything that every session was told since the venue's first command.
    pub hash: u64,
}

/// What an engine says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Testify {
    /// What came of commands; the body is [`AnswersBuilder`](crate::answers::AnswersBuilder)'s.
    Answers(Vec<Answer>),
    /// What windows cost.
    Costs(Vec<Cost>),
    /// A command brought it down: its last words.
    Died {
        /// Which command.
        seq: SequenceNumber,
        /// Its instrument; zero: none.
        instrument: InstrumentId,
        /// What the panic said.
        words: String,
    },
    /// What members ask for through it.
    Commands(Vec<Command>),
    /// It is caught up, and takes sockets.
    Opens {
        /// For which door.
        door: Door,
        /// At which Unix datagram socket.
        path: String,
    },
    /// Of a door: what it has told all sessions by the ends of windows of commands.
    Said(Vec<Transcript>),
    /// Of a feed: it tells who comes.
    Tells {
        /// At which UDP port of this machine.
        port: u16,
        /// To how many.
        subscribers: u32,
    },
    /// How it is.
    Health {
        /// The last command that it has taken.
        taken: SequenceNumber,
        /// Bytes of memory that it holds.
        memory: u64,
    },
}

const ANSWERS: u8 = 1;
const COSTS: u8 = 2;
const DIED: u8 = 3;
const HEALTH: u8 = 4;
const COMMANDS: u8 = 5;
const OPENS: u8 = 6;
const TELLS: u8 = 7;
const SAID: u8 = 8;

/// A body of answers, as [`AnswersBuilder`](crate::answers::AnswersBuilder) has made it.
#[must_use]
pub fn testify_answers(body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![ANSWERS];
    bytes.extend_from_slice(body);
    bytes
}

impl Testify {
    /// Its bytes. Answers leave by [`testify_answers`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Answers(answers) => {
                let mut builder = crate::answers::AnswersBuilder::default();
                answers.iter().for_each(|answer| builder.push(answer));
                testify_answers(&builder.finish())
            }
            Self::Costs(costs) => {
                let mut bytes = vec![COSTS];
                for cost in costs {
                    bytes.extend_from_slice(&cost.window.to_le_bytes());
                    bytes.extend_from_slice(&cost.cpu_ns.to_le_bytes());
                }
                bytes
            }
            Self::Died {
                seq,
                instrument,
                words: said,
            } => {
                let mut bytes = vec![DIED];
                bytes.extend_from_slice(&seq.0.to_le_bytes());
                bytes.extend_from_slice(&instrument.0.to_le_bytes());
                bytes.extend_from_slice(words(said));
                bytes
            }
            Self::Commands(commands) => {
                let mut bytes = vec![COMMANDS];
                for command in commands {
                    let mut room = [0; MESSAGE_BYTES_MAX];
                    let mut out = Encoder::new(&mut room);
                    command.encode(&mut out);
                    let len = out.len();
                    bytes.extend_from_slice(&command.schema().to_le_bytes());
                    bytes.extend_from_slice(&(command.block_len() as u16).to_le_bytes());
                    bytes.extend_from_slice(&(len as u16).to_le_bytes());
                    bytes.extend_from_slice(room.get(..len).unwrap_or_default());
                }
                bytes
            }
            Self::Opens { door, path } => {
                let mut bytes = vec![OPENS, *door as u8];
                bytes.extend_from_slice(words(path));
                bytes
            }
            Self::Said(windows) => {
                let mut bytes = vec![SAID];
                for one in windows {
                    bytes.extend_from_slice(&one.window.to_le_bytes());
                    bytes.extend_from_slice(&one.hash.to_le_bytes());
                }
                bytes
            }
            Self::Tells { port, subscribers } => {
                let mut bytes = vec![TELLS];
                bytes.extend_from_slice(&port.to_le_bytes());
                bytes.extend_from_slice(&subscribers.to_le_bytes());
                bytes
            }
            Self::Health { taken, memory } => {
                let mut bytes = vec![HEALTH];
                bytes.extend_from_slice(&taken.0.to_le_bytes());
                bytes.extend_from_slice(&memory.to_le_bytes());
                bytes
            }
        }
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Decoder::new(bytes);
        Ok(match u8::get(&mut input)? {
            ANSWERS => Self::Answers(decode(input.take(input.remaining())?)?),
            COSTS => {
                let mut costs = Vec::new();
                while input.remaining() > 0 {
                    let (window, cpu_ns) = (u64::get(&mut input)?, u64::get(&mut input)?);
                    costs.push(Cost { window, cpu_ns });
                }
                Self::Costs(costs)
            }
            DIED => Self::Died {
                seq: SequenceNumber(u64::get(&mut input)?),
                instrument: InstrumentId(u16::get(&mut input)?),
                words: rest(&mut input)?,
            },
            HEALTH => Self::Health {
                taken: SequenceNumber(u64::get(&mut input)?),
                memory: u64::get(&mut input)?,
            },
            COMMANDS => {
                let mut commands = Vec::new();
                while input.remaining() > 0 {
                    let (schema, block) = (u16::get(&mut input)?, u16::get(&mut input)?);
                    let len = u16::get(&mut input)?;
                    let bytes = input.take(usize::from(len))?;
                    commands.push(Command::decode(schema, usize::from(block), bytes)?);
                }
                Self::Commands(commands)
            }
            OPENS => Self::Opens {
                door: Door::get(&mut input)?,
                path: rest(&mut input)?,
            },
            SAID => {
                let mut windows = Vec::new();
                while input.remaining() > 0 {
                    let (window, hash) = (u64::get(&mut input)?, u64::get(&mut input)?);
                    windows.push(Transcript { window, hash });
                }
                Self::Said(windows)
            }
            TELLS => Self::Tells {
                port: u16::get(&mut input)?,
                subscribers: u32::get(&mut input)?,
            },
            value => return Err(DecodeError::UnknownValue { kind: "Testify", value }),
        })
    }
}

fn words(text: &str) -> &[u8] {
    let bytes = text.as_bytes();
    bytes.get(..WORDS_MAX).unwrap_or(bytes)
}

fn rest(input: &mut Decoder<'_>) -> Result<String, DecodeError> {
    let bytes = input.take(input.remaining())?;
    let bytes = bytes.get(..WORDS_MAX).unwrap_or(bytes);
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::command::{SessionUp, Tick};

    #[test]
    fn everything_comes_back_and_an_introduction_has_these_bytes() {
        let introduction = Introduction {
            role: Role::Candidate,
            build: 2,
            table: 3,
            release: ReleaseNumber(4),
            pid: 5,
            name: "green".to_owned(),
        };
        let bytes = introduction.encode();
        assert_eq!(bytes.len(), 29 + 5);
        assert_eq!(bytes.get(..6), Some(&[1, 0, 0, 0, 1, 2][..]));
        assert_eq!(Introduction::decode(&bytes), Ok(introduction));
        for wrong in [&[2, 0, 0, 0][..], &[1, 0, 0, 0, 9], &bytes[..20]] {
            assert!(Introduction::decode(wrong).is_err());
        }
        let brief = [(SequenceNumber(7), InstrumentId(8))];
        assert_eq!(decode_brief(&encode_brief(&brief)), Ok(brief.to_vec()));
        let said = [
            Testify::Answers(vec![Answer::default()]),
            Testify::Costs(vec![Cost { window: 1, cpu_ns: 2 }]),
            Testify::Died {
                seq: SequenceNumber(3),
                instrument: InstrumentId(4),
                words: "oh".to_owned(),
            },
            Testify::Health {
                taken: SequenceNumber(5),
                memory: 6,
            },
            Testify::Commands(vec![Tick {}.into(), SessionUp::default().into()]),
            Testify::Said(vec![Transcript { window: 9, hash: 10 }]),
            Testify::Tells {
                port: 7,
                subscribers: 8,
            },
            Testify::Opens {
                door: Door::Fix,
                path: "/run/door".to_owned(),
            },
        ];
        for one in said {
            assert_eq!(Testify::decode(&one.encode()), Ok(one));
        }
        assert!(Testify::decode(&[]).is_err() && Testify::decode(&[9]).is_err());
    }
}
