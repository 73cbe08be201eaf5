//! Further promises of an append: the order of its checks, the effect of a refusal, and its largest size.

use futures::future::join_all;
use heronry_journal::{Chunk, ChunkHash, ChunkWriter};
use heronry_store::{AppendError, Commit, ContentPlace, FencingToken, Guard, Head, Stored};
use heronry_types::{Epoch, Position};

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", a_first_append_makes_the_pool),
    case!("journal", a_repeat_is_refused_as_a_conflict),
    case!("journal", ownership_is_judged_before_the_head),
    case!("journal", the_head_is_judged_before_continuity),
    case!("journal", a_refused_append_takes_its_contents_with_it),
    case!("journal", appends_that_queue_up_are_judged_in_order),
    case!("journal", the_head_names_the_last_chunk),
    case!("journal", an_append_of_many_chunks_is_one),
    case!("journal", the_largest_chunk_is_kept),
    case!("journal", pools_have_epochs_of_their_own),
    case!("journal", several_timelines_start_in_one_append),
    case!("journal", a_token_of_another_pool_is_stale),
    case!("journal", a_token_that_was_never_given_is_stale),
];

fn bytes(chunks: &[Chunk]) -> Vec<&[u8]> {
    chunks.iter().map(|chunk| &**chunk.bytes()).collect()
}

/// Checks that the journal holds these chunks, byte by byte, read in pages of a size.
pub(in crate::conformance) async fn check_chunks(
    writer: &CaseWriter,
    expected: &[Chunk],
    bytes_max: usize,
) -> Result<(), Failure> {
    let journal = &writer.store.journal;
    let mut found = Vec::new();
    let mut after = Position::ZERO;
    loop {
        let page = journal.read(&writer.pool, after, bytes_max).await?;
        let Some(last) = page.chunks.last() else {
            break;
        };
        after = last.last();
        found.extend(page.chunks);
    }
    same("how many chunks", &found.len(), &expected.len())?;
    same("their bytes", &(bytes(&found) == bytes(expected)), &true)
}

async fn a_first_append_makes_the_pool(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let journal = writer.store.journal.clone();
    same("the pools before", &journal.pools().await?, &Vec::new())?;
    let commit = sample::commit(None, 3);
    let hash = commit.chunks.first().map_or(ChunkHash::START, Chunk::hash);
    let expected = Head {
        epoch: sample::EPOCH,
        head: Position(3),
        floor: Position(1),
        last_hash: hash,
    };
    same("its head", &writer.append(commit).await?, &expected)?;
    let pools = vec![writer.pool.clone()];
    same("the pools after", &journal.pools().await?, &pools)?;
    let head = journal.head(&writer.pool).await?;
    same("the head that is read", &head, &Some(expected))
}

async fn a_repeat_is_refused_as_a_conflict(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for _ in 0..2 {
        let (commit, guard) = (sample::commit(writer.head, 2), writer.guard());
        writer.append(commit.clone()).await?;
        let what = "the same append once more";
        let error = refused(what, writer.attempt(commit, guard).await)?;
        let AppendError::Conflict { found, .. } = error else {
            return Err(otherwise(what, &error));
        };
        same(
            "the head it names",
            &Some(found),
            &writer.head.map(|head| head.head),
        )?;
        writer.unchanged().await?;
    }
    Ok(())
}

async fn ownership_is_judged_before_the_head(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let token = writer.lose().await?;
    let guard = Guard {
        expected_head: Position(7),
        token,
    };
    let what = "a stale token and another head";
    let error = refused(what, writer.attempt(Commit::default(), guard).await)?;
    let AppendError::Fenced { held, current } = error else {
        return Err(otherwise(what, &error));
    };
    same("the tokens", &(held, current), &(token.0, writer.token.0))
}

async fn the_head_is_judged_before_continuity(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let guard = Guard {
        expected_head: Position(7),
        ..writer.guard()
    };
    let what = "another head and no chunk";
    let error = refused(what, writer.attempt(Commit::default(), guard).await)?;
    let AppendError::Conflict { .. } = error else {
        return Err(otherwise(what, &error));
    };
    writer.unchanged().await
}

