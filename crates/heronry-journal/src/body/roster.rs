//! Records about a pool that is kept as it was declared: its steward, its roster, and what became of both.

mod declared;
mod steward;
mod told;

#[cfg(test)]
mod samples;

pub use declared::{MemberSpecified, MemberStandingChanged, RosterDeclared};
pub use steward::{StewardReleased, StewardTaken};
pub use told::{ModuleStandingChanged, Reconciled, RuntimeErrorRecorded};
