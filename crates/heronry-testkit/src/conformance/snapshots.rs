//! The promises of snapshots.

pub(super) mod kept;

use heronry_journal::ChunkHash;
use heronry_store::{
    Arrival, Checkpoint, Commit, FencingToken, SNAPSHOT_BYTES_MAX, Snapshot, StoreErrorKind,
};
use heronry_types::{Epoch, Position};

use super::{Case, CaseWriter, Failure, StorePlace, check_kind, same};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    case!("snapshots", latest),
    case!("snapshots", replaced_whole),
    case!("snapshots", fenced),
    case!("snapshots", on_the_chain),
    case!("snapshots", bounded),
    case!("snapshots", deleted),
    case!("snapshots", apart),
    case!("snapshots", a_snapshot_stands_where_any_chunk_ends),
    case!("snapshots", a_snapshot_within_a_chunk_is_refused),
    case!("snapshots", a_snapshot_ahead_of_the_head_is_refused),
    case!("snapshots", a_snapshot_of_the_start_is_refused),
    case!("snapshots", a_snapshot_of_an_arriving_pool_is_refused),
    case!("snapshots", a_trim_up_to_a_snapshot_leaves_it),
    case!("snapshots", a_trim_past_a_snapshot_hides_it),
    case!("snapshots", a_new_timeline_leaves_what_it_goes_on_from),
];

/// Returns the snapshot with a number, at a point.
pub(super) fn snapshot(number: u8, at: Checkpoint) -> Snapshot {
    Snapshot {
        version: u32::from(number) << 20,
        at,
        bytes: [b"a state that nobody else has ", &[number; 3_000][..]].concat(),
    }
}

/// Puts a snapshot at the head of a writer.
pub(super) async fn put(writer: &CaseWriter, number: u8) -> Result<Snapshot, Failure> {
    let snapshot = snapshot(number, writer.point()?);
    let snapshots = &writer.store.snapshots;
    let put = snapshots.put(&writer.pool, snapshot.clone(), writer.token);
    put.await?;
    Ok(snapshot)
}

pub(super) async fn check_latest(
    what: &str,
    writer: &CaseWriter,
    expected: Option<&Snapshot>,
) -> Result<(), Failure> {
    let found = writer.store.snapshots.latest(&writer.pool).await?;
    // Not with its bytes, which are many.
    let short = |snapshot: &Snapshot| (snapshot.version, snapshot.at, snapshot.bytes.len());
    same(what, &found.as_ref().map(short), &expected.map(short))?;
    same("its bytes", &(found.as_ref() == expected), &true)
}

async fn check_foreign(writer: &CaseWriter, what: &str, at: Checkpoint) -> Result<(), Failure> {
    let snapshots = &writer.store.snapshots;
    let put = snapshots.put(&writer.pool, snapshot(9, at), writer.token);
    check_kind(what, put.await, StoreErrorKind::Foreign)
}

async fn latest(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    check_latest("before any", &writer, None).await?;
    for number in 1..=3 {
        writer.write(&[2]).await?;
        let put = put(&writer, number).await?;
        check_latest("what was put", &writer, Some(&put)).await?;
    }
    let empty = Snapshot {
        version: u32::MAX,
        at: writer.point()?,
        bytes: Vec::new(),
    };
    let snapshots = &writer.store.snapshots;
    let put = snapshots.put(&writer.pool, empty.clone(), writer.token);
    put.await?;
    check_latest("an empty one", &writer, Some(&empty)).await
}

async fn replaced_whole(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let at = writer.point()?;
    let long = Snapshot {
        bytes: vec![7; 300_000],
        ..snapshot(1, at)
    };
    let snapshots = &writer.store.snapshots;
    let mut kept = None;
    for next in [snapshot(2, at), long, snapshot(3, at)] {
        snapshots
            .put(&writer.pool, next.clone(), writer.token)
            .await?;
        check_latest("one after the other", &writer, Some(&next)).await?;
        kept = Some(next);
    }
    let ahead = Checkpoint {
        position: at.position.next(),
        ..at
    };
    check_foreign(&writer, "one that is refused", ahead).await?;
    check_latest("after a refusal", &writer, kept.as_ref()).await
}

