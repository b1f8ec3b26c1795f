//! The fence: a small file that holds the highest epoch anyone has claimed.
//!
//! Who takes the journal writes its epoch there *before* it reads what there is to recover. Who releases reads it *after*
//! its write and before it publishes. So whatever a fenced-off writer has ever released, its successor has read.

use crate::disk::{Access, Disk, DiskError, DiskFile};
use crate::frontier::Failure;
use rialto_model::Epoch;
use std::io::{Error, ErrorKind};

const FILE: &str = "epoch";
/// Ten digits and a newline, always: it is overwritten in place.
const LEN: usize = 11;

#[derive(Debug)]
pub(crate) struct Fence<F> {
    file: F,
    /// What stands there as long as nobody has claimed another: nearly always, so it is not read as a number then.
    own: [u8; LEN],
}

impl<F: DiskFile> Fence<F> {
    /// Claims the epoch after the highest one seen: in the fence, or in `named` by the files there are.
    pub(crate) fn claim<D: Disk<File = F>>(disk: &D, named: Epoch) -> Result<(Self, Epoch), DiskError> {
        let fence = match disk.open(FILE, Access::Write) {
            Err(error) if error.kind() == ErrorKind::NotFound => disk.create(FILE),
            opened => opened,
        };
        let mut fence = Self {
            file: fence.map_err(DiskError::of("open", FILE))?,
            own: [0; LEN],
        };
        // What cannot be understood was torn when it was first written: no epoch was used under it.
        let claimed = fence.read().unwrap_or_default().max(named);
        let epoch = Epoch(claimed.0.saturating_add(1));
        let text = format!("{:010}\n", epoch.0);
        fence
            .file
            .write_all_at(0, text.as_bytes())
            .and_then(|()| fence.file.sync_data())
            .and_then(|()| disk.sync_dir())
            .map_err(DiskError::of("write", FILE))?;
        // It is read at every release.
        fence.file.keep_at_hand(LEN as u64);
        fence.own = text.as_bytes().try_into().unwrap_or_default();
        Ok((fence, epoch))
    }

    /// Nothing is released by who has a successor. `own` is the epoch that was claimed here.
    pub(crate) fn check(&self, own: Epoch) -> Result<(), Failure> {
        let found = self.bytes();
        if found.as_ref().is_ok_and(|bytes| *bytes == self.own) {
            return Ok(());
        }
        match found.and_then(|bytes| number(&bytes)) {
            Ok(by) if by > own => Err(Failure::Fenced { own, by }),
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Sync {
                file: FILE.to_owned(),
                cause: error.to_string(),
            }),
        }
    }

    /// The highest epoch claimed.
    fn read(&self) -> Result<Epoch, Error> {
        number(&self.bytes()?)
    }

    fn bytes(&self) -> Result<[u8; LEN], Error> {
        let mut bytes = [0; LEN];
        self.file.read_full_at(0, &mut bytes)?;
        Ok(bytes)
    }
}

fn number(bytes: &[u8; LEN]) -> Result<Epoch, Error> {
    let text = bytes.strip_suffix(b"\n").unwrap_or_default();
    let number = core::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.map(Epoch).ok_or_else(|| ErrorKind::InvalidData.into())
}