async fn a_refused_append_takes_its_contents_with_it(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let with = |head, number| Commit {
        contents: vec![sample::content(number)],
        ..sample::commit(head, 2)
    };
    let conflicting = Guard {
        expected_head: Position::ZERO,
        ..writer.guard()
    };
    refused(
        "a conflict",
        writer.attempt(with(writer.head, 8), conflicting).await,
    )?;
    let stale = Guard {
        token: FencingToken(99),
        ..writer.guard()
    };
    refused(
        "a stale token",
        writer.attempt(with(writer.head, 9), stale).await,
    )?;
    writer.append(with(writer.head, 7)).await?;
    let contents = &writer.store.contents;
    for (number, there) in [(7, true), (8, false), (9, false)] {
        for position in 1..=3 {
            let at = ContentPlace::With(Position(position));
            let name = sample::content_ref(number);
            let found = contents.get(&writer.pool, name, at).await?;
            let expected = there && position >= 2;
            let what = format!("content {number} at {position}");
            same(&what, &found.is_some(), &expected)?;
        }
    }
    Ok(())
}

async fn appends_that_queue_up_are_judged_in_order(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let first = sample::commit(None, 2);
    let head = |commit: &Commit, position| {
        commit.chunks.last().map(|chunk| Head {
            epoch: sample::EPOCH,
            head: Position(position),
            floor: Position(1),
            last_hash: chunk.hash(),
        })
    };
    let second = sample::commit(head(&first, 2), 1);
    let third = sample::commit(head(&second, 3), 1);
    let guard = |position| Guard {
        expected_head: Position(position),
        token: writer.token,
    };
    // All are asked for before the first is answered; the fourth repeats the second.
    let ends = join_all([
        writer.attempt(first, guard(0)),
        writer.attempt(second.clone(), guard(2)),
        writer.attempt(third, guard(3)),
        writer.attempt(second, guard(2)),
    ]);
    let ends: Vec<_> = ends
        .await
        .into_iter()
        .map(|end| match end {
            Ok(head) => Ok(head.head.0),
            Err(AppendError::Conflict { found, .. }) => Err(found.0),
            Err(_) => Err(0),
        })
        .collect();
    same("the ends", &ends, &vec![Ok(2), Ok(3), Ok(4), Err(4)])?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 2), (3, 3), (4, 4)])
}

async fn the_head_names_the_last_chunk(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for records in [&[1][..], &[2, 3], &[1, 1, 1]] {
        let commit = sample::chunks(writer.head, records);
        let last = commit.chunks.last().cloned();
        let head = writer.append(commit).await?;
        let expected = last.map(|chunk| (chunk.last(), chunk.hash(), chunk.header().epoch));
        let found = (head.head, head.last_hash, head.epoch);
        same("the head", &Some(found), &expected)?;
        writer.unchanged().await?;
    }
    Ok(())
}

async fn an_append_of_many_chunks_is_one(place: &dyn StorePlace) -> Result<(), Failure> {
    const CHUNKS: u64 = 200;
    const EACH_OF_ONE: [u64; 200] = [1; 200];
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let mut commit = sample::chunks(None, &EACH_OF_ONE);
    commit.contents = (1..=CHUNKS).map(sample::content).collect();
    let sent = commit.chunks.clone();
    let head = writer.append(commit).await?;
    same("the head", &head.head, &Position(CHUNKS))?;
    check_chunks(&writer, &sent, 1).await?;
    check_chunks(&writer, &sent, 10_000).await?;
    // Every position of the append leads to every content of it.
    let contents = &writer.store.contents;
    for (position, number) in [(1, CHUNKS), (CHUNKS, 1), (CHUNKS / 2, CHUNKS / 3)] {
        let at = ContentPlace::With(Position(position));
        let found = contents.get(&writer.pool, sample::content_ref(number), at);
        let body = found.await?.and_then(Stored::body);
        same("a content", &body, &Some(sample::body(number)))?;
    }
    Ok(())
}

