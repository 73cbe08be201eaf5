//! Changes to a file that are held back in memory, in order.

use std::io;

use redb::StorageBackend;

use crate::DiskOp;

/// Changes that are held back, and the length that the file would have once one was made.
///
/// Opening a store makes a few dozen changes at most, so reads walk all of them.
#[derive(Debug, Default)]
pub(crate) struct HeldWrites {
    len: Option<u64>,
    changes: Vec<Change>,
}

/// A change that is held back.
#[derive(Debug)]
pub(crate) enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
    Sync,
}

impl Change {
    pub(crate) fn as_op(&self) -> DiskOp<'_> {
        match self {
            Self::Write { offset, bytes } => DiskOp::Write {
                offset: *offset,
                bytes,
            },
            Self::SetLen(len) => DiskOp::SetLen(*len),
            Self::Sync => DiskOp::Sync,
        }
    }
}

impl HeldWrites {
    /// Returns the length that the file would have. Without a change that is its own, which
    /// another process may still move until the lock is taken.
    pub(crate) fn len(&self, file: &impl StorageBackend) -> io::Result<u64> {
        self.len.map_or_else(|| file.len(), Ok)
    }

    pub(crate) fn take(&mut self, file: &impl StorageBackend, op: DiskOp<'_>) -> io::Result<()> {
        match op {
            DiskOp::Read { .. } => {}
            DiskOp::Write { offset, bytes } => {
                let end = offset.saturating_add(bytes.len() as u64);
                self.len = Some(self.len(file)?.max(end));
                let bytes = bytes.to_vec();
                self.changes.push(Change::Write { offset, bytes });
            }
            DiskOp::SetLen(len) => {
                self.len = Some(len);
                self.changes.push(Change::SetLen(len));
            }
            DiskOp::Sync => self.changes.push(Change::Sync),
        }
        Ok(())
    }

    pub(crate) fn into_changes(self) -> impl Iterator<Item = Change> {
        self.changes.into_iter()
    }

    /// Reads the file as it would be if nothing had been held back.
    pub(crate) fn read(
        &self,
        file: &impl StorageBackend,
        offset: u64,
        out: &mut [u8],
    ) -> io::Result<()> {
        if offset.saturating_add(out.len() as u64) > self.len(file)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        let kept = position_in(out, offset, file.len()?);
        if let Some(kept) = out.get_mut(..kept).filter(|kept| !kept.is_empty()) {
            file.read(offset, kept)?;
        }
        for change in &self.changes {
            match change {
                Change::Write { offset: at, bytes } => overlay(out, offset, bytes, *at),
                Change::SetLen(len) => {
                    let cut = position_in(out, offset, *len);
                    out.get_mut(cut..).unwrap_or_default().fill(0);
                }
                Change::Sync => {}
            }
        }
        Ok(())
    }
}

/// Returns where the file offset `at` falls in `out`, which begins at `offset`.
fn position_in(out: &[u8], offset: u64, at: u64) -> usize {
    let index = usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
    index.min(out.len())
}

/// Copies the part of `bytes`, which begin at `at`, that falls into `out`, which begins at `offset`.
fn overlay(out: &mut [u8], offset: u64, bytes: &[u8], at: u64) {
    let begin = position_in(out, offset, at);
    let end = position_in(out, offset, at.saturating_add(bytes.len() as u64));
    let skipped = position_in(bytes, at, offset);
    let target = out.get_mut(begin..end).unwrap_or_default();
    let source = bytes.get(skipped..).unwrap_or_default();
    target
        .iter_mut()
        .zip(source)
        .for_each(|(out, byte)| *out = *byte);
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::backends::InMemoryBackend;

    /// A file of 16 bytes of 1 under these changes, read whole and in every window.
    fn check(ops: &[DiskOp<'_>], expected: &[u8]) {
        let file = InMemoryBackend::new();
        file.set_len(16).unwrap();
        file.write(0, &[1; 16]).unwrap();
        let mut held = HeldWrites::default();
        for op in ops {
            held.take(&file, *op).unwrap();
        }
        assert_eq!(held.len(&file).unwrap(), expected.len() as u64);
        for begin in 0..expected.len() {
            for end in begin..=expected.len() {
                let mut out = vec![9; end - begin];
                held.read(&file, begin as u64, &mut out).unwrap();
                assert_eq!(out, expected[begin..end], "{begin}..{end}");
            }
        }
        let mut beyond = vec![0; expected.len() + 1];
        assert!(held.read(&file, 0, &mut beyond).is_err());
    }

    #[test]
    fn reads_see_what_is_held_back_in_order() {
        let two = DiskOp::Write {
            offset: 4,
            bytes: &[2; 4],
        };
        let three = DiskOp::Write {
            offset: 6,
            bytes: &[3; 4],
        };
        check(&[], &[1; 16]);
        check(
            &[two, DiskOp::Sync, three],
            &[1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1],
        );
        check(&[two, DiskOp::SetLen(6)], &[1, 1, 1, 1, 2, 2]);
        check(
            &[two, DiskOp::SetLen(5), DiskOp::SetLen(8)],
            &[1, 1, 1, 1, 2, 0, 0, 0],
        );
        check(
            &[DiskOp::SetLen(18), three],
            &[1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1, 0, 0],
        );
    }
}
