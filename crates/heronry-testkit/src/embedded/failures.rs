//! Operations of the device that fail, and what is said of them.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
};

use futures::executor::block_on;
use heronry_store::{AppendError, Guard, LEASE_TERM, StoreErrorKind};
use heronry_types::Position;

use super::{Device, DeviceOp, EmbeddedAdapter, EmbeddedPlace};
use crate::{
    conformance::{Failure, otherwise, refused, same},
    recovery, sample,
};

/// Each operation of opening, writing and closing is failed once; the store is closed, and keeps what
/// was acknowledged.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn a_failure_of_any_operation_closes_the_store_and_loses_nothing<A: EmbeddedAdapter>()
-> Result<(), Failure> {
    let places = EmbeddedPlace::<A>::new()?;
    let number = std::cell::Cell::new(0);
    let operations = recovery::fail_each_operation(
        || {
            number.set(number.get() + 1);
            places.path().join(format!("{}-{}", number.get(), A::NAME))
        },
        |path| A::open_or_create(path),
        |path, countdown| A::open_watched(path, Arc::new(countdown)),
    )?;
    if operations > 5 {
        return Ok(());
    }
    let what = format!("only {operations} operations were failed");
    Err(Failure::new(what))
}

/// Fails with the error of this number, unless it is 0: every transfer, or every sync.
#[derive(Debug, Default)]
struct FailingDevice {
    transfer: AtomicI32,
    sync: AtomicI32,
}

impl Device for FailingDevice {
    fn before(&self, op: DeviceOp) -> io::Result<()> {
        let number = match op {
            DeviceOp::Sync => self.sync.load(Ordering::SeqCst),
            DeviceOp::Transfer => self.transfer.load(Ordering::SeqCst),
        };
        match number {
            0 => Ok(()),
            number => Err(io::Error::from_raw_os_error(number)),
        }
    }
}

/// A full disk, a quota, a read-only file system and a bad device are told apart: in the error of the
/// call that closed the store, and in those of all later ones.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn the_cause_of_a_failure_is_told_by_its_call_and_by_all_later_ones<A: EmbeddedAdapter>()
-> Result<(), Failure> {
    // ENOSPC, EDQUOT, EROFS and EIO, as Linux numbers them.
    let causes = [
        (28, StoreErrorKind::Full),
        (122, StoreErrorKind::Full),
        (30, StoreErrorKind::ReadOnly),
        (5, StoreErrorKind::Io),
    ];
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    for (number, expected) in causes {
        check_cause::<A>(expected, |device| {
            device.transfer.store(number, Ordering::SeqCst);
        })?;
        check_cause::<A>(expected, |device| {
            device.sync.store(number, Ordering::SeqCst);
        })?;
    }
    Ok(())
}

fn check_cause<A: EmbeddedAdapter>(
    expected: StoreErrorKind,
    arm: impl Fn(&FailingDevice),
) -> Result<(), Failure> {
    let place = EmbeddedPlace::<A>::new()?;
    let device = Arc::new(FailingDevice::default());
    let store = place.open_watched(device.clone())?;
    let (pool, now) = (sample::pool(1), sample::time(0));
    let guard = Guard {
        expected_head: Position::ZERO,
        token: block_on(store.leases.acquire(&pool, "a test", now, LEASE_TERM))?,
    };
    arm(&device);
    let append = store.journal.append(&pool, sample::commit(None, 1), guard);
    let refusal = refused("an append", block_on(append))?;
    let AppendError::Store { error, .. } = refusal else {
        return Err(otherwise("an append", &refusal));
    };
    same("its cause", &error.cause(), &expected)?;
    let later = refused("a later call", block_on(store.journal.pools()))?;
    for error in [later, block_on(store.journal.closed())] {
        let found = (error.kind(), error.cause());
        same("a later error", &found, &(StoreErrorKind::Closed, expected))?;
    }
    Ok(())
}
