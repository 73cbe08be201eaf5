//! Rules about the pool as a whole: its set-up, its time, and what its members report.

mod configure;
mod ephemeral;
mod events;
mod report;
mod reset;
mod retire;
mod tick;

pub use configure::{ConfigurePool, CreatePool};
pub use ephemeral::{PublishEphemeral, Unrecorded};
pub use events::AppendEvents;
pub use reset::RecordConsumerReset;
pub use retire::RetirePool;
pub(crate) use tick::{due_entries, due_entries_of_contents};
