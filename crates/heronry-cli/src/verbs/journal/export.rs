//! `heronry journal export`.

use heronry_types::Position;
use serde_json::json;

use super::{Opened, damaged};
use crate::{
    connect::Context,
    failure::{Exit, Failure, Outcome},
    out::print,
};

/// Writes one line for each chunk's header, and one for each of its records.
pub(super) async fn run(cx: &Context, opened: &Opened) -> Outcome {
    let pool = opened.one_pool(cx).await?;
    let mut after = Position::ZERO;
    loop {
        let chunks = opened.chunks(&pool, after).await?;
        let Some(last) = chunks.last() else {
            return Ok(Exit::Ok);
        };
        for chunk in &chunks {
            let header = chunk.header();
            let line = json!({"chunk": {
                "pool": pool,
                "epoch": header.epoch.to_string(),
                "first": header.first,
                "count": header.count,
                "recorded_at": header.recorded_at,
                "previous": header.previous,
                "hash": chunk.hash(),
            }});
            let mut lines = format!("{line}\n");
            for record in chunk.records() {
                let record = record.map_err(|error| damaged(&pool, &error))?;
                lines.push_str(&serde_json::to_string(&record).map_err(Failure::failed)?);
                lines.push('\n');
            }
            print(&lines)?;
        }
        after = last.last();
    }
}
