//! The events that a wait that timed out may have missed: those from before its beginning.

use heronry_client::PoolClient;
use heronry_event::EarlyEvent;
use heronry_types::{Cursor, WakeView, counted};
use heronry_wire::ExplainQuery;
use serde::Serialize;

use crate::connect::{Context, refused};

/// An event that would have counted for a wait, had it begun earlier.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Early {
    /// The newest one.
    #[serde(flatten)]
    event: EarlyEvent,
    /// The number of such events.
    count: u64,
    /// Events after this one were looked at.
    after: Cursor,
}

impl Early {
    /// Looks for events that came too early for a wait. The server looks at its newest ones.
    pub(super) async fn find(cx: &Context, pool: &PoolClient, view: &WakeView) -> Option<Self> {
        let query = ExplainQuery {
            run: Some(view.run_id.clone()),
        };
        let explained = match pool.explain_wake(&view.wake_id, &query).await {
            Ok(explained) => explained,
            Err(error) => {
                let why = refused(error);
                cx.out.note(&format!(
                    "what came before its beginning cannot be looked at: {why}"
                ));
                return None;
            }
        };
        let count = explained.clauses.iter().map(|clause| clause.early).sum();
        let events = explained.clauses.iter().filter_map(|it| it.latest_early);
        let newest = events.max_by_key(|event| event.cursor.position);
        newest.map(|event| Self {
            event,
            count,
            after: explained.after,
        })
    }

    /// Says so.
    pub(super) fn say(&self, cx: &Context) {
        let EarlyEvent {
            cursor,
            kind,
            since,
        } = self.event;
        let (events, after) = (counted(self.count, "event"), self.after);
        cx.out.note(&format!(
            "{events} from before its beginning would have matched, the last one {kind} at \
             {cursor} (looked at what came after {after}); --after {since} begins before it"
        ));
    }
}
