//! The promises of a store among threads that write and read at once.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use futures::executor::block_on;
use heronry_store::{
    AppendError, ContentPlace, FencingToken, Guard, LeaseError, ReadError, Stored,
};
use heronry_types::Position;

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, on_threads, otherwise, same};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", threads_write_to_pools_of_their_own),
    case!("journal", one_of_several_appends_to_a_head_is_taken),
    case!("journal", a_reader_beside_a_writer_sees_whole_appends),
    case!("journal", a_head_that_was_answered_can_be_read),
    case!("journal", a_watcher_on_another_thread_is_rung),
    case!("journal", reads_beside_trims_are_whole_or_say_so),
    case!("leases", one_of_several_threads_acquires),
    case!("leases", threads_that_seize_get_tokens_of_their_own),
    case!("contents", threads_put_bodies_of_their_own),
    case!("keys", threads_put_runs_of_their_own),
];

const THREADS: u64 = 4;
const ROUNDS: u64 = 12;

async fn threads_write_to_pools_of_their_own(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    on_threads(THREADS, |number| {
        block_on(async {
            let mut writer = CaseWriter::of(&store, number).await?;
            for round in 1..=ROUNDS {
                let head = writer.write(&[1, 1]).await?;
                same("the head", &head.head, &Position(round * 2))?;
            }
            Ok(())
        })
    })?;
    let pools = store.journal.pools().await?;
    same("the pools", &(pools.len() as u64), &THREADS)?;
    for number in 0..THREADS {
        let head = store.journal.head(&sample::pool(number)).await?;
        let head = head.map(|head| head.head.0);
        same("the head of a pool", &head, &Some(ROUNDS * 2))?;
    }
    Ok(())
}

async fn one_of_several_appends_to_a_head_is_taken(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let (journal, pool) = (&writer.store.journal, &writer.pool);
    let taken = Mutex::new(0);
    on_threads(THREADS, |_| {
        loop {
            let head = block_on(journal.head(pool))?;
            let expected_head = head.map_or(Position::ZERO, |head| head.head);
            if expected_head.0 >= ROUNDS * THREADS {
                return Ok(());
            }
            let guard = Guard {
                expected_head,
                token: writer.token,
            };
            match block_on(journal.append(pool, sample::commit(head, 1), guard)) {
                Ok(head) => {
                    same("the new head", &head.head, &expected_head.next())?;
                    *taken.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                }
                Err(AppendError::Conflict { found, .. }) => {
                    same("somebody was first", &(found > expected_head), &true)?;
                }
                Err(error) => return Err(otherwise("a race", &error)),
            }
        }
    })?;
    let taken = taken.into_inner().unwrap_or_else(PoisonError::into_inner);
    let spans = writer.chunks(0, usize::MAX).await?;
    same("how many were taken", &taken, &(spans.len() as u64))?;
    let last = spans.last().map(|(_, last)| *last);
    same("the last position", &last, &Some(taken))
}

/// Runs a writer on one thread, and something on another until the writer is done, and once more.
fn beside(
    write: impl Fn() -> Result<(), Failure> + Sync,
    look: impl Fn() -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let is_done = AtomicBool::new(false);
    on_threads(2, |thread| {
        if thread == 0 {
            let end = write();
            is_done.store(true, Ordering::Release);
            return end;
        }
        loop {
            let was_done = is_done.load(Ordering::Acquire);
            look()?;
            if was_done {
                return Ok(());
            }
        }
    })
}

async fn a_reader_beside_a_writer_sees_whole_appends(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let (store, pool) = (writer.store.clone(), writer.pool.clone());
    let writer = Mutex::new(writer);
    let write = || {
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        (0..ROUNDS).try_for_each(|_| {
            let mut commit = sample::chunks(writer.head, &[2, 1]);
            let first = writer.head.map_or(1, |head| head.head.0 + 1);
            commit.contents = vec![sample::content(first)];
            block_on(writer.append(commit))
                .map(drop)
                .map_err(Failure::from)
        })
    };
    let look = || {
        let Some(head) = block_on(store.journal.head(&pool))? else {
            return Ok(());
        };
        same("whole appends", &(head.head.0 % 3), &0)?;
        let page = block_on(store.journal.read(&pool, Position::ZERO, usize::MAX))?;
        let last = page.chunks.last().map(heronry_journal::Chunk::last);
        same("the page up to its head", &last, &Some(page.head.head))?;
        same(
            "a page no older than the head",
            &(page.head.head >= head.head),
            &true,
        )?;
        let (first, at) = (head.head.0 - 2, ContentPlace::With(head.head));
        let found = block_on(store.contents.get(&pool, sample::content_ref(first), at))?;
        same("the content of the last append", &found.is_some(), &true)
    };
    beside(write, look)
}

async fn a_head_that_was_answered_can_be_read(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    on_threads(THREADS, |number| {
        block_on(async {
            let mut writer = CaseWriter::of(&store, number).await?;
            for _ in 0..ROUNDS {
                let head = writer.write(&[1]).await?;
                let found = store.journal.head(&writer.pool).await?;
                same("the head", &found, &Some(head))?;
                let chunks = writer.chunks(head.head.0 - 1, 1).await?;
                same("its chunk", &chunks, &vec![(head.head.0, head.head.0)])?;
            }
            Ok(())
        })
    })
}

