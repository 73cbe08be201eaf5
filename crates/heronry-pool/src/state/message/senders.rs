//! The number of copies of each sender that an inbox has.

use heronry_store::KeyedMap;
use heronry_types::RunId;

/// The number of copies of each sender that an inbox has. Most have one sender.
#[derive(Clone, Debug, Default)]
pub(crate) struct Senders {
    one: Option<(RunId, u64)>,
    /// Those beside the one; it may be there when the one is not.
    others: Option<Box<KeyedMap<RunId, u64>>>,
}

impl Senders {
    /// Returns how many copies a sender has.
    pub(crate) fn of(&self, sender: &RunId) -> u64 {
        match &self.one {
            Some((run, count)) if run == sender => *count,
            Some(_) | None => {
                let others = self.others.as_ref();
                let count = others.and_then(|others| others.get(sender));
                count.copied().unwrap_or(0)
            }
        }
    }

    /// Returns every sender that has copies, in order.
    pub(crate) fn all(&self) -> Vec<(&RunId, u64)> {
        let one = self.one.iter().map(|(run, count)| (run, *count));
        let others = self.others.iter().flat_map(|others| others.iter());
        let mut all: Vec<_> = one
            .chain(others.map(|(run, count)| (run, *count)))
            .collect();
        all.sort_unstable();
        all
    }

    /// Says how many copies a sender has, of which nothing was known.
    pub(crate) fn set(&mut self, sender: RunId, count: u64) {
        if self.one.is_none() && self.others.is_none() {
            self.one = Some((sender, count));
        } else {
            self.others.get_or_insert_default().insert(sender, count);
        }
    }

    /// Counts one copy more.
    pub(crate) fn add(&mut self, sender: &RunId) {
        match &mut self.one {
            Some((run, count)) if run == sender => *count += 1,
            None if self.others.is_none() => self.one = Some((sender.clone(), 1)),
            Some(_) | None => {
                let others = self.others.get_or_insert_default();
                *others.entry(sender.clone()).or_default() += 1;
            }
        }
    }

    /// Counts one copy less.
    pub(crate) fn take(&mut self, sender: &RunId) {
        if let Some((run, count)) = &mut self.one
            && run == sender
        {
            *count -= 1;
            if *count == 0 {
                self.one = None;
            }
            return;
        }
        let Some(others) = &mut self.others else {
            return;
        };
        if let Some(count) = others.get_mut(sender) {
            *count -= 1;
            if *count == 0 {
                others.remove(sender);
            }
        }
        if others.is_empty() {
            self.others = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use heronry_types::Id;

    use super::*;

    #[test]
    fn copies_are_counted_for_each_sender() {
        let run = |name: &str| Id::parse(name).unwrap();
        let (a, b, c) = (run("a"), run("b"), run("c"));
        let mut senders = Senders::default();
        let counts = |senders: &Senders| [&a, &b, &c].map(|run| senders.of(run));
        for sender in [&a, &b, &a, &c, &b, &b] {
            senders.add(sender);
        }
        assert_eq!(counts(&senders), [2, 3, 1]);
        senders.take(&a);
        senders.take(&a);
        senders.take(&a);
        assert_eq!(counts(&senders), [0, 3, 1]);
        for sender in [&b, &a, &c, &a] {
            senders.add(sender);
        }
        assert_eq!(counts(&senders), [2, 4, 2]);
        for sender in [&a, &a, &b, &b, &b, &b, &c, &c] {
            senders.take(sender);
        }
        assert_eq!(counts(&senders), [0, 0, 0]);
        senders.add(&c);
        assert_eq!(counts(&senders), [0, 0, 1]);
        assert!(senders.others.is_none());
    }
}
