//! What a session was told: the encoded messages by number, so that it can be told again.
//!
//! It is filled by released events alone, hence the same after a restart. It is bounded in bytes: at the bound the
//! oldest chunk goes, and [`first`](MessageLog::first) says from which number on messages are still there.

use std::collections::VecDeque;

use crate::limits::LOG_CHUNK_BYTES;

/// Consecutive messages.
#[derive(Debug)]
struct Chunk {
    first: u64,
    /// Where each message ends in `bytes`.
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

/// The messages of one session and day, numbered from 1.
#[derive(Debug)]
pub(crate) struct MessageLog {
    chunks: VecDeque<Chunk>,
    next: u64,
    bytes_max: usize,
}

impl MessageLog {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            chunks: VecDeque::new(),
            next: 1,
            bytes_max,
        }
    }

    /// Forgets everything and counts from 1 again.
    pub(crate) fn restart(&mut self) {
        self.chunks.clear();
        self.next = 1;
    }

    /// The number of the next message.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The lowest number whose message is still there; [`next`](Self::next) where none is.
    pub(crate) fn first(&self) -> u64 {
        self.chunks.front().map_or(self.next, |chunk| chunk.first)
    }

    /// Appends what `write` appends to the buffer as the next message, and gives its number. Nothing written makes an
    /// empty message, which still has a number.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> u64 {
        if self
            .chunks
            .back()
            .is_none_or(|chunk| chunk.bytes.len() >= LOG_CHUNK_BYTES)
        {
            self.begin_chunk();
        }
        let number = self.next;
        if let Some(chunk) = self.chunks.back_mut() {
            write(&mut chunk.bytes);
            chunk.ends.push(chunk.bytes.len() as u32);
            self.next += 1;
        }
        number
    }

    /// The message of this number, if it is there.
    pub(crate) fn get(&self, number: u64) -> Option<&[u8]> {
        let chunk = match self.chunks.back() {
            // Who keeps up reads of the last one.
            Some(last) if last.first <= number => last,
            _ => {
                let behind = self.chunks.partition_point(|chunk| chunk.first <= number);
                self.chunks.get(behind.checked_sub(1)?)?
            }
        };
        let at = usize::try_from(number - chunk.first).ok()?;
        let end = *chunk.ends.get(at)? as usize;
        let start = match at.checked_sub(1) {
            Some(before) => *chunk.ends.get(before)? as usize,
            None => 0,
        };
        chunk.bytes.get(start..end)
    }

    /// The last chunk is full: every chunk holds about as many bytes, so counting chunks bounds the bytes.
    fn begin_chunk(&mut self) {
        while !self.chunks.is_empty() && (self.chunks.len() + 1) * LOG_CHUNK_BYTES > self.bytes_max {
            self.chunks.pop_front();
        }
        self.chunks.push_back(Chunk {
            first: self.next,
            ends: Vec::new(),
            bytes: Vec::new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(log: &mut MessageLog, count: u64) {
        for _ in 0..count {
            let number = log.next();
            assert_eq!(log.push(|out| out.extend_from_slice(&number.to_be_bytes())), number);
        }
    }

    #[test]
    fn each_message_is_found_by_its_number() {
        let mut log = MessageLog::new(1 << 30);
        assert_eq!((log.first(), log.next(), log.get(1)), (1, 1, None));
        fill(&mut log, 50_000);
        assert_eq!(log.push(|_| {}), 50_001);
        for number in 1..=50_000 {
            assert_eq!(log.get(number), Some(&number.to_be_bytes()[..]));
        }
        assert_eq!(log.get(50_001), Some(&[][..]));
        assert_eq!((log.get(0), log.get(50_002), log.get(u64::MAX)), (None, None, None));
        log.restart();
        assert_eq!((log.first(), log.next(), log.get(1)), (1, 1, None));
    }

    #[test]
    fn at_the_bound_the_oldest_go_and_it_is_known_which() {
        let mut log = MessageLog::new(3 * LOG_CHUNK_BYTES);
        let in_chunk = LOG_CHUNK_BYTES as u64 / 8;
        fill(&mut log, 3 * in_chunk);
        assert_eq!(log.first(), 1);
        fill(&mut log, 1);
        assert_eq!(log.first(), 1 + in_chunk);
        assert_eq!(log.get(in_chunk), None);
        assert_eq!(log.get(in_chunk + 1), Some(&(in_chunk + 1).to_be_bytes()[..]));
        assert!(log.chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>() <= 3 * LOG_CHUNK_BYTES);
    }

    #[test]
    fn a_log_of_one_chunk_still_takes_the_newest() {
        let mut log = MessageLog::new(0);
        fill(&mut log, 20_000);
        assert!(log.get(20_000).is_some() && log.first() > 1);
    }
}
