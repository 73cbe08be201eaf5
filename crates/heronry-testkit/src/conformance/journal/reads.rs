//! Further promises of reading, watching and trimming.

use futures::{FutureExt, future::join_all};
use heronry_journal::Chunk;
use heronry_store::{AppendError, CommitOutcome, ContentPlace, JournalExt, StoreErrorKind, Stored};
use heronry_types::Position;

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_waits, journal::appends::check_chunks, otherwise,
    refused, same,
};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", a_journal_reads_alike_in_pages_of_any_size),
    case!("journal", a_page_says_where_the_journal_stands),
    case!("journal", records_begin_in_the_middle_of_a_chunk),
    case!("journal", a_repeated_trim_drops_nothing),
    case!("journal", a_trim_leaves_the_other_pools),
    case!("journal", a_trim_keeps_the_contents),
    case!("journal", a_trim_keeps_the_chain),
    case!("journal", a_trim_of_no_journal_is_refused),
    case!("journal", a_watch_of_what_is_there_returns_at_once),
    case!("journal", every_watcher_is_rung),
    case!("journal", a_watch_that_was_given_up_disturbs_nobody),
    case!("journal", damaged_chunks_are_errors, Damage),
];

/// Chunks of one, two, … records.
async fn stairs(place: &dyn StorePlace, chunks: u64) -> Result<(CaseWriter, Vec<Chunk>), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let mut sent = Vec::new();
    for records in 1..=chunks {
        let commit = sample::commit(writer.head, records);
        sent.extend(commit.chunks.clone());
        writer.append(commit).await?;
    }
    Ok((writer, sent))
}

async fn a_journal_reads_alike_in_pages_of_any_size(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, sent) = stairs(place, 12).await?;
    let all: usize = sent.iter().map(|chunk| chunk.bytes().len()).sum();
    for bytes_max in [0, 1, 1_000, 5_000, all - 1, all, all + 1] {
        check_chunks(&writer, &sent, bytes_max).await?;
    }
    Ok(())
}

async fn a_page_says_where_the_journal_stands(place: &dyn StorePlace) -> Result<(), Failure> {
    let (mut writer, _) = stairs(place, 3).await?;
    for after in [0, 3, 5, 6, 7] {
        let page = writer.store.journal.read(&writer.pool, Position(after), 1);
        same("the head of a page", &Some(page.await?.head), &writer.head)?;
    }
    let journal = writer.store.journal.clone();
    writer.head = Some(sample::trim(&*journal, &writer.pool, Position(4), writer.token).await?);
    let page = journal.read(&writer.pool, Position(3), 1).await?;
    same("the head after a trim", &Some(page.head), &writer.head)?;
    same("its floor", &page.head.floor, &Position(4))
}

async fn records_begin_in_the_middle_of_a_chunk(place: &dyn StorePlace) -> Result<(), Failure> {
    // Chunks end at 1, 3, 6, 10, 15.
    let (writer, _) = stairs(place, 5).await?;
    let journal = &writer.store.journal;
    for after in 0..15 {
        let page = journal.records(&writer.pool, Position(after), 1).await?;
        let page = page.ok_or_else(|| Failure::new(format!("nothing after {after}")))?;
        let first = page.records.first().map(|record| record.position);
        same("the first record", &first, &Some(Position(after + 1)))?;
        let end = [1, 3, 6, 10, 15].into_iter().find(|end| *end > after);
        same("the last record", &Some(page.last.0), &end)?;
    }
    let page = journal.records(&writer.pool, Position(15), 1).await?;
    same("records after the head", &page.is_some(), &false)
}

async fn a_repeated_trim_drops_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, sent) = stairs(place, 5).await?;
    let journal = &writer.store.journal;
    let first = sample::trim(&**journal, &writer.pool, Position(8), writer.token).await?;
    same("the floor", &first.floor, &Position(7))?;
    for before in [8, 7, 1, 0] {
        let again = sample::trim(&**journal, &writer.pool, Position(before), writer.token);
        same("the head after a repeat", &again.await?, &first)?;
    }
    let page = journal.read(&writer.pool, Position(6), usize::MAX).await?;
    same("the chunks that are left", &page.chunks.len(), &2)?;
    let expected = sent.get(3).map(Chunk::hash);
    same(
        "the first",
        &page.chunks.first().map(Chunk::hash),
        &expected,
    )
}

async fn a_trim_leaves_the_other_pools(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writers = Vec::new();
    for number in 1..=3 {
        let mut writer = CaseWriter::of(&store, number).await?;
        for _ in 0..4 {
            writer.write(&[2]).await?;
        }
        writers.push(writer);
    }
    for writer in writers.iter().skip(1).take(1) {
        sample::trim(&*store.journal, &writer.pool, Position(8), writer.token).await?;
    }
    for (writer, floor) in writers.iter().zip([1, 7, 1]) {
        let head = store.journal.head(&writer.pool).await?;
        same("the floor", &head.map(|head| head.floor.0), &Some(floor))?;
        let chunks = writer.chunks(floor - 1, usize::MAX).await?;
        same(
            "the first chunk",
            &chunks.first(),
            &Some(&(floor, floor + 1)),
        )?;
        same("the last chunk", &chunks.last(), &Some(&(7, 8)))?;
    }
    Ok(())
}

