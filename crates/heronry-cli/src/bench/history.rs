//! The cost of earlier messages: time of each send, and memory.

use std::path::Path;

use super::{
    Scale,
    ground::{Ground, OrStop, Sends},
    resident,
    row::{FigureRow, figure, median},
};
use crate::failure::Failure;

pub(crate) async fn measure(scale: Scale, folder: &Path) -> Result<Vec<FigureRow>, Failure> {
    let mut rows = in_memory(scale).await?;
    rows.extend(on_redb(scale, folder).await?);
    Ok(rows)
}

/// Sends after very many finished messages beside sends after few, in two pools in turn.
async fn in_memory(scale: Scale) -> Result<Vec<FigureRow>, Failure> {
    let (few, many) = (scale.of(1_000), scale.of(1_000_000));
    let timed = Sends::of(1, scale.of(5_000));
    let mut old = Ground::in_memory().await?;
    finish(&mut old, few).await?;
    let before = resident::bytes();
    finish(&mut old, many).await?;
    let after = resident::bytes();
    let (mut early, mut late, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..2 * scale.rounds() {
        let mut young = Ground::in_memory().await?;
        finish(&mut young, few).await?;
        let short = one_by_one(&mut young, timed).await?;
        young.stop().await;
        let long = one_by_one(&mut old, timed).await?;
        early.push(short);
        late.push(long);
        ratios.push(long / short);
    }
    old.stop().await;
    let what = format!("send after {many} messages ÷ after {few}");
    let (early, late) = (median(&mut early), median(&mut late));
    let note = format!("{late:.2} µs beside {early:.2} µs, memory store, one caller");
    let ratio = FigureRow::new(what, median(&mut ratios), "×");
    let mut rows = vec![ratio.at_most(1.1).note(note)];
    if let (Some(before), Some(after)) = (before, after) {
        let each = (after - before) / figure(many);
        let note = "the journal itself and the bodies are in it";
        let what = "memory per finished message, memory store";
        rows.push(FigureRow::new(what, each, "B").note(note));
    }
    Ok(rows)
}

/// Measures the memory that a finished message still takes when the store keeps it on the disk.
async fn on_redb(scale: Scale, folder: &Path) -> Result<Option<FigureRow>, Failure> {
    let file = folder.join("history.redb");
    let mut ground = Ground::on_redb(&file).await?;
    // So many that the page cache of redb is full before.
    let (first, then) = (scale.of(500_000), scale.of(1_000_000));
    finish(&mut ground, first).await?;
    let before = resident::bytes();
    finish(&mut ground, then).await?;
    let after = resident::bytes();
    ground.stop().await;
    std::fs::remove_file(&file).or_stop()?;
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(None);
    };
    let each = (after - before) / figure(then);
    let what = "memory per finished message, redb";
    let note = format!(
        "{then} more after {first}: {:.1} MiB",
        (after - before) / 1_048_576.0
    );
    Ok(Some(
        FigureRow::new(what, each, "B").at_most(100.0).note(note),
    ))
}

/// Sends, reads and acknowledges this many messages.
async fn finish(ground: &mut Ground, count: usize) -> Result<(), Failure> {
    const AT_ONCE: usize = 10_000;
    for _ in 0..count.div_ceil(AT_ONCE) {
        ground.send(Sends::of(64, count.min(AT_ONCE))).await?;
        ground.settle().await?;
    }
    Ok(())
}

/// Returns the microseconds of one send.
async fn one_by_one(ground: &mut Ground, sends: Sends) -> Result<f64, Failure> {
    let (seconds, _) = ground.send(sends).await?;
    ground.settle().await?;
    Ok(seconds * 1e6 / sends.total())
}
