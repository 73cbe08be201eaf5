//! Many jobs in one transaction, each judged by itself.

use std::{any::Any, collections::HashMap, sync::Arc};

use heronry_journal::Chunk;
use heronry_types::PoolId;

use crate::row_keys;
use crate::{
    Database, Rows, Table, baseline, cursor, delete,
    erase::Erased,
    job::{Acquire, Answer, Append, Force, Job, Put, Reply, Work},
    pool::{RowState, WriterPool, WriterPools},
    readable::ReadablePool,
    row::{
        MOVED_KEY, MOVED_KEY_END, RESERVED, RESERVED_END, encode_moved, encode_reserved,
        reserved_key,
    },
};
use heronry_store::{
    AppendError, CommitOutcome, ContentPlace, Erasure, FencingToken, Head, LeaseError, Ownership,
    Reservation, StoreError, StoreErrorKind, judge_append, judge_arrival,
};

/// The results of the jobs of one transaction so far.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Answers that wait for the commit.
    pub(crate) answers: Vec<Answer>,
    /// The reply of the job whose fault ended the transaction, until the store has closed.
    unanswered: Vec<Box<dyn Any + Send>>,
    /// The pools that it moved, as readers see them; nothing when they do not.
    pub(crate) moved: HashMap<PoolId, Option<ReadablePool>>,
}

impl Batch {
    /// Runs jobs in one transaction and commits it, with one sync, when it changes anything.
    ///
    /// Jobs that were run leave their answers behind whatever happens; after an error, those that
    /// are left in `jobs` were not part of the transaction.
    ///
    /// # Errors
    /// Any failure of the transaction. Its outcome is unknown then.
    pub(crate) fn run(
        &mut self,
        database: &impl Database,
        pools: &mut WriterPools,
        jobs: &mut impl Iterator<Item = Job>,
    ) -> Result<(), StoreError> {
        // What this transaction deletes is seen until it is synced, and swept by the next ones.
        let sweeps = pools.deleted.len();
        database.commit(&mut |rows| {
            jobs.try_for_each(|job| self.run_job(rows, pools, job))?;
            if sweeps > 0 && pools.moved_to.is_none() {
                delete::sweep(rows, pools)?;
            }
            Ok(())
        })
    }

    fn run_job(
        &mut self,
        rows: &mut dyn Rows,
        writer: &mut WriterPools,
        job: Job,
    ) -> Result<(), StoreError> {
        let (pool, work) = match job {
            Job::Of(pool, work) => (pool, work),
            Job::Seal(moved_to, reply) => {
                let end = seal(rows, &mut writer.moved_to, moved_to).map(Ok);
                let answer = self.answer(Answer::Done, reply, end)?;
                self.answers.push(answer);
                return Ok(());
            }
            Job::Reserve(reservation, reply) => {
                let end = reserve(rows, writer, reservation);
                let answer = self.answer(Answer::Done, reply, end)?;
                self.answers.push(answer);
                return Ok(());
            }
        };
        let work = match &writer.moved_to {
            None => work,
            Some(moved_to) => match work.refuse_sealed(moved_to) {
                Ok(work) => work,
                Err(answer) => {
                    self.answers.push(answer);
                    return Ok(());
                }
            },
        };
        let answer = self.run_work(rows, writer, (&pool, work))?;
        self.answers.push(answer);
        if let Some(view) = writer.pools.get(&pool).map(WriterPool::view) {
            self.moved.insert(pool, view);
        }
        Ok(())
    }

    fn run_work(
        &mut self,
        rows: &mut dyn Rows,
        writer: &mut WriterPools,
        (pool, work): (&PoolId, Work),
    ) -> Result<Answer, StoreError> {
        let pools = &mut writer.pools;
        Ok(match work {
            Work::Append(work, reply) => {
                let end = append(rows, pool, pools.get_mut(pool), work);
                self.answer(Answer::Head, reply, end)?
            }
            Work::Trim(work, reply) => {
                let end = work.run(rows, pools.get_mut(pool));
                self.answer(Answer::Head, reply, end)?
            }
            Work::Delete(token, reply) => {
                let end = delete::delete(rows, (pool, token), writer);
                self.answer(Answer::Deleted, reply, end)?
            }
            Work::Put(work, reply) => {
                let end = put(rows, pools.get(pool), work);
                self.answer(Answer::Done, reply, end)?
            }
            Work::Acquire(work, reply) => {
                let end = acquire(rows, writer, pool, &work);
                self.answer(Answer::Token, reply, end)?
            }
            Work::Renew(token, reply) => {
                let free = Ownership::free(FencingToken(0));
                let owned = pools.get(pool).map_or(&free, |pool| &pool.ownership);
                Answer::Renewed(reply, owned.renew(token))
            }
            Work::Release(token, reply) => {
                if let Some(pool) = pools.get_mut(pool) {
                    pool.ownership.release(token);
                }
                Answer::Done(reply, Ok(()))
            }
            Work::Snapshot(work, reply) => {
                let end = work.run(rows, pools.get(pool));
                self.answer(Answer::Done, reply, end)?
            }
            Work::Cursor(work, reply) => {
                let end = work.run(rows, pools.get_key_value(pool));
                self.answer(Answer::Cursor, reply, end)?
            }
            Work::Keys(work, reply) => {
                let end = work.run(rows, pools.get_mut(pool));
                self.answer(Answer::Keys, reply, end)?
            }
        })
    }
}

