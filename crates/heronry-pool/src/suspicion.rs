//! Suspicion: runs that wait only on each other, and waits that nobody can end. It is said, and never
//! acted on.
//!
//! A suspended run can be resumed by the live members that could bring about an event which one of its
//! wakes takes, counting what counts already. That is read from the filters as far as it is certain; in
//! doubt any live member could.
//!
//! | a filter asks for | who could bring it about |
//! |---|---|
//! | `run`, `agent`, `session` | the members of which that is true |
//! | a `run_message_delivered` with `recipients` or `topic` | who holds the policies that every message carries, if a member that may get it is there, or lists the topic |
//! | a `run_message_fetched`, `_acked`, `_released`, … with `recipients` | the recipient alone: these are what it does with its copies |
//! | what becomes of a message of this `run`: `run_message_responded` | those recipients whose replies still count, as many as are missing |
//! | `run_message_settled` | all together who hold copies that have not ended |
//! | `run_message_failed` of a message that asks for replies | any of these |
//! | `run_message_timed_out`, `_expired`, and what a lost member's leaving ends | nobody: the time does, and who waits for that is in no deadlock |
//! | anything else, `reply_to` among it, which every sender may set | any live member |
//!
//! A filter that events of no run could pass is never part of a deadlock.
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
