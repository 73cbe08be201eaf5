//! The suite that every store must pass, one named case for each rule of its ports.
//!
//! An adapter's `tests/conformance.rs` (with `harness = false`) says how a fresh place is made and
//! which capabilities the adapter offers, and ends in `conformance::main`. A case that needs a
//! capability which the adapter does not offer shows as ignored, with its name; it never shows as
//! passed.
//!
//! ```
//! use std::process::ExitCode;
//!
//! use heronry_store::{Store, StoreError};
//! use heronry_testkit::conformance::{self, Capability, Failure, StorePlace, Subject};
//!
//! type Open = fn() -> Result<Store, StoreError>;
//! struct MyPlace(Open);
//! struct MyStore(Open);
//!
//! impl StorePlace for MyPlace {
//!     fn open(&self) -> Result<Store, StoreError> {
//!         (self.0)()
//!     }
//! }
//!
//! impl Subject for MyStore {
//!     fn offers(&self, capability: Capability) -> bool {
//!         capability == Capability::Kept
//!     }
//!     fn version(&self) -> &'static str {
//!         env!("CARGO_PKG_VERSION")
//!     }
//!     fn place(&self) -> Result<Box<dyn StorePlace>, Failure> {
//!         Ok(Box::new(MyPlace(self.0)))
//!     }
//! }
//!
//! fn run(open: Open) -> ExitCode {
//!     conformance::main(MyStore(open))
//! }
//! ```
//!
//! The program takes what test programs take (filters, `--list`, `--exact`), and `--certificate
//! PATH`, which writes a [`Certificate`] as JSON: `cargo test --test conformance -- --certificate
//! my-store.json`.

/// A case that is named after its port and its function, and needs capabilities.
macro_rules! case {
    ($port:literal, $run:ident $(, $needs:ident)*) => {
        $crate::conformance::Case::new(
            concat!($port, "::", stringify!($run)),
            &[$($crate::conformance::Capability::$needs),*],
            |place| futures::FutureExt::boxed($run(place)),
        )
    };
}

mod certificate;
mod contents;
mod cursors;
mod custody;
mod harness;
mod journal;
mod keys;
mod leases;
mod projections;
mod snapshots;
mod writer;

use std::fmt::Debug;

use futures::{executor::block_on, future::BoxFuture};
use heronry_store::{
    AppendError, ConsumerError, LeaseError, ReadError, RenewError, Store, StoreError,
    StoreErrorKind,
};

use heronry_types::Millis;

use crate::{NotReached, SyncGate};

pub use certificate::{Certificate, Certified, Failed, Ignored, Kit, Verdict};
pub use harness::{Run, certificate, main, run};
pub(crate) use writer::CaseWriter;

/// The capability of an adapter, beyond the ports, that a case needs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Capability {
    /// Acknowledged appends are there when the same place is opened again.
    Kept,
    /// A second opener of the same place is refused: the store serves one process.
    Exclusive,
    /// The place has a [`SyncGate`], so that syncs can be held and failed.
    Syncs,
    /// Several processes have the place open, and its clock can be [moved](StorePlace::let_pass).
    Shared,
    /// The place can be [damaged](StorePlace::damage) while no store is open.
    Damage,
}

/// Every capability.
const CAPABILITIES: [Capability; 5] = [
    Capability::Kept,
    Capability::Exclusive,
    Capability::Shared,
    Capability::Syncs,
    Capability::Damage,
];

impl Capability {
    /// Returns the name under which a missing capability is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Exclusive => "exclusive",
            Self::Shared => "shared",
            Self::Syncs => "syncs",
            Self::Damage => "damage",
        }
    }
}

/// An adapter under test.
pub trait Subject: Send + Sync + 'static {
    /// Returns true when the adapter offers a capability.
    fn offers(&self, capability: Capability) -> bool;

    /// Returns the version of the adapter, as `env!("CARGO_PKG_VERSION")`.
    fn version(&self) -> &'static str;

    /// Returns a fresh place that holds no store.
    ///
    /// # Errors
    /// [`Failure`] when the place cannot be made.
    fn place(&self) -> Result<Box<dyn StorePlace>, Failure>;
}

/// A place where an adapter keeps one store. Dropping it removes what is there.
pub trait StorePlace: Send + Sync {
    /// Opens the store at this place, and creates it when there is none.
    ///
    /// # Errors
    /// The store's failure.
    fn open(&self) -> Result<Store, StoreError>;

    /// Returns the gate before every sync of the store; needed for [`Capability::Syncs`].
    fn syncs(&self) -> Option<&SyncGate> {
        None
    }

    /// Lets time pass by the store's clock; needed for [`Capability::Shared`].
    ///
    /// # Errors
    /// [`Failure`] when the clock of the place cannot be moved.
    fn let_pass(&self, span: Millis) -> Result<(), Failure> {
        let _ = span;
        Err(Failure::new(
            "the place is shared and its clock stands still",
        ))
    }

    /// Flips a bit of these bytes in every copy of them that is stored, while no store is open, and
    /// returns the number of copies; needed for [`Capability::Damage`].
    ///
    /// # Errors
    /// [`Failure`] when the place cannot be read or written.
    fn damage(&self, stored: &[u8]) -> Result<usize, Failure> {
        let _ = stored;
        Err(Failure::new("the place offers damage and does none"))
    }
}

/// The reason why a case failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// Returns a failure with this text.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// Turns the error of a call that a case expected to succeed into a failure.
macro_rules! failures {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self(format!("a call failed that must succeed: {error:?}"))
            }
        }
    )*};
}

failures!(
    StoreError,
    AppendError,
    ReadError,
    LeaseError,
    RenewError,
    ConsumerError,
    NotReached,
    std::io::Error
);

