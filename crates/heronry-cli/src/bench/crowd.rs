//! Joins, and messages to many.

use heronry_types::Address;

use super::{
    Scale,
    ground::{Ground, OrStop, id, join, message},
    resident,
    row::{FigureRow, figure, median},
    watch::Watch,
};
use crate::failure::Failure;

/// The number of members that join at the same time.
const AT_ONCE: usize = 256;

pub(crate) async fn measure(scale: Scale) -> Result<Vec<FigureRow>, Failure> {
    let mut rows = joins(scale).await?;
    rows.push(broadcast(scale).await?);
    Ok(rows)
}

async fn joins(scale: Scale) -> Result<Vec<FigureRow>, Failure> {
    let members = scale.of(10_000);
    let ground = Ground::in_memory().await?;
    let before = resident::bytes();
    let start = Watch::start();
    let each = members.div_ceil(AT_ONCE);
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|caller| {
            let pool = ground.pool.clone();
            let numbers = (caller * each).min(members)..((caller + 1) * each).min(members);
            tokio::spawn(async move {
                for number in numbers {
                    join(&pool, id("member", number)?, &[]).await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.or_stop()??;
    }
    let seconds = start.seconds();
    let grown = before.zip(resident::bytes());
    ground.stop().await;
    let what = format!("{members} joins, memory store, {AT_ONCE} in flight");
    let mut rows = vec![FigureRow::new(what, seconds, "s").at_most(0.2)];
    if let Some((before, after)) = grown {
        let mebibytes = (after - before) / (1024.0 * 1024.0);
        rows.push(FigureRow::new("memory of these members", mebibytes, "MiB").at_most(50.0));
    }
    Ok(rows)
}

async fn broadcast(scale: Scale) -> Result<FigureRow, Failure> {
    let (members, messages) = (scale.of(1_000), scale.of(2_000));
    let mut each = Vec::new();
    for _ in 0..scale.rounds() {
        let ground = Ground::in_memory().await?;
        for number in 0..members {
            join(&ground.pool, id("member", number)?, &[]).await?;
        }
        let start = Watch::start();
        for number in 0..messages {
            let to = Address::Pool {
                pool_id: ground.pool.id().clone(),
            };
            let send = message(&ground.sender, to, id("broadcast", number)?)?;
            ground.pool.call(send).await.or_stop()?;
        }
        each.push(start.micros() * 1e3 / figure(members * messages));
        ground.stop().await;
    }
    let what = format!("broadcast to {members} members, per recipient");
    Ok(FigureRow::new(what, median(&mut each), "ns").at_most(50.0))
}
