//! The promises about baselines: what stands in for the records that were trimmed.

use heronry_journal::{Baseline, BaselinePoint, ChunkHash, RECORD_BYTES_MAX};
use heronry_store::{AppendError, Arrival, Commit, CommitOutcome, JournalExt, ReadError};
use heronry_types::{Epoch, Position, Timelines};

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same, syncs};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", stood_for),
    case!("journal", a_baseline_that_fits_nothing_is_refused),
    case!("journal", a_baseline_is_replaced_by_the_next),
    case!("journal", a_baseline_knows_the_timelines_before_it),
    case!("journal", a_trimmed_journal_is_brought_with_its_baseline),
    case!("journal", a_deleted_pool_leaves_no_baseline),
    case!("journal", a_baseline_is_kept, Kept),
    case!(
        "journal",
        a_failed_trim_is_there_whole_or_not_at_all,
        Syncs,
        Kept
    ),
];

/// Appends chunks that end at 2, 4, 6, 8 and 10.
async fn five(place: &dyn StorePlace) -> Result<CaseWriter, Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for _ in 0..5 {
        writer.write(&[2]).await?;
    }
    Ok(writer)
}

/// Returns a baseline before this floor, with a state of this many bytes.
async fn baseline(writer: &CaseWriter, floor: u64, bytes: usize) -> Result<Baseline, Failure> {
    let journal = &*writer.store.journal;
    let at = sample::time(floor);
    let point = journal.trim_point(&writer.pool, Position(floor), at);
    let state = (0..bytes).map(|at| at.to_le_bytes()[0]).collect();
    Ok(Baseline::new(point.await?, 7, state))
}

async fn check_baseline(writer: &CaseWriter, expected: Option<&Baseline>) -> Result<(), Failure> {
    let found = writer.store.journal.baseline(&writer.pool).await?;
    same("the baseline", &found.as_ref(), &expected)
}

