//! Sends on the memory store, and what earlier messages cost.

use super::{
    Scale,
    ground::{Ground, OrStop, Sends},
    resident,
    row::{Row, at_share, figure, median},
};
use crate::failure::Failure;

pub(crate) async fn measure(scale: Scale) -> Result<Vec<Row>, Failure> {
    let total = scale.of(200_000);
    let measured = tokio::task::spawn_blocking(move || on_one_core(total, scale.rounds()));
    let rate = measured.await.or_stop()??;
    let mut p99 = Vec::new();
    for _ in 0..scale.rounds() {
        let mut ground = Ground::in_memory().await?;
        let (_, mut latencies) = ground.send(Sends::of(8, scale.of(100_000))).await?;
        p99.push(at_share(&mut latencies, 0.99));
        ground.stop().await;
    }
    Ok(vec![
        Row::new("memory send, one core, 64 callers", rate, "sends/s").at_least(500_000.0),
        Row::new("memory send, 8 callers, p99", median(&mut p99), "µs").at_most(50.0),
    ])
}

/// Returns the sends of a second when callers and engine share one thread.
fn on_one_core(total: usize, rounds: usize) -> Result<f64, Failure> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().or_stop()?;
    runtime.block_on(async {
        let mut rates = Vec::new();
        for _ in 0..rounds {
            let mut ground = Ground::in_memory().await?;
            let sends = Sends::of(64, total);
            let (seconds, _) = ground.send(sends).await?;
            rates.push(sends.total() / seconds);
            ground.stop().await;
        }
        Ok(median(&mut rates))
    })
}

/// Sends after few and after very many finished messages, in one pool.
pub(crate) async fn history(scale: Scale) -> Result<Vec<Row>, Failure> {
    const TIMED: usize = 5_000;
    let (few, many) = (scale.of(1_000), scale.of(1_000_000));
    let timed = Sends::of(1, scale.of(TIMED));
    let mut ground = Ground::in_memory().await?;
    finish(&mut ground, few).await?;
    let early = one_by_one(&mut ground, timed, scale.rounds()).await?;
    let before = resident::bytes();
    finish(&mut ground, many).await?;
    let after = resident::bytes();
    let late = one_by_one(&mut ground, timed, scale.rounds()).await?;
    ground.stop().await;
    let what = format!("send after {many} messages ÷ after {few}");
    let note = format!("{late:.2} µs beside {early:.2} µs, memory store, one caller");
    let mut rows = vec![Row::new(what, late / early, "×").at_most(1.1).note(note)];
    if let (Some(before), Some(after)) = (before, after) {
        let each = (after - before) / figure(many);
        let note = "memory store: the journal itself and the bodies are in it";
        rows.push(Row::new("resident memory per finished message", each, "B").note(note));
    }
    Ok(rows)
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
async fn one_by_one(ground: &mut Ground, sends: Sends, rounds: usize) -> Result<f64, Failure> {
    let mut each = Vec::new();
    for _ in 0..rounds {
        let (seconds, _) = ground.send(sends).await?;
        each.push(seconds * 1e6 / sends.total());
        ground.settle().await?;
    }
    Ok(median(&mut each))
}
