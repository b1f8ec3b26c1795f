//! A file of ITCH messages: each behind its length in two bytes, big-endian; plain or gzip. A length of zero ends it
//! (Nasdaq BinaryFILE 1.00).

use anyhow::{Context as _, Result, bail};
use std::io::{BufRead, Read as _};
use std::path::Path;

/// Reads messages one by one.
pub(crate) struct Reader {
    input: Box<dyn BufRead>,
    message: Vec<u8>,
    messages: u64,
    over: bool,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            input: crate::lobster::open_tape(path)?,
            message: Vec::new(),
            messages: 0,
            over: false,
        })
    }

    /// Messages so far.
    pub(crate) const fn messages(&self) -> u64 {
        self.messages
    }

    /// The next message and its number; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, &[u8])>> {
        if self.over || self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut length = [0; 2];
        self.read(&mut length)?;
        let length = usize::from(u16::from_be_bytes(length));
        if length == 0 {
            self.over = true;
            return Ok(None);
        }
        let mut message = std::mem::take(&mut self.message);
        message.resize(length, 0);
        let read = self.read(&mut message);
        self.message = message;
        read?;
        self.messages += 1;
        Ok(Some((self.messages, &self.message)))
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<()> {
        match self.input.read_exact(bytes) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                bail!("the file ends within message {}: fetch it again", self.messages + 1)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read message {}", self.messages + 1)),
        }
    }
}
