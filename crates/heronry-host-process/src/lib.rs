#![doc = include_str!("../README.md")]

mod folder;
mod group;
mod holders;
mod host;
mod incarnation_file;
mod line;
mod log;
mod output;
mod process;
mod program;
mod recovered;
mod report;
mod shim;
mod value;

pub use folder::file_name;
pub use host::{ProcessHost, ProcessPlaces, ShimCommand};
pub use line::{BoundedLine, TakenPart};
pub use log::LOG_BYTES_MAX;
pub use output::{LINE_BYTES_MAX, OutputObserver, SHOWN_BYTES_MAX};
pub use shim::{CANNOT_START, ShimError, run_shim};
pub use value::{ProcessCommand, ProcessRefusal};

/// The start of the names of variables that are not passed on from the parent: they would name another
/// identity, another place or other settings.
pub const OWN_VARIABLES: &str = "HERONRY_";
