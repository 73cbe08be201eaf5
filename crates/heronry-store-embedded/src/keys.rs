//! Keys: the rows of their sorted runs, and which runs there are.
//!
//! The list of the runs moves through the gate with the heads. A row of a run is written once,
//! before any reader knows of the run, and removed after the last reader forgot the run. So readers
//! look at committed rows, and nothing hides one.

use std::sync::Arc;

use heronry_types::PoolId;

use crate::row_keys::PoolNo;
use crate::{Database, Order, Reading, Rows, See, Table, pool::WriterPool, readable::Readable};
use heronry_store::{
    FencingToken, KeyEntry, KeyHash, KeyedEntry, StoreError, StoreErrorKind,
    runs::{Edit, KeyRange, NewRun, RunKeys, RunPlace, RunRows, RunShape, Runs, RunsPut},
};

/// A change of the keys of a pool.
#[derive(Debug)]
pub(crate) struct KeysEdit {
    /// The runs that it goes out from; with others it is void.
    before: Option<Arc<Runs>>,
    change: KeysChange,
}

#[derive(Debug)]
enum KeysChange {
    Put {
        after: Arc<Runs>,
        edit: Edit,
        token: FencingToken,
    },
    Clear,
}

/// The end of an edit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeysEnd {
    /// The edit is done.
    Done,
    /// Other runs were put in the meantime: the edit has to be made again.
    Void,
}

impl KeysEdit {
    /// Makes an edit that puts a run on top of what readers see.
    pub(crate) fn put<D: Database>(
        database: Arc<D>,
        (before, no): (Option<Arc<Runs>>, PoolNo),
        run: &NewRun,
        token: FencingToken,
    ) -> Result<Self, StoreError> {
        let RunsPut { runs: after, edit } = database.read("put keys", |rows| {
            let rows = &PoolRows(rows);
            let keys = RunKeys(no.0);
            Runs::put(
                before.as_deref(),
                RunPlace { keys, rows },
                run,
                RunShape::default(),
            )
        })?;
        let change = KeysChange::Put {
            after: Arc::new(after),
            edit,
            token,
        };
        Ok(Self { before, change })
    }

    /// Returns an edit that removes the keys that readers see.
    pub(crate) fn clear(before: Option<Arc<Runs>>) -> Self {
        let change = KeysChange::Clear;
        Self { before, change }
    }

    pub(crate) fn is_put(&self) -> bool {
        matches!(self.change, KeysChange::Put { .. })
    }

    pub(crate) fn op(&self) -> &'static str {
        match self.change {
            KeysChange::Put { .. } => "put keys",
            KeysChange::Clear => "clear keys",
        }
    }

    /// Returns about how many bytes it writes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.change {
            KeysChange::Put { edit, .. } => edit.bytes(),
            KeysChange::Clear => 0,
        }
    }

    /// Writes and removes rows, unless the token is stale or the edit is void.
    pub(crate) fn run(
        self,
        rows: &mut dyn Rows,
        pool: Option<&mut WriterPool>,
    ) -> Result<Result<KeysEnd, StoreError>, StoreError> {
        let op = self.op();
        let Some(pool) = pool else {
            return Ok(Err(unowned(op)));
        };
        if let KeysChange::Put { token, .. } = &self.change
            && let Err(refusal) = pool.ownership.check_aside(*token, op)
        {
            return Ok(Err(refusal));
        }
        if !is_same(self.before.as_ref(), pool.keys.as_ref()) {
            return Ok(Ok(KeysEnd::Void));
        }
        match self.change {
            KeysChange::Put { after, edit, .. } => {
                write(rows, &edit)?;
                pool.keys = Some(after);
            }
            KeysChange::Clear => {
                write(rows, &Edit::clearing(RunKeys(pool.no.0)))?;
                pool.keys = None;
            }
        }
        Ok(Ok(KeysEnd::Done))
    }
}