async fn fenced(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let kept = put(&writer, 1).await?;
    let stale = writer.lose().await?;
    let snapshots = &writer.store.snapshots;
    for token in [stale, FencingToken(0)] {
        let other = snapshot(2, writer.point()?);
        let put = snapshots.put(&writer.pool, other, token).await;
        check_kind("a put with a stale token", put, StoreErrorKind::Closed)?;
        let delete = snapshots.delete(&writer.pool, token).await;
        check_kind(
            "a delete with a stale token",
            delete,
            StoreErrorKind::Closed,
        )?;
    }
    let delete = snapshots.delete(&sample::pool(9), FencingToken(0)).await;
    check_kind(
        "a pool that nobody acquired",
        delete,
        StoreErrorKind::Closed,
    )?;
    check_latest("what is kept", &writer, Some(&kept)).await?;
    put(&writer, 3).await.map(drop)
}

async fn on_the_chain(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let first = writer.point()?;
    writer.write(&[2]).await?;
    for at in [first, writer.point()?] {
        let hash = ChunkHash([9; 32]);
        check_foreign(&writer, "another hash", Checkpoint { hash, ..at }).await?;
        let epoch = Epoch([9; 16]);
        check_foreign(&writer, "another epoch", Checkpoint { epoch, ..at }).await?;
    }
    check_latest("after refusals", &writer, None).await
}

async fn bounded(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let sized = |bytes| -> Result<Snapshot, Failure> {
        Ok(Snapshot {
            bytes: vec![7; bytes],
            ..snapshot(1, writer.point()?)
        })
    };
    let snapshots = &writer.store.snapshots;
    let over = snapshots.put(&writer.pool, sized(SNAPSHOT_BYTES_MAX + 1)?, writer.token);
    check_kind("one over the limit", over.await, StoreErrorKind::TooLarge)?;
    check_latest("after a refusal", &writer, None).await?;
    let most = sized(SNAPSHOT_BYTES_MAX)?;
    snapshots
        .put(&writer.pool, most.clone(), writer.token)
        .await?;
    check_latest("one at the limit", &writer, Some(&most)).await
}

async fn deleted(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let snapshots = writer.store.snapshots.clone();
    snapshots.delete(&writer.pool, writer.token).await?;
    writer.write(&[1]).await?;
    put(&writer, 1).await?;
    for _ in 0..2 {
        snapshots.delete(&writer.pool, writer.token).await?;
        check_latest("after a delete", &writer, None).await?;
    }
    let again = put(&writer, 2).await?;
    check_latest("after another put", &writer, Some(&again)).await?;
    let large = Snapshot {
        bytes: vec![7; 300_000],
        ..snapshot(3, again.at)
    };
    snapshots.put(&writer.pool, large, writer.token).await?;
    snapshots.delete(&writer.pool, writer.token).await?;
    check_latest("after the delete of a large one", &writer, None).await
}

async fn apart(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let (mut one, mut two) = (
        CaseWriter::of(&store, 1).await?,
        CaseWriter::of(&store, 2).await?,
    );
    one.write(&[1]).await?;
    two.write(&[1]).await?;
    let first = put(&one, 1).await?;
    check_latest("another pool", &two, None).await?;
    let second = put(&two, 2).await?;
    check_latest("the first pool", &one, Some(&first)).await?;
    store.snapshots.delete(&one.pool, one.token).await?;
    check_latest("the second pool", &two, Some(&second)).await?;
    let unknown = store.snapshots.latest(&sample::pool(9)).await?;
    same("an unknown pool", &unknown.is_some(), &false)
}

