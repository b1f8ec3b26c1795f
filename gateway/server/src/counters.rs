//! What a door counts, readable from any thread.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The counters of one door. Written by its stage only.
        #[derive(Debug)]
        pub struct Counters {
            $(pub(crate) $name: AtomicU64,)*
            frames_out_by_type: [AtomicU64; 128],
        }

        /// The counters at one moment.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
            /// Frames written in full, by type byte (SoupBinTCP packet type, FIX MsgType); types without any are left out.
            pub frames_out_by_type: Vec<(char, u64)>,
        }

        impl Default for Counters {
            fn default() -> Self {
                Self {
                    $($name: AtomicU64::new(0),)*
                    frames_out_by_type: [const { AtomicU64::new(0) }; 128],
                }
            }
        }

        impl Counters {
            /// All of them now. Those that belong together may be a moment apart.
            #[must_use]
            pub fn read(&self) -> Counts {
                Counts {
                    $($name: self.$name.load(Ordering::Relaxed),)*
                    frames_out_by_type: (0_u8..)
                        .zip(&self.frames_out_by_type)
                        .map(|(kind, count)| (char::from(kind), count.load(Ordering::Relaxed)))
                        .filter(|(_, count)| *count > 0)
                        .collect(),
                }
            }
        }
    };
}

counters! {
    /// Connections open now.
    connections,
    /// Connections accepted so far.
    accepted,
    /// Connections closed at once because the door was full.
    turned_away,
    /// Connections handed to another process.
    handed,
    /// Connections that another process should have had and did not take.
    not_handed,
    /// Sessions up now, as the stream says.
    sessions_up,
    /// Logins refused: unknown, wrong password, already up, verifier busy.
    logins_refused,
    /// Logins refused unread because their address had sent too many bad ones.
    logons_barred,
    /// Messages refused because their session was over its rate.
    throttled,
    /// Bytes read.
    bytes_in,
    /// Bytes written.
    bytes_out,
    /// Messages taken in, session messages of a door that has no count for them left out.
    frames_in,
    /// Frames written in full: SoupBinTCP packets of every type, FIX messages.
    frames_out,
    /// Commands put into the ring.
    commands,
    /// Answers to members that say no.
    rejects,
    /// Connections closed because the peer broke the protocol.
    protocol_errors,
    /// Times a connection with input was not read because the command ring had no room.
    held_back,
}

impl Counters {
    /// Counts one frame that was written in full.
    pub(crate) fn frame_out(&self, kind: u8) {
        add(&self.frames_out, 1);
        if let Some(count) = self.frames_out_by_type.get(usize::from(kind)) {
            add(count, 1);
        }
    }
}

/// One thread writes, so a load and a store do; they cost less than a locked addition.
pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

/// States a counter that goes up and down.
pub(crate) fn set(counter: &AtomicU64, value: u64) {
    counter.store(value, Ordering::Relaxed);
}
