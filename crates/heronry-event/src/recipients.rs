//! The recipients of a message: run ids, sorted, distinct and shared.

use std::{ops::Deref, sync::Arc};

use heronry_types::RunId;

/// The largest number of recipients that JSON shows; `recipient_count` gives the number of all.
pub const RECIPIENTS_SHOWN_MAX: usize = 100;

/// The recipients of a message: run ids, sorted and distinct. Cheap to clone.
///
/// Filters see all of them. An event read back from JSON holds only the recipients that were shown,
/// while [`Recipients::count`] still gives the number of all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recipients {
    /// The run ids; absent when there are none. Most events have none, and touch no heap for that.
    known: Option<Arc<[RunId]>>,
    count: u64,
}

impl Recipients {
    /// Returns the number of recipients, with those that JSON left out.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns true when this run is a known recipient; false for one that JSON left out.
    pub fn contains(&self, run: &str) -> bool {
        self.binary_search_by(|known| known.as_str().cmp(run))
            .is_ok()
    }

    /// Returns the recipients that are known, of `count` in all.
    pub(crate) fn of_total(known: Vec<RunId>, count: Option<u64>) -> Self {
        let mut recipients = Self::from(known);
        recipients.count = recipients.count.max(count.unwrap_or(0));
        recipients
    }
}

impl From<Arc<[RunId]>> for Recipients {
    fn from(known: Arc<[RunId]>) -> Self {
        let distinct = known
            .iter()
            .zip(known.iter().skip(1))
            .all(|(one, next)| one < next);
        if !distinct {
            return Self::from(known.to_vec());
        }
        Self {
            count: known.len() as u64,
            known: (!known.is_empty()).then_some(known),
        }
    }
}

impl From<Vec<RunId>> for Recipients {
    fn from(mut known: Vec<RunId>) -> Self {
        known.sort_unstable();
        known.dedup();
        Self {
            count: known.len() as u64,
            known: (!known.is_empty()).then(|| known.into()),
        }
    }
}

impl FromIterator<RunId> for Recipients {
    fn from_iter<I: IntoIterator<Item = RunId>>(runs: I) -> Self {
        Self::from(runs.into_iter().collect::<Vec<_>>())
    }
}

impl Deref for Recipients {
    type Target = [RunId];
    fn deref(&self) -> &[RunId] {
        self.known.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(names: &[&str]) -> Vec<RunId> {
        names.iter().map(|n| RunId::parse(n).unwrap()).collect()
    }

    #[test]
    fn recipients_are_sorted_and_distinct_however_they_come() {
        let shared: Arc<[RunId]> = runs(&["b", "a", "b"]).into();
        let recipients = Recipients::from(shared);
        assert_eq!(recipients.to_vec(), runs(&["a", "b"]));
        assert_eq!(recipients.count(), 2);
        assert!(recipients.contains("b"));
        assert!(!recipients.contains("c"));
    }

    #[test]
    fn sorted_recipients_are_shared_and_not_copied() {
        let shared: Arc<[RunId]> = runs(&["a", "b"]).into();
        let recipients = Recipients::from(Arc::clone(&shared));
        assert!(std::ptr::eq(shared.as_ptr(), recipients.as_ptr()));
    }
}
