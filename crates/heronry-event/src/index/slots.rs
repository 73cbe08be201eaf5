//! Numbered places that are used again.

/// Values under small numbers; a number is free again when its value is taken out.
#[derive(Clone, Debug)]
pub(super) struct Slots<T> {
    places: Vec<ValueSlot<T>>,
    /// The number that the next value gets.
    next: usize,
}

#[derive(Clone, Debug)]
enum ValueSlot<T> {
    Full(T),
    /// Free, and the number that is free after it.
    Free(usize),
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            next: 0,
        }
    }
}

impl<T> Slots<T> {
    /// Returns the number that the next value will get.
    pub(super) fn vacant_key(&self) -> usize {
        self.next
    }

    /// Puts a value in and returns its number.
    pub(super) fn insert(&mut self, value: T) -> usize {
        let number = self.next;
        if let Some(place) = self.places.get_mut(number) {
            if let ValueSlot::Free(next) = std::mem::replace(place, ValueSlot::Full(value)) {
                self.next = next;
            }
        } else {
            self.places.push(ValueSlot::Full(value));
            self.next = self.places.len();
        }
        number
    }

    pub(super) fn get(&self, number: usize) -> Option<&T> {
        match self.places.get(number)? {
            ValueSlot::Full(value) => Some(value),
            ValueSlot::Free(_) => None,
        }
    }

    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        match self.places.get_mut(number)? {
            ValueSlot::Full(value) => Some(value),
            ValueSlot::Free(_) => None,
        }
    }

    /// Walks the values, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut().filter_map(|place| match place {
            ValueSlot::Full(value) => Some(value),
            ValueSlot::Free(_) => None,
        })
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, number: usize) -> Option<T> {
        let place = self.places.get_mut(number)?;
        match std::mem::replace(place, ValueSlot::Free(self.next)) {
            ValueSlot::Full(value) => {
                self.next = number;
                Some(value)
            }
            free @ ValueSlot::Free(_) => {
                *place = free;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again_and_none_twice_at_a_time() {
        let mut slots = Slots::default();
        for value in 0..4 {
            assert_eq!(slots.vacant_key(), value);
            assert_eq!(slots.insert(value), value);
        }
        assert_eq!(slots.remove(1), Some(1));
        assert_eq!(slots.remove(3), Some(3));
        assert_eq!(slots.remove(3), None, "it is free");
        assert_eq!(slots.remove(9), None, "it never was");
        assert_eq!(slots.get(1), None);
        assert_eq!(
            [slots.insert(10), slots.insert(11), slots.insert(12)],
            [3, 1, 4]
        );
        assert_eq!((slots.get(3), slots.get(1)), (Some(&10), Some(&11)));
        *slots.get_mut(4).unwrap() += 1;
        assert_eq!(slots.get(4), Some(&13));
        slots.remove(0);
        slots.iter_mut().for_each(|value| *value += 100);
        assert_eq!((slots.get(0), slots.get(2)), (None, Some(&102)));
    }
}
