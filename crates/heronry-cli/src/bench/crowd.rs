//! Joins, and messages to many.

use heronry_pool::{
    Caller,
    decide::{ConfigurePool, WireEdges, WiredBy},
};
use heronry_types::{Address, Edge, Limits, Peering, RunId, WIRING_CHANGES_MAX};

use super::{
    Scale,
    ground::{Ground, OrStop, id, join, message, run_of},
    resident,
    row::{FigureRow, figure, median},
    watch::Watch,
};
use crate::failure::Failure;

/// The number of members that join at the same time.
const AT_ONCE: usize = 256;

pub(crate) async fn measure(scale: Scale) -> Result<Vec<FigureRow>, Failure> {
    let mut rows = joins(scale).await?;
    rows.extend(broadcast(scale).await?);
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

async fn broadcast(scale: Scale) -> Result<Vec<FigureRow>, Failure> {
    let (members, messages) = (scale.of(1_000), scale.of(2_000));
    let (mut each, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds() {
        // In turn, so that the ratio holds while the machine drifts.
        let open = broadcast_in(Peering::Open, members, messages).await?;
        let wired = broadcast_in(Peering::Wired, members, messages).await?;
        each.push(open);
        ratios.push(wired / open);
    }
    let what = format!("broadcast to {members} members, per recipient");
    let all = FigureRow::new(what, median(&mut each), "ns").at_most(50.0);
    let what = format!("the same to {members} neighbours in a wired pool, compared with it");
    let wired = FigureRow::new(what, median(&mut ratios), "x").at_most(1.1);
    Ok(vec![all, wired])
}

/// Sends messages to a pool whose members are all neighbours of the sender; returns the nanoseconds for
/// each recipient.
async fn broadcast_in(peering: Peering, members: usize, messages: usize) -> Result<f64, Failure> {
    let ground = Ground::in_memory().await?;
    let sender = run_of(&ground.sender)?;
    let mut edges = Vec::new();
    for number in 0..members {
        let member: RunId = id("member", number)?;
        edges.extend(Edge::between(sender.clone(), member.clone()));
        join(&ground.pool, member, &[]).await?;
    }
    let configure = ConfigurePool {
        caller: Caller::Operator,
        expected_version: 1,
        limits: Limits::default(),
        retention: None,
        peering: Some(peering),
    };
    ground.pool.call(configure).await.or_stop()?;
    for edges in edges.chunks(WIRING_CHANGES_MAX) {
        let by = WiredBy::Hand(Caller::Operator);
        let edges = edges.to_vec();
        ground.pool.call(WireEdges { by, edges }).await.or_stop()?;
    }
    let start = Watch::start();
    for number in 0..messages {
        let to = Address::Pool {
            pool_id: ground.pool.id().clone(),
        };
        let send = message(&ground.sender, to, id("broadcast", number)?)?;
        ground.pool.call(send).await.or_stop()?;
    }
    let nanos = start.micros() * 1e3 / figure(members * messages);
    ground.stop().await;
    Ok(nanos)
}