async fn a_trim_keeps_the_contents(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for number in 1..=4 {
        let mut commit = sample::commit(writer.head, 2);
        commit.contents = vec![sample::content(number)];
        writer.append(commit).await?;
    }
    let journal = &writer.store.journal;
    let trim = sample::trim(&**journal, &writer.pool, Position(7), writer.token);
    same("the floor", &trim.await?.floor, &Position(7))?;
    let contents = &writer.store.contents;
    for number in 1..=4 {
        let at = ContentPlace::With(Position(number * 2));
        let found = contents.get(&writer.pool, sample::content_ref(number), at);
        let body = found.await?.and_then(Stored::body);
        same("a body", &body, &Some(sample::body(number)))?;
    }
    Ok(())
}

async fn a_trim_keeps_the_chain(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, sent) = stairs(place, 5).await?;
    let journal = &writer.store.journal;
    sample::trim(&**journal, &writer.pool, Position(7), writer.token).await?;
    let page = journal.read(&writer.pool, Position(6), 1).await?;
    let previous = page.chunks.first().map(|chunk| chunk.header().previous);
    let trimmed = sent.get(2).map(Chunk::hash);
    same("what the chunk at the floor follows", &previous, &trimmed)
}

async fn a_trim_of_no_journal_is_refused(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let journal = &writer.store.journal;
    let trim = sample::trim(&**journal, &writer.pool, Position(1), writer.token).await;
    let error = refused("a trim of no journal", trim)?;
    let AppendError::Store { outcome, error } = error else {
        return Err(otherwise("a trim of no journal", &error));
    };
    let expected = (CommitOutcome::None, StoreErrorKind::NotFound);
    same("its refusal", &(outcome, error.kind()), &expected)?;
    writer.unchanged().await
}

async fn a_watch_of_what_is_there_returns_at_once(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, _) = stairs(place, 3).await?;
    for after in 0..6 {
        let mut watch = writer.store.journal.watch(&writer.pool, Position(after));
        let rung = (&mut watch).now_or_never().is_some_and(|end| end.is_ok());
        same(&format!("a watch after {after}"), &rung, &true)?;
    }
    let mut watch = writer.store.journal.watch(&writer.pool, Position(6));
    check_waits("a watch at the head", &mut watch)
}

async fn every_watcher_is_rung(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    let pool = writer.pool.clone();
    let mut watches: Vec<_> = (0..100)
        .map(|number| store.journal.watch(&pool, Position(number % 3)))
        .collect();
    for watch in &mut watches {
        check_waits("a watch of an empty pool", watch)?;
    }
    writer.write(&[3]).await?;
    for end in join_all(watches).await {
        end?;
    }
    Ok(())
}

async fn a_watch_that_was_given_up_disturbs_nobody(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    let pool = writer.pool.clone();
    for _ in 0..100 {
        let mut watch = store.journal.watch(&pool, Position::ZERO);
        check_waits("a watch of an empty pool", &mut watch)?;
    }
    let mut last = store.journal.watch(&pool, Position::ZERO);
    check_waits("a watch of an empty pool", &mut last)?;
    writer.write(&[1]).await?;
    last.await.map_err(Failure::from)
}

async fn damaged_chunks_are_errors(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, sent) = stairs(place, 5).await?;
    let pool = writer.pool.clone();
    drop(writer);
    // The end of the third chunk: its last record.
    let bytes = sent.get(2).map_or(&[][..], |chunk| chunk.bytes());
    let part = bytes.last_chunk::<100>().map_or(&[][..], |part| part);
    same("whether it was stored", &(place.damage(part)? > 0), &true)?;
    let store = match place.open() {
        Ok(store) => store,
        Err(error) => return same("the store", &error.kind(), &StoreErrorKind::Corrupt),
    };
    let mut after = Position::ZERO;
    let error = loop {
        match store.journal.records(&pool, after, 1).await {
            Ok(Some(page)) => {
                for record in &page.records {
                    let expected = sample::entry(record.position.0);
                    same("a record", &record.entry, &expected)?;
                }
                after = page.last;
            }
            Ok(None) => return Err(Failure::new("records are damaged, and nobody says so")),
            Err(heronry_store::ReadError::Store(error)) => break error,
            Err(error) => return Err(otherwise("damage", &error)),
        }
    };
    same("the error", &error.kind(), &StoreErrorKind::Corrupt)?;
    same("what was read before", &after, &Position(3))
}
