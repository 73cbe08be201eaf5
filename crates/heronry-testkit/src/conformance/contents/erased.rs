//! The promises of contents about bodies that are erased.

use heronry_store::{
    AppendError, Commit, CommitOutcome, ContentPlace, Erasure, Guard, NewContent, StoreErrorKind,
    Stored,
};
use heronry_types::Position;

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_waits, otherwise, refused, same, syncs,
};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("contents", erased_with_their_append),
    case!("contents", an_erased_body_stays_erased),
    case!("contents", several_of_one_append_are_erased_together),
    case!("contents", an_erasure_of_nothing),
    case!("contents", a_refused_append_erases_nothing),
    case!("contents", a_tombstone_rides),
    case!("contents", erased_once_it_is_synced, Syncs),
    case!("contents", an_erasure_is_kept, Kept),
    case!("contents", a_damaged_row_is_not_erased, Damage),
];

/// The append of [`three`] has these positions.
const RIDING: ContentPlace = ContentPlace::With(Position(2));

/// Returns a writer of a pool whose second append has the contents 1 to 3, and 4 by itself.
async fn three(place: &dyn StorePlace) -> Result<CaseWriter, Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let mut commit = sample::chunks(writer.head, &[1, 1]);
    commit.contents = (1..=3).map(sample::content).collect();
    writer.append(commit).await?;
    let put = writer.store.contents.put(
        &writer.pool,
        sample::content_ref(4),
        sample::body(4),
        writer.token,
    );
    put.await?;
    Ok(writer)
}

fn erasing(writer: &CaseWriter, erased: &[(u64, ContentPlace, u64)]) -> Commit {
    let mut commit = sample::commit(writer.head, 1);
    let erasures = erased.iter().map(|(number, place, at)| Erasure {
        content_ref: sample::content_ref(*number),
        place: *place,
        tombstone: sample::tombstone(*number, *at),
    });
    commit.erasures = erasures.collect();
    commit
}

fn kept(number: u64) -> NewContent {
    sample::content(number)
}

fn erased(number: u64, at: u64) -> NewContent {
    let tombstone = sample::tombstone(number, at);
    NewContent::of(sample::content_ref(number), Stored::Erased(tombstone))
}

/// Checks that the second append has these contents and no others, and that these are by themselves.
async fn check(
    writer: &CaseWriter,
    riding: &[NewContent],
    alone: &[NewContent],
) -> Result<(), Failure> {
    let (contents, pool) = (&writer.store.contents, &writer.pool);
    let packs = contents.list_with(pool, Position::ZERO, usize::MAX).await?;
    let listed = packs.into_iter().flat_map(|pack| pack.contents).collect();
    same("the list of appends", &listed, &riding.to_vec())?;
    let listed = contents.list_alone(pool, None, usize::MAX).await?;
    same("the list", &listed, &alone.to_vec())?;
    let riding = riding.iter().map(|content| (content, RIDING));
    let alone = alone.iter().map(|content| (content, ContentPlace::Alone));
    for (content, at) in riding.chain(alone) {
        let found = contents.get(pool, content.content_ref, at).await?;
        let what = format!("{:?} at {at:?}", content.content_ref);
        same(&what, &found.as_ref(), &Some(&content.stored))?;
    }
    Ok(())
}

async fn erased_with_their_append(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = three(place).await?;
    let commit = erasing(&writer, &[(2, RIDING, 7), (4, ContentPlace::Alone, 7)]);
    writer.append(commit).await?;
    check(&writer, &[kept(1), erased(2, 7), kept(3)], &[erased(4, 7)]).await?;
    let (contents, pool) = (&writer.store.contents, &writer.pool);
    let other = ContentPlace::With(Position(3));
    let found = contents.get(pool, sample::content_ref(2), other).await?;
    let expected = Some(erased(2, 7).stored);
    same("at the other position of its append", &found, &expected)?;
    writer.write(&[1]).await?;
    check(&writer, &[kept(1), erased(2, 7), kept(3)], &[erased(4, 7)]).await
}

async fn an_erased_body_stays_erased(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = three(place).await?;
    for at in [7, 9] {
        let commit = erasing(&writer, &[(1, RIDING, at), (4, ContentPlace::Alone, at)]);
        writer.append(commit).await?;
        check(&writer, &[erased(1, 7), kept(2), kept(3)], &[erased(4, 7)]).await?;
    }
    for body in [4, 5] {
        let (contents, name) = (&writer.store.contents, sample::content_ref(4));
        let put = contents.put(&writer.pool, name, sample::body(body), writer.token);
        put.await?;
        check(&writer, &[erased(1, 7), kept(2), kept(3)], &[erased(4, 7)]).await?;
    }
    Ok(())
}