async fn the_largest_chunk_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    // So many records that the first chunks are as full as chunks get.
    let commit = sample::commit(None, 8_000);
    let sizes = commit.chunks.iter().map(|chunk| chunk.bytes().len());
    let full = heronry_journal::CHUNK_BYTES_MAX - 1_024;
    let largest = sizes.max().unwrap_or(0);
    same(
        &format!("{largest} bytes are full"),
        &(largest > full),
        &true,
    )?;
    let sent = commit.chunks.clone();
    writer.append(commit).await?;
    check_chunks(&writer, &sent, 1).await?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn pools_have_epochs_of_their_own(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    for number in 1..=3_u8 {
        let mut writer = CaseWriter::of(&store, number.into()).await?;
        let epoch = Epoch([number; 16]);
        let mut chunk = ChunkWriter::new(epoch, Position::ZERO, ChunkHash::START, sample::time(0));
        let entry = sample::entry(1);
        chunk
            .push(&entry)
            .map_err(|error| Failure::new(error.to_string()))?;
        let commit = Commit {
            chunks: chunk.finish(),
            ..Commit::default()
        };
        same("its epoch", &writer.append(commit).await?.epoch, &epoch)?;
        same("its epoch later", &writer.write(&[1]).await?.epoch, &epoch)?;
    }
    for number in 1..=3_u8 {
        let head = store.journal.head(&sample::pool(number.into())).await?;
        let epoch = head.map(|head| head.epoch);
        same("the epoch that is read", &epoch, &Some(Epoch([number; 16])))?;
    }
    Ok(())
}

async fn several_timelines_start_in_one_append(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let mut commit = sample::start(writer.head, Epoch([2; 16]));
    for number in [3, 4] {
        let last = commit.chunks.last().map(|chunk| Head {
            epoch: chunk.header().epoch,
            head: chunk.last(),
            floor: Position(1),
            last_hash: chunk.hash(),
        });
        commit.chunks.extend(sample::commit(last, 1).chunks);
        let last = commit.chunks.last().map(|chunk| Head {
            epoch: chunk.header().epoch,
            head: chunk.last(),
            floor: Position(1),
            last_hash: chunk.hash(),
        });
        commit
            .chunks
            .extend(sample::start(last, Epoch([number; 16])).chunks);
    }
    let head = writer.append(commit).await?;
    same(
        "the head",
        &(head.head, head.epoch),
        &(Position(7), Epoch([4; 16])),
    )?;
    let page = writer
        .store
        .journal
        .read(&writer.pool, Position(2), usize::MAX);
    let epochs: Vec<_> = page
        .await?
        .chunks
        .iter()
        .map(|chunk| chunk.header().epoch.0[0])
        .collect();
    same("the epochs", &epochs, &vec![2, 2, 3, 3, 4])?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_token_of_another_pool_is_stale(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let one = CaseWriter::of(&store, 1).await?;
    let mut two = CaseWriter::of(&store, 2).await?;
    for _ in 0..3 {
        two.lose().await?;
    }
    let guard = Guard {
        token: two.token,
        ..one.guard()
    };
    let append = one.attempt(sample::commit(None, 1), guard).await;
    let AppendError::Fenced { .. } = refused("another pool's token", append)? else {
        return Err(otherwise("another pool's token", &"no fence"));
    };
    one.unchanged().await
}

async fn a_token_that_was_never_given_is_stale(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    for token in [writer.token.0 + 1, u64::MAX, 0] {
        let guard = Guard {
            token: FencingToken(token),
            ..writer.guard()
        };
        let append = writer.attempt(sample::commit(writer.head, 1), guard).await;
        let what = format!("token {token}");
        let error = refused(&what, append)?;
        let AppendError::Fenced { .. } = error else {
            return Err(otherwise(&what, &error));
        };
        writer.unchanged().await?;
    }
    Ok(())
}
