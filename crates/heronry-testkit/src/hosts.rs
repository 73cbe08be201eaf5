//! The suite that every host must pass, one named case for each rule of its port, and a host that lies.
//!
//! A test program (with `harness = false`) says how a fresh place is made and what its specs look like,
//! and ends in [`main`]. The cases are named after the numbered rules of
//! [`MemberHost`] and [`Running`](heronry_host::Running).
//!
//! ```
//! use std::{process::ExitCode, sync::Arc};
//!
//! use futures::future::BoxFuture;
//! use heronry_host::{HostValue, MemberHost};
//! use heronry_testkit::hosts::{self, HostFailure, HostPlace, HostSubject, HostedPlay};
//!
//! struct MyPlace(Arc<dyn MemberHost>);
//! struct MyHost(fn() -> MyPlace);
//!
//! impl HostPlace for MyPlace {
//!     fn open(&self) -> Result<Arc<dyn MemberHost>, HostFailure> {
//!         Ok(Arc::clone(&self.0))
//!     }
//!     fn value(&self, play: &HostedPlay) -> HostValue {
//!         format!("{play:?}").into()
//!     }
//! }
//!
//! impl HostSubject for MyHost {
//!     fn place(&self) -> Result<Box<dyn HostPlace>, HostFailure> {
//!         Ok(Box::new((self.0)()))
//!     }
//!     fn run(&self, case: BoxFuture<'_, Result<(), HostFailure>>) -> Result<(), HostFailure> {
//!         futures::executor::block_on(case)
//!     }
//! }
//!
//! fn run(place: fn() -> MyPlace) -> ExitCode {
//!     hosts::main(MyHost(place))
//! }
//! ```

mod calls;
mod cases;
mod lying;

use std::{fmt, process::ExitCode, sync::Arc};

use futures::future::BoxFuture;
use heronry_host::{HostFault, HostValue, MemberHost};
use libtest_mimic::{Arguments, Trial};

pub use calls::HostCalls;
pub use cases::{HostCase, host_cases};
pub use lying::{Lie, LyingHost};

/// The way in which what a case starts acts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HostedPlay {
    /// Prints a line and ends with success.
    Succeeds,
    /// Prints a line and ends without success.
    Fails,
    /// Ends without success, and prints nothing.
    FailsSilently,
    /// Prints a line and goes on until it is asked to end.
    Waits,
    /// Prints a line, goes on, and does not end when it is asked to.
    Ignores,
    /// Ends with success when its variable of this name has this value, else without.
    SucceedsIf {
        /// The name.
        variable: &'static str,
        /// The value.
        value: &'static str,
    },
    /// Names something that can never be started.
    CannotStart,
}

/// A place in which hosts are opened, one after the other or at once.
pub trait HostPlace: Send + Sync {
    /// Opens a host on the place. A second opening is a later host of the same place.
    ///
    /// # Errors
    /// [`HostFailure`] when it cannot be opened.
    fn open(&self) -> Result<Arc<dyn MemberHost>, HostFailure>;

    /// Returns the value of a spec that acts so.
    fn value(&self, play: &HostedPlay) -> HostValue;
}

/// A kind of host that the suite is run for.
pub trait HostSubject: Send + Sync + 'static {
    /// Makes a fresh place.
    ///
    /// # Errors
    /// [`HostFailure`] when it cannot be made.
    fn place(&self) -> Result<Box<dyn HostPlace>, HostFailure>;

    /// Runs a case in the async runtime that the host needs.
    ///
    /// # Errors
    /// The failure of the case.
    fn run(&self, case: BoxFuture<'_, Result<(), HostFailure>>) -> Result<(), HostFailure>;
}

/// The failure of a case.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct HostFailure(String);

impl HostFailure {
    /// Says what was found, and what was expected.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl From<HostFault> for HostFailure {
    fn from(fault: HostFault) -> Self {
        Self::new(fault)
    }
}

/// Runs every case as a test program does.
pub fn main(subject: impl HostSubject) -> ExitCode {
    let subject: Arc<dyn HostSubject> = Arc::new(subject);
    let trials = host_cases().into_iter().map(|case| {
        let subject = Arc::clone(&subject);
        Trial::test(case.name(), move || {
            case.check(&*subject).map_err(|failure| failure.0.into())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