impl Batch {
    /// Returns the answer of a job. The reply of one whose fault ends the transaction is kept: when it is
    /// dropped, after the store has closed, its caller is told why.
    fn answer<T: Send + 'static>(
        &mut self,
        answer: fn(Reply<T>, T) -> Answer,
        reply: Reply<T>,
        end: Result<T, StoreError>,
    ) -> Result<Answer, StoreError> {
        match end {
            Ok(end) => Ok(answer(reply, end)),
            Err(fault) => {
                self.unanswered.push(Box::new(reply));
                Err(fault)
            }
        }
    }
}

/// The end of a job: an answer, which may be a refusal, or a fault that ends the transaction.
type End<T, E> = Result<Result<T, E>, StoreError>;

fn append(
    rows: &mut dyn Rows,
    name: &PoolId,
    pool: Option<&mut WriterPool>,
    work: Append,
) -> End<Head, AppendError> {
    let Some(pool) = pool else {
        return Ok(Err(unowned(work.guard.token)));
    };
    let before = pool.head_for(work.guard.expected_head);
    let judged = judge_append(&pool.ownership, before, &work.commit, work.guard);
    let judged = judged.and_then(|head| {
        judge_arrival(pool.there().map(|journal| journal.head), &work.commit)?;
        Ok(head)
    });
    let head = match judged {
        Ok(head) => head,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut erased = Erased::default();
    // With what is started over, its contents go.
    let is_there = |it: &&Erasure| before.is_some() || it.place == ContentPlace::Alone;
    for erasure in work.commit.erasures.iter().filter(is_there) {
        if let Err(error) = erased.add(rows, pool.no, erasure)? {
            let outcome = CommitOutcome::None;
            return Ok(Err(AppendError::Store { outcome, error }));
        }
    }
    if before.is_none() {
        pool.clear(rows)?;
    }
    if let Some(frames) = work.baseline {
        baseline::write(rows, &work.readable, pool.no, &frames)?;
    }
    for chunk in &work.commit.chunks {
        let key = row_keys::placed(pool.no, chunk.first());
        rows.insert(Table::Journal, &key, chunk.bytes())?;
    }
    if let Some(pack) = work.pack {
        let first = work.commit.chunks.first().map(Chunk::first);
        let first = first.unwrap_or_else(|| work.guard.expected_head.next());
        let key = row_keys::placed(pool.no, first);
        rows.insert(Table::Packs, &key, &pack.under(&key))?;
    }
    erased.write(rows, &work.readable.before)?;
    cursor::bring(rows, &work.readable, pool.no, &work.commit.consumers)?;
    if pool.follow(head, &work.commit) == RowState::Changed {
        pool.write_row(rows, name)?;
    }
    Ok(Ok(head))
}

/// Writes or removes the row that says where the pools went.
fn seal(
    rows: &mut dyn Rows,
    sealed: &mut Option<String>,
    moved_to: Option<String>,
) -> Result<(), StoreError> {
    match &moved_to {
        Some(moved_to) => rows.insert(Table::Pools, MOVED_KEY, &encode_moved(moved_to))?,
        None if sealed.is_some() => rows.remove(Table::Pools, MOVED_KEY, MOVED_KEY_END)?,
        None => {}
    }
    *sealed = moved_to;
    Ok(())
}

/// Writes or removes the rows that say which pools a move brings.
fn reserve(
    rows: &mut dyn Rows,
    writer: &mut WriterPools,
    reservation: Option<Reservation>,
) -> End<(), StoreError> {
    if let Some(moved_to) = &writer.moved_to {
        return Ok(Err(StoreError::sealed("reserve pools", moved_to)));
    }
    if writer.reservation.is_some() {
        rows.remove(Table::Pools, RESERVED, RESERVED_END)?;
    }
    if let Some(Reservation { route, pools }) = &reservation {
        for pool in pools {
            let key = reserved_key(pool);
            rows.insert(Table::Pools, &key, &encode_reserved(&key, route))?;
        }
    }
    writer.reservation = reservation.map(Arc::new);
    Ok(Ok(()))
}

/// Nobody ever acquired the pool, so every token is stale.
pub(crate) fn unowned(token: FencingToken) -> AppendError {
    AppendError::Fenced {
        held: token.0,
        current: 0,
    }
}

fn put(rows: &mut dyn Rows, pool: Option<&WriterPool>, work: Put) -> End<(), StoreError> {
    let op = "put content";
    let Some(pool) = pool else {
        let detail = "nobody ever acquired the pool";
        return Ok(Err(StoreError::new(StoreErrorKind::Closed, op, detail)));
    };
    if let Err(refusal) = pool.ownership.check_aside(work.token, op) {
        return Ok(Err(refusal));
    }
    let key = row_keys::named(pool.no, work.content_ref);
    if !rows.has(Table::Contents, &key)? {
        let (before, row) = (&work.readable.before, work.row.under(&key));
        before.add(rows, (Table::Contents, &key), &row)?;
    }
    Ok(Ok(()))
}

fn acquire(
    rows: &mut dyn Rows,
    writer: &mut WriterPools,
    name: &PoolId,
    work: &Acquire,
) -> End<FencingToken, LeaseError> {
    if let (Force::IfFree, Some(reservation)) = (work.force, &writer.reservation)
        && reservation.pools.contains(name)
    {
        let route = reservation.route.clone();
        return Ok(Err(LeaseError::Reserved { route }));
    }
    delete::sweep_all(rows, writer, name)?;
    let pool = writer.pool_or_fresh(name);
    let token = match work.force {
        Force::Seize => pool.ownership.seize(&work.owner, work.now),
        Force::IfFree => match pool.ownership.acquire(&work.owner, work.now) {
            Ok(token) => token,
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    pool.write_row(rows, name)?;
    Ok(Ok(token))
}
