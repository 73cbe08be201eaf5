//! A47: export and import.

use std::io;

use heronry_journal::{Chunk, ChunkHash, ChunkWriter};
use heronry_pool::{Rejection, decide::CheckCursor};
use heronry_runtime::{BodyError, CallError};
use heronry_store::{Commit, Guard};
use heronry_testkit::sample;
use heronry_tests::{StoreKind, World, pool};
use heronry_transfer::{self as transfer, Bodies, Pools, TransferError};
use heronry_types::{EpochReason, Position};
use serde_json::Value;

use crate::{
    between_every_two_stores,
    story::{carrier, check_empty, check_new_timeline, check_untouched, old, story},
};

between_every_two_stores! {
    a47_an_import_has_the_records_and_state_of_the_export_under_a_new_epoch
}

async fn exported(world: &World, pools: &Pools, bodies: Bodies) -> Vec<u8> {
    let mut lines = Vec::new();
    transfer::export(world.store(), pools, bodies, &mut lines)
        .await
        .unwrap();
    lines
}

async fn import(world: &World, lines: &[u8]) -> Result<usize, TransferError> {
    let by = carrier(world, 78);
    let imported = transfer::import(world.store(), || Ok(io::Cursor::new(lines)), &by).await?;
    Ok(imported.len())
}

