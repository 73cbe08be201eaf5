//! Rules about wakes: registering them, giving them up, and what earlier events gave.

mod cost;
mod finish_scan;
mod register;
mod scan;
mod view;

pub use cost::WakeCosts;
pub(crate) use cost::{cost_of, cost_of_clause};
pub use finish_scan::{FinishScan, Scanned};
pub use register::{CancelWake, RegisterWake, ScanRequest, WakeEvents, WakeRequest};
pub(crate) use scan::Extent;
pub use scan::{FoundEvents, Scan, ScanStep};
pub(crate) use view::{is_about_wakes, is_suspension_for, sees};