async fn several_of_one_append_are_erased_together(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = three(place).await?;
    let commit = erasing(&writer, &[(3, RIDING, 7), (1, RIDING, 8), (3, RIDING, 9)]);
    writer.append(commit).await?;
    check(&writer, &[erased(1, 8), kept(2), erased(3, 7)], &[kept(4)]).await
}

async fn an_erasure_of_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = three(place).await?;
    // No such body rides there, there are no bodies there, and nothing is there yet.
    let wrong = [
        (4, RIDING, 7),
        (1, ContentPlace::With(Position(1)), 7),
        (1, ContentPlace::With(Position(9)), 7),
    ];
    let commit = erasing(&writer, &wrong);
    writer.append(commit).await?;
    check(&writer, &[kept(1), kept(2), kept(3)], &[kept(4)]).await?;
    // One by itself leaves its tombstone, as when a pool is brought from elsewhere.
    let commit = erasing(&writer, &[(5, ContentPlace::Alone, 7)]);
    writer.append(commit).await?;
    check(
        &writer,
        &[kept(1), kept(2), kept(3)],
        &[kept(4), erased(5, 7)],
    )
    .await
}

async fn a_refused_append_erases_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = three(place).await?;
    let commit = erasing(&writer, &[(1, RIDING, 7), (4, ContentPlace::Alone, 7)]);
    let guard = Guard {
        expected_head: Position(1),
        ..writer.guard()
    };
    refused(
        "an append with another head",
        writer.attempt(commit, guard).await,
    )?;
    check(&writer, &[kept(1), kept(2), kept(3)], &[kept(4)]).await?;
    writer.unchanged().await
}

async fn a_tombstone_rides(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let mut commit = sample::commit(writer.head, 2);
    commit.contents = vec![erased(1, 7), kept(2)];
    writer.append(commit).await?;
    check(&writer, &[erased(1, 7), kept(2)], &[]).await
}

async fn erased_once_it_is_synced(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = three(place).await?;
    let readers = CaseWriter {
        store: writer.store.clone(),
        pool: writer.pool.clone(),
        token: writer.token,
        head: writer.head,
    };
    let commit = erasing(&writer, &[(2, RIDING, 7), (4, ContentPlace::Alone, 7)]);
    let hold = syncs(place)?.hold();
    {
        let mut late = futures::FutureExt::boxed(writer.append(commit));
        check_waits("the append", &mut late)?;
        hold.wait_reached()?;
        check(&readers, &[kept(1), kept(2), kept(3)], &[kept(4)]).await?;
        hold.release();
        late.await?;
    }
    check(&readers, &[kept(1), erased(2, 7), kept(3)], &[erased(4, 7)]).await
}

async fn an_erasure_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = three(place).await?;
    let commit = erasing(&writer, &[(2, RIDING, 7), (4, ContentPlace::Alone, 7)]);
    writer.append(commit).await?;
    drop(writer);
    for _ in 0..2 {
        let writer = CaseWriter::of(&place.open()?, 1).await?;
        check(&writer, &[kept(1), erased(2, 7), kept(3)], &[erased(4, 7)]).await?;
    }
    Ok(())
}

async fn a_damaged_row_is_not_erased(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = three(place).await?;
    drop(writer);
    // The digest stands in the index of the row, and nowhere else.
    let copies = place.damage(&sample::tombstone(1, 0).digest.0)?;
    same("whether it was stored", &(copies > 0), &true)?;
    let store = match place.open() {
        Ok(store) => store,
        Err(error) => return same("the store", &error.kind(), &StoreErrorKind::Corrupt),
    };
    let writer = CaseWriter::of(&store, 1).await?;
    let commit = erasing(&writer, &[(2, RIDING, 7)]);
    let error = writer.attempt(commit, writer.guard()).await;
    let error = refused("an erasure in a damaged row", error)?;
    let AppendError::Store { outcome, error } = error else {
        return Err(otherwise("an erasure in a damaged row", &error));
    };
    let expected = (CommitOutcome::None, StoreErrorKind::Corrupt);
    same("its refusal", &(outcome, error.kind()), &expected)?;
    writer.unchanged().await
}
