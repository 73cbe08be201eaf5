//! Looking at a store leaves it as it is.

use super::{EmbeddedAdapter, EmbeddedPlace};
use crate::{
    conformance::{Failure, same},
    recovery::RecoveryWriter,
};

/// Writes to a store that was opened to be looked at are gone once it is closed.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn what_is_written_to_a_store_that_is_looked_at_does_not_last<A: EmbeddedAdapter>()
-> Result<(), Failure> {
    let place = EmbeddedPlace::<A>::new()?;
    let mut writer = place.writer()?;
    for _ in 0..20 {
        writer.write(2)?;
    }
    drop(writer);
    let before = place.image()?;
    let mut writer = RecoveryWriter::of(A::open_to_read(&place.store())?)?;
    writer.write(2)?;
    drop(writer);
    let is_kept = place.image()? == before;
    same("the store is left as it is", &is_kept, &true)
}