async fn a_snapshot_stands_where_any_chunk_ends(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let mut points = Vec::new();
    for records in [1, 3, 2, 1] {
        writer.write(&[records]).await?;
        points.push(writer.point()?);
    }
    for (number, at) in (1..).zip(points) {
        let snapshot = snapshot(number, at);
        let snapshots = &writer.store.snapshots;
        let put = snapshots.put(&writer.pool, snapshot.clone(), writer.token);
        put.await?;
        check_latest("at the end of a chunk", &writer, Some(&snapshot)).await?;
    }
    Ok(())
}

async fn a_snapshot_within_a_chunk_is_refused(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[3, 3]).await?;
    let at = writer.point()?;
    for position in [1, 2, 4, 5] {
        let position = Position(position);
        check_foreign(&writer, "within a chunk", Checkpoint { position, ..at }).await?;
    }
    Ok(())
}

async fn a_snapshot_ahead_of_the_head_is_refused(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[3]).await?;
    let at = writer.point()?;
    for position in [4, u64::MAX] {
        let position = Position(position);
        check_foreign(&writer, "ahead of the head", Checkpoint { position, ..at }).await?;
    }
    let unwritten = CaseWriter::of(&writer.store, 2).await?;
    check_foreign(&unwritten, "of a pool without a journal", at).await
}

async fn a_snapshot_of_the_start_is_refused(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let start = Checkpoint {
        epoch: sample::EPOCH,
        position: Position::ZERO,
        hash: ChunkHash::START,
    };
    check_foreign(&writer, "of nothing", start).await?;
    writer.write(&[3]).await?;
    check_foreign(&writer, "of what was before the first record", start).await
}

async fn a_snapshot_of_an_arriving_pool_is_refused(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let part = Commit {
        arrival: Arrival::Part,
        ..sample::commit(None, 2)
    };
    writer.append(part).await?;
    check_foreign(&writer, "of what nobody sees", writer.point()?).await?;
    writer.write(&[1]).await?;
    let seen = put(&writer, 1).await?;
    check_latest("of what is there", &writer, Some(&seen)).await
}

/// Four chunks of two records, and a snapshot at the end of the second.
async fn four_chunks(place: &dyn StorePlace) -> Result<(CaseWriter, Snapshot), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    writer.write(&[2]).await?;
    let snapshot = put(&writer, 1).await?;
    writer.write(&[2]).await?;
    writer.write(&[2]).await?;
    Ok((writer, snapshot))
}

async fn trim(writer: &CaseWriter, before: u64) -> Result<(), Failure> {
    let journal = &writer.store.journal;
    let trim = sample::trim(&**journal, &writer.pool, Position(before), writer.token);
    same("the floor", &trim.await?.floor, &Position(before))
}

async fn a_trim_up_to_a_snapshot_leaves_it(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, snapshot) = four_chunks(place).await?;
    for before in [3, 5] {
        trim(&writer, before).await?;
        check_latest("after a trim up to it", &writer, Some(&snapshot)).await?;
    }
    let hash = ChunkHash([9; 32]);
    let at = Checkpoint {
        hash,
        ..snapshot.at
    };
    check_foreign(&writer, "another hash before the floor", at).await
}

async fn a_trim_past_a_snapshot_hides_it(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, snapshot) = four_chunks(place).await?;
    trim(&writer, 7).await?;
    check_latest("after a trim past it", &writer, None).await?;
    check_foreign(&writer, "a point that is trimmed away", snapshot.at).await?;
    let next = put(&writer, 2).await?;
    check_latest("one above the floor", &writer, Some(&next)).await
}

async fn a_new_timeline_leaves_what_it_goes_on_from(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let before = put(&writer, 1).await?;
    let start = sample::start(writer.head, Epoch([2; 16]));
    writer.append(start).await?;
    check_latest("one of the timeline before", &writer, Some(&before)).await?;
    let next = put(&writer, 2).await?;
    check_latest("one of the new timeline", &writer, Some(&next)).await?;
    let epoch = sample::EPOCH;
    let at = Checkpoint { epoch, ..next.at };
    check_foreign(&writer, "the timeline before, after its end", at).await
}
