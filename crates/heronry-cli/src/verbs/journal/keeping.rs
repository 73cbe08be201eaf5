//! `heronry journal trim` and `heronry journal snapshot`, on a server.

use heronry_wire::Trim;

use super::TrimArgs;
use crate::{
    connect::{Context, refused},
    failure::{Exit, Outcome},
    out::RowsPlace,
};

pub(super) async fn trim(cx: &Context, args: &TrimArgs) -> Outcome {
    let asked = Trim {
        upto: args.before,
        age_ms: args.age.map(|age| age.0),
        force: args.force,
    };
    let trimmed = cx.pool()?.trim(&asked).await.map_err(refused)?;
    cx.out.answer(&trimmed, RowsPlace::Whole, || {
        format!("journal begins after {}", trimmed.floor)
    })?;
    Ok(Exit::Ok)
}

pub(super) async fn snapshot(cx: &Context) -> Outcome {
    let taken = cx.pool()?.snapshot().await.map_err(refused)?;
    cx.out.answer(&taken, RowsPlace::Whole, || {
        format!("snapshot at {} has {} bytes", taken.at, taken.bytes)
    })?;
    Ok(Exit::Ok)
}