async fn stood_for(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = five(place).await?;
    check_baseline(&writer, None).await?;
    let journal = writer.store.journal.clone();
    let baseline = baseline(&writer, 6, 40).await?;
    same("its floor", &baseline.floor(), &Position(5))?;
    let head = journal
        .trim(&writer.pool, baseline.clone(), writer.token)
        .await?;
    same("the floor", &head.floor, &Position(5))?;
    writer.head = Some(head);
    check_baseline(&writer, Some(&baseline)).await?;
    let trimmed = journal.read(&writer.pool, Position(3), 1).await;
    let error = refused("a read before the floor", trimmed)?;
    let ReadError::Trimmed { floor, .. } = error else {
        return Err(otherwise("a read before the floor", &error));
    };
    same("its floor", &floor, &Position(5))?;
    let page = journal.read(&writer.pool, Position(4), 1).await?;
    let previous = page.chunks.first().map(|chunk| chunk.header().previous);
    same("what follows", &previous, &Some(baseline.point().hash))?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_baseline_that_fits_nothing_is_refused(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = five(place).await?;
    let right = baseline(&writer, 5, 4).await?;
    let of = |change: &dyn Fn(&mut BaselinePoint)| {
        let mut point = right.point().clone();
        change(&mut point);
        Baseline::new(point, 7, Vec::new())
    };
    let wrong = [
        of(&|point| point.floor = Position(6)),
        of(&|point| point.floor = Position(11)),
        of(&|point| point.floor = Position(u64::MAX)),
        of(&|point| point.hash = ChunkHash([9; 32])),
        of(&|point| point.timelines = Timelines::of(Epoch([9; 16]))),
        of(&|point| point.timelines.start(Position(3), Epoch([9; 16]))),
    ];
    for wrong in wrong {
        let what = format!("{wrong:?}");
        let trim = writer
            .store
            .journal
            .trim(&writer.pool, wrong, writer.token)
            .await;
        let error = refused(&what, trim)?;
        let AppendError::Discontinuous { .. } = error else {
            return Err(otherwise(&what, &error));
        };
        writer.unchanged().await?;
        check_baseline(&writer, None).await?;
    }
    Ok(())
}

async fn a_baseline_is_replaced_by_the_next(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = five(place).await?;
    let journal = &writer.store.journal;
    // The second one has more frames than the first, the last one fewer.
    for (floor, bytes) in [(3, 100), (5, 2 * RECORD_BYTES_MAX), (9, 1)] {
        let baseline = baseline(&writer, floor, bytes).await?;
        let trim = journal.trim(&writer.pool, baseline.clone(), writer.token);
        same("the floor", &trim.await?.floor, &Position(floor))?;
        check_baseline(&writer, Some(&baseline)).await?;
        // One for the same floor, or for one of before, changes nothing.
        for floor in [1, floor] {
            let mut point = baseline.point().clone();
            point.floor = Position(floor);
            let again = Baseline::new(point, 8, Vec::new());
            journal.trim(&writer.pool, again, writer.token).await?;
            check_baseline(&writer, Some(&baseline)).await?;
        }
    }
    Ok(())
}

async fn a_baseline_knows_the_timelines_before_it(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    writer
        .append(sample::start(writer.head, Epoch([2; 16])))
        .await?;
    writer.write(&[2]).await?;
    writer
        .append(sample::start(writer.head, Epoch([3; 16])))
        .await?;
    let journal = &writer.store.journal;
    for (floor, epochs) in [(3, 1), (4, 2), (6, 2)] {
        let baseline = baseline(&writer, floor, 4).await?;
        let known = baseline.point().timelines.iter().count();
        same("the timelines", &known, &epochs)?;
        let trim = journal.trim(&writer.pool, baseline.clone(), writer.token);
        same("the floor", &trim.await?.floor, &Position(floor))?;
        check_baseline(&writer, Some(&baseline)).await?;
    }
    let timelines = journal.timelines(&writer.pool).await?;
    let known = timelines.map(|timelines| timelines.iter().count());
    same("the timelines of the journal", &known, &Some(3))
}

async fn a_trimmed_journal_is_brought_with_its_baseline(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let source = five(place).await?;
    let journal = source.store.journal.clone();
    let baseline = baseline(&source, 5, RECORD_BYTES_MAX + 9).await?;
    let trim = journal.trim(&source.pool, baseline.clone(), source.token);
    let head = trim.await?;
    let page = journal.read(&source.pool, Position(4), usize::MAX).await?;
    let (first, rest) = page.chunks.split_at(1);
    let mut writer = CaseWriter::of(&source.store, 2).await?;
    let part = Commit {
        chunks: first.to_vec(),
        contents: vec![sample::content(1)],
        baseline: Some(Box::new(baseline.clone())),
        arrival: Arrival::Part,
        ..Commit::default()
    };
    let unbased = Commit {
        baseline: None,
        ..part.clone()
    };
    refused(
        "chunks without what they follow",
        writer.attempt(unbased, writer.guard()).await,
    )?;
    writer.append(part.clone()).await?;
    check_baseline(&writer, None).await?;
    let rest = Commit {
        chunks: rest.to_vec(),
        ..Commit::default()
    };
    let again = Commit {
        baseline: part.baseline.clone(),
        ..rest.clone()
    };
    refused(
        "a baseline in the middle",
        writer.attempt(again, writer.guard()).await,
    )?;
    writer.append(rest).await?;
    writer.unchanged().await?;
    same("the head", &writer.head, &Some(head))?;
    check_baseline(&writer, Some(&baseline)).await?;
    let of_copy = journal.timelines(&writer.pool).await?;
    same(
        "the timelines",
        &of_copy,
        &journal.timelines(&source.pool).await?,
    )?;
    let at = heronry_store::ContentPlace::With(Position(6));
    let content = writer
        .store
        .contents
        .get(&writer.pool, sample::content_ref(1), at);
    same("a content", &content.await?.is_some(), &true)
}

async fn a_deleted_pool_leaves_no_baseline(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = five(place).await?;
    let journal = &writer.store.journal;
    let baseline = baseline(&writer, 5, 40).await?;
    journal.trim(&writer.pool, baseline, writer.token).await?;
    journal.delete(&writer.pool, writer.token).await?;
    check_baseline(&writer, None).await?;
    let mut anew = CaseWriter::of(&writer.store, 1).await?;
    anew.write(&[2]).await?;
    check_baseline(&anew, None).await
}

async fn a_baseline_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = five(place).await?;
    let baseline = baseline(&writer, 7, RECORD_BYTES_MAX + 9).await?;
    let journal = &writer.store.journal;
    let trim = journal.trim(&writer.pool, baseline.clone(), writer.token);
    let head = trim.await?;
    drop(writer);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    same("the head", &writer.head, &Some(head))?;
    check_baseline(&writer, Some(&baseline)).await
}

async fn a_failed_trim_is_there_whole_or_not_at_all(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = five(place).await?;
    let mut kept: Option<Baseline> = None;
    for floor in [3, 5, 9] {
        let next = baseline(&writer, floor, 40).await?;
        syncs(place)?.fail_next();
        let journal = writer.store.journal.clone();
        let trim = journal.trim(&writer.pool, next.clone(), writer.token).await;
        let error = refused("a trim whose sync failed", trim)?;
        let AppendError::Store { outcome, .. } = error else {
            return Err(otherwise("a trim whose sync failed", &error));
        };
        same("its outcome", &outcome, &CommitOutcome::Unknown)?;
        drop((journal, writer));
        writer = CaseWriter::of(&place.open()?, 1).await?;
        let is_there = writer.head.map(|head| head.floor) == Some(Position(floor));
        kept = if is_there { Some(next) } else { kept };
        let floor = kept.as_ref().map_or(Position(1), Baseline::floor);
        let found = writer.head.map(|head| head.floor);
        same("the floor", &found, &Some(floor))?;
        check_baseline(&writer, kept.as_ref()).await?;
    }
    Ok(())
}
