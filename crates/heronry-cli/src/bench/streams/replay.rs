//! Replay of a long history from redb.

use std::path::Path;

use heronry_event::filter::Filter;
use heronry_runtime::{Follow, ReadFrom};
use heronry_types::EventKind;

use super::{
    super::{
        Scale,
        ground::{Ground, OrStop},
        row::{FigureRow, figure, median},
        watch::Watch,
    },
    count, query, report,
};
use crate::failure::Failure;

/// The number of events in one append.
const APPENDED: usize = 1_000;
/// One event of so many is kept by the filter.
const ONE_OF: usize = 10_000;

pub(super) async fn measure(scale: Scale, folder: &Path) -> Result<Vec<FigureRow>, Failure> {
    let ground = Ground::on_redb(&folder.join("replay.redb")).await?;
    let events = scale.of(1_000_000).next_multiple_of(ONE_OF);
    let mut kinds = vec![EventKind::ToolCompleted; APPENDED];
    for number in 0..events / APPENDED {
        let is_rare = number % (ONE_OF / APPENDED) == 0;
        if let Some(first) = kinds.first_mut() {
            *first = if is_rare {
                EventKind::ToolFailed
            } else {
                EventKind::ToolCompleted
            };
        }
        report(&ground.pool, &ground.sender, (&kinds, number)).await?;
    }
    let rare = Filter::compile(r#"kind == "tool_failed""#).or_stop()?;
    let (mut whole, mut sparse) = (Vec::new(), Vec::new());
    for _ in 0..scale.rounds() {
        for (filter, kept, rates) in [
            (Filter::all(), events + 3, &mut whole),
            (rare.clone(), events / ONE_OF, &mut sparse),
        ] {
            let start = Watch::start();
            let query = query(filter, ReadFrom::Start);
            let mut stream = ground.pool.subscribe(query, Follow::End).await.or_stop()?;
            if count(&mut stream, usize::MAX).await? != kept {
                return Err(Failure::failed(
                    "the measurement stopped: events are missing",
                ));
            }
            rates.push(figure(events) / start.seconds());
        }
    }
    ground.stop().await;
    let (whole, sparse) = (median(&mut whole), median(&mut sparse));
    let what = format!("replay of {events} events, redb, one stream");
    let note = format!("{sparse:.0} events/s looked through");
    Ok(vec![
        FigureRow::new(what, whole, "events/s").at_least(1e6),
        FigureRow::new(
            "… with a filter that keeps 0.01 % ÷ with none",
            sparse / whole,
            "×",
        )
        .at_least(1.0)
        .note(note),
    ])
}