/// Writes an edit of the rows of keys.
fn write(rows: &mut dyn Rows, edit: &Edit) -> Result<(), StoreError> {
    for (from, to) in &edit.removes {
        rows.remove(Table::Keys, from, to)?;
    }
    for (key, row) in &edit.inserts {
        rows.insert(Table::Keys, key, row)?;
    }
    Ok(())
}

pub(crate) fn unowned(op: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Closed, op, "nobody ever acquired the pool")
}

fn is_same(one: Option<&Arc<Runs>>, other: Option<&Arc<Runs>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Reads which runs a pool has. Damaged ones are as good as none: what they have of kept records is folded
/// again.
pub(crate) fn load(rows: &dyn Reading, no: PoolNo) -> Result<Option<Arc<Runs>>, StoreError> {
    let rows = &PoolRows(rows);
    let keys = RunKeys(no.0);
    match Runs::load(RunPlace { keys, rows }, RunShape::default()) {
        Ok(runs) => Ok(runs.map(Arc::new)),
        Err(error) if error.kind() == StoreErrorKind::Corrupt => Ok(None),
        Err(error) => Err(error),
    }
}

/// Looks at the runs that readers see. `None` when there are none, or when `look` needs no rows to tell that
/// nothing is there.
fn look_at<T>(
    readable: &Readable,
    op: &'static str,
    pool: &PoolId,
    look: impl Fn(PoolNo, &Runs) -> Option<Result<T, StoreError>>,
) -> Result<Option<T>, StoreError> {
    let seen = || {
        let view = readable.pool(op, pool)?;
        Ok::<_, StoreError>(view.and_then(|view| Some((view.no, view.keys?))))
    };
    let mut now = seen()?;
    loop {
        let Some((no, runs)) = now else {
            return Ok(None);
        };
        let Some(found) = look(no, &runs) else {
            return Ok(None);
        };
        // Rows that were merged meanwhile are gone: then it is the runs of now that are looked at.
        now = seen()?;
        if is_same(now.as_ref().map(|(_, current)| current), Some(&runs)) {
            return found.map(Some);
        }
    }
}

/// Looks up keys in the runs that readers see.
pub(crate) fn find<D: Database>(
    database: impl Fn() -> Result<Arc<D>, StoreError>,
    readable: &Readable,
    (pool, keys): (&PoolId, &[KeyHash]),
) -> Result<Vec<Option<KeyEntry>>, StoreError> {
    let op = "find keys";
    let found = look_at(readable, op, pool, |no, runs| {
        let asked = runs.ask(keys)?;
        let answer = |rows: &dyn Reading| {
            let rows = &PoolRows(rows);
            let keys = RunKeys(no.0);
            asked.answer(RunPlace { keys, rows })
        };
        Some(database().and_then(|database| database.read(op, answer)))
    })?;
    Ok(found.unwrap_or_else(|| vec![None; keys.len()]))
}

/// Lists keys of the runs that readers see.
pub(crate) fn list<D: Database>(
    database: &Arc<D>,
    readable: &Readable,
    pool: &PoolId,
    after: Option<KeyHash>,
    limit: usize,
) -> Result<Vec<KeyedEntry>, StoreError> {
    let op = "list keys";
    let listed = look_at(readable, op, pool, |no, runs| {
        let page = |rows: &dyn Reading| {
            let rows = &PoolRows(rows);
            let keys = RunKeys(no.0);
            runs.list(RunPlace { keys, rows }, after, limit)
        };
        Some(Arc::clone(database).read(op, page))
    })?;
    Ok(listed.unwrap_or_default())
}

/// The rows of keys of a database.
struct PoolRows<'a>(&'a dyn Reading);

impl RunRows for PoolRows<'_> {
    fn walk(&self, range: KeyRange<'_>, order: Order, see: &mut See<'_>) -> Result<(), StoreError> {
        self.0.walk(Table::Keys, range, order, see)
    }
}
