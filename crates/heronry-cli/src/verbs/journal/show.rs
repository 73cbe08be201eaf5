//! `heronry journal show`.

use heronry_journal::Record;
use heronry_types::{Actor, Position};

use super::{OpenedStore, damaged};
use crate::{
    connect::Context,
    failure::{Exit, Outcome},
};

/// The fields of a record.
pub(crate) const RECORD_FIELDS: [&str; 9] = [
    "position",
    "recorded_at",
    "kind",
    "number",
    "version",
    "lineage",
    "actor",
    "visibility",
    "body",
];

/// Shows records, one line each, from the oldest kept at the earliest.
pub(super) async fn run(
    cx: &Context,
    opened: &OpenedStore,
    (mut after, limit): (Position, Option<u64>),
) -> Outcome {
    let pool = opened.one_pool(cx).await?;
    let kept = opened.head(&pool).await?.floor.previous();
    if after < kept {
        cx.out.note(&format!(
            "records up to {kept} were trimmed; the oldest kept is {}",
            kept.next()
        ));
        after = kept;
    }
    let mut left = limit.unwrap_or(u64::MAX);
    loop {
        let chunks = opened.chunks(&pool, after).await?;
        let Some(last) = chunks.last() else {
            return Ok(Exit::Ok);
        };
        for record in chunks.iter().flat_map(|chunk| chunk.records_after(after)) {
            if left == 0 {
                return Ok(Exit::Ok);
            }
            let record = record.map_err(|error| damaged(&pool, &error))?;
            cx.out.item(&record, || text_of(&record))?;
            left -= 1;
        }
        after = last.last();
    }
}

fn text_of(record: &Record) -> String {
    let actor = match &record.entry.actor {
        Actor::Operator => "operator".to_owned(),
        Actor::Engine => "engine".to_owned(),
        Actor::Member { run, .. } => format!("member {run}"),
    };
    let run = record.entry.lineage.run.as_ref();
    let run = run.map_or_else(String::new, |run| format!("  {run}"));
    format!(
        "{:>6}  {}  {}{run}  by {actor}",
        record.position,
        record.recorded_at,
        record.kind()
    )
}