type Check = for<'a> fn(&'a dyn StorePlace) -> BoxFuture<'a, Result<(), Failure>>;

/// One rule of one port.
#[derive(Clone, Copy)]
pub struct Case {
    name: &'static str,
    needs: &'static [Capability],
    check: Check,
}

impl Case {
    const fn new(name: &'static str, needs: &'static [Capability], check: Check) -> Self {
        Self { name, needs, check }
    }

    /// Returns the port and the rule, as `journal::dense`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the capability that the case needs and the adapter does not offer; nothing when there is none.
    pub fn missing(&self, subject: &dyn Subject) -> Option<Capability> {
        let mut needs = self.needs.iter().copied();
        needs.find(|capability| !subject.offers(*capability))
    }

    /// Runs the case at a fresh place.
    ///
    /// # Errors
    /// [`Failure`] says in which way the adapter broke the rule.
    pub fn check(&self, subject: &dyn Subject) -> Result<(), Failure> {
        let place = subject.place()?;
        block_on((self.check)(&*place))
    }
}

impl Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Case({})", self.name)
    }
}

/// Returns every case, by port.
pub fn cases() -> Vec<Case> {
    [
        journal::CASES,
        journal::appends::CASES,
        journal::pages::CASES,
        journal::reads::CASES,
        journal::baselines::CASES,
        journal::durable::CASES,
        journal::reopened::CASES,
        custody::seals::CASES,
        custody::reservations::CASES,
        journal::deletions::CASES,
        journal::arrivals::CASES,
        journal::arrivals_kept::CASES,
        contents::CASES,
        contents::kept::CASES,
        contents::erased::CASES,
        leases::CASES,
        leases::kept::CASES,
        leases::shared::CASES,
        keys::CASES,
        keys::kept::CASES,
        keys::runs::CASES,
        snapshots::CASES,
        snapshots::kept::CASES,
        cursors::CASES,
        cursors::arriving::CASES,
        cursors::kept::CASES,
        projections::CASES,
        projections::kept::CASES,
        journal::threads::CASES,
    ]
    .concat()
}

/// Checks that what was found is what the rule says.
pub(crate) fn same<T: Debug + PartialEq>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(Failure(format!(
        "{what}: found {found:?}, expected {expected:?}"
    )))
}

/// Returns the error of a call that must be refused.
pub(crate) fn refused<T: Debug, E>(what: &str, result: Result<T, E>) -> Result<E, Failure> {
    match result {
        Ok(done) => Err(Failure(format!("{what}: it was taken, with {done:?}"))),
        Err(error) => Ok(error),
    }
}

/// Checks that a call is refused with an error of a kind.
pub(crate) fn check_kind<T: Debug>(
    what: &str,
    result: Result<T, StoreError>,
    kind: StoreErrorKind,
) -> Result<(), Failure> {
    same(what, &refused(what, result)?.kind(), &kind)
}

/// Returns the gate of a place that offers syncs.
fn syncs(place: &dyn StorePlace) -> Result<&SyncGate, Failure> {
    let gate = place.syncs();
    gate.ok_or_else(|| Failure::new("the place offers syncs and has no gate"))
}

/// Checks that a future waits.
pub(crate) fn check_waits<F: Future + Unpin>(what: &str, future: &mut F) -> Result<(), Failure> {
    let waits = futures::FutureExt::now_or_never(future).is_none();
    same(&format!("{what} waits"), &waits, &true)
}

/// Runs something on so many threads at once, and waits for all.
fn on_threads(
    threads: u64,
    run: impl Fn(u64) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let run = &run;
    let panicked = |_| Err(Failure::new("a thread panicked"));
    std::thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || run(number)))
            .collect();
        let ends = spawned.into_iter().map(std::thread::ScopedJoinHandle::join);
        // All are joined before the first failure is told.
        let ends: Vec<_> = ends.map(|end| end.unwrap_or_else(panicked)).collect();
        ends.into_iter().collect()
    })
}

/// Returns the failure of a call that was refused, but not as the rule says.
pub(crate) fn otherwise(what: &str, error: &dyn Debug) -> Failure {
    Failure(format!("{what}: refused otherwise, with {error:?}"))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, path::Path};

    use super::*;

    #[test]
    fn no_two_cases_have_one_name() {
        let cases = cases();
        let names: HashSet<_> = cases.iter().map(Case::name).collect();
        assert_eq!(names.len(), cases.len());
    }

    /// Returns the rules of a port's contract: what is emphasized in its numbered lines.
    fn rules(source: &str) -> Vec<String> {
        let lines = source.lines().filter_map(|line| {
            let (number, rule) = line.strip_prefix("/// ")?.split_once(". *")?;
            number.parse::<u8>().ok().map(|_| rule)
        });
        let emphasized = lines.flat_map(|line| line.split('*').step_by(2));
        emphasized
            .map(|rule| rule.replace(['-', ' '], "_"))
            .collect()
    }

    #[test]
    fn each_rule_of_a_contract_has_a_case_of_its_name() {
        let names: HashSet<_> = cases().iter().map(Case::name).collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../heronry-store/src");
        for (file, port, least) in [
            ("journal", "journal", 13),
            ("custody", "journal", 2),
            ("contents", "contents", 14),
            ("lease", "leases", 11),
            ("keys", "keys", 16),
            ("snapshots", "snapshots", 12),
            ("cursors", "cursors", 13),
            ("projections", "projections", 12),
        ] {
            let source = fs::read_to_string(folder.join(file).with_extension("rs")).unwrap();
            let rules = rules(&source);
            assert!(rules.len() >= least, "{port} has {} rules", rules.len());
            for rule in rules {
                let case = format!("{port}::{rule}");
                assert!(names.contains(case.as_str()), "there is no {case}");
            }
        }
    }
}