async fn a_watcher_on_another_thread_is_rung(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let (store, pool) = (writer.store.clone(), writer.pool.clone());
    let writer = Mutex::new(writer);
    on_threads(2, |thread| {
        if thread == 0 {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            return (0..ROUNDS).try_for_each(|_| {
                block_on(writer.write(&[1]))
                    .map(drop)
                    .map_err(Failure::from)
            });
        }
        // Only the bell tells when to look.
        let mut seen = Position::ZERO;
        while seen.0 < ROUNDS {
            block_on(store.journal.watch(&pool, seen))?;
            let head = block_on(store.journal.head(&pool))?;
            seen = head.map_or(seen, |head| head.head);
        }
        Ok(())
    })
}

async fn reads_beside_trims_are_whole_or_say_so(place: &dyn StorePlace) -> Result<(), Failure> {
    const CHUNKS: u64 = 60;
    const EACH_OF_ONE: [u64; 60] = [1; 60];
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&EACH_OF_ONE).await?;
    let (journal, pool) = (&writer.store.journal, &writer.pool);
    let write = || {
        (1..=CHUNKS).try_for_each(|before| {
            let head = block_on(sample::trim(
                &**journal,
                pool,
                Position(before),
                writer.token,
            ))?;
            same("the floor", &head.floor, &Position(before))
        })
    };
    let look = || {
        let head = block_on(journal.head(pool))?;
        let floor = head.map_or(Position::ZERO, |head| head.floor);
        match block_on(journal.read(pool, floor.previous(), usize::MAX)) {
            Ok(page) => {
                let first = page.chunks.first().map(heronry_journal::Chunk::first);
                same("the first chunk", &first, &Some(floor))?;
                let last = page.chunks.last().map(heronry_journal::Chunk::last);
                same("the last chunk", &last, &Some(Position(CHUNKS)))
            }
            Err(ReadError::Trimmed { floor: now, .. }) => {
                same("the floor has risen", &(now > floor), &true)
            }
            Err(error) => Err(otherwise("a read beside a trim", &error)),
        }
    };
    beside(write, look)
}

async fn one_of_several_threads_acquires(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let taken = Mutex::new(Vec::new());
    on_threads(8, |number| {
        let (pool, owner) = (sample::pool(1), format!("thread {number}"));
        match block_on(store.leases.acquire(
            &pool,
            &owner,
            sample::time(number),
            heronry_store::LEASE_TERM,
        )) {
            Ok(_) => taken
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(owner),
            Err(LeaseError::Owned { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    })?;
    let taken = taken.into_inner().unwrap_or_else(PoisonError::into_inner);
    same("how many acquired it", &taken.len(), &1)?;
    let acquire = store
        .leases
        .acquire(
            &sample::pool(1),
            "later",
            sample::time(9),
            heronry_store::LEASE_TERM,
        )
        .await;
    match acquire {
        Err(LeaseError::Owned { owner, .. }) => same("the owner", &Some(&owner), &taken.first()),
        end => Err(otherwise("a later owner", &end)),
    }
}

async fn threads_that_seize_get_tokens_of_their_own(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let tokens = Mutex::new(Vec::new());
    on_threads(THREADS, |number| {
        let (pool, mut last) = (sample::pool(1), FencingToken(0));
        for _ in 0..ROUNDS {
            let seize = store.leases.seize(
                &pool,
                "a thread",
                sample::time(number),
                heronry_store::LEASE_TERM,
            );
            let token = block_on(seize)?;
            same("its tokens rise", &(token > last), &true)?;
            last = token;
            tokens
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(token);
        }
        Ok(())
    })?;
    let mut tokens = tokens.into_inner().unwrap_or_else(PoisonError::into_inner);
    tokens.sort_unstable();
    tokens.dedup();
    same(
        "different tokens",
        &(tokens.len() as u64),
        &(THREADS * ROUNDS),
    )
}

async fn threads_put_bodies_of_their_own(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let (contents, pool) = (&writer.store.contents, &writer.pool);
    on_threads(THREADS, |number| {
        (number * ROUNDS..(number + 1) * ROUNDS).try_for_each(|body| {
            let name = sample::content_ref(body);
            block_on(contents.put(pool, name, sample::body(body), writer.token))?;
            let found = block_on(contents.get(pool, name, ContentPlace::Alone))?;
            let found = found.and_then(Stored::body);
            same("what was just put", &found, &Some(sample::body(body)))
        })
    })?;
    let listed = contents.list_alone(pool, None, usize::MAX).await?;
    let expected: Vec<_> = (0..THREADS * ROUNDS).map(sample::content).collect();
    same("all of them", &listed, &expected)
}

async fn threads_put_runs_of_their_own(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    on_threads(THREADS, |number| {
        block_on(async {
            let writer = CaseWriter::of(&store, number).await?;
            for round in 0..ROUNDS {
                crate::conformance::keys::put_one(&writer, round).await?;
                crate::conformance::keys::check_first(&writer, round + 1).await?;
            }
            Ok(())
        })
    })?;
    for number in 0..THREADS {
        let writer_pool = sample::pool(number);
        let at = store.keys.checkpoint(&writer_pool).await?;
        let expected = crate::conformance::keys::checkpoint(ROUNDS - 1);
        same("the checkpoint of a pool", &at, &Some(expected))?;
    }
    Ok(())
}