async fn a47_an_import_has_the_records_and_state_of_the_export_under_a_new_epoch(
    from: World,
    to: World,
) {
    let left = story(&from).await;
    let lines = exported(&from, &Pools::All, Bodies::Included).await;
    check_untouched(from.store(), &left).await;
    assert_eq!(import(&to, &lines).await.unwrap(), 2);
    let p = check_new_timeline(&to, &left, EpochReason::Import).await;
    let fork = left.head.head.0;
    let cursor = old(&left, fork);
    assert_eq!(
        p.call(CheckCursor { cursor }).await.unwrap(),
        Position(fork)
    );
    let requested = old(&left, fork + 1);
    let refused = p.call(CheckCursor { cursor: requested }).await.unwrap_err();
    let diverged_at = Some(cursor);
    let foreign = Rejection::CursorForeign {
        requested,
        diverged_at,
    };
    assert!(matches!(refused, CallError::Rejected(rejection) if rejection == foreign));

    // What was imported can be exported: the same lines, and then those of the new timeline.
    to.runtime.shutdown().await;
    let again = exported(&to, &Pools::One(pool("p")), Bodies::Included).await;
    let text = |lines: &[u8]| String::from_utf8(lines.to_vec()).unwrap();
    let (first, again) = (text(&lines), text(&again));
    let records = |lines: &str| -> Vec<String> {
        let lines = lines
            .lines()
            .filter(|line| line.starts_with(r#"{"position""#));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(
        records(&again)[..left.records.len()],
        records(&first)[..left.records.len()]
    );
}

#[tokio::test]
async fn an_export_without_bodies_is_imported_and_their_absence_is_said() {
    let from = World::new(StoreKind::Memory).await;
    let left = story(&from).await;
    let lines = exported(&from, &Pools::One(pool("p")), Bodies::LeftOut).await;
    assert!(
        !String::from_utf8(lines.clone())
            .unwrap()
            .contains("body_base64")
    );
    let to = World::new(StoreKind::Memory).await;
    assert_eq!(import(&to, &lines).await.unwrap(), 1);
    let p = to.runtime.find(&pool("p")).await.unwrap();
    for (content_ref, _) in &left.bodies {
        let error = p.body(left.lead.clone(), *content_ref).await.unwrap_err();
        let BodyError::Call(CallError::Rejected(rejection)) = error else {
            panic!("refused otherwise: {error:?}");
        };
        assert_eq!(rejection, Rejection::ContentMissing);
    }
}

/// Changes one line of an export, and checks that it is refused and that nothing was written.
async fn check_changed(
    lines: &str,
    what: &str,
    change: impl Fn(&mut Vec<String>),
    expected: fn(&TransferError) -> bool,
) {
    let mut changed: Vec<String> = lines.lines().map(str::to_owned).collect();
    change(&mut changed);
    let text = changed
        .iter()
        .fold(String::new(), |text, line| text + line + "\n");
    assert_ne!(text, lines, "{what}: nothing was changed");
    let to = World::new(StoreKind::Memory).await;
    let error = import(&to, text.as_bytes()).await.unwrap_err();
    assert!(expected(&error), "{what}: {error:?}");
    assert!(!error.to_string().contains('\n'), "{what}: {error}");
    check_empty(to.store()).await;
    assert_eq!(to.faults.appends(), 0, "{what}: nothing was written");
}

fn position_of(error: &TransferError) -> Option<u64> {
    if let TransferError::Mismatch {
        pool: found, at, ..
    } = error
    {
        (*found == pool("p")).then_some(at.0)
    } else if let TransferError::Chain { pool: found, error } = error {
        (*found == pool("p")).then_some(error.at.0)
    } else {
        None
    }
}

fn is_mismatch(error: &TransferError) -> bool {
    position_of(error).is_some()
}

fn is_line(error: &TransferError) -> bool {
    matches!(error, TransferError::Line { .. })
}

fn index_of(lines: &[String], begin: &str, number: usize) -> usize {
    let mut found = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.starts_with(begin));
    found.nth(number).unwrap().0
}

#[tokio::test]
async fn a_changed_export_is_refused_with_pool_and_position() {
    let from = World::new(StoreKind::Memory).await;
    story(&from).await;
    let lines = exported(&from, &Pools::One(pool("p")), Bodies::Included).await;
    let lines = String::from_utf8(lines).unwrap();
    let replace = |begin: &'static str, number, one: &'static str, other: &'static str| {
        move |lines: &mut Vec<String>| {
            let index = index_of(lines, begin, number);
            lines[index] = lines[index].replace(one, other);
        }
    };
    let record = r#"{"position""#;
    check_changed(
        &lines,
        "an id",
        replace(record, 1, "lead", "lean"),
        |error| position_of(error) == Some(2),
    )
    .await;
    let moved = replace(record, 2, r#""position":3"#, r#""position":4"#);
    check_changed(&lines, "a position", moved, is_mismatch).await;
    let kind = replace(record, 0, r#""number":1"#, r#""number":2"#);
    check_changed(&lines, "a number", kind, is_mismatch).await;
    let hash = replace(r#"{"chunk""#, 1, r#""hash":""#, r#""hash":"00"#);
    check_changed(&lines, "a hash", hash, is_line).await;
    let epoch = |lines: &mut Vec<String>| {
        let index = index_of(lines, r#"{"chunk""#, 1);
        let mut line: Value = serde_json::from_str(&lines[index]).unwrap();
        line["chunk"]["epoch"] = "0".repeat(32).into();
        lines[index] = line.to_string();
    };
    check_changed(&lines, "an epoch", epoch, is_mismatch).await;
    let body = replace(
        r#"{"content""#,
        0,
        r#""body_base64":""#,
        r#""body_base64":"AAAA"#,
    );
    check_changed(&lines, "a body", body, is_mismatch).await;
    let first = index_of(
        &lines.lines().map(str::to_owned).collect::<Vec<_>>(),
        r#"{"chunk""#,
        2,
    );
    let without = |lines: &mut Vec<String>| drop(lines.drain(first..first + 2));
    check_changed(&lines, "a chunk that is left out", without, is_mismatch).await;
    let shortened = |lines: &mut Vec<String>| drop(lines.pop());
    check_changed(&lines, "a missing end", shortened, is_line).await;
    let garbage = |lines: &mut Vec<String>| lines.insert(3, "{}".to_owned());
    check_changed(&lines, "a line of something else", garbage, is_line).await;
    let no_content = |lines: &mut Vec<String>| {
        let index = index_of(lines, r#"{"content""#, 1);
        lines.remove(index);
    };
    check_changed(&lines, "a missing body", no_content, is_line).await;
}

#[tokio::test]
async fn an_export_that_is_cut_off_anywhere_is_refused() {
    let from = World::new(StoreKind::Memory).await;
    story(&from).await;
    let lines = exported(&from, &Pools::One(pool("p")), Bodies::LeftOut).await;
    let to = World::new(StoreKind::Memory).await;
    for cut in (1..lines.len()).step_by(97) {
        let error = import(&to, &lines[..cut]).await.unwrap_err();
        assert!(is_line(&error), "cut at {cut}: {error:?}");
    }
    assert_eq!(import(&to, b"").await.unwrap(), 0);
    check_empty(to.store()).await;
    assert_eq!(to.faults.appends(), 0);
    assert_eq!(import(&to, &lines).await.unwrap(), 1);
}

/// A chunk with a record of a newer build, which added a part that this build skips.
fn chunk_of_a_newer_build() -> Chunk {
    let mut record = sample::entry(1).to_bytes();
    assert_eq!(record[0], 0x86, "a record is an array of six parts");
    record[0] = 0x87;
    record.push(0xf6);
    let (epoch, head) = (sample::EPOCH, Position::ZERO);
    let mut writer = ChunkWriter::new(epoch, head, ChunkHash::START, sample::time(0));
    writer.push_bytes(&record).unwrap();
    writer.finish().remove(0)
}

#[tokio::test]
async fn a_record_that_this_build_would_write_otherwise_goes_along_as_it_is_stored() {
    let from = World::new(StoreKind::Memory).await;
    let chunk = chunk_of_a_newer_build();
    let name = sample::pool(1);
    let leases = &from.store().leases;
    let token = leases
        .acquire(&name, "a test", sample::time(0), heronry_store::LEASE_TERM)
        .await
        .unwrap();
    let commit = Commit {
        chunks: vec![chunk.clone()],
        ..Commit::default()
    };
    let guard = Guard {
        expected_head: Position::ZERO,
        token,
    };
    from.store()
        .journal
        .append(&name, commit, guard)
        .await
        .unwrap();
    let lines = exported(&from, &Pools::All, Bodies::Included).await;
    assert!(
        String::from_utf8(lines.clone())
            .unwrap()
            .contains(r#""bytes":"#)
    );
    let to = World::new(StoreKind::Memory).await;
    assert_eq!(import(&to, &lines).await.unwrap(), 1);
    let page = to
        .store()
        .journal
        .read(&name, Position::ZERO, 1)
        .await
        .unwrap();
    assert_eq!(page.chunks[0].bytes(), chunk.bytes());
    assert_eq!(page.chunks[0].hash(), chunk.hash());
}
