//! Sends on the memory store.

use super::{
    Scale,
    ground::{Ground, OrStop, Sends},
    row::{FigureRow, at_share, median},
};
use crate::failure::Failure;

pub(crate) async fn measure(scale: Scale) -> Result<Vec<FigureRow>, Failure> {
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
        FigureRow::new("memory send, one core, 64 callers", rate, "sends/s").at_least(500_000.0),
        FigureRow::new("memory send, 8 callers, p99", median(&mut p99), "µs").at_most(50.0),
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
