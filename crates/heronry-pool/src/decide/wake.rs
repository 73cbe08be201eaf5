//! Rules about wakes: registering them, giving them up, and what earlier events gave.

mod cost;
mod register;
mod scan;
mod view;

pub use cost::WakeCosts;
pub(crate) use cost::{cost_of, cost_of_clause};
pub use register::{CancelWake, RegisterWake, WakeEvents, WakeRequest};
pub(crate) use scan::Extent;
pub use scan::{FinishScan, FoundEvents, Scan, ScanRequest, ScanStep, Scanned};
pub(crate) use view::{is_about_wakes, is_suspension_for, sees};
