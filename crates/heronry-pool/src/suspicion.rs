//! Suspicion: runs that wait only on each other, and waits that nobody can end. It is said, and never
//! acted on.
//!
//! The engine knows a [`Watch`], which says when to look and what was found. The fold of what was said is
//! four functions. Explaining a wake asks for [`prospects_of`] its condition, and what a member
//! [could do](Need::of).

mod fold;
mod outcome;
mod prospect;
mod stuck;
mod walk;
mod watch;

pub(crate) use fold::{forget, orphaned, over, suspected};
pub(crate) use prospect::{Need, Prospect, prospects_of};
pub(crate) use walk::Sight;
pub(crate) use watch::Watch;
