//! Rules about members: joining, being heard of, suspending and leaving.

mod heartbeat;
mod join;
mod leave;
mod lost;
pub(super) mod suspend;

pub use heartbeat::Heartbeat;
pub use join::{ChangeMember, JoinNew, JoinPool};
pub(in crate::decide) use leave::ended;
pub use leave::{EndRun, LeavePool};
pub(crate) use lost::{back_entry, left_entries, lost_entry};
pub use suspend::{ResumeRun, SuspendRun, Suspending};
pub(crate) use suspend::{acting_entry, resumed_entry};
