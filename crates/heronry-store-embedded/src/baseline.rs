//! The baseline of a pool: one row for each of its frames, which stand for the records before the floor.

use std::sync::Arc;

use heronry_journal::{Baseline, BaselineError, Chunk};
use heronry_types::{PoolId, Position};

use crate::row_keys::{self, PoolNo};
use crate::{Database, Rows, Table, batch::unowned, corrupt, pool::WriterPool, readable::Readable};
use heronry_store::runs::KeyRange;
use heronry_store::{
    AppendError, CommitOutcome, FencingToken, Head, StoreError, StoreErrorKind, judge_baseline,
};

const READ: &str = "read the baseline";

/// A floor to move, with the baseline that stands for what goes.
#[derive(Debug)]
pub(crate) struct Trim {
    pub(crate) baseline: Box<Baseline>,
    /// The frames of the baseline: made before the writer has it.
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) token: FencingToken,
    pub(crate) readable: Arc<Readable>,
}

impl Trim {
    pub(crate) fn bytes(&self) -> usize {
        self.frames.iter().map(Vec::len).sum()
    }

    /// Removes the chunks before the floor and writes the baseline, unless that is refused.
    pub(crate) fn run(
        self,
        rows: &mut dyn Rows,
        pool: Option<&mut WriterPool>,
    ) -> Result<Result<Head, AppendError>, StoreError> {
        let Some(pool) = pool else {
            return Ok(Err(unowned(self.token)));
        };
        if let Err(refusal) = pool.ownership.check(self.token) {
            return Ok(Err(refusal));
        }
        let no = pool.no;
        let Some(journal) = pool.there_mut() else {
            let error =
                StoreError::new(StoreErrorKind::NotFound, "trim", "the pool has no journal");
            let outcome = CommitOutcome::None;
            return Ok(Err(AppendError::Store { outcome, error }));
        };
        let floor = self.baseline.floor();
        if floor <= journal.head.floor {
            return Ok(Ok(journal.head));
        }
        let at_floor = row_keys::placed(no, floor);
        let follows = match rows.get(Table::Journal, &at_floor)? {
            None => None,
            Some(bytes) => Some(Chunk::decode(bytes).map_err(|error| {
                corrupt("trim", format!("position {floor}: {error}")).with_source(error)
            })?),
        };
        let follows = follows.as_ref().map(Chunk::header);
        if let Err(refusal) = judge_baseline(&self.baseline, &journal.timelines, follows) {
            return Ok(Err(refusal));
        }
        write(rows, &self.readable, no, &self.frames)?;
        let oldest = row_keys::placed(no, Position::ZERO);
        rows.remove(Table::Journal, &oldest, &at_floor)?;
        journal.head.floor = floor;
        Ok(Ok(journal.head))
    }
}

/// Writes the frames of a baseline in place of those that are there.
pub(crate) fn write(
    rows: &mut dyn Rows,
    readable: &Readable,
    no: PoolNo,
    frames: &[Vec<u8>],
) -> Result<(), StoreError> {
    let mut number = 0_u64;
    let before = &readable.before;
    for frame in frames {
        let key = row_keys::placed(no, Position(number));
        before.replace(rows, (Table::Baselines, &key), Some(frame))?;
        number += 1;
    }
    loop {
        let key = row_keys::placed(no, Position(number));
        if !rows.has(Table::Baselines, &key)? {
            return Ok(());
        }
        before.replace(rows, (Table::Baselines, &key), None)?;
        number += 1;
    }
}

/// Reads the baseline of a pool.
pub(crate) fn read<D: Database>(
    database: Arc<D>,
    readable: &Readable,
    (name, no): (&PoolId, PoolNo),
) -> Result<Option<Baseline>, StoreError> {
    let (from, to) = (
        row_keys::placed(no, Position::ZERO),
        row_keys::placed(no, Position(u64::MAX)),
    );
    let range = KeyRange::new(&from, &to);
    let rows = readable
        .before
        .read(database, READ, Table::Baselines, range)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let frames = rows.values().map(Vec::as_slice);
    let baseline = Baseline::from_frames(frames).map_err(|error| unreadable(name, error))?;
    Ok(Some(baseline))
}

fn unreadable(name: &PoolId, error: BaselineError) -> StoreError {
    let detail = format!("pool {name}: {error}");
    if error.is_newer() {
        return StoreError::new(StoreErrorKind::NewerSchema, READ, detail).with_source(error);
    }
    corrupt(READ, detail).with_source(error)
}
