//! The steps of a history that report events.

use heronry_pool::decide::AppendEvents;
use heronry_tests::{key, run};
use heronry_types::{EventKind, NewEvent};

use super::{
    play::{Play, check_barred, check_conflict},
    steps::{RUNS, Who},
};

/// The kinds of reported events.
const KINDS: [EventKind; 3] = [
    EventKind::ToolStarted,
    EventKind::RunCheckpointed,
    EventKind::ModelStreamDelta,
];

/// So many events, which follow from their key.
pub(super) fn events(under: u8, count: u8) -> Vec<NewEvent> {
    let kinds = KINDS.iter().cycle().skip(usize::from(under));
    let kinds = kinds.take(usize::from(count));
    kinds.map(|kind| NewEvent::new(*kind)).collect()
}

/// Returns the request of a report as a text.
pub(super) fn said(count: u8) -> String {
    format!("report {count}")
}

impl Play {
    /// Reports this many events before the first step, in batches of the largest size.
    pub(super) async fn report_before(&mut self, count: usize) {
        let events = vec![NewEvent::new(EventKind::ToolStarted); count];
        let caller = self.caller(Who {
            run: 0,
            is_stale: false,
        });
        for (number, batch) in events.chunks(1_000).enumerate() {
            let name = key(&format!("before {number}"));
            let batch = AppendEvents::new(caller.clone(), run(RUNS[0]), batch.to_vec(), name);
            self.pool().call(batch).await.unwrap();
        }
    }

    pub(super) async fn report(&mut self, who: Who, under: u8, count: u8) {
        let events = events(under, count);
        let (caller, name) = (self.caller(who), (who.run, under.to_string()));
        let command = AppendEvents::new(caller.clone(), run(RUNS[who.run]), events, key(&name.1));
        let said = said(count);
        let answer = self.pool().call(command).await;
        match self.asked.get(&name) {
            Some((before, first)) if *before == said => {
                let again = answer.unwrap();
                assert!(again.repeated, "an equal batch has the same outcome");
                assert_eq!(again.first, *first);
            }
            Some((_, first)) => check_conflict(&answer, *first),
            None => {
                check_barred(&answer, self.barred(&caller).as_ref());
                if let Ok(appended) = answer {
                    assert!(!appended.repeated);
                    assert_eq!(appended.count, u64::from(count));
                    self.asked.insert(name, (said, appended.first));
                }
            }
        }
    }
}
