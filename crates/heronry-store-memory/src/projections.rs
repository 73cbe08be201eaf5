//! The projections of a pool's consumers.

use std::{collections::BTreeMap, ops::Bound};

use async_trait::async_trait;
use heronry_store::{
    ConsumerError, ConsumerId, ConsumerStep, CursorMove, ProjectionChange, ProjectionRow,
    ProjectionSize, Projections, RowChanges, RowRange, StoreError, judge_changes, judge_cursor,
    judge_size_after,
};
use heronry_types::PoolId;

use crate::{MemoryStore, pool::MemoryPool};

/// The rows of one consumer.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryProjection {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    size: ProjectionSize,
}

impl MemoryStore {
    fn look<T: Default>(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        look: impl FnOnce(&MemoryProjection) -> T,
    ) -> Result<T, StoreError> {
        let state = self.lock("read a projection")?;
        let pool = state.pools.get(pool);
        let projection = pool.and_then(|pool| pool.projections.get(consumer));
        Ok(projection.map_or_else(T::default, look))
    }
}

#[async_trait]
impl Projections for MemoryStore {
    async fn commit(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        step: ConsumerStep,
        changes: Vec<ProjectionChange>,
    ) -> Result<(), ConsumerError> {
        let changes = judge_changes(changes)?;
        let mut state = self.lock_to_write("commit a projection")?;
        let pool = state.pools.get_mut(pool).ok_or(ConsumerError::NoPool)?;
        let asked = CursorMove {
            found: pool.consumers.get(consumer).copied(),
            expected: step.expected,
            next: step.next,
        };
        let head = pool.head().map(|head| head.head);
        judge_cursor(head, asked, || Ok(pool.consumers.len()))?;
        write(pool, consumer, changes)?;
        pool.consumers.insert(consumer.clone(), step.next);
        Ok(())
    }

    async fn get(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.look(pool, consumer, |it| it.rows.get(key).cloned())
    }

    async fn scan(
        &self,
        pool: &PoolId,
        consumer: &ConsumerId,
        range: RowRange<'_>,
    ) -> Result<Vec<ProjectionRow>, StoreError> {
        self.look(pool, consumer, |it| {
            let after = range.after.map_or(Bound::Unbounded, Bound::Excluded);
            let rows = it.rows.range::<[u8], _>((after, Bound::Unbounded));
            let mut page = range.page();
            for (key, value) in rows {
                if page.push(key, value).is_break() {
                    break;
                }
            }
            page.into_rows()
        })
    }
}

/// Writes rows, unless the projection would be larger than a store takes.
fn write(
    pool: &mut MemoryPool,
    consumer: &ConsumerId,
    changes: RowChanges,
) -> Result<(), ConsumerError> {
    if changes.is_empty() {
        return Ok(());
    }
    let known = pool.projections.get(consumer);
    let before = known.map_or_else(ProjectionSize::default, |it| it.size);
    let size = judge_size_after(before, &changes, |key| {
        let row = known.and_then(|it| it.rows.get(key));
        Ok::<_, ConsumerError>(row.map(Vec::len))
    })?;
    let projection = pool.projections.entry(consumer.clone()).or_default();
    projection.size = size;
    for (key, value) in changes {
        match value {
            Some(value) => projection.rows.insert(key, value),
            None => projection.rows.remove(&key),
        };
    }
    Ok(())
}
