//! The promises of reading: bounded pages of whole chunks, and a floor after a trim.

use heronry_store::{JournalExt, ReadError};
use heronry_types::Position;

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", bounded),
    case!("journal", reading_begins_within_a_chunk),
    case!("journal", records_are_read_in_order),
    case!("journal", an_unknown_pool_is_said),
    case!("journal", trimming_raises_the_floor),
    case!("journal", the_last_chunk_survives_every_trim),
];

async fn check_page(
    writer: &CaseWriter,
    (after, bytes): (u64, usize),
    expected: &[(u64, u64)],
) -> Result<(), Failure> {
    let what = format!("the chunks after {after} within {bytes} bytes");
    same(
        &what,
        &writer.chunks(after, bytes).await?,
        &expected.to_vec(),
    )
}

async fn bounded(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let commit = sample::chunks(None, &[1, 2, 3]);
    let sizes: Vec<_> = commit
        .chunks
        .iter()
        .map(|chunk| chunk.bytes().len())
        .collect();
    writer.append(commit).await?;
    writer.write(&[4]).await?;
    let two: usize = sizes.iter().take(2).sum();
    check_page(&writer, (0, 0), &[(1, 1)]).await?;
    check_page(&writer, (0, two - 1), &[(1, 1)]).await?;
    check_page(&writer, (0, two), &[(1, 1), (2, 3)]).await?;
    check_page(&writer, (0, two + 1), &[(1, 1), (2, 3)]).await?;
    check_page(&writer, (3, 0), &[(4, 6)]).await?;
    check_page(&writer, (0, usize::MAX), &[(1, 1), (2, 3), (4, 6), (7, 10)]).await?;
    check_page(&writer, (10, usize::MAX), &[]).await?;
    check_page(&writer, (11, usize::MAX), &[]).await?;
    check_page(&writer, (u64::MAX, usize::MAX), &[]).await
}

async fn reading_begins_within_a_chunk(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[4]).await?;
    writer.write(&[4]).await?;
    for after in 0..=3 {
        check_page(&writer, (after, usize::MAX), &[(1, 4), (5, 8)]).await?;
    }
    for after in 4..=7 {
        check_page(&writer, (after, usize::MAX), &[(5, 8)]).await?;
    }
    check_page(&writer, (8, usize::MAX), &[]).await
}

async fn records_are_read_in_order(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for records in [3, 1, 5] {
        writer.write(&[records]).await?;
    }
    let journal = &writer.store.journal;
    let mut read = Vec::new();
    let mut after = Position(1);
    while let Some(page) = journal.records(&writer.pool, after, 0).await? {
        after = page.last;
        read.extend(page.records);
    }
    let positions: Vec<_> = read.iter().map(|record| record.position.0).collect();
    same("the positions", &positions, &(2..=9).collect())?;
    for record in read {
        same("a record", &record.entry, &sample::entry(record.position.0))?;
    }
    Ok(())
}

async fn an_unknown_pool_is_said(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let journal = &writer.store.journal;
    for number in [1, 2] {
        let read = journal.read(&sample::pool(number), Position::ZERO, 1).await;
        let error = refused("a pool without a journal", read)?;
        let ReadError::NoPool = error else {
            return Err(otherwise("a pool without a journal", &error));
        };
    }
    Ok(())
}

/// Ten chunks of two records each.
async fn ten_chunks(place: &dyn StorePlace) -> Result<CaseWriter, Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for _ in 0..10 {
        writer.write(&[2]).await?;
    }
    Ok(writer)
}

async fn trim(writer: &mut CaseWriter, before: u64) -> Result<u64, Failure> {
    let journal = &writer.store.journal;
    let head = sample::trim(&**journal, &writer.pool, Position(before), writer.token).await?;
    same(
        "the head after a trim",
        &journal.head(&writer.pool).await?,
        &Some(head),
    )?;
    writer.head = Some(head);
    Ok(head.floor.0)
}

async fn check_trimmed(writer: &CaseWriter, after: u64, floor: u64) -> Result<(), Failure> {
    let journal = &writer.store.journal;
    let read = journal
        .read(&writer.pool, Position(after), usize::MAX)
        .await;
    let error = refused("records that are trimmed", read)?;
    let ReadError::Trimmed {
        requested,
        floor: found,
    } = error
    else {
        return Err(otherwise("records that are trimmed", &error));
    };
    let expected = (Position(after), Position(floor));
    same("the refusal", &(requested, found), &expected)
}

async fn trimming_raises_the_floor(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = ten_chunks(place).await?;
    // Only chunks that end before the position go, and each pair of records is one chunk.
    for (before, floor) in [
        (0, 1),
        (1, 1),
        (2, 1),
        (3, 3),
        (4, 3),
        (8, 7),
        (8, 7),
        (3, 7),
    ] {
        same(
            &format!("the floor after a trim before {before}"),
            &trim(&mut writer, before).await?,
            &floor,
        )?;
    }
    check_trimmed(&writer, 0, 7).await?;
    check_trimmed(&writer, 5, 7).await?;
    check_page(&writer, (6, 0), &[(7, 8)]).await?;
    check_page(&writer, (7, 0), &[(7, 8)]).await?;
    check_page(&writer, (8, 0), &[(9, 10)]).await?;
    let head = writer.write(&[1]).await?;
    same("the floor after an append", &head.floor, &Position(7))?;
    check_page(&writer, (19, usize::MAX), &[(19, 20), (21, 21)]).await
}

async fn the_last_chunk_survives_every_trim(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = ten_chunks(place).await?;
    for before in [20, 21, u64::MAX] {
        same("the floor", &trim(&mut writer, before).await?, &19)?;
    }
    check_page(&writer, (18, usize::MAX), &[(19, 20)]).await?;
    writer.write(&[3]).await?;
    check_page(&writer, (18, usize::MAX), &[(19, 20), (21, 23)]).await
}
