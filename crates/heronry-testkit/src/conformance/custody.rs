//! The promises of a store that pools move from and to.

pub(super) mod reservations;
pub(super) mod seals;
